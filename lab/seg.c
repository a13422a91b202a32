/* Reads a frame for people.
 *
 * Knows: wire's structs. Not links or stacks. Shape: pure. Units: bytes.
 * Errors: a header that does not parse leaves what was read before. Cost: O(headers). */
#include "lab/seg.h"

#include <string.h>

#include "wire/wire.h"

#define HEAD_MAX 160 /* link, IP and TCP with all options */
#define ND_LEN 24    /* up to the target */
enum { NEIGHBOUR_ASKS = 135, NEIGHBOUR_ANSWERS = 136 };
#define KEY_PRIME 0x100000001b3u

static void read_tcp(struct lab_seg *s, const uint8_t *p, size_t head, size_t all)
{
    struct tcp_hdr h;
    int len = tcp_parse(&h, p, head < all ? head : all);

    if (len < 0)
        return;
    s->proto = LAB_TCP;
    s->sport = h.sport;
    s->dport = h.dport;
    s->seq = h.seq.v;
    s->ack = h.ack.v;
    s->flags = h.flags;
    s->wnd = h.wnd;
    s->len = (uint32_t)(all - (size_t)len);
    s->opts = h.opt.has;
    s->mss = h.opt.has & TCP_OPT_MSS ? h.opt.mss : 0;
    s->wscale = h.opt.has & TCP_OPT_WSCALE ? h.opt.wscale : 0;
    s->tsval = h.opt.has & TCP_OPT_TS ? h.opt.tsval : 0;
    s->tsecr = h.opt.has & TCP_OPT_TS ? h.opt.tsecr : 0;
    s->sacks = h.opt.has & TCP_OPT_SACK ? h.opt.sacks : 0;
    for (int i = 0; i < s->sacks; i++) {
        s->sack[i][0] = h.opt.sack[i].start.v;
        s->sack[i][1] = h.opt.sack[i].end.v;
    }
    s->accs = h.opt.has & TCP_OPT_ACC ? h.opt.accs : 0;
    s->is_acc_1 = s->accs && h.opt.is_acc_1;
    for (int i = 0; i < s->accs; i++)
        s->acc[i] = h.opt.acc[i];
}

static void read_udp(struct lab_seg *s, const uint8_t *p, size_t n)
{
    struct udp u;

    if (udp_parse(&u, p, n) < 0)
        return;
    s->proto = LAB_UDP;
    s->sport = u.sport;
    s->dport = u.dport;
    s->len = u.len - UDP_LEN;
}

static void read_icmp(struct lab_seg *s, const uint8_t *p, size_t head, size_t all)
{
    if (head < ICMP_LEN)
        return;
    s->proto = LAB_ICMP;
    s->icmp_type = p[0];
    s->icmp_code = p[1];
    s->mtu = (uint16_t)(p[6] << 8 | p[7]);
    s->len = (uint32_t)(all - ICMP_LEN);
    if (s->icmp_type == ICMP4_ECHO || s->icmp_type == ICMP4_ECHO_REPLY)
        s->seq = s->mtu;
}

static void read_ip(struct lab_seg *s, const uint8_t *p, size_t head, size_t all)
{
    struct ip4 h;
    int len = head >= IP4_LEN ? ip4_parse(&h, p, all) : -1;
    size_t l4;

    if (len < 0 || (size_t)len > head)
        return;
    s->src = h.src;
    s->dst = h.dst;
    s->ttl = h.ttl;
    s->id = h.id;
    s->is_df = h.frag & IP4_DF;
    l4 = h.total_len - (size_t)len;
    head -= (size_t)len;
    if (h.proto == PROTO_TCP)
        read_tcp(s, p + len, head, l4);
    else if (h.proto == PROTO_UDP && head >= UDP_LEN)
        read_udp(s, p + len, l4);
    else if (h.proto == PROTO_ICMP)
        read_icmp(s, p + len, head, l4);
}

/* Neighbour discovery asks and answers as ARP does. */
static void read_nd(struct lab_seg *s, const uint8_t *p)
{
    uint32_t target = (uint32_t)p[20] << 24 | p[21] << 16 | p[22] << 8 | p[23];

    s->proto = LAB_ARP;
    s->arp_op = p[0] == NEIGHBOUR_ASKS ? ARP_REQUEST : ARP_REPLY;
    *(p[0] == NEIGHBOUR_ASKS ? &s->dst : &s->src) = target;
}

/* What ICMP would say. */
static void translate(struct lab_seg *s)
{
    static const uint8_t unreach[] = {UNREACH_NET, UNREACH_ADMIN, UNREACH_HOST, UNREACH_HOST,
                                      UNREACH_PORT};
    uint8_t code = s->icmp_code;

    switch (s->icmp_type) {
    case ICMP6_UNREACH:
        s->icmp_type = ICMP4_UNREACH;
        s->icmp_code = code < sizeof unreach ? unreach[code] : UNREACH_ADMIN;
        return;
    case ICMP6_TOO_BIG:
        s->icmp_type = ICMP4_UNREACH;
        s->icmp_code = UNREACH_FRAG;
        return;
    case ICMP6_TIME:
        s->icmp_type = ICMP4_TIME;
        return;
    case ICMP6_PARAM:
        s->icmp_type = ICMP4_PARAM;
        return;
    default:
        break;
    }
    if (s->icmp_type != ICMP6_ECHO && s->icmp_type != ICMP6_ECHO_REPLY)
        return;
    s->icmp_type = s->icmp_type == ICMP6_ECHO ? ICMP4_ECHO : ICMP4_ECHO_REPLY;
    s->seq = s->mtu;
}

static void read_icmp6(struct lab_seg *s, const uint8_t *p, size_t head, size_t all)
{
    if (head >= ND_LEN && (p[0] == NEIGHBOUR_ASKS || p[0] == NEIGHBOUR_ANSWERS)) {
        read_nd(s, p);
        return;
    }
    read_icmp(s, p, head, all);
    translate(s);
}

static void read_ip6(struct lab_seg *s, const uint8_t *p, size_t head, size_t all)
{
    struct ip6_chain c = {.named_at = 6};
    struct ip6 h;
    size_t at, end;

    if (head < IP6_LEN || ip6_parse(&h, p, all) < 0)
        return;
    end = IP6_LEN + (size_t)h.payload_len;
    s->is_v6 = true;
    s->src = weir_addr_to_v4(&h.src);
    s->dst = weir_addr_to_v4(&h.dst);
    s->ttl = h.hop_limit;
    c.proto = h.next;
    if (ip6_walk(&c, p, IP6_LEN, head < end ? head : end) != PASS)
        return;
    at = IP6_LEN + c.len;
    if (c.proto == PROTO_TCP)
        read_tcp(s, p + at, head - at, end - at);
    else if (c.proto == PROTO_UDP && head - at >= UDP_LEN)
        read_udp(s, p + at, end - at);
    else if (c.proto == PROTO_ICMP6)
        read_icmp6(s, p + at, head - at, end - at);
}

static void read_any(struct lab_seg *s, const uint8_t *p, size_t head, size_t all)
{
    if (head && p[0] >> 4 == 6)
        read_ip6(s, p, head, all);
    else
        read_ip(s, p, head, all);
}

/* Headers of what was forwarded may go on in the second part. */
static size_t gather_head(const struct weir_frame *f, uint8_t to[HEAD_MAX])
{
    size_t n = 0;

    for (int i = 0; i < f->parts && n < HEAD_MAX; i++) {
        size_t here = f->part[i].len < HEAD_MAX - n ? f->part[i].len : HEAD_MAX - n;
        memcpy(to + n, f->part[i].data, here);
        n += here;
    }
    return n;
}

void lab_seg_read(struct lab_seg *s, const struct weir_frame *f, enum weir_link_type type)
{
    uint8_t p[HEAD_MAX];
    size_t head = gather_head(f, p), all = weir_frame_len(f);
    struct eth e;
    struct arp arp;

    memset(s, 0, sizeof *s);
    if (type == WEIR_LINK_IP) {
        read_any(s, p, head, all);
        return;
    }
    if (eth_parse(&e, p, head) < 0)
        return;
    if (e.type == ETH_TYPE_IP4 || e.type == ETH_TYPE_IP6)
        read_any(s, p + ETH_LEN, head - ETH_LEN, all - ETH_LEN);
    if (e.type != ETH_TYPE_ARP || arp_parse(&arp, p + ETH_LEN, head - ETH_LEN) < 0)
        return;
    s->proto = LAB_ARP;
    s->arp_op = arp.op;
    s->src = arp.spa;
    s->dst = arp.tpa;
}

uint64_t lab_seg_key(const struct lab_seg *s)
{
    const uint64_t word[] = {(uint64_t)s->src << 32 | s->dst, (uint64_t)s->seq << 32 | s->ack,
                             (uint64_t)s->sport << 48 | (uint64_t)s->dport << 32 | s->len,
                             (uint64_t)s->flags << 56 | (uint64_t)s->proto << 48 |
                                 (uint64_t)s->id << 32 | s->tsval,
                             (uint64_t)s->icmp_type << 32 | (uint64_t)s->mtu << 16 | s->wnd};
    uint64_t key = 0xcbf29ce484222325u;

    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        key = (key ^ word[i]) * KEY_PRIME + (key >> 29);
    return key;
}
