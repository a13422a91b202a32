/* ICMP messages that come in. */
#include "ip_bench.h"

struct message {
    uint8_t bytes[2048];
    uint32_t len;
};

static struct message message_of(struct icmp4 h, const void *data, uint32_t len)
{
    struct message m = {.len = ICMP_LEN + len};

    icmp4_emit(m.bytes, &h);
    if (len)
        memcpy(m.bytes + ICMP_LEN, data, len);
    icmp4_seal(m.bytes, m.len);
    return m;
}

/* Cut at `cut`, so that headers and payload lie apart. */
static enum drop input_cut(struct bench *b, const struct message *m, uint32_t cut,
                           struct icmp_event *e)
{
    struct icmp_view v = {
        .src = PEER, .dst = US, .local = US, .ifindex = 1, .ttl = 9, .tos = 0x10, .parts = 2};

    v.part[0] = (struct weir_slice){m->bytes, cut};
    v.part[1] = (struct weir_slice){walled(m->bytes + cut, m->len - cut), m->len - cut};
    memset(e, 0x5a, sizeof *e);
    return icmp_input(&b->ip, &v, e);
}

static enum drop input(struct bench *b, const struct message *m, struct icmp_event *e)
{
    return input_cut(b, m, m->len < ICMP_LEN ? m->len : ICMP_LEN, e);
}

/* REQ:792-Echo-1 REQ:1122-3.2.2.6-1 REQ:1122-3.2.2.6-5 REQ:1122-3.2.2.6-4 REQ:792-Formats-1 */
static void an_echo_request_is_answered_with_all_its_data(void **state)
{
    struct icmp_event e;
    struct icmp_out out;
    struct weir_addr us = US, peer = PEER;
    uint8_t data[1472], bytes[2048];
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (uint32_t n = 0; n <= sizeof data; n += n < 70 ? 1 : 331) {
        struct message m = message_of((struct icmp4){ICMP4_ECHO, 0, 0x12340000 + n}, data, n);

        for (uint32_t cut = 0; cut <= m.len; cut += cut < 12 ? 1 : 97) {
            assert_int_equal(input_cut(&b, &m, cut, &e), PASS);
            assert_int_equal(e.kind, ICMP_EVENT_NONE);
            assert_true(ip_has_output(&b.ip, 1));
            assert_int_equal(pull(&b, 1, &out, bytes), m.len);
            assert_int_equal(bytes[0], ICMP4_ECHO_REPLY);
            assert_int_equal(bytes[1], 0);
            assert_memory_equal(bytes + 4, m.bytes + 4, m.len - 4);
            assert_true(weir_addr_equal(&out.src, &us) && weir_addr_equal(&out.dst, &peer));
            assert_int_equal(out.ttl, 64);
            assert_int_equal(out.tos, 0x10);
            assert_false(ip_has_output(&b.ip, 1));
            ip_settle(&b.ip);
        }
    }
    bench_close(&b);
}

/* REQ:1122-3.2.2.6-3 */
static void echo_can_be_refused_for_all_or_for_groups(void **state)
{
    struct message m = message_of((struct icmp4){ICMP4_ECHO, 0, 1}, "x", 1);
    struct icmp_view v = {.src = PEER,
                          .dst = v4(10, 0, 0, 255),
                          .local = US,
                          .is_group = true,
                          .part = {{m.bytes, m.len}},
                          .parts = 1};
    struct icmp_event e;
    struct icmp_out out;
    struct weir_addr us = US;
    uint8_t bytes[64];
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(icmp_input(&b.ip, &v, &e), DROP_icmp_echo_refused);
    b.ip.config.icmp_echo_ignore_broadcasts = 0;
    assert_int_equal(icmp_input(&b.ip, &v, &e), PASS);
    assert_int_equal(pull(&b, 1, &out, bytes), m.len);
    assert_true(weir_addr_equal(&out.src, &us)); /* not the group */
    b.ip.config.icmp_echo_ignore_all = 1;
    assert_int_equal(input(&b, &m, &e), DROP_icmp_echo_refused);
    assert_false(ip_has_output(&b.ip, 1));
    bench_close(&b);
}

/* attack 58 */
static void damaged_messages_are_dropped(void **state)
{
    struct message m = message_of((struct icmp4){ICMP4_ECHO, 0, 1}, "abcdefg", 7);
    struct icmp_event e;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (uint32_t i = 0; i < m.len * 8; i++) {
        m.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(input(&b, &m, &e), DROP_icmp_checksum);
        m.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (m.len = 0; m.len < ICMP_LEN; m.len++)
        assert_int_equal(input(&b, &m, &e), DROP_icmp_short);
    assert_false(ip_has_output(&b.ip, 1));
    bench_close(&b);
}

static void an_echo_reply_is_for_whoever_has_the_identifier(void **state)
{
    struct message m = message_of((struct icmp4){ICMP4_ECHO_REPLY, 0, 0xbeef0001}, "x", 1);
    struct icmp_event e;
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(input(&b, &m, &e), PASS);
    assert_int_equal(e.kind, ICMP_EVENT_REPLY);
    assert_int_equal(e.id, 0xbeef);
    assert_false(ip_has_output(&b.ip, 1));
    bench_close(&b);
}

/* attack 67 REQ:6633-3-2 REQ:1122-3.2.2-1 REQ:1122-3.2.2.9-4 */
static void what_is_withdrawn_or_unknown_is_dropped_by_name(void **state)
{
    struct icmp_event e;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (unsigned type = 0; type < 256; type++) {
        struct message m = message_of((struct icmp4){(uint8_t)type, 0, 0}, "quote?", 6);
        enum drop d = input(&b, &m, &e);

        if (type == 4 || (type >= 13 && type <= 18))
            assert_int_equal(d, DROP_icmp_ignored);
        else if (type == 3 || type == 5 || type == 11 || type == 12)
            assert_int_equal(d, DROP_icmp_quote);
        else if (type != 0 && type != 8)
            assert_int_equal(d, DROP_icmp_type);
        if (type != 0)
            assert_int_equal(e.kind, ICMP_EVENT_NONE);
    }
    bench_close(&b);
}

/* A quote of our packet 10.0.0.1:1000 > 10.0.0.2:2000. */
static uint32_t quote_of(uint8_t *p, uint8_t proto, uint16_t frag)
{
    struct ip4 h = {.proto = proto, .frag = frag, .src = 0x0a000001, .dst = 0x0a000002, .ttl = 1};
    uint8_t eight[8];

    put16(eight, 1000);
    put16(eight + 2, 2000);
    put32(eight + 4, 0xdeadbeef);
    return build_ip(p, h, eight, sizeof eight);
}

/* REQ:1122-3.2.2.1-5 */
static void an_error_is_read_for_the_transport_of_its_quote(void **state)
{
    static const struct {
        uint8_t type, code;
        int error;
        bool is_hard;
    } want[] = {
        {ICMP4_UNREACH, UNREACH_NET, ENETUNREACH, false},
        {ICMP4_UNREACH, UNREACH_HOST, EHOSTUNREACH, false},
        {ICMP4_UNREACH, UNREACH_PROTO, ENOPROTOOPT, true},
        {ICMP4_UNREACH, UNREACH_PORT, ECONNREFUSED, true},
        {ICMP4_UNREACH, UNREACH_FRAG, EMSGSIZE, true},
        {ICMP4_UNREACH, UNREACH_SRCRT, EOPNOTSUPP, false},
        {ICMP4_UNREACH, UNREACH_ADMIN, EHOSTUNREACH, true},
        {ICMP4_TIME, 0, EHOSTUNREACH, false},
        {ICMP4_PARAM, 0, EPROTO, true},
    };
    struct weir_addr us = US, peer = PEER;
    struct icmp_event e;
    uint8_t quote[64];
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        uint8_t proto = i % 2 ? PROTO_TCP : PROTO_UDP;
        uint32_t n = quote_of(quote, proto, IP4_DF);
        struct message m = message_of((struct icmp4){want[i].type, want[i].code, 1400}, quote, n);

        assert_int_equal(input(&b, &m, &e), PASS);
        assert_int_equal(e.kind, ICMP_EVENT_ERROR);
        assert_int_equal(e.error.error, want[i].error);
        assert_int_equal(e.error.is_hard, want[i].is_hard);
        assert_int_equal(e.error.mtu, want[i].error == EMSGSIZE ? 1400 : 0);
        assert_int_equal(e.error.proto, proto);
        assert_int_equal(e.error.lport, 1000);
        assert_int_equal(e.error.rport, 2000);
        assert_int_equal(e.error.seq, 0xdeadbeef);
        assert_true(weir_addr_equal(&e.error.local, &us));
        assert_true(weir_addr_equal(&e.error.remote, &peer));
        assert_true(weir_addr_equal(&e.error.from, &peer));
    }
    bench_close(&b);
}

/* REQ:1191-3-7 REQ:1191-5-1 */
static void an_old_router_names_no_mtu_and_the_next_plateau_is_taken(void **state)
{
    static const uint32_t want[][2] = {{1500, 1492}, {1492, 1006}, {65535, 32000}, {576, 508},
                                       {4352, 2002}, {296, 68},    {68, 68},       {20, 68}};
    struct icmp_event e;
    uint8_t quote[64];
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        uint32_t n = quote_of(quote, PROTO_TCP, IP4_DF);
        struct message m;

        put16(quote + 2, (uint16_t)want[i][0]);
        m = message_of((struct icmp4){ICMP4_UNREACH, UNREACH_FRAG, 0}, quote, n);
        assert_int_equal(input(&b, &m, &e), PASS);
        assert_int_equal(e.error.mtu, want[i][1]);
    }
    bench_close(&b);
}

/* attack 63 */
static void a_quote_that_is_short_or_no_packet_of_ours_is_dropped(void **state)
{
    struct icmp4 h = {ICMP4_UNREACH, UNREACH_PORT, 0};
    struct icmp_event e;
    uint8_t quote[64];
    uint32_t n = quote_of(quote, PROTO_UDP, 0);
    struct message m;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (uint32_t i = 0; i < n; i++) {
        m = message_of(h, quote, i);
        assert_int_equal(input(&b, &m, &e), DROP_icmp_quote);
        assert_int_equal(e.kind, ICMP_EVENT_NONE);
    }
    quote[0] = 0x65;
    m = message_of(h, quote, n);
    assert_int_equal(input(&b, &m, &e), DROP_icmp_quote);
    quote[0] = 0x44;
    m = message_of(h, quote, n);
    assert_int_equal(input(&b, &m, &e), DROP_icmp_quote);
    quote[0] = 0x4f; /* options reach past the quote */
    m = message_of(h, quote, n);
    assert_int_equal(input(&b, &m, &e), DROP_icmp_quote);
    quote_of(quote, PROTO_UDP, 5); /* a later fragment */
    m = message_of(h, quote, n);
    assert_int_equal(input(&b, &m, &e), DROP_icmp_quote);
    h.code = 16;
    quote_of(quote, PROTO_UDP, 0);
    m = message_of(h, quote, n);
    assert_int_equal(input(&b, &m, &e), DROP_icmp_type);
    bench_close(&b);
}

static void an_error_about_an_echo_names_its_identifier(void **state)
{
    struct ip4 h = {.proto = PROTO_ICMP, .src = 0x0a000001, .dst = 0x0a000002};
    struct message echo = message_of((struct icmp4){ICMP4_ECHO, 0, 0x77770001}, NULL, 0);
    struct icmp_event e;
    uint8_t quote[64];
    struct message m;
    struct bench b;
    uint32_t n;

    (void)state;
    bench_open(&b);
    n = build_ip(quote, h, echo.bytes, echo.len);
    m = message_of((struct icmp4){ICMP4_TIME, 0, 0}, quote, n);
    assert_int_equal(input(&b, &m, &e), PASS);
    assert_int_equal(e.error.lport, 0x7777);
    assert_int_equal(e.error.rport, 0);
    quote[IP4_LEN] = ICMP4_ECHO_REPLY;
    m = message_of((struct icmp4){ICMP4_TIME, 0, 0}, quote, n);
    assert_int_equal(input(&b, &m, &e), DROP_icmp_unmatched);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_request_is_answered_with_all_its_data),
        cmocka_unit_test(echo_can_be_refused_for_all_or_for_groups),
        cmocka_unit_test(damaged_messages_are_dropped),
        cmocka_unit_test(an_echo_reply_is_for_whoever_has_the_identifier),
        cmocka_unit_test(what_is_withdrawn_or_unknown_is_dropped_by_name),
        cmocka_unit_test(an_error_is_read_for_the_transport_of_its_quote),
        cmocka_unit_test(an_old_router_names_no_mtu_and_the_next_plateau_is_taken),
        cmocka_unit_test(a_quote_that_is_short_or_no_packet_of_ours_is_dropped),
        cmocka_unit_test(an_error_about_an_echo_names_its_identifier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
