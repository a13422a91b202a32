/* Cookies that other hosts gave: which of them belongs to which pair of ends. What they do on the
 * wire: tests/pkt/fastopen. */
#include "flight.h"

#include "tcp/fastopen.h"

static void cookie_from(uint8_t first, uint8_t own, uint8_t host)
{
    struct tcp_opts o = {.has = TCP_OPT_FASTOPEN, .cookie_len = 8, .cookie = {first}};
    struct seg s = {.opt = &o};

    tcb.flow.local.b[15] = own;
    tcb.flow.remote.b[15] = host;
    fastopen_remember(&tcp, &tcb, &s, false);
}

/* 0: none. */
static uint8_t cookie_for(uint8_t own, uint8_t host)
{
    struct fast_open f = {0};

    tcb.flow.local.b[15] = own;
    tcb.flow.remote.b[15] = host;
    assert_true(fastopen_recall(&tcp, &tcb, &f));
    return f.cookie_len ? f.cookie[0] : 0;
}

/* REQ:7413-4.1.3-1: one for each pair of addresses, the newest. */
static void a_cookie_belongs_to_both_ends(void **state)
{
    (void)state;
    pool_init(&tcp.mores, &mem, sizeof(struct more), 8);
    assert_non_null(more_need(&tcp, &tcb));
    cookie_from(1, 7, 8);
    assert_int_equal(cookie_for(7, 8), 1);
    assert_int_equal(cookie_for(6, 8), 0);
    assert_int_equal(cookie_for(7, 9), 0);
    cookie_from(2, 6, 8);
    assert_int_equal(cookie_for(7, 8), 1);
    assert_int_equal(cookie_for(6, 8), 2);
    cookie_from(3, 7, 8);
    assert_int_equal(cookie_for(7, 8), 3);
    more_free(&tcp, &tcb);
    pool_fini(&tcp.mores);
    tcp_fastopen_fini(&tcp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FLIGHT_TEST(a_cookie_belongs_to_both_ends)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
