/* Redirects of IPv6, rule by rule: RFC 4861 section 8, and what ends them. */
#include "support/ra6.h"

#include "sock/sock.h"

#define BETTER "fe80::7"
#define FAR_TOO "2001:db8:ffff::2"

/* The MAC's last byte of the UDP packet that station 0 sent last; 0: none. */
static uint8_t last_mac;

static bool see(struct ether *s, int from, const uint8_t *bytes, uint32_t len)
{
    if (from == 0 && get16(bytes + 12) == ETH_TYPE_IP6 && bytes[ETH_LEN + 6] == PROTO_UDP)
        last_mac = bytes[5];
    return on_frame(s, from, bytes, len);
}

/* Where a datagram to `dst` goes; 0: it waits. */
static uint8_t mac_towards(struct ether *s, int sock, const char *dst)
{
    last_mac = 0;
    send_udp(s, sock, dst);
    ether_run(s, 0);
    return last_mac;
}

/* A host with an address and a first hop, and a socket there. */
static int begin_with_router(struct ether *s, struct log *log)
{
    char text[WEIR_ADDR_TEXT];

    begin_on_link(s, log);
    s->on_frame = see;
    say_prefix(s, 86400, 86400);
    ether_run(s, 3 * SECOND);
    return udp_from(s, 0, weir_addr_text(&addr_at(s, 1)->addr, text));
}

static struct ether_icmp6 redirect(struct ether *s, const char *target, const char *dst)
{
    static char us[WEIR_ADDR_TEXT];
    struct weir_addr t = ether_addr(target), d = ether_addr(dst);
    struct ether_icmp6 m;

    weir_addr_text(&addr_at(s, 0)->addr, us);
    m = about(ND_REDIRECT, ROUTER, us, &t);
    memcpy(m.message + 24, &d, sizeof d);
    m.len = ND_REDIRECT_LEN;
    return m;
}

static bool is_router(struct ether *s, const char *text)
{
    struct weir_addr a = ether_addr(text);
    uint32_t index = neigh_find(&s->stack[0]->link, 1, &a);

    assert_int_not_equal(index, 0);
    return neigh_at(&s->stack[0]->link, index)->is_router;
}

/* REQ:4861-8.3-1 REQ:4861-8.3-2 REQ:4861-8.3-4 */
static void a_better_router_is_taken_for_the_destination_that_is_named(void **state)
{
    struct ether_icmp6 m;
    struct log log;
    struct ether s;
    uint8_t mac;
    int sock;

    (void)state;
    sock = begin_with_router(&s, &log);
    assert_int_equal(mac_towards(&s, sock, FAR), 9);
    m = redirect(&s, BETTER, FAR);
    mac_option(&m, ND_OPT_TARGET, 7);
    ether_put_icmp6(&s, &m);
    assert_int_equal(state_of(&s, BETTER, &mac), NEIGH_STALE);
    assert_int_equal(mac, 7);
    assert_true(is_router(&s, BETTER));
    assert_int_equal(mac_towards(&s, sock, FAR), 7);
    assert_int_equal(mac_towards(&s, sock, FAR_TOO), 9);
    m = redirect(&s, ROUTER, FAR); /* and the new first hop may send it back */
    m.src = BETTER;
    m.from = 7;
    ether_put_icmp6(&s, &m);
    assert_int_equal(mac_towards(&s, sock, FAR), 9);
    ether_close(&s);
}

/* An entry whose address is the same keeps its state: REQ:4861-8.3-2 */
static void what_is_known_of_the_target_changes_only_if_it_is_new(void **state)
{
    struct weir_addr better = ether_addr(BETTER);
    struct ether_icmp6 m;
    struct log log;
    struct ether s;
    uint8_t mac;

    (void)state;
    begin_with_router(&s, &log);
    m = redirect(&s, BETTER, FAR);
    mac_option(&m, ND_OPT_TARGET, 7);
    ether_put_icmp6(&s, &m);
    neigh_confirm(&s.stack[0]->link, 1, &better, s.now_ns / 1000);
    m = redirect(&s, BETTER, FAR_TOO);
    mac_option(&m, ND_OPT_TARGET, 7);
    ether_put_icmp6(&s, &m);
    assert_int_equal(state_of(&s, BETTER, &mac), NEIGH_REACHABLE);
    m = redirect(&s, BETTER, "2001:db8:ffff::3");
    mac_option(&m, ND_OPT_TARGET, 6);
    ether_put_icmp6(&s, &m);
    assert_int_equal(state_of(&s, BETTER, &mac), NEIGH_STALE);
    assert_int_equal(mac, 6);
    ether_close(&s);
}

/* REQ:4861-8.3-3 REQ:4861-8.1-2 */
static void the_destination_itself_is_on_the_link(void **state)
{
    struct weir_addr far = ether_addr(FAR);
    struct ether_icmp6 m;
    struct log log;
    struct ether s;
    struct sent *p;
    char us[WEIR_ADDR_TEXT];
    int sock, at = 0;

    (void)state;
    sock = begin_with_router(&s, &log);
    weir_addr_text(&addr_at(&s, 1)->addr, us);
    m = redirect(&s, FAR, FAR);
    ether_put_icmp6(&s, &m);
    log.n = 0;
    assert_int_equal(mac_towards(&s, sock, FAR), 0); /* asked for, as any neighbour */
    p = next_of(&log, &at, ND_NS);
    assert_non_null(p);
    assert_true(is_at(p->m + 8, &far));
    m = about(ND_NA, FAR, us, &far);
    m.message[4] = ND_NA_SOLICITED;
    mac_option(&m, ND_OPT_TARGET, 8);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 0);
    assert_int_equal(last_mac, 8); /* what waited goes */
    assert_false(is_router(&s, FAR));
    assert_int_equal(mac_towards(&s, sock, FAR), 8);
    assert_int_equal(mac_towards(&s, sock, FAR_TOO), 9);
    ether_close(&s);
}

/* Each but one rule is kept. REQ:4861-8.1-1 REQ:4861-5.1-1 */
static void what_can_not_be_true_is_not_heeded(void **state)
{
    enum { RULES = 10 };

    (void)state;
    for (int rule = 0; rule < RULES; rule++) {
        struct ether_icmp6 m;
        struct log log;
        struct ether s;
        int sock = begin_with_router(&s, &log);

        m = redirect(&s, rule == 0 ? "2001:db8:1::9" : BETTER, rule == 1 ? "ff0e::1" : FAR);
        mac_option(&m, ND_OPT_TARGET, 7);
        if (rule == 2) { /* a first hop by hand, which is not link-local */
            struct weir_addr far = ether_addr(FAR), by = ether_addr("2001:db8:1::fe");
            const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

            assert_int_equal(weir_route_add(s.stack[0], &far, 128, &by, 1, 0), 0);
            neigh_set(&s.stack[0]->link, 1, &by, mac, s.now_ns / 1000);
            m.src = "2001:db8:1::fe";
        }
        if (rule == 3)
            m.src = "fe80::3"; /* not the first hop */
        if (rule == 4)
            m.hop_limit = 254;
        if (rule == 5)
            m.message[1] = 1;
        if (rule == 6)
            m.len = 39;
        if (rule == 7)
            m.message[41] = 0; /* an empty option */
        if (rule == 8)
            m.message[41] = 2; /* that leads out */
        if (rule == 9)
            memcpy(m.message + 8, &addr_at(&s, 0)->addr, 16); /* ourselves */
        ether_put_icmp6(&s, &m);
        assert_int_equal(s.stack[0]->drops[DROP_nd_invalid - DROP_FIRST], 1);
        assert_int_equal(mac_towards(&s, sock, FAR), 9);
        ether_close(&s);
    }
}

static void who_forwards_or_is_told_not_to_hears_none(void **state)
{
    static const char *const knobs[][2] = {{"net.ipv6.conf.all.accept_redirects", "0"},
                                           {"net.ipv6.conf.all.forwarding", "1"}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct ether_icmp6 m;
        struct log log;
        struct ether s;
        int sock = begin_with_router(&s, &log);

        m = redirect(&s, BETTER, FAR);
        mac_option(&m, ND_OPT_TARGET, 7);
        ether_put_icmp6(&s, &m);
        assert_int_equal(mac_towards(&s, sock, FAR), 7);
        knob(&s, knobs[i][0], knobs[i][1]); /* and what was heard is forgotten */
        assert_int_equal(mac_towards(&s, sock, FAR), 9);
        ether_put_icmp6(&s, &m);
        assert_int_equal(s.stack[0]->drops[DROP_nd_ignored - DROP_FIRST], 1);
        assert_int_equal(mac_towards(&s, sock, FAR), 9);
        ether_close(&s);
    }
}

/* A router that is gone takes with it what led by it. REQ:4861-6.3.5-1 REQ:4861-7.2.5-6 */
static void what_led_by_a_router_that_is_none_goes_another_way(void **state)
{
    struct weir_addr better = ether_addr(BETTER);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct ether_icmp6 m, bye = ra(0), here = ra(1800);
        struct log log;
        struct ether s;
        int sock = begin_with_router(&s, &log);

        here.src = bye.src = BETTER;
        here.message[5] = 3 << 3; /* not the first hop by itself: 4191 */
        here.message[ND_RA_LEN + 7] = bye.message[ND_RA_LEN + 7] = 7;
        ether_put_icmp6(&s, &here);
        assert_int_equal(mac_towards(&s, sock, FAR), 9);
        m = redirect(&s, BETTER, FAR);
        ether_put_icmp6(&s, &m);
        assert_int_equal(mac_towards(&s, sock, FAR), 7);
        if (i == 0) {
            ether_put_icmp6(&s, &bye);
        } else {
            m = about(ND_NA, BETTER, ALL_NODES, &better);
            mac_option(&m, ND_OPT_TARGET, 7);
            ether_put_icmp6(&s, &m); /* it is no router any more */
        }
        ether_run(&s, 0);
        assert_int_equal(mac_towards(&s, sock, FAR), 9);
        ether_close(&s);
    }
}

/* REQ:4861-8.3-5 REQ:4861-6.2.4-1 */
static void a_host_sends_neither_redirects_nor_advertisements(void **state)
{
    struct ether_icmp6 ask = {
        .src = NEIGHBOUR, .dst = "ff02::2", .from = 9, .message = {ND_RS}, .len = ND_RS_LEN};
    struct ether_icmp6 echo = {.src = "2001:db8:1::77",
                               .dst = FAR,
                               .from = 8,
                               .hop_limit = 9,
                               .message = {ICMP6_ECHO},
                               .len = 8};
    struct log log;
    struct ether s;

    (void)state;
    begin_with_router(&s, &log);
    for (int i = 0; i < 2; i++) {
        knob(&s, "net.ipv6.conf.all.forwarding", i ? "1" : "0");
        ether_put_icmp6(&s, &ask);
        ether_put_icmp6(&s, &echo); /* back to the link that it came from */
        ether_run(&s, 700 * SECOND);
    }
    assert_int_equal(count_of(&log, ND_RA), 0);
    assert_int_equal(count_of(&log, ND_REDIRECT), 0);
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_better_router_is_taken_for_the_destination_that_is_named),
        cmocka_unit_test(what_is_known_of_the_target_changes_only_if_it_is_new),
        cmocka_unit_test(the_destination_itself_is_on_the_link),
        cmocka_unit_test(what_can_not_be_true_is_not_heeded),
        cmocka_unit_test(who_forwards_or_is_told_not_to_hears_none),
        cmocka_unit_test(what_led_by_a_router_that_is_none_goes_another_way),
        cmocka_unit_test(a_host_sends_neither_redirects_nor_advertisements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
