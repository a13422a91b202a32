/* Attacks by packets that are no packets, over IPv4 and IPv6, numbered as in docs/attacks.md:
 * addresses that can not be, lengths and checksums that lie, options, protocols. Each is dropped by
 * name, nothing is delivered, no answer goes to who is not there, and the honest peer is served. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "siege.h"
#include "unit.h"

static uint8_t bytes[2048], text[2048];

static void expect_silence(struct siege *s)
{
    assert_int_equal(siege_forget(s), 0);
    assert_int_equal(siege_read(s, text, sizeof text), -EAGAIN);
}

/* A SYN to the listener, a datagram to the socket, a ping: what would be answered or delivered. */
static uint32_t make(int kind, struct siege_packet *p)
{
    static const uint8_t protos[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP};
    struct tcp_hdr syn = {
        .sport = SIEGE_LISTENER, .dport = SIEGE_LISTENER, .flags = TCP_SYN, .wnd = 999};
    struct udp_spec udp = {.sport = SIEGE_PORT, .dport = SIEGE_PORT, .len = 20};

    p->proto = protos[kind];
    p->l4 = bytes;
    p->len = kind == 0   ? siege_tcp(bytes, p, &syn)
             : kind == 1 ? siege_udp(bytes, p, &udp)
                         : siege_echo(bytes, p, 20);
    return p->len;
}

TEST(attack_9_land)
{
    struct siege s = siege_of(.mtu = 1500);

    for (int i = 0; i < 12; i++) {
        struct siege_packet p = {.is_v6 = i & 1, .src = i & 2 ? 0x7f000001 : US};

        make(i / 4, &p);
        assert_string_equal(siege_put(&s, &p), "ip_martian_source");
        expect_silence(&s);
    }
    siege_end(&s);
}

/* Spoofed from a port that answers anything (echo, chargen) of another, and from ourselves: what is
 * told of it is an error, which nobody answers, and it is limited. */
TEST(attack_10_two_ports_that_answer_each_other)
{
    struct siege s = siege_of(.mtu = 1500);

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege_packet p = {.is_v6 = is_v6};
        struct udp_spec udp = {.sport = 19, .dport = 7, .len = 20};
        int errors = 0;

        p.l4 = bytes;
        p.proto = PROTO_UDP;
        for (int i = 0; i < 5000; i++) {
            p.len = siege_udp(bytes, &p, &udp);
            assert_string_equal(siege_put(&s, &p), "udp_no_port");
            errors += siege_forget(&s);
        }
        assert_in_range(errors, 1, 100);
        p.src = US;
        p.len = siege_udp(bytes, &p, &udp);
        assert_string_equal(siege_put(&s, &p), "ip_martian_source");
        expect_silence(&s);
        frames_advance(s.f, 1000000);
    }
    siege_end(&s);
}

/* Data offset and segment length in all combinations; only a header that holds, of 20 bytes or
 * with options of zeros, opens a connection. */
TEST(attack_55_offsets_of_tcp)
{
    struct siege s = siege_of(.mtu = 1500);

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        for (uint32_t n = 0; n <= 64; n++) {
            for (uint8_t offset = 0; offset < 16; offset++) {
                struct siege_packet p = {.is_v6 = is_v6};
                bool is_good = n >= TCP_LEN && offset >= 5 && offset * 4u <= n;

                memset(bytes, 0, sizeof bytes);
                make(0, &p);
                put16(bytes, (uint16_t)(1000 + n * 16 + offset));
                bytes[12] = (uint8_t)(offset << 4);
                p.len = n;
                siege_seal(bytes, n, &p);
                assert_int_equal(siege_put(&s, &p) == NULL, is_good);
                assert_int_equal(siege_forget(&s), is_good);
                bytes[13] = TCP_RST;
                put32(bytes + 4, 1);
                bytes[12] = 0x50;
                p.len = TCP_LEN;
                siege_seal(bytes, TCP_LEN, &p);
                siege_put(&s, &p);
            }
        }
    }
    siege_end(&s);
}

/* A raw packet of IP, its header's checksum as it should be. */
static uint32_t raw(const struct siege_packet *p, uint8_t *out)
{
    struct ip4 h = {.hdr_len = IP4_LEN,
                    .ttl = 64,
                    .proto = p->proto,
                    .total_len = (uint16_t)(IP4_LEN + p->len),
                    .src = p->src ? p->src : THEM,
                    .dst = p->dst ? p->dst : US};
    struct packet6_spec six = {
        .proto = p->proto == PROTO_ICMP ? PROTO_ICMP6 : p->proto, .l4 = p->l4, .len = p->len};

    if (p->is_v6)
        return build_quote6(out, &six);
    ip4_emit(out, &h);
    memcpy(out + IP4_LEN, p->l4, p->len);
    return IP4_LEN + p->len;
}

static void seal_ip4(uint8_t *p, uint32_t head)
{
    put16(p + 10, 0);
    put16(p + 10, sum_of(p, head));
}

TEST(attack_56_first_bytes)
{
    struct siege s = siege_of(.mtu = 1500);
    uint8_t packet[200];

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege_packet p = {.is_v6 = is_v6};
        uint32_t n;

        make(1, &p);
        n = raw(&p, packet);
        for (int first = 0; first < 256; first++) {
            uint32_t head = (first & 15) * 4u;
            const char *v;

            packet[0] = (uint8_t)first;
            if (!is_v6 && head >= 12 && head <= n)
                seal_ip4(packet, head);
            v = put_frame(s.f, packet, n);
            if (first == (is_v6 ? 0x60 : 0x45) || (is_v6 && first >> 4 == 6)) {
                assert_null(v); /* the rest of it is IPv6's traffic class */
                assert_int_equal(siege_read(&s, text, sizeof text), 20);
                continue;
            }
            assert_non_null(v);
            if (first >> 4 != 4 && first >> 4 != 6)
                assert_string_equal(v, "ip_version");
            assert_int_equal(siege_read(&s, text, sizeof text), -EAGAIN);
            siege_forget(&s); /* behind a header of 24 bytes other ports stand: unreachable */
            raw(&p, packet);
        }
    }
    siege_end(&s);
}

/* What IP says of the length, against what there is: longer is dropped, shorter cuts the rest off,
 * and what stands above is judged by that. */
TEST(attack_57_lengths_that_differ)
{
    struct siege s = siege_of(.mtu = 1500);
    uint8_t packet[200];

    for (int kind = 0; kind < 6; kind++) {
        struct siege_packet p = {.is_v6 = kind & 1};
        uint32_t n, head = p.is_v6 ? IP6_LEN : IP4_LEN;

        make(kind / 2, &p);
        n = raw(&p, packet);
        for (uint32_t says = 0; says < 65536; says += says < 300 ? 1 : 4099) {
            uint32_t is = p.is_v6 ? head + says : says;
            const char *v;

            put16(packet + (p.is_v6 ? 4 : 2), (uint16_t)says);
            if (!p.is_v6)
                seal_ip4(packet, IP4_LEN);
            v = put_frame(s.f, packet, n);
            if (is == n) {
                assert_null(v);
                assert_true(siege_forget(&s) || siege_read(&s, text, sizeof text) == 20);
                continue;
            }
            assert_non_null(v);
            assert_true(siege_is(v, "ip_total_len") || (is >= head && is < n));
            expect_silence(&s);
        }
    }
    siege_end(&s);
}

/* Each bit of each packet is turned, the checksum stays: it is dropped in silence, or its IP header
 * leads elsewhere. A datagram of IPv4 may say that it has no checksum; one of IPv6 may not. */
TEST(attack_58_stale_checksums)
{
    struct siege s = siege_of(.mtu = 1500);
    uint8_t packet[200];

    for (int kind = 0; kind < 6; kind++) {
        struct siege_packet p = {.is_v6 = kind & 1};
        uint32_t n, at = p.is_v6 ? IP6_LEN : 0; /* IPv6 has no sum of its own */

        make(kind / 2, &p);
        n = raw(&p, packet);
        for (; at < n; at++) {
            for (int bit = 0; bit < 8; bit++) {
                packet[at] ^= (uint8_t)(1 << bit);
                assert_non_null(put_frame(s.f, packet, n));
                packet[at] ^= (uint8_t)(1 << bit);
                expect_silence(&s);
            }
        }
        if (kind / 2 == 1) {
            put16(packet + n - p.len + 6, 0);
            assert_int_equal(put_frame(s.f, packet, n) == NULL, !p.is_v6);
            assert_int_equal(siege_read(&s, text, sizeof text), p.is_v6 ? -EAGAIN : 20);
        }
    }
    siege_end(&s);
}

/* Frames for others, as a link in promiscuous mode shows them; connections to groups. */
TEST(attack_59_frames_for_others)
{
    static const uint8_t macs[][6] = {
        {2, 0, 0, 0, 0, 9},    {0, 0, 0, 0, 0, 0},       {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}, {0x33, 0x33, 9, 9, 9, 9}};
    struct frames *f = frames_of(.is_ether = true, .has_v6 = true);
    struct siege s = {.f = f, .udp = udp6_socket(f, SIEGE_PORT)};
    uint8_t frame[200] = {0};

    siege_forget(&s);
    for (int i = 0; i < 6 * (int)COUNT_OF(macs); i++) {
        struct siege_packet p = {.is_v6 = i & 1};
        uint32_t n;

        make(i / 2 % 3, &p);
        memcpy(frame, macs[i / 6], 6);
        memcpy(frame + 6, "\2\0\0\0\0\2", 6);
        put16(frame + 12, p.is_v6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
        n = ETH_LEN + raw(&p, frame + ETH_LEN);
        assert_non_null(put_frame(f, frame, n));
        expect_silence(&s);
    }
    frames_end(f);
    s = siege_of(.mtu = 1500);
    for (int i = 0; i < 6; i++) {
        static const uint32_t groups[] = {0xe0000001, 0xffffffff, 0x0a0000ff};
        struct siege_packet p = {.is_v6 = i & 1, .dst = groups[i & 1 ? 0 : i / 2]};

        make(0, &p);
        assert_string_equal(siege_put(&s, &p), "tcp_address");
        expect_silence(&s);
    }
    siege_end(&s);
}

TEST(attack_60_martian_sources)
{
    static const uint32_t four[] = {0,          1,          0x00ffffff, 0x7f000001,
                                    0x7fffffff, 0xe0000001, 0xefffffff, 0xf0000001,
                                    0xffffffff, 0x0a0000ff, 0x0a000000, US};
    static const char *six[] = {
        "::", "::1", "ff02::1", "ff0e::1", "::ffff:10.0.0.2", "::ffff:127.0.0.1", US6};
    struct siege s = siege_of(.mtu = 1500);
    uint8_t packet[200];

    for (int kind = 0; kind < 3; kind++) {
        struct siege_packet p = {.is_v6 = false};

        for (size_t i = 0; i < COUNT_OF(four); i++) {
            make(kind, &p);
            raw(&p, packet);
            put32(packet + 12, four[i]);
            seal_ip4(packet, IP4_LEN);
            siege_seal(packet + IP4_LEN, p.len, &p);
            assert_string_equal(put_frame(s.f, packet, IP4_LEN + p.len), "ip_martian_source");
            expect_silence(&s);
        }
        p.is_v6 = true;
        for (size_t i = 0; i < COUNT_OF(six); i++) {
            make(kind, &p);
            assert_non_null(put6(s.f, .src = six[i], .l4 = bytes, .len = p.len,
                                 .proto = p.proto == PROTO_ICMP ? PROTO_ICMP6 : p.proto));
            expect_silence(&s);
        }
    }
    siege_end(&s);
}

/* All kinds of options with all lengths, on a datagram for us: one that ends outside the header
 * drops the packet, so does a source route; others are passed over. */
TEST(attack_61_options_of_ip) /* REQ:791-3.1-9 REQ:792-ParamProblem-1 */
{
    struct siege s = siege_of(.mtu = 1500);
    struct udp_spec udp = {.sport = 9, .dport = SIEGE_PORT, .len = 20};

    for (int kind = 0; kind < 256; kind++) {
        for (int len = 0; len <= 14; len++) {
            uint8_t options[12] = {(uint8_t)kind, (uint8_t)len};
            uint32_t n = build_udp(bytes, &udp);
            bool is_single = kind <= 1, is_route = kind == 131 || kind == 137;
            bool is_long = len >= 2 && len <= 12;
            const char *v;

            if (len > 2)
                options[2] = kind == 68 ? 5 : 4; /* a pointer that may be */
            v = put(s.f, .proto = PROTO_UDP, .l4 = bytes, .len = n, .options = options,
                    .options_len = 12);
            if (kind == 0 || (is_long && !is_single && !is_route && kind != 7 && kind != 68)) {
                assert_null(v);
                assert_int_equal(siege_read(&s, text, sizeof text), 20);
                continue;
            }
            if (!is_single && (!is_long || is_route))
                assert_string_equal(v, is_route ? "ip_source_route" : "ip_option");
            if (v)
                assert_int_equal(siege_read(&s, text, sizeof text), -EAGAIN);
            else
                assert_int_equal(siege_read(&s, text, sizeof text), 20);
        }
    }
    assert_in_range(siege_forget(&s), 1, 100); /* parameter problems, so many at a time */
    siege_end(&s);
}

/* Tunnels and all else that nobody speaks here: each is named as unreachable, so many at a time. */
TEST(attack_62_unknown_protocols)
{
    struct siege s = siege_of(.mtu = 1500);

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        int errors = 0;

        memset(bytes, 0, sizeof bytes);
        for (int proto = 0; proto < 256; proto++) {
            struct siege_packet p = {
                .is_v6 = is_v6, .proto = (uint8_t)proto, .l4 = bytes, .len = 40};
            const char *v = siege_put(&s, &p);

            assert_non_null(v);
            if (proto == 4 || proto == 41 || proto == 47 || proto == 50 || proto == 132)
                assert_string_equal(v, "ip_protocol");
            errors += siege_forget(&s);
        }
        assert_in_range(errors, 25, 120);
        assert_int_equal(siege_read(&s, text, sizeof text), -EAGAIN);
        frames_advance(s.f, 1000000);
    }
    siege_end(&s);
}

int main(void)
{
    return peer_tests_run("attack_ip");
}
