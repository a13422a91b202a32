/* Interfaces: which addresses and MACs are ours, and which source fits a destination. */
#include "link_bench.h"

static void an_interface_is_added_within_limits(void **state)
{
    struct weir_iface_config good = {.name = "a", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_iface_config c = good;
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    c.mtu = 67;
    assert_int_equal(iface_add(&b.l, &c), -EINVAL);
    c.mtu = 65536;
    assert_int_equal(iface_add(&b.l, &c), -EINVAL);
    c = good;
    c.name = "sixteen-bytes-xx";
    assert_int_equal(iface_add(&b.l, &c), -EINVAL);
    c = good;
    c.type = WEIR_LINK_ETHER;
    c.mac[0] = 1;
    assert_int_equal(iface_add(&b.l, &c), -EINVAL);
    for (int i = 2; i <= IFACE_MAX; i++)
        assert_int_equal(iface_add(&b.l, &good), i);
    assert_int_equal(iface_add(&b.l, &good), -ENOSPC);
    assert_null(iface_at(&b.l, 0));
    assert_null(iface_at(&b.l, IFACE_MAX + 1));
    assert_string_equal(iface_at(&b.l, 1)->name, "eth0");
    bench_close(&b);
}

/* REQ:1122-3.3.3-5 */
static void the_mtu_can_be_set_within_bounds(void **state) /* ROW:128 */
{
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(iface_set_mtu(&b.l, 1, 9000), 0);
    assert_int_equal(iface_at(&b.l, 1)->mtu, 9000);
    assert_int_equal(iface_set_mtu(&b.l, 1, 67), -EINVAL);
    assert_int_equal(iface_set_mtu(&b.l, 2, 1500), -ENODEV);
    assert_int_equal(iface_at(&b.l, 1)->mtu, 9000);
    bench_close(&b);
}

/* REQ:791-2.3-1 REQ:1122-3.1-3 */
static void an_interface_has_several_addresses_up_to_eight(void **state)
{
    struct weir_addr a, any = v4(0, 0, 0, 0), group = v4(224, 0, 0, 5);
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(iface_add_addr(&b.l, 1, at(10, 0, 0, 1), 24), -EEXIST);
    assert_int_equal(iface_add_addr(&b.l, 1, &any, 24), -EINVAL);
    assert_int_equal(iface_add_addr(&b.l, 1, &group, 24), -EINVAL);
    a = v4(10, 9, 0, 1);
    assert_int_equal(iface_add_addr(&b.l, 1, &a, 33), -EINVAL);
    assert_int_equal(iface_add_addr(&b.l, 2, &a, 24), -ENODEV);
    for (int i = 1; i < IFACE_ADDRS_MAX; i++) {
        a = v4(10, i, 0, 1);
        assert_int_equal(iface_add_addr(&b.l, 1, &a, 24), 0);
        assert_true(iface_is_own(&b.l, 1, &a));
    }
    a = v4(10, 99, 0, 1);
    assert_int_equal(iface_add_addr(&b.l, 1, &a, 24), -ENOSPC);
    assert_true(iface_is_own(&b.l, 1, at(10, 0, 0, 1)));
    assert_int_equal(iface_remove_addr(&b.l, 1, at(10, 0, 0, 1)), 0);
    assert_false(iface_is_own(&b.l, 1, at(10, 0, 0, 1)));
    assert_int_equal(iface_remove_addr(&b.l, 1, at(10, 0, 0, 1)), -EADDRNOTAVAIL);
    a = v4(10, 7, 0, 1);
    assert_true(iface_is_own(&b.l, 1, &a));
    bench_close(&b);
}

/* REQ:1122-3.3.6-1 REQ:1122-3.3.6-2 REQ:1122-3.2.1.3-1 */
static void broadcast_addresses_are_known_by_the_mask(void **state)
{
    struct weir_addr p2p = v4(192, 0, 2, 0), wide = v4(172, 16, 5, 5);
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(iface_add_addr(&b.l, 1, &p2p, 31), 0);
    assert_int_equal(iface_add_addr(&b.l, 1, &wide, 12), 0);
    assert_true(iface_is_broadcast(&b.l, 1, at(255, 255, 255, 255)));
    assert_true(iface_is_broadcast(&b.l, 1, at(10, 0, 0, 255)));
    assert_true(iface_is_broadcast(&b.l, 1, at(10, 0, 0, 0)));
    assert_true(iface_is_broadcast(&b.l, 1, at(172, 31, 255, 255)));
    assert_false(iface_is_broadcast(&b.l, 1, at(172, 16, 5, 255)));
    assert_false(iface_is_broadcast(&b.l, 1, at(10, 0, 1, 255)));
    assert_false(iface_is_broadcast(&b.l, 1, at(192, 0, 2, 1)));
    assert_false(iface_is_broadcast(&b.l, 1, at(192, 0, 2, 0)));
    bench_close(&b);
}

/* attack 59 REQ:1122-3.3.7-3 */
static void frames_to_other_stations_and_foreign_groups_are_not_ours(void **state) /* ROW:127 */
{
    const uint8_t all_hosts[6] = {1, 0, 0x5e, 0, 0, 1}, group_mac[6] = {1, 0, 0x5e, 1, 2, 3};
    struct weir_addr group = v4(239, 1, 2, 3);
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(iface_judge_mac(&b.l, 1, our_mac), PASS);
    assert_int_equal(iface_judge_mac(&b.l, 1, every_mac), PASS);
    assert_int_equal(iface_judge_mac(&b.l, 1, all_hosts), PASS);
    assert_int_equal(iface_judge_mac(&b.l, 1, peer_mac), DROP_not_ours);
    assert_int_equal(iface_judge_mac(&b.l, 1, group_mac), DROP_not_ours);
    assert_false(iface_is_member(&b.l, 1, &group));
    assert_int_equal(iface_join(&b.l, 1, &group), 0);
    assert_int_equal(iface_join(&b.l, 1, &group), -EEXIST);
    assert_int_equal(iface_join(&b.l, 1, at(10, 0, 0, 2)), -EINVAL);
    assert_int_equal(iface_judge_mac(&b.l, 1, group_mac), PASS);
    assert_true(iface_is_member(&b.l, 1, &group));
    assert_int_equal(iface_leave(&b.l, 1, &group), 0);
    assert_int_equal(iface_judge_mac(&b.l, 1, group_mac), DROP_not_ours);
    assert_int_equal(iface_leave(&b.l, 1, &group), -EADDRNOTAVAIL);
    group = v4(224, 0, 0, 1);
    assert_true(iface_is_member(&b.l, 1, &group));
    bench_close(&b);
}

static void a_gateway_takes_every_host_but_no_group_for_its_own(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WEIR_IF_ANY_ADDR);
    assert_true(iface_is_own(&b.l, 1, at(8, 8, 8, 8)));
    assert_false(iface_has_addr(&b.l, at(8, 8, 8, 8)));
    assert_false(iface_is_own(&b.l, 1, at(255, 255, 255, 255)));
    assert_false(iface_is_own(&b.l, 1, at(224, 0, 0, 1)));
    assert_false(iface_is_own(&b.l, 1, at(0, 0, 0, 0)));
    bench_close(&b);
}

static void all_of_127_is_ours_where_one_of_it_is(void **state)
{
    struct weir_addr lo = v4(127, 0, 0, 1), other = v4(127, 0, 0, 53);
    struct bench b;

    (void)state;
    bench_open(&b, WEIR_IF_LOOPBACK_OK);
    assert_false(iface_is_own(&b.l, 1, &other));
    assert_int_equal(iface_add_addr(&b.l, 1, &lo, 8), 0);
    assert_true(iface_is_own(&b.l, 1, &other));
    bench_close(&b);
}

/* REQ:1122-3.3.4.2-3 */
static void the_source_fits_the_destination(void **state)
{
    struct weir_iface_config second = {.name = "b", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr a = v4(10, 0, 5, 1), lo = v4(127, 0, 0, 1), dst, src, v6 = {.b = {0xfd}};
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(iface_add_addr(&b.l, 1, &a, 24), 0);
    assert_int_equal(iface_add(&b.l, &second), 2);
    dst = v4(10, 0, 5, 77);
    assert_true(iface_source_for(&b.l, 1, &dst, &src));
    assert_true(weir_addr_equal(&src, &a));
    dst = v4(8, 8, 8, 8);
    assert_true(iface_source_for(&b.l, 1, &dst, &src));
    assert_true(weir_addr_equal(&src, at(10, 0, 0, 1)));
    assert_true(iface_source_for(&b.l, 2, &dst, &src)); /* has none: another interface's */
    assert_true(weir_addr_equal(&src, at(10, 0, 0, 1)));
    assert_false(iface_source_for(&b.l, 1, &v6, &src));
    assert_int_equal(iface_remove_addr(&b.l, 1, at(10, 0, 0, 1)), 0);
    assert_int_equal(iface_remove_addr(&b.l, 1, &a), 0);
    assert_int_equal(iface_add_addr(&b.l, 1, &lo, 8), 0);
    assert_false(iface_source_for(&b.l, 2, &dst, &src)); /* never 127/8 to outside */
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_is_added_within_limits),
        cmocka_unit_test(the_mtu_can_be_set_within_bounds),
        cmocka_unit_test(an_interface_has_several_addresses_up_to_eight),
        cmocka_unit_test(broadcast_addresses_are_known_by_the_mask),
        cmocka_unit_test(frames_to_other_stations_and_foreign_groups_are_not_ours),
        cmocka_unit_test(a_gateway_takes_every_host_but_no_group_for_its_own),
        cmocka_unit_test(all_of_127_is_ours_where_one_of_it_is),
        cmocka_unit_test(the_source_fits_the_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
