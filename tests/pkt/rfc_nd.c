/* Neighbour discovery, rule by rule: what messages say and what they leave alone, who is reachable,
 * how often is asked. RFC 4861 sections 4, 7, 9, 10. */
#include "support/ra6.h"

#define US6 "2001:db8::1"
#define PEER "2001:db8::2"
#define US_GROUP "ff02::1:ff00:1"
#define RESERVED_NA 0x1f /* of byte 4 */

static struct neigh *entry(struct ether *s, const char *text)
{
    struct weir_addr a = ether_addr(text);
    uint32_t index = neigh_find(&s->stack[0]->link, 1, &a);

    return index ? neigh_at(&s->stack[0]->link, index) : NULL;
}

static int begin_with_socket(struct ether *s, struct log *log, int stations)
{
    begin(s, log, stations);
    add(s, 0, US6);
    return udp_from(s, 0, US6);
}

static struct ether_icmp6 solicitation(uint8_t from)
{
    struct weir_addr us = ether_addr(US6);
    struct ether_icmp6 m = about(ND_NS, PEER, US_GROUP, &us);

    if (from)
        mac_option(&m, ND_OPT_SOURCE, from);
    return m;
}

static struct ether_icmp6 advertisement(uint8_t flags, uint8_t from)
{
    struct weir_addr there = ether_addr(PEER);
    struct ether_icmp6 m = about(ND_NA, PEER, US6, &there);

    m.message[4] = flags;
    if (from)
        mac_option(&m, ND_OPT_TARGET, from);
    return m;
}

/* -- messages ---------------------------------------------------------------------------------- */

/* Nothing that is reserved is sent, and no message is larger than a link must take.
 * REQ:4861-4.1-3 REQ:4861-9-3 REQ:4861-4.4-1 REQ:4861-4.4-2 REQ:4861-4.4-3 REQ:2464-6-1 */
static void what_is_sent_has_no_reserved_bits(void **state)
{
    struct log log;
    struct ether s;
    int kinds[256] = {0}, sock;

    (void)state;
    begin_at(&s, &log, US6);
    sock = udp_from(&s, 0, US6);
    send_udp(&s, sock, PEER);
    for (int i = 0; i < 2; i++) {
        struct ether_icmp6 m = solicitation(i ? 9 : 0);
        m.src = i ? PEER : "::";
        ether_put_icmp6(&s, &m);
    }
    ether_run(&s, SECOND);
    for (int i = 0; i < log.n; i++) {
        const struct sent *p = &log.sent[i];
        bool is_na = p->m[0] == ND_NA;
        uint8_t options = p->m[0] == ND_RS ? ND_RS_LEN : ND_NS_LEN;

        kinds[p->m[0]]++;
        assert_int_equal(get32(p->m + 4) & (is_na ? 0x1fffffff : 0xffffffff), 0);
        assert_true(p->len <= 1280 - IP6_LEN);
        if (!is_na)
            continue;
        assert_int_equal(!!(p->m[4] & ND_NA_SOLICITED), p->dst.b[0] != 0xff);
        assert_true(p->m[4] & ND_NA_OVERRIDE);
        assert_int_equal(p->len, options + 8);
        assert_memory_equal(p->m + options, ((uint8_t[]){ND_OPT_TARGET, 1, 2, 0, 0, 0, 0, 1}), 8);
    }
    assert_int_equal(kinds[ND_NA], 2);
    assert_true(kinds[ND_NS] && kinds[ND_RS]);
    ether_close(&s);
}

/* REQ:4861-4.1-3 REQ:4861-6.1.2-2 REQ:4861-6.1.2-3 REQ:4861-9-1 */
static void what_is_reserved_unknown_or_out_of_place_is_passed_over(void **state)
{
    static const uint8_t unknown[8] = {200, 1, 1, 2, 3, 4, 5, 6}, mtu[8] = {ND_OPT_MTU, 1};
    struct ether_icmp6 m[3] = {solicitation(0), advertisement(ND_NA_SOLICITED, 0), ra(1800)};
    struct weir_addr local;
    struct log log;
    struct ether s;
    uint8_t mac;
    int sock, at = 0;

    (void)state;
    begin_at(&s, &log, US6);
    sock = udp_from(&s, 0, US6);
    send_udp(&s, sock, PEER);
    ether_run(&s, 0);
    for (int i = 0; i < 3; i++) {
        uint32_t keep = i == 2 ? ND_RA_LEN : ND_NS_LEN;

        m[i].len = keep;
        memset(m[i].message + 5, i == 2 ? 0x03 : 0xff, i == 2 ? 1 : 3);
        if (i == 1)
            m[i].message[4] |= RESERVED_NA;
        memcpy(m[i].message + m[i].len, unknown, 8);
        memcpy(m[i].message + m[i].len + 8, mtu, 8); /* of routers alone, and 0 */
        m[i].len += 16;
        prefix(&m[i], i == 2 ? PREFIX : "2001:db8:66::", 0xc0, 100, 100);
        mac_option(&m[i], i == 1 ? ND_OPT_TARGET : ND_OPT_SOURCE, 9);
        ether_put_icmp6(&s, &m[i]);
        ether_run(&s, 0);
        if (i == 0) {
            assert_non_null(next_of(&log, &at, ND_NA));
            assert_int_equal(state_of(&s, PEER, &mac),
                             NEIGH_DELAY); /* STALE, and what waited went */
        }
    }
    assert_int_equal(state_of(&s, PEER, &mac), NEIGH_REACHABLE);
    assert_int_equal(mac, 9);
    assert_int_equal(source_towards(&s, FAR, &local), 0);
    assert_int_equal(addrs(&s), 3); /* of the prefix in the router's message, and no other */
    ether_close(&s);
}

/* REQ:4861-4.6.1-1 REQ:4861-7.2-1 */
static void what_says_no_address_teaches_none(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct ether_icmp6 m = i < 3 ? solicitation(0) : advertisement(ND_NA_SOLICITED, 0);
        struct log log;
        struct ether s;
        uint8_t mac = 0;
        int sock = begin_with_socket(&s, &log, 1);

        if (i % 3 == 1) /* the other's option */
            mac_option(&m, i < 3 ? ND_OPT_TARGET : ND_OPT_SOURCE, 9);
        if (i % 3 == 2) { /* longer than an Ethernet address */
            mac_option(&m, i < 3 ? ND_OPT_SOURCE : ND_OPT_TARGET, 9);
            m.message[25] = 2;
            m.len += 8;
        }
        if (i >= 3) {
            send_udp(&s, sock, PEER);
            ether_run(&s, 0);
        }
        ether_put_icmp6(&s, &m);
        assert_int_equal(state_of(&s, PEER, &mac), i < 3 ? 0 : NEIGH_INCOMPLETE);
        assert_int_equal(mac, 0);
        ether_close(&s);
    }
}

/* REQ:4861-7.2.3-4 REQ:4861-7.2.3-6 */
static void a_question_says_nothing_of_routers(void **state)
{
    struct ether_icmp6 m, here = ra(1800);
    struct log log;
    struct ether s;

    (void)state;
    begin_at(&s, &log, US6);
    m = solicitation(9);
    ether_put_icmp6(&s, &m);
    assert_false(entry(&s, PEER)->is_router);
    ether_put_icmp6(&s, &here);
    assert_true(entry(&s, ROUTER)->is_router);
    m = solicitation(8);
    m.src = ROUTER;
    ether_put_icmp6(&s, &m);
    assert_int_equal(entry(&s, ROUTER)->mac[5], 8);
    assert_true(entry(&s, ROUTER)->is_router);
    ether_close(&s);
}

/* REQ:4861-7.2.5-3 REQ:4861-5.2-1 */
static void an_answer_ends_waiting(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        uint8_t flags = (i & 1 ? ND_NA_SOLICITED : 0) | (i & 2 ? ND_NA_ROUTER : 0), mac;
        struct ether_icmp6 m = advertisement(flags, 2);
        struct log log;
        struct ether s;
        int sock = begin_with_socket(&s, &log, 1);

        for (int n = 0; n < 3; n++)
            send_udp(&s, sock, PEER);
        ether_run(&s, 0);
        assert_int_equal(state_of(&s, PEER, &mac), NEIGH_INCOMPLETE);
        ether_put_icmp6(&s, &m);
        assert_int_equal(state_of(&s, PEER, &mac), i & 1 ? NEIGH_REACHABLE : NEIGH_STALE);
        assert_int_equal(mac, 2);
        assert_int_equal(entry(&s, PEER)->is_router, !!(i & 2));
        assert_non_null(entry(&s, PEER)->first);
        ether_run(&s, 0);
        assert_null(entry(&s, PEER)->first);
        ether_close(&s);
    }
}

/* -- who is reachable -------------------------------------------------------------------------- */

/* REQ:4861-7.3.1-2 REQ:4861-7.3.3-6 */
static void what_was_not_asked_for_confirms_nobody(void **state)
{
    struct ether_icmp6 m[4];
    struct log log;
    struct ether s;
    uint8_t mac;

    (void)state;
    begin_at(&s, &log, US6);
    m[0] = solicitation(9); /* the same link-layer address */
    m[1] = advertisement(0, 9);
    m[2] = advertisement(ND_NA_OVERRIDE | ND_NA_ROUTER, 9);
    m[3] = ra(1800);
    m[3].src = PEER;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 4; i++) {
            ether_put_icmp6(&s, &m[i]);
            assert_int_equal(state_of(&s, PEER, &mac), NEIGH_STALE);
        }
    ether_close(&s);
}

/* REQ:4861-7.3.1-1: while acknowledgments of new text come, nobody is asked. */
static void progress_of_a_connection_confirms_its_first_hop(void **state)
{
    struct weir_sockaddr at = {.addr = ether_addr(PEER), .port = 80};
    struct log log;
    struct ether s;
    int listener, sock, questions;
    uint8_t mac;

    (void)state;
    begin_with_socket(&s, &log, 2);
    add(&s, 1, PEER);
    listener = weir_socket(s.stack[1], AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(s.stack[1], listener, &at), 0);
    assert_int_equal(weir_listen(s.stack[1], listener, 1), 0);
    sock = weir_socket(s.stack[0], AF_INET6, SOCK_STREAM, 0);
    weir_connect(s.stack[0], sock, &at);
    ether_run(&s, SECOND);
    questions = count_of(&log, ND_NS);
    assert_int_equal(questions, 1);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(weir_send(s.stack[0], sock, "hello", 5, 0), 5);
        ether_run(&s, 10 * SECOND);
        assert_int_equal(state_of(&s, PEER, &mac), NEIGH_REACHABLE);
    }
    assert_int_equal(count_of(&log, ND_NS), questions);
    ether_close(&s);
}

/* REQ:4861-7.3.3-5 REQ:4861-10-1: three by group, a second apart, whatever is sent meanwhile. */
static void nobody_is_asked_more_often_than_once_a_second(void **state)
{
    struct log log;
    struct ether s;
    int sock = begin_with_socket(&s, &log, 1), at = 0;
    int64_t last = 0;

    (void)state;
    s.stack[0]->link.config.delay_first_probe_time = 0; /* who is used is asked at once */
    for (int i = 0; i < 400; i++) {
        struct ether_icmp6 m = advertisement(ND_NA_OVERRIDE, (uint8_t)(9 + i % 2)); /* STALE */

        send_udp(&s, sock, PEER);
        ether_run(&s, SECOND / 20);
        if (i % 100 > 20)
            ether_put_icmp6(&s, &m);
        while (at < log.n) {
            const struct sent *p = next_of(&log, &at, ND_NS);
            if (!p)
                break;
            assert_true(!last || p->at_ns - last >= 1000000000);
            last = p->at_ns;
        }
    }
    assert_int_not_equal(last, 0);
    ether_close(&s);
}

/* A neighbour that is used once more than it is confirmed: asked 5 s later, and 3 times a second
 * apart; REACHABLE lasts half to one and a half of 30 s. REQ:4861-10-1 REQ:4861-6.3.4-4 */
static void times_are_those_of_the_table(void **state)
{
    int64_t least[2] = {INT64_MAX, INT64_MAX}, most[2] = {0};

    (void)state;
    for (int i = 0; i < 24; i++) {
        struct ether_icmp6 m = advertisement(ND_NA_SOLICITED, 9), told = ra(1800);
        struct log log;
        struct ether s;
        struct sent *p;
        uint8_t mac;
        int sock = begin_with_socket(&s, &log, 1), at = 0;
        bool is_told = i % 2;
        int64_t unit = is_told ? 10 * SECOND : 30 * SECOND, began, lasted;

        for (int draws = 0; draws < i; draws++)
            rng_u64(&s.stack[0]->link.rng);
        s.stack[0]->link.iface[1].ip6.is_on = true;
        put32(told.message + 8, 10000);
        if (is_told)
            ether_put_icmp6(&s, &told);
        send_udp(&s, sock, PEER);
        ether_run(&s, 0);
        ether_put_icmp6(&s, &m);
        ether_run(&s, 0);
        for (began = s.now_ns; state_of(&s, PEER, &mac) == NEIGH_REACHABLE;)
            ether_run(&s, unit / 100);
        lasted = (s.now_ns - began) * 100 / 1000 / unit;
        assert_in_range(lasted, 50, 151);
        least[i % 2] = lasted < least[i % 2] ? lasted : least[i % 2];
        most[i % 2] = lasted > most[i % 2] ? lasted : most[i % 2];
        log.n = 0;
        began = s.now_ns;
        send_udp(&s, sock, PEER);
        ether_run(&s, 20 * SECOND);
        for (int n = 0; n < 3; n++) {
            p = next_of(&log, &at, ND_NS);
            assert_int_equal(p->at_ns - began, (5 + n) * 1000000000ll);
            assert_int_equal(p->dst.b[0], 0x20);
        }
        assert_null(next_of(&log, &at, ND_NS));
        ether_close(&s);
    }
    for (int i = 0; i < 2; i++)
        assert_true(least[i] < 85 && most[i] > 115); /* they are not all alike */
}

/* And not for ever the same: REQ:4861-6.3.4-4 */
static void the_reachable_time_is_drawn_again(void **state)
{
    struct ether_icmp6 m = advertisement(ND_NA_SOLICITED, 9);
    int64_t seen[8], changes = 0;
    struct log log;
    struct ether s;
    int sock = begin_with_socket(&s, &log, 1);

    (void)state;
    for (int i = 0; i < 8; i++) {
        send_udp(&s, sock, PEER);
        ether_run(&s, 0);
        ether_put_icmp6(&s, &m);
        seen[i] = s.stack[0]->link.reachable_us;
        changes += i && seen[i] != seen[i - 1];
        ether_run(&s, 3600 * SECOND);
    }
    assert_true(changes >= 6);
    ether_close(&s);
}

/* -- questions --------------------------------------------------------------------------------- */

/* REQ:4861-7.2.2-1 */
static void a_question_comes_from_the_address_of_what_waits(void **state)
{
    struct weir_addr other = ether_addr("2001:db8::9");
    struct log log;
    struct ether s;
    struct sent *p;
    int sock, at = 0;

    (void)state;
    begin_with_socket(&s, &log, 1);
    add(&s, 0, "2001:db8::9");
    add(&s, 0, "2001:db8::8");
    sock = udp_from(&s, 0, "2001:db8::9");
    send_udp(&s, sock, PEER);
    ether_run(&s, 2 * SECOND);
    for (int i = 0; i < 3; i++) {
        p = next_of(&log, &at, ND_NS);
        assert_true(weir_addr_equal(&p->src, &other));
    }
    ether_close(&s);
}

/* A host that has no address any more asks for routers as nobody, and says no MAC.
 * REQ:4861-4.1-1 */
static void who_has_no_address_asks_for_routers_as_nobody(void **state)
{
    struct weir_addr mine;
    struct log log;
    struct ether s;
    struct sent *p;
    int at;

    (void)state;
    begin_on_link(&s, &log);
    mine = addr_at(&s, 0)->addr;
    at = log.n;
    assert_int_equal(weir_addr_remove(s.stack[0], 1, &mine), 0);
    ether_run(&s, 20 * SECOND);
    p = next_of(&log, &at, ND_RS);
    assert_non_null(p);
    assert_true(weir_addr_is_any(&p->src));
    assert_int_equal(p->len, ND_RS_LEN);
    ether_close(&s);
}

/* REQ:4861-7.2.2-6 REQ:4861-4.3-1: what waited came to grief, and its sender hears of it. */
static void what_waited_in_vain_is_told(void **state)
{
    struct weir_sockaddr group = {.addr = ether_addr("ff02::77"), .port = 500};
    struct log log;
    struct ether s;
    char text[8];
    int sock = begin_with_socket(&s, &log, 1), one = 1, at = 0;
    struct sent *p;

    (void)state;
    weir_setsockopt(s.stack[0], sock, 41, 25, &one, sizeof one); /* IPV6_RECVERR */
    send_udp(&s, sock, PEER);
    ether_run(&s, 2999999);
    assert_int_equal(weir_recv(s.stack[0], sock, text, sizeof text, 0), -EAGAIN);
    ether_run(&s, 1);
    assert_int_equal(weir_recv(s.stack[0], sock, text, sizeof text, 0), -EHOSTUNREACH);
    weir_sendto(s.stack[0], sock, "x", 1, 0, &group); /* nobody is asked for a group */
    ether_run(&s, SECOND);
    while ((p = next_of(&log, &at, ND_NS)))
        assert_int_not_equal(p->m[8], 0xff);
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_has_no_reserved_bits),
        cmocka_unit_test(what_is_reserved_unknown_or_out_of_place_is_passed_over),
        cmocka_unit_test(what_says_no_address_teaches_none),
        cmocka_unit_test(a_question_says_nothing_of_routers),
        cmocka_unit_test(an_answer_ends_waiting),
        cmocka_unit_test(what_was_not_asked_for_confirms_nobody),
        cmocka_unit_test(progress_of_a_connection_confirms_its_first_hop),
        cmocka_unit_test(nobody_is_asked_more_often_than_once_a_second),
        cmocka_unit_test(times_are_those_of_the_table),
        cmocka_unit_test(the_reachable_time_is_drawn_again),
        cmocka_unit_test(a_question_comes_from_the_address_of_what_waits),
        cmocka_unit_test(who_has_no_address_asks_for_routers_as_nobody),
        cmocka_unit_test(what_waited_in_vain_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
