/* Neighbour discovery, between stacks of ours and messages that are written by hand. RFC 4861. */
#include "support/nd6.h"

/* REQ:2464-7-1 REQ:4861-7.2.2-2 REQ:4861-7.2.4-1 REQ:4861-7.2.4-4 REQ:4861-4.3-3
 * REQ:4861-7.2.1-1 */
static void a_neighbour_is_asked_for_and_what_waited_goes(void **state)
{
    struct weir_addr there = ether_addr("2001:db8::2"), group;
    struct log log;
    struct ether s;
    struct sent *p;
    uint8_t mac;
    char text[8];
    int here, far, at = 0;

    (void)state;
    begin(&s, &log, 2);
    add(&s, 0, "2001:db8::1");
    add(&s, 1, "2001:db8::2");
    here = udp_from(&s, 0, "2001:db8::1");
    far = udp_from(&s, 1, "2001:db8::2");
    send_udp(&s, here, "2001:db8::2");
    ether_run(&s, 0);
    p = next_of(&log, &at, ND_NS);
    nd_solicited_group(&there, &group);
    assert_true(weir_addr_equal(&p->dst, &group));
    assert_memory_equal(p->mac, ((uint8_t[]){0x33, 0x33, 0xff, 0, 0, 2}), 6);
    assert_non_null(nd_mac_option(p->m, p->len, ND_NS_LEN, ND_OPT_SOURCE));
    assert_int_equal(state_of(&s, "2001:db8::2", &mac), NEIGH_REACHABLE);
    assert_int_equal(mac, 2);
    assert_int_equal(weir_recv(s.stack[1], far, text, sizeof text, 0), 5);
    ether_close(&s);
}

/* REQ:4861-7.3.3-1 REQ:4861-7.3.3-2 REQ:4861-7.3.3-3 REQ:4861-7.3.3-4 REQ:4861-4.3-4 */
static void a_neighbour_that_is_gone_is_found_out(void **state)
{
    struct log log;
    struct ether s;
    uint8_t mac;
    int here;

    (void)state;
    begin(&s, &log, 2);
    add(&s, 0, "2001:db8::1");
    add(&s, 1, "2001:db8::2");
    here = udp_from(&s, 0, "2001:db8::1");
    send_udp(&s, here, "2001:db8::2");
    ether_run(&s, 50 * SECOND);
    assert_int_equal(state_of(&s, "2001:db8::2", &mac), NEIGH_STALE);
    s.stations = 1; /* the other one is gone */
    log.n = 0;
    send_udp(&s, here, "2001:db8::2");
    ether_run(&s, 5 * SECOND - 1);
    assert_int_equal(state_of(&s, "2001:db8::2", &mac), NEIGH_DELAY);
    assert_int_equal(count_of(&log, ND_NS), 0);
    ether_run(&s, 3 * SECOND);
    assert_int_equal(count_of(&log, ND_NS), 3);
    for (int i = 0; i < 3; i++) {
        struct weir_addr there = ether_addr("2001:db8::2");
        assert_true(weir_addr_equal(&log.sent[i].dst, &there)); /* by unicast */
        assert_non_null(nd_mac_option(log.sent[i].m, log.sent[i].len, ND_NS_LEN, ND_OPT_SOURCE));
    }
    ether_run(&s, SECOND);
    assert_int_equal(state_of(&s, "2001:db8::2", &mac), NEIGH_FAILED);
    s.stations = 2;
    ether_close(&s);
}

/* REQ:4861-7.2.2-4 REQ:4861-7.2.2-5: three questions, a second apart. */
static void nobody_is_asked_for_three_times(void **state)
{
    struct log log;
    struct ether s;
    uint8_t mac;
    int here;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, "2001:db8::1");
    here = udp_from(&s, 0, "2001:db8::1");
    for (int i = 0; i < 5; i++)
        send_udp(&s, here, "2001:db8::7");
    ether_run(&s, 10 * SECOND);
    assert_int_equal(count_of(&log, ND_NS), 3);
    assert_int_equal(log.sent[1].at_ns - log.sent[0].at_ns, 1000000000);
    assert_int_equal(log.sent[2].at_ns - log.sent[1].at_ns, 1000000000);
    assert_int_equal(state_of(&s, "2001:db8::7", &mac), NEIGH_FAILED);
    ether_close(&s);
}

struct step {
    uint8_t flags, mac; /* mac 0: no option */
    enum neigh_state state;
    uint8_t known;
};

/* Appendix C of 4861, for an entry that exists. REQ:4861-7.2.5-4 REQ:4861-7.2.5-5 */
static void advertisements_change_an_entry_as_the_table_says(void **state)
{
    static const struct step steps[] = {
        {ND_NA_SOLICITED, 9, NEIGH_REACHABLE, 9},
        {0, 8, NEIGH_STALE, 9},
        {0, 9, NEIGH_STALE, 9},
        {ND_NA_SOLICITED, 0, NEIGH_REACHABLE, 9},
        {ND_NA_OVERRIDE, 8, NEIGH_STALE, 8},
        {ND_NA_OVERRIDE | ND_NA_SOLICITED, 9, NEIGH_REACHABLE, 9},
        {ND_NA_OVERRIDE, 9, NEIGH_REACHABLE, 9},
        {ND_NA_SOLICITED, 8, NEIGH_STALE, 9},
    };
    struct weir_addr there = ether_addr("2001:db8::2");
    struct log log;
    struct ether s;
    int here;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, "2001:db8::1");
    here = udp_from(&s, 0, "2001:db8::1");
    send_udp(&s, here, "2001:db8::2");
    ether_run(&s, 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct ether_icmp6 m = about(ND_NA, "2001:db8::2", "2001:db8::1", &there);
        uint8_t mac = 0;

        m.message[4] = steps[i].flags;
        if (steps[i].mac)
            mac_option(&m, ND_OPT_TARGET, steps[i].mac);
        ether_put_icmp6(&s, &m);
        assert_int_equal(state_of(&s, "2001:db8::2", &mac), steps[i].state);
        assert_int_equal(mac, steps[i].known);
    }
    ether_close(&s);
}

/* REQ:4861-7.2.5-1 REQ:4861-7.2.5-2 */
static void an_advertisement_nobody_asked_for_makes_no_entry(void **state)
{
    struct weir_addr there = ether_addr("2001:db8::2");
    struct ether_icmp6 m = about(ND_NA, "2001:db8::2", ALL_NODES, &there);
    struct log log;
    struct ether s;
    uint8_t mac;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, "2001:db8::1");
    m.message[4] = ND_NA_OVERRIDE;
    mac_option(&m, ND_OPT_TARGET, 9);
    ether_put_icmp6(&s, &m);
    assert_int_equal(state_of(&s, "2001:db8::2", &mac), 0);
    send_udp(&s, udp_from(&s, 0, "2001:db8::1"), "2001:db8::2");
    ether_run(&s, 0);
    m.len = 24; /* no link-layer address */
    ether_put_icmp6(&s, &m);
    assert_int_equal(state_of(&s, "2001:db8::2", &mac), NEIGH_INCOMPLETE);
    ether_close(&s);
}

/* REQ:4861-7.2.3-2 REQ:4861-7.2.3-3 REQ:4861-7.2.4-1 REQ:4861-7.2.4-4 REQ:4861-7.2.4-2 */
static void a_question_is_answered_and_teaches_who_asks(void **state)
{
    struct weir_addr us = ether_addr("2001:db8::1");
    struct log log;
    struct ether s;
    struct sent *p;
    uint8_t mac;
    int at = 0;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, "2001:db8::1");
    for (uint8_t last = 9; last >= 8; last--) {
        struct ether_icmp6 m = about(ND_NS, "2001:db8::2", "ff02::1:ff00:1", &us);

        mac_option(&m, ND_OPT_SOURCE, last);
        ether_put_icmp6(&s, &m);
        assert_int_equal(state_of(&s, "2001:db8::2", &mac), NEIGH_STALE);
        assert_int_equal(mac, last);
        ether_run(&s, 0);
        p = next_of(&log, &at, ND_NA);
        assert_int_equal(p->m[4], ND_NA_SOLICITED | ND_NA_OVERRIDE);
        assert_int_equal(p->mac[5], last);
        assert_memory_equal(nd_mac_option(p->m, p->len, ND_NA_LEN, ND_OPT_TARGET),
                            ((uint8_t[]){2, 0, 0, 0, 0, 1}), 6);
        assert_true(is_at(p->m + 8, &us));
    }
    ether_close(&s);
}

/* REQ:4861-7.2.4-3 REQ:4861-7.2.3-5 */
static void who_has_no_address_yet_is_answered_to_all(void **state)
{
    struct weir_addr us = ether_addr("2001:db8::1"), all = ether_addr(ALL_NODES);
    struct ether_icmp6 m = about(ND_NS, "::", "ff02::1:ff00:1", &us);
    struct log log;
    struct ether s;
    struct sent *p;
    int at = 0;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, "2001:db8::1");
    ether_put_icmp6(&s, &m);
    ether_run(&s, 0);
    p = next_of(&log, &at, ND_NA);
    assert_true(weir_addr_equal(&p->dst, &all));
    assert_int_equal(p->m[4], ND_NA_OVERRIDE);
    assert_int_equal(s.stack[0]->link.neighs.used, 0);
    ether_close(&s);
}

/* REQ:4861-7.1.1-1 REQ:4861-7.1.2-1 REQ:4861-4.6-1 REQ:4861-6.1.1-1 REQ:4862-5.4.1-1 */
static void what_no_neighbour_can_have_sent_is_dropped(void **state)
{
    struct weir_addr us = ether_addr("2001:db8::1"), group = ether_addr("ff02::9");
    struct log log;
    struct ether s;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, "2001:db8::1");
    for (int i = 0; i < 9; i++) {
        struct ether_icmp6 m = about(i > 6 ? ND_NA : ND_NS, i == 5 || i == 6 ? "::" : "2001:db8::2",
                                     i == 6 || i == 7 ? ALL_NODES : "ff02::1:ff00:1",
                                     i == 4 || i == 8 ? &group : &us);
        int64_t before = log.n;

        if (i != 6)
            mac_option(&m, i > 6 ? ND_OPT_TARGET : ND_OPT_SOURCE, 9);
        if (i == 0)
            m.hop_limit = 254;
        if (i == 1)
            m.message[1] = 1;
        if (i == 2)
            m.len = 23;
        if (i == 3)
            m.message[25] = 0; /* an empty option */
        if (i == 7)
            m.message[4] = ND_NA_SOLICITED;
        ether_put_icmp6(&s, &m);
        ether_run(&s, 0);
        assert_int_equal(log.n, before);
        assert_int_equal(s.stack[0]->link.neighs.used, 0);
        assert_int_equal(s.stack[0]->drops[DROP_nd_invalid - DROP_FIRST], i + 1);
    }
    ether_close(&s);
}

/* 6583: a sweep of a subnet leaves who is known. */
static void who_is_known_outlives_a_sweep(void **state)
{
    struct log log;
    struct ether s;
    uint8_t mac;
    int here;

    (void)state;
    begin(&s, &log, 2);
    knob(&s, "net.ipv4.neigh.default.gc_thresh3", "16");
    add(&s, 0, "2001:db8::1");
    add(&s, 1, "2001:db8::2");
    here = udp_from(&s, 0, "2001:db8::1");
    send_udp(&s, here, "2001:db8::2");
    ether_run(&s, 0);
    for (int i = 0; i < 500; i++) {
        char text[32];
        snprintf(text, sizeof text, "2001:db8::dead:%x", i);
        send_udp(&s, here, text);
        ether_run(&s, 1000);
    }
    assert_int_equal(s.stack[0]->link.neighs.used, 16);
    assert_int_equal(state_of(&s, "2001:db8::2", &mac), NEIGH_REACHABLE);
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_neighbour_is_asked_for_and_what_waited_goes),
        cmocka_unit_test(a_neighbour_that_is_gone_is_found_out),
        cmocka_unit_test(nobody_is_asked_for_three_times),
        cmocka_unit_test(advertisements_change_an_entry_as_the_table_says),
        cmocka_unit_test(an_advertisement_nobody_asked_for_makes_no_entry),
        cmocka_unit_test(a_question_is_answered_and_teaches_who_asks),
        cmocka_unit_test(who_has_no_address_yet_is_answered_to_all),
        cmocka_unit_test(what_no_neighbour_can_have_sent_is_dropped),
        cmocka_unit_test(who_is_known_outlives_a_sweep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
