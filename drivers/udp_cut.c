/* Superframes of UDP, which the stack does not take, as the datagrams that they were made of.
 *
 * Knows: where IPv4, IPv6 and UDP have lengths and checksums. Shape: as a card cuts them: each
 * piece but the last carries `size` bytes; its checksum is left as the sum of the pseudo-header.
 * Units: bytes. Errors: false for headers that do not fit. Cost: a copy of the superframe. */
#include "drivers/udp_cut.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define IP_AT 14u
#define UDP_HEADER 8u
#define UDP_SUM_AT 6u
#define PROTO_UDP 17
#define GSO_UDP_L4 5 /* VIRTIO_NET_HDR_GSO_UDP_L4, from Linux 6.2 on */

bool udp_cut_is(const struct virtio_net_hdr *v)
{
    return (v->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN) == GSO_UDP_L4;
}

bool udp_cut_start(struct udp_cut *c, const struct weir_frame *f, const struct virtio_net_hdr *v)
{
    uint32_t len = f->part[0].len, udp_at = v->csum_start;
    uint8_t version = len > IP_AT ? f->part[0].data[IP_AT] >> 4 : 0;

    c->len = 0;
    if (len > sizeof c->bytes || !v->gso_size || udp_at + UDP_HEADER > UDP_CUT_HEAD ||
        udp_at + UDP_HEADER >= len || !(v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
        !(version == 4 ? udp_at >= IP_AT + 20 : version == 6 && udp_at >= IP_AT + 40))
        return false;
    memcpy(c->bytes, f->part[0].data, len);
    c->len = len;
    c->udp_at = udp_at;
    c->size = v->gso_size;
    c->done = c->number = 0;
    return true;
}

static void fix_ip(const struct udp_cut *c, uint8_t *ip, uint32_t len)
{
    uint16_t sum;

    if (ip[0] >> 4 == 6) {
        put16(ip + 4, (uint16_t)(len - IP_AT - 40));
        return;
    }
    put16(ip + 2, (uint16_t)(len - IP_AT));
    put16(ip + 4, (uint16_t)(get16(ip + 4) + c->number));
    memset(ip + 10, 0, 2);
    sum = sum_finish(sum_add(0, ip, c->udp_at - IP_AT));
    memcpy(ip + 10, &sum, 2);
}

static void fix_udp(const struct udp_cut *c, uint8_t *head, uint16_t len)
{
    const uint8_t *ip = head + IP_AT;
    bool is_ip6 = ip[0] >> 4 == 6;
    uint8_t tail[4] = {0, PROTO_UDP, 0, 0};
    uint16_t sum;

    put16(tail + 2, len);
    sum = sum_fold(sum_add(sum_add(0, ip + (is_ip6 ? 8 : 12), is_ip6 ? 32 : 8), tail, sizeof tail));
    put16(head + c->udp_at + 4, len);
    memcpy(head + c->udp_at + UDP_SUM_AT, &sum, 2);
}

bool udp_cut_next(struct udp_cut *c, struct weir_frame *f, int i)
{
    uint32_t head_len = c->udp_at + UDP_HEADER;
    uint32_t left = c->len ? c->len - head_len - c->done : 0, n = left < c->size ? left : c->size;
    uint8_t *head = c->head[i];

    if (!n)
        return false;
    memcpy(head, c->bytes, head_len);
    fix_ip(c, head + IP_AT, head_len + n);
    fix_udp(c, head, (uint16_t)(UDP_HEADER + n));
    *f = (struct weir_frame){.part = {{head, head_len}, {c->bytes + head_len + c->done, n}},
                             .parts = 2,
                             .flags = WEIR_CSUM_PARTIAL,
                             .csum_start = (uint16_t)c->udp_at,
                             .csum_offset = UDP_SUM_AT};
    c->done += n;
    c->number++;
    if (c->done == c->len - head_len)
        c->len = 0;
    return true;
}
