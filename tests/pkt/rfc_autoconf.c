/* Addresses of IPv6, rule by rule: which are whose, how they are made and asked for, what they are
 * good for at the end. RFC 4862, 4291, 2464, 7217. */
#include "support/ra6.h"

#define OURS "2001:db8::1"

static const char *text_of(const struct weir_addr *a)
{
    static char text[4][WEIR_ADDR_TEXT];
    static unsigned next;

    return weir_addr_text(a, text[next++ % 4]);
}

/* Whether an echo request from `src` to `dst` is answered. */
static bool is_answered(struct ether *s, const char *src, const char *dst)
{
    struct log *log = s->user;
    struct ether_icmp6 m = {.src = src, .dst = dst, .from = 9, .message = {ICMP6_ECHO}, .len = 20};
    struct weir_addr from = ether_addr(src);
    const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    int at = log->n;

    neigh_set(&s->stack[0]->link, 1, &from, mac, s->now_ns / 1000);
    ether_put_icmp6(s, &m);
    ether_run(s, 0);
    return next_of(log, &at, ICMP6_ECHO_REPLY);
}

static struct ether_icmp6 probe_for(const struct weir_addr *a)
{
    struct weir_addr group;

    nd_solicited_group(a, &group);
    return about(ND_NS, "::", text_of(&group), a);
}

/* Though the link-local address with the same identifier was found to be free.
 * REQ:4862-5.4-3 REQ:4862-5.4-4 REQ:2464-4-1 REQ:2464-4-2 */
static void each_address_is_asked_for_by_itself(void **state)
{
    static const struct weir_addr made[2] = {
        {.b = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1}},
        {.b = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1}}};
    struct log log;
    struct ether s;
    int at = 0;

    (void)state;
    begin_by_mac(&s, &log);
    ether_run(&s, 3 * SECOND);
    say_prefix(&s, 9000, 9000);
    ether_run(&s, 3 * SECOND);
    assert_int_equal(addrs(&s), 2);
    for (int i = 0; i < 2; i++) {
        struct sent *p = next_of(&log, &at, ND_NS);

        assert_true(weir_addr_equal(&addr_at(&s, i)->addr, &made[i]));
        assert_int_equal(addr_at(&s, i)->prefix, 64);
        assert_true(is_at(p->m + 8, &made[i]));
    }
    assert_null(next_of(&log, &at, ND_NS));
    ether_close(&s);
}

/* REQ:4862-5.4-5 REQ:4291-2.8-1 */
static void a_tentative_address_takes_nothing_but_discovery(void **state)
{
    const struct iface_addr *a;
    struct ether_icmp6 m;
    struct log log;
    struct ether s;

    (void)state;
    begin_on_link(&s, &log);
    say_prefix(&s, 9000, 9000);
    a = addr_at(&s, 1);
    assert_int_equal(a->state, ADDR_TENTATIVE);
    assert_false(is_answered(&s, "2001:db8:1::9", text_of(&a->addr)));
    assert_int_equal(s.stack[0]->drops[DROP_ip_not_local - DROP_FIRST], 1);
    assert_int_equal(s.stack[0]->ip.answer_bytes, 0);
    ether_run(&s, 3 * SECOND);
    assert_true(is_answered(&s, "2001:db8:1::9", text_of(&a->addr)));
    m = probe_for(&a->addr); /* it is heard while it is asked for */
    say_prefix(&s, 0, 0);
    ether_put_icmp6(&s, &m);
    ether_run(&s, 0);
    assert_int_equal(count_of(&log, ND_NA), 1);
    ether_close(&s);
}

/* Before its own question left, in the random time before. REQ:4862-5.4.2-4 */
static void a_rival_is_heard_before_the_own_question(void **state)
{
    struct weir_addr first;
    struct ether_icmp6 m;
    struct log log;
    struct ether s;

    (void)state;
    begin(&s, &log, 1);
    weir_ip6_start(s.stack[0], 1);
    first = addr_at(&s, 0)->addr;
    m = probe_for(&first);
    ether_put_icmp6(&s, &m);
    assert_int_equal(log.n, 0);
    assert_false(weir_addr_equal(&addr_at(&s, 0)->addr, &first));
    ether_close(&s);
}

/* REQ:4862-5.4.3-3 REQ:4862-5.4.5-2: what comes back from the link is one thing, the same question
 * of somebody else another, and it is said which address that was. */
static void a_loop_is_no_rival_but_a_second_question_is(void **state)
{
    struct weir_addr_info info;
    struct ether_icmp6 m;
    struct log log;
    struct ether s;
    struct sent *p;
    uint32_t cursor = 0;
    int at = 0;

    (void)state;
    begin_by_mac(&s, &log);
    ether_run(&s, SECOND);
    p = next_of(&log, &at, ND_NS);
    m = probe_for(&addr_at(&s, 0)->addr);
    memcpy(m.message, p->m, p->len);
    m.len = p->len;
    ether_put_icmp6(&s, &m);
    assert_int_equal(addr_at(&s, 0)->state, ADDR_TENTATIVE);
    m.message[ND_NS_LEN + 2] ^= 1; /* another nonce */
    ether_put_icmp6(&s, &m);
    assert_int_equal(addr_at(&s, 0)->state, ADDR_DUPLICATE);
    assert_int_equal(weir_addr_next(s.stack[0], &cursor, &info), 1);
    assert_true(info.flags & WEIR_ADDR_DUPLICATE);
    assert_int_equal(s.stack[0]->drops[DROP_nd_conflict - DROP_FIRST], 1);
    ether_close(&s);
}

/* REQ:4862-5.4.5-3: two have one MAC. Nothing here would work. */
static void a_link_local_address_that_comes_from_the_mac_and_is_taken_ends_ipv6(void **state)
{
    struct ether_icmp6 m;
    struct log log;
    struct ether s;

    (void)state;
    begin_by_mac(&s, &log);
    m = probe_for(&addr_at(&s, 0)->addr);
    ether_put_icmp6(&s, &m);
    log.n = 0;
    say_prefix(&s, 9000, 9000);
    ether_run(&s, 100 * SECOND);
    assert_int_equal(addrs(&s), 1);
    assert_int_equal(log.n, 0);
    assert_int_equal(s.stack[0]->drops[DROP_nd_ignored - DROP_FIRST], 1);
    ether_close(&s);
}

/* REQ:4862-5.5.4-1 REQ:4862-5.5.4-2 REQ:4862-5.5.4-5 */
static void a_deprecated_address_serves_who_has_it(void **state)
{
    struct ether_icmp6 other = ra(1800);
    struct weir_addr local, old;
    struct log log;
    struct ether s;
    int sock;

    (void)state;
    begin_on_link(&s, &log);
    say_prefix(&s, 9000, 9000);
    ether_run(&s, 3 * SECOND);
    old = addr_at(&s, 1)->addr;
    prefix(&other, "2001:db8:2::", 0xc0, 9000, 9000);
    ether_put_icmp6(&s, &other);
    ether_run(&s, 3 * SECOND);
    sock = udp_from(&s, 0, text_of(&old));
    say_prefix(&s, 9000, 0);
    assert_true(addr_at(&s, 1)->flags & ADDR_DEPRECATED);
    assert_int_equal(source_towards(&s, "2001:db8:1::77", &local), 0);
    assert_false(weir_addr_equal(&local, &old)); /* what begins now takes the other */
    assert_true(is_answered(&s, "2001:db8:1::9", text_of(&old)));
    send_udp(&s, sock, FAR);
    weir_close(s.stack[0], sock);
    ether_run(&s, SECOND);
    sock = udp_from(&s, 0, text_of(&old)); /* who names it gets it */
    send_udp(&s, sock, FAR);
    ether_close(&s);
}

/* -- what addresses mean ----------------------------------------------------------------------- */

/* REQ:4291-2.8-1 */
static void a_host_answers_where_it_is_and_nowhere_else(void **state)
{
    static const char *const others[] = {"ff02::2", "ff02::1:ff00:2", "2001:db8::2", "ff05::6"};
    struct ipv6_mreq {
        struct weir_addr group;
        unsigned ifindex;
    } m = {ether_addr("ff05::5"), 1};
    struct log log;
    struct ether s;
    int sock;

    (void)state;
    begin_at(&s, &log, OURS);
    sock = udp_from(&s, 0, OURS);
    assert_int_equal(weir_setsockopt(s.stack[0], sock, 41, 20, &m, sizeof m), 0);
    assert_true(is_answered(&s, "fe80::9", text_of(&addr_at(&s, 0)->addr)));
    assert_true(is_answered(&s, "2001:db8::9", OURS));
    assert_true(is_answered(&s, "fe80::9", ALL_NODES));
    assert_true(is_answered(&s, "2001:db8::9", "ff02::1:ff00:1"));
    assert_true(is_answered(&s, "2001:db8::9", "ff05::5"));
    for (int i = 0; i < 4; i++)
        assert_false(is_answered(&s, "2001:db8::9", others[i]));
    ether_close(&s);
}

/* REQ:4291-2.5.2-1 REQ:4291-2.5.3-1 REQ:4291-2.7-1 */
static void addresses_that_can_not_be_are_neither_heard_nor_used(void **state)
{
    static const struct {
        const char *src, *dst, *why;
    } rows[] = {
        {"::", OURS, "ip_martian_source"},      {"2001:db8::9", "::", "ip_not_local"},
        {"ff02::5", OURS, "ip_martian_source"}, {"::1", OURS, "ip_martian_source"},
        {"2001:db8::9", "::1", "ip_not_local"}, {OURS, OURS, "ip_martian_source"},
    };
    static const struct weir_addr any;
    struct weir_addr group = ether_addr("ff02::5");
    struct weir_sockaddr self = {.addr = {.b = {[15] = 1}}, .port = 500};
    struct log log;
    struct ether s;
    int sock;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, OURS);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ether_icmp6 m = {
            .src = rows[i].src, .dst = rows[i].dst, .from = 9, .message = {ICMP6_ECHO}, .len = 8};
        int drop = 0;
        uint64_t before;

        while (strcmp(weir_drop_name(drop), rows[i].why) != 0)
            drop++;
        before = weir_drops(s.stack[0], drop);
        ether_put_icmp6(&s, &m);
        assert_int_equal(weir_drops(s.stack[0], drop), before + 1);
    }
    assert_int_equal(weir_addr_add(s.stack[0], 1, &any, 64), -EINVAL);
    assert_int_equal(weir_addr_add(s.stack[0], 1, &group, 64), -EINVAL);
    sock = udp_from(&s, 0, OURS);
    ether_run(&s, 2 * SECOND);
    log.n = 0;
    weir_sendto(s.stack[0], sock, "x", 1, 0, &self);
    ether_run(&s, 10 * SECOND);
    assert_int_equal(log.n, 0); /* not even a question for ::1 */
    ether_close(&s);
}

/* What the frame says it carries, it carries. REQ:2464-3-1 */
static uint8_t frame[ETHER_FRAME_MAX];
static uint32_t frame_len;

static bool copy_frame(struct ether *s, int from, const uint8_t *bytes, uint32_t len)
{
    (void)s;
    if (from >= 0 && bytes[12] != 0x86)
        return true;
    if (from >= 0)
        assert_int_equal(bytes[13], 0xdd);
    memcpy(frame, bytes, len);
    frame_len = len;
    return true;
}

static void ipv6_has_its_own_ethertype(void **state)
{
    struct ether_icmp6 m = {
        .src = "2001:db8::9", .dst = ALL_NODES, .from = 9, .message = {ICMP6_ECHO}, .len = 8};
    struct log log;
    struct ether s;

    (void)state;
    begin(&s, &log, 1);
    add(&s, 0, OURS);
    s.on_frame = copy_frame;
    ether_put_icmp6(&s, &m);
    s.on_frame = on_frame;
    put16(frame + 12, ETH_TYPE_IP4);
    ether_put(&s, frame, frame_len);
    assert_int_equal(s.stack[0]->drops[DROP_ip_version - DROP_FIRST], 1);
    put16(frame + 12, 0x86de);
    ether_put(&s, frame, frame_len);
    assert_int_equal(s.stack[0]->drops[DROP_ether_type - DROP_FIRST], 1);
    ether_run(&s, SECOND);
    assert_int_equal(count_of(&log, ND_NS), 0);
    put16(frame + 12, ETH_TYPE_IP6);
    ether_put(&s, frame, frame_len);
    s.on_frame = copy_frame;
    frame_len = 0;
    ether_run(&s, SECOND);
    assert_int_not_equal(frame_len, 0); /* a question for who asked, by IPv6 */
    ether_close(&s);
}

/* -- 7217 -------------------------------------------------------------------------------------- */

/* The address that a stack with this seed and secret makes of a prefix. */
static struct weir_addr made_of(uint64_t seed, const char *secret, const char *text)
{
    struct weir_config c = {.seed = {seed, 2}, .now_ns = 1000000000};
    struct weir_iface_config f = {
        .name = "eth0", .type = WEIR_LINK_ETHER, .mtu = 1500, .mac = {2, 0, 0, 0, 0, 1}};
    struct ether s = {.stations = 1, .now_ns = c.now_ns};
    struct ether_icmp6 m = ra(1800);
    struct weir_addr a;

    s.stack[0] = weir_new(&c);
    weir_iface_add(s.stack[0], &f);
    if (secret)
        knob(&s, "net.ipv6.conf.all.stable_secret", secret);
    weir_ip6_start(s.stack[0], 1);
    ether_run(&s, 3 * SECOND);
    prefix(&m, text, 0xc0, 9000, 9000);
    ether_put_icmp6(&s, &m);
    a = addr_at(&s, 1)->addr;
    ether_close(&s);
    return a;
}

static void a_secret_makes_the_same_addresses_each_time(void **state)
{
    static const char one[] = "2001:db8::1234", two[] = "2001:db8::1235";
    struct weir_addr a = made_of(1, one, PREFIX), b = made_of(2, one, PREFIX);
    struct weir_addr other = made_of(1, two, PREFIX);
    struct weir_addr there = made_of(1, one, "2001:db8:2::");
    struct weir_addr drawn = made_of(1, NULL, PREFIX), again = made_of(3, NULL, PREFIX);
    struct log log;
    struct ether s;
    char text[64];

    (void)state;
    assert_true(weir_addr_equal(&a, &b));
    assert_memory_not_equal(a.b + 8, other.b + 8, 8);
    assert_memory_not_equal(a.b + 8, there.b + 8, 8); /* nobody follows it from link to link */
    assert_memory_not_equal(drawn.b + 8, again.b + 8, 8);
    begin(&s, &log, 1);
    assert_true(weir_knob_get(s.stack[0], "net.ipv6.conf.all.stable_secret", text, 64) >= 0);
    assert_string_equal(text, "");
    knob(&s, "net.ipv6.conf.all.stable_secret", "2001:db8::1234\n");
    weir_knob_get(s.stack[0], "net.ipv6.conf.all.stable_secret", text, 64);
    assert_string_equal(text, one);
    assert_int_equal(weir_knob_set(s.stack[0], "net.ipv6.conf.all.stable_secret", "10.0.0.1"),
                     -EINVAL);
    assert_int_equal(weir_knob_set(s.stack[0], "net.ipv6.conf.all.stable_secret", "secret"),
                     -EINVAL);
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_is_asked_for_by_itself),
        cmocka_unit_test(a_tentative_address_takes_nothing_but_discovery),
        cmocka_unit_test(a_rival_is_heard_before_the_own_question),
        cmocka_unit_test(a_loop_is_no_rival_but_a_second_question_is),
        cmocka_unit_test(a_link_local_address_that_comes_from_the_mac_and_is_taken_ends_ipv6),
        cmocka_unit_test(a_deprecated_address_serves_who_has_it),
        cmocka_unit_test(a_host_answers_where_it_is_and_nowhere_else),
        cmocka_unit_test(addresses_that_can_not_be_are_neither_heard_nor_used),
        cmocka_unit_test(ipv6_has_its_own_ethertype),
        cmocka_unit_test(a_secret_makes_the_same_addresses_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
