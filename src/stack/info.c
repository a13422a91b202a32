/* What `ss` shows: a walk over all endpoints.
 *
 * Knows: the pools. Shape: the cursor holds a kind and an index. Units: as in the public header.
 * Errors: none. Cost: O(1) for each step. */
#include <errno.h>
#include <netinet/in.h>

#include "stack/stack.h"
#include "weir/trace.h"

enum { WALK_TCB, WALK_SYN, WALK_TW, WALK_UDP, WALK_END };

static void info_user(const struct weir_stack *k, struct weir_sock_info *info)
{
    const struct sock *s = sock_at(&k->socks, info->sock);

    info->user = s ? s->user : NULL;
}

static void info_udp(const struct weir_stack *k, uint32_t index, struct weir_sock_info *info)
{
    const struct udp_sock *u = udp_at(&k->udp, index);

    info->sock = (int)u->sock - 1;
    info->protocol = u->proto;
    info->state = u->is_connected ? WEIR_ESTABLISHED : WEIR_CLOSED;
    info->local = (struct weir_sockaddr){.addr = u->local, .port = u->lport};
    info->peer = (struct weir_sockaddr){.addr = u->peer, .port = u->pport};
    if (!u->is_connected && weir_addr_is_v4(&u->local))
        info->peer.addr = weir_addr_v4(0); /* "any" of its own family */
    info->recv_queue = u->rx.len;
    info->send_queue = u->tx.len;
    info->rcvbuf = u->rcvbuf;
    info->sndbuf = u->sndbuf;
    info->rcv_mem = u->rx.size;
    info->snd_mem = u->tx.size;
    info->drops = u->dropped;
}

static uint32_t next_of(const struct weir_stack *k, int kind, uint32_t from)
{
    switch (kind) {
    case WALK_TCB:
        return pool_next(&k->tcp.tcbs, from);
    case WALK_SYN:
        return pool_next(&k->tcp.syns, from);
    case WALK_TW:
        return pool_next(&k->tcp.tws, from);
    default:
        return udp_next(&k->udp, from);
    }
}

static void fill(struct weir_stack *k, int kind, uint32_t index, struct weir_sock_info *info)
{
    switch (kind) {
    case WALK_TCB:
        sock_tcp_info(&k->socks, index, info);
        break;
    case WALK_SYN:
        tcp_syn_info(&k->tcp, index, info);
        break;
    case WALK_TW:
        tcp_tw_info(&k->tcp, index, info);
        break;
    default:
        info_udp(k, index, info);
    }
    info_user(k, info);
}

int weir_info_next(struct weir_stack *k, uint64_t *cursor, struct weir_sock_info *info)
{
    int kind = (int)(*cursor >> 32);
    uint32_t index = (uint32_t)*cursor;

    for (; kind < WALK_END; kind++, index = 0) {
        index = next_of(k, kind, index + 1);
        if (!index)
            continue;
        *info = (struct weir_sock_info){.sock = -1};
        fill(k, kind, index, info);
        *cursor = (uint64_t)kind << 32 | index;
        return 1;
    }
    *cursor = (uint64_t)WALK_END << 32;
    return 0;
}

int weir_info(struct weir_stack *k, int sock, struct weir_sock_info *info)
{
    const struct sock *s = sock_at(&k->socks, sock);

    if (!s)
        return -EBADF;
    *info = (struct weir_sock_info){.sock = sock};
    fill(k, s->kind == SOCK_KIND_TCP ? WALK_TCB : WALK_UDP, s->endpoint, info);
    return 0;
}

void weir_facts(struct weir_stack *k, uint64_t cursor, struct weir_facts *facts)
{
    uint32_t index = (uint32_t)cursor;

    *facts = (struct weir_facts){.flags = 0};
    switch (cursor >> 32) {
    case WALK_TCB:
        tcp_facts(&k->tcp, index, facts);
        break;
    case WALK_SYN:
        tcp_syn_facts(&k->tcp, index, facts);
        break;
    case WALK_TW:
        tcp_tw_facts(&k->tcp, index, facts);
        break;
    default:
        break;
    }
}
