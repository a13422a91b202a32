/* Attacks by ICMP and ICMPv6, numbered as in docs/attacks.md: what is believed, what is answered,
 * how often. What is about TCP runs a second time over IPv6. 792, 1122, 1191, 4443, 5927, 6633. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "peer_net.h"
#include "siege.h"
#include "stack/stack.h"
#include "unit.h"

enum { UNREACHABLE = 3, TIME_EXCEEDED = 11, PARAMETER = 12, FRAG = 4 };

static uint8_t bytes[2048];

/* -- about connections ------------------------------------------------------------------------- */

static uint32_t mss_of(struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info.mss;
}

/* All that was written arrives, behind the `arrived` bytes of before, and is acknowledged. */
static void deliver(struct peer *p, uint32_t arrived)
{
    struct segment s;
    struct got g;

    for (int rounds = 0; arrived < p->written; rounds++) {
        assert_true(rounds < 200);
        while (peer_next(p, &g)) {
            peer_relative(p, &g, &s);
            if (s.seq <= arrived + 1 && s.seq - 1 + g.len > arrived)
                arrived = s.seq - 1 + g.len;
        }
        inject_and_judge(p,
                         &(struct segment){.flags = ACK, .seq = 1 + p->read, .ack = 1 + arrived});
    }
}

/* Of the past, of the future, of another connection. */
TEST(attack_63_quotes_by_guess)
{
    static const uint32_t guesses[] = {0u - 100000, 0u - 1, 4381, 100000, 0x7fffffff, 0x80000000};
    struct peer p = established(.mss = 1460), q = peer_other(&p, 7777);

    app_write(&p, 4380);
    q.stack_port = p.stack_port;
    for (uint32_t i = 0; i < COUNT_OF(guesses); i++) {
        assert_int_equal(inject_icmp(&p, UNREACHABLE, FRAG, 1300, guesses[i]), DROP_icmp_unmatched);
        assert_int_equal(inject_icmp(&p, UNREACHABLE, 2, 0, guesses[i]), DROP_icmp_unmatched);
    }
    assert_int_equal(inject_icmp(&q, UNREACHABLE, 2, 0, 1), DROP_icmp_unmatched);
    assert_int_equal(mss_of(&p), 1460);
    assert_int_equal(app_error(&p), 0);
    deliver(&p, 0);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_forget();
}

/* Who sees the connection and lies about its path makes it slower, and no more: never below 552
 * bytes (IPv6: 1,280), never larger than agreed, and it ends. */
TEST(attack_64_paths_of_no_size)
{
    static const uint32_t lies[] = {68, 0, 65535, 1, 551, 9000};
    struct peer p = established(.mss = 1460);
    uint32_t least = peer_is_v6() ? 1280 - 60 : 552 - 40;

    for (uint32_t i = 0; i < 60; i++) {
        app_write(&p, 1460);
        inject_icmp(&p, UNREACHABLE, FRAG, lies[i % COUNT_OF(lies)], p.written - 100);
        assert_in_range(mss_of(&p), least, 1460);
        deliver(&p, p.written - 1460);
    }
    assert_int_equal(mss_of(&p), peer_is_v6() ? 1460 : least);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_forget();
}

TEST(attack_65_hard_errors_about_what_is_established)
{
    struct peer p = established(.mss = 1460);

    for (uint32_t code = 0; code < 16; code++) {
        if (code == FRAG)
            continue;
        app_write(&p, 1000);
        inject_icmp(&p, UNREACHABLE, (uint8_t)code, 0, p.written - 10);
        inject_icmp(&p, PARAMETER, (uint8_t)code, 0, p.written - 10);
        inject_icmp(&p, TIME_EXCEEDED, (uint8_t)code, 0, p.written - 10);
        expect_state(&p, WEIR_ESTABLISHED);
        assert_int_equal(app_error(&p), 0);
        deliver(&p, p.written - 1000);
        inject(&p, .flags = ACK, .seq = 1 + p.read, .ack = 1 + p.written, .len = 10);
        app_read(&p, 10);
    }
    peer_forget();
}

/* Between SYN and SYN,ACK, on both ends: only the number of the SYN ends anything, and what comes
 * late finds nothing to break. */
TEST(attack_66_errors_that_race_the_handshake)
{
    struct peer p = connecting(0);

    assert_int_equal(inject_icmp(&p, UNREACHABLE, 3, 0, 1), DROP_icmp_unmatched);
    assert_int_equal(inject_icmp(&p, UNREACHABLE, 3, 0, 0u - 1), DROP_icmp_unmatched);
    assert_int_equal(inject_icmp(&p, UNREACHABLE, 1, 0, 0), PASS);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    inject_icmp(&p, UNREACHABLE, 3, 0, 0);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_forget();

    p = connecting(0);
    assert_int_equal(inject_icmp(&p, UNREACHABLE, 3, 0, 0), PASS);
    assert_int_equal(app_error(&p), ECONNREFUSED);
    for (int i = 0; i < 3; i++) {
        inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .drop = "tcp_no_socket");
        expect(&p, .flags = RST, .seq = 1);
        assert_int_equal(inject_icmp(&p, UNREACHABLE, 3, 0, 0), DROP_icmp_unmatched);
    }
    peer_forget();

    p = listening(0);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(inject_icmp(&p, UNREACHABLE, 3, 0, 1), DROP_icmp_unmatched);
    assert_int_equal(inject_icmp(&p, UNREACHABLE, 1, 0, 0), PASS);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_forget();
}

/* -- about nothing ----------------------------------------------------------------------------- */

/* Quotes too short to say whose packet it was, of each error. */
TEST(attack_63_quotes_of_too_few_bytes)
{
    static const uint8_t four[] = {3, 11, 12}, six[] = {1, 2, 3, 4};
    struct siege s = siege_of(.mtu = 1500);
    uint8_t quote[100];
    struct taken *t;

    for (int i = 0; i < 7; i++) {
        bool is_v6 = i >= 3;
        uint32_t whole = is_v6 ? IP6_LEN + 8 : IP4_LEN + 8;

        if (is_v6)
            send_pattern6(s.f, s.udp, THEM6, 9, 20);
        else
            send_pattern6(s.f, s.udp, "::ffff:10.0.0.2", 9, 20);
        t = take(s.f);
        memcpy(quote, t->bytes, whole);
        for (uint32_t n = 0; n <= whole; n++) {
            struct siege_packet p = {.is_v6 = is_v6, .proto = PROTO_ICMP, .l4 = bytes};
            const char *v;

            p.len = build_error(bytes, &(struct error_spec){is_v6 ? six[i - 3] : four[i],
                                                            is_v6 ? 0 : 1, 1400, quote, n});
            siege_seal(bytes, p.len, &p);
            v = siege_put(&s, &p);
            if (n < whole)
                assert_string_equal(v, "icmp_quote");
            else
                assert_null(v);
        }
    }
    assert_int_equal(siege_forget(&s), 0);
    siege_end(&s);
}

/* What asks for less, elsewhere or another mask, or wants to know the time: ignored, not answered;
 * so is a redirect from who is no gateway of ours. */
TEST(attack_67_quench_redirect_mask)
{
    static const uint8_t four[] = {4, 5, 9, 10, 13, 14, 15, 16, 17, 18, 30, 37, 255};
    static const uint8_t six[] = {100, 137, 138, 139, 140, 141, 144, 200, 255};
    struct siege s = siege_of(.mtu = 1500);
    uint8_t quote[28];

    send_pattern6(s.f, s.udp, "::ffff:192.0.2.1", 9, 20);
    memcpy(quote, take(s.f)->bytes, sizeof quote);
    for (uint32_t i = 0; i < COUNT_OF(four) + COUNT_OF(six); i++) {
        bool is_v6 = i >= COUNT_OF(four);
        uint8_t type = is_v6 ? six[i - COUNT_OF(four)] : four[i];

        for (uint8_t code = 0; code < 4; code++) {
            struct siege_packet p = {.is_v6 = is_v6, .proto = PROTO_ICMP, .l4 = bytes};

            p.len = build_error(bytes,
                                &(struct error_spec){type, code, 0x0a000066, quote, sizeof quote});
            siege_seal(bytes, p.len, &p);
            assert_non_null(siege_put(&s, &p));
            assert_int_equal(siege_forget(&s), 0);
        }
    }
    siege_end(&s);
}

/* Errors about datagrams to a port of nobody, at one instant. */
static int errors_at_once(struct siege *s, bool is_v6)
{
    struct siege_packet p = {.is_v6 = is_v6, .proto = PROTO_UDP, .l4 = bytes};
    struct udp_spec udp = {.sport = 9, .dport = 10, .len = 8};

    p.len = siege_udp(bytes, &p, &udp);
    for (int i = 0; i < 300; i++)
        assert_string_equal(siege_put(s, &p), "udp_no_port");
    return siege_forget(s);
}

/* SAD DNS: who can count what is left of a limit that all share, learns which port somebody else
 * just asked. So many leave each time, but never the same number. */
TEST(attack_68_a_limit_that_counts_for_others)
{
    struct siege s = siege_of(.mtu = 1500);
    bool is_seen[101] = {false};
    int sum = 0, different = 0;

    for (int i = 0; i < 100; i++) {
        int n = errors_at_once(&s, i & 1);

        assert_in_range(n, 25, 100);
        different += !is_seen[n];
        is_seen[n] = true;
        sum += n;
        frames_advance(s.f, 1000000);
    }
    assert_true(different >= 10);
    assert_in_range(sum / 100, 45, 56);
    siege_end(&s);
}

/* A path for each of many that nobody speaks to: the table has its bound, the newest are kept, and
 * who was pushed out hears of its path anew. */
TEST(attack_69_paths_of_nobody)
{
    struct siege s = siege_of(.mtu = 1500);
    uint8_t quote[IP6_LEN + 8];
    size_t held = 0;

    for (uint32_t i = 0; i < 20000; i++) {
        bool is_v6 = i & 1;
        struct siege_packet p = {.is_v6 = is_v6, .proto = PROTO_ICMP, .l4 = bytes};
        uint32_t n = is_v6 ? IP6_LEN + 8 : IP4_LEN + 8;

        if (i == 4000)
            held = s.f->bytes;
        memset(quote, 0, sizeof quote);
        if (is_v6) {
            struct packet6_spec six = {.src = US6,
                                       .dst = "fd00:9::1",
                                       .proto = PROTO_UDP,
                                       .l4 = "\x13\x88\0\x9\0\x8\0\0",
                                       .len = 8};

            build_quote6(quote, &six);
            put32(quote + 36, i);
        } else {
            struct ip4 h = {.hdr_len = IP4_LEN,
                            .ttl = 9,
                            .proto = PROTO_UDP,
                            .total_len = 28,
                            .src = US,
                            .dst = 0x0b000000 + i};

            ip4_emit(quote, &h);
            memcpy(quote + IP4_LEN, "\x13\x88\0\x9\0\x8\0\0", 8);
        }
        p.len = build_error(bytes,
                            &(struct error_spec){is_v6 ? 2 : 3, is_v6 ? 0 : FRAG, 1300, quote, n});
        siege_seal(bytes, p.len, &p);
        assert_null(siege_put(&s, &p));
        assert_true(s.f->stack->ip.pmtus.used <= 1024);
    }
    assert_int_equal(s.f->stack->ip.pmtus.used, 1024);
    assert_true(s.f->bytes <= held);
    siege_serves(&s);
    frames_advance(s.f, 600000000);
    send_pattern6(s.f, s.udp, THEM6, 9, 20);
    assert_int_equal(siege_forget(&s), 1);
    assert_int_equal(s.f->stack->ip.pmtus.used, 0);
    siege_end(&s);
}

/* Nothing that reaches many is answered by many, and no error answers an error. */
TEST(attack_70_smurf)
{
    static const uint32_t groups[] = {0xffffffff, 0x0a0000ff, 0xe0000001};
    struct siege s = siege_of(.mtu = 1500);
    struct udp_spec udp = {.sport = 9, .dport = 10, .len = 8};
    uint8_t quote[28];

    for (int i = 0; i < 4; i++) {
        struct siege_packet p = {.is_v6 = i == 3, .dst = groups[i % 3], .l4 = bytes};

        p.dst = i == 3 ? 0xe0000001 : p.dst;
        p.proto = PROTO_UDP;
        p.len = siege_udp(bytes, &p, &udp);
        assert_string_equal(siege_put(&s, &p), "udp_no_listener");
        p.proto = 99;
        assert_string_equal(siege_put(&s, &p), "ip_protocol");
        assert_int_equal(siege_forget(&s), 0);
        p.proto = PROTO_ICMP;
        p.len = siege_echo(bytes, &p, 20);
        if (i < 3) { /* RFC 4443 section 4.2 has echoes to groups answered; a knob forbids it */
            assert_string_equal(siege_put(&s, &p), "icmp_echo_refused");
            continue;
        }
        assert_int_equal(weir_knob_set(s.f->stack, "net.ipv6.icmp.echo_ignore_multicast", "1"), 0);
        assert_string_equal(siege_put(&s, &p), "icmp_echo_refused");
    }
    for (int i = 0; i < 512; i++) {
        struct siege_packet p = {.is_v6 = i & 1, .proto = PROTO_ICMP, .l4 = bytes};
        uint8_t type = (uint8_t)(i / 2);
        bool is_question = type == (p.is_v6 ? ICMP6_ECHO : ICMP4_ECHO);

        memset(quote, 0, sizeof quote);
        p.len = build_error(bytes, &(struct error_spec){type, 0, 0, quote, sizeof quote});
        siege_seal(bytes, p.len, &p);
        siege_put(&s, &p);
        assert_int_equal(siege_forget(&s), is_question);
    }
    siege_end(&s);
}

int main(void)
{
    return peer_tests_run("attack_icmp");
}
