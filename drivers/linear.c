/* Frames as one piece of memory: gathering, completing checksums, cutting superframes.
 *
 * Knows: the layout of IPv4, IPv6 and TCP headers, as far as a cut changes them.
 * Shape: every segment but the last carries gso_size bytes; FIN and PSH are for the last, CWR for
 * the first (9293#3.1, 3168#6.1.2). Units: bytes.
 * Errors: what is not plain TCP is not cut. Cost: one copy and one sum over each byte. */
#include "linear.h"

#include <weir/driver.h>

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define IP4_LEN_AT 2
#define IP4_ID_AT 4
#define IP4_FRAG_AT 6
#define IP4_PROTO_AT 9
#define IP4_SUM_AT 10
#define IP4_ADDR_AT 12
#define IP6_HEADER 40
#define IP6_LEN_AT 4
#define IP6_NEXT_AT 6
#define IP6_ADDR_AT 8
#define TCP_HEADER 20
#define TCP_SEQ_AT 4
#define TCP_OFFSET_AT 12
#define TCP_FLAGS_AT 13
#define TCP_SUM_AT 16
#define FLAG_FIN 0x01
#define FLAG_PSH 0x08
#define FLAG_CWR 0x80
#define PROTO_TCP 6

size_t linear_gather(const struct weir_frame *f, uint8_t *to, size_t max)
{
    size_t n = 0;

    if (weir_frame_len(f) > max)
        return 0;
    for (int i = 0; i < f->parts; i++) {
        memcpy(to + n, f->part[i].data, f->part[i].len);
        n += f->part[i].len;
    }
    return n;
}

void linear_complete(uint8_t *bytes, size_t len, const struct weir_frame *f)
{
    size_t start = f->csum_start;
    size_t at = start + f->csum_offset;
    uint16_t sum;

    if (!(f->flags & WEIR_CSUM_PARTIAL) || at + 2 > len)
        return;
    sum = sum_finish(sum_add(0, bytes + start, len - start));
    /* 768: in UDP zero would say "no checksum"; to TCP both zeroes are the same. */
    if (sum == 0)
        sum = 0xffff;
    memcpy(bytes + at, &sum, 2);
}

/* The length of a TCP-bearing IP header, or 0. */
static size_t ip_header_len(const uint8_t *ip, size_t len)
{
    if (len >= IP6_HEADER && ip[0] >> 4 == 6)
        return ip[IP6_NEXT_AT] == PROTO_TCP ? IP6_HEADER : 0;
    if (len < 20 || ip[0] >> 4 != 4 || ip[IP4_PROTO_AT] != PROTO_TCP)
        return 0;
    if (get16(ip + IP4_FRAG_AT) & 0x3fff) /* a fragment's payload is not a TCP segment */
        return 0;
    return (size_t)(ip[0] & 15) * 4;
}

bool linear_cut_start(struct linear_cut *c, const uint8_t *bytes, size_t len, size_t link_len,
                      size_t gso_size)
{
    size_t ip_len;

    if (!gso_size || len <= link_len)
        return false;
    ip_len = ip_header_len(bytes + link_len, len - link_len);
    *c = (struct linear_cut){.bytes = bytes, .len = len, .gso_size = gso_size};
    c->ip_at = link_len;
    c->tcp_at = link_len + ip_len;
    if (ip_len < 20 || c->tcp_at + TCP_HEADER > len)
        return false;
    c->data_at = c->tcp_at + (size_t)(bytes[c->tcp_at + TCP_OFFSET_AT] >> 4) * 4;
    return c->data_at >= c->tcp_at + TCP_HEADER && len > c->data_at + gso_size;
}

static void fix_ip(const struct linear_cut *c, uint8_t *out, size_t len)
{
    uint8_t *ip = out + c->ip_at;
    uint16_t sum;

    if (ip[0] >> 4 == 6) {
        put16(ip + IP6_LEN_AT, (uint16_t)(len - c->tcp_at));
        return;
    }
    put16(ip + IP4_LEN_AT, (uint16_t)(len - c->ip_at));
    put16(ip + IP4_ID_AT, (uint16_t)(get16(ip + IP4_ID_AT) + c->done / c->gso_size));
    memset(ip + IP4_SUM_AT, 0, 2);
    sum = sum_finish(sum_add(0, ip, c->tcp_at - c->ip_at));
    memcpy(ip + IP4_SUM_AT, &sum, 2);
}

static void fix_tcp(const struct linear_cut *c, uint8_t *out, size_t len, bool last)
{
    uint8_t *tcp = out + c->tcp_at;
    const uint8_t *ip = out + c->ip_at;
    bool is_v6 = ip[0] >> 4 == 6;
    uint8_t tail[4] = {0, PROTO_TCP, 0, 0}; /* of the pseudo-header */
    uint32_t acc;
    uint16_t sum;

    put32(tcp + TCP_SEQ_AT, get32(tcp + TCP_SEQ_AT) + (uint32_t)c->done);
    if (!last)
        tcp[TCP_FLAGS_AT] &= (uint8_t) ~(FLAG_FIN | FLAG_PSH);
    if (c->done)
        tcp[TCP_FLAGS_AT] &= (uint8_t)~FLAG_CWR;
    memset(tcp + TCP_SUM_AT, 0, 2);
    put16(tail + 2, (uint16_t)(len - c->tcp_at));
    acc = sum_add(0, ip + (is_v6 ? IP6_ADDR_AT : IP4_ADDR_AT), is_v6 ? 32 : 8);
    acc = sum_add(acc, tail, sizeof tail);
    sum = sum_finish(sum_add(acc, tcp, len - c->tcp_at));
    memcpy(tcp + TCP_SUM_AT, &sum, 2);
}

size_t linear_cut_next(struct linear_cut *c, uint8_t *out)
{
    size_t left = c->len - c->data_at - c->done;
    size_t n = left < c->gso_size ? left : c->gso_size;

    if (!n)
        return 0;
    memcpy(out, c->bytes, c->data_at);
    memcpy(out + c->data_at, c->bytes + c->data_at + c->done, n);
    fix_ip(c, out, c->data_at + n);
    fix_tcp(c, out, c->data_at + n, n == left);
    c->done += n;
    return c->data_at + n;
}

size_t weir_frame_copy(const struct weir_frame *frame, uint8_t *to, size_t max)
{
    size_t len = linear_gather(frame, to, max);

    if (len)
        linear_complete(to, len, frame);
    return len;
}
