/* Accurate ECN, RFC 9768: what is counted, over IPv4 and over IPv6. The scripts in tests/pkt/accecn
 * tell how it is agreed and what a path may do to it. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "support/peer_net.h"
#include "support/states.h"

#define MARKED_BYTES 300

static struct weir_sock_info info_of(const struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info;
}

/* The bits AE, CWR and ECE of a count. */
#define ACE(n) .ae = !!((n)&4), .flags = (uint8_t)(ACK | ((n)&2 ? CWR : 0) | ((n)&1 ? ECE : 0))

static struct peer agreed(void)
{
    struct peer p = listening(.knob = "net.ipv4.tcp_ecn", .value = "3",
                              .knob2 = "net.ipv4.tcp_congestion_control", .value2 = "reno");

    inject(&p, .ae = true, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000);
    expect(&p, .flags = SYN | ACK | CWR, .seq = 0, .ack = 1, .ecn = NOT_ECT, .accs = 3,
           .acc = {1, 0, 1});
    inject(&p, .flags = ACK | CWR, .seq = 1, .ack = 1, .accs = 3, .acc = {1, 0, 1});
    app_accept(&p);
    return p;
}

/* REQ:9768-3.2-2 REQ:9768-3.2-1 */
TEST(what_comes_is_counted_by_codepoint_and_shown)
{
    struct peer p = agreed();
    const char *ecn0 = peer_is_v6() ? "Ip6InECT0Pkts" : "IpExtInECT0Pkts";
    const char *ce = peer_is_v6() ? "Ip6InCEPkts" : "IpExtInCEPkts";

    assert_true(info_of(&p).has_accecn);
    inject(&p, ACE(5), .seq = 1, .ack = 1, .len = 100, .ecn = ECT0);
    expect(&p, ACE(5), .ack = 101, .accs = 1, .acc = {101});
    inject(&p, ACE(5), .seq = 101, .ack = 1, .len = MARKED_BYTES, .ecn = CE);
    expect(&p, ACE(6), .ack = 401, .accs = 2, .acc = {101, MARKED_BYTES});
    inject(&p, ACE(5), .seq = 401, .ack = 1, .len = 200, .ecn = 1);
    expect(&p, ACE(6), .ack = 601, .accs = 3, .acc = {101, MARKED_BYTES, 201});
    inject(&p, ACE(5), .seq = 601, .ack = 1, .len = 50);
    expect(&p, ACE(6), .ack = 651);
    assert_int_equal(info_of(&p).ce_in, 1);
    assert_int_equal(info_of(&p).ect0_bytes_in, 100);
    assert_int_equal(info_of(&p).ce_bytes_in, MARKED_BYTES);
    assert_int_equal(info_of(&p).ect1_bytes_in, 200);
    assert_int_equal(weir_stat_by_name(p.stack, ecn0), 1);
    assert_int_equal(weir_stat_by_name(p.stack, ce), 1);
    peer_end(&p);
}

/* The last 36 bytes of Linux's struct tcp_info, since 7.0. */
struct linux_ecn {
    uint32_t received_ce, delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes;
    uint32_t received_e1_bytes, received_e0_bytes, received_ce_bytes, mode;
};

TEST(what_the_peer_tells_is_summed_up_and_shown)
{
    struct peer p = agreed();
    struct weir_sock_info info;
    uint8_t bytes[280];
    struct linux_ecn l;
    size_t len = sizeof bytes;

    app_write(&p, 5000);
    for (uint32_t i = 0; i < 5; i++)
        expect(&p, ACE(5), .seq = 1 + 1000 * i, .len = 1000, .ecn = ECT0);
    inject(&p, ACE(6), .seq = 1, .ack = 2001, .accs = 2, .acc = {1001, 1000});
    inject(&p, ACE(0), .seq = 1, .ack = 5001, .accs = 3, .is_acc_1 = true,
           .acc = {501, 3000, 1501});
    info = info_of(&p);
    assert_int_equal(info.ce_told, 3);
    assert_int_equal(info.ce_bytes_told, 3000);
    assert_int_equal(info.ect0_bytes_told, 1500);
    assert_int_equal(info.ect1_bytes_told, 500);
    assert_int_equal(weir_getsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_INFO, bytes, &len), 0);
    assert_int_equal(len, sizeof bytes);
    memcpy(&l, bytes + sizeof bytes - sizeof l, sizeof l);
    assert_int_equal(l.delivered_ce_bytes, 3000);
    assert_int_equal(l.delivered_e0_bytes, 1500);
    assert_int_equal(l.delivered_e1_bytes, 500);
    assert_int_equal(l.received_ce, 0);
    assert_int_equal(l.mode & 3, 2);
    peer_end(&p);
}

/* REQ:9768-3.2.3.1-2 */
TEST(a_counter_that_went_round_is_read)
{
    struct peer p = agreed();

    app_write(&p, 3000);
    peer_forget_output(&p);
    inject(&p, ACE(5), .seq = 1, .ack = 1001, .accs = 2, .acc = {0x7ffff0, 0});
    inject(&p, ACE(5), .seq = 1, .ack = 2001, .accs = 2, .acc = {0xf00000, 0});
    inject(&p, ACE(5), .seq = 1, .ack = 3001, .accs = 2, .acc = {0x10, 0});
    assert_int_equal(info_of(&p).ect0_bytes_told, 0x100000f);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
