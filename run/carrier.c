/* Carriers: found by name, made on first use, swept away when the program's end is gone.
 *
 * Knows: names and life of carriers. Not what they carry. Shape: a hash table of lists; what dies
 * in a round is freed at its end, for events of the same round may name it. Units: none. Errors:
 * NULL without memory. Cost: O(1); the sweep one system call for each carrier that needs it. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETIRED_MAX 1024
#define RETIRED_NS 60000000000 /* as long as Linux keeps an orphan in FIN-WAIT-2 */

static unsigned bucket_of(const char *id)
{
    unsigned h = 2166136261u;

    while (*id)
        h = (h ^ (unsigned char)*id++) * 16777619u;
    return h % CARRIER_BUCKETS;
}

struct carrier *carrier_find(struct daemon *d, const char *id)
{
    for (struct carrier *c = d->bucket[bucket_of(id)]; c; c = c->next_hash)
        if (!c->is_dead && strcmp(c->id, id) == 0)
            return c;
    return NULL;
}

struct carrier *carrier_get(struct daemon *d, const char *id)
{
    struct carrier *c = carrier_find(d, id);
    unsigned b = bucket_of(id);

    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    snprintf(c->id, sizeof c->id, "%s", id);
    c->kind = id[0] == 'd' || id[0] == 'b' ? CARRIER_DGRAM
              : id[0] == 'p'               ? CARRIER_ACCEPTED
                                           : CARRIER_STREAM;
    c->family = id[2] == '6' ? AF_INET6 : AF_INET;
    c->fd = c->sock = c->waiter = c->publish = c->reserved = c->held = -1;
    c->next_hash = d->bucket[b];
    d->bucket[b] = c;
    d->carriers++;
    if (c->kind != CARRIER_ACCEPTED)
        d->unwatched++;
    return c;
}

int carrier_socket(struct daemon *d, struct carrier *c)
{
    bool is_stream = c->kind == CARRIER_STREAM || c->kind == CARRIER_ACCEPTED;

    if (c->sock >= 0)
        return 0;
    c->sock = weir_socket(d->stack, c->family, is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (c->sock < 0)
        return c->sock;
    weir_set_user(d->stack, c->sock, c);
    return 0;
}

bool carrier_has(struct daemon *d, const struct carrier *c, int ip_option)
{
    int on = 0;
    size_t len = sizeof on;

    return weir_getsockopt(d->stack, c->sock, IPPROTO_IP, ip_option, &on, &len) == 0 && on;
}

int carrier_source(struct daemon *d, const struct carrier *c, const struct weir_sockaddr *peer,
                   struct weir_sockaddr *source)
{
    int v = weir_gateway_source(peer, source), on = 0;
    size_t len = sizeof on;

    if (v != -EACCES || weir_addr_to_v4(&peer->addr) != INADDR_BROADCAST)
        return v;
    if (c->kind != CARRIER_DGRAM)
        return 0; /* the stack knows that no stream goes there */
    weir_getsockopt(d->stack, c->sock, SOL_SOCKET, SO_BROADCAST, &on, &len);
    return on ? 0 : v;
}

/* To nobody in particular: to oneself, as the kernel has it. */
struct weir_sockaddr carrier_peer(const struct run_addr *a)
{
    struct weir_sockaddr peer = {.addr = a->addr, .port = a->port};

    if (weir_addr_is_any(&peer.addr) && weir_addr_is_v4(&peer.addr))
        peer.addr = weir_addr_v4(INADDR_LOOPBACK);
    else if (weir_addr_is_any(&peer.addr))
        peer.addr = (struct weir_addr){.b = {[15] = 1}};
    return peer;
}

/* -- the end ----------------------------------------------------------------------------------- */

/* -- retired: a socket that is no connection any more still has a name, options, perhaps an error.
 * A carrier that the program opened is known to be gone when its name is free; an accepted one has
 * no name of its own, so that it is kept for a while only. ------------------------------------- */

static void leave_retired(struct daemon *d, struct carrier *c)
{
    if (c->kind != CARRIER_ACCEPTED)
        return;
    *(c->older ? &c->older->newer : &d->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &d->newest) = c->older;
    d->retired--;
}

void carrier_retire(struct daemon *d, struct carrier *c, int error)
{
    if (c->is_dead || c->is_retired)
        return;
    c->is_retired = true;
    c->is_connecting = false;
    c->error = error;
    c->retired_at = d->now;
    d->carriers--;
    if (c->kind != CARRIER_ACCEPTED) {
        d->unwatched += c->fd >= 0;
    } else {
        c->older = d->newest;
        *(d->newest ? &d->newest->newer : &d->oldest) = c;
        d->newest = c;
        d->retired++;
    }
    if (c->fd >= 0)
        unwatch(d, c->fd);
    c->fd = -1;
    if (d->retired > RETIRED_MAX)
        carrier_end(d, d->oldest);
}

int carrier_take_error(struct carrier *c)
{
    int error = c->error;

    c->error = 0;
    return error;
}

int64_t carriers_deadline(const struct daemon *d)
{
    return d->oldest ? d->oldest->retired_at + RETIRED_NS : WEIR_NEVER;
}

/* The source address that a connect chose, and nobody wished for. */
static void forget_source(struct daemon *d, struct carrier *c)
{
    struct weir_sockaddr any = {.port = 0};
    int late = 1, before = 0;
    size_t len = sizeof before;

    if (c->family == AF_INET)
        any.addr = weir_addr_v4(0);
    weir_getsockopt(d->stack, c->sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &before, &len);
    weir_setsockopt(d->stack, c->sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    weir_bind(d->stack, c->sock, &any);
    weir_setsockopt(d->stack, c->sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &before, len);
    c->is_bound = c->is_bound_late = false;
}

/* It has, or tries to have, a peer that will hear of the end. */
static bool carrier_is_up(struct daemon *d, const struct carrier *c)
{
    struct weir_sock_info info;

    return weir_info(d->stack, c->sock, &info) == 0 &&
           (info.state == WEIR_ESTABLISHED || info.state == WEIR_SYN_SENT ||
            info.state == WEIR_SYN_RECV || info.state == WEIR_FIN_WAIT_1 ||
            info.state == WEIR_FIN_WAIT_2 || info.state == WEIR_CLOSE_WAIT);
}

int carrier_renew(struct daemon *d, const char *old, const char *new)
{
    struct carrier *c = carrier_find(d, old), *fresh = carrier_get(d, new);
    struct weir_sockaddr name = {.port = 0};

    if (!fresh)
        return -ENOMEM;
    if (!c || c->sock < 0)
        return 0;
    fresh->sock = c->sock;
    fresh->pid = c->pid;
    fresh->wants = c->wants;
    fresh->is_bound_late = c->is_bound_late;
    fresh->error = carrier_is_up(d, c) ? ECONNRESET : 0;
    c->sock = -1;
    weir_set_user(d->stack, fresh->sock, fresh);
    carrier_end(d, c);
    if (weir_disconnect(d->stack, fresh->sock) < 0)
        return -ENOMEM;
    if (fresh->is_bound_late)
        forget_source(d, fresh);
    weir_getsockname(d->stack, fresh->sock, &name);
    fresh->is_bound = name.port != 0;
    return 0;
}

/* The daemon's part of it is over. A socket of the stack that is still there is closed: FIN, or RST
 * where something was left unread. */
void carrier_end(struct daemon *d, struct carrier *c)
{
    if (c->is_dead)
        return;
    c->is_dead = true;
    if (c->held >= 0)
        weir_abort(d->stack, c->held);
    if (c->sock >= 0) {
        weir_set_user(d->stack, c->sock, NULL);
        weir_close(d->stack, c->sock);
    }
    publish_end(d, c);
    if (c->waiter >= 0)
        control_answer(c->waiter, -ENETDOWN);
    if (c->kind != CARRIER_ACCEPTED && c->fd < 0)
        d->unwatched--;
    if (c->fd >= 0)
        unwatch(d, c->fd);
    c->fd = c->sock = -1;
    if (c->is_retired)
        leave_retired(d, c);
    else
        d->carriers--;
    c->next_dead = d->dead;
    d->dead = c;
}

static void bury(struct daemon *d, struct carrier *c)
{
    struct carrier **at = &d->bucket[bucket_of(c->id)];

    while (*at != c)
        at = &(*at)->next_hash;
    *at = c->next_hash;
    free(c);
}

void carriers_bury(struct daemon *d)
{
    struct carrier *kept = NULL;

    if (!d->dead)
        return;
    for (struct carrier *c = d->retry, *next; c; c = next) {
        next = c->next_retry;
        if (!c->is_dead) {
            c->next_retry = kept;
            kept = c;
        }
    }
    d->retry = kept;
    for (struct carrier *c = d->dead, *next; c; c = next) {
        next = c->next_dead;
        bury(d, c);
    }
    d->dead = NULL;
}

/* -- the sweep --------------------------------------------------------------------------------- */

/* A name in the program's namespace is free only if nobody holds its carrier any more: ids are
 * drawn once. A probe that got the name is used up. */
static bool is_held(struct daemon *d, const struct carrier *c)
{
    int type = c->kind == CARRIER_DGRAM ? SOCK_DGRAM : SOCK_STREAM;
    int *probe = &d->probe[type == SOCK_DGRAM];
    struct sockaddr_un un;
    socklen_t len = name_set(&un, d->name, c->id);

    if (*probe < 0)
        *probe = netns_socket(&d->netns, AF_UNIX, type, 0);
    if (*probe < 0 || bind(*probe, (struct sockaddr *)&un, len) < 0)
        return true;
    close(*probe);
    *probe = -1;
    return false;
}

static void end_if_gone(struct daemon *d, struct carrier *c)
{
    if (c->is_dead || c->fd >= 0 || c->kind == CARRIER_ACCEPTED || is_held(d, c))
        return;
    if (c->kind == CARRIER_DGRAM) /* what it sent last may still wait for us */
        dgram_drain(d);
    carrier_end(d, c);
}

void carrier_look(struct daemon *d, const char *id)
{
    struct carrier *c = carrier_find(d, id);

    if (c)
        end_if_gone(d, c);
}

/* A carrier that is not connected to us tells of its end to nobody: ask the kernel. */
void carriers_sweep(struct daemon *d)
{
    while (d->now >= carriers_deadline(d))
        carrier_end(d, d->oldest);
    if (d->unwatched <= 0)
        return;
    for (int i = 0; i < CARRIER_BUCKETS; i++)
        for (struct carrier *c = d->bucket[i]; c; c = c->next_hash)
            end_if_gone(d, c);
}
