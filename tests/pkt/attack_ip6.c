/* Attacks on what reads IPv6, numbered as in docs/attacks.md: chains of headers, lengths that wrap,
 * fragments in fragments, and each packet cut at each of its bytes. 8200, 8504, 4443, 4861. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "siege.h"
#include "unit.h"

static uint8_t bytes[4096], text[4096];

static uint32_t datagram(uint8_t *p, uint32_t len)
{
    struct udp_spec udp = {.sport = 9, .dport = SIEGE_PORT, .len = len};

    return build_udp6(p, &udp, NULL, NULL);
}

/* A header of each length, with the datagram behind it where it ends: read if that is inside. */
TEST(attack_86_lengths_of_headers)
{
    static const uint8_t kinds[] = {NEXT_HOP_BY_HOP, NEXT_ROUTING, NEXT_OPTS};
    struct siege s = siege_of(.mtu = 1500);
    uint32_t payload = 1400;

    for (size_t i = 0; i < sizeof kinds; i++) {
        for (uint32_t len = 0; len < 256; len++) {
            uint32_t at = 8 + 8 * len;
            const char *v;

            memset(bytes, 0, sizeof bytes);
            bytes[0] = PROTO_UDP;
            bytes[1] = (uint8_t)len;
            datagram(bytes + at, 20);
            v = put6(s.f, .proto = kinds[i], .l4 = bytes,
                     .len = at + 28 < payload ? at + 28 : payload);
            assert_int_equal(v == NULL, at + 28 <= payload);
            assert_int_equal(siege_read(&s, text, sizeof text), v ? -EAGAIN : 20);
            siege_forget(&s);
        }
    }
    siege_end(&s);
}

/* Up to eight headers are read, and up to eight options in one; what has more is dropped unread and
 * in silence, however long it goes on. */
TEST(attack_86_a_hundred_headers)
{
    struct siege s = siege_of(.mtu = 1500);

    for (uint32_t n = 1; n <= 100; n++) {
        memset(bytes, 0, sizeof bytes);
        for (uint32_t k = 0; k < n; k++)
            bytes[8 * k] = k + 1 < n ? NEXT_OPTS : PROTO_UDP;
        datagram(bytes + 8 * n, 20);
        if (n <= 8) {
            assert_null(put6(s.f, .proto = NEXT_OPTS, .l4 = bytes, .len = 8 * n + 28));
            assert_int_equal(siege_read(&s, text, sizeof text), 20);
        } else {
            assert_string_equal(put6(s.f, .proto = NEXT_OPTS, .l4 = bytes, .len = 8 * n + 28),
                                "ip6_header");
        }
    }
    for (uint32_t n = 1; n <= 100; n++) {
        uint32_t len = 2 + 2 * n <= 8 ? 8 : (2 + 2 * n + 7) / 8 * 8;
        const char *v;

        memset(bytes, 0, sizeof bytes);
        bytes[0] = PROTO_UDP;
        bytes[1] = (uint8_t)(len / 8 - 1);
        for (uint32_t k = 0; k < n; k++)
            bytes[2 + 2 * k] = 0x1e; /* unknown, to be passed over */
        datagram(bytes + len, 20);
        v = put6(s.f, .proto = NEXT_OPTS, .l4 = bytes, .len = len + 28);
        assert_int_equal(v == NULL, n <= 8);
        assert_int_equal(siege_read(&s, text, sizeof text), v ? -EAGAIN : 20);
    }
    assert_int_equal(siege_forget(&s), 0);
    siege_end(&s);
}

/* A jumbogram's option, a length of nothing, and lengths that come to more than 65,535. */
TEST(attack_87_lengths_that_wrap)
{
    struct siege s = siege_of(.mtu = 65535);
    static uint8_t packet[IP6_LEN + DATAGRAM_MAX];
    uint8_t jumbo[8] = {PROTO_UDP, 0, 0xc2, 4, 0, 1, 0, 0};
    uint32_t n;

    assert_string_equal(put6(s.f, .proto = NEXT_HOP_BY_HOP, .l4 = jumbo, .len = 8), "ip6_option");
    siege_forget(&s);
    n = build_quote6(packet, &(struct packet6_spec){
                                 .proto = PROTO_UDP, .l4 = bytes, .len = datagram(bytes, 20)});
    for (uint32_t says = 0; says < 65536; says++) {
        const char *v;

        put16(packet + 4, (uint16_t)says);
        v = put_frame(s.f, packet, n);
        assert_int_equal(v == NULL, IP6_LEN + says == n);
        assert_true(IP6_LEN + says <= n || siege_is(v, "ip_total_len"));
    }
    assert_int_equal(siege_read(&s, text, sizeof text), 20);
    assert_int_equal(siege_read(&s, text, sizeof text), -EAGAIN);
    siege_end(&s);
}

/* A fragment header behind a fragment header, in one packet or in what was put together. */
TEST(attack_87_fragments_in_fragments)
{
    struct siege s = siege_of(.mtu = 1500);

    for (uint32_t i = 0; i < 4; i++) {
        bool is_outer_whole = i & 1, is_inner_whole = i & 2;
        uint16_t more = is_outer_whole ? 0 : IP6_FRAG_MORE;
        uint32_t n = 2 * IP6_FRAG_LEN;
        const char *v;

        ip6_frag_emit(bytes, NEXT_FRAGMENT, more, i);
        ip6_frag_emit(bytes + 8, PROTO_UDP, is_inner_whole ? 0 : IP6_FRAG_MORE, 100 + i);
        n += datagram(bytes + n, 20);
        v = put6(s.f, .proto = NEXT_FRAGMENT, .l4 = bytes, .len = is_outer_whole ? n : 32);
        if (!is_outer_whole && siege_is(v, "kept")) {
            memmove(bytes + 8, bytes + 32, n - 32);
            ip6_frag_emit(bytes, NEXT_FRAGMENT, 24, i);
            v = put6(s.f, .proto = NEXT_FRAGMENT, .l4 = bytes, .len = n - 24);
        }
        assert_string_equal(v, "ip6_header");
        assert_int_equal(siege_read(&s, text, sizeof text), -EAGAIN);
        siege_forget(&s);
    }
    siege_end(&s);
}

/* -- cut at each byte -------------------------------------------------------------------------- */

struct sample {
    uint8_t proto;   /* behind the IPv6 header */
    uint8_t message; /* where the ICMPv6 message begins behind it, if it is one */
    uint8_t hops;
    const char *src, *dst; /* NULL: THEM6, US6 */
    uint8_t bytes[120];
    uint32_t len;
};

#define LINK "fe80::2"
#define PREFIX                                                                                   \
    3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 7, 8, 0, 0, 0, 0, 0xfd, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, \
        0, 0, 0, 0
#define ADDRESS 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1

static const struct sample samples[] = {
    {PROTO_ICMP6, 0, 255, LINK, NULL, {128, 0, 0, 0, 0, 7, 0, 1, 'w', 'e', 'i', 'r'}, 12},
    {PROTO_ICMP6,
     0,
     255,
     LINK,
     NULL,
     {135, 0, 0, 0, 0, 0, 0, 0, ADDRESS, 1, 1, 2, 0, 0, 0, 0, 2},
     32},
    {PROTO_ICMP6,
     0,
     255,
     LINK,
     NULL,
     {136, 0, 0, 0, 0x60, 0, 0, 0, ADDRESS, 2, 1, 2, 0, 0, 0, 0, 9},
     32},
    {PROTO_ICMP6,
     0,
     255,
     LINK,
     "ff02::1",
     {134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0,    0,      0,  0, 0, 0, 1, 1, 2, 0,  0,
      0,   0, 2, 5, 1,  0, 0, 0, 0, 5, 0x78, PREFIX, 25, 3, 0, 0, 0, 0, 0, 60, ADDRESS},
     88},
    {PROTO_ICMP6,
     0,
     255,
     LINK,
     NULL,
     {137, 0, 0, 0, 0, 0, 0, 0, ADDRESS, ADDRESS, 2, 1, 2, 0, 0, 0, 0, 9},
     48},
    {PROTO_ICMP6,
     0,
     64,
     NULL,
     NULL,
     {1, 4,  0,  0,       0,       0,    0,    0, 0x60, 0, 0, 0, 0,
      8, 17, 64, ADDRESS, ADDRESS, 0x13, 0x88, 0, 9,    0, 8, 0, 0},
     56},
    {NEXT_HOP_BY_HOP,
     8,
     1,
     LINK,
     "ff02::1",
     {PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0, 130, 0, 0, 0, 39, 16, 0, 0,   0, 0,
      0,           0, 0, 0, 0, 0, 0, 0, 0,   0, 0, 0, 0,  0,  2, 125, 0, 0},
     36},
    {NEXT_OPTS,
     0,
     64,
     NULL,
     NULL,
     {NEXT_ROUTING,
      1,
      1,
      4,
      0,
      0,
      0,
      0,
      1,
      4,
      0,
      0,
      0,
      0,
      0,
      0,
      NEXT_FRAGMENT,
      2,
      0,
      0,
      0,
      0,
      0,
      0,
      ADDRESS,
      PROTO_UDP,
      0,
      0,
      1,
      0,
      0,
      0,
      9,
      0,
      9,
      0x13,
      0x88,
      0,
      12,
      0,
      0},
     64},
    {NEXT_FRAGMENT,
     0,
     64,
     NULL,
     NULL,
     {NEXT_OPTS, 0, 0, 1, 0, 0, 0,    8,    PROTO_UDP, 0,  1, 4,
      0,         0, 0, 0, 0, 9, 0x13, 0x88, 0,         12, 0, 0},
     24},
    {PROTO_TCP,
     0,
     64,
     NULL,
     NULL,
     {0, 9, 0, 80,   0, 0, 0, 1,  0, 0, 0, 0, 0xa0, 2, 9, 9, 0, 0, 0, 0,
      2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0,    0, 0, 0, 1, 3, 3, 7},
     40},
    {PROTO_UDP, 0, 64, NULL, NULL, {0, 9, 0x13, 0x88, 0, 12, 0, 0, 1, 2, 3, 4}, 12},
};

static uint32_t build(const struct sample *s, uint32_t len, uint8_t *out)
{
    struct weir_addr src = addr6(s->src ? s->src : THEM6), dst = addr6(s->dst ? s->dst : US6);
    uint8_t message[120];

    memcpy(message, s->bytes, sizeof message);
    if (len >= s->message + 4u && (s->proto == PROTO_ICMP6 || s->message))
        icmp6_seal(message + s->message, len - s->message, &src, &dst);
    return build_quote6(out, &(struct packet6_spec){.src = s->src,
                                                    .dst = s->dst,
                                                    .hops = s->hops,
                                                    .proto = s->proto,
                                                    .l4 = message,
                                                    .len = len});
}

/* One frame in two slices. */
static const char *put_split(struct frames *f, const uint8_t *p, uint32_t n, uint32_t at)
{
    uint8_t *one = malloc(at), *two = malloc(n - at);
    struct weir_frame frame = {.parts = 2, .part = {{one, at}, {two, n - at}}};

    memcpy(one, p, at);
    memcpy(two, p + at, n - at);
    weir_input(f->stack, f->ifindex, &frame, 1, f->now_ns);
    free(one);
    free(two);
    if (frame.why.verdict < 2)
        return frame.why.verdict ? "kept" : NULL;
    return weir_drop_name(frame.why.verdict - 2);
}

/* Each packet ends at each of its bytes: the frame alone, and as if its sender had meant it so,
 * with a length and a checksum that fit; and each lies in two slices, parted at each byte. What is
 * behind the end of a frame is never read (the sanitizer would tell). */
TEST(attack_87_packets_cut_at_each_byte)
{
    struct frames *f = frames_of(.is_ether = true, .has_v6 = true);
    struct siege s = {.f = f, .udp = udp6_socket(f, SIEGE_PORT)};
    struct weir_account a;
    uint32_t frames = 0;

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        uint8_t frame[300] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd};
        uint32_t whole = ETH_LEN + build(&samples[i], samples[i].len, frame + ETH_LEN);

        if (samples[i].dst)
            memcpy(frame, "\x33\x33\0\0\0\1", 6);
        for (uint32_t n = 1; n < whole; n++, frames++)
            assert_non_null(put_frame(f, frame, n));
        for (uint32_t at = 1; at < whole; at++, frames++)
            put_split(f, frame, whole, at);
        for (uint32_t len = 0; len <= samples[i].len; len++, frames++)
            put_frame(f, frame, ETH_LEN + build(&samples[i], len, frame + ETH_LEN));
        siege_forget(&s);
    }
    weir_account(f->stack, &a);
    assert_int_equal(a.frames_in, frames);
    while (siege_read(&s, text, sizeof text) >= 0)
        ;
    frames_advance(f, 200000000);
    siege_forget(&s);
    frames_end(f);
    s = siege_of(.mtu = 1500);
    siege_end(&s);
}

int main(void)
{
    return peer_tests_run("attack_ip6");
}
