/* What packets are taken, and the identification of ours. */
#include "ip_bench.h"

static enum drop source(struct weir_addr a, uint32_t flags, unsigned facts)
{
    return ip_judge_source(&a, flags, facts);
}

/* attack 60 REQ:1122-3.2.1.3-5 REQ:1122-3.2.1.3-6 */
static void martian_sources_are_dropped(void **state)
{
    (void)state;
    assert_int_equal(source(PEER, 0, 0), PASS);
    assert_int_equal(source(v4(223, 255, 255, 254), 0, 0), PASS);
    assert_int_equal(source(v4(224, 0, 0, 1), 0, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(239, 255, 255, 255), 0, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(240, 0, 0, 1), 0, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(255, 255, 255, 255), 0, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(0, 0, 0, 0), 0, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(0, 1, 2, 3), 0, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(127, 0, 0, 1), 0, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(10, 0, 0, 255), 0, IP_SOURCE_BROADCAST), DROP_ip_martian_source);
}

/* attack 9: LAND */
static void our_own_address_is_no_source_but_where_the_interface_allows_it(void **state)
{
    (void)state;
    assert_int_equal(source(US, 0, IP_SOURCE_OWN), DROP_ip_martian_source);
    assert_int_equal(source(US, WEIR_IF_LOOPBACK_OK, IP_SOURCE_OWN), PASS);
    assert_int_equal(source(v4(127, 0, 0, 1), WEIR_IF_LOOPBACK_OK, IP_SOURCE_OWN), PASS);
    assert_int_equal(source(US, WEIR_IF_ANY_ADDR, IP_SOURCE_OWN), PASS);
    assert_int_equal(source(v4(127, 0, 0, 1), WEIR_IF_ANY_ADDR, 0), DROP_ip_martian_source);
    assert_int_equal(source(v4(224, 0, 0, 1), WEIR_IF_ANY_ADDR | WEIR_IF_LOOPBACK_OK, 0),
                     DROP_ip_martian_source);
}

static void impossible_destinations_are_nobodys(void **state)
{
    struct weir_addr a = v4(127, 0, 0, 1);

    (void)state;
    assert_int_equal(ip_judge_dest(&a, 0), DROP_ip_not_local);
    assert_int_equal(ip_judge_dest(&a, WEIR_IF_LOOPBACK_OK), PASS);
    a = v4(0, 0, 0, 0);
    assert_int_equal(ip_judge_dest(&a, WEIR_IF_ANY_ADDR), DROP_ip_not_local);
    a = v4(240, 0, 0, 1);
    assert_int_equal(ip_judge_dest(&a, 0), DROP_ip_not_local);
    a = v4(255, 255, 255, 255);
    assert_int_equal(ip_judge_dest(&a, 0), PASS);
    a = v4(224, 0, 0, 1);
    assert_int_equal(ip_judge_dest(&a, 0), PASS);
}

static size_t fault;

static enum drop options(const char *bytes, size_t n)
{
    return ip_judge_options(walled(bytes, n), n, &fault);
}

/* attack 61 REQ:791-3.1-10 REQ:791-3.1-13 REQ:1122-3.2.1.8-3 REQ:1122-3.2.1.8-6 */
static void options_are_walked_and_source_routes_refused(void **state)
{
    (void)state;
    assert_int_equal(options("", 0), PASS);
    assert_int_equal(options("\1\1\1\0", 4), PASS);
    assert_int_equal(options("\0\203\3\4", 4), PASS); /* behind the end nothing counts */
    assert_int_equal(options("\203\7\4aaaa\0", 8), DROP_ip_source_route);
    assert_int_equal(options("\211\7\4aaaa\0", 8), DROP_ip_source_route);
    assert_int_equal(options("\1\1\1\203\7\4aaaa\0\0", 12), DROP_ip_source_route);
    assert_int_equal(options("\x88\4ab", 4), PASS); /* stream id: ignored */
    assert_int_equal(options("\x5e\4ab", 4), PASS); /* unknown */
    assert_int_equal(options("\x5e\0ab", 4), DROP_ip_option);
    assert_int_equal(options("\x5e\1ab", 4), DROP_ip_option);
    assert_int_equal(options("\x5e\5ab", 4), DROP_ip_option);
    assert_int_equal(options("\1\1\1\x5e", 4), DROP_ip_option);
    assert_int_equal(fault, 4);
    assert_int_equal(options("\7\7\4aaaa\0", 8), PASS);
    assert_int_equal(options("\7\7\3aaaa\0", 8), DROP_ip_option);
    assert_int_equal(options("\7\2\1\1", 4), DROP_ip_option);
    assert_int_equal(options("\x44\4\5\0", 4), PASS);
    assert_int_equal(options("\x44\4\4\0", 4), DROP_ip_option);
    assert_int_equal(fault, 2);
}

/* attack 61: every kind and length at the end of the header. No overread, no endless walk. */
static void all_kinds_and_lengths_end(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++) {
        for (unsigned len = 0; len < 256; len++) {
            uint8_t bytes[8] = {(uint8_t)kind, (uint8_t)len, 8};

            for (size_t n = 1; n <= sizeof bytes; n++)
                ip_judge_options(walled(bytes, n), n, &fault);
        }
    }
}

/* attack 74 REQ:6864-4.3-1 REQ:791-3.2-4 */
static void identifications_are_unique_for_a_flow_and_independent_of_others(void **state)
{
    static uint8_t seen[65536];
    struct weir_addr us = US, peer = PEER, other = v4(10, 0, 0, 3);
    uint16_t first, theirs;
    struct bench b, again;

    (void)state;
    bench_open(&b);
    bench_open_seed(&again, 7);
    assert_int_equal(ip_next_id(&b.ip, &us, &peer, PROTO_UDP, true), 0);
    first = ip_next_id(&b.ip, &us, &peer, PROTO_UDP, false);
    assert_int_not_equal(first, ip_next_id(&again.ip, &us, &peer, PROTO_UDP, false));
    theirs = ip_next_id(&b.ip, &us, &other, PROTO_UDP, false);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 60000; i++) {
        uint16_t id = ip_next_id(&b.ip, &us, &peer, PROTO_UDP, false);

        assert_int_equal(seen[id]++, 0);
    }
    /* 60,000 packets to one peer moved the other's counter by none but its own. */
    assert_int_equal((uint16_t)(theirs + 1), ip_next_id(&b.ip, &us, &other, PROTO_UDP, false));
    bench_close(&b);
    bench_close(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(martian_sources_are_dropped),
        cmocka_unit_test(our_own_address_is_no_source_but_where_the_interface_allows_it),
        cmocka_unit_test(impossible_destinations_are_nobodys),
        cmocka_unit_test(options_are_walked_and_source_routes_refused),
        cmocka_unit_test(all_kinds_and_lengths_end),
        cmocka_unit_test(identifications_are_unique_for_a_flow_and_independent_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
