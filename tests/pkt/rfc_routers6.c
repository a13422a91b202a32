/* What routers say, rule by rule: what one advertisement leaves alone of another, what is on the
 * link, which router is taken. RFC 4861 sections 5 and 6, 2464 section 2. */
#include "support/ra6.h"

#include "sock/sock.h"

static bool is_on_link(struct ether *s, const char *dst)
{
    struct weir_addr a = ether_addr(dst);
    struct route_result r;

    return route_lookup(&s->stack[0]->ip, &a, 0, &r) == 0 && !r.has_gateway;
}

/* The last byte of the router that is taken to `dst`; 0: none. */
static uint8_t router_to(struct ether *s, const char *dst)
{
    struct way way = {&s->stack[0]->ip, &s->stack[0]->link};
    struct weir_addr a = ether_addr(dst);
    struct route_result r;

    ether_run(s, 0); /* what was said is heeded */
    return way_find_own(&way, &a, 0, &r) == 0 && r.has_gateway ? r.next_hop.b[15] : 0;
}

static void put_ra(struct ether *s, const char *from, uint16_t lifetime_s)
{
    struct ether_icmp6 m = ra(lifetime_s);

    m.src = from;
    m.from = (uint8_t)(0x10 + ether_addr(from).b[15]);
    m.message[ND_RA_LEN + 7] = m.from;
    ether_put_icmp6(s, &m);
    ether_run(s, 0);
}

/* REQ:4861-6.3.4-1 REQ:4861-9-2 */
static void what_one_router_says_stays_whatever_others_leave_out(void **state)
{
    const uint8_t mtu[8] = {ND_OPT_MTU, 1, 0, 0, 0, 0, 5, 20}; /* 1300 */
    struct ether_icmp6 m = ra(1800);
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    m.message[4] = 33;
    memcpy(m.message + m.len, mtu, 8);
    m.len += 8;
    prefix(&m, PREFIX, 0xc0, 5000, 4000);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 3 * SECOND);
    put_ra(&s, "fe80::3", 900); /* no options */
    put_ra(&s, "fe80::3", 0);
    put_ra(&s, ROUTER, 1800); /* nor now */
    assert_int_equal(router_to(&s, FAR), 1);
    assert_true(is_on_link(&s, "2001:db8:1::77"));
    assert_int_equal(addrs(&s), 2);
    assert_int_equal((addr_at(&s, 1)->valid_until_us - s.now_ns / 1000) / SECOND, 4997);
    assert_int_equal(s.stack[0]->link.iface[1].mtu, 1300);
    assert_int_equal(s.stack[0]->ip.config.hop_limit, 33);
    ether_close(&s);
}

/* REQ:4861-6.3.4-8 REQ:4861-4.6.2-1 REQ:4861-5.1-2 */
static void a_prefix_is_on_the_link_while_it_lasts(void **state)
{
    struct ether_icmp6 m = ra(1800), l = ra(1800), off = ra(1800);
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    assert_true(is_on_link(&s, "fe80::5"));
    prefix(&l, "fe80::", 0x80, 0, 0); /* nobody ends the link's own */
    ether_put_icmp6(&s, &l);
    ether_run(&s, 0);
    assert_true(is_on_link(&s, "fe80::5"));
    assert_false(is_on_link(&s, "2001:db8:1::77"));
    prefix(&m, PREFIX, 0x80, 100, 100);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 60 * SECOND);
    assert_true(is_on_link(&s, "2001:db8:1::77"));
    ether_put_icmp6(&s, &m); /* 100 s from now */
    ether_run(&s, 60 * SECOND);
    prefix(&off, PREFIX, 0, 100, 100); /* L is 0: that says nothing */
    ether_put_icmp6(&s, &off);
    ether_run(&s, 39 * SECOND);
    assert_true(is_on_link(&s, "2001:db8:1::77"));
    ether_run(&s, SECOND);
    assert_false(is_on_link(&s, "2001:db8:1::77"));
    ether_put_icmp6(&s, &m);
    ether_run(&s, 0);
    assert_true(is_on_link(&s, "2001:db8:1::77"));
    put32(m.message + ND_RA_LEN + 8 + 4, 0);
    put32(m.message + ND_RA_LEN + 8 + 8, 0);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 0);
    assert_false(is_on_link(&s, "2001:db8:1::77"));
    ether_close(&s);
}

/* REQ:2464-2-1 */
static void an_ethernet_has_1500_bytes_and_a_router_can_only_take_away(void **state)
{
    static const struct {
        uint32_t told, then;
    } rows[] = {{1501, 1500}, {9000, 1500}, {1500, 1500}, {1499, 1499}, {1280, 1280}, {1279, 1280}};
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    for (int i = 0; i < 6; i++) {
        struct ether_icmp6 m = ra(1800);

        m.message[m.len] = ND_OPT_MTU;
        m.message[m.len + 1] = 1;
        put32(m.message + m.len + 4, rows[i].told);
        m.len += 8;
        ether_put_icmp6(&s, &m);
        ether_run(&s, 0);
        assert_int_equal(s.stack[0]->link.iface[1].mtu, rows[i].then);
    }
    ether_close(&s);
}

/* REQ:4862-5.6-1 */
static void the_latest_word_counts(void **state)
{
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    for (uint8_t hops = 40; hops < 44; hops++) {
        struct ether_icmp6 m = ra(1800);

        m.src = hops % 2 ? ROUTER : "fe80::3";
        m.message[4] = hops;
        put32(m.message + 8, hops * 1000);
        ether_put_icmp6(&s, &m);
        ether_run(&s, 0);
        assert_int_equal(s.stack[0]->ip.config.hop_limit, hops);
        assert_int_equal(s.stack[0]->link.iface[1].ip6.reachable_ms, hops * 1000);
    }
    ether_close(&s);
}

/* Nobody answers at fe80::<last>: what was sent there waited in vain. */
static void die(struct ether *s, uint8_t last)
{
    struct weir_addr a = {.b = {0xfe, 0x80, [15] = last}};
    uint32_t index = neigh_find(&s->stack[0]->link, 1, &a);

    neigh_at(&s->stack[0]->link, index)->asked_us = s->now_ns / 1000;
    neigh_enter(&s->stack[0]->link, index, NEIGH_FAILED, s->now_ns / 1000);
    ether_run(s, SECOND);
}

/* REQ:4861-6.3.6-1 REQ:4861-6.3.6-2 REQ:4861-7.3.3-7 REQ:4861-6.3.5-1 */
static void who_answers_is_taken_and_of_the_dead_each_in_turn(void **state)
{
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    put_ra(&s, "fe80::1", 1800);
    put_ra(&s, "fe80::2", 1800);
    put_ra(&s, "fe80::3", 1800);
    assert_int_equal(router_to(&s, FAR), 1);
    die(&s, 1);
    assert_int_equal(router_to(&s, FAR), 2);
    die(&s, 2);
    assert_int_equal(router_to(&s, FAR), 3);
    die(&s, 3);
    for (uint8_t round = 0; round < 7; round++) {
        assert_int_equal(router_to(&s, FAR), 1 + round % 3);
        die(&s, 1 + round % 3);
    }
    put_ra(&s, "fe80::2", 0); /* one that goes is none to choose */
    assert_int_equal(router_to(&s, FAR), 3);
    put_ra(&s, "fe80::1", 1800); /* one that is heard again is there */
    assert_int_equal(router_to(&s, FAR), 1);
    put_ra(&s, "fe80::1", 0);
    put_ra(&s, "fe80::3", 0);
    assert_int_equal(router_to(&s, FAR), 0);
    ether_close(&s);
}

/* End to end: what waited for a router that is dead goes by the other. REQ:4861-6.3.6-1 */
static void what_waited_for_a_dead_router_goes_by_another(void **state)
{
    char us[WEIR_ADDR_TEXT];
    struct log log;
    struct ether s;
    uint8_t mac;
    int sock;

    (void)state;
    begin_on_link(&s, &log);
    say_prefix(&s, 9000, 9000); /* of fe80::1 */
    put_ra(&s, "fe80::2", 1800);
    ether_run(&s, 3 * SECOND);
    sock = udp_from(&s, 0, weir_addr_text(&addr_at(&s, 1)->addr, us));
    send_udp(&s, sock, FAR);
    ether_run(&s, 5 * SECOND);
    for (int i = 0; i < 3; i++) {
        send_udp(&s, sock, FAR);
        ether_run(&s, SECOND); /* fe80::1 is asked three times in vain */
    }
    assert_int_equal(state_of(&s, ROUTER, &mac), NEIGH_FAILED);
    assert_int_equal(router_to(&s, FAR), 2);
    send_udp(&s, sock, FAR);
    ether_run(&s, 0);
    assert_int_equal(state_of(&s, "fe80::2", &mac), NEIGH_DELAY); /* it went */
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_router_says_stays_whatever_others_leave_out),
        cmocka_unit_test(a_prefix_is_on_the_link_while_it_lasts),
        cmocka_unit_test(an_ethernet_has_1500_bytes_and_a_router_can_only_take_away),
        cmocka_unit_test(the_latest_word_counts),
        cmocka_unit_test(who_answers_is_taken_and_of_the_dead_each_in_turn),
        cmocka_unit_test(what_waited_for_a_dead_router_goes_by_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
