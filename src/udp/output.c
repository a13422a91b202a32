/* Datagrams on their way out: pulled straight from the send rings, a socket after the other.
 *
 * Knows: the send rings. Not the link or the IP header. Shape: a socket with something to send is
 * on the list of the interface that its first datagram leaves through; once that is sent it goes to
 * the end. Sent bytes stay in the ring's buffer until udp_settle. Units: bytes. Errors: none.
 * Cost: O(1); the checksum, where the link does not complete it, goes over the bytes. */
#include "udp/inner.h"

#include <string.h>

#include "base/sum.h"

#define SUM_AT 6 /* of a UDP header */
#define ICMP_SUM_AT 2

bool udp_first(struct udp_socks *u, int ifindex, struct udp_out *out)
{
    uint32_t index = u->out[ifindex].first;
    uint32_t at = sizeof(struct udp_record), text;
    struct udp_record r;
    struct udp_sock *s;

    if (!index)
        return false;
    s = udp_at(u, index);
    ring_peek(&s->tx, 0, &r, sizeof r);
    *out = (struct udp_out){.local = r.local,
                            .peer = r.peer,
                            .lport = r.lport,
                            .pport = r.pport,
                            .proto = s->proto,
                            .tos = r.tos,
                            .ttl = r.ttl,
                            .is_df = r.is_df,
                            .is_link_mtu = r.is_link_mtu,
                            .options_len = r.options_len};
    if (r.options_len)
        ring_peek(&s->tx, at, out->options, r.options_len);
    at += r.options_len;
    text = r.len;
    if (s->proto != PROTO_UDP) {
        ring_peek(&s->tx, at, out->icmp, UDP_HDR_LEN);
        at += UDP_HDR_LEN;
        text -= UDP_HDR_LEN;
    }
    out->len = UDP_HDR_LEN + text;
    if (text)
        out->texts = (uint8_t)ring_slices(&s->tx, at, text, out->text);
    return true;
}

bool udp_has_output(const struct udp_socks *u, int ifindex)
{
    return u->out[ifindex].first != 0;
}

static uint32_t add_text(uint32_t acc, const struct udp_out *out)
{
    uint32_t at = 0;

    for (int i = 0; i < out->texts; i++) {
        acc = sum_add_at(acc, out->text[i].data, out->text[i].len, at);
        at += out->text[i].len;
    }
    return acc;
}

void udp_out_header(uint8_t hdr[UDP_HDR_LEN], const struct udp_out *out, bool is_partial)
{
    struct udp h = {.sport = out->lport, .dport = out->pport, .len = (uint16_t)out->len};
    uint32_t acc;
    uint16_t sum;

    if (out->proto != PROTO_UDP) {
        memcpy(hdr, out->icmp, UDP_HDR_LEN);
        memset(hdr + ICMP_SUM_AT, 0, 2);
        acc = 0;
        if (out->proto == PROTO_ICMP6)
            acc = pseudo_sum(&out->local, &out->peer, PROTO_ICMP6, out->len);
        sum = sum_finish(add_text(sum_add(acc, hdr, UDP_HDR_LEN), out));
        memcpy(hdr + ICMP_SUM_AT, &sum, sizeof sum);
        return;
    }
    udp_emit(hdr, &h);
    acc = pseudo_sum(&out->local, &out->peer, PROTO_UDP, out->len);
    if (is_partial) {
        sum = sum_fold(acc);
    } else {
        sum = sum_finish(add_text(sum_add(acc, hdr, UDP_HDR_LEN), out));
        if (!sum)
            sum = 0xffff; /* 768: zero would mean that there is none */
    }
    memcpy(hdr + SUM_AT, &sum, sizeof sum);
}

/* Its bytes stay where they are until udp_settle. */
void udp_sent(struct udp_socks *u, int ifindex)
{
    uint32_t index = u->out[ifindex].first;
    struct udp_sock *s = udp_at(u, index);
    struct udp_record r;

    ring_peek(&s->tx, 0, &r, sizeof r);
    ring_consume(&s->tx, udp_record_bytes(&r));
    list_unlink(&u->out[s->out_ifindex], index);
    if (s->tx.len) {
        ring_peek(&s->tx, 0, &r, sizeof r);
        s->out_ifindex = r.ifindex;
        list_append(&u->out[r.ifindex], index);
    } else {
        udp_mark_emptied(u, index);
    }
    if (s->wants_out && s->tx.len < s->sndbuf / 2) {
        s->wants_out = false;
        udp_mark(u, index, UDP_MARK_OUT);
    }
}
