/* What routers say: default routes, prefixes, lifetimes, and what is not believed. RFC 4861 6, 4862
 * 5.5, 4191, 8981, 8106, 6724. */
#include "support/ra6.h"

/* REQ:4861-6.3.7-1 REQ:4861-6.3.7-2 REQ:4861-4.1-2, and 7559: it goes on, ever more slowly. */
static void routers_are_asked_until_one_answers(void **state)
{
    struct weir_addr all = ether_addr("ff02::2");
    struct ether_icmp6 m = ra(1800);
    struct log log;
    struct ether s;
    struct sent *p;
    int at = 0, before;

    (void)state;
    begin_on_link(&s, &log);
    ether_run(&s, 40 * SECOND);
    assert_int_equal(count_of(&log, ND_RS), 4); /* after 4, 8, 16 s, about */
    p = next_of(&log, &at, ND_RS);
    assert_true(weir_addr_equal(&p->dst, &all));
    assert_true(weir_addr_equal(&p->src, &addr_at(&s, 0)->addr));
    assert_non_null(nd_mac_option(p->m, p->len, ND_RS_LEN, ND_OPT_SOURCE));
    assert_int_equal(p->hop_limit, 255);
    ether_put_icmp6(&s, &m);
    before = count_of(&log, ND_RS);
    ether_run(&s, 600 * SECOND);
    assert_int_equal(count_of(&log, ND_RS), before); /* REQ:4861-6.3.7-3 */
    ether_close(&s);
}

/* REQ:4861-6.3.4-5 REQ:4861-6.3.4-6 REQ:4862-5.5.3-2 REQ:4862-5.5-2 */
static void a_router_and_a_prefix_make_a_way_out(void **state)
{
    struct ether_icmp6 gone = ra(0);
    struct weir_addr local;
    struct log log;
    struct ether s;
    uint8_t mac;

    (void)state;
    begin_on_link(&s, &log);
    assert_int_equal(source_towards(&s, FAR, &local), -ENETUNREACH);
    say_prefix(&s, 86400, 14400);
    assert_int_equal(addr_at(&s, 1)->state, ADDR_TENTATIVE);
    ether_run(&s, 3 * SECOND);
    assert_int_equal(source_towards(&s, FAR, &local), 0);
    assert_true(weir_addr_equal(&local, &addr_at(&s, 1)->addr));
    assert_memory_equal(local.b, ((uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 1, 0, 0}), 8);
    assert_int_equal(state_of(&s, ROUTER, &mac), NEIGH_STALE);
    assert_int_equal(mac, 9);
    ether_put_icmp6(&s, &gone); /* says that it is none, and nothing of the prefix */
    ether_run(&s, 0);
    assert_int_equal(source_towards(&s, FAR, &local), -ENETUNREACH);
    assert_int_equal(source_towards(&s, "2001:db8:1::77", &local), 0);
    ether_close(&s);
}

static void what_runs_out_goes(void **state)
{
    struct weir_addr local;
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    say_prefix(&s, 10000, 100);
    ether_run(&s, 99 * SECOND);
    assert_false(addr_at(&s, 1)->flags & ADDR_DEPRECATED);
    ether_run(&s, 2 * SECOND);
    assert_true(addr_at(&s, 1)->flags & ADDR_DEPRECATED);
    assert_int_equal(source_towards(&s, FAR, &local), 0); /* there is no better one */
    ether_run(&s, 1800 * SECOND);
    assert_int_equal(source_towards(&s, FAR, &local), -ENETUNREACH); /* the router's lifetime */
    ether_run(&s, 8200 * SECOND);
    assert_int_equal(addrs(&s), 1); /* REQ:4862-5.5.4-3 */
    ether_close(&s);
}

struct lifetime {
    uint32_t left_s, told_s, then_s;
};

/* REQ:4862-5.5.3-3 REQ:4862-5.5.3-4 */
static void a_valid_lifetime_is_not_cut_below_two_hours(void **state)
{
    static const struct lifetime rows[] = {
        {86400, 100000, 100000}, {86400, 8000, 8000}, {86400, 60, 7200}, {86400, 0, 7200},
        {3000, 60, 3000},        {3000, 4000, 4000},  {3000, 0, 3000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct lifetime *r = &rows[i];
        struct log log;
        struct ether s;

        begin_on_link(&s, &log);
        say_prefix(&s, r->left_s, r->left_s);
        say_prefix(&s, r->told_s, 0);
        assert_int_equal((addr_at(&s, 1)->valid_until_us - s.now_ns / 1000) / SECOND, r->then_s);
        assert_true(addr_at(&s, 1)->flags & ADDR_DEPRECATED);
        say_prefix(&s, r->told_s ? r->told_s : 9000, r->told_s ? r->told_s : 9000);
        assert_false(addr_at(&s, 1)->flags & ADDR_DEPRECATED);
        ether_close(&s);
    }
}

/* REQ:4862-5.5.3-1 REQ:4862-5.5.3-5 REQ:4861-6.1.2-1 REQ:4861-4.6.2-2 */
static void what_is_not_believed(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct ether_icmp6 m = ra(i < 5 ? 1800 : 0);
        struct weir_addr local;
        struct log log;
        struct ether s;

        begin_on_link(&s, &log);
        prefix(&m,
               i == 7   ? "fe80::"
               : i == 8 ? "ff02::"
                        : PREFIX,
               i == 5 ? 0x80 : 0xc0, 1000, i == 6 ? 2000 : 1000);
        if (i == 0)
            m.src = "2001:db8::1";
        if (i == 1)
            m.hop_limit = 64;
        if (i == 2)
            m.len -= 1;
        if (i == 3)
            m.message[ND_RA_LEN + 1] = 0;
        if (i == 4)
            m.message[1] = 1;
        if (i == 9)
            m.message[ND_RA_LEN + 8 + 2] = 63;
        ether_put_icmp6(&s, &m);
        ether_run(&s, 0);
        assert_int_equal(addrs(&s), 1);
        assert_int_equal(source_towards(&s, FAR, &local), -ENETUNREACH);
        ether_close(&s);
    }
}

/* REQ:4862-5.5-1 */
static void knobs_say_what_is_heard(void **state)
{
    static const char *const names[] = {"accept_ra", "autoconf", "accept_ra_pinfo"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        char name[64];
        struct log log;
        struct ether s;

        begin(&s, &log, 1);
        snprintf(name, sizeof name, "net.ipv6.conf.all.%s", names[i]);
        knob(&s, name, "0");
        weir_ip6_start(s.stack[0], 1);
        ether_run(&s, 3 * SECOND);
        say_prefix(&s, 1000, 1000);
        assert_int_equal(addrs(&s), 1);
        assert_int_equal(count_of(&log, ND_RS), i ? 1 : 0);
        ether_close(&s);
    }
}

/* REQ:4861-6.3.4-3 REQ:4861-6.3.4-7 REQ:4861-6.3.4-9 */
static void parameters_are_taken_and_zero_says_nothing(void **state)
{
    struct ether_icmp6 m = ra(1800), zero = ra(1800), mad = ra(1800);
    const uint8_t small[8] = {ND_OPT_MTU, 1, 0, 0, 0, 0, 5, 20}; /* 1300 */
    const uint8_t tiny[8] = {ND_OPT_MTU, 1, 0, 0, 0, 0, 0, 68};
    struct iface *f;
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    f = iface_at(&s.stack[0]->link, 1);
    m.message[4] = 33;
    put32(m.message + 8, 20000);
    put32(m.message + 12, 500);
    memcpy(m.message + m.len, small, 8);
    m.len += 8;
    ether_put_icmp6(&s, &m);
    ether_put_icmp6(&s, &zero);
    memcpy(mad.message + mad.len, tiny, 8);
    mad.len += 8;
    put32(mad.message + 12, 1); /* a question each millisecond: no */
    ether_put_icmp6(&s, &mad);
    ether_run(&s, 0);
    assert_int_equal(s.stack[0]->ip.config.hop_limit, 33);
    assert_int_equal(f->ip6.reachable_ms, 20000);
    assert_int_equal(f->ip6.retrans_ms, 500);
    assert_int_equal(f->mtu, 1300);
    ether_close(&s);
}

/* 4191#2.3: a route that is more specific, and a preference. REQ:4861-6.3.4-2 */
static void of_several_routers_each_has_its_own(void **state)
{
    static const uint8_t route[16] = {ND_OPT_ROUTE, 2, 48,  0x08, 0,    0,   7, 8,
                                      0x20,         1, 0xd, 0xb8, 0xff, 0xff};
    struct ether_icmp6 low = ra(1800), high = ra(1800);
    struct route_result r;
    struct weir_addr far = ether_addr(FAR), other = ether_addr("2001:db8:2::1");
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    low.message[5] = 3 << 3;
    low.src = "fe80::7";
    memcpy(low.message + low.len, route, sizeof route);
    low.len += sizeof route;
    high.message[5] = 1 << 3;
    ether_put_icmp6(&s, &low);
    ether_put_icmp6(&s, &high);
    ether_run(&s, 0);
    assert_int_equal(route_lookup(&s.stack[0]->ip, &other, 0, &r), 0);
    assert_int_equal(r.next_hop.b[15], 1);
    assert_int_equal(route_lookup(&s.stack[0]->ip, &far, 0, &r), 0);
    assert_int_equal(r.next_hop.b[15], 7);
    ether_close(&s);
}

/* As many routes, prefixes and addresses as there is room for, and no more. */
static void a_router_that_says_everything_fills_no_more_than_its_tables(void **state)
{
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    for (int i = 0; i < 300; i++) {
        struct ether_icmp6 m = ra(1800);
        char text[32], source[32];

        snprintf(text, sizeof text, "2001:db8:%x::", i);
        snprintf(source, sizeof source, "fe80::%x", i + 1);
        m.src = source;
        prefix(&m, text, 0xc0, 1000, 1000);
        ether_put_icmp6(&s, &m);
        ether_run(&s, 1000);
    }
    assert_true(addrs(&s) <= IFACE_ADDRS_MAX);
    assert_true(s.stack[0]->ip.routes <= RA_ROUTES_MAX);
    ether_close(&s);
}

/* 8981#3: another one each day, by which connections go out where that is preferred. */
static void temporary_addresses_come_and_go(void **state)
{
    struct weir_addr first, local;
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    knob(&s, "net.ipv6.conf.all.use_tempaddr", "2");
    knob(&s, "net.ipv6.conf.all.temp_prefered_lft", "1000");
    knob(&s, "net.ipv6.conf.all.temp_valid_lft", "3000");
    say_prefix(&s, UINT32_MAX, UINT32_MAX);
    ether_run(&s, 3 * SECOND);
    assert_int_equal(addrs(&s), 3);
    assert_int_equal(source_towards(&s, FAR, &first), 0);
    assert_true(weir_addr_equal(&first, &addr_at(&s, 2)->addr));
    assert_true(addr_at(&s, 2)->flags & ADDR_TEMPORARY);
    for (int i = 0; i < 20; i++) {
        say_prefix(&s, UINT32_MAX, UINT32_MAX);
        ether_run(&s, 300 * SECOND);
        assert_in_range(addrs(&s), 3, 8);
        assert_int_equal(source_towards(&s, FAR, &local), 0);
        assert_true(i < 4 || !weir_addr_equal(&first, &local));
        assert_false(weir_addr_equal(&local, &addr_at(&s, 1)->addr)); /* never the stable one */
    }
    ether_close(&s);
}

/* 4861#7.2.5: REQ:4861-7.2.5-6 REQ:4861-7.3.3-8 */
static void a_router_that_became_a_host_is_no_way_out(void **state)
{
    struct weir_addr router = ether_addr(ROUTER), local;
    struct ether_icmp6 m;
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    say_prefix(&s, 10000, 10000);
    ether_run(&s, 3 * SECOND);
    assert_int_equal(source_towards(&s, FAR, &local), 0);
    m = about(ND_NA, ROUTER, ALL_NODES, &router);
    mac_option(&m, ND_OPT_TARGET, 9);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 0);
    assert_int_equal(source_towards(&s, FAR, &local), -ENETUNREACH);
    ether_close(&s);
}

static void say_nameserver(struct ether *s, const char *text, uint32_t lifetime_s)
{
    struct weir_addr addr = ether_addr(text);
    struct ether_icmp6 m = ra(1800);
    uint8_t *p = m.message + m.len;

    memset(p, 0, 24);
    p[0] = ND_OPT_RDNSS;
    p[1] = 3;
    put32(p + 4, lifetime_s);
    memcpy(p + 8, &addr, sizeof addr);
    m.len += 24;
    ether_put_icmp6(s, &m);
    ether_run(s, 0);
}

/* The seconds left of each, in the order in which they are told, 0 behind the last. */
static void nameservers_are(struct ether *s, const char *const *texts, const uint32_t *valid_s)
{
    struct weir_nameserver_info info;
    uint32_t cursor = 0;

    for (; *texts; texts++, valid_s++) {
        struct weir_addr addr = ether_addr(*texts);
        assert_int_equal(weir_nameserver_next(s->stack[0], &cursor, &info), 1);
        assert_true(weir_addr_equal(&info.addr, &addr));
        assert_int_equal(info.ifindex, 1);
        assert_int_equal(info.valid_s, *valid_s);
    }
    assert_int_equal(weir_nameserver_next(s->stack[0], &cursor, &info), 0);
}

/* RFC 8106 5.1, 6.1 */
static void nameservers_are_known_as_long_as_they_are_said_to_be(void **state)
{
    const char *const none[] = {NULL}, *const both[] = {FAR, ROUTER, NULL};
    const char *const one[] = {ROUTER, NULL};
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    nameservers_are(&s, none, NULL);
    say_nameserver(&s, FAR, 100);
    say_nameserver(&s, ROUTER, 300);
    nameservers_are(&s, both, (uint32_t[]){100, 300});
    ether_run(&s, 101 * SECOND);
    nameservers_are(&s, one, (uint32_t[]){199});
    say_nameserver(&s, ROUTER, UINT32_MAX);
    nameservers_are(&s, one, (uint32_t[]){WEIR_FOR_EVER});
    say_nameserver(&s, ROUTER, 0);
    ether_run(&s, SECOND);
    nameservers_are(&s, none, NULL);
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routers_are_asked_until_one_answers),
        cmocka_unit_test(a_router_and_a_prefix_make_a_way_out),
        cmocka_unit_test(what_runs_out_goes),
        cmocka_unit_test(a_valid_lifetime_is_not_cut_below_two_hours),
        cmocka_unit_test(what_is_not_believed),
        cmocka_unit_test(knobs_say_what_is_heard),
        cmocka_unit_test(parameters_are_taken_and_zero_says_nothing),
        cmocka_unit_test(of_several_routers_each_has_its_own),
        cmocka_unit_test(a_router_that_says_everything_fills_no_more_than_its_tables),
        cmocka_unit_test(temporary_addresses_come_and_go),
        cmocka_unit_test(a_router_that_became_a_host_is_no_way_out),
        cmocka_unit_test(nameservers_are_known_as_long_as_they_are_said_to_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
