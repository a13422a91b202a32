/* Knobs, set while the stack runs: each changes what is seen on the wire or by the program. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "peer.h"

static void set(struct peer *p, const char *name, const char *value)
{
    assert_int_equal(weir_knob_set(p->stack, name, value), 0);
}

static int option(struct peer *p, int name)
{
    int value = 0;
    size_t len = sizeof value;

    assert_int_equal(weir_getsockopt(p->stack, p->sock, SOL_SOCKET, name, &value, &len), 0);
    return value;
}

TEST(time_wait_lasts_as_long_as_it_is_told)
{
    struct peer p = established(.mss = 1000, .knob = "net.weir.tcp_time_wait_s", .value = "7");

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .ack = 2);
    advance_ms(&p, 6900);
    expect_state(&p, WEIR_TIME_WAIT);
    advance_ms(&p, 200);
    assert_int_equal(peer_state(&p), 0);
    peer_end(&p);
}

TEST(the_first_timeout)
{
    struct peer p = connecting(.mss = 1000, .knob = "net.weir.tcp_rto_init_us", .value = "300000");

    expect_after(&p, 300, .flags = SYN, .seq = 0);
    expect_after(&p, 600, .flags = SYN, .seq = 0);
    inject(&p, .flags = RST | ACK, .seq = 0, .ack = 1);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpAttemptFails", 1);
    peer_end(&p);
}

TEST(so_many_duplicates_mean_loss)
{
    struct peer p = established(.mss = 1000);

    set(&p, "net.ipv4.tcp_reordering", "2");
    app_write(&p, 5000);
    for (uint32_t n = 0; n < 4; n++)
        expect(&p, .flags = ACK, .seq = 1 + n * 1000, .len = 1000);
    expect(&p, .flags = ACK | PSH, .seq = 4001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    peer_end(&p);
}

TEST(bytes_not_sent_fill_a_socket)
{
    struct peer p = established(.mss = 1000);
    static uint8_t data[1600];

    set(&p, "net.ipv4.tcp_notsent_lowat", "1200");
    assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, 0), 1200);
    assert_false(weir_readiness(p.stack, p.sock) & WEIR_READY_OUT);
    peer_forget();

    p = established(.mss = 1000); /* a lower mark makes no smaller segments */
    set(&p, "net.ipv4.tcp_notsent_lowat", "1");
    assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, 0), 1000);
    assert_false(weir_readiness(p.stack, p.sock) & WEIR_READY_OUT);
    set(&p, "net.ipv4.tcp_notsent_lowat", "4294967295");
    assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, 0), sizeof data);
    peer_forget();
}

TEST(what_a_program_may_ask_for)
{
    struct peer p = established(.mss = 1000);

    set(&p, "net.core.rmem_max", "10000");
    set(&p, "net.core.wmem_max", "20000");
    app_option(&p, SOL_SOCKET, SO_RCVBUF, 1 << 20);
    app_option(&p, SOL_SOCKET, SO_SNDBUF, 1 << 20);
    assert_int_equal(option(&p, SO_RCVBUF), 20000);
    assert_int_equal(option(&p, SO_SNDBUF), 40000);
    peer_end(&p);
}

TEST(the_send_buffer_of_new_sockets)
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_wmem",
                                .value = "4096 5000 9000");
    static uint8_t data[10000];

    assert_int_equal(option(&p, SO_SNDBUF), 5000);
    assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, 0), 5000);
    peer_forget();
}

TEST(memory_has_a_ceiling)
{
    struct peer p = established(.mss = 1000);
    char text[32] = "";

    set(&p, "net.weir.mem_max", "1");
    assert_true(weir_send(p.stack, p.sock, text, sizeof text, 0) < 0);
    set(&p, "net.weir.mem_max", "0");
    assert_int_equal(weir_send(p.stack, p.sock, text, sizeof text, 0), sizeof text);
    peer_forget();
}

TEST(rest_is_no_reason_to_start_slowly_where_that_is_off)
{
    struct peer p = established(.mss = 1000, .knob = "net.weir.tcp_initial_cwnd", .value = "2");
    uint32_t sent = 0;
    struct got g;

    set(&p, "net.ipv4.tcp_slow_start_after_idle", "0");
    for (uint32_t at = 1; at < 8001; at += 2000) { /* cwnd grows to 6 */
        app_write(&p, 2000);
        while (peer_next(&p, &g))
            sent += g.len;
        inject(&p, .flags = ACK, .seq = 1, .ack = at + 2000);
    }
    assert_int_equal(sent, 8000);
    advance_ms(&p, 60000);
    app_write(&p, 4000);
    for (sent = 0; peer_next(&p, &g);)
        sent += g.len;
    assert_int_equal(sent, 4000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 12001);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
