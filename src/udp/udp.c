/* UDP sockets: their life, binding and connecting, and what the user asks of them. RFC 768,
 * 1122#4.1.
 *
 * Knows: rings and the demultiplexing table. Not who may share a port: that was decided above.
 * Shape: a socket that is bound or connected is filed once, under `hash`; a closed one not at all.
 * Units: bytes. Errors: -errno, and then the socket is as before. Cost: O(1). */
#include "udp/inner.h"

#include <errno.h>
#include <string.h>

#include "weir/socket.h"

#define BUFFER_PRESET 212992 /* net.core.rmem_default, wmem_default */

static int file_under(struct udp_socks *u, uint32_t index, const struct udp_key *k);
static void unfile(struct udp_socks *u, uint32_t index);

void udp_init(struct udp_socks *u, struct mem *mem, struct rng *seed, uint32_t sockets_max)
{
    *u = (struct udp_socks){.mem = mem, .key = rng_key(seed)};
    pool_init(&u->socks, mem, sizeof(struct udp_sock), sockets_max);
    groups_init(u);
    table_init(&u->demux, mem);
    for (int i = 0; i < UDP_IFACES; i++)
        list_init(&u->out[i], &u->socks, offsetof(struct udp_sock, out));
    list_init(&u->marked, &u->socks, offsetof(struct udp_sock, marked));
    list_init(&u->emptied, &u->socks, offsetof(struct udp_sock, emptied));
}

void udp_fini(struct udp_socks *u)
{
    for (uint32_t i = pool_next(&u->socks, 1); i; i = pool_next(&u->socks, i + 1)) {
        ring_release(&udp_at(u, i)->rx, u->mem);
        ring_release(&udp_at(u, i)->tx, u->mem);
        ring_release(&udp_at(u, i)->errors, u->mem);
        udp_options_release(u, udp_at(u, i));
    }
    table_fini(&u->demux);
    pool_fini(&u->memberships);
    pool_fini(&u->socks);
}

void udp_settle(struct udp_socks *u)
{
    while (u->emptied.first) {
        uint32_t index = u->emptied.first;
        struct udp_sock *s = udp_at(u, index);

        list_unlink(&u->emptied, index);
        if (s->tx.len)
            continue;
        ring_release(&s->tx, u->mem);
        if (s->is_closed)
            pool_free(&u->socks, index);
    }
}

uint32_t udp_open(struct udp_socks *u, uint8_t proto, uint32_t sock)
{
    uint32_t index = pool_new(&u->socks);
    struct udp_sock *s;

    must(proto == PROTO_UDP || proto == PROTO_ICMP || proto == PROTO_ICMP6);
    if (!index)
        return 0;
    s = udp_at(u, index);
    list_node_init(&s->out);
    list_node_init(&s->marked);
    list_node_init(&s->emptied);
    s->proto = proto;
    s->sock = sock;
    s->mc_ttl = 1; /* 1112#6.1 */
    s->rcvbuf = s->sndbuf = BUFFER_PRESET;
    return index;
}

struct udp_sock *udp_at(const struct udp_socks *u, uint32_t index)
{
    return pool_at(&u->socks, index);
}

uint32_t udp_next(const struct udp_socks *u, uint32_t from)
{
    uint32_t i = pool_next(&u->socks, from);

    while (i && udp_at(u, i)->is_closed)
        i = pool_next(&u->socks, i + 1);
    return i;
}

int udp_bind(struct udp_socks *u, uint32_t index, const struct weir_addr *local, uint16_t port)
{
    struct udp_sock *s = udp_at(u, index);
    struct udp_key k = {.local = local, .lport = port, .proto = s->proto};
    int error;

    if (s->is_bound || s->is_connected || s->is_any_port)
        return -EINVAL;
    if (!port && s->proto == PROTO_UDP)
        return -EINVAL;
    error = file_under(u, index, &k);
    if (error)
        return error;
    s->is_bound = true;
    s->local = s->bound = *local;
    s->lport = port;
    return 0;
}

int udp_bind_any_port(struct udp_socks *u, uint32_t index)
{
    struct udp_sock *s = udp_at(u, index);

    if (s->is_bound || s->is_connected || s->proto != PROTO_UDP)
        return -EINVAL;
    if (u->any_port)
        return -EADDRINUSE;
    u->any_port = index;
    s->is_any_port = true;
    return 0;
}

int udp_connect(struct udp_socks *u, uint32_t index, const struct weir_sockaddr *local,
                const struct weir_sockaddr *peer)
{
    struct udp_sock *s = udp_at(u, index);
    struct udp_key k = {&local->addr, &peer->addr, local->port, peer->port, s->proto};
    int error;

    if (s->is_any_port || weir_addr_is_any(k.local) || weir_addr_is_any(k.peer))
        return -EINVAL;
    if (s->proto != PROTO_UDP)
        k.pport = 0; /* a message has one identifier, which is ours */
    else if (!k.lport || !k.pport)
        return -EINVAL;
    error = file_under(u, index, &k);
    if (error)
        return error;
    s->is_connected = true;
    s->local = local->addr;
    s->lport = local->port;
    s->peer = peer->addr;
    s->pport = k.pport;
    return 0;
}

int udp_disconnect(struct udp_socks *u, uint32_t index)
{
    struct udp_sock *s = udp_at(u, index);
    struct udp_key k = {.local = &s->bound, .lport = s->lport, .proto = s->proto};

    if (!s->is_connected)
        return -ENOTCONN;
    if (s->is_bound) {
        int error = file_under(u, index, &k);

        if (error)
            return error;
    } else {
        unfile(u, index);
        s->lport = 0;
    }
    s->is_connected = false;
    s->local = s->bound;
    s->peer = (struct weir_addr){0};
    s->pport = 0;
    return 0;
}

void udp_close(struct udp_socks *u, uint32_t index)
{
    struct udp_sock *s = udp_at(u, index);

    unfile(u, index);
    if (s->is_any_port)
        u->any_port = 0;
    if (list_is_on(&s->marked))
        list_unlink(&u->marked, index);
    ring_release(&s->rx, u->mem);
    ring_release(&s->errors, u->mem);
    udp_options_release(u, s);
    s->is_closed = true;
    udp_mark_emptied(u, index);
}

static bool has_room(const struct udp_sock *s, size_t charge)
{
    return s->tx.len < s->sndbuf / 2 || s->tx.len + charge <= s->sndbuf;
}

static void push(struct udp_sock *s, const struct udp_record *r, const uint8_t *options,
                 const void *data)
{
    uint32_t at = s->tx.len + (uint32_t)sizeof *r;

    ring_place(&s->tx, s->tx.len, r, sizeof *r);
    if (r->options_len)
        ring_place(&s->tx, at, options, r->options_len);
    at += r->options_len;
    ring_place(&s->tx, at, data, r->len);
    if (s->proto != PROTO_UDP && s->lport) { /* Linux: a ping socket's identifier is its port */
        uint8_t id[2] = {(uint8_t)(s->lport >> 8), (uint8_t)s->lport};

        ring_place(&s->tx, at + 4, id, sizeof id);
    }
    ring_extend(&s->tx, udp_record_bytes(r));
}

int64_t udp_send(struct udp_socks *u, uint32_t index, const struct udp_dest *to, const void *data,
                 size_t len)
{
    struct udp_sock *s = udp_at(u, index);
    struct udp_record r = {to->local,     to->peer,        to->lport,      to->pport,
                           (uint16_t)len, to->ifindex,     to->tos,        to->ttl,
                           to->is_df,     to->is_link_mtu, to->options_len};
    size_t charge = sizeof r + to->options_len + len;

    must(to->ifindex > 0 && to->ifindex < UDP_IFACES);
    if (s->error)
        return -udp_take_error(u, index);
    if (len > UDP_PAYLOAD_MAX + (s->proto != PROTO_UDP ? ICMP_LEN : 0))
        return -EMSGSIZE;
    if (s->proto != PROTO_UDP && len < ICMP_LEN)
        return -EINVAL;
    if (!has_room(s, charge)) {
        s->wants_out = true;
        return -EAGAIN;
    }
    if (!ring_reserve(&s->tx, u->mem, s->tx.len + (uint32_t)charge, s->tx.len))
        return -ENOMEM;
    push(s, &r, to->options, data);
    if (!list_is_on(&s->out)) {
        s->out_ifindex = to->ifindex;
        list_append(&u->out[to->ifindex], index);
    }
    return (int64_t)len;
}

int64_t udp_recv(struct udp_socks *u, uint32_t index, struct udp_message *m, int flags)
{
    struct udp_sock *s = udp_at(u, index);
    struct udp_record r;
    uint32_t n;

    if (s->error)
        return -udp_take_error(u, index);
    if (!s->rx.len)
        return -EAGAIN;
    ring_peek(&s->rx, 0, &r, sizeof r);
    n = r.len < m->room ? r.len : (uint32_t)m->room;
    ring_peek(&s->rx, (uint32_t)sizeof r + r.options_len, m->data, n);
    m->len = r.len;
    m->from = (struct weir_sockaddr){r.peer, r.pport, 0};
    m->local = (struct weir_sockaddr){r.local, r.lport, r.ifindex};
    m->tos = r.tos;
    m->ttl = r.ttl;
    m->options_len = r.options_len;
    if (r.options_len)
        ring_peek(&s->rx, sizeof r, m->options, r.options_len);
    if (flags & UDP_RECV_PEEK)
        return n;
    ring_consume(&s->rx, udp_record_bytes(&r));
    if (!s->rx.len)
        ring_release(&s->rx, u->mem);
    return n;
}

uint32_t udp_readiness(const struct udp_socks *u, uint32_t index)
{
    const struct udp_sock *s = udp_at(u, index);
    uint32_t ready = 0;

    if (s->rx.len || s->error)
        ready |= WEIR_READY_IN;
    if (s->tx.len < s->sndbuf / 2)
        ready |= WEIR_READY_OUT;
    if (s->error || s->errors.len)
        ready |= WEIR_READY_ERR | WEIR_READY_OUT;
    return ready;
}

int udp_take_error(struct udp_socks *u, uint32_t index)
{
    struct udp_sock *s = udp_at(u, index);
    int error = s->error;

    s->error = 0;
    return error;
}

bool udp_next_marked(struct udp_socks *u, struct udp_marked *out)
{
    uint32_t index = u->marked.first;
    struct udp_sock *s;

    if (!index)
        return false;
    list_unlink(&u->marked, index);
    s = udp_at(u, index);
    *out = (struct udp_marked){index, s->sock, s->marks};
    s->marks = 0;
    return true;
}

void udp_mark(struct udp_socks *u, uint32_t index, unsigned marks)
{
    struct udp_sock *s = udp_at(u, index);

    if (s->is_closed)
        return;
    s->marks |= (uint8_t)marks;
    if (!list_is_on(&s->marked))
        list_append(&u->marked, index);
}

void udp_mark_emptied(struct udp_socks *u, uint32_t index)
{
    if (!list_is_on(&udp_at(u, index)->emptied))
        list_append(&u->emptied, index);
}

/* Files it anew, then takes the old entry out: so a refusal changes nothing. */
static int file_under(struct udp_socks *u, uint32_t index, const struct udp_key *k)
{
    struct udp_sock *s = udp_at(u, index);
    uint32_t hash = udp_hash(u, k);

    if (!table_add(&u->demux, hash, index))
        return -ENOMEM;
    unfile(u, index);
    s->hash = hash;
    s->serial = ++u->serial;
    return 0;
}

static void unfile(struct udp_socks *u, uint32_t index)
{
    struct udp_sock *s = udp_at(u, index);

    if (s->is_bound || s->is_connected)
        table_remove(&u->demux, s->hash, index);
}
