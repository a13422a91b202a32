/* Routes: the longest prefix, then the lowest metric. */
#include "ip_bench.h"

static int looked_up(struct bench *b, struct weir_addr dst)
{
    struct route_result r;

    return route_lookup(&b->ip, &dst, 0, &r) == 0 ? r.ifindex : 0;
}

/* REQ:1122-3.3.1.1-1 REQ:1122-3.3.1.2-3 REQ:1122-3.2.1.3-1 */
static void the_longest_prefix_wins_whatever_the_order(void **state) /* ROW:115 */
{
    struct bench b;

    (void)state;
    bench_open_seed(&b, 1);
    assert_int_equal(looked_up(&b, v4(10, 1, 2, 3)), 0);
    assert_int_equal(add_route(&b, v4(10, 1, 2, 0), 24, 3, 9), 0);
    assert_int_equal(add_route(&b, v4(0, 0, 0, 0), 0, 1, 0), 0);
    assert_int_equal(add_route(&b, v4(10, 1, 2, 3), 32, 4, 0), 0);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 8, 2, 0), 0);
    assert_int_equal(looked_up(&b, v4(10, 1, 2, 3)), 4);
    assert_int_equal(looked_up(&b, v4(10, 1, 2, 4)), 3);
    assert_int_equal(looked_up(&b, v4(10, 1, 3, 3)), 2);
    assert_int_equal(looked_up(&b, v4(11, 1, 2, 3)), 1);
    bench_close(&b);
}

/* REQ:1122-3.3.1.2-4 */
static void of_equal_prefixes_the_lowest_metric_wins(void **state)
{
    struct weir_addr a = v4(10, 0, 0, 253), z = v4(10, 0, 0, 254), dst = v4(8, 8, 8, 8);
    struct route_spec slow = {.dst = v4(0, 0, 0, 0), .gateway = &a, .ifindex = 1, .metric = 20};
    struct route_spec fast = {.dst = v4(0, 0, 0, 0), .gateway = &z, .ifindex = 1, .metric = 10};
    struct route_result r;
    struct bench b;

    (void)state;
    bench_open_seed(&b, 1);
    assert_int_equal(route_add(&b.ip, &slow), 0);
    assert_int_equal(route_add(&b.ip, &fast), 0);
    assert_int_equal(route_add(&b.ip, &fast), -EEXIST);
    assert_int_equal(route_lookup(&b.ip, &dst, 0, &r), 0);
    assert_true(r.has_gateway && weir_addr_equal(&r.next_hop, &z));
    assert_int_equal(route_remove(&b.ip, &fast), 0);
    assert_int_equal(route_remove(&b.ip, &fast), -ESRCH);
    assert_int_equal(route_lookup(&b.ip, &dst, 0, &r), 0);
    assert_true(r.has_gateway && weir_addr_equal(&r.next_hop, &a));
    assert_int_equal(route_remove(&b.ip, &slow), 0);
    assert_int_equal(route_lookup(&b.ip, &dst, 0, &r), -ENETUNREACH);
    bench_close(&b);
}

/* REQ:1122-3.3.1.1-2 */
static void without_a_gateway_the_next_hop_is_the_destination(void **state) /* ROW:115 */
{
    struct weir_addr dst = v4(10, 0, 0, 77);
    struct route_result r;
    struct bench b;

    (void)state;
    bench_open_seed(&b, 1);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 1), 24, 1, 0), 0); /* host bits do not matter */
    assert_int_equal(route_lookup(&b.ip, &dst, 0, &r), 0);
    assert_true(weir_addr_equal(&r.next_hop, &dst));
    assert_false(r.has_gateway);
    assert_int_equal(r.prefix, 96 + 24);
    bench_close(&b);
}

static void an_interface_may_be_asked_for(void **state)
{
    struct weir_addr dst = v4(10, 0, 0, 77);
    struct route_result r;
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 24, 2, 0), 0);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 24, 3, 5), 0);
    assert_int_equal(route_lookup(&b.ip, &dst, 3, &r), 0);
    assert_int_equal(r.ifindex, 3);
    assert_int_equal(route_lookup(&b.ip, &dst, 1, &r), 0);
    assert_int_equal(r.ifindex, 1);
    assert_int_equal(route_lookup(&b.ip, &dst, 4, &r), -ENETUNREACH);
    bench_close(&b);
}

static void the_families_do_not_mix(void **state)
{
    struct weir_addr v6 = {.b = {0xfd, 1}}, any6 = {0}, gw = v4(10, 0, 0, 9);
    struct route_spec r6 = {.dst = any6, .prefix = 0, .ifindex = 6};
    struct bench b;

    (void)state;
    bench_open(&b); /* 0.0.0.0/0 */
    assert_int_equal(looked_up(&b, v6), 0);
    r6.gateway = &gw;
    assert_int_equal(route_add(&b.ip, &r6), -EINVAL);
    r6.gateway = NULL;
    assert_int_equal(route_add(&b.ip, &r6), 0);
    assert_int_equal(looked_up(&b, v6), 6);
    assert_int_equal(looked_up(&b, PEER), 1);
    bench_close(&b);
}

static void impossible_routes_are_refused(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 33, 1, 0), -EINVAL);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), -1, 1, 0), -EINVAL);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 8, 0, 0), -EINVAL);
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 8, IP_IFACES, 0), -EINVAL);
    b.ip.config.route_max = 2;
    assert_int_equal(add_route(&b, v4(10, 0, 0, 0), 8, 1, 0), 0);
    assert_int_equal(add_route(&b, v4(11, 0, 0, 0), 8, 1, 0), -ENOSPC);
    b.ip.config.route_max = 4096;
    for (int i = 0; i < 6; i++)
        assert_int_equal(add_route(&b, v4(20, i, 0, 0), 16, 1, 0), 0);
    b.faulty.left = 0;
    assert_int_equal(add_route(&b, v4(30, 0, 0, 0), 16, 1, 0), -ENOMEM);
    assert_int_equal(looked_up(&b, v4(20, 5, 1, 1)), 1);
    bench_close(&b);
}

struct plain {
    uint32_t net, mask, metric;
    int prefix, ifindex;
};

static struct plain all[4096];

static uint32_t add_random_routes(struct bench *b, struct dice *d)
{
    uint32_t n = 0;

    for (; n < COUNT_OF(all); n++) {
        int prefix = (int)dice_below(d, 33);
        uint32_t mask = (uint32_t)(0xffffffffull << (32 - prefix));
        struct plain p = {(uint32_t)dice_u64(d) & 0x0f3c0f3c & mask, mask, n, prefix,
                          (int)dice_below(d, 16) + 1};

        check(d, add_route(b, weir_addr_v4(p.net), prefix, p.ifindex, n) == 0);
        all[n] = p;
    }
    check(d, add_route(b, v4(1, 2, 3, 4), 32, 1, 0) == -ENOSPC);
    return n;
}

static uint32_t remove_some(struct bench *b, struct dice *d, uint32_t n)
{
    for (int i = 0; i < 1000; i++) {
        uint32_t at = dice_below(d, n);
        struct route_spec r = {.dst = weir_addr_v4(all[at].net),
                               .prefix = all[at].prefix,
                               .ifindex = all[at].ifindex,
                               .metric = all[at].metric};

        check(d, route_remove(&b->ip, &r) == 0);
        all[at] = all[--n];
    }
    return n;
}

static int plain_lookup(uint32_t dst, uint32_t n)
{
    const struct plain *best = NULL;

    for (uint32_t k = 0; k < n; k++) {
        const struct plain *p = &all[k];

        if ((dst & p->mask) != p->net || (best && p->prefix < best->prefix))
            continue;
        if (!best || p->prefix > best->prefix || p->metric < best->metric)
            best = p;
    }
    return best ? best->ifindex : 0;
}

/* 4,096 random routes, some removed, against a walk over all. */
static void lookups_agree_with_a_plain_search(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 3); dice_next(&d)) {
        struct bench b;
        uint32_t n;

        bench_open_seed(&b, 1);
        n = add_random_routes(&b, &d);
        n = remove_some(&b, &d, n);
        for (int i = 0; i < 2000; i++) {
            uint32_t dst = (uint32_t)dice_u64(&d) & 0x0f3c0f3c;

            check(&d, looked_up(&b, weir_addr_v4(dst)) == plain_lookup(dst, n));
        }
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_wins_whatever_the_order),
        cmocka_unit_test(of_equal_prefixes_the_lowest_metric_wins),
        cmocka_unit_test(without_a_gateway_the_next_hop_is_the_destination),
        cmocka_unit_test(an_interface_may_be_asked_for),
        cmocka_unit_test(the_families_do_not_mix),
        cmocka_unit_test(impossible_routes_are_refused),
        cmocka_unit_test(lookups_agree_with_a_plain_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
