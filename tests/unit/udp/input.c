/* Which socket gets a datagram, what is refused, and ICMP errors about datagrams. */
#include "udp_bench.h"

/* attack 58 REQ:1122-4.1.3.4-1 REQ:1122-4.1.3.4-2 REQ:768-Fields-3 */
static void a_damaged_datagram_is_dropped_wherever_the_damage_is(void **state)
{
    struct udp_view v = {.src = PEER, .dst = US, .ifindex = 1};
    static struct wire w;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 53);
    wire_of(&w, &v, 77, 53, "odd length!");
    for (uint32_t bit = 0; bit < w.len * 8; bit++) {
        w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(input_wire(&b, v, &w), PASS);
        w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    v.src = v4(10, 0, 0, 3); /* the addresses are covered too */
    assert_int_equal(input_wire(&b, v, &w), DROP_udp_checksum);
    assert_null(read_from(&b, s));
    v.src = PEER;
    assert_int_equal(input_wire(&b, v, &w), PASS);
    w.bytes[UDP_LEN] ^= 1;
    v.flags = WEIR_CSUM_VALID; /* the link vouches */
    assert_int_equal(input_wire(&b, v, &w), PASS);
    v.flags = WEIR_CSUM_PARTIAL; /* never left this machine */
    assert_int_equal(input_wire(&b, v, &w), PASS);
    bench_close(&b);
}

/* REQ:768-Fields-5 attack 58 */
static void no_checksum_is_fine_over_ipv4_only(void **state)
{
    struct udp_view v = {.src = PEER, .dst = US, .ifindex = 1};
    static struct wire w;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, (struct weir_addr){0}, 53); /* :: is both families */
    wire_of(&w, &v, 77, 53, "plain");
    w.bytes[6] = w.bytes[7] = 0;
    assert_int_equal(input_wire(&b, v, &w), PASS);
    assert_string_equal(read_from(&b, s), "plain");
    v.src = v.dst = (struct weir_addr){.b = {0xfd, 1}};
    assert_int_equal(input_wire(&b, v, &w), DROP_udp_checksum);
    wire_of(&w, &v, 77, 53, "six");
    assert_int_equal(input_wire(&b, v, &w), PASS);
    assert_string_equal(read_from(&b, s), "six");
    udp_close(&b.u, s);
    s = open_on(&b, ANY, 53); /* 0.0.0.0 is IPv4 only */
    assert_int_equal(input_wire(&b, v, &w), DROP_udp_no_port);
    bench_close(&b);
}

/* REQ:768-Fields-2 */
static void lengths_are_judged_and_padding_is_cut(void **state)
{
    struct udp_view v = {.src = PEER, .dst = US, .ifindex = 1};
    static struct wire w;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, US, 53);
    wire_of(&w, &v, 77, 53, "1234");
    for (w.len = 0; w.len < UDP_LEN; w.len++)
        assert_int_equal(input_wire(&b, v, &w), DROP_udp_short);
    for (; w.len < UDP_LEN + 4; w.len++)
        assert_int_equal(input_wire(&b, v, &w), DROP_udp_len);
    put16(w.bytes + 4, 7);
    assert_int_equal(input_wire(&b, v, &w), DROP_udp_len);
    wire_of(&w, &v, 77, 53, "1234");
    memset(w.bytes + w.len, 0xee, 20);
    w.len += 20;
    assert_int_equal(input_wire(&b, v, &w), PASS);
    assert_string_equal(read_from(&b, s), "1234");
    bench_close(&b);
}

/* Headers and payload may be cut anywhere into three parts. */
static void any_cut_gives_the_same_bytes(void **state)
{
    struct udp_view v = {.src = PEER, .dst = US, .ifindex = 1, .parts = 3};
    static struct wire w;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, US, 53);
    wire_of(&w, &v, 77, 53, "thirteen char");
    for (uint32_t i = 0; i <= w.len; i++) {
        for (uint32_t k = i; k <= w.len; k++) {
            v.part[0] = (struct weir_slice){w.bytes, i};
            v.part[1] = (struct weir_slice){w.bytes + i, k - i};
            v.part[2] = (struct weir_slice){w.bytes + k, w.len - k};
            assert_int_equal(udp_input(&b.u, &v), PASS);
            assert_string_equal(read_from(&b, s), "thirteen char");
        }
    }
    bench_close(&b);
}

static void the_best_match_gets_it(void **state)
{
    uint32_t any, exact, connected, wildcard_port;
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(input(&b, 53, 2000, "x"), DROP_udp_no_port);
    wildcard_port = udp_open(&b.u, PROTO_UDP, 1);
    assert_int_equal(udp_bind_any_port(&b.u, wildcard_port), 0);
    assert_int_equal(input(&b, 53, 2000, "catch-all"), PASS);
    any = open_on(&b, ANY, 53);
    assert_int_equal(input(&b, 53, 2000, "any"), PASS);
    exact = open_on(&b, US, 53);
    assert_int_equal(input(&b, 53, 2000, "exact"), PASS);
    connected = udp_open(&b.u, PROTO_UDP, 2);
    assert_int_equal(connect_to(&b, connected, 53, 2000), 0);
    assert_int_equal(input(&b, 53, 2000, "connected"), PASS);
    assert_int_equal(input(&b, 53, 2001, "exact again"), PASS);
    assert_int_equal(input_to(&b, v4(10, 0, 0, 9), 53, 2000, "any again"), PASS);
    assert_int_equal(input(&b, 54, 2000, "catch-all again"), PASS);
    assert_string_equal(read_from(&b, wildcard_port), "catch-all");
    assert_string_equal(read_from(&b, wildcard_port), "catch-all again");
    assert_string_equal(read_from(&b, any), "any");
    assert_string_equal(read_from(&b, any), "any again");
    assert_string_equal(read_from(&b, exact), "exact");
    assert_string_equal(read_from(&b, exact), "exact again");
    assert_string_equal(read_from(&b, connected), "connected");
    assert_null(read_from(&b, any));
    bench_close(&b);
}

static void an_interface_may_be_demanded_and_then_counts_more(void **state)
{
    struct bench b;
    uint32_t all, one;

    (void)state;
    bench_open(&b);
    one = open_on(&b, ANY, 53);
    udp_at(&b.u, one)->ifindex = 2;
    assert_int_equal(input(&b, 53, 1, "x"), DROP_udp_no_port); /* comes in through 1 */
    all = open_on(&b, ANY, 53);
    assert_int_equal(input(&b, 53, 1, "all"), PASS);
    udp_at(&b.u, one)->ifindex = 1;
    assert_int_equal(input(&b, 53, 1, "one"), PASS);
    assert_string_equal(read_from(&b, all), "all");
    assert_string_equal(read_from(&b, one), "one");
    bench_close(&b);
}

static void of_equals_the_newest_gets_it_or_the_flow_decides(void **state)
{
    uint32_t s[4], got[4] = {0}, before = 0;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (int i = 0; i < 4; i++)
        s[i] = open_on(&b, ANY, 53);
    assert_int_equal(input(&b, 53, 1, "x"), PASS);
    assert_string_equal(read_from(&b, s[3]), "x");
    for (int i = 0; i < 4; i++)
        udp_at(&b.u, s[i])->options = UDP_REUSEPORT;
    for (uint16_t sport = 1; sport <= 1000; sport++)
        for (int twice = 0; twice < 2; twice++)
            assert_int_equal(input(&b, 53, sport, "x"), PASS);
    for (int i = 0; i < 4; i++) {
        while (read_from(&b, s[i]))
            got[i]++;
        assert_in_range(got[i], 400, 600); /* of 2,000 */
        assert_int_equal(got[i] % 2, 0);   /* a flow stays where it is */
    }
    before = got[0] + got[1] + got[2];
    udp_close(&b.u, s[3]);
    for (uint16_t sport = 1; sport <= 1000; sport++)
        assert_int_equal(input(&b, 53, sport, "x"), PASS);
    got[0] = got[1] = got[2] = 0;
    for (int i = 0; i < 3; i++)
        while (read_from(&b, s[i]))
            got[i]++;
    assert_int_equal(got[0] + got[1] + got[2], 1000);
    assert_true(got[0] >= before / 8); /* each kept its own flows */
    bench_close(&b);
}

static void groups_reach_all_that_match(void **state)
{
    struct udp_view v = {.src = PEER, .dst = v4(10, 0, 0, 255), .ifindex = 1, .is_group = true};
    uint32_t any, any_too, exact, other, connected, catch_all;
    static struct wire w;
    struct bench b;

    (void)state;
    bench_open(&b);
    any = open_on(&b, ANY, 53);
    any_too = open_on(&b, ANY, 53);
    exact = open_on(&b, v4(10, 0, 0, 255), 53);
    other = open_on(&b, US, 53);
    connected = udp_open(&b.u, PROTO_UDP, 2);
    assert_int_equal(connect_to(&b, connected, 53, 77), 0);
    wire_of(&w, &v, 77, 53, "all");
    assert_int_equal(input_wire(&b, v, &w), PASS);
    assert_string_equal(read_from(&b, any), "all");
    assert_string_equal(read_from(&b, any_too), "all");
    assert_string_equal(read_from(&b, exact), "all");
    assert_null(read_from(&b, other));
    assert_null(read_from(&b, connected));
    wire_of(&w, &v, 77, 54, "none");
    assert_int_equal(input_wire(&b, v, &w), DROP_udp_no_listener);
    catch_all = udp_open(&b.u, PROTO_UDP, 3);
    assert_int_equal(udp_bind_any_port(&b.u, catch_all), 0);
    assert_int_equal(input_wire(&b, v, &w), PASS);
    assert_string_equal(read_from(&b, catch_all), "none");
    bench_close(&b);
}

static void a_full_receive_buffer_drops_the_new_and_counts(void **state)
{
    static char text[1001];
    struct bench b;
    int taken = 0;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 53);
    udp_at(&b.u, s)->rcvbuf = 5000;
    memset(text, 'x', 1000);
    while (input(&b, 53, 1, text) == PASS)
        taken++;
    assert_int_equal(taken, 4);
    assert_int_equal(input(&b, 53, 1, text), DROP_udp_buffer);
    assert_int_equal(udp_at(&b.u, s)->dropped, 2);
    assert_true(udp_at(&b.u, s)->rx.len <= 5000);
    while (udp_readiness(&b.u, s) & WEIR_READY_IN)
        read_from(&b, s);
    udp_at(&b.u, s)->rcvbuf = 100;
    assert_int_equal(input(&b, 53, 1, text), PASS); /* one is always taken */
    assert_int_equal(input(&b, 53, 1, "x"), DROP_udp_buffer);
    bench_close(&b);
}

static void marks_come_once_with_what_happened(void **state)
{
    struct udp_marked m;
    struct bench b;
    uint32_t s, t;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 53);
    t = open_on(&b, ANY, 54);
    assert_int_equal(input(&b, 54, 1, "x"), PASS);
    assert_int_equal(input(&b, 53, 1, "x"), PASS);
    assert_int_equal(input(&b, 54, 1, "x"), PASS);
    assert_true(udp_next_marked(&b.u, &m));
    assert_int_equal(m.index, t);
    assert_int_equal(m.marks, UDP_MARK_IN);
    assert_true(udp_next_marked(&b.u, &m));
    assert_int_equal(m.index, s);
    assert_false(udp_next_marked(&b.u, &m));
    bench_close(&b);
}

static enum drop fault(struct bench *b, bool is_hard)
{
    struct udp_fault f = {.local = US,
                          .remote = PEER,
                          .lport = 1000,
                          .rport = 2000,
                          .proto = PROTO_UDP,
                          .is_hard = is_hard,
                          .error = ECONNREFUSED};

    return udp_on_icmp_error(&b->u, &f);
}

/* REQ:1122-4.1.3.3-1 */
static void an_icmp_error_reaches_the_connected_socket(void **state)
{
    char data[4];
    struct udp_message m = {.data = data, .room = sizeof data};
    struct udp_marked marked;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    assert_int_equal(fault(&b, true), DROP_icmp_unmatched);
    s = open_on(&b, ANY, 1000);
    assert_int_equal(fault(&b, true), PASS); /* unconnected: whom would it concern? */
    assert_int_equal(udp_at(&b.u, s)->error, 0);
    assert_int_equal(connect_to(&b, s, 1000, 2000), 0);
    assert_int_equal(fault(&b, false), PASS);
    assert_int_equal(udp_at(&b.u, s)->error, 0); /* a hint: Linux keeps it to itself */
    assert_int_equal(input(&b, 1000, 2000, "data"), PASS);
    assert_int_equal(fault(&b, true), PASS);
    assert_true(udp_next_marked(&b.u, &marked));
    assert_int_equal(marked.marks, UDP_MARK_IN | UDP_MARK_ERROR);
    assert_true(udp_readiness(&b.u, s) & WEIR_READY_ERR);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), -ECONNREFUSED);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), 4);
    assert_int_equal(fault(&b, true), PASS);
    assert_int_equal(send_text(&b, s, 1, "x"), -ECONNREFUSED);
    assert_int_equal(send_text(&b, s, 1, "x"), 1);
    assert_int_equal(fault(&b, true), PASS);
    assert_int_equal(udp_take_error(&b.u, s), ECONNREFUSED);
    assert_int_equal(udp_take_error(&b.u, s), 0);
    udp_at(&b.u, s)->options = UDP_RECVERR;
    assert_int_equal(fault(&b, false), PASS);
    assert_int_equal(udp_take_error(&b.u, s), ECONNREFUSED);
    bench_close(&b);
}

static enum drop input_icmp(struct bench *b, uint16_t id, const char *text)
{
    struct udp_view v = {.src = PEER,
                         .dst = US,
                         .ifindex = 1,
                         .part = {{(const uint8_t *)text, (uint32_t)strlen(text)}},
                         .parts = 1};

    return udp_input_icmp(&b->u, &v, id);
}

/* REQ:1122-3.2.2.6-7 REQ:1122-3.2.2.6-2 */
static void echo_replies_reach_their_identifier_and_whoever_wants_all(void **state)
{
    struct weir_addr any = ANY;
    struct bench b;
    uint32_t ping, raw, udp;

    (void)state;
    bench_open(&b);
    assert_int_equal(input_icmp(&b, 7, "message"), DROP_udp_no_listener);
    udp = open_on(&b, ANY, 7);
    ping = udp_open(&b.u, PROTO_ICMP, 1);
    assert_int_equal(udp_bind(&b.u, ping, &any, 7), 0);
    assert_int_equal(input_icmp(&b, 7, "message"), PASS);
    assert_int_equal(input_icmp(&b, 8, "message"), DROP_udp_no_listener);
    raw = udp_open(&b.u, PROTO_ICMP, 2);
    assert_int_equal(udp_bind(&b.u, raw, &any, 0), 0);
    assert_int_equal(input_icmp(&b, 8, "for raw"), PASS);
    assert_int_equal(input_icmp(&b, 7, "for both"), PASS);
    assert_string_equal(read_from(&b, ping), "message");
    assert_string_equal(read_from(&b, ping), "for both");
    assert_string_equal(read_from(&b, raw), "for raw");
    assert_string_equal(read_from(&b, raw), "for both");
    assert_null(read_from(&b, udp));
    assert_int_equal(input(&b, 7, 1, "datagram"), PASS); /* nor the other way round */
    assert_string_equal(read_from(&b, udp), "datagram");
    assert_null(read_from(&b, ping));
    assert_null(read_from(&b, raw));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_datagram_is_dropped_wherever_the_damage_is),
        cmocka_unit_test(no_checksum_is_fine_over_ipv4_only),
        cmocka_unit_test(lengths_are_judged_and_padding_is_cut),
        cmocka_unit_test(any_cut_gives_the_same_bytes),
        cmocka_unit_test(the_best_match_gets_it),
        cmocka_unit_test(an_interface_may_be_demanded_and_then_counts_more),
        cmocka_unit_test(of_equals_the_newest_gets_it_or_the_flow_decides),
        cmocka_unit_test(groups_reach_all_that_match),
        cmocka_unit_test(a_full_receive_buffer_drops_the_new_and_counts),
        cmocka_unit_test(marks_come_once_with_what_happened),
        cmocka_unit_test(an_icmp_error_reaches_the_connected_socket),
        cmocka_unit_test(echo_replies_reach_their_identifier_and_whoever_wants_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
