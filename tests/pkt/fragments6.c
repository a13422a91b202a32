/* IPv6 in pieces: what the source makes, what reassembly takes, and what it says of the rest. 8200
 * section 4.5, 5722, 6946, 7112. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "frames6.h"

#define MORE IP6_FRAG_MORE
#define FIRST_PARAM 8 /* bytes of ICMPv6 in front of the quote */

static uint8_t datagram[DATAGRAM_MAX], text[DATAGRAM_MAX];

struct piece {
    uint16_t start; /* bytes, a multiple of 8 */
    bool has_more;
    uint32_t id, len;
    const uint8_t *from; /* NULL: the datagram, from `start` on */
    const char *src, *dst;
    uint8_t next; /* 0: UDP */
};

static const char *put_piece(struct frames *f, const struct piece *s)
{
    static uint8_t packet[IP6_FRAG_LEN + DATAGRAM_MAX];

    ip6_frag_emit(packet, s->next ? s->next : PROTO_UDP,
                  (uint16_t)(s->start | (s->has_more ? MORE : 0)), s->id);
    if (s->len)
        memcpy(packet + IP6_FRAG_LEN, s->from ? s->from : datagram + s->start, s->len);
    return put6(f, .src = s->src, .dst = s->dst, .proto = NEXT_FRAGMENT, .l4 = packet,
                .len = IP6_FRAG_LEN + s->len);
}
#define PIECE(f, ...) put_piece(f, &(struct piece){__VA_ARGS__})
#define expect_drop(why, ...) assert_string_equal(PIECE(f, __VA_ARGS__), why)
#define expect_kept(...) expect_drop("kept", __VA_ARGS__)

/* A datagram to port 5000 of `len` bytes, its UDP header counted. */
static void make(uint32_t len)
{
    struct udp_spec s = {.sport = 7, .dport = 5000, .len = len - UDP_LEN};

    assert_int_equal(build_udp6(datagram, &s, NULL, NULL), len);
}

static void expect_text(struct frames *f, int sock, uint32_t len)
{
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), len - UDP_LEN);
    assert_true(is_pattern(text, len - UDP_LEN));
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), -EAGAIN);
}

static struct taken *expect_error(struct frames *f, uint8_t type, uint8_t code, uint32_t rest)
{
    struct taken *t = take(f);

    assert_non_null(t);
    assert_int_equal(t->ip6.next, PROTO_ICMP6);
    assert_int_equal(t->l4[0], type);
    assert_int_equal(t->l4[1], code);
    assert_int_equal(get32(t->l4 + 4), rest);
    assert_int_equal(sum_of_taken6(t), 0);
    return t;
}

/* -- out --------------------------------------------------------------------------------------- */

/* The pieces lie end to end; one header stands before each, and the first holds UDP's; the
 * identifications of all datagrams differ. */
/* REQ:8200-4.5-2 REQ:8200-4.5-4 REQ:8200-4.5-5 REQ:5722-4-1 REQ:8200-4.1-1 */
TEST(what_is_cut_lies_end_to_end_and_bears_a_new_number)
{
    static const uint32_t sizes[] = {1453, 1500, 2896, 2897, 5000, 65500};
    static uint32_t seen[300];
    struct frames *f = frames_of(.has_v6 = true);
    int s = udp6_socket(f, 5000);

    for (int i = 0; i < 300; i++) {
        uint32_t len = sizes[i % 5 + (i == 299)], at = 0, id = 0;
        bool has_more = true;

        assert_int_equal(send_pattern6(f, s, THEM6, 7, len), len);
        for (struct taken *t; has_more; at += t->l4_len - IP6_FRAG_LEN) {
            assert_non_null(t = take(f));
            assert_int_equal(t->ip6.next, NEXT_FRAGMENT);
            assert_int_equal(t->l4[0], PROTO_UDP);
            assert_int_equal(t->l4[1], 0);
            has_more = get16(t->l4 + 2) & MORE;
            assert_int_equal(get16(t->l4 + 2) & ~MORE, at);
            assert_true(t->len <= 1500 && (!has_more || t->l4_len % 8 == 0));
            assert_true(at || t->l4_len >= IP6_FRAG_LEN + UDP_LEN);
            assert_true(!at || get32(t->l4 + 4) == id);
            id = get32(t->l4 + 4);
        }
        assert_int_equal(at, len + UDP_LEN);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(seen[k], id);
        seen[i] = id;
    }
    frames_end(f);
}

/* -- in ---------------------------------------------------------------------------------------- */

TEST(pieces_come_in_any_order_up_to_the_largest) /* REQ:8200-5-4 ROW:113 */
{
    static const uint32_t sizes[] = {1500 - IP6_LEN, 5000, 65535 - 7};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t len = sizes[i], n = (len + 1231) / 1232;
        struct frames *f = frames_of(.has_v6 = true);
        int sock = udp6_socket(f, 5000);

        make(len);
        for (uint32_t k = 0; k < n; k++) { /* each second one, then the others backwards */
            uint32_t j = 2 * k < n ? 2 * k : 2 * (n - k) - 1;
            uint32_t left = len - j * 1232;
            const char *v = PIECE(f, .start = (uint16_t)(j * 1232), .has_more = left > 1232,
                                  .len = left > 1232 ? 1232 : left);

            if (k + 1 < n)
                assert_string_equal(v, "kept");
            else
                assert_null(v);
        }
        expect_text(f, sock, len);
        assert_int_equal(frames_stat(f, "Ip6ReasmOKs"), 1);
        frames_end(f);
    }
}

/* Source, destination and identification say what belongs together; not the next header. */
TEST(pieces_of_others_are_never_mixed_in) /* REQ:8200-4.5-6 */
{
    struct frames *f = frames_of(.has_v6 = true);
    int sock = udp6_socket(f, 5000);
    struct weir_addr second = addr6("fd00::11");
    uint8_t lies[400];

    assert_int_equal(weir_addr_add(f->stack, 1, &second, 64), 0);
    memset(lies, 0x55, sizeof lies);
    make(1200);
    expect_kept(.id = 7, .has_more = true, .len = 800);
    expect_kept(.id = 8, .start = 800, .len = 400, .from = lies);
    expect_kept(.id = 7, .start = 800, .len = 400, .from = lies, .src = "fd00::3");
    expect_kept(.id = 7, .start = 800, .len = 400, .from = lies, .dst = "fd00::11");
    assert_null(PIECE(f, .id = 7, .start = 800, .len = 400, .next = PROTO_TCP));
    expect_text(f, sock, 1200);
    frames_end(f);
}

/* Offset 0 and nothing to follow: whole already, whatever waits under its number. */
TEST(a_whole_datagram_in_a_fragment_header_waits_for_nobody) /* REQ:8200-4.5-7 */
{
    struct frames *f = frames_of(.has_v6 = true);
    int sock = udp6_socket(f, 5000);

    make(1200);
    expect_kept(.id = 7, .has_more = true, .len = 800);
    make(100);
    assert_null(PIECE(f, .id = 7, .len = 100));
    expect_text(f, sock, 100);
    assert_null(PIECE(f, .id = 7, .len = 100));
    expect_text(f, sock, 100);
    make(1200);
    assert_null(PIECE(f, .id = 7, .start = 800, .len = 400));
    expect_text(f, sock, 1200);
    assert_int_equal(frames_stat(f, "Ip6ReasmReqds"), 2);
    frames_end(f);
}

TEST(after_sixty_seconds_the_source_is_told) /* REQ:8200-4.5-8 REQ:8200-4.5-9 */
{
    struct frames *f = frames_of(.has_v6 = true);
    int64_t began = f->now_ns;
    struct taken *t;

    make(3000);
    expect_kept(.id = 1, .has_more = true, .len = 1232);
    expect_kept(.id = 2, .start = 1232, .has_more = true, .len = 1232);
    frames_advance(f, 59999999);
    expect_kept(.id = 1, .start = 1232, .has_more = true, .len = 1232); /* not begun anew */
    assert_null(take(f));
    frames_advance(f, 1);
    t = expect_error(f, ICMP6_TIME, 1, 0);
    assert_int_equal(t->at_ns - began, 60 * 1000000000ll);
    assert_memory_equal(t->l4 + FIRST_PARAM + IP6_LEN, datagram, 1000);
    assert_null(take(f)); /* of the other the first piece never came */
    assert_int_equal(frames_stat(f, "Ip6ReasmTimeout"), 2);
    expect_kept(.id = 1, .start = 1232, .has_more = false, .len = 8); /* another one now */
    frames_end(f);
}

/* A length that is no multiple of 8 where more follows, and an end beyond 65,535. */
TEST(lengths_that_can_not_be_are_told) /* REQ:8200-4.5-10 REQ:8200-4.5-11 REQ:8200-4.5-12
                                          REQ:8200-4.5-13 */
{
    struct frames *f = frames_of(.has_v6 = true);
    int sock = udp6_socket(f, 5000);

    make(1200);
    for (uint32_t odd = 1; odd < 8; odd++) {
        expect_drop("ip_fragment_bad", .id = odd, .has_more = true, .len = 800 + odd);
        expect_error(f, ICMP6_PARAM, PARAM6_FIELD, 4); /* payload length */
        expect_drop("ip_fragment_bad", .id = odd, .start = 800, .has_more = true, .len = odd);
        expect_error(f, ICMP6_PARAM, PARAM6_FIELD, 4);
    }
    expect_drop("ip_fragment_bad", .id = 9, .start = 65528, .len = 8, .from = text);
    expect_error(f, ICMP6_PARAM, PARAM6_FIELD, IP6_LEN + 2); /* fragment offset */
    expect_drop("ip_fragment_bad", .id = 9, .start = 64800, .len = 800, .from = text);
    expect_error(f, ICMP6_PARAM, PARAM6_FIELD, IP6_LEN + 2);
    expect_drop("ip_fragment_bad", .id = 9, .start = 800, .len = 0);
    assert_null(take(f));
    expect_kept(.id = 10, .start = 65528, .len = 7, .from = text);
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), -EAGAIN);
    frames_end(f);
}

/* 7112: who can not see the ports in the first piece can not judge it. */
TEST(the_first_piece_holds_all_headers) /* REQ:8200-4.5-14 */
{
    static const struct {
        uint8_t next;
        uint32_t len;
        uint8_t bytes[24];
    } rows[] = {
        {PROTO_UDP, 0, {0}},
        {NEXT_OPTS, 8, {PROTO_UDP, 0, 1, 4}}, /* ends where UDP begins */
        {NEXT_OPTS, 8, {PROTO_UDP, 1, 1, 4}}, /* ends before its own end */
        {NEXT_OPTS, 16, {NEXT_ROUTING, 0, 1, 4, 0, 0, 0, 0, PROTO_TCP, 1}},
        {NEXT_ROUTING, 8, {NEXT_OPTS, 0, 0, 0}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames *f = frames_of(.has_v6 = true);

        expect_drop("ip6_header", .has_more = true, .len = rows[i].len, .next = rows[i].next,
                    .from = rows[i].bytes);
        if (rows[i].next != NEXT_ROUTING)
            expect_error(f, ICMP6_PARAM, PARAM6_CHAIN, 0);
        assert_null(take(f)); /* what follows the route might be an error: 4443#2.4 (e.1) */
        assert_int_equal(frames_stat(f, "Ip6ReasmFails"), 0); /* nothing was kept of it */
        expect_kept(.start = 8, .len = 8, .from = text);
        frames_end(f);
    }
}

/* What overlaps ends the datagram, what came and what comes, and nobody is told; the same piece
 * once more is left out (Linux: what lies within one that came is the same). */
TEST(overlaps_end_the_datagram_in_silence) /* REQ:8200-4.5-15 REQ:8200-4.5-16 */
{
    static const struct {
        uint16_t start;
        uint32_t len;
        bool is_other, is_last;
        const char *why;
    } rows[] = {
        {400, 400, false, false, "ip_fragment_duplicate"}, /* all of it, the same */
        {400, 400, true, false, "ip_fragment_overlap"},    /* all of it, other bytes */
        {0, 408, false, false, "ip_fragment_overlap"},     /* its first 8 bytes */
        {792, 408, false, true, "ip_fragment_overlap"},    /* its last */
        {480, 80, true, false, "ip_fragment_overlap"},     /* its middle */
        {0, 1200, false, false, "ip_fragment_overlap"},    /* around it */
        {8, 592, false, true, "ip_fragment_overlap"},      /* an end before its end */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames *f = frames_of(.has_v6 = true);
        int sock = udp6_socket(f, 5000);
        uint8_t other[1200];
        bool is_dead = rows[i].why[12] == 'o';
        const char *v;

        make(1200);
        for (uint32_t k = 0; k < sizeof other; k++)
            other[k] = (uint8_t)(datagram[k] ^ rows[i].is_other);
        expect_kept(.start = 400, .has_more = true, .len = 400);
        expect_drop(rows[i].why, .start = rows[i].start, .has_more = !rows[i].is_last,
                    .len = rows[i].len, .from = other + rows[i].start);
        v = PIECE(f, .has_more = true, .len = 400);
        assert_string_equal(v, is_dead ? "ip_fragment_overlap" : "kept");
        v = PIECE(f, .start = 800, .len = 400);
        if (is_dead) {
            assert_string_equal(v, "ip_fragment_overlap");
            frames_advance(f, 61000000);
        } else {
            assert_null(v);
            expect_text(f, sock, 1200);
        }
        assert_null(take(f));
        assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), -EAGAIN);
        frames_end(f);
    }
}

int main(void)
{
    return peer_tests_run("fragments6");
}
