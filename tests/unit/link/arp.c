/* ARP packets that come in: what they may teach us, what we answer. */
#include "link_bench.h"

static const uint8_t last_mac[6] = {2, 0, 0, 0, 0, 0x77};

static void expect_reply(struct bench *b, const uint8_t to[6], struct weir_addr spa,
                         struct weir_addr tpa)
{
    struct neigh_out out;

    assert_true(neigh_pull(&b->l, 1, b->now, &out));
    assert_int_equal(out.kind, NEIGH_ARP);
    assert_int_equal(out.arp.op, ARP_REPLY);
    assert_memory_equal(out.dst, to, 6);
    assert_memory_equal(out.arp.tha, to, 6);
    assert_memory_equal(out.arp.sha, our_mac, 6);
    assert_int_equal(out.arp.spa, weir_addr_to_v4(&spa));
    assert_int_equal(out.arp.tpa, weir_addr_to_v4(&tpa));
}

/* REQ:826-PacketReception-6 REQ:826-PacketReception-4 REQ:5227-2.6-1 REQ:894-AddressMappings-1 */
static void a_request_for_us_is_answered_and_teaches_the_sender(void **state) /* ROW:120 */
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, US), PASS);
    expect_reply(&b, peer_mac, US, PEER);
    expect_quiet(&b);
    assert_int_equal(state_of(&b, PEER), NEIGH_STALE); /* known, not confirmed */
    assert_true(knows(&b, PEER, peer_mac));
    bench_close(&b);
}

/* REQ:826-PacketReception-7 */
static void a_request_for_somebody_else_is_neither_answered_nor_learned(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, v4(10, 0, 0, 9)), DROP_arp_not_for_us);
    expect_quiet(&b);
    assert_int_equal(b.l.neighs.used, 0);
    bench_close(&b);
}

/* REQ:826-PacketReception-3 REQ:826-PacketReception-5 */
static void any_packet_of_a_known_sender_updates_a_stale_entry(void **state)
{
    const uint8_t other[6] = {2, 0, 0, 0, 0, 3};
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, US), PASS);
    expect_reply(&b, peer_mac, US, PEER);
    assert_int_equal(arp_in(&b, ARP_REQUEST, evil_mac, PEER, v4(10, 0, 0, 9)), PASS);
    assert_int_equal(state_of(&b, PEER), NEIGH_STALE);
    assert_int_equal(arp_in(&b, ARP_REPLY, other, PEER, PEER), PASS); /* gratuitous */
    assert_int_equal(state_of(&b, PEER), NEIGH_STALE);
    assert_true(knows(&b, PEER, other));
    bench_close(&b);
}

/* attack 81 */
static void an_unsolicited_reply_creates_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, PEER, US), DROP_arp_not_for_us);
    assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, PEER, PEER), DROP_arp_not_for_us);
    assert_int_equal(b.l.neighs.used, 0);
    bench_close(&b);
}

/* attack 81: as often as it is claimed, by whatever kind of packet. */
static void a_claim_does_not_override_a_confirmed_neighbour(void **state)
{
    struct neigh_out out;
    int requests = 0;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    b.now += 2 * SECOND;
    for (int i = 0; i < 50; i++) {
        arp_in(&b, ARP_REPLY, evil_mac, PEER, US);
        arp_in(&b, ARP_REPLY, evil_mac, PEER, PEER);
        arp_in(&b, ARP_REQUEST, evil_mac, PEER, US);
        assert_int_equal(b.l.neighs.used, 1);
        assert_true(knows(&b, PEER, peer_mac));
        while (neigh_pull(&b.l, 1, b.now, &out)) {
            if (out.arp.op == ARP_REPLY)
                continue;
            requests++;
            assert_memory_equal(out.dst, peer_mac, 6); /* the one we know is asked */
            assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
        }
        b.now += SECOND / 10;
        neigh_advance(&b.l, b.now);
    }
    assert_in_range(requests, 4, 6); /* 5 seconds: at most one a second */
    bench_close(&b);
}

static void a_neighbour_that_really_moved_is_found_again(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    b.now += 2 * SECOND;
    assert_int_equal(arp_in(&b, ARP_REQUEST, evil_mac, PEER, PEER), DROP_arp_not_for_us);
    for (int i = 0; i < 3; i++) {
        expect_request(&b, PEER, peer_mac);
        assert_true(knows(&b, PEER, peer_mac));
        assert_int_equal(arp_in(&b, ARP_REPLY, last_mac, PEER, US), DROP_arp_not_for_us);
        wait_for(&b, SECOND / 3);
    }
    expect_quiet(&b);
    assert_int_equal(state_of(&b, PEER), NEIGH_STALE);
    assert_true(knows(&b, PEER, evil_mac)); /* who came first; and it is asked, too */
    wait_for(&b, 5 * SECOND);
    expect_request(&b, PEER, evil_mac);
    bench_close(&b);
}

/* That it answers the last of the three is enough; then all begins anew, a second after that. */
static void a_neighbour_that_answers_late_stays(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    b.now += 2 * SECOND;
    assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, PEER, US), DROP_arp_not_for_us);
    for (int i = 0; i < 3; i++) {
        expect_request(&b, PEER, peer_mac);
        if (i < 2)
            wait_for(&b, SECOND / 3);
    }
    b.now += SECOND / 3 - 1;
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    assert_int_equal(state_of(&b, PEER), NEIGH_REACHABLE);
    assert_int_equal(neigh_deadline(&b.l), INT64_MAX);
    assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, PEER, US), DROP_arp_not_for_us);
    expect_quiet(&b);
    wait_for(&b, SECOND - SECOND / 3 + 1);
    expect_request(&b, PEER, peer_mac);
    assert_true(knows(&b, PEER, peer_mac));
    bench_close(&b);
}

/* 4861#7.3.1 for ARP: hearing from it is no proof that it hears us. */
static void an_unsolicited_claim_of_the_same_mac_confirms_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    resolve_peer(&b);
    b.now += b.l.reachable_us;
    assert_int_equal(arp_in(&b, ARP_REPLY, peer_mac, PEER, US), PASS);
    assert_int_equal(state_of(&b, PEER), NEIGH_STALE);
    bench_close(&b);
}

static void a_request_of_the_next_hop_lets_parked_packets_go(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(park_bytes(&b, PEER, 5, 50), KEPT);
    expect_request(&b, PEER, every_mac);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, US), PASS);
    expect_reply(&b, peer_mac, US, PEER);
    expect_packet(&b, 5, 50, peer_mac);
    assert_int_equal(state_of(&b, PEER), NEIGH_DELAY);
    bench_close(&b);
}

/* REQ:5227-2.4-1 REQ:5227-2.4-5 REQ:5227-2.4-6 attack 81 */
static void our_address_is_defended_once_in_ten_seconds_and_never_learned(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(arp_in(&b, ARP_REPLY, evil_mac, US, US), DROP_arp_conflict);
        expect_request(&b, US, every_mac); /* the announcement */
        assert_int_equal(arp_in(&b, ARP_REQUEST, evil_mac, US, PEER), DROP_arp_conflict);
        b.now += 10 * SECOND - 1;
        assert_int_equal(arp_in(&b, ARP_REQUEST, evil_mac, US, US), DROP_arp_conflict);
        expect_quiet(&b);
        b.now += 1;
    }
    assert_int_equal(b.l.neighs.used, 0);
    bench_close(&b);
}

/* REQ:5227-2.5-1 */
static void a_probe_for_our_address_is_answered_and_teaches_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, v4(0, 0, 0, 0), US), PASS);
    expect_reply(&b, peer_mac, US, v4(0, 0, 0, 0));
    assert_int_equal(b.l.neighs.used, 0);
    bench_close(&b);
}

static void impossible_senders_are_refused(void **state)
{
    const uint8_t group[6] = {3, 0, 0, 0, 0, 1}, zero[6] = {0};
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(arp_in(&b, ARP_REQUEST, group, PEER, US), DROP_arp_invalid);
    assert_int_equal(arp_in(&b, ARP_REQUEST, every_mac, PEER, US), DROP_arp_invalid);
    assert_int_equal(arp_in(&b, ARP_REQUEST, zero, PEER, US), DROP_arp_invalid);
    assert_int_equal(arp_in(&b, ARP_REQUEST, our_mac, PEER, US), DROP_arp_invalid);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, v4(224, 0, 0, 1), US), DROP_arp_invalid);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, v4(255, 255, 255, 255), US),
                     DROP_arp_invalid);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, v4(127, 0, 0, 1), US), DROP_arp_invalid);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, v4(10, 0, 0, 255), US), DROP_arp_invalid);
    assert_int_equal(arp_in(&b, 3, peer_mac, PEER, US), DROP_arp_invalid);
    expect_quiet(&b);
    assert_int_equal(b.l.neighs.used, 0);
    bench_close(&b);
}

static void a_gateway_for_all_addresses_leaves_a_host_its_own(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WEIR_IF_ANY_ADDR);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, v4(192, 0, 2, 7)), PASS);
    expect_reply(&b, peer_mac, v4(192, 0, 2, 7), PEER);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, PEER), PASS); /* merged only */
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, v4(0, 0, 0, 0), v4(10, 0, 0, 7)),
                     DROP_arp_not_for_us);
    expect_quiet(&b);
    bench_close(&b);
}

static void answers_that_wait_are_bounded(void **state)
{
    struct neigh_out out;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    for (int i = 0; i < LINK_ANSWERS_MAX; i++)
        assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, US), PASS);
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, US), DROP_reply_queue);
    assert_true(neigh_pull(&b.l, 1, b.now, &out));
    assert_int_equal(arp_in(&b, ARP_REQUEST, peer_mac, PEER, US), PASS);
    bench_close(&b);
}

static void a_new_address_is_announced_where_that_is_asked_for(void **state)
{
    struct weir_addr second = v4(10, 0, 0, 77);
    struct neigh_out out;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    expect_quiet(&b);
    b.l.config.arp_notify = 1;
    assert_int_equal(iface_add_addr(&b.l, 1, &second, 24), 0);
    assert_true(neigh_pull(&b.l, 1, b.now, &out));
    assert_int_equal(out.arp.op, ARP_REQUEST);
    assert_int_equal(out.arp.spa, weir_addr_to_v4(&second));
    assert_int_equal(out.arp.tpa, weir_addr_to_v4(&second));
    assert_memory_equal(out.dst, every_mac, 6);
    expect_quiet(&b);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_for_us_is_answered_and_teaches_the_sender),
        cmocka_unit_test(a_request_for_somebody_else_is_neither_answered_nor_learned),
        cmocka_unit_test(any_packet_of_a_known_sender_updates_a_stale_entry),
        cmocka_unit_test(an_unsolicited_reply_creates_nothing),
        cmocka_unit_test(a_claim_does_not_override_a_confirmed_neighbour),
        cmocka_unit_test(a_neighbour_that_really_moved_is_found_again),
        cmocka_unit_test(a_neighbour_that_answers_late_stays),
        cmocka_unit_test(an_unsolicited_claim_of_the_same_mac_confirms_nothing),
        cmocka_unit_test(a_request_of_the_next_hop_lets_parked_packets_go),
        cmocka_unit_test(our_address_is_defended_once_in_ten_seconds_and_never_learned),
        cmocka_unit_test(a_probe_for_our_address_is_answered_and_teaches_nothing),
        cmocka_unit_test(impossible_senders_are_refused),
        cmocka_unit_test(a_gateway_for_all_addresses_leaves_a_host_its_own),
        cmocka_unit_test(answers_that_wait_are_bounded),
        cmocka_unit_test(a_new_address_is_announced_where_that_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
