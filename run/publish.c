/* Published ports: what the program serves, shown at the host's own addresses.
 *
 * Knows: the gateway's publish calls, -p. Shape: sockets that share a port of the stack
 * (SO_REUSEPORT) share its publication, which ends with the last of them. Whether they may share is
 * the stack's business. Units: none. Errors: -errno of the host, where it refused the port. Cost:
 * O(published ports) to begin. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Which -p is about this port, or -1. */
static int option_for(const struct daemon *d, const struct weir_sockaddr *local)
{
    const struct run_options *o = d->options;

    for (int i = 0; i < o->publishes; i++)
        if (o->publish[i].port == local->port && local->port)
            return i;
    return -1;
}

/* Where the host shows this port: -p, or the same. */
static struct weir_sockaddr host_side(const struct daemon *d, const struct weir_sockaddr *local)
{
    int i = option_for(d, local);

    return i < 0 ? *local : d->options->publish[i].host;
}

/* The program hears an errno about its own port, and can not know that it is the host's. */
static void say_refused(const struct daemon *d, const struct weir_sockaddr *local,
                        const struct weir_sockaddr *host, int error)
{
    char text[WEIR_ADDR_TEXT];

    if (option_for(d, local) >= 0)
        fprintf(stderr, "weir: -p: the host refuses %s: %s; choose another port\n",
                weir_sockaddr_text(host, text), strerror(error));
    else if (error == EACCES)
        fprintf(stderr, "weir: the host keeps port %d for root; show it at another: -p %d:%d\n",
                local->port, 8000 + local->port, local->port);
}

/* :: that leaves the port of IPv4 to others. */
static bool is_v6only(struct daemon *d, const struct carrier *c)
{
    int on = 0;
    size_t len = sizeof on;

    return c->family == AF_INET6 &&
           weir_getsockopt(d->stack, c->sock, IPPROTO_IPV6, IPV6_V6ONLY, &on, &len) == 0 && on;
}

static socklen_t to_host(const struct weir_sockaddr *at, struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(at->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(at->port)};

    if (weir_addr_is_v4(&at->addr)) {
        in.sin_addr.s_addr = htonl(weir_addr_to_v4(&at->addr));
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    memcpy(&in6.sin6_addr, at->addr.b, sizeof in6.sin6_addr);
    memcpy(out, &in6, sizeof in6);
    return sizeof in6;
}

/* A socket of the host for this address: of IPv4 where the host knows no other. */
static int reserve_socket(const struct weir_sockaddr *at, bool is_alone,
                          struct sockaddr_storage *out, socklen_t *len)
{
    struct weir_sockaddr four = {.addr = weir_addr_v4(0), .port = at->port};
    int fd;

    *len = to_host(at, out);
    fd = socket(out->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && weir_addr_is_any(&at->addr) && !is_alone) {
        *len = to_host(&four, out);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (fd >= 0 && out->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){is_alone}, sizeof(int));
    return fd;
}

static struct published *find_shared(struct daemon *d, int type, const struct weir_sockaddr *local)
{
    for (int i = 0; i < PUBLISHED && local->port; i++) {
        struct published *p = &d->published[i];
        if (p->users && p->type == type && p->local.port == local->port &&
            weir_addr_equal(&p->local.addr, &local->addr))
            return p;
    }
    return NULL;
}

static struct published *find_free(struct daemon *d)
{
    for (int i = 0; i < PUBLISHED; i++)
        if (!d->published[i].users)
            return &d->published[i];
    return NULL;
}

int publish_reserve(struct daemon *d, struct carrier *c, struct weir_sockaddr *local)
{
    struct sockaddr_storage at;
    socklen_t len;
    int on = 1;

    if (!d->gateway)
        return 0;
    publish_release(c);
    c->reserved = reserve_socket(local, is_v6only(d, c), &at, &len);
    if (c->reserved < 0)
        return -errno;
    /* the socket that will listen there may share it */
    setsockopt(c->reserved, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(c->reserved, (struct sockaddr *)&at, len) < 0)
        return errno == EADDRNOTAVAIL && carrier_has(d, c, IP_FREEBIND) ? 0 : -errno;
    if (getsockname(c->reserved, (struct sockaddr *)&at, &len) < 0)
        return -errno;
    local->port = ntohs(((struct sockaddr_in *)&at)->sin_port); /* where IPv6 has it too */
    return 0;
}

void publish_release(struct carrier *c)
{
    if (c->reserved >= 0)
        close(c->reserved);
    c->reserved = -1;
}

int publish_begin(struct daemon *d, struct carrier *c, int type, struct weir_sockaddr *local)
{
    struct weir_sockaddr host = host_side(d, local), stack = *local;
    struct published *p;
    int v, how = type;

    if (!d->gateway || c->publish >= 0)
        return 0;
    if (is_v6only(d, c))
        how |= WEIR_GATEWAY_V6ONLY;
    if ((p = find_shared(d, type, local))) {
        p->users++;
        c->publish = (int)(p - d->published);
        publish_release(c);
        return 0;
    }
    if (!(p = find_free(d)))
        return -ENOBUFS;
    v = weir_gateway_publish(d->gateway, how, &host, &stack);
    if (v == -EADDRINUSE) { /* perhaps by a socket of ours whose program is just gone */
        carriers_sweep(d);
        v = weir_gateway_publish(d->gateway, how, &host, &stack);
    }
    if (v == -EADDRNOTAVAIL && carrier_has(d, c, IP_FREEBIND))
        return 0; /* an address of nobody: nobody knocks there */
    if (v < 0) {
        say_refused(d, local, &host, -v);
        return v;
    }
    if (!local->port)
        local->port = host.port;
    *p = (struct published){.handle = v, .type = type, .users = 1, .local = *local};
    c->publish = (int)(p - d->published);
    publish_release(c);
    return 0;
}

void publish_end(struct daemon *d, struct carrier *c)
{
    publish_release(c);
    if (c->publish < 0)
        return;
    if (--d->published[c->publish].users == 0)
        weir_gateway_unpublish(d->gateway, d->published[c->publish].handle);
    c->publish = -1;
}

void publish_say(const struct daemon *d)
{
    const struct run_options *o = d->options;
    struct weir_sockaddr at = {.addr = d->ends.ip};
    char text[WEIR_ADDR_TEXT];

    for (int i = 0; i < o->publishes; i++) {
        at.port = o->publish[i].port;
        fprintf(stderr,
                "weir: -p %d:%d is for the host link and has no effect here: on a %s link the "
                "program is reached at its own address, %s\n",
                o->publish[i].host.port, at.port, d->ends.kind, weir_sockaddr_text(&at, text));
    }
}
