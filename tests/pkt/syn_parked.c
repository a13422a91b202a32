/* A SYN that waits for its neighbour's address is not lost, whatever its timer says: 5681#3.1. */
#include "support/ether.h"

#include <string.h>
#include <sys/socket.h>

#include "wire/wire.h"

#define SECOND 1000000ll
#define A 0x0a000001u
#define B 0x0a000002u

/* How many SYNs shall be swallowed. */
struct wire {
    int lose;
};

static bool loses_syns(struct ether *s, int from, const uint8_t *bytes, uint32_t len)
{
    struct wire *w = s->user;
    bool is_ip = len >= ETH_LEN + IP4_LEN + TCP_LEN && bytes[12] == 8 && bytes[13] == 0;

    return is_ip && from == 0 && bytes[ETH_LEN + IP4_LEN + 13] & TCP_SYN && w->lose-- > 0;
}

static uint32_t segments_of_window(struct weir_stack *k, int sock)
{
    struct weir_sock_info i = {0};
    uint64_t cursor = 0;

    while (weir_info_next(k, &cursor, &i))
        if (i.sock == sock)
            return i.cwnd / i.mss;
    return 0;
}

/* The peer has its address, and so answers ARP, only after `late_us`; `forgotten_us` (0: never):
 * then its neighbour forgets it. */
static uint32_t window_after(int64_t late_us, int lose, int64_t forgotten_us)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(B), .port = 80}, at = {.port = 80};
    struct weir_addr a = weir_addr_v4(A), b = weir_addr_v4(B);
    struct wire w = {.lose = lose};
    struct ether s = {.stations = 0};
    int listener, here;
    uint32_t segments;

    ether_open(&s, 2);
    s.on_frame = loses_syns;
    s.user = &w;
    at.addr = weir_addr_v4(0);
    listener = weir_socket(s.stack[1], AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(s.stack[1], listener, &at), 0);
    assert_int_equal(weir_listen(s.stack[1], listener, 5), 0);
    assert_int_equal(weir_addr_add(s.stack[0], 1, &a, 24), 0);
    if (!late_us)
        assert_int_equal(weir_addr_add(s.stack[1], 1, &b, 24), 0);
    here = weir_socket(s.stack[0], AF_INET, SOCK_STREAM, 0);
    weir_connect(s.stack[0], here, &to);
    ether_run(&s, late_us ? late_us : 1);
    if (late_us)
        assert_int_equal(weir_addr_add(s.stack[1], 1, &b, 24), 0);
    if (forgotten_us) {
        ether_run(&s, forgotten_us);
        assert_int_equal(weir_neigh_set(s.stack[0], 1, &b, NULL), 0);
    }
    ether_run(&s, 4 * SECOND);
    assert_true(weir_accept(s.stack[1], listener, NULL) >= 0);
    segments = segments_of_window(s.stack[0], here);
    ether_close(&s);
    return segments;
}

static void a_syn_that_never_left_was_not_lost(void **state)
{
    (void)state;
    assert_int_equal(window_after(0, 0, 0), 10);
    assert_int_equal(window_after(SECOND * 3 / 2, 0, 0), 10);
}

static void a_syn_that_left_and_was_lost_was(void **state)
{
    (void)state;
    assert_int_equal(window_after(0, 1, 0), 1);
}

/* Two wait, go at 2 s and are lost, as is the third, of 3 s, which waits for nothing. That the
 * fourth, of 7 s, waits again makes it no first. */
static void a_syn_that_left_between_two_that_waited_was(void **state)
{
    (void)state;
    assert_int_equal(window_after(SECOND * 3 / 2, 3, SECOND * 3), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_that_never_left_was_not_lost),
        cmocka_unit_test(a_syn_that_left_and_was_lost_was),
        cmocka_unit_test(a_syn_that_left_between_two_that_waited_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
