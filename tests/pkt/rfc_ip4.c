/* IPv4 at a host, rule by rule: what leaves, what is taken, identifications, source quench. 791,
 * 768, 6864, 6633. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "frames6.h"

#define MF IP4_MF
#define DF IP4_DF
#define RESERVED 0x8000
#define QUENCH 4

static uint8_t bytes[DATAGRAM_MAX], text[DATAGRAM_MAX];

static int got(struct frames *f, int sock)
{
    return (int)weir_recv(f->stack, sock, text, sizeof text, 0);
}

/* -- what is taken ----------------------------------------------------------------------------- */

TEST(any_datagram_up_to_576_octets_is_taken_whole_and_in_pieces) /* REQ:791-2.3-2 */
{
    static const uint32_t steps[] = {DATAGRAM_MAX, 8, 24, 256, 512};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct frames *f = frames_of(.mtu = 576);
        int sock = udp_socket(f, 5000);

        for (uint32_t len = 0; len <= 576 - IP4_LEN - UDP_LEN; len++) {
            uint32_t n = build_udp(bytes,
                                   &(struct udp_spec){.sport = 7, .dport = 5000, .len = len});

            assert_null(
                put_pieces(f,
                           &(struct packet_spec){
                               .proto = PROTO_UDP, .id = (uint16_t)len, .l4 = bytes, .len = n},
                           steps[i]));
            assert_int_equal(got(f, sock), len);
            assert_true(is_pattern(text, len));
        }
        frames_end(f);
    }
}

/* A port of 0 is no port: whoever wrote it is heard, and can not be answered. */
TEST(a_source_port_of_zero_is_not_used) /* REQ:768-Fields-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    uint32_t n = build_udp(bytes, &(struct udp_spec){.sport = 0, .dport = 5000, .len = 10});
    struct weir_sockaddr from;

    assert_null(put(f, .proto = PROTO_UDP, .l4 = bytes, .len = n));
    assert_int_equal(weir_recvfrom(f->stack, sock, text, sizeof text, 0, &from), 10);
    assert_int_equal(from.port, 0);
    assert_int_equal(weir_sendto(f->stack, sock, "x", 1, 0, &from), -EINVAL);
    frames_end(f);
}

/* -- what leaves ------------------------------------------------------------------------------- */

TEST(the_reserved_flag_is_zero_in_all_that_leaves) /* REQ:791-3.1-3 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), stream = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 80};
    uint32_t n = build_icmp(bytes, 8, 0, 1, 3000);
    struct taken *t;
    int taken = 0;

    send_pattern(f, sock, THEM, 7, 10);
    send_pattern(f, sock, THEM, 7, 4000);
    put_pieces(f, &(struct packet_spec){.proto = PROTO_ICMP, .id = 3, .l4 = bytes, .len = n}, 1480);
    assert_string_equal(put(f, .proto = 99, .frag = RESERVED, .l4 = bytes, .len = 50),
                        "ip_protocol");
    assert_int_equal(weir_connect(f->stack, stream, &to), -EINPROGRESS);
    for (; (t = take(f)); taken++)
        assert_int_equal(t->ip.frag & RESERVED, 0);
    assert_int_equal(taken, 1 + 3 + 3 + 1 + 1);
    weir_abort(f->stack, stream);
    frames_end(f);
}

TEST(a_datagram_leaves_from_an_address_of_ours) /* REQ:791-3.3-1 */
{
    struct frames *f = frames_of(.has_v6 = true);
    struct weir_sockaddr foreign = {.addr = weir_addr_v4(0x0a000009), .port = 9},
                         foreign6 = {.addr = addr6("fd00::9"), .port = 9};
    struct weir_addr us6 = addr6(US6);
    int sock = udp_socket(f, 0), six = udp6_socket(f, 0);
    struct taken *t;

    assert_int_equal(weir_bind(f->stack, sock, &foreign), -EADDRNOTAVAIL);
    assert_int_equal(weir_bind(f->stack, six, &foreign6), -EADDRNOTAVAIL);
    send_pattern(f, sock, THEM, 7, 10);
    assert_int_equal(take(f)->ip.src, US);
    send_pattern6(f, six, THEM6, 7, 10);
    t = take(f);
    assert_true(weir_addr_equal(&t->ip6.src, &us6));
    frames_end(f);
}

/* -- identifications --------------------------------------------------------------------------- */

/* It says which pieces belong together, and nothing else: a second datagram that bears the same is
 * a second datagram, and one that is whole is no piece of another. */
TEST(an_identification_means_nothing_to_what_is_whole) /* REQ:6864-4.1-1 REQ:6864-4.1-3 */
{
    static const uint16_t frags[] = {0, DF};

    for (int i = 0; i < 2; i++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = udp_socket(f, 5000);
        uint32_t n = build_udp(bytes, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 1000});
        uint8_t whole[100];
        uint32_t m = build_udp(whole, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 20});

        assert_string_equal(
            put(f, .proto = PROTO_UDP, .id = 9, .frag = MF, .l4 = bytes, .len = 800), "kept");
        for (int k = 0; k < 3; k++) {
            assert_null(
                put(f, .proto = PROTO_UDP, .id = 9, .frag = frags[i], .l4 = whole, .len = m));
            assert_int_equal(got(f, sock), 20);
        }
        assert_null(
            put(f, .proto = PROTO_UDP, .id = 9, .frag = 100, .l4 = bytes + 800, .len = n - 800));
        assert_int_equal(got(f, sock), 1000);
        assert_true(is_pattern(text, 1000));
        frames_end(f);
    }
}

TEST(what_is_never_cut_has_no_identification) /* REQ:6864-4.1-2 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct taken *t;

    for (int i = 0; i < 20; i++) {
        send_pattern(f, sock, THEM, 7, 100);
        t = take(f);
        assert_int_equal(t->ip.frag, DF);
        assert_int_equal(t->ip.id, 0);
    }
    frames_end(f);
}

/* The same bytes to the same peer, again and again: each copy is a datagram of its own. */
TEST(a_copy_of_what_may_be_cut_has_another_identification) /* REQ:6864-4.2-1 REQ:6864-6.2-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), how = IP_PMTUDISC_DONT;
    static bool is_used[65536];
    struct taken *t;

    memset(is_used, 0, sizeof is_used);
    weir_setsockopt(f->stack, sock, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof how);
    for (int i = 0; i < 6000; i++) {
        uint32_t len = i % 2 ? 1 : 1473; /* whole, and in two pieces */

        send_pattern(f, sock, THEM, 7, len);
        t = take(f);
        assert_false(t->ip.frag & DF);
        assert_false(is_used[t->ip.id]);
        is_used[t->ip.id] = true;
        if (len > 1)
            assert_int_equal(is_used[take(f)->ip.id], true);
    }
    frames_end(f);
}

/* -- source quench ----------------------------------------------------------------------------- */

/* Nobody is told to be slower: not where a socket, the reassembly or the way on is full. */
TEST(what_is_too_much_is_dropped_without_a_word) /* REQ:6633-3-1 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500,
                                 .knob = "net.weir.forward_queue_bytes", .value = "1000");
    int sock = udp_socket(f, 5000), small = 2048;
    uint32_t n = build_udp(bytes, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 1000});

    assert_int_equal(weir_knob_set(f->stack, "net.ipv4.ipfrag_high_thresh", "1000"), 0);
    weir_setsockopt(f->stack, sock, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 50; i++)
        put(f, .proto = PROTO_UDP, .l4 = bytes, .len = n);
    assert_int_equal(frames_stat(f, "UdpRcvbufErrors"), 47);
    assert_string_equal(put(f, .proto = PROTO_UDP, .id = 1, .frag = MF, .l4 = bytes, .len = 800),
                        "ip_fragment_full");
    build_udp(bytes, &(struct udp_spec){.dst = 0x0a000102, .sport = 7, .dport = 9, .len = 1000});
    assert_string_equal(put(f, .dst = 0x0a000102, .proto = PROTO_UDP, .l4 = bytes, .len = n),
                        "forward_queue");
    assert_null(take(f));
    frames_end(f);
}

/* About a datagram, and about an echo request: no error is told, and the next one is not late. */
TEST(a_source_quench_slows_nobody) /* REQ:6633-5-1 REQ:6633-6-1 REQ:6633-7-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int udp = udp_socket(f, 5000), ping = weir_socket(f->stack, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 7};
    uint8_t ask[16] = {8}, error[ICMP_LEN + 28];
    const int socks[] = {udp, ping};

    for (int i = 0; i < 2; i++) {
        int on = 1;

        assert_int_equal(weir_connect(f->stack, socks[i], &to), 0);
        weir_setsockopt(f->stack, socks[i], IPPROTO_IP, IP_RECVERR, &on, sizeof on);
        for (int k = 0; k < 10; k++) {
            int64_t before = f->now_ns;
            struct weir_sock_error e;
            struct taken *t;
            uint32_t n;

            assert_int_equal(weir_send(f->stack, socks[i], ask, sizeof ask, 0), sizeof ask);
            t = take(f);
            assert_non_null(t);
            assert_int_equal(t->at_ns, before);
            n = build_error(error, &(struct error_spec){QUENCH, 0, 0, t->bytes, 28});
            assert_string_equal(put(f, .src = ROUTER, .proto = PROTO_ICMP, .l4 = error, .len = n),
                                "icmp_ignored");
            assert_int_equal(weir_recverr(f->stack, socks[i], text, sizeof text, &e), -EAGAIN);
        }
    }
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("rfc_ip4");
}
