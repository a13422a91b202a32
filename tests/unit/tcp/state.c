/* The life of a control block, and that no edge is taken which is not in the table. */
#include "tcp_fixture.h"

static bool is_edge(int from, int to)
{
    static const int edges[][2] = {
#define EDGE(from, to, cause, ref) {from, to},
#include "def/edges.def"
#undef EDGE
    };

    for (size_t i = 0; i < COUNT_OF(edges); i++)
        if (edges[i][0] == from && edges[i][1] == to)
            return true;
    return false;
}

static void only_edges_of_the_table_are_taken(void **state)
{
    struct tcb *t = tcb_new(tcp);

    (void)state;
    for (int from = ESTABLISHED; from <= CLOSING; from++)
        for (int to = ESTABLISHED; to <= CLOSING; to++) {
            t->state = (uint8_t)from;
            if (is_edge(from, to))
                enter(tcp, t, (enum state)to);
            else
                assert_traps(enter(tcp, t, (enum state)to));
        }
    t->state = CLOSED;
    tcb_free(tcp, t);
}

static void each_change_is_told_to_the_trace(void **state)
{
    struct trace trace = {.room = 0};
    struct tcb *t = tcb_new(tcp);
    struct weir_event e;

    (void)state;
    tcp->trace = &trace;
    enter(tcp, t, SYN_SENT);
    assert_false(trace_take(&trace, &e)); /* off */
    assert_int_equal(trace_init(&trace, &bench.mem, 4), 0);
    t->flow = bench_flow(0x0a000001, 80, 0x0a000002, 4000);
    enter(tcp, t, ESTABLISHED);
    assert_true(trace_take(&trace, &e));
    assert_int_equal(e.why.event, EVENT_state);
    assert_int_equal(e.why.from, SYN_SENT);
    assert_int_equal(e.why.to, ESTABLISHED);
    assert_int_equal(e.peer.port, 4000);
    assert_int_equal(e.at_ns, 1000000000);
    assert_false(trace_take(&trace, &e));
    t->state = CLOSED;
    tcb_free(tcp, t);
    trace_fini(&trace, &bench.mem);
}

static void ends_are_counted_by_where_they_happen(void **state)
{
    static const struct {
        uint8_t from;
        int resets, fails;
    } cases[] = {{ESTABLISHED, 1, 0},  {CLOSE_WAIT, 1, 0}, {SYN_SENT, 0, 1},
                 {SYN_RECEIVED, 0, 1}, {FIN_WAIT_1, 0, 0}, {LAST_ACK, 0, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tcb *t = tcb_new(tcp);
        memset(&bench.stats, 0, sizeof bench.stats);
        t->state = cases[i].from;
        tcb_end(tcp, t, ETIMEDOUT);
        assert_int_equal(bench.stats.TcpEstabResets, cases[i].resets);
        assert_int_equal(bench.stats.TcpAttemptFails, cases[i].fails);
        assert_int_equal(t->error, ETIMEDOUT);
        assert_int_equal(t->end_reason, ETIMEDOUT);
        tcb_settle(tcp, t); /* nobody has it: it goes */
        assert_int_equal(tcp->tcbs.used, 0);
    }
}

static void the_send_ring_begins_behind_the_syn_only_until_that_is_acknowledged(void **state)
{
    struct tcb *t = tcb_new(tcp);

    (void)state;
    t->snd.iss = t->snd.una = seq_of(5000);
    t->state = SYN_SENT;
    assert_int_equal(snd_base(t).v, 5001);
    t->state = ESTABLISHED; /* 4 GiB later SND.UNA is there again */
    assert_int_equal(snd_base(t).v, 5000);
    t->state = CLOSED;
    tcb_free(tcp, t);
}

static void the_limit_of_connections_holds(void **state)
{
    struct tcb *t[3];

    (void)state;
    bench_end(&bench);
    bench_begin(&bench);
    tcp->tcbs.max = 2;
    for (int i = 0; i < 3; i++)
        t[i] = tcb_new(tcp);
    assert_non_null(t[1]);
    assert_null(t[2]);
    tcb_free(tcp, t[0]);
    t[2] = tcb_new(tcp);
    assert_non_null(t[2]);
    tcb_free(tcp, t[1]);
    tcb_free(tcp, t[2]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_edges_of_the_table_are_taken),
        TEST(each_change_is_told_to_the_trace),
        TEST(ends_are_counted_by_where_they_happen),
        TEST(the_send_ring_begins_behind_the_syn_only_until_that_is_acknowledged),
        TEST(the_limit_of_connections_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
