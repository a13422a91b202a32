/* A stack between two links, fd00::1/64 and fd00:1::1/64, as a router of IPv6. 8200 section 3,
 * 4443. */
#include <string.h>

#include "base/bytes.h"
#include "frames6.h"

#define FAR6 "fd00:1::2" /* on the right */

static uint8_t udp[DATAGRAM_MAX];

static struct packet6_spec to_far(uint32_t len)
{
    struct udp_spec s = {.sport = 5000, .dport = 7, .len = len};

    return (struct packet6_spec){
        .dst = FAR6, .proto = PROTO_UDP, .l4 = udp, .len = build_udp6(udp, &s, NULL, FAR6)};
}

/* An error to THEM6, from the address that speaks to it, about what was put. */
static void expect_error(struct frames *f, uint8_t type, uint8_t code, uint32_t rest)
{
    struct weir_addr us = addr6(US6), them = addr6(THEM6);
    struct taken *t = take(f);

    assert_non_null(t);
    assert_int_equal(t->ifindex, 1);
    assert_true(weir_addr_equal(&t->ip6.src, &us) && weir_addr_equal(&t->ip6.dst, &them));
    assert_int_equal(t->ip6.next, PROTO_ICMP6);
    assert_int_equal(t->l4[0], type);
    assert_int_equal(t->l4[1], code);
    assert_int_equal(get32(t->l4 + 4), rest);
    assert_int_equal(sum_of_taken6(t), 0);
    assert_null(take(f));
}

static struct frames *router(void)
{
    return frames_of(.right_mtu = 1500, .has_v6 = true);
}

/* All else stays as it was: class, label, payload. */
TEST(a_packet_goes_on_with_one_less_of_its_hops) /* REQ:8200-3-3 */
{
    struct frames *f = router();
    struct packet6_spec s = to_far(100);
    struct weir_account a;
    uint8_t packet[200];
    struct taken *t;
    uint32_t n;

    s.hops = 9;
    s.tclass = 0xb8;
    n = build_quote6(packet, &s);
    packet[2] = 0xab; /* of the label */
    assert_null(put_frame(f, packet, n));
    t = take(f);
    assert_int_equal(t->ifindex, 2);
    assert_int_equal(t->ip6.hop_limit, 8);
    assert_int_equal(t->ip6.tclass, 0xb8);
    assert_int_equal(t->ip6.flow, 0xab00);
    assert_memory_equal(t->bytes + 8, packet + 8, n - 8);
    weir_account(f->stack, &a);
    assert_int_equal(a.forwarded, 1);
    assert_int_equal(frames_stat(f, "Ip6OutForwDatagrams"), 1);
    frames_end(f);
}

TEST(hops_that_run_out_are_told) /* REQ:8200-3-3 REQ:4443-3.3-1 */
{
    for (uint8_t hops = 0; hops <= 1; hops++) {
        struct frames *f = router();
        struct packet6_spec s = to_far(100);
        uint8_t packet[200];
        uint32_t n = build_quote6(packet, &s);

        packet[7] = hops;
        assert_string_equal(put_frame(f, packet, n), "ip_ttl");
        expect_error(f, ICMP6_TIME, 0, 0);
        frames_end(f);
    }
}

/* Never cut on the way, in a fragment header or out of one. */
TEST(what_is_too_big_is_told_and_not_cut) /* REQ:8200-4.5-1 REQ:4443-3.2-1 */
{
    struct frames *f = frames_of(.right_mtu = 1300, .has_v6 = true);
    struct packet6_spec s = to_far(1300 - IP6_LEN - UDP_LEN);
    uint8_t fragment[1400];

    assert_null(put_packet6(f, &s));
    assert_int_equal(take(f)->len, 1300);
    s = to_far(1301 - IP6_LEN - UDP_LEN);
    assert_string_equal(put_packet6(f, &s), "ip_too_big");
    expect_error(f, ICMP6_TOO_BIG, 0, 1300);
    ip6_frag_emit(fragment, PROTO_UDP, 0, 7);
    s = to_far(1293 - IP6_LEN - UDP_LEN);
    memcpy(fragment + IP6_FRAG_LEN, udp, s.len);
    assert_string_equal(
        put6(f, .dst = FAR6, .proto = NEXT_FRAGMENT, .l4 = fragment, .len = IP6_FRAG_LEN + s.len),
        "ip_too_big");
    expect_error(f, ICMP6_TOO_BIG, 0, 1300);
    assert_int_equal(frames_stat(f, "Ip6FragCreates"), 0);
    assert_int_equal(frames_stat(f, "Ip6InTooBigErrors"), 2);
    frames_end(f);
}

/* Why a packet could not go on; of what was only too much nothing is said. */
TEST(what_can_not_go_on_is_told_unless_it_is_too_much) /* REQ:4443-3.1-1 REQ:4443-3.1-2
                                                          REQ:4443-2.2-3 */
{
    static const struct {
        const char *src, *dst;
        uint8_t code; /* 0xff: silence */
        const char *why;
    } rows[] = {
        {THEM6, "fc77::1", UNREACH6_ROUTE, "ip_no_route"},
        {"fe80::5", FAR6, 0xff, "ip_not_local"},      /* its answer would go to fe80::5 */
        {THEM6, "fe80::9", 0xff, "ip_not_local"},     /* stays on its link */
        {"::", FAR6, 0xff, "ip_not_local"},           /* from nobody */
        {"::1", FAR6, 0xff, "ip_martian_source"},     /* from ourselves */
        {"ff02::9", FAR6, 0xff, "ip_martian_source"}, /* from a group */
        {THEM6, "ff05::9", 0xff, "ip_not_local"},     /* to a group that nobody joined */
        {THEM6, "::1", 0xff, "ip_not_local"},
    };
    struct frames *f = router();
    struct weir_addr all = {.w = {0}}, gateway = addr6("fd00::fe");
    struct packet6_spec s = to_far(100);

    assert_int_equal(weir_route_remove(f->stack, &all, 0, &gateway, 1), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s.src = rows[i].src;
        s.dst = rows[i].dst;
        assert_string_equal(put_packet6(f, &s), rows[i].why);
        if (rows[i].code != 0xff)
            expect_error(f, ICMP6_UNREACH, rows[i].code, 0);
        if (i == 1) {
            struct taken *t = take(f);

            assert_int_equal(t->l4[1], UNREACH6_SCOPE);
        }
        assert_null(take(f));
    }
    assert_int_equal(weir_knob_set(f->stack, "net.weir.forward_queue_bytes", "1000"), 0);
    s = to_far(1000);
    assert_string_equal(put_packet6(f, &s), "forward_queue");
    assert_null(take(f));
    frames_end(f);
}

/* Its options are for who configured them: not even one that asks every node to drop it does. */
TEST(extension_headers_are_nobodys_business_on_the_way) /* REQ:8200-4-2 */
{
    static const uint8_t nexts[] = {NEXT_HOP_BY_HOP, NEXT_ROUTING, NEXT_OPTS, NEXT_FRAGMENT, 253};
    uint8_t options[16] = {PROTO_UDP, 1, 0xde, 12, 1, 2, 3};

    for (size_t i = 0; i < sizeof nexts; i++) {
        struct frames *f = router();
        struct taken *t;

        assert_null(put6(f, .dst = FAR6, .proto = nexts[i], .l4 = options, .len = 16));
        t = take(f);
        assert_int_equal(t->ifindex, 2);
        assert_int_equal(t->ip6.next, nexts[i]);
        assert_memory_equal(t->l4, options, 16);
        frames_end(f);
    }
}

TEST(a_host_forwards_nothing)
{
    struct frames *f = router();
    struct packet6_spec s = to_far(100);

    assert_int_equal(weir_knob_set(f->stack, "net.ipv6.conf.all.forwarding", "0"), 0);
    assert_string_equal(put_packet6(f, &s), "ip_not_local");
    assert_null(take(f));
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("forward6");
}
