/* Which socket a datagram is for, and putting it there. 1122#4.1.3.
 *
 * Knows: the table and the receive rings. Not where the datagram came from, beyond its view. Shape:
 * a connected socket beats a bound one, an exact address beats the unspecified one, an interface
 * beats none; of equals the newest wins, or with UDP_REUSEPORT the flow decides; the socket of all
 * other ports comes last. Units: bytes. Errors: verdicts. Cost: one pass over the bytes for the
 * sum, one for the copy; three probes; O(matches) for groups. */
#include "udp/inner.h"

#include <string.h>

#include "base/sum.h"

/* A datagram and where its bytes for the socket begin. */
struct arrival {
    const struct udp_view *in;
    uint16_t lport, pport;
    uint8_t proto;
    uint32_t skip, len; /* bytes of header to leave out, bytes to deliver */
};

struct best {
    uint32_t index, score;
    uint64_t rank;
};

static bool is_sum_good(const struct udp_view *in, uint32_t len);
static uint32_t find_one(const struct udp_socks *u, const struct arrival *a);
static enum drop deliver(struct udp_socks *u, uint32_t index, const struct arrival *a);
static enum drop deliver_all(struct udp_socks *u, const struct arrival *a);

static uint32_t view_len(const struct udp_view *in)
{
    uint32_t n = 0;

    for (int i = 0; i < in->parts; i++)
        n += in->part[i].len;
    return n;
}

static void view_peek(const struct udp_view *in, uint8_t *dst, uint32_t n)
{
    for (int i = 0; i < in->parts && n; i++) {
        uint32_t here = in->part[i].len < n ? in->part[i].len : n;

        memcpy(dst, in->part[i].data, here);
        dst += here;
        n -= here;
    }
}

enum drop udp_input(struct udp_socks *u, const struct udp_view *in)
{
    uint32_t total = view_len(in), index;
    uint8_t hdr[UDP_LEN] = {0};
    struct arrival a;
    struct udp h;
    int n;

    view_peek(in, hdr, total < UDP_LEN ? total : UDP_LEN);
    n = udp_parse(&h, hdr, total);
    if (n < 0)
        return (enum drop) - n;
    if (!h.has_sum && !weir_addr_is_v4(&in->dst))
        return DROP_udp_checksum; /* 8200#8.1 */
    if (h.has_sum && !(in->flags & (WEIR_CSUM_PARTIAL | WEIR_CSUM_VALID)) &&
        !is_sum_good(in, h.len))
        return DROP_udp_checksum;
    a = (struct arrival){in, h.dport, h.sport, PROTO_UDP, UDP_LEN, (uint32_t)h.len - UDP_LEN};
    if (in->is_group)
        return deliver_all(u, &a);
    index = find_one(u, &a);
    if (!index)
        index = u->any_port;
    return index ? deliver(u, index, &a) : DROP_udp_no_port;
}

enum drop udp_input_icmp(struct udp_socks *u, const struct udp_view *in, uint16_t id)
{
    uint8_t proto = weir_addr_is_v4(&in->dst) ? PROTO_ICMP : PROTO_ICMP6;
    struct arrival a = {in, id, 0, proto, 0, view_len(in)};
    uint32_t index = id ? find_one(u, &a) : 0;
    enum drop ping = index ? deliver(u, index, &a) : DROP_udp_no_listener;
    enum drop raw;

    a.lport = 0;
    raw = deliver_all(u, &a);
    return raw == DROP_udp_no_listener ? ping : raw;
}

uint32_t udp_find_sender(const struct udp_socks *u, const struct udp_fault *f)
{
    struct udp_view flow = {.src = f->remote, .dst = f->local};
    struct arrival a = {&flow, f->lport, f->rport, f->proto, 0, 0};

    return find_one(u, &a);
}

static bool is_multicast(const struct weir_addr *a)
{
    return weir_addr_is_v4(a) ? a->b[12] >> 4 == 0xe : a->b[0] == 0xff;
}

static bool is_sum_good(const struct udp_view *in, uint32_t len)
{
    uint32_t acc = pseudo_sum(&in->src, &in->dst, PROTO_UDP, len);
    uint32_t at = 0;

    for (int i = 0; i < in->parts && at < len; i++) {
        uint32_t here = in->part[i].len < len - at ? in->part[i].len : len - at;

        acc = sum_add_at(acc, in->part[i].data, here, at);
        at += here;
    }
    return sum_finish(acc) == 0;
}

static uint64_t word_of(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

/* All unspecified addresses hash alike. */
uint32_t udp_hash(const struct udp_socks *u, const struct udp_key *k)
{
    static const struct weir_addr any;
    const uint32_t *l = weir_addr_is_any(k->local) ? any.w : k->local->w;
    const uint32_t *r = k->peer ? k->peer->w : any.w;
    uint64_t word[5] = {(uint64_t)k->proto << 32 | (uint64_t)k->lport << 16 | k->pport,
                        word_of(l[3], r[3]), word_of(l[0], r[0]), word_of(l[1], r[1]),
                        word_of(l[2], r[2])};
    bool is_v4 = l == any.w || weir_addr_is_v4(k->local);

    return (uint32_t)siphash13_words(&u->key, word, is_v4 ? 2 : 5);
}

/* Whether the socket, found under the arrival's own local address or the unspecified one,
 * matches. */
static bool matches(const struct udp_sock *s, const struct arrival *a)
{
    if (s->proto != a->proto || s->lport != a->lport)
        return false;
    if (s->ifindex && s->ifindex != a->in->ifindex && a->in->ifindex)
        return false;
    if (s->is_connected)
        return s->pport == a->pport && weir_addr_equal(&s->peer, &a->in->src) &&
               weir_addr_equal(&s->local, &a->in->dst);
    if (weir_addr_is_any(&s->local))
        return weir_addr_is_v4(&a->in->dst) ? !(s->options & UDP_V6ONLY)
                                            : !weir_addr_is_v4(&s->local);
    return weir_addr_equal(&s->local, &a->in->dst);
}

/* Next match filed under these ends; walk with *pos from 0. */
static uint32_t next_match(const struct udp_socks *u, uint32_t hash, const struct arrival *a,
                           uint32_t *pos)
{
    uint32_t index = table_find(&u->demux, hash, pos);

    while (index && !matches(udp_at(u, index), a))
        index = table_find(&u->demux, hash, pos);
    return index;
}

/* The three places to look at, best first. */
static void hashes_of(const struct udp_socks *u, const struct arrival *a, uint32_t hash[3])
{
    static const struct weir_addr any;
    struct udp_key k = {&a->in->dst, &a->in->src, a->lport, a->pport, a->proto};

    hash[0] = udp_hash(u, &k);
    k.peer = NULL;
    k.pport = 0;
    hash[1] = udp_hash(u, &k);
    k.local = &any;
    hash[2] = udp_hash(u, &k);
}

/* Rendezvous: each flow has its own order of the sockets, which stays when one of them goes. */
static uint64_t rank_of(const struct udp_socks *u, const struct udp_sock *s,
                        const struct arrival *a)
{
    const uint32_t *r = a->in->src.w;
    uint64_t word[4] = {word_of(r[0], r[1]), word_of(r[2], r[3]), word_of(a->pport, a->lport),
                        s->serial};

    return s->options & UDP_REUSEPORT ? siphash13_words(&u->key, word, 4) : s->serial;
}

static uint32_t find_one(const struct udp_socks *u, const struct arrival *a)
{
    uint32_t hash[3];

    hashes_of(u, a, hash);
    for (int i = 0; i < 3; i++) {
        struct best best = {0};
        uint32_t pos = 0, index;

        while ((index = next_match(u, hash[i], a, &pos))) {
            const struct udp_sock *s = udp_at(u, index);
            struct best this = {index, s->ifindex ? 2 : 1, rank_of(u, s, a)};

            if (this.score > best.score || (this.score == best.score && this.rank >= best.rank))
                best = this;
        }
        if (best.index)
            return best.index;
    }
    return 0;
}

static enum drop deliver_all(struct udp_socks *u, const struct arrival *a)
{
    enum drop last = DROP_udp_no_listener;
    bool is_taken = false;
    uint32_t hash[3];

    hashes_of(u, a, hash);
    for (int i = 0; i < 3; i++) {
        uint32_t pos = 0, index;

        while ((index = next_match(u, hash[i], a, &pos))) {
            if (is_multicast(&a->in->dst) && !udp_may_hear(u, index, a->in))
                continue;
            last = deliver(u, index, a);
            is_taken |= last == PASS;
        }
    }
    if (last == DROP_udp_no_listener && a->proto == PROTO_UDP && u->any_port)
        return deliver(u, u->any_port, a);
    return is_taken ? PASS : last;
}

static enum drop deliver(struct udp_socks *u, uint32_t index, const struct arrival *a)
{
    const struct udp_view *in = a->in;
    struct udp_sock *s = udp_at(u, index);
    struct udp_record r = {in->dst, in->src, a->lport, a->pport, (uint16_t)a->len, in->ifindex,
                           in->tos, in->ttl, false,    false,    in->options_len};
    uint32_t at = s->rx.len, skip = a->skip, left = a->len;
    uint32_t charge = udp_record_bytes(&r);

    /* An empty queue takes any datagram, however small the buffer: as Linux. */
    if ((at && at + charge > s->rcvbuf) || !ring_reserve(&s->rx, u->mem, at + charge, at)) {
        s->dropped++;
        return DROP_udp_buffer;
    }
    ring_place(&s->rx, at, &r, sizeof r);
    at += (uint32_t)sizeof r;
    if (r.options_len)
        ring_place(&s->rx, at, in->options, r.options_len);
    at += r.options_len;
    for (int i = 0; i < in->parts && left; i++) {
        uint32_t out = in->part[i].len < skip ? in->part[i].len : skip;
        uint32_t here = in->part[i].len - out < left ? in->part[i].len - out : left;

        ring_place(&s->rx, at, in->part[i].data + out, here);
        skip -= out;
        at += here;
        left -= here;
    }
    ring_extend(&s->rx, charge);
    udp_mark(u, index, UDP_MARK_IN);
    return PASS;
}
