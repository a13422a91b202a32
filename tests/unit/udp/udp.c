/* The life of a UDP socket, and what its user asks. */
#include "udp_bench.h"

/* REQ:768-UserInterface-1 REQ:1122-4.1.3.5-1 REQ:1122-4.1.4-3 REQ:1122-3.4-2 */
static void a_datagram_is_read_with_both_ends_and_its_marks(void **state)
{
    char data[16];
    struct udp_message m = {.data = data, .room = sizeof data};
    struct weir_addr us = US, peer = PEER;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 53);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), -EAGAIN);
    assert_int_equal(udp_readiness(&b.u, s), WEIR_READY_OUT);
    assert_int_equal(input(&b, 53, 4000, "hello"), PASS);
    assert_int_equal(udp_readiness(&b.u, s), WEIR_READY_OUT | WEIR_READY_IN);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(m.len, 5);
    assert_true(weir_addr_equal(&m.from.addr, &peer));
    assert_int_equal(m.from.port, 4000);
    assert_true(weir_addr_equal(&m.local.addr, &us));
    assert_int_equal(m.local.port, 53);
    assert_int_equal(m.local.ifindex, 1);
    assert_int_equal(m.ttl, 9);
    assert_int_equal(m.tos, 0x20);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), -EAGAIN);
    assert_null(udp_at(&b.u, s)->rx.buf); /* an idle socket owns no buffer */
    bench_close(&b);
}

static void peeking_leaves_it_and_a_short_read_cuts_it(void **state)
{
    char data[4];
    struct udp_message m = {.data = data, .room = sizeof data};
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, US, 53);
    assert_int_equal(input(&b, 53, 1, "longer"), PASS);
    assert_int_equal(input(&b, 53, 1, ""), PASS);
    assert_int_equal(input(&b, 53, 1, "end"), PASS);
    assert_int_equal(udp_recv(&b.u, s, &m, UDP_RECV_PEEK), 4);
    assert_int_equal(m.len, 6);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), 4);
    assert_memory_equal(data, "long", 4);
    assert_int_equal(m.len, 6);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), 0); /* an empty datagram is one */
    assert_int_equal(udp_recv(&b.u, s, &m, 0), 3);
    assert_int_equal(udp_recv(&b.u, s, &m, 0), -EAGAIN);
    bench_close(&b);
}

static void binding_connecting_and_disconnecting_move_the_socket(void **state)
{
    struct weir_addr any = ANY;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    assert_int_equal(udp_bind(&b.u, s, &any, 1001), -EINVAL);
    assert_int_equal(udp_disconnect(&b.u, s), -ENOTCONN);
    assert_int_equal(input(&b, 1000, 9, "a"), PASS);
    assert_int_equal(connect_to(&b, s, 1000, 2000), 0);
    assert_int_equal(input(&b, 1000, 9, "no"), DROP_udp_no_port);
    assert_int_equal(input(&b, 1000, 2000, "b"), PASS);
    assert_int_equal(connect_to(&b, s, 1000, 3000), 0); /* another peer */
    assert_int_equal(input(&b, 1000, 2000, "no"), DROP_udp_no_port);
    assert_int_equal(input(&b, 1000, 3000, "c"), PASS);
    assert_int_equal(udp_disconnect(&b.u, s), 0);
    assert_int_equal(input(&b, 1000, 9, "d"), PASS);
    assert_string_equal(read_from(&b, s), "a");
    assert_string_equal(read_from(&b, s), "b");
    assert_string_equal(read_from(&b, s), "c");
    assert_string_equal(read_from(&b, s), "d");
    assert_int_equal(b.u.demux.used, 1);
    bench_close(&b);
}

static void a_socket_connected_without_binding_loses_its_port(void **state)
{
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = udp_open(&b.u, PROTO_UDP, 1);
    assert_int_equal(connect_to(&b, s, 0, 2000), -EINVAL);
    assert_int_equal(connect_to(&b, s, 1000, 0), -EINVAL);
    assert_int_equal(connect_to(&b, s, 1000, 2000), 0);
    assert_int_equal(input(&b, 1000, 2000, "x"), PASS);
    assert_int_equal(udp_disconnect(&b.u, s), 0);
    assert_int_equal(input(&b, 1000, 2000, "x"), DROP_udp_no_port);
    assert_int_equal(udp_at(&b.u, s)->lport, 0);
    assert_int_equal(b.u.demux.used, 0);
    bench_close(&b);
}

static void closing_lets_what_was_sent_go_out(void **state)
{
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    assert_int_equal(send_text(&b, s, 1, "last"), 4);
    assert_int_equal(send_text(&b, s, 1, "words"), 5);
    assert_int_equal(input(&b, 1000, 1, "unread"), PASS);
    udp_close(&b.u, s);
    udp_settle(&b.u);
    assert_int_equal(udp_next(&b.u, 1), 0);
    assert_int_equal(input(&b, 1000, 1, "x"), DROP_udp_no_port);
    assert_string_equal(pulled(&b, 1), "last");
    udp_settle(&b.u);
    assert_string_equal(pulled(&b, 1), "words");
    assert_int_equal(b.u.socks.used, 1); /* until the bytes are gone */
    udp_settle(&b.u);
    assert_int_equal(b.u.socks.used, 0);
    bench_close(&b);
}

static void closing_frees_at_the_next_call(void **state)
{
    struct udp_marked m;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    assert_int_equal(input(&b, 1000, 1, "x"), PASS);
    udp_close(&b.u, s);
    assert_false(udp_next_marked(&b.u, &m));
    udp_settle(&b.u);
    assert_int_equal(b.u.socks.used, 0);
    assert_int_equal(b.u.demux.used, 0);
    bench_close(&b);
}

static void the_send_buffer_is_bounded_and_says_when_there_is_room(void **state)
{
    static char data[UDP_PAYLOAD_MAX + 1];
    struct udp_dest to = to_peer(1);
    struct udp_marked m;
    struct udp_out out;
    struct bench b;
    int sent = 0;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    udp_at(&b.u, s)->sndbuf = 10000;
    assert_int_equal(udp_send(&b.u, s, &to, data, sizeof data), -EMSGSIZE);
    while (udp_send(&b.u, s, &to, data, 1000) == 1000)
        sent++;
    assert_int_equal(sent, 9); /* 1,044 each */
    assert_int_equal(udp_send(&b.u, s, &to, data, 1000), -EAGAIN);
    assert_int_equal(udp_readiness(&b.u, s), 0);
    assert_false(udp_next_marked(&b.u, &m));
    for (int i = 0; i < 5; i++)
        assert_true(udp_pull(&b.u, 1, &out));
    assert_true(udp_next_marked(&b.u, &m));
    assert_int_equal(m.marks, UDP_MARK_OUT);
    assert_int_equal(m.sock, 100);
    assert_int_equal(udp_readiness(&b.u, s), WEIR_READY_OUT);
    assert_int_equal(udp_send(&b.u, s, &to, data, 1000), 1000);
    while (udp_pull(&b.u, 1, &out))
        ;
    assert_int_equal(udp_send(&b.u, s, &to, data, UDP_PAYLOAD_MAX), UDP_PAYLOAD_MAX);
    assert_true(udp_pull(&b.u, 1, &out));
    assert_int_equal(out.len, UDP_PAYLOAD_MAX + UDP_LEN);
    bench_close(&b);
}

/* The call says ENOMEM and the state is as before. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long left = 0; left < 8; left++) {
        struct weir_addr any = ANY;
        struct bench b;
        uint32_t s;

        bench_open(&b);
        b.faulty.left = left;
        s = udp_open(&b.u, PROTO_UDP, 1);
        if (s && udp_bind(&b.u, s, &any, 1000) == 0) {
            enum drop d = input(&b, 1000, 1, "x");
            int64_t n = send_text(&b, s, 1, "y");
            int c;

            assert_true(d == PASS || d == DROP_udp_buffer);
            assert_true(n == 1 || n == -ENOMEM);
            assert_int_equal(udp_has_output(&b.u, 1), n == 1);
            c = connect_to(&b, s, 1000, 2000);
            assert_true(c == 0 || c == -ENOMEM);
            assert_int_equal(b.u.demux.used, 1);
        }
        b.faulty.left = -1;
        if (s)
            udp_close(&b.u, s);
        bench_close(&b);
    }
}

static void there_is_one_socket_for_any_port(void **state)
{
    struct weir_addr any = ANY;
    struct bench b;
    uint32_t s, t;

    (void)state;
    bench_open(&b);
    s = udp_open(&b.u, PROTO_UDP, 1);
    t = udp_open(&b.u, PROTO_UDP, 2);
    assert_int_equal(udp_bind_any_port(&b.u, s), 0);
    assert_int_equal(udp_bind_any_port(&b.u, t), -EADDRINUSE);
    assert_int_equal(udp_bind(&b.u, s, &any, 5), -EINVAL);
    assert_int_equal(connect_to(&b, s, 5, 6), -EINVAL);
    udp_close(&b.u, s);
    assert_int_equal(udp_bind_any_port(&b.u, t), 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_is_read_with_both_ends_and_its_marks),
        cmocka_unit_test(peeking_leaves_it_and_a_short_read_cuts_it),
        cmocka_unit_test(binding_connecting_and_disconnecting_move_the_socket),
        cmocka_unit_test(a_socket_connected_without_binding_loses_its_port),
        cmocka_unit_test(closing_lets_what_was_sent_go_out),
        cmocka_unit_test(closing_frees_at_the_next_call),
        cmocka_unit_test(the_send_buffer_is_bounded_and_says_when_there_is_room),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(there_is_one_socket_for_any_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
