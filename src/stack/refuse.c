/* What a gateway could not bring further: SYNs that it held and datagrams that it took are answered
 * by ICMP errors after all.
 *
 * Knows: how a packet must have looked of which only the ends are known. Shape: its headers are
 * made again, for a quote. Units: bytes. Errors: as weir/socket.h says. Cost: one copy. 792, 4443
 */
#include <errno.h>
#include <string.h>

#include "stack/stack.h"

#define HEAD_MAX (IP6_LEN + UDP_LEN)
_Static_assert(UDP_LEN == 8, "what an error quotes behind the IP header at least: 792");

/* A packet that is refused: its ends, the 8 bytes behind its IP header, and payload. */
struct refused {
    struct weir_addr from, to, by;
    uint8_t proto, type, code;
    uint16_t len; /* of the transport's part */
    uint32_t rest;
    const uint8_t *l4;
    struct weir_slice data;
};

static uint32_t put_header(const struct refused *p, uint8_t *at)
{
    struct ip4 four = {.hdr_len = IP4_LEN,
                       .ttl = 64,
                       .proto = p->proto,
                       .frag = IP4_DF,
                       .total_len = (uint16_t)(IP4_LEN + p->len),
                       .src = weir_addr_to_v4(&p->from),
                       .dst = weir_addr_to_v4(&p->to)};
    struct ip6 six = {
        .next = p->proto, .hop_limit = 64, .payload_len = p->len, .src = p->from, .dst = p->to};

    if (weir_addr_is_v4(&p->from)) {
        ip4_emit(at, &four);
        return IP4_LEN;
    }
    ip6_emit(at, &six);
    return IP6_LEN;
}

static int refuse(struct weir_stack *k, const struct refused *p)
{
    bool is_v4 = weir_addr_is_v4(&p->from);
    struct icmp_offence o = {
        .type = p->type, .code = p->code, .rest = p->rest, .local = p->by, .parts = 2};
    uint8_t head[HEAD_MAX];
    struct route_result r;
    uint32_t n;

    if (is_v4 != weir_addr_is_v4(&p->to) || is_v4 != weir_addr_is_v4(&p->by))
        return -EAFNOSUPPORT;
    if (route_lookup(&k->ip, &p->from, 0, &r) < 0)
        return -ENETUNREACH;
    n = put_header(p, head);
    memcpy(head + n, p->l4, 8);
    o.ifindex = r.ifindex;
    o.iface_flags = iface_at(&k->link, r.ifindex)->flags;
    o.part[0] = (struct weir_slice){head, n + 8};
    o.part[1] = p->data;
    if (is_v4)
        icmp_error_send(&k->ip, &o, k->now_us);
    else
        icmp6_error_send(&k->ip, &o, k->now_us);
    return 0;
}

/* The type and code for an errno; false: there is none. */
static bool name_error(struct refused *p, int error)
{
    bool is_v4 = weir_addr_is_v4(&p->from);

    p->type = is_v4 ? ICMP4_UNREACH : ICMP6_UNREACH;
    switch (error) {
    case ECONNREFUSED:
        p->code = is_v4 ? UNREACH_PORT : UNREACH6_PORT;
        return true;
    case EHOSTUNREACH:
        p->code = is_v4 ? UNREACH_HOST : UNREACH6_ADDR;
        return true;
    case ENETUNREACH:
        p->code = is_v4 ? UNREACH_NET : UNREACH6_ROUTE;
        return true;
    case EACCES:
        p->code = is_v4 ? UNREACH_ADMIN : UNREACH6_ADMIN;
        return true;
    default:
        return false;
    }
}

/* The error quotes the SYN as it must have looked. */
static struct refused refused_syn(const struct flow *f, struct seq isn, uint8_t syn[TCP_HDR_MAX])
{
    struct tcp_hdr t = {.sport = f->rport, .dport = f->lport, .seq = isn, .flags = TCP_SYN};

    tcp_emit(syn, &t);
    return (struct refused){.from = f->remote,
                            .to = f->local,
                            .by = f->local,
                            .proto = PROTO_TCP,
                            .len = TCP_LEN,
                            .l4 = syn};
}

int weir_held_refuse(struct weir_stack *k, uint64_t id, int error)
{
    uint8_t syn[TCP_HDR_MAX];
    struct refused p;
    struct flow f;
    struct seq isn;
    int v;

    stack_settle(k);
    v = tcp_held_refuse(&k->tcp, id, error == ECONNREFUSED, &f, &isn);
    if (v < 0 || error == ECONNREFUSED)
        return v;
    p = refused_syn(&f, isn, syn);
    if (name_error(&p, error))
        (void)refuse(k, &p);
    return 0;
}

static struct refused refused_datagram(const struct weir_sockaddr *from,
                                       const struct weir_sockaddr *to, size_t len,
                                       uint8_t head[UDP_LEN])
{
    struct udp h = {.sport = from->port, .dport = to->port, .len = (uint16_t)(UDP_LEN + len)};

    udp_emit(head, &h);
    return (struct refused){.from = from->addr,
                            .to = to->addr,
                            .by = to->addr,
                            .proto = PROTO_UDP,
                            .len = h.len,
                            .l4 = head};
}

int weir_datagram_refuse(struct weir_stack *k, const struct weir_sockaddr *from,
                         const struct weir_sockaddr *to, int error)
{
    uint8_t head[UDP_LEN];
    struct refused p = refused_datagram(from, to, 0, head);

    stack_settle(k);
    return name_error(&p, error) ? refuse(k, &p) : -EINVAL;
}

int weir_datagram_error(struct weir_stack *k, const struct weir_sockaddr *from,
                        const struct weir_sockaddr *to, const struct weir_icmp_error *error)
{
    uint8_t head[UDP_LEN];
    struct refused p = refused_datagram(from, to, error->len, head);

    stack_settle(k);
    p.by = error->by;
    p.type = error->type;
    p.code = error->code;
    p.rest = error->rest;
    p.data = (struct weir_slice){error->data, (uint32_t)error->len};
    return refuse(k, &p);
}
