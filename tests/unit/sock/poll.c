/* Readiness: told once, with the word of whoever asked; a socket that is gone is not told. */
#include "sock_bench.h"

static void a_refused_connection_is_ready_in_every_way(void **state)
{
    struct weir_ready_event e[4];
    int sock = sock_new(SOCK_STREAM), word = 0;

    (void)state;
    assert_int_equal(weir_set_user(stack, sock, &word), 0);
    assert_int_equal(connect_to(sock, 0x0a000002, 80), -EINPROGRESS);
    assert_int_equal(weir_ready(stack, e, 4), 0);
    assert_int_equal(weir_readiness(stack, sock), 0);
    for (int64_t s = 1; s < 200; s++) { /* nobody answers */
        struct weir_frame f;
        weir_advance(stack, s * 1000000000);
        while (weir_output(stack, 1, &f, 1, s * 1000000000) == 1)
            continue;
    }
    assert_int_equal(weir_ready(stack, e, 4), 1);
    assert_int_equal(e[0].sock, sock);
    assert_ptr_equal(e[0].user, &word);
    assert_int_equal(e[0].ready & (WEIR_READY_ERR | WEIR_READY_HUP | WEIR_READY_OUT),
                     WEIR_READY_ERR | WEIR_READY_HUP | WEIR_READY_OUT);
    assert_int_equal(weir_ready(stack, e, 4), 0); /* once */
}

static void what_was_closed_is_not_told(void **state)
{
    struct weir_ready_event e[4];
    int sock = sock_new(SOCK_STREAM);

    (void)state;
    assert_int_equal(connect_to(sock, 0x0a000002, 80), -EINPROGRESS);
    assert_int_equal(weir_shutdown(stack, sock, SHUT_WR), 0); /* marks it */
    assert_int_equal(weir_close(stack, sock), 0);
    assert_int_equal(weir_ready(stack, e, 4), 0);
    assert_int_equal(weir_readiness(stack, sock), -EBADF);
}

static void a_listener_and_a_datagram_socket_at_rest(void **state)
{
    int listener = sock_new(SOCK_STREAM), udp = sock_new(SOCK_DGRAM);

    (void)state;
    assert_int_equal(weir_listen(stack, listener, 1), 0);
    assert_int_equal(weir_readiness(stack, listener), 0);
    assert_int_equal(weir_readiness(stack, udp), WEIR_READY_OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refused_connection_is_ready_in_every_way),
        TEST(what_was_closed_is_not_told),
        TEST(a_listener_and_a_datagram_socket_at_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
