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

    piece.id = cut->id;
    piece.frag = (uint16_t)(p->frag + cut->off / 8);
    if (cut->off + n < whole)
        piece.frag |= IP4_MF;
    piece.l4_head = head;
    piece.text_len = n - head;
    piece.texts = text_at(p, cut->off + head - p->l4_head, piece.text_len, piece.text);
    burst_send(b, &piece);
    b->k->stats.IpFragCreates++;
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

/* True: all of it left, or can not. False: the burst is full. */
static bool send_pieces(struct burst *b, const struct packet *p, struct cut *cut, uint32_t mtu)
{
    uint32_t whole = p->l4_head + p->text_len, step = (mtu - IP4_LEN - p->options_len) & ~7u;

    if (p->is_transit)
        cut->id = p->id;
    else if (!cut->off)
        cut->id = ip_next_id(&b->k->ip, &p->src, &p->dst, p->proto, false);
    while (cut->off < whole) {
        uint32_t n = whole - cut->off < step ? whole - cut->off : step;

        if (b->n >= b->max)
            return false;
        if (cut->off)
            keep_copied(p->options, p->options_len);
        send_piece(b, p, cut, n);
        cut->off += n;
    }
    cut->off = 0;
    b->k->stats.IpFragOKs++;
    return true;
}

static bool send_datagram(struct burst *b, const struct packet *p, struct cut *cut, uint32_t mtu)
{
    if (!cut->off && IP4_LEN + p->options_len + p->l4_head + p->text_len <= mtu) {
        burst_send(b, p);
        return true;
    }
    if (p->is_df || p->frag & IP4_DF) { /* the path shrank since it was sent */
        b->k->stats.IpFragFails++;
        burst_drop(b, DROP_ip_too_big);
        return true;
    }
    return send_pieces(b, p, cut, mtu);
}

/* -- ICMP -------------------------------------------------------------------------------------- */

static void count_icmp(struct weir_stack *k, uint8_t type)
{
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
                           .proto = PROTO_ICMP,
                           .tos = o.tos,
                           .ttl = o.ttl,
                           .l4_head = ICMP_LEN,
                           .texts = o.texts,
                           .text_len = o.len - ICMP_LEN};
        memcpy(p.text, o.text, sizeof p.text);
        memcpy(l4_of(b), o.hdr, ICMP_LEN);
        if (!send_datagram(b, &p, cut, mtu_of(b, &p, false)))
            return;
        count_icmp(b->k, o.hdr[0]);
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

    while (b->n < b->max && igmp_pull(&k->ip.igmp, &k->ip.rng, b->ifindex, &o, k->now_us)) {
        struct packet p = {.dst = o.dst,
                           .proto = PROTO_IGMP,
                           .tos = 0xc0,
                           .ttl = 1,
                           .is_df = true,
                           .options = alert,
                           .options_len = sizeof alert,
                           .l4_head = o.len,
                           .next_hop = &o.dst};

        p.src = weir_addr_v4(0);
        iface_source_for(&k->link, b->ifindex, &o.dst, &p.src);
        memcpy(l4_of(b) + sizeof alert, o.bytes, o.len);
        burst_send(b, &p);
    }
}

/* -- UDP --------------------------------------------------------------------------------------- */

/* The link sums over a datagram only if it gets it whole. */
static bool may_link_sum(const struct burst *b, const struct udp_out *o, uint32_t mtu)
{
    return o->proto == PROTO_UDP && b->iface->flags & WEIR_IF_CSUM_TX && IP4_LEN + o->len <= mtu;
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
            udp_out_header(l4_of(b), &o, p.is_partial);
        if (!send_datagram(b, &p, cut, mtu))
            break;
        if (o.proto == PROTO_UDP)
            b->k->stats.UdpOutDatagrams++;
        else
            count_icmp(b->k, o.icmp[0]);
        udp_sent(&b->k->udp, b->ifindex);
    }
    b->max = most;
}

/* -- packets for others ------------------------------------------------------------------------ */

void burst_transit(struct burst *b)
{
    struct cut *cut = &b->k->cut[CUT_TRANSIT][b->ifindex];
    struct transit_out o;

    while (b->n < b->max && transit_first(&b->k->ip, b->ifindex, &o)) {
        struct packet p = {.src = weir_addr_v4(o.ip.src),
                           .dst = weir_addr_v4(o.ip.dst),
                           .proto = o.ip.proto,
                           .tos = o.ip.tos,
                           .ttl = o.ip.ttl,
                           .id = o.ip.id,
                           .frag = o.ip.frag,
                           .is_transit = true,
                           .options = o.options,
                           .options_len = o.options_len,
                           .next_hop = &o.next_hop,
                           .texts = o.texts,
                           .text_len = o.len};
        memcpy(p.text, o.text, sizeof p.text);
        if (!send_datagram(b, &p, cut, b->iface->mtu))
            return;
        transit_sent(&b->k->ip, b->ifindex);
    }
}
