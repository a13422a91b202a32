/* The neighbour cache: resolution, reachability, eviction. */
#include "link_bench.h"

/* REQ:826-PacketGeneration-1 REQ:1122-2.3.2.2-1 */
/* ROW:120 */
static void an_unknown_next_hop_is_asked_for_and_the_packet_follows_the_answer(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_false(knows(&b, PEER, peer_mac));
    expect_quiet(&b); /* looking is not asking */
    assert_int_equal(park_bytes(&b, PEER, 7, 100), KEPT);
    expect_request(&b, PEER, every_mac);
    expect_quiet(&b);
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    expect_packet(&b, 7, 100, peer_mac);
    expect_quiet(&b);
    assert_true(knows(&b, PEER, peer_mac));
    assert_int_equal(neigh_deadline(&b.l), INT64_MAX);
    bench_close(&b);
}

/* REQ:1122-2.3.2.1-3 REQ:1122-2.4-3 */
static void a_dead_next_hop_is_asked_for_once_a_second_and_given_up(void **state)
{
    struct link_failure failure;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    for (uint8_t i = 1; i <= 3; i++) {
        assert_int_equal(park_bytes(&b, PEER, i, 60), KEPT);
        expect_request(&b, PEER, every_mac);
        assert_int_equal(park_bytes(&b, PEER, i, 60), KEPT);
        expect_quiet(&b); /* more packets do not ask more often */
        assert_false(link_next_failure(&b.l, &failure));
        wait_for(&b, SECOND);
    }
    expect_quiet(&b);
    assert_int_equal(state_of(&b, PEER), NEIGH_FAILED);
    for (int i = 0; i < 6; i++) {
        assert_true(link_next_failure(&b.l, &failure));
        assert_int_equal(failure.ifindex, 1);
        assert_true(weir_addr_equal(&failure.next_hop, at(10, 0, 0, 2)));
        assert_int_equal(failure.packet.part[0].len, 60);
        assert_int_equal(failure.packet.part[0].data[0], i / 2 + 1);
        assert_int_equal(failure.packet.gso_size, 1000);
    }
    assert_false(link_next_failure(&b.l, &failure));
    link_settle(&b.l);
    assert_int_equal(b.l.parked_bytes, 0);
    wait_for(&b, 60 * SECOND);
    assert_int_equal(state_of(&b, PEER), 0);
    bench_close(&b);
}

static void a_failed_next_hop_is_tried_again_by_the_next_packet(void **state)
{
    struct link_failure failure;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(park_bytes(&b, PEER, 1, 60), KEPT);
    for (int i = 0; i < 3; i++) {
        expect_request(&b, PEER, every_mac);
        wait_for(&b, SECOND);
    }
    assert_true(link_next_failure(&b.l, &failure));
    assert_int_equal(park_bytes(&b, PEER, 2, 60), KEPT);
    expect_request(&b, PEER, every_mac);
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    expect_packet(&b, 2, 60, peer_mac);
    bench_close(&b);
}

/* REQ:1122-2.3.2.1-1 REQ:826-RelatedIssue-1 */
static void an_entry_in_use_goes_stale_is_delayed_probed_and_confirmed(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    assert_in_range(b.l.reachable_us, 15 * SECOND, 45 * SECOND);
    b.now += b.l.reachable_us - 1;
    assert_int_equal(state_of(&b, PEER), NEIGH_REACHABLE);
    b.now += 1;
    assert_int_equal(state_of(&b, PEER), NEIGH_STALE);
    assert_true(knows(&b, PEER, peer_mac)); /* used at once, questioned later */
    assert_int_equal(state_of(&b, PEER), NEIGH_DELAY);
    expect_quiet(&b);
    wait_for(&b, 5 * SECOND);
    expect_request(&b, PEER, peer_mac); /* unicast */
    assert_true(knows(&b, PEER, peer_mac));
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    assert_int_equal(state_of(&b, PEER), NEIGH_REACHABLE);
    bench_close(&b);
}

static void probes_without_an_answer_end_in_a_new_resolution(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    b.now += b.l.reachable_us;
    assert_true(knows(&b, PEER, peer_mac));
    wait_for(&b, 5 * SECOND);
    for (int i = 0; i < 3; i++) {
        expect_request(&b, PEER, peer_mac);
        wait_for(&b, SECOND);
    }
    assert_false(knows(&b, PEER, peer_mac));
    assert_int_equal(park_bytes(&b, PEER, 3, 60), KEPT);
    expect_request(&b, PEER, every_mac);
    bench_close(&b);
}

static void forward_progress_of_tcp_keeps_an_entry_reachable(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    for (int i = 0; i < 10; i++) {
        b.now += b.l.reachable_us - 1;
        neigh_confirm(&b.l, 1, at(10, 0, 0, 2), b.now);
        assert_int_equal(state_of(&b, PEER), NEIGH_REACHABLE);
    }
    b.now += b.l.reachable_us;
    assert_true(knows(&b, PEER, peer_mac));
    assert_int_equal(state_of(&b, PEER), NEIGH_DELAY);
    neigh_confirm(&b.l, 1, at(10, 0, 0, 2), b.now);
    assert_int_equal(state_of(&b, PEER), NEIGH_REACHABLE);
    assert_int_equal(neigh_deadline(&b.l), INT64_MAX);
    neigh_confirm(&b.l, 1, at(10, 0, 0, 1), b.now); /* of nobody: nothing */
    bench_close(&b);
}

/* An interface whose driver takes nothing: the requests do not leave, yet it ends. */
static void resolution_ends_without_anybody_pulling(void **state)
{
    struct link_failure failure;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(park_bytes(&b, PEER, 1, 60), KEPT);
    for (int i = 0; i < 3; i++)
        wait_for(&b, SECOND);
    assert_true(link_next_failure(&b.l, &failure));
    expect_quiet(&b);
    bench_close(&b);
}

/* attack 82: 57,000 neighbours; the cache is bounded, and who is in use stays. */
static void a_sweep_of_addresses_evicts_only_the_unconfirmed(void **state)
{
    uint32_t sweep = 57000;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    for (uint32_t i = 0; i < sweep; i++) {
        struct weir_addr a = weir_addr_v4(0x0a010000 + i);
        uint8_t mac[6] = {2, 1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1};
        struct neigh_out out;

        assert_int_equal(arp_in(&b, ARP_REQUEST, mac, a, US), PASS);
        assert_true(neigh_pull(&b.l, 1, b.now, &out));
        assert_true(b.l.neighs.used <= 1024);
    }
    assert_int_equal(b.l.neighs.used, 1024);
    assert_true(knows(&b, PEER, peer_mac));
    assert_int_equal(state_of(&b, PEER), NEIGH_REACHABLE);
    bench_close(&b);
}

static void with_all_confirmed_the_least_recently_used_goes(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    b.l.config.gc_thresh3 = 3;
    for (int i = 2; i <= 4; i++) {
        struct weir_addr a = v4(10, 0, 0, i);

        assert_int_equal(park_bytes(&b, a, 1, 40), KEPT);
        assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, a, US), PASS);
    }
    assert_true(knows(&b, v4(10, 0, 0, 2), peer_mac)); /* now .3 is the oldest */
    assert_int_equal(park_bytes(&b, v4(10, 0, 0, 5), 1, 40), KEPT);
    assert_int_equal(state_of(&b, v4(10, 0, 0, 3)), 0);
    assert_int_equal(state_of(&b, v4(10, 0, 0, 2)), NEIGH_REACHABLE);
    assert_int_equal(state_of(&b, v4(10, 0, 0, 4)), NEIGH_REACHABLE);
    assert_int_equal(b.l.dropped_evicted, 1); /* .3's packet was still there */
    bench_close(&b);
}

/* REQ:894-AddressMappings-2 */
static void groups_need_no_resolution(void **state)
{
    const uint8_t group[6] = {1, 0, 0x5e, 0x01, 2, 3};
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_true(knows(&b, v4(255, 255, 255, 255), every_mac));
    assert_true(knows(&b, v4(10, 0, 0, 255), every_mac));
    assert_true(knows(&b, v4(239, 129, 2, 3), group)); /* 23 bits of it */
    assert_int_equal(b.l.neighs.used, 0);
    bench_close(&b);
}

static void without_memory_parking_refuses_and_nothing_is_left(void **state)
{
    struct bench b;

    (void)state;
    for (long left = 0; left < 8; left++) {
        enum drop d;

        bench_open(&b, 0);
        b.faulty.left = left;
        d = park_bytes(&b, PEER, 1, 100);
        assert_true(d == KEPT || d == DROP_neigh_table_full || d == DROP_neigh_queue_full);
        b.faulty.left = -1;
        assert_int_equal(park_bytes(&b, PEER, 1, 100), KEPT);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_next_hop_is_asked_for_and_the_packet_follows_the_answer),
        cmocka_unit_test(a_dead_next_hop_is_asked_for_once_a_second_and_given_up),
        cmocka_unit_test(a_failed_next_hop_is_tried_again_by_the_next_packet),
        cmocka_unit_test(an_entry_in_use_goes_stale_is_delayed_probed_and_confirmed),
        cmocka_unit_test(probes_without_an_answer_end_in_a_new_resolution),
        cmocka_unit_test(forward_progress_of_tcp_keeps_an_entry_reachable),
        cmocka_unit_test(resolution_ends_without_anybody_pulling),
        cmocka_unit_test(a_sweep_of_addresses_evicts_only_the_unconfirmed),
        cmocka_unit_test(with_all_confirmed_the_least_recently_used_goes),
        cmocka_unit_test(groups_need_no_resolution),
        cmocka_unit_test(without_memory_parking_refuses_and_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
