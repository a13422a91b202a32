/* Arguments of calls: see call.h.
 *
 * Knows: values of the script. Shape: each reader takes one kind of argument. Units: none.
 * Errors: PROBLEM_SYNTAX at the argument. Cost: O(fields). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "packetdrill/call.h"

const struct value *arg_at(const struct playing *c, int i)
{
    return i < c->step->call->args ? c->step->call->arg[i] : NULL;
}

bool number_of(struct run *r, const struct value *v, int64_t *out)
{
    if (v->kind == VALUE_LIST && v->items == 1 && !v->name[0])
        return number_of(r, v->item[0], out); /* [4] */
    if (v->kind != VALUE_NUMBER)
        return problem_set(r->problem, PROBLEM_SYNTAX, v->at, "expected a number here");
    *out = v->number;
    return true;
}

bool arg_number(struct run *r, struct playing *c, int i, int64_t *out)
{
    const struct value *v = arg_at(c, i);

    if (!v)
        return problem_set(r->problem, PROBLEM_SYNTAX, c->step->at, "argument %d is missing",
                           i + 1);
    return number_of(r, v, out);
}

int fd_of_script(const struct run *r, int64_t number)
{
    return number >= 0 && number < NUMBERS_MAX ? r->number[number] : -1;
}

bool arg_fd(struct run *r, struct playing *c, int i, int *out)
{
    int64_t number;

    if (!arg_number(r, c, i, &number))
        return false;
    *out = fd_of_script(r, number);
    return true;
}

bool arg_is_any(const struct playing *c, int i)
{
    const struct value *v = arg_at(c, i);

    return !v || v->kind == VALUE_ANY;
}

const struct value *field_of(const struct value *list, const char *name)
{
    for (int i = 0; i < list->items; i++)
        if (list->name[i] && strcmp(list->name[i], name) == 0)
            return list->item[i];
    return NULL;
}

static void put_address(struct node_io *io, int family, const struct weir_addr *a, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(&io->addr, 0, sizeof io->addr);
    if (family == AF_INET6) {
        memcpy(&v6.sin6_addr, a, sizeof v6.sin6_addr);
        memcpy(&io->addr, &v6, sizeof v6);
        io->addr_len = sizeof v6;
    } else {
        v4.sin_addr.s_addr = htonl(weir_addr_is_v4(a) ? weir_addr_to_v4(a) : 0);
        memcpy(&io->addr, &v4, sizeof v4);
        io->addr_len = sizeof v4;
    }
}

static bool read_ip(struct run *r, const struct value *v, struct weir_addr *out)
{
    char text[64] = "";

    if (v->kind == VALUE_NUMBER) { /* INADDR_ANY */
        *out = weir_addr_v4((uint32_t)v->number);
        if (!weir_addr_is_v4(&r->set.local)) /* in6addr_any */
            *out = (struct weir_addr){.w = {0}};
        return true;
    }
    if (v->kind == VALUE_TEXT && v->len < sizeof text)
        memcpy(text, v->text, v->len);
    if (weir_addr_parse(out, text) == 0)
        return true;
    return problem_set(r->problem, PROBLEM_SYNTAX, v->at,
                       "expected an address such as \"192.0.2.1\"");
}

bool arg_address(struct run *r, struct playing *c, int i, const struct weir_sockaddr *fallback)
{
    const struct value *v = arg_at(c, i), *family, *port, *ip;
    struct weir_sockaddr a = *fallback;
    int64_t n = r->set.family;

    if (arg_is_any(c, i)) {
        put_address(&c->io, r->set.family, &a.addr, a.port);
        return true;
    }
    if (v->kind != VALUE_LIST)
        return problem_set(r->problem, PROBLEM_SYNTAX, v->at, "expected an address {...} or ...");
    family = field_of(v, "sa_family");
    port = field_of(v, "sin_port");
    ip = field_of(v, "sin_addr");
    if (family && !number_of(r, family, &n))
        return false;
    port = port ? port : field_of(v, "sin6_port");
    ip = ip ? ip : field_of(v, "sin6_addr");
    if (ip && ip->kind != VALUE_ANY && !read_ip(r, ip, &a.addr))
        return false;
    put_address(&c->io, (int)n, &a.addr, a.port);
    if (!port || port->kind == VALUE_ANY)
        return true;
    if (!number_of(r, port, &n))
        return false;
    put_address(&c->io, c->io.addr.ss_family, &a.addr, (uint16_t)n);
    return true;
}

uint8_t *buffer_of(struct run *r, struct playing *c, size_t len)
{
    if (!c->buffer) {
        c->buffer = arena_alloc(&r->arena, len + 1);
        c->buffer_len = len;
    }
    return c->buffer;
}

bool call_differs(struct run *r, struct playing *c, const char *what, int64_t want, int64_t got)
{
    if (want == got)
        return true;
    return problem_set(r->problem, PROBLEM_FAILED, c->step->at, "%s: %s: expected %lld, got %lld",
                       c->step->call->name, what, (long long)want, (long long)got);
}
