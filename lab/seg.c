/* Reads a frame for people.
 *
 * Knows: wire's structs. Not links or stacks. Shape: pure. Units: bytes.
 * Errors: a header that does not parse leaves what was read before. Cost: O(headers). */
#include "lab/seg.h"

#include <string.h>

#include "wire/wire.h"

#define HEAD_MAX 160 /* link, IP and TCP with all options */
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
        read_ip(s, p, head, all);
        return;
    }
    if (eth_parse(&e, p, head) < 0)
        return;
    if (e.type == ETH_TYPE_IP4)
        read_ip(s, p + ETH_LEN, head - ETH_LEN, all - ETH_LEN);
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
