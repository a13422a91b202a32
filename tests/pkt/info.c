/* What a program reads of its connection: TCP_INFO in Linux's layout, field by field. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "peer.h"

static struct tcp_info info_of(struct peer *p)
{
    struct tcp_info i;
    size_t len = sizeof i;

    memset(&i, 0xee, sizeof i);
    assert_int_equal(weir_getsockopt(p->stack, p->sock, IPPROTO_TCP, TCP_INFO, &i, &len), 0);
    assert_int_equal(len, sizeof i);
    return i;
}

TEST(a_fresh_connection)
{
    struct peer p = established(.mss = 1000, .sack_ok = true, .has_ts = true, .wscale = 8,
                                .wnd = 2000);
    struct tcp_info i = info_of(&p);
    int mtu = 0;
    size_t len = sizeof mtu;

    assert_int_equal(weir_getsockopt(p.stack, p.sock, IPPROTO_IP, IP_MTU, &mtu, &len), 0);
    assert_int_equal(mtu, 1500);
    assert_int_equal(i.tcpi_state, WEIR_ESTABLISHED);
    assert_int_equal(i.tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
    assert_int_equal(i.tcpi_snd_wscale, 7);
    assert_int_equal(i.tcpi_rcv_wscale, 7);
    assert_int_equal(i.tcpi_snd_mss, 988);
    assert_int_equal(i.tcpi_advmss, 1448);
    assert_int_equal(i.tcpi_pmtu, 1500);
    assert_int_equal(i.tcpi_snd_cwnd, 10);
    assert_int_equal(i.tcpi_snd_ssthresh, 0x7fffffff);
    assert_int_equal(i.tcpi_reordering, 3);
    assert_int_equal(i.tcpi_bytes_acked, 0);
    assert_int_equal(i.tcpi_bytes_received, 0);
    assert_int_equal(i.tcpi_bytes_sent, 0);
    assert_int_equal(i.tcpi_unacked, 0);
    assert_int_equal(i.tcpi_last_data_sent, 0);
    assert_int_equal(i.tcpi_ato, 0);
    peer_end(&p);
}

TEST(bytes_and_segments_are_counted_both_ways)
{
    struct peer p = established(.mss = 1000);
    struct tcp_info i;

    app_write(&p, 2500);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect(&p, .flags = ACK | PSH, .seq = 2001, .len = 500);
    i = info_of(&p);
    assert_int_equal(i.tcpi_unacked, 3);
    assert_int_equal(i.tcpi_bytes_sent, 2500);
    assert_int_equal(i.tcpi_data_segs_out, 3);
    advance_ms(&p, 30);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001);
    advance_ms(&p, 7);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001, .len = 300);
    app_read(&p, 300);
    advance_ms(&p, 5);
    i = info_of(&p);
    assert_int_equal(i.tcpi_unacked, 1);
    assert_int_equal(i.tcpi_bytes_acked, 2000);
    assert_int_equal(i.tcpi_bytes_received, 300);
    assert_int_equal(i.tcpi_data_segs_in, 1);
    assert_int_equal(i.tcpi_last_data_sent, 42);
    assert_int_equal(i.tcpi_last_data_recv, 5);
    assert_int_equal(i.tcpi_last_ack_recv, 5);
    assert_int_equal(i.tcpi_ato, 40000);
    assert_int_equal(i.tcpi_min_rtt, 1);
    assert_int_equal(i.tcpi_segs_in, 3);
    inject(&p, .flags = ACK, .seq = 301, .ack = 2501);
    peer_end(&p);
}

TEST(what_the_window_holds_back_is_not_sent)
{
    struct peer p = established(.mss = 1000, .wnd = 1000);
    struct tcp_info i;

    app_write(&p, 1700);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    i = info_of(&p);
    assert_int_equal(i.tcpi_notsent_bytes, 700);
    assert_int_equal(i.tcpi_snd_wnd, 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 1000);
    expect(&p, .flags = ACK | PSH, .seq = 1001, .len = 700);
    assert_int_equal(info_of(&p).tcpi_notsent_bytes, 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1701, .wnd = 1000);
    peer_end(&p);
}

TEST(loss_shows_as_it_is_repaired)
{
    struct peer p = established(.mss = 1000, .sack_ok = true, .knob = "net.ipv4.tcp_recovery",
                                .value = "0");
    struct tcp_info i;

    app_write(&p, 5000);
    for (uint32_t n = 0; n < 5; n++)
        expect(&p, .flags = ACK, .seq = 1 + n * 1000, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1, .sack = {{1001, 2001}});
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Disorder);
    assert_int_equal(info_of(&p).tcpi_sacked, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1, .sack = {{1001, 3001}});
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1, .sack = {{1001, 4001}});
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    i = info_of(&p);
    assert_int_equal(i.tcpi_ca_state, TCP_CA_Recovery);
    assert_int_equal(i.tcpi_sacked, 3);
    assert_int_equal(i.tcpi_retrans, 1);
    assert_int_equal(i.tcpi_total_retrans, 1);
    assert_int_equal(i.tcpi_bytes_retrans, 1000);
    assert_int_equal(i.tcpi_bytes_sent, 6000);
    assert_in_range(i.tcpi_snd_ssthresh, 2, 5);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001);
    i = info_of(&p);
    assert_int_equal(i.tcpi_ca_state, TCP_CA_Open);
    assert_int_equal(i.tcpi_unacked, 0);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    peer_end(&p);
}

TEST(timeouts_show_as_backoff)
{
    struct peer p = established(.mss = 1000);
    struct tcp_info i;

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 400, .flags = ACK, .seq = 1, .len = 100);
    i = info_of(&p);
    assert_int_equal(i.tcpi_ca_state, TCP_CA_Loss);
    assert_int_equal(i.tcpi_retransmits, 2);
    assert_int_equal(i.tcpi_backoff, 2);
    assert_int_equal(i.tcpi_rto, 800000);
    assert_int_equal(i.tcpi_snd_cwnd, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101);
    assert_int_equal(info_of(&p).tcpi_backoff, 0);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    peer_end(&p);
}

TEST(the_fins_are_no_bytes)
{
    struct peer p = established(.mss = 1000);
    struct tcp_info i;

    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 10);
    expect(&p, .flags = ACK, .ack = 12);
    app_write(&p, 20);
    expect(&p, .flags = ACK, .seq = 1, .len = 20);
    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 21);
    i = info_of(&p);
    assert_int_equal(i.tcpi_state, WEIR_LAST_ACK);
    assert_int_equal(i.tcpi_bytes_received, 10);
    assert_int_equal(i.tcpi_bytes_acked, 0);
    assert_int_equal(i.tcpi_bytes_sent, 20);
    assert_int_equal(i.tcpi_notsent_bytes, 0);
    inject(&p, .flags = ACK, .seq = 12, .ack = 22);
    assert_int_equal(info_of(&p).tcpi_bytes_acked, 20);
    peer_end(&p);
}

TEST(a_listener_tells_its_queue)
{
    struct peer p = listening(.backlog = 5);
    struct peer q = peer_other(&p, 4000);
    struct tcp_info i;
    size_t len = sizeof i;

    inject(&q, .flags = SYN, .seq = 0, .mss = 1000);
    expect(&q, .flags = SYN | ACK, .ack = 1);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    weir_getsockopt(p.stack, p.listener, IPPROTO_TCP, TCP_INFO, &i, &len);
    assert_int_equal(i.tcpi_state, WEIR_LISTEN);
    assert_int_equal(i.tcpi_unacked, 1);
    assert_int_equal(i.tcpi_sacked, 5);
    assert_int_equal(i.tcpi_snd_mss, 0);
    peer_forget();
}

TEST(who_asks_for_less_gets_less)
{
    struct peer p = established(.mss = 1000);
    uint8_t short_one[104], longer[400];
    size_t len = sizeof short_one;

    assert_int_equal(weir_getsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_INFO, short_one, &len), 0);
    assert_int_equal(len, sizeof short_one);
    len = sizeof longer;
    assert_int_equal(weir_getsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_INFO, longer, &len), 0);
    assert_int_equal(len, 280);
    peer_end(&p);
}

TEST(congestion_control_is_named_in_16_bytes)
{
    struct peer p = established(.mss = 1000);
    char name[16];
    size_t len = sizeof name;

    memset(name, 'x', sizeof name);
    assert_int_equal(weir_getsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    assert_int_equal(len, 16);
    assert_memory_equal(name, "cubic\0\0\0\0\0\0\0\0\0\0", 16);
    len = sizeof name;
    assert_int_equal(weir_getsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_CC_INFO, name, &len), 0);
    assert_int_equal(len, 0);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
