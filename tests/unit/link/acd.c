/* Address conflict detection, RFC 5227: what is asked before an address is ours, and what follows
 * when somebody else has it. */
#include "link_bench.h"

#define WANTED v4(10, 0, 0, 50)

static struct iface_addr *entry(struct bench *b, struct weir_addr addr)
{
    return iface_find_addr(iface_at(&b->l, 1), &addr);
}

static void claim(struct bench *b)
{
    struct weir_addr wanted = WANTED;

    assert_int_equal(iface_add_addr(&b->l, 1, &wanted, 24), 0);
    acd_begin(&b->l, 1, entry(b, wanted), b->now);
}

/* To the next step, which must be within [least, most] from now. */
static void step_within(struct bench *b, int64_t least, int64_t most)
{
    int64_t at = acd_deadline(&b->l);

    assert_in_range(at - b->now, least, most);
    assert_int_equal(acd_advance(&b->l, at - 1), 0);
    b->now = at;
    assert_int_equal(acd_advance(&b->l, at), 1);
}

static void expect_claim(struct bench *b, struct weir_addr spa)
{
    const uint8_t zero[6] = {0};
    struct weir_addr wanted = WANTED;
    struct neigh_out out;

    assert_true(neigh_has_output(&b->l, 1));
    assert_true(neigh_pull(&b->l, 1, b->now, &out));
    assert_int_equal(out.kind, NEIGH_ARP);
    assert_int_equal(out.arp.op, ARP_REQUEST);
    assert_int_equal(out.arp.spa, weir_addr_to_v4(&spa));
    assert_int_equal(out.arp.tpa, weir_addr_to_v4(&wanted));
    assert_memory_equal(out.arp.sha, our_mac, 6);
    assert_memory_equal(out.arp.tha, zero, 6);
    assert_memory_equal(out.dst, every_mac, 6);
    expect_quiet(b);
}

static void expect_change(struct bench *b, enum addr_state state)
{
    struct acd_change c;

    assert_true(acd_next_change(&b->l, &c));
    assert_int_equal(c.ifindex, 1);
    assert_int_equal(c.addr->state, state);
    assert_false(acd_next_change(&b->l, &c));
}

static void probe_all(struct bench *b)
{
    const struct weir_addr none = v4(0, 0, 0, 0);

    step_within(b, 0, SECOND);
    expect_claim(b, none);
    for (int i = 0; i < 2; i++) {
        step_within(b, SECOND, 2 * SECOND);
        expect_claim(b, none);
    }
}

static bool is_ours(struct bench *b, struct weir_addr addr)
{
    return iface_is_own(&b->l, 1, &addr);
}

/* REQ:5227-1.1-1 REQ:5227-2.1-2 REQ:5227-2.1.1-1 REQ:5227-2.1.1-2 REQ:5227-2.3-1 */
static void an_address_is_probed_three_times_then_announced_twice(void **state)
{
    struct bench b;

    (void)state;
    for (int seed = 0; seed < 20; seed++) {
        bench_open(&b, 0);
        rng_init(&b.l.rng, (uint64_t)seed, 7);
        claim(&b);
        probe_all(&b);
        assert_false(is_ours(&b, WANTED));
        step_within(&b, 2 * SECOND, 2 * SECOND);
        assert_true(is_ours(&b, WANTED));
        expect_change(&b, ADDR_USABLE);
        expect_claim(&b, WANTED);
        step_within(&b, 2 * SECOND, 2 * SECOND);
        expect_claim(&b, WANTED);
        assert_int_equal(acd_deadline(&b.l), INT64_MAX); /* never again by itself */
        bench_close(&b);
    }
}

/* REQ:5227-2.1-1 */
static void until_then_it_is_neither_answered_for_nor_used(void **state)
{
    struct weir_addr wanted = WANTED, src;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    claim(&b);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, WANTED), DROP_arp_not_for_us);
    assert_false(iface_has_addr(&b.l, &wanted));
    iface_remove_addr(&b.l, 1, at(10, 0, 0, 1));
    assert_false(iface_source_for(&b.l, 1, at(10, 0, 0, 2), &src));
    assert_false(iface_is_broadcast(&b.l, 1, at(10, 0, 0, 255)));
    bench_close(&b);
}

static void expect_lost(struct bench *b)
{
    assert_int_equal(entry(b, WANTED)->state, ADDR_DUPLICATE);
    assert_memory_equal(entry(b, WANTED)->rival, evil_mac, 6);
    expect_change(b, ADDR_DUPLICATE);
    assert_false(is_ours(b, WANTED));
    assert_int_equal(acd_deadline(&b->l), INT64_MAX);
    expect_quiet(b);
}

/* REQ:5227-2.1.1-3: at any time until it is ours, by requests and replies. */
static void a_claim_while_it_is_probed_is_a_conflict(void **state)
{
    struct bench b;

    (void)state;
    for (int when = 0; when < 4; when++) {
        bench_open(&b, 0);
        claim(&b);
        if (when == 1)
            step_within(&b, 0, SECOND); /* due, and not sent yet */
        if (when >= 2)
            probe_all(&b);
        assert_int_equal(arp_in(&b, when & 1 ? ARP_REQUEST : ARP_REPLY, evil_mac, WANTED, PEER),
                         DROP_arp_conflict);
        acd_advance(&b.l, b.now + 10 * SECOND);
        expect_lost(&b);
        bench_close(&b);
    }
}

/* REQ:5227-2.1.1-4, and a probe of our own that the link gave back is none. */
static void another_ones_probe_for_it_is_a_conflict(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    claim(&b);
    assert_int_equal(arp_in(&b, ARP_REQUEST, our_mac, v4(0, 0, 0, 0), WANTED), DROP_arp_invalid);
    assert_int_equal(entry(&b, WANTED)->state, ADDR_TENTATIVE);
    assert_int_equal(arp_in(&b, ARP_REQUEST, evil_mac, v4(0, 0, 0, 0), WANTED), DROP_arp_conflict);
    acd_advance(&b.l, b.now + 10 * SECOND);
    expect_lost(&b);
    assert_int_equal(arp_in(&b, ARP_REQUEST, evil_mac, WANTED, US), PASS); /* a neighbour now */
    bench_close(&b);
}

/* REQ:5227-2.1.1-5 */
static void after_ten_conflicts_candidates_are_a_minute_apart(void **state)
{
    struct weir_addr wanted = WANTED;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    for (int i = 0; i < 10; i++) {
        claim(&b);
        assert_in_range(acd_deadline(&b.l) - b.now, 0, SECOND);
        assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, WANTED, PEER), DROP_arp_conflict);
        iface_remove_addr(&b.l, 1, &wanted);
    }
    for (int i = 0; i < 2; i++) {
        claim(&b);
        step_within(&b, 60 * SECOND, 61 * SECOND);
        expect_claim(&b, v4(0, 0, 0, 0));
        assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, WANTED, PEER), DROP_arp_conflict);
        iface_remove_addr(&b.l, 1, &wanted);
        b.now = iface_at(&b.l, 1)->claimed_at_us;
    }
    bench_close(&b);
}

/* REQ:5227-2.4-2 */
static void an_address_may_be_given_up_at_the_first_claim(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    b.l.config.acd_defend = ACD_GIVE_UP;
    assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, US, PEER), DROP_arp_conflict);
    expect_change(&b, ADDR_DUPLICATE);
    assert_false(is_ours(&b, US));
    expect_quiet(&b);
    bench_close(&b);
}

/* REQ:5227-2.4-3 REQ:5227-2.4-4 */
static void or_defended_once_and_given_up_at_the_second_within_ten_seconds(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    b.l.config.acd_defend = ACD_ONCE;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, US, PEER), DROP_arp_conflict);
        expect_request(&b, US, every_mac);
        assert_true(is_ours(&b, US));
        b.now += 10 * SECOND;
    }
    assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, US, PEER), DROP_arp_conflict);
    b.now += 10 * SECOND - 1;
    assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, US, PEER), DROP_arp_conflict);
    assert_false(is_ours(&b, US));
    expect_change(&b, ADDR_DUPLICATE);
    bench_close(&b);
}

static void on_a_gateway_it_is_ours_at_once(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WEIR_IF_ANY_ADDR);
    claim(&b);
    assert_int_equal(entry(&b, WANTED)->state, ADDR_USABLE);
    expect_quiet(&b);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_probed_three_times_then_announced_twice),
        cmocka_unit_test(until_then_it_is_neither_answered_for_nor_used),
        cmocka_unit_test(a_claim_while_it_is_probed_is_a_conflict),
        cmocka_unit_test(another_ones_probe_for_it_is_a_conflict),
        cmocka_unit_test(after_ten_conflicts_candidates_are_a_minute_apart),
        cmocka_unit_test(an_address_may_be_given_up_at_the_first_claim),
        cmocka_unit_test(or_defended_once_and_given_up_at_the_second_within_ten_seconds),
        cmocka_unit_test(on_a_gateway_it_is_ours_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
