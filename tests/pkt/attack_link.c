/* Attacks from the link: claims on addresses, sweeps, floods of what routers say, frames that are
 * cut. A neighbour that is in use stays in use, limits hold, nothing is believed that was not asked
 * for. docs/attacks.md 81 to 85; 6583, 6980. */
#include "support/ra6.h"

#include <stdlib.h>

#include "base/rng.h"

#define US "10.0.0.1"
#define US6 "2001:db8::1"
#define FRIEND "10.0.0.2"
#define FRIEND6 "2001:db8::2"
#define EVIL 0x66 /* the MAC's last byte */

/* Two stations that speak with each other, by IPv4 and IPv6; station 0 is attacked. */
struct siege {
    struct ether s;
    struct log log;
    int sock4, sock6, far4, far6;
};

static int bound_to(struct ether *s, int station, const char *text)
{
    struct weir_sockaddr at = {.addr = ether_addr(text), .port = 500};
    bool is_v4 = weir_addr_is_v4(&at.addr);
    int sock = weir_socket(s->stack[station], is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);

    assert_int_equal(weir_bind(s->stack[station], sock, &at), 0);
    return sock;
}

static void add24(struct ether *s, int station, const char *text, int prefix)
{
    struct weir_addr a = ether_addr(text);

    assert_int_equal(weir_addr_add(s->stack[station], 1, &a, prefix), 0);
}

static void say_hello(struct siege *x, int sock, const char *to)
{
    struct weir_sockaddr at = {.addr = ether_addr(to), .port = 500};

    weir_sendto(x->s.stack[0], sock, "hello", 5, 0, &at);
}

/* What friends say to each other arrives. */
static void they_talk(struct siege *x)
{
    char text[8];

    say_hello(x, x->sock4, FRIEND);
    say_hello(x, x->sock6, FRIEND6);
    ether_run(&x->s, 0);
    assert_int_equal(weir_recv(x->s.stack[1], x->far4, text, sizeof text, 0), 5);
    assert_int_equal(weir_recv(x->s.stack[1], x->far6, text, sizeof text, 0), 5);
}

static void open_siege(struct siege *x)
{
    begin(&x->s, &x->log, 2);
    add24(&x->s, 0, US, 8);
    add24(&x->s, 1, FRIEND, 8);
    add(&x->s, 0, US6);
    add(&x->s, 1, FRIEND6);
    x->sock4 = bound_to(&x->s, 0, US);
    x->sock6 = bound_to(&x->s, 0, US6);
    x->far4 = bound_to(&x->s, 1, FRIEND);
    x->far6 = bound_to(&x->s, 1, FRIEND6);
    they_talk(x);
}

/* To station 0 alone, or to all. */
static void put_arp(struct ether *s, uint16_t op, uint32_t spa, uint32_t tpa, bool is_to_all)
{
    struct arp a = {.op = op, .sha = {2, 0, 0, 0, 0, EVIL}, .spa = spa, .tpa = tpa};
    struct eth e = {.src = {2, 0, 0, 0, 0, EVIL}, .type = ETH_TYPE_ARP};
    uint8_t frame[ETH_LEN + ARP_LEN];

    ether_mac(0, e.dst);
    if (is_to_all)
        memset(e.dst, 0xff, 6);
    eth_emit(frame, &e);
    arp_emit(frame + ETH_LEN, &a);
    ether_put(s, frame, sizeof frame);
}

static size_t held(const struct ether *s)
{
    return s->stack[0]->mem.held;
}

/* 81: of the neighbour in use; it is confirmed, so a claim moves nothing at once. */
static void who_claims_a_neighbour_in_use_does_not_get_its_packets(void **state)
{
    struct weir_addr there = ether_addr(FRIEND6);
    struct siege x;
    uint8_t mac;

    (void)state;
    open_siege(&x);
    for (int i = 0; i < 200; i++) {
        struct ether_icmp6 m = about(ND_NA, FRIEND6, i % 2 ? ALL_NODES : US6, &there);

        mac_option(&m, ND_OPT_TARGET, EVIL);
        m.from = EVIL;
        put_arp(&x.s, i % 2 ? ARP_REPLY : ARP_REQUEST, 0x0a000002, 0x0a000002, i % 3);
        ether_put_icmp6(&x.s, &m); /* without Override */
        they_talk(&x);
        ether_run(&x.s, SECOND / 100);
    }
    assert_int_not_equal(state_of(&x.s, FRIEND, &mac), 0);
    assert_int_equal(mac, 2);
    assert_int_not_equal(state_of(&x.s, FRIEND6, &mac), 0);
    assert_int_equal(mac, 2);
    ether_close(&x.s);
}

/* 81: of our own; it is defended, at most once in 10 s, and served. */
static void who_claims_our_address_does_not_get_it(void **state)
{
    struct weir_addr us = ether_addr(US6);
    struct siege x;
    uint64_t arps = 0, frames;

    (void)state;
    open_siege(&x);
    frames = x.s.stack[0]->account.frames_out;
    for (int i = 0; i < 500; i++) {
        struct ether_icmp6 m = about(ND_NA, US6, ALL_NODES, &us);

        m.message[4] = ND_NA_OVERRIDE;
        mac_option(&m, ND_OPT_TARGET, EVIL);
        put_arp(&x.s, ARP_REPLY, 0x0a000001, 0x0a000001, true);
        ether_put_icmp6(&x.s, &m);
        ether_run(&x.s, SECOND / 10);
    }
    arps = x.s.stack[0]->account.frames_out - frames;
    assert_in_range(arps, 1, 6 + 10); /* of 50 s; and MLD's and discovery's own few */
    they_talk(&x);
    assert_int_equal(addr_at(&x.s, 0)->state, ADDR_USABLE);
    assert_int_equal(addr_at(&x.s, 1)->state, ADDR_USABLE);
    ether_close(&x.s);
}

/* 82, 85: 57,000 stations that ask, and as many that nobody is; who is in use stays. */
static void a_cache_that_is_flooded_keeps_who_is_in_use(void **state)
{
    struct weir_addr us = ether_addr(US6);
    struct siege x;
    uint8_t mac;

    (void)state;
    open_siege(&x);
    for (uint32_t i = 0; i < 57000; i++) {
        char text[32];

        put_arp(&x.s, ARP_REQUEST, 0x0a010000 + i, 0x0a000001, true);
        if (i % 8 == 0) {
            struct ether_icmp6 m;
            snprintf(text, sizeof text, "2001:db8::1:%x", i);
            m = about(ND_NS, text, "ff02::1:ff00:1", &us);
            mac_option(&m, ND_OPT_SOURCE, EVIL);
            ether_put_icmp6(&x.s, &m);
        }
        if (i % 1000 == 0) {
            ether_run(&x.s, SECOND / 50);
            they_talk(&x);
            assert_true(x.s.stack[0]->link.neighs.used <= 1024);
        }
    }
    assert_int_equal(x.s.stack[0]->link.neighs.used, 1024);
    state_of(&x.s, FRIEND, &mac);
    assert_int_equal(mac, 2);
    state_of(&x.s, FRIEND6, &mac);
    assert_int_equal(mac, 2);
    ether_close(&x.s);
}

/* 83: packets for hosts that are not there; of each the newest stay. REQ:4861-7.2.2-3 */
static void what_waits_for_nobody_is_bounded(void **state)
{
    struct siege x;
    size_t before;

    (void)state;
    open_siege(&x);
    before = held(&x.s);
    for (int i = 0; i < 10000; i++) {
        char text[32];

        snprintf(text, sizeof text, "10.1.%d.%d", i / 250, 1 + i % 250);
        say_hello(&x, x.sock4, text);
        snprintf(text, sizeof text, "2001:db8::dead:%x", i % 2000);
        say_hello(&x, x.sock6, text);
        if (i % 20 == 0) {
            ether_run(&x.s, 0);
            assert_true(x.s.stack[0]->link.parked_bytes <= 212992);
            assert_true(x.s.stack[0]->link.neighs.used <= 1024);
        }
    }
    they_talk(&x);
    ether_run(&x.s, 100 * SECOND);
    assert_int_equal(x.s.stack[0]->link.parked_bytes, 0);
    assert_true(held(&x.s) < before + 512 * 1024);
    ether_close(&x.s);
}

/* The newest of a destination replace the oldest: its share of what may wait is as any other's. */
static void the_newest_of_what_waits_stays(void **state)
{
    struct siege x;
    char text[8];
    int first = 0, got = 0;

    (void)state;
    open_siege(&x);
    knob(&x.s, "net.ipv4.neigh.default.unres_qlen_bytes", "4096");
    x.s.stations = 1;
    add24(&x.s, 1, "2001:db8::3", 64);
    for (int i = 0; i < 100; i++) {
        struct weir_sockaddr at = {.addr = ether_addr("2001:db8::3"), .port = 501};
        text[0] = (char)i;
        assert_int_equal(weir_sendto(x.s.stack[0], x.sock6, text, 5, 0, &at), 5);
        ether_run(&x.s, 0);
    }
    x.s.stations = 2;
    {
        struct weir_sockaddr at = {.addr = ether_addr("2001:db8::3"), .port = 501};
        int far = weir_socket(x.s.stack[1], AF_INET6, SOCK_DGRAM, 0);
        assert_int_equal(weir_bind(x.s.stack[1], far, &at), 0);
        ether_run(&x.s, SECOND);
        while (weir_recv(x.s.stack[1], far, text, sizeof text, 0) == 5) {
            if (!got++)
                first = text[0];
            assert_int_equal(text[0], first + got - 1); /* in order */
        }
    }
    assert_in_range(got, 5, 60);
    assert_int_equal(first + got, 100); /* up to the last */
    ether_close(&x.s);
}

/* 84: an ARP packet and each message of discovery, cut anywhere; and in a buffer of its own size,
 * so that a byte too far is seen. */
static void frames_that_are_cut_are_dropped(void **state)
{
    struct weir_addr us = ether_addr(US6);
    static const uint8_t types[] = {ND_RS, ND_RA, ND_NS, ND_NA, ND_REDIRECT, 130, 131, 132, 143};
    struct siege x;

    (void)state;
    open_siege(&x);
    for (uint32_t len = 0; len <= ETH_LEN + ARP_LEN; len++) {
        struct arp a = {
            .op = ARP_REQUEST, .sha = {2, [5] = 9}, .spa = 0x0a000009, .tpa = 0x0a000001};
        struct eth e = {.dst = {2, [5] = 1}, .src = {2, [5] = 9}, .type = ETH_TYPE_ARP};
        uint8_t frame[ETH_LEN + ARP_LEN], *cut = malloc(len ? len : 1);
        uint64_t before = x.s.stack[0]->account.frames_out;

        eth_emit(frame, &e);
        arp_emit(frame + ETH_LEN, &a);
        memcpy(cut, frame, len);
        ether_put(&x.s, cut, len);
        free(cut);
        ether_run(&x.s, 0);
        assert_int_equal(x.s.stack[0]->account.frames_out - before, len == ETH_LEN + ARP_LEN);
    }
    for (size_t t = 0; t < sizeof types; t++)
        for (uint32_t len = 0; len < 64; len++) {
            struct ether_icmp6 m = about(types[t], "fe80::9", "ff02::1:ff00:1", &us);

            mac_option(&m, types[t] == ND_NA ? ND_OPT_TARGET : ND_OPT_SOURCE, EVIL);
            m.len = len;
            ether_put_icmp6(&x.s, &m);
        }
    they_talk(&x);
    ether_close(&x.s);
}

/* Any options at all, which say what they like of their length. */
static void random_options_do_no_harm(void **state)
{
    static const uint8_t types[] = {ND_RS, ND_RA, ND_NS, ND_NA, ND_REDIRECT};
    static const uint8_t heads[] = {ND_RS_LEN, ND_RA_LEN, ND_NS_LEN, ND_NA_LEN, ND_REDIRECT_LEN};
    struct weir_addr us = ether_addr(US6);
    struct siege x;
    struct rng rng;

    (void)state;
    open_siege(&x);
    rng_init(&rng, 7, 8);
    weir_ip6_start(x.s.stack[0], 1);
    for (int i = 0; i < 20000; i++) {
        int t = (int)rng_below(&rng, 5);
        struct ether_icmp6 m = about(types[t], ROUTER, ALL_NODES, &us);

        m.len = heads[t] + rng_below(&rng, 300);
        for (uint32_t at = heads[t]; at < m.len; at++)
            m.message[at] = (uint8_t)rng_u64(&rng);
        for (uint32_t at = heads[t]; at + 1 < m.len; at += m.message[at + 1] * 8u) {
            m.message[at] = (uint8_t)rng_below(&rng, 33);
            m.message[at + 1] = (uint8_t)(1 + rng_below(&rng, 5));
        }
        ether_put_icmp6(&x.s, &m);
        if (i % 100 == 0)
            ether_run(&x.s, SECOND / 10);
    }
    assert_true(addrs(&x.s) <= IFACE_ADDRS_MAX);
    assert_true(x.s.stack[0]->ip.routes <= RA_ROUTES_MAX + 4);
    ether_close(&x.s);
}

/* 85: floods of routers, and one that says a thousand things at once. REQ:4861-6.3.4-10 */
static void routers_without_end_fill_no_more_than_their_tables(void **state)
{
    struct siege x;
    size_t before;

    (void)state;
    open_siege(&x);
    weir_ip6_start(x.s.stack[0], 1);
    ether_run(&x.s, 3 * SECOND);
    before = held(&x.s);
    for (int i = 0; i < 2000; i++) {
        struct ether_icmp6 m = ra(1800);
        char source[32], text[32];

        snprintf(source, sizeof source, "fe80::9:%x", i);
        m.src = source;
        for (int n = 0; n < 12; n++) {
            snprintf(text, sizeof text, "2001:db8:%x:%x::", 1 + i, n);
            prefix(&m, text, 0xc0, 1800, 1800);
        }
        ether_put_icmp6(&x.s, &m);
        if (i % 50 == 0)
            ether_run(&x.s, SECOND / 10);
    }
    ether_run(&x.s, SECOND);
    assert_true(addrs(&x.s) <= IFACE_ADDRS_MAX);
    assert_true(x.s.stack[0]->ip.routes <= RA_ROUTES_MAX + 4);
    assert_true(x.s.stack[0]->link.neighs.used <= 1024);
    assert_true(x.s.stack[0]->ip.members.members <= 2 * IFACE_ADDRS_MAX);
    assert_true(held(&x.s) < before + 512 * 1024);
    they_talk(&x);
    ether_close(&x.s);
}

/* 1,000 options in one advertisement, as large as a jumbo frame would hold. */
static void an_advertisement_of_a_thousand_options_is_read_once(void **state)
{
    enum { OPTIONS = 1000 };
    static uint8_t frame[ETH_LEN + IP6_LEN + ND_RA_LEN + 8 * OPTIONS];
    struct weir_config c = {.seed = {1, 2}, .now_ns = 1000000000};
    struct weir_iface_config i = {
        .name = "e", .type = WEIR_LINK_ETHER, .mtu = 9000, .mac = {2, [5] = 1}};
    struct weir_addr src = ether_addr(ROUTER), dst = ether_addr(ALL_NODES);
    struct ip6 h = {.next = PROTO_ICMP6,
                    .hop_limit = 255,
                    .payload_len = ND_RA_LEN + 8 * OPTIONS,
                    .src = src,
                    .dst = dst};
    struct eth e = {.dst = {0x33, 0x33, [5] = 1}, .src = {2, [5] = 9}, .type = ETH_TYPE_IP6};
    struct weir_stack *k = weir_new(&c);
    struct weir_frame f = {.parts = 1, .hdr_len = sizeof frame};
    uint8_t *m = frame + ETH_LEN + IP6_LEN;

    (void)state;
    weir_iface_add(k, &i);
    weir_ip6_start(k, 1);
    eth_emit(frame, &e);
    ip6_emit(frame + ETH_LEN, &h);
    m[0] = ND_RA;
    m[7] = 200;
    for (int n = 0; n < OPTIONS; n++) {
        uint8_t *o = m + ND_RA_LEN + 8 * n;
        o[0] = n % 2 ? ND_OPT_SOURCE : ND_OPT_MTU;
        o[1] = 1;
        put32(o + 4, 1280 + (uint32_t)n); /* or a MAC */
        o[2] = n % 2 ? 2 : 0;
    }
    icmp6_seal(m, ND_RA_LEN + 8 * OPTIONS, &src, &dst);
    f.part[0] = (struct weir_slice){frame, sizeof frame};
    assert_int_equal(weir_input(k, 1, &f, 1, c.now_ns), 1);
    weir_advance(k, c.now_ns + 1);
    assert_int_equal(k->link.iface[1].mtu, 1280 + OPTIONS - 2);
    assert_int_equal(k->link.neighs.used, 1);
    weir_free(k);
}

/* 85: discovery in fragments, even an atomic one, is not believed. 6980#5 */
static void discovery_in_fragments_is_not_believed(void **state)
{
    static const uint8_t types[] = {ND_RA, ND_NS, ND_NA};
    struct weir_addr us = ether_addr(US6), src = ether_addr("fe80::9"), dst = ether_addr(ALL_NODES);
    struct siege x;
    uint8_t mac;

    (void)state;
    open_siege(&x);
    weir_ip6_start(x.s.stack[0], 1);
    ether_run(&x.s, 3 * SECOND);
    for (int t = 0; t < 3; t++)
        for (uint32_t step = 40; step >= 16; step -= 8) { /* 40: one fragment holds all */
            struct ether_icmp6 m = about(types[t], "fe80::9", ALL_NODES, &us);
            uint64_t before = x.s.stack[0]->drops[DROP_nd_invalid - DROP_FIRST];

            m.len = types[t] == ND_RA ? ND_RA_LEN : ND_NS_LEN;
            if (types[t] == ND_RA)
                put16(m.message + 6, 1800);
            mac_option(&m, types[t] == ND_NA ? ND_OPT_TARGET : ND_OPT_SOURCE, EVIL);
            icmp6_seal(m.message, m.len, &src, &dst);
            for (uint32_t at = 0; at < m.len; at += step) {
                uint32_t n = m.len - at < step ? m.len - at : step;
                struct ip6 h = {.next = NEXT_FRAGMENT,
                                .hop_limit = 255,
                                .payload_len = (uint16_t)(IP6_FRAG_LEN + n),
                                .src = src,
                                .dst = dst};
                struct eth e = {
                    .dst = {0x33, 0x33, [5] = 1}, .src = {2, [5] = 9}, .type = ETH_TYPE_IP6};
                uint8_t frame[200];

                eth_emit(frame, &e);
                ip6_emit(frame + ETH_LEN, &h);
                ip6_frag_emit(frame + ETH_LEN + IP6_LEN, PROTO_ICMP6,
                              (uint16_t)(at | (at + n < m.len)), step * 10 + (uint32_t)t);
                memcpy(frame + ETH_LEN + IP6_LEN + IP6_FRAG_LEN, m.message + at, n);
                ether_put(&x.s, frame, ETH_LEN + IP6_LEN + IP6_FRAG_LEN + n);
            }
            ether_run(&x.s, 0);
            assert_int_equal(state_of(&x.s, "fe80::9", &mac), 0);
            assert_true(types[t] == ND_NS || step < 24 ||
                        x.s.stack[0]->drops[DROP_nd_invalid - DROP_FIRST] == before + 1);
        }
    ether_close(&x.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_claims_a_neighbour_in_use_does_not_get_its_packets),
        cmocka_unit_test(who_claims_our_address_does_not_get_it),
        cmocka_unit_test(a_cache_that_is_flooded_keeps_who_is_in_use),
        cmocka_unit_test(what_waits_for_nobody_is_bounded),
        cmocka_unit_test(the_newest_of_what_waits_stays),
        cmocka_unit_test(frames_that_are_cut_are_dropped),
        cmocka_unit_test(random_options_do_no_harm),
        cmocka_unit_test(routers_without_end_fill_no_more_than_their_tables),
        cmocka_unit_test(an_advertisement_of_a_thousand_options_is_read_once),
        cmocka_unit_test(discovery_in_fragments_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
