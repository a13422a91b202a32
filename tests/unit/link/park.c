/* Packets that wait for a neighbour: order, bounds, and who is pushed out. */
#include "link_bench.h"

#include "link/neigh.h"

static void packets_keep_their_order_and_their_marks(void **state)
{
    struct neigh_out out;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    for (uint8_t i = 1; i <= 5; i++)
        assert_int_equal(park_bytes(&b, PEER, i, 100), KEPT);
    expect_request(&b, PEER, every_mac);
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    assert_true(neigh_pull(&b.l, 1, b.now, &out));
    assert_int_equal(out.packet.hdr_len, 28);
    assert_int_equal(out.packet.gso_size, 1000);
    for (uint8_t i = 2; i <= 5; i++)
        expect_packet(&b, i, 100, peer_mac);
    assert_int_equal(out.packet.part[0].data[0], 1); /* intact until the stack is called again */
    link_settle(&b.l);
    assert_int_equal(b.l.parked_bytes, 0);
    bench_close(&b);
}

/* attack 83: 10,000 dead hosts; what is held is bounded, and the living one is served. */
static void the_bytes_of_all_queues_together_are_bounded(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(park_bytes(&b, weir_addr_v4(0x0a010000 + i), 1, 1500), KEPT);
        assert_true(b.l.parked_bytes <= 212992);
    }
    assert_true(b.l.dropped_queue_full + b.l.dropped_evicted > 9800);
    assert_int_equal(park_bytes(&b, PEER, 9, 1500), KEPT);
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    for (;;) {
        struct neigh_out out;

        assert_true(neigh_pull(&b.l, 1, b.now, &out));
        if (out.kind == NEIGH_IP) {
            assert_int_equal(out.packet.part[0].data[0], 9);
            break;
        }
    }
    bench_close(&b);
}

/* REQ:1122-2.3.2.2-1 One host that takes all it can get pushes out its own packets, oldest first.
 */
static void a_greedy_neighbour_pushes_out_its_own(void **state)
{
    struct weir_addr dead = v4(10, 0, 0, 99);
    struct link_failure failure;
    uint8_t last = 0;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(park_bytes(&b, PEER, 200, 1500), KEPT);
    for (uint8_t i = 1; i <= 100; i++)
        assert_int_equal(park_bytes(&b, dead, i, 1500), KEPT);
    assert_true(b.l.parked_bytes <= 212992);
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    expect_packet(&b, 200, 1500, peer_mac);
    expect_request(&b, dead, every_mac);
    for (int i = 0; i < 3; i++) {
        b.now += SECOND;
        neigh_advance(&b.l, b.now);
    }
    while (link_next_failure(&b.l, &failure)) {
        assert_true(failure.packet.part[0].data[0] > last);
        last = failure.packet.part[0].data[0];
    }
    assert_int_equal(last, 100);
    bench_close(&b);
}

static void the_latest_packet_is_kept_even_if_it_alone_is_too_large(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    b.l.config.unres_qlen_bytes = 65536;
    assert_int_equal(park_bytes(&b, PEER, 1, 1500), KEPT);
    assert_int_equal(park_bytes(&b, PEER, 2, 65535), KEPT);
    assert_int_equal(b.l.dropped_queue_full, 1);
    assert_int_equal(park_bytes(&b, PEER, 3, 1500), KEPT);
    assert_int_equal(b.l.dropped_queue_full, 2);
    expect_request(&b, PEER, every_mac);
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    expect_packet(&b, 3, 1500, peer_mac);
    expect_quiet(&b);
    bench_close(&b);
}

static void lent_packets_count_until_they_are_settled(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    b.l.config.unres_qlen_bytes = 65536;
    assert_int_equal(park_bytes(&b, PEER, 1, 60000), KEPT);
    expect_request(&b, PEER, every_mac);
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    expect_packet(&b, 1, 60000, peer_mac);
    assert_int_equal(park_bytes(&b, v4(10, 0, 0, 9), 2, 60000), DROP_neigh_queue_full);
    link_settle(&b.l);
    assert_int_equal(park_bytes(&b, v4(10, 0, 0, 9), 2, 60000), KEPT);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_keep_their_order_and_their_marks),
        cmocka_unit_test(the_bytes_of_all_queues_together_are_bounded),
        cmocka_unit_test(a_greedy_neighbour_pushes_out_its_own),
        cmocka_unit_test(the_latest_packet_is_kept_even_if_it_alone_is_too_large),
        cmocka_unit_test(lent_packets_count_until_they_are_settled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
