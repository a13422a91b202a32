/* The way of datagrams out, UDP's and ICMP's: whole where they fit the path, else in fragments.
 * Here and nowhere else they are cut. 791#3.2, 1122#3.3.3, 6864.
 *
 * Knows: the queues of datagrams, path MTUs. Not what they say. Shape: a datagram stays first in
 * its queue until its last piece left, in a later burst if need be; `cut` remembers how far it is.
 * Its checksum goes over the whole, once. Units: bytes. Errors: ip_too_big for what may not be cut.
 * Cost: O(1) for each piece, and a pass over the payload where the link computes no checksum. */
#include <string.h>

#include "stack/burst.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_COPIED = 0x80 };

/* The bytes of a path: what is known of it, or what its first link takes. */
static uint32_t mtu_of(const struct burst *b, const struct packet *p, bool is_link_mtu)
{
    if (is_link_mtu)
        return b->iface->mtu;
    return pmtu_of(&b->k->ip, &p->dst, b->iface->mtu, b->k->now_us);
}

/* `n` bytes of text from `off` on, as slices. */
static uint8_t text_at(const struct packet *p, uint32_t off, uint32_t n, struct ring_slice out[2])
{
    uint8_t slices = 0;

    for (int i = 0; i < p->texts && n; i++) {
        uint32_t have = p->text[i].len, take;
        if (off >= have) {
            off -= have;
            continue;
        }
        take = have - off < n ? have - off : n;
        out[slices++] = (struct ring_slice){p->text[i].data + off, take};
        n -= take;
        off = 0;
    }
    return slices;
}

/* The datagram's bytes [off, off + n), its transport header counted. */
static void send_piece(struct burst *b, const struct packet *p, const struct cut *cut, uint32_t n)
{
    uint32_t whole = p->l4_head + p->text_len;
    uint32_t head = cut->off ? 0 : p->l4_head;
    struct packet piece = *p;
    uint8_t header[IP6_FRAG_LEN];

    piece.id = cut->id;
    piece.l4_head = head;
    if (p->is_v6) {
        piece.frag = (uint16_t)(cut->off | (cut->off + n < whole ? IP6_FRAG_MORE : 0));
        ip6_frag_emit(header, p->proto, piece.frag, cut->id);
        piece.options = header;
        piece.options_len = IP6_FRAG_LEN;
        piece.options_type = NEXT_FRAGMENT;
        piece.ip_len = IP6_LEN + IP6_FRAG_LEN;
        memmove(l4_of(b, piece.ip_len), l4_of(b, p->ip_len), head);
    } else {
        piece.frag = (uint16_t)(p->frag + cut->off / 8);
        if (cut->off + n < whole)
            piece.frag |= IP4_MF;
    }
    piece.text_len = n - head;
    piece.texts = text_at(p, cut->off + head - p->l4_head, piece.text_len, piece.text);
    burst_send(b, &piece);
    *(p->is_v6 ? &b->k->stats.Ip6FragCreates : &b->k->stats.IpFragCreates) += 1;
}

/* 791#3.1: options without the copied flag are in the first fragment only; NOPs take their place.
 */
static void keep_copied(uint8_t *o, uint32_t n)
{
    for (uint32_t at = 0, len; at < n && o[at] != OPTION_END; at += len) {
        len = o[at] == OPTION_NOP || at + 1 == n || o[at + 1] < 2 ? 1 : o[at + 1];
        if (o[at] != OPTION_NOP && !(o[at] & OPTION_COPIED))
            memset(o + at, OPTION_NOP, len < n - at ? len : n - at);
    }
}

/* 7739: nobody can foresee that of IPv6. */
static uint32_t id_of(struct burst *b, const struct packet *p)
{
    if (p->is_transit)
        return p->id;
    if (p->is_v6)
        return (uint32_t)rng_u64(&b->k->ip.rng);
    return ip_next_id(&b->k->ip, &p->src, &p->dst, p->proto, false);
}

/* True: all of it left, or can not. False: the burst is full. */
static bool send_pieces(struct burst *b, const struct packet *p, struct cut *cut, uint32_t mtu)
{
    uint32_t whole = p->l4_head + p->text_len;
    uint32_t step = (mtu - p->ip_len - (p->is_v6 ? IP6_FRAG_LEN : 0)) & ~7u;

    if (!cut->off)
        cut->id = id_of(b, p);
    while (cut->off < whole) {
        uint32_t n = whole - cut->off < step ? whole - cut->off : step;

        if (b->n >= b->max)
            return false;
        if (cut->off && !p->is_v6)
            keep_copied(p->options, p->options_len);
        send_piece(b, p, cut, n);
        cut->off += n;
    }
    cut->off = 0;
    *(p->is_v6 ? &b->k->stats.Ip6FragOKs : &b->k->stats.IpFragOKs) += 1;
    return true;
}

static bool send_datagram(struct burst *b, const struct packet *p, struct cut *cut, uint32_t mtu)
{
    if (!cut->off && p->ip_len + p->l4_head + p->text_len <= mtu) {
        burst_send(b, p);
        return true;
    }
    if (p->is_df || p->frag & IP4_DF) { /* the path shrank since it was sent */
        *(p->is_v6 ? &b->k->stats.Ip6FragFails : &b->k->stats.IpFragFails) += 1;
        burst_drop(b, DROP_ip_too_big);
        return true;
    }
    return send_pieces(b, p, cut, mtu);
}

/* -- ICMP -------------------------------------------------------------------------------------- */

static void count_icmp(struct weir_stack *k, bool is_v6, uint8_t type)
{
    if (is_v6) {
        k->stats.Icmp6OutMsgs++;
        stats_icmp6(&k->stats, type, true);
        return;
    }
    k->stats.IcmpOutMsgs++;
    stats_icmp(&k->stats, type, true);
}

void burst_icmp(struct burst *b)
{
    struct cut *cut = &b->k->cut[CUT_ICMP][b->ifindex];
    struct icmp_out o;

    while (b->n < b->max && icmp_first(&b->k->ip, b->ifindex, &o)) {
        struct packet p = {.src = o.src,
                           .dst = o.dst,
                           .is_v6 = is_v6(&o.dst),
                           .ip_len = ip_len_of(&o.dst),
                           .proto = is_v6(&o.dst) ? PROTO_ICMP6 : PROTO_ICMP,
                           .tos = o.tos,
                           .ttl = o.ttl,
                           .l4_head = ICMP_LEN,
                           .texts = o.texts,
                           .text_len = o.len - ICMP_LEN};
        memcpy(p.text, o.text, sizeof p.text);
        memcpy(l4_of(b, p.ip_len), o.hdr, ICMP_LEN);
        if (!send_datagram(b, &p, cut, mtu_of(b, &p, false)))
            return;
        count_icmp(b->k, p.is_v6, o.hdr[0]);
        icmp_sent(&b->k->ip, b->ifindex);
    }
}

/* -- IGMP -------------------------------------------------------------------------------------- */

/* 3376#4: TTL 1, internetwork control, router alert. */
void burst_igmp(struct burst *b)
{
    struct weir_stack *k = b->k;
    uint8_t alert[4] = {0x94, 4, 0, 0};
    struct igmp_out o;

    while (b->n < b->max && igmp_pull(&k->ip.members, &k->ip.rng, b->ifindex, &o, k->now_us)) {
        struct packet p = {.dst = o.dst,
                           .proto = PROTO_IGMP,
                           .tos = 0xc0,
                           .ttl = 1,
                           .is_df = true,
                           .options = alert,
                           .options_len = sizeof alert,
                           .ip_len = IP4_LEN + sizeof alert,
                           .l4_head = o.len,
                           .next_hop = &o.dst};

        p.src = weir_addr_v4(0);
        iface_source_for(&k->link, b->ifindex, &o.dst, &p.src);
        memcpy(l4_of(b, p.ip_len), o.bytes, o.len);
        burst_send(b, &p);
    }
}

/* 3810#5: hop limit 1, a router alert; from nobody while there is no link-local address (5.2.13).
 */
void burst_mld(struct burst *b)
{
    struct weir_stack *k = b->k;
    uint8_t alert[8] = {0, 0, 5, 2, 0, 0, 1, 0};
    struct igmp_out o;

    while (b->n < b->max && mld_pull(&k->ip.members, &k->ip.rng, b->ifindex, &o, k->now_us)) {
        struct packet p = {.dst = o.dst,
                           .is_v6 = true,
                           .proto = PROTO_ICMP6,
                           .ttl = 1,
                           .options = alert,
                           .options_len = sizeof alert,
                           .options_type = NEXT_HOP_BY_HOP,
                           .ip_len = IP6_LEN + sizeof alert,
                           .l4_head = o.len,
                           .next_hop = &o.dst};

        iface_link_local(&k->link, b->ifindex, &p.src);
        icmp6_seal(o.bytes, o.len, &p.src, &p.dst);
        memcpy(l4_of(b, p.ip_len), o.bytes, o.len);
        count_icmp(k, true, o.bytes[0]);
        burst_send(b, &p);
    }
}

/* -- UDP --------------------------------------------------------------------------------------- */

/* The link sums over a datagram only if it gets it whole. */
static bool may_link_sum(const struct burst *b, const struct udp_out *o, uint32_t mtu)
{
    return o->proto == PROTO_UDP && b->iface->flags & WEIR_IF_CSUM_TX &&
           ip_len_of(&o->peer) + o->options_len + o->len <= mtu;
}

void burst_udp(struct burst *b, int max)
{
    struct cut *cut = &b->k->cut[CUT_UDP][b->ifindex];
    struct udp_out o;
    int most = b->max;

    b->max = max;
    while (b->n < max && udp_first(&b->k->udp, b->ifindex, &o)) {
        struct packet p = {.src = o.local,
                           .dst = o.peer,
                           .is_v6 = is_v6(&o.peer),
                           .ip_len = (uint8_t)(ip_len_of(&o.peer) + o.options_len),
                           .options = o.options,
                           .options_len = o.options_len,
                           .proto = o.proto,
                           .tos = o.tos,
                           .ttl = o.ttl,
                           .is_df = o.is_df,
                           .l4_head = UDP_HDR_LEN,
                           .texts = o.texts,
                           .text_len = o.len - UDP_HDR_LEN};
        uint32_t mtu = mtu_of(b, &p, o.is_link_mtu);

        memcpy(p.text, o.text, sizeof p.text);
        p.is_partial = may_link_sum(b, &o, mtu);
        p.sum_offset = 6;
        if (!cut->off)
            udp_out_header(l4_of(b, p.ip_len), &o, p.is_partial);
        if (!send_datagram(b, &p, cut, mtu))
            break;
        if (o.proto == PROTO_UDP)
            b->k->stats.UdpOutDatagrams++;
        else
            count_icmp(b->k, p.is_v6, o.icmp[0]);
        udp_sent(&b->k->udp, b->ifindex);
    }
    b->max = most;
}

/* -- packets for others ------------------------------------------------------------------------ */

static struct packet packet4_of(const struct transit_out *o)
{
    return (struct packet){.src = weir_addr_v4(o->ip.src),
                           .dst = weir_addr_v4(o->ip.dst),
                           .proto = o->ip.proto,
                           .tos = o->ip.tos,
                           .ttl = o->ip.ttl,
                           .id = o->ip.id,
                           .frag = o->ip.frag,
                           .options_len = o->options_len,
                           .ip_len = IP4_LEN + o->options_len};
}

/* `is_df`: an MTU that shrank since it came is found out here, and nothing is cut on the way. */
static struct packet packet6_of(const struct transit_out *o)
{
    return (struct packet){.src = o->ip6.src,
                           .dst = o->ip6.dst,
                           .is_v6 = true,
                           .is_df = true,
                           .proto = o->ip6.next,
                           .tos = o->ip6.tclass,
                           .ttl = o->ip6.hop_limit,
                           .label = o->ip6.flow,
                           .ip_len = IP6_LEN};
}

void burst_transit(struct burst *b)
{
    struct cut *cut = &b->k->cut[CUT_TRANSIT][b->ifindex];
    struct transit_out o;

    while (b->n < b->max && transit_first(&b->k->ip, b->ifindex, &o)) {
        struct packet p = o.is_v6 ? packet6_of(&o) : packet4_of(&o);

        p.is_transit = true;
        p.options = o.options;
        p.next_hop = &o.next_hop;
        p.texts = o.texts;
        p.text_len = o.len;
        memcpy(p.text, o.text, sizeof p.text);
        if (!send_datagram(b, &p, cut, b->iface->mtu))
            return;
        transit_sent(&b->k->ip, b->ifindex);
    }
}
