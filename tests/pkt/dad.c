/* Is an IPv6 address somebody else's, before it is used? RFC 4862 5.4, 7527, 7217. */
#include "support/nd6.h"

/* REQ:4862-5.3-1 REQ:4862-5.4.2-2 REQ:4862-5.4.2-3 REQ:4862-5.4-1 REQ:4861-4.3-2 */
static void a_link_local_address_is_made_and_asked_for_before_it_is_used(void **state)
{
    static const struct weir_addr any;
    struct weir_addr group;
    struct log log;
    struct ether s;
    struct sent *p;
    int at = 0;

    (void)state;
    begin(&s, &log, 1);
    assert_int_equal(weir_ip6_start(s.stack[0], 1), 0);
    assert_int_equal(addrs(&s), 1);
    assert_int_equal(addr_at(&s, 0)->state, ADDR_TENTATIVE);
    assert_int_equal(addr_at(&s, 0)->addr.b[0], 0xfe);
    ether_run(&s, SECOND);
    p = next_of(&log, &at, ND_NS);
    assert_non_null(p);
    assert_true(weir_addr_equal(&p->src, &any));
    nd_solicited_group(&addr_at(&s, 0)->addr, &group);
    assert_true(weir_addr_equal(&p->dst, &group));
    assert_true(is_at(p->m + 8, &addr_at(&s, 0)->addr));
    assert_int_equal(p->hop_limit, 255);
    assert_null(nd_mac_option(p->m, p->len, ND_NS_LEN, ND_OPT_SOURCE));
    assert_null(next_of(&log, &at, ND_NS));
    ether_run(&s, p->at_ns / 1000 + SECOND - 1 - s.now_ns / 1000);
    assert_int_equal(addr_at(&s, 0)->state, ADDR_TENTATIVE);
    ether_run(&s, 1);
    assert_int_equal(addr_at(&s, 0)->state, ADDR_USABLE);
    ether_close(&s);
}

/* REQ:4862-5.1-1 REQ:4862-5.4-6 */
static void as_often_as_is_set_and_not_at_all_for_zero(void **state)
{
    struct log log;
    struct ether s;

    (void)state;
    begin(&s, &log, 1);
    knob(&s, "net.ipv6.conf.all.dad_transmits", "3");
    weir_ip6_start(s.stack[0], 1);
    ether_run(&s, 5 * SECOND);
    assert_int_equal(count_of(&log, ND_NS), 3);
    ether_close(&s);
    begin(&s, &log, 1);
    knob(&s, "net.ipv6.conf.all.dad_transmits", "0");
    weir_ip6_start(s.stack[0], 1);
    assert_int_equal(addr_at(&s, 0)->state, ADDR_USABLE);
    ether_run(&s, 5 * SECOND);
    assert_int_equal(count_of(&log, ND_NS), 0);
    ether_close(&s);
}

/* REQ:4862-5.4.3-2 REQ:4862-5.4.4-1 REQ:4862-5.4.5-1 and 7217#6: another identifier follows. */
static void an_address_that_somebody_has_or_wants_is_not_used(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct weir_addr first, group;
        char group_text[WEIR_ADDR_TEXT];
        struct ether_icmp6 m;
        struct log log;
        struct ether s;

        begin(&s, &log, 1);
        weir_ip6_start(s.stack[0], 1);
        first = addr_at(&s, 0)->addr;
        nd_solicited_group(&first, &group);
        weir_addr_text(&group, group_text);
        m = kind ? about(ND_NS, "::", group_text, &first)
                 : about(ND_NA, NEIGHBOUR, ALL_NODES, &first);
        ether_put_icmp6(&s, &m);
        assert_int_equal(addr_at(&s, 0)->state, ADDR_TENTATIVE);
        assert_false(weir_addr_equal(&addr_at(&s, 0)->addr, &first));
        ether_run(&s, 3 * SECOND);
        assert_int_equal(addrs(&s), 1);
        assert_int_equal(addr_at(&s, 0)->state, ADDR_USABLE);
        ether_close(&s);
    }
}

/* 4862#5.4.5: a MAC makes one identifier, and that is somebody else's. */
static void an_identifier_of_the_mac_has_no_second(void **state)
{
    struct ether_icmp6 m;
    struct log log;
    struct ether s;

    (void)state;
    begin_by_mac(&s, &log);
    assert_true(weir_addr_equal(
        &addr_at(&s, 0)->addr,
        &(struct weir_addr){.b = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1}}));
    m = about(ND_NA, NEIGHBOUR, ALL_NODES, &addr_at(&s, 0)->addr);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 20 * SECOND);
    assert_int_equal(addr_at(&s, 0)->state, ADDR_DUPLICATE);
    assert_int_equal(count_of(&log, ND_RS), 0);
    ether_close(&s);
}

/* REQ:4862-5.4.3-1 REQ:4861-7.2.3-1, and 7527: our own question that came back is no rival. */
static void a_tentative_address_is_not_answered_for(void **state)
{
    struct weir_addr a, group;
    char text[WEIR_ADDR_TEXT];
    struct ether_icmp6 m;
    struct log log;
    struct ether s;

    (void)state;
    begin(&s, &log, 1);
    weir_ip6_start(s.stack[0], 1);
    a = addr_at(&s, 0)->addr;
    nd_solicited_group(&a, &group);
    weir_addr_text(&group, text);
    m = about(ND_NS, NEIGHBOUR, text, &a);
    mac_option(&m, ND_OPT_SOURCE, 9);
    ether_put_icmp6(&s, &m);
    m = about(ND_NS, "::", text, &a);
    mac_option(&m, ND_OPT_NONCE, 0);
    memcpy(m.message + 26, addr_at(&s, 0)->nonce, 6);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 3 * SECOND);
    assert_int_equal(count_of(&log, ND_NA), 0);
    assert_true(weir_addr_equal(&addr_at(&s, 0)->addr, &a));
    assert_int_equal(addr_at(&s, 0)->state, ADDR_USABLE);
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_local_address_is_made_and_asked_for_before_it_is_used),
        cmocka_unit_test(as_often_as_is_set_and_not_at_all_for_zero),
        cmocka_unit_test(an_address_that_somebody_has_or_wants_is_not_used),
        cmocka_unit_test(an_identifier_of_the_mac_has_no_second),
        cmocka_unit_test(a_tentative_address_is_not_answered_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
