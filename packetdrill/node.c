/* A node's clock, wire and descriptors: see node.h.
 *
 * Knows: the three verbs. Shape: what the stack sends is taken at once and stamped. Units:
 * microseconds. Errors: no memory ends the program. Cost: O(1), a copy of each packet. */
#include "packetdrill/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packetdrill/file.h"

/* The stack's clock does not begin at zero: nothing may hold an instant 0 for "never". */
#define BIRTH_NS INT64_C(3600000000000)
#define FIRST_NUMBER 3

static void *must_alloc(size_t bytes)
{
    void *p = calloc(1, bytes);

    if (!p) {
        fputs("weir: packetdrill: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static int64_t now_ns(const struct node *h)
{
    return BIRTH_NS + h->now_us * 1000;
}

struct node *node_new(const struct node_config *config)
{
    struct weir_config stack = {.seed = {config->seed, 1}, .now_ns = BIRTH_NS};
    struct weir_iface_config iface = {.name = "pkt", .type = WEIR_LINK_IP, .mtu = config->mtu};
    struct weir_addr any = {.w = {0}};
    struct node *h = must_alloc(sizeof *h);

    if (weir_addr_is_v4(&config->local))
        any = weir_addr_v4(0);
    h->config = *config;
    h->last = &h->first;
    h->stack = weir_new(&stack);
    h->ifindex = h->stack ? weir_iface_add(h->stack, &iface) : -ENOMEM;
    if (h->ifindex < 0 || weir_addr_add(h->stack, h->ifindex, &config->local, config->prefix) < 0 ||
        weir_route_add(h->stack, &any, 0, NULL, h->ifindex, 0) < 0) {
        node_free(h);
        return NULL;
    }
    return h;
}

void node_free(struct node *h)
{
    for (int fd = 0; fd < NODE_FILES; fd++)
        if (h->files[fd])
            file_close(h, fd);
    while (h->first)
        node_sent_drop(h);
    if (h->stack)
        weir_free(h->stack);
    free(h);
}

struct weir_stack *node_stack(struct node *h)
{
    return h->stack;
}

/* -- time -------------------------------------------------------------------------------------- */

int64_t node_now(const struct node *h)
{
    return h->now_us;
}

int64_t node_deadline(const struct node *h)
{
    int64_t ns = weir_deadline(h->stack), us;

    if (ns == WEIR_NEVER)
        return INT64_MAX;
    us = (ns - BIRTH_NS + 999) / 1000;
    return us > h->now_us ? us : h->now_us;
}

void node_move(struct node *h, int64_t us)
{
    if (us > h->now_us)
        h->now_us = us;
    weir_advance(h->stack, now_ns(h));
    node_settle(h);
}

/* -- the wire ---------------------------------------------------------------------------------- */

static void keep(struct node *h, const struct weir_frame *f)
{
    struct node_sent *s = must_alloc(sizeof *s + weir_frame_len(f));

    s->at_us = h->now_us;
    s->why = f->why;
    for (int i = 0; i < f->parts; i++) {
        memcpy(s->bytes + s->len, f->part[i].data, f->part[i].len);
        s->len += f->part[i].len;
    }
    *h->last = s;
    h->last = &s->next;
}

static void note_edge(struct node *h, int sock)
{
    for (int fd = 0; fd < NODE_FILES; fd++)
        for (struct interest *x = h->files[fd] ? h->files[fd]->interests : NULL; x; x = x->next)
            x->is_new |= node_socket_of(h, x->fd) == sock;
}

static void take_edges(struct node *h)
{
    struct weir_ready_event event[WEIR_BURST_MAX];
    int n;

    while ((n = weir_ready(h->stack, event, WEIR_BURST_MAX)) > 0)
        for (int i = 0; i < n; i++)
            note_edge(h, event[i].sock);
}

void node_settle(struct node *h)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int n;

    do {
        n = weir_output(h->stack, h->ifindex, burst, WEIR_BURST_MAX, now_ns(h));
        for (int i = 0; i < n; i++)
            keep(h, &burst[i]);
    } while (n == WEIR_BURST_MAX);
    take_edges(h);
}

void node_inject(struct node *h, const uint8_t *packet, size_t len)
{
    struct weir_frame f = {.part = {{.data = packet, .len = (uint32_t)len}}, .parts = 1};

    weir_advance(h->stack, now_ns(h));
    weir_input(h->stack, h->ifindex, &f, 1, now_ns(h));
    node_settle(h);
}

const struct node_sent *node_sent_first(const struct node *h)
{
    return h->first;
}

void node_sent_drop(struct node *h)
{
    struct node_sent *s = h->first;

    h->first = s->next;
    if (!h->first)
        h->last = &h->first;
    free(s);
}

/* -- descriptors ------------------------------------------------------------------------------- */

struct file *file_at(struct node *h, int fd)
{
    return fd >= 0 && fd < NODE_FILES ? h->files[fd] : NULL;
}

struct file *socket_at(struct node *h, int fd)
{
    struct file *f = file_at(h, fd);

    return f && f->kind == FILE_SOCKET ? f : NULL;
}

int file_error(struct node *h, int fd)
{
    return file_at(h, fd) ? -ENOTSOCK : -EBADF;
}

int node_socket_of(struct node *h, int fd)
{
    struct file *f = socket_at(h, fd);

    return f ? f->sock : -1;
}

static int lowest_free(const struct node *h)
{
    int fd = FIRST_NUMBER;

    while (fd < NODE_FILES && h->files[fd])
        fd++;
    return fd;
}

int file_new(struct node *h, enum file_kind kind)
{
    int fd = h->config.take_number ? h->config.take_number(h->config.ctx) : lowest_free(h);

    if (fd < 0 || fd >= NODE_FILES)
        return -EMFILE;
    h->files[fd] = must_alloc(sizeof *h->files[fd]);
    h->files[fd]->kind = kind;
    h->files[fd]->sock = -1;
    return fd;
}

static void forget(struct file *f, int fd)
{
    for (struct interest **x = &f->interests; *x;) {
        struct interest *gone = *x;
        if (fd >= 0 && gone->fd != fd) {
            x = &gone->next;
            continue;
        }
        *x = gone->next;
        free(gone);
    }
}

void file_close(struct node *h, int fd)
{
    struct file *f = h->files[fd];

    forget(f, -1);
    for (int i = 0; i < NODE_FILES; i++)
        if (h->files[i])
            forget(h->files[i], fd);
    h->files[fd] = NULL;
    free(f);
    if (h->config.drop_number)
        h->config.drop_number(h->config.ctx, fd);
}

bool wait_on(struct node *h, struct node_wait *w, int64_t us)
{
    if (!w->has_begun) {
        w->has_begun = true;
        w->until_us = us > 0 ? h->now_us + us : INT64_MAX;
    }
    return h->now_us < w->until_us;
}
