/* Attacks by fragments, over IPv4 and IPv6, numbered as in the catalogue of attacks
 * (docs/attacks.md): nothing that was not sent as one datagram is delivered as one, memory has its
 * bound, and the honest peer is served. 791, 815, 1858, 3128, 5722, 7112, 7739, 8021, 8200. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "siege.h"
#include "stack/stack.h"
#include "unit.h"

#define PIECES_MAX 4
#define MINUTE_US 61000000

static uint8_t datagram[DATAGRAM_MAX], text[DATAGRAM_MAX];

/* A datagram for the socket, `len` bytes with its header. */
static void make(bool is_v6, uint32_t len)
{
    struct udp_spec udp = {.sport = 9, .dport = SIEGE_PORT, .len = len - UDP_LEN};

    siege_udp(datagram, &(struct siege_packet){.is_v6 = is_v6}, &udp);
}

struct shape {
    uint32_t start, len;
    bool has_more;
};

static const char *put_shape(struct siege *s, bool is_v6, uint32_t id, const struct shape *p,
                             const uint8_t *from)
{
    return siege_put_of(s, .is_v6 = is_v6, .proto = PROTO_UDP, .is_piece = true, .id = id,
                        .start = p->start, .has_more = p->has_more, .len = p->len,
                        .l4 = from + p->start);
}

/* Bytes that wait to be whole, of both versions. */
static uint32_t waiting(const struct siege *s)
{
    return s->f->stack->ip.frags.held_bytes + s->f->stack->ip.frags6.held_bytes;
}

static void expect_nothing(struct siege *s)
{
    assert_int_equal(siege_read(s, text, sizeof text), -EAGAIN);
}

/* Every shape comes in both orders, and then what would complete the datagram: it is not delivered,
 * now or ever, and nobody is told. */
TEST(attack_11_teardrop)
{
    static const struct shape shapes[][2] = {
        {{0, 800, true}, {792, 408, false}},  /* the first's end */
        {{8, 792, true}, {0, 16, true}},      /* the second's beginning */
        {{0, 800, true}, {400, 80, true}},    /* within: the teardrop */
        {{400, 80, true}, {0, 800, true}},    /* around it */
        {{0, 400, true}, {0, 400, true}},     /* the same place, other bytes */
        {{0, 800, true}, {400, 800, false}},  /* the end, hiding */
        {{800, 400, false}, {0, 1200, true}}, /* all of it, and more to come */
    };

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);
        static uint8_t other[1200];

        make(is_v6, 1200);
        for (uint32_t i = 0; i < sizeof other; i++)
            other[i] = (uint8_t)~datagram[i];
        memcpy(other, datagram, UDP_LEN); /* ports that lead to the socket */
        other[7] ^= 1;
        for (uint32_t i = 0; i < 2 * COUNT_OF(shapes); i++) {
            const struct shape *a = &shapes[i / 2][i % 2], *b = &shapes[i / 2][1 - i % 2];

            assert_true(siege_is(put_shape(&s, is_v6, i, a, datagram), "kept"));
            assert_true(siege_is(put_shape(&s, is_v6, i, b, other), "ip_fragment_overlap"));
            for (uint32_t at = 0; at < 1200; at += 400)
                assert_non_null(
                    put_shape(&s, is_v6, i, &(struct shape){at, 400, at < 800}, datagram));
            expect_nothing(&s);
        }
        frames_advance(s.f, MINUTE_US);
        assert_int_equal(siege_forget(&s), 0);
        assert_int_equal(waiting(&s), 0);
        siege_end(&s);
    }
}

TEST(attack_12_ping_of_death)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);
        struct siege_packet echo = {.is_v6 = is_v6};

        siege_echo(datagram, &echo, 60000);
        for (uint32_t at = 0; at < 65536; at += 1480) {
            const char *v = siege_put_of(&s, .is_v6 = is_v6, .proto = PROTO_ICMP, .is_piece = true,
                                         .id = 1, .start = at, .has_more = at + 1480 < 65536,
                                         .l4 = datagram, .len = 1480);

            assert_string_equal(v, at + 1480 < 65536 ? "kept" : "ip_fragment_bad");
        }
        frames_advance(s.f, MINUTE_US);
        assert_true(siege_forget(&s) <= 1); /* "can not be", about one fragment of IPv6 */
        assert_int_equal(waiting(&s), 0);
        siege_end(&s);
    }
}

/* Lengths that can not be, holes that are never filled, bytes behind the end. */
TEST(attack_13_pieces_that_fit_nowhere)
{
    static const struct shape sets[][PIECES_MAX] = {
        {{0, 801, true}, {800, 400, false}},                  /* no multiple of 8 */
        {{0, 800, true}, {800, 0, true}, {800, 400, false}},  /* nothing in it */
        {{0, 800, true}, {800, 0, false}},                    /* nothing, and the last */
        {{0, 792, true}, {800, 400, false}},                  /* a hole */
        {{8, 792, true}, {800, 400, false}},                  /* no beginning */
        {{0, 800, true}, {800, 392, true}},                   /* no end */
        {{800, 392, false}, {1192, 8, true}, {0, 800, true}}, /* behind the end */
        {{1192, 8, true}, {800, 392, false}, {0, 800, true}}, /* the same, the other way */
        {{0, 800, true}, {800, 400, true}, {1200, 7, true}},  /* never ends */
    };

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);

        make(is_v6, 1200);
        for (uint32_t i = 0; i < COUNT_OF(sets); i++)
            for (int k = 0; k < PIECES_MAX && (k == 0 || sets[i][k].start); k++)
                assert_non_null(put_shape(&s, is_v6, i, &sets[i][k], datagram));
        expect_nothing(&s);
        frames_advance(s.f, MINUTE_US);
        siege_forget(&s);
        expect_nothing(&s);
        assert_int_equal(waiting(&s), 0);
        siege_end(&s);
    }
}

TEST(attack_14_two_ends)
{
    for (int i = 0; i < 4; i++) {
        bool is_v6 = i & 1, is_short_first = i & 2;
        struct siege s = siege_of(.mtu = 1500);
        struct shape end[2] = {{800, 400, false}, {800, 200, false}};

        make(is_v6, 1200);
        assert_true(siege_is(put_shape(&s, is_v6, 1, &end[is_short_first], datagram), "kept"));
        assert_true(siege_is(put_shape(&s, is_v6, 1, &end[!is_short_first], datagram),
                             is_short_first ? "ip_fragment_overlap" : "ip_fragment_overlap"));
        assert_true(siege_is(put_shape(&s, is_v6, 1, &(struct shape){0, 800, true}, datagram),
                             "ip_fragment_overlap"));
        expect_nothing(&s);
        siege_end(&s);
    }
}

/* IPv4 tells datagrams apart by protocol too, IPv6 by addresses and number alone. */
TEST(attack_15_pieces_of_others)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);
        struct siege_packet p = {.is_v6 = is_v6, .proto = PROTO_UDP, .is_piece = true, .id = 5};

        make(is_v6, 1200);
        memset(text, 0x55, 400);
        p.l4 = datagram;
        p.len = 800;
        p.has_more = true;
        assert_string_equal(siege_put(&s, &p), "kept");
        p.start = 800;
        p.has_more = false;
        p.len = 400;
        p.l4 = text;
        p.src = 0x0a000003;
        assert_string_equal(siege_put(&s, &p), "kept");
        p.src = 0;
        p.proto = PROTO_ICMP;
        if (!is_v6)
            assert_string_equal(siege_put(&s, &p), "kept");
        p.proto = PROTO_UDP;
        p.l4 = datagram + 800;
        assert_null(siege_put(&s, &p));
        assert_int_equal(siege_read(&s, text, sizeof text), 1200 - UDP_LEN);
        assert_true(is_pattern(text, 1200 - UDP_LEN));
        siege_end(&s);
    }
}

/* Pieces of 8 bytes anywhere, of datagrams that are never whole: each goes at once to its place. */
TEST(attack_16_fragment_smack)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);
        struct dice d = {.state = 16};

        for (uint32_t i = 0; i < 40000; i++) {
            struct siege_packet p = {.is_v6 = is_v6,
                                     .src = 0x0a000066,
                                     .proto = PROTO_UDP,
                                     .is_piece = true,
                                     .has_more = true,
                                     .len = 8};

            p.id = i / 4000;
            p.start = 8 + dice_below(&d, 8000) * 8;
            p.l4 = text;
            put16(text, (uint16_t)i); /* the same place twice is no copy */
            siege_put(&s, &p);
            assert_true(s.f->bytes <= s.held + 4194304 + 262144);
        }
        make(is_v6, 4000);
        for (uint32_t at = 0; at < 4000; at += 800) {
            struct shape piece = {at, 800, at < 3200};

            put_shape(&s, is_v6, 77, &piece, datagram);
        }
        assert_int_equal(siege_read(&s, text, sizeof text), 4000 - UDP_LEN);
        siege_end(&s);
    }
}

/* First pieces of datagrams without end, from many sources: the oldest makes room, so that a new
 * datagram is put together at once. */
TEST(attack_17_memory_for_pieces)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);

        make(is_v6, 4000);
        for (uint32_t i = 0; i < 8000; i++) {
            siege_put_of(&s, .is_v6 = is_v6, .src = 0x0a010000 + i, .proto = PROTO_UDP,
                         .is_piece = true, .id = i, .has_more = true, .l4 = datagram, .len = 1400);
            assert_true(s.f->bytes <= s.held + 4194304 + 524288);
        }
        assert_true(waiting(&s) > 4194304 - 65536);
        for (uint32_t at = 0; at < 4000; at += 800) {
            struct shape piece = {at, 800, at < 3200};

            put_shape(&s, is_v6, 9, &piece, datagram);
        }
        assert_int_equal(siege_read(&s, text, sizeof text), 4000 - UDP_LEN);
        siege_serves(&s);
        frames_advance(s.f, MINUTE_US);
        siege_forget(&s);
        assert_int_equal(waiting(&s), 0);
        siege_end(&s);
    }
}

/* A SYN in pieces of 8 bytes, so that a filter sees no flags: over IPv4 it is put together and then
 * judged as any SYN, over IPv6 the first piece must hold all of the header. */
TEST(attack_18_a_header_in_crumbs)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);
        struct tcp_hdr syn = {.sport = 99, .dport = SIEGE_LISTENER, .flags = TCP_SYN, .wnd = 99};
        struct siege_packet p = {.is_v6 = is_v6, .proto = PROTO_TCP, .is_piece = true, .id = 1};
        uint8_t tcp[64];
        uint32_t n = siege_tcp(tcp, &p, &syn);

        for (uint32_t at = 0; at < n; at += 8) {
            const char *v;

            p.start = at;
            p.has_more = at + 8 < n;
            p.l4 = tcp + at;
            p.len = n - at < 8 ? n - at : 8;
            v = siege_put(&s, &p);
            if (is_v6 && at == 0)
                assert_string_equal(v, "ip6_header");
        }
        assert_int_equal(siege_forget(&s), 1); /* SYN,ACK; parameter problem */
        assert_int_equal(frames_stat(s.f, "TcpInSegs"), 4 + !is_v6);
        siege_end(&s);
    }
}

/* The second piece writes other flags over those of the first: neither is taken. */
TEST(attack_18_flags_written_over)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct siege s = siege_of(.mtu = 1500);
        struct tcp_hdr syn = {.sport = 99, .dport = SIEGE_LISTENER, .flags = TCP_SYN, .wnd = 99};
        struct siege_packet p = {.is_v6 = is_v6, .proto = PROTO_TCP, .is_piece = true, .id = 1};
        uint8_t tcp[24] = {0}, lie[24] = {0};

        siege_tcp(tcp, &p, &syn);
        syn.flags = TCP_ACK;
        siege_tcp(lie, &p, &syn);
        p.has_more = true;
        p.l4 = lie;
        p.len = 24;
        assert_string_equal(siege_put(&s, &p), "kept");
        p.start = 8;
        p.has_more = false;
        p.l4 = tcp + 8;
        p.len = TCP_LEN - 8;
        assert_string_equal(siege_put(&s, &p), "ip_fragment_overlap");
        assert_int_equal(siege_forget(&s), 0);
        siege_end(&s);
    }
}

static uint32_t id_towards(struct siege *s, bool is_v6, uint32_t host)
{
    struct weir_sockaddr to = {.addr = siege_addr(is_v6, host), .port = 9};
    uint32_t id;
    struct taken *t;

    assert_int_equal(weir_sendto(s->f->stack, s->udp, datagram, 2000, 0, &to), 2000);
    t = take(s->f);
    id = is_v6 ? get32(t->l4 + 4) : t->ip.id;
    siege_forget(s);
    return id;
}

/* Who sees the numbers of its own datagrams learns nothing of those to others, or how many there
 * were; and nobody is brought to put whole packets in fragment headers. */
TEST(attack_19_foreseen_numbers)
{
    struct siege s = siege_of(.mtu = 1500);
    uint8_t error[ICMP_LEN + 100];
    struct taken *t;
    uint32_t near = 0, n;

    for (int i = 0; i < 400; i++) {
        bool is_v6 = i & 1;
        uint32_t before = id_towards(&s, is_v6, 0x0a000002), after;
        uint32_t other = id_towards(&s, is_v6, 0x0a000003);

        after = id_towards(&s, is_v6, 0x0a000002);
        near += is_v6 ? after - before < 1024 : 0;
        near += is_v6 ? other - before < 1024 : (uint16_t)(other - before) < 8;
    }
    assert_true(near <= 2);
    send_pattern6(s.f, s.udp, "fd00::2", 9, 1000);
    t = take(s.f);
    memcpy(text, t->bytes, 100);
    n = build_icmp6(
        error, &(struct icmp6_spec){.type = ICMP6_TOO_BIG, .rest = 1000, .data = text, .len = 100});
    assert_string_equal(put6(s.f, .proto = PROTO_ICMP6, .l4 = error, .len = n), "icmp_ignored");
    send_pattern6(s.f, s.udp, "fd00::2", 9, 1000);
    assert_int_equal(take(s.f)->ip6.next, PROTO_UDP);
    siege_end(&s);
}

int main(void)
{
    return peer_tests_run("attack_fragments");
}
