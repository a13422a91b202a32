/* Who a segment is for: flows, and listeners by how well they fit. */
#include <sys/socket.h>

#include "tcp_fixture.h"

#define HERE 0x0a000001u
#define THERE 0x0a000002u

static uint32_t add_flow(struct flow f)
{
    struct tcb *t = tcb_new(tcp);

    t->flow = f;
    t->hash = flow_hash(tcp, &f);
    assert_true(demux_add(tcp, t->hash, KIND_TCB, t->self));
    t->flags &= ~(uint32_t)T_DETACHED;
    return wheel_ref_of(KIND_TCB, t->self);
}

static uint32_t find(struct flow f)
{
    return demux_find(tcp, &f, flow_hash(tcp, &f));
}

static void a_flow_is_found_by_all_four_and_nothing_less(void **state)
{
    struct flow f = bench_flow(HERE, 80, THERE, 4000);
    uint32_t ref = add_flow(f);

    (void)state;
    assert_int_equal(find(f), ref);
    assert_int_equal(find(bench_flow(HERE, 81, THERE, 4000)), 0);
    assert_int_equal(find(bench_flow(HERE, 80, THERE, 4001)), 0);
    assert_int_equal(find(bench_flow(THERE, 80, HERE, 4000)), 0);
    assert_int_equal(find(bench_flow(HERE, 80, THERE + 1, 4000)), 0);
}

static void a_thousand_flows_are_told_apart_and_forgotten(void **state)
{
    uint32_t refs[1000];

    (void)state;
    for (uint16_t i = 0; i < 1000; i++)
        refs[i] = add_flow(bench_flow(HERE, 80, THERE, i));
    for (uint16_t i = 0; i < 1000; i++)
        assert_int_equal(find(bench_flow(HERE, 80, THERE, i)), refs[i]);
    for (uint16_t i = 0; i < 1000; i += 2)
        tcb_free(tcp, tcb_at(tcp, wheel_ref_index(refs[i])));
    for (uint16_t i = 0; i < 1000; i++)
        assert_int_equal(find(bench_flow(HERE, 80, THERE, i)), i % 2 ? refs[i] : 0);
}

static void the_hash_depends_on_the_key(void **state)
{
    struct flow f = bench_flow(HERE, 80, THERE, 4000);
    uint32_t before = flow_hash(tcp, &f);

    (void)state;
    ((uint8_t *)&tcp->flow_key)[3] ^= 1;
    assert_true(flow_hash(tcp, &f) != before);
}

static uint32_t add_listener(struct weir_addr local, uint32_t on)
{
    struct tcb *t = tcb_new(tcp);

    t->flow.local = local;
    t->flow.lport = 80;
    t->opt.on = (typeof(t->opt.on))on;
    assert_true(listen_add(tcp, t));
    return t->self;
}

static uint32_t listener_for(uint32_t local, uint16_t port, uint32_t spread)
{
    struct flow f = bench_flow(local, port, THERE, 4000);

    return listen_find(tcp, &f, spread);
}

static void the_closest_listener_is_chosen(void **state)
{
    uint32_t any6 = add_listener((struct weir_addr){.w = {0}}, 0);
    uint32_t any4, exact;

    (void)state;
    assert_int_equal(listener_for(HERE, 80, 0), any6);
    any4 = add_listener(weir_addr_v4(0), 0);
    assert_int_equal(listener_for(HERE, 80, 0), any4);
    exact = add_listener(weir_addr_v4(HERE), 0);
    assert_int_equal(listener_for(HERE, 80, 0), exact);
    assert_int_equal(listener_for(HERE + 5, 80, 0), any4);
    assert_int_equal(listener_for(HERE, 81, 0), 0);
}

static void v6only_leaves_the_ipv4_half(void **state)
{
    (void)state;
    add_listener((struct weir_addr){.w = {0}}, OPT_V6ONLY);
    assert_int_equal(listener_for(HERE, 80, 0), 0);
}

static void listeners_that_share_are_chosen_by_the_flow(void **state)
{
    uint32_t l[3], seen[3] = {0};

    (void)state;
    add_listener(weir_addr_v4(0), 0); /* fits less well: never chosen */
    for (int i = 0; i < 3; i++)
        l[i] = add_listener(weir_addr_v4(HERE), 0);
    for (uint32_t spread = 0; spread < 30; spread++) {
        uint32_t got = listener_for(HERE, 80, spread);
        assert_int_equal(listener_for(HERE, 80, spread), got);
        for (int i = 0; i < 3; i++)
            seen[i] += got == l[i];
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(seen[i], 10);
    listen_remove(tcp, tcb_at(tcp, l[1]));
    for (uint32_t spread = 0; spread < 30; spread++)
        assert_true(listener_for(HERE, 80, spread) != l[1]);
}

static void a_listener_of_all_ports_takes_what_nobody_has(void **state)
{
    struct tcb *t = tcb_new(tcp);
    uint32_t exact = add_listener(weir_addr_v4(HERE), 0);

    (void)state;
    tcp->any_port = t->self;
    assert_int_equal(listener_for(HERE, 80, 0), exact);
    assert_int_equal(listener_for(HERE, 4711, 0), t->self);
    listen_remove(tcp, t);
    assert_int_equal(listener_for(HERE, 4711, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flow_is_found_by_all_four_and_nothing_less),
        TEST(a_thousand_flows_are_told_apart_and_forgotten),
        TEST(the_hash_depends_on_the_key),
        TEST(the_closest_listener_is_chosen),
        TEST(v6only_leaves_the_ipv4_half),
        TEST(listeners_that_share_are_chosen_by_the_flow),
        TEST(a_listener_of_all_ports_takes_what_nobody_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
