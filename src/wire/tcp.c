/* TCP headers, RFC 9293 section 3.1.
 *
 * Knows: bytes, and that options follow. Not connections; the checksum is judged where the
 * addresses are known. Shape: 20 bytes and up to 40 bytes of options. Units: bytes.
 * Errors: tcp_short, tcp_offset; a malformed option list is TCP_OPT_BAD.
 * Cost: one header; the common list (nop, nop, timestamps) is read without a walk. */
#include "wire/wire.h"

#include "base/bytes.h"
#include "wire/tcpopt.h"

int tcp_parse(struct tcp_hdr *out, const uint8_t *p, size_t n)
{
    size_t hdr_len;

    if (n < TCP_LEN)
        return -DROP_tcp_short;
    hdr_len = (size_t)(p[12] >> 4) * 4;
    if (hdr_len < TCP_LEN || hdr_len > n)
        return -DROP_tcp_offset;
    out->sport = get16(p);
    out->dport = get16(p + 2);
    out->seq = seq_of(get32(p + 4));
    out->ack = seq_of(get32(p + 8));
    out->hdr_len = (uint8_t)hdr_len;
    out->ae = p[12] & 1;
    out->flags = p[13];
    out->wnd = get16(p + 14);
    out->urg = get16(p + 18);
    tcpopt_parse(&out->opt, p + TCP_LEN, hdr_len - TCP_LEN);
    return (int)hdr_len;
}

size_t tcp_emit(uint8_t *p, const struct tcp_hdr *h)
{
    size_t hdr_len = TCP_LEN + tcpopt_emit(p + TCP_LEN, &h->opt);

    put16(p, h->sport);
    put16(p + 2, h->dport);
    put32(p + 4, h->seq.v);
    put32(p + 8, h->ack.v);
    p[12] = (uint8_t)(hdr_len << 2 | h->ae);
    p[13] = h->flags;
    put16(p + 14, h->wnd);
    put16(p + 16, 0);
    put16(p + 18, h->urg);
    return hdr_len;
}
