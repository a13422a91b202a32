/* What attacks share. See siege.h.
 *
 * Knows: the public interface and the wire. Not which attack runs. Shape: the honest peer is
 * fd00::2 and 10.0.0.2, its ports are new each time. Units: bytes. Errors: a failure ends the test.
 * Cost: none that matters. */
#include "siege.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/sum.h"

#define LONGEST_US 61000000 /* what is begun and not finished is forgotten by then */

struct weir_addr siege_addr(bool is_v6, uint32_t host)
{
    struct weir_addr a = weir_addr_v4(host);

    if (!is_v6)
        return a;
    if (host >> 24 == 127)
        return addr6("::1");
    a = host >> 24 >= 224 ? addr6("ff02::1") : addr6("fd00::");
    if (host >> 24 < 224)
        put32(a.b + 12, host & 0x00ffffff);
    return a;
}

static struct weir_addr src_of(const struct siege_packet *s)
{
    return siege_addr(s->is_v6, s->src ? s->src : THEM);
}

static struct weir_addr dst_of(const struct siege_packet *s)
{
    return siege_addr(s->is_v6, s->dst ? s->dst : US);
}

void siege_seal(uint8_t *p, uint32_t len, const struct siege_packet *s)
{
    struct weir_addr src = src_of(s), dst = dst_of(s);
    uint32_t at = s->proto == PROTO_TCP ? 16 : s->proto == PROTO_UDP ? 6 : 2;
    uint8_t proto = s->proto == PROTO_ICMP && s->is_v6 ? PROTO_ICMP6 : s->proto;
    uint32_t acc = s->proto == PROTO_ICMP && !s->is_v6 ? 0 : pseudo_sum(&src, &dst, proto, len);
    uint16_t sum;

    if (len < at + 2)
        return;
    put16(p + at, 0);
    sum = sum_finish(sum_add(acc, p, len));
    memcpy(p + at, &sum, sizeof sum);
}

uint32_t siege_udp(uint8_t *p, const struct siege_packet *s, const struct udp_spec *udp)
{
    struct siege_packet as = *s;
    uint32_t n = build_udp(p, udp);

    as.proto = PROTO_UDP;
    siege_seal(p, n, &as);
    return n;
}

uint32_t siege_echo(uint8_t *p, const struct siege_packet *s, uint32_t len)
{
    struct siege_packet as = *s;
    uint32_t n = build_icmp(p, s->is_v6 ? ICMP6_ECHO : ICMP4_ECHO, 0, 0x00070001, len);

    as.proto = PROTO_ICMP;
    siege_seal(p, n, &as);
    return n;
}

uint32_t siege_tcp(uint8_t *p, const struct siege_packet *s, const struct tcp_hdr *h)
{
    struct siege_packet as = *s;
    uint32_t n = (uint32_t)tcp_emit(p, h);

    as.proto = PROTO_TCP;
    siege_seal(p, n, &as);
    return n;
}

const char *siege_put(struct siege *s, const struct siege_packet *p)
{
    static uint8_t bytes[IP6_LEN + IP6_FRAG_LEN + DATAGRAM_MAX];
    uint8_t proto = p->proto == PROTO_ICMP ? PROTO_ICMP6 : p->proto;
    uint32_t at = IP6_LEN;
    struct ip6 h = {.hop_limit = 64, .next = proto, .src = src_of(p), .dst = dst_of(p)};

    if (!p->is_v6)
        return put(s->f, .src = p->src, .dst = p->dst, .proto = p->proto, .id = (uint16_t)p->id,
                   .frag = (uint16_t)(p->start / 8 | (p->has_more ? IP4_MF : 0)), .l4 = p->l4,
                   .len = p->len);
    if (p->is_piece) {
        h.next = NEXT_FRAGMENT;
        at += (uint32_t)ip6_frag_emit(
            bytes + at, proto, (uint16_t)(p->start | (p->has_more ? IP6_FRAG_MORE : 0)), p->id);
    }
    h.payload_len = (uint16_t)(at - IP6_LEN + p->len);
    ip6_emit(bytes, &h);
    if (p->len)
        memcpy(bytes + at, p->l4, p->len);
    return put_frame(s->f, bytes, at + p->len);
}

/* -- the honest peer --------------------------------------------------------------------------- */

struct siege siege_begin(const struct frames_config *c)
{
    struct siege s = {.f = frames_begin(c)};
    struct weir_sockaddr at = {.port = SIEGE_LISTENER};

    s.udp = udp6_socket(s.f, SIEGE_PORT);
    s.listener = weir_socket(s.f->stack, AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(s.f->stack, s.listener, &at), 0);
    assert_int_equal(weir_listen(s.f->stack, s.listener, 8), 0);
    siege_serves(&s);
    s.held = s.f->bytes;
    return s;
}

int siege_forget(struct siege *s)
{
    int n = 0;

    while (take(s->f))
        n++;
    return n;
}

int siege_read(struct siege *s, uint8_t *text, uint32_t size)
{
    return (int)weir_recv(s->f->stack, s->udp, text, size, 0);
}

bool siege_is(const char *verdict, const char *drop)
{
    return verdict && strcmp(verdict, drop) == 0;
}

static void expect_syn_ack(struct siege *s, const struct siege_packet *p, uint16_t port)
{
    struct tcp_hdr syn = {.sport = port, .dport = SIEGE_LISTENER, .flags = TCP_SYN, .wnd = 1000};
    struct tcp_hdr rst = {.sport = port, .dport = SIEGE_LISTENER, .flags = TCP_RST};
    struct siege_packet segment = *p;
    struct tcp_hdr got;
    uint8_t bytes[64];
    struct taken *t;

    segment.proto = PROTO_TCP;
    segment.l4 = bytes;
    segment.len = siege_tcp(bytes, p, &syn);
    assert_null(siege_put(s, &segment));
    assert_non_null(t = take(s->f));
    assert_true(tcp_parse(&got, t->l4, t->l4_len) > 0);
    assert_int_equal(got.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(got.dport, port);
    rst.seq = seq_of(1);
    segment.len = siege_tcp(bytes, p, &rst);
    assert_null(siege_put(s, &segment));
}

void siege_serves(struct siege *s)
{
    static uint16_t port = 20000;
    uint8_t bytes[200], text[200];
    struct udp_spec udp = {.sport = 9, .dport = SIEGE_PORT, .len = 100};
    struct taken *t;

    while (siege_read(s, text, sizeof text) >= 0)
        ;
    siege_forget(s);
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege_packet p = {.is_v6 = is_v6, .l4 = bytes, .proto = PROTO_UDP};

        p.len = siege_udp(bytes, &p, &udp);
        assert_null(siege_put(s, &p));
        assert_int_equal(siege_read(s, text, sizeof text), 100);
        assert_true(is_pattern(text, 100));
        p.proto = PROTO_ICMP;
        p.len = siege_echo(bytes, &p, 56);
        assert_null(siege_put(s, &p));
        assert_non_null(t = take(s->f));
        assert_int_equal(t->l4[0], is_v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);
        expect_syn_ack(s, &p, ++port);
        assert_null(take(s->f));
    }
}

void siege_end(struct siege *s)
{
    siege_serves(s);
    frames_advance(s->f, LONGEST_US);
    siege_forget(s);
    frames_end(s->f);
}
