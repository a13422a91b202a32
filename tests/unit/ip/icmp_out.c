/* ICMP messages that go out: when an error is sent, what it says, how many. */
#include "ip_bench.h"

#define OFFENCE                                                                \
    {                                                                          \
        .type = ICMP4_UNREACH, .code = UNREACH_PORT, .local = US, .ifindex = 1 \
    }

static uint8_t packet[2048];

static struct icmp_offence about(struct ip4 h, const void *payload, uint32_t len)
{
    struct icmp_offence o = OFFENCE;

    o.part[0] = (struct weir_slice){packet, build_ip(packet, h, payload, len)};
    o.parts = 1;
    return o;
}

static struct ip4 udp_from_peer(void)
{
    return (struct ip4){.proto = PROTO_UDP, .src = 0x0a000002, .dst = 0x0a000001};
}

static enum drop send_error(struct bench *b, const struct icmp_offence *o)
{
    return icmp_error_send(&b->ip, o, b->now);
}

/* REQ:1122-3.2.2-3 REQ:792-Formats-3 REQ:792-Formats-2 REQ:1122-3.2.2-5 */
static void an_error_quotes_the_packet_unchanged_within_576_bytes(void **state)
{
    uint8_t payload[1480], bytes[2048];
    struct weir_addr us = US, peer = PEER;
    struct icmp_offence o;
    struct icmp_out out;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 13);
    o = about(udp_from_peer(), payload, 100);
    memset(packet + 120, 0xee, 26); /* padding of the link, no part of the packet */
    o.part[0].len = 60;
    o.part[1] = (struct weir_slice){packet + 60, 86};
    o.parts = 2;
    assert_int_equal(send_error(&b, &o), PASS);
    assert_int_equal(pull(&b, 1, &out, bytes), 8 + 120);
    assert_int_equal(bytes[0], ICMP4_UNREACH);
    assert_int_equal(bytes[1], UNREACH_PORT);
    assert_int_equal(get32(bytes + 4), 0);
    assert_memory_equal(bytes + 8, packet, 120);
    assert_true(weir_addr_equal(&out.src, &us) && weir_addr_equal(&out.dst, &peer));
    assert_int_equal(out.tos, 0);
    o = about(udp_from_peer(), payload, sizeof payload);
    assert_int_equal(send_error(&b, &o), PASS);
    assert_int_equal(pull(&b, 1, &out, bytes), 576 - IP4_LEN);
    assert_memory_equal(bytes + 8, packet, 548);
    bench_close(&b);
}

static void expect_silence(struct bench *b, const struct icmp_offence *o)
{
    assert_int_equal(send_error(b, o), DROP_icmp_ignored);
    assert_false(icmp_error_may_send(o));
    assert_false(ip_has_output(&b->ip, 1));
}

/* attack 70 REQ:1122-3.2.2-6 REQ:792-Intro-2 */
static void no_error_about_an_error(void **state)
{
    struct ip4 h = udp_from_peer();
    struct icmp_offence o;
    struct bench b;

    (void)state;
    bench_open(&b);
    h.proto = PROTO_ICMP;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t message[8] = {(uint8_t)type};
        bool is_query = type == 0 || type == 8 || (type >= 13 && type <= 18);

        o = about(h, message, sizeof message);
        assert_int_equal(icmp_error_may_send(&o), is_query);
    }
    o = about(h, "\3\1aaaaaa", 8);
    expect_silence(&b, &o);
    o = about(h, "", 0);
    expect_silence(&b, &o);
    bench_close(&b);
}

/* attack 70 REQ:1122-3.2.2-7 REQ:1122-3.2.2-8 REQ:1122-3.2.2-9 */
static void no_error_about_groups_or_later_fragments(void **state)
{
    struct ip4 h = udp_from_peer();
    struct icmp_offence o = about(h, "12345678", 8);
    struct bench b;

    (void)state;
    bench_open(&b);
    o.is_group = true; /* the stack knows subnets and link destinations */
    expect_silence(&b, &o);
    h.dst = 0xe0000001;
    o = about(h, "12345678", 8);
    expect_silence(&b, &o);
    h.dst = 0xffffffff;
    o = about(h, "12345678", 8);
    expect_silence(&b, &o);
    h = udp_from_peer();
    h.frag = 1;
    o = about(h, "12345678", 8);
    expect_silence(&b, &o);
    h.frag = IP4_MF;
    o = about(h, "12345678", 8);
    assert_int_equal(send_error(&b, &o), PASS);
    bench_close(&b);
}

/* REQ:1122-3.2.2-10 */
static void no_error_to_who_is_no_single_host(void **state)
{
    static const uint32_t sources[] = {0, 0x7f000001, 0xffffffff, 0xe0000001, 0xf0000001};
    struct ip4 h = udp_from_peer();
    struct icmp_offence o;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        h.src = sources[i];
        o = about(h, "12345678", 8);
        expect_silence(&b, &o);
    }
    o = about(udp_from_peer(), "12345678", 8);
    o.is_source_bad = true;
    expect_silence(&b, &o);
    o.is_source_bad = false;
    assert_int_equal(send_error(&b, &o), PASS);
    h.src = 0x7f000001;
    o = about(h, "12345678", 8);
    o.iface_flags = WEIR_IF_LOOPBACK_OK;
    assert_int_equal(send_error(&b, &o), PASS);
    bench_close(&b);
}

static uint32_t burst(struct bench *b)
{
    struct icmp_offence o = about(udp_from_peer(), "12345678", 8);
    uint8_t bytes[128];
    struct icmp_out out;
    uint32_t n = 0;

    for (int i = 0; i < 10000; i++) {
        enum drop d = send_error(b, &o);

        assert_true(d == PASS || d == DROP_icmp_rate);
        n += d == PASS;
        while (pull(b, 1, &out, bytes))
            ;
    }
    return n;
}

/* attack 68: SAD DNS counted on exactly 50. */
static void errors_are_limited_and_nobody_can_count_the_limit(void **state)
{
    uint32_t least = UINT32_MAX, most = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct bench b;
        uint32_t n;

        bench_open_seed(&b, seed);
        assert_int_equal(add_route(&b, v4(0, 0, 0, 0), 0, 1, 0), 0);
        n = burst(&b);
        least = n < least ? n : least;
        most = n > most ? n : most;
        b.now += SECOND / 1000; /* one more, on average */
        assert_in_range(burst(&b), 0, 20);
        b.now += 3600 * SECOND; /* the bucket does not grow */
        assert_in_range(burst(&b), 25, 100);
        bench_close(&b);
    }
    assert_in_range(least, 25, 49);
    assert_in_range(most, 51, 100);
}

static void the_rate_holds_over_time_however_the_calls_fall(void **state)
{
    struct icmp_offence o = about(udp_from_peer(), "12345678", 8);
    uint8_t bytes[128];
    struct icmp_out out;
    uint32_t n = 0;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (int64_t t = 0; t < 10 * SECOND; t += 137) {
        b.now += 137;
        n += send_error(&b, &o) == PASS;
        while (pull(&b, 1, &out, bytes))
            ;
    }
    assert_in_range(n, 9500, 10800); /* 10 s of 1,000 */
    bench_close(&b);
}

static void answers_are_bounded_in_bytes_and_the_buffer_is_given_back(void **state)
{
    uint8_t message[1008] = {ICMP4_ECHO}, bytes[2048];
    struct icmp_view v = {
        .src = PEER, .dst = US, .local = US, .part = {{message, sizeof message}}, .parts = 1};
    struct icmp_event e;
    struct icmp_out out;
    struct bench b;
    int kept = 0;

    (void)state;
    bench_open(&b);
    icmp4_seal(message, sizeof message);
    while (icmp_input(&b.ip, &v, &e) == PASS)
        kept++;
    assert_in_range(kept, 120, 130);
    assert_true(b.ip.answer_bytes <= 131072);
    assert_int_equal(icmp_input(&b.ip, &v, &e), DROP_reply_queue);
    for (; kept; kept--)
        assert_int_equal(pull(&b, 1, &out, bytes), sizeof message);
    assert_int_equal(b.ip.answer_bytes, 0);
    assert_non_null(b.ip.answer[1].buf); /* its bytes may still be on their way */
    ip_settle(&b.ip);
    assert_null(b.ip.answer[1].buf);
    b.faulty.left = 0;
    b.mem.max = b.mem.held;
    assert_int_equal(icmp_input(&b.ip, &v, &e), DROP_reply_queue);
    bench_close(&b);
}

static void answers_leave_where_the_route_leads(void **state)
{
    struct icmp_offence o = about(udp_from_peer(), "12345678", 8);
    uint8_t bytes[128];
    struct icmp_out out;
    struct bench b;

    (void)state;
    bench_open_seed(&b, 1);
    assert_int_equal(send_error(&b, &o), DROP_ip_no_route);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 24, 5, 0), 0);
    assert_int_equal(send_error(&b, &o), PASS);
    assert_int_equal(pull(&b, 1, &out, bytes), 0);
    assert_true(ip_has_output(&b.ip, 5));
    assert_true(pull(&b, 5, &out, bytes));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_quotes_the_packet_unchanged_within_576_bytes),
        cmocka_unit_test(no_error_about_an_error),
        cmocka_unit_test(no_error_about_groups_or_later_fragments),
        cmocka_unit_test(no_error_to_who_is_no_single_host),
        cmocka_unit_test(errors_are_limited_and_nobody_can_count_the_limit),
        cmocka_unit_test(the_rate_holds_over_time_however_the_calls_fall),
        cmocka_unit_test(answers_are_bounded_in_bytes_and_the_buffer_is_given_back),
        cmocka_unit_test(answers_leave_where_the_route_leads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
