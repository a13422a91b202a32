/* Datagrams larger than the link: cut on the way out, put together on the way in. 791#3.2,
 * 1122#3.3.2, 1122#3.3.3, 6864. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

#define MF IP4_MF
#define DF IP4_DF
#define OFFSET 0x1fff

static uint8_t datagram[DATAGRAM_MAX];

static void set_discover(struct frames *f, int sock, int how)
{
    assert_int_equal(weir_setsockopt(f->stack, sock, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof how),
                     0);
}

/* Takes all pieces of one datagram: its bytes behind the IP header, and how many pieces. */
static uint32_t take_pieces(struct frames *f, uint32_t mtu, int *pieces)
{
    uint32_t at = 0;
    struct taken *t;
    uint16_t id = 0;

    for (*pieces = 0; (t = take(f)); (*pieces)++) {
        if (*pieces == 0)
            id = t->ip.id;
        assert_int_equal(t->ip.id, id);
        assert_false(t->ip.frag & DF);
        assert_int_equal((t->ip.frag & OFFSET) * 8, at);
        assert_true(t->ip.total_len <= mtu);
        if (t->ip.frag & MF)
            assert_int_equal(t->l4_len % 8, 0);
        memcpy(datagram + at, t->l4, t->l4_len);
        at += t->l4_len;
        if (!(t->ip.frag & MF)) {
            (*pieces)++;
            return at;
        }
    }
    return 0;
}

static void check_datagram(uint32_t total, uint32_t text)
{
    struct taken whole = {.ip = {.src = US, .dst = THEM}, .l4 = datagram, .l4_len = total};

    assert_int_equal(total, UDP_LEN + text);
    assert_int_equal(datagram[4] << 8 | datagram[5], total);
    assert_true(is_pattern(datagram + UDP_LEN, text));
    assert_int_equal(sum_of_udp(&whole), 0);
}

/* REQ:791-3.1-4 */
TEST(a_datagram_above_the_mtu_leaves_in_pieces) /* REQ:791-3.2-2 REQ:1122-3.3.3-1 ROW:112 ROW:131 */
{
    static const struct {
        uint32_t mtu, text;
        int pieces;
    } rows[] = {{1500, 1473, 2}, {1500, 2952, 2}, {1500, 2953, 3},   {1500, 65507, 45},
                {68, 100, 3},    {68, 3000, 63},  {68, 65507, 1365}, {9000, 65507, 8}};

    for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
        struct frames *f = frames_of(.mtu = rows[i].mtu);
        int sock = udp_socket(f, 5000), pieces;
        uint32_t total;

        assert_int_equal(send_pattern(f, sock, THEM, 7, rows[i].text), rows[i].text);
        total = take_pieces(f, rows[i].mtu, &pieces);
        check_datagram(total, rows[i].text);
        assert_int_equal(pieces, rows[i].pieces);
        assert_int_equal(frames_stat(f, "IpFragOKs"), 1);
        assert_int_equal(frames_stat(f, "IpFragCreates"), pieces);
        assert_int_equal(frames_stat(f, "IpOutRequests"), 1);
        assert_int_equal(frames_stat(f, "UdpOutDatagrams"), 1);
        frames_end(f);
    }
}

TEST(fourteen_hundred_and_seventy_two_bytes_fit) /* ROW:131 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct taken *t;

    assert_int_equal(send_pattern(f, sock, THEM, 7, 1472), 1472);
    t = take(f);
    assert_int_equal(t->ip.total_len, 1500);
    assert_int_equal(t->ip.frag, DF);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 65508), -EMSGSIZE);
    frames_end(f);
}

TEST(pieces_of_one_and_datagrams_of_others_do_not_mix) /* REQ:6864-4.3-1 */
{
    struct frames *f = frames_of(.mtu = 576);
    int one = udp_socket(f, 5000), other = udp_socket(f, 5001), pieces;
    uint32_t total;
    struct taken *t;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_pattern(f, one, THEM, 7, 20000), 20000);
        assert_int_equal(send_pattern(f, other, THEM, 7, 10), 10);
        total = take_pieces(f, 576, &pieces);
        check_datagram(total, 20000);
        t = take(f);
        assert_int_equal(t->l4_len, UDP_LEN + 10);
        assert_true(t->ip.frag & DF);
    }
    frames_end(f);
}

TEST(dont_fragment_is_as_ip_mtu_discover_says) /* REQ:6864-4.3-2 */
{
    static const struct {
        int how;
        uint32_t text;
        int want;   /* errno, 0: sent */
        bool is_df; /* of the first packet */
    } rows[] = {
        {IP_PMTUDISC_DONT, 100, 0, false},      {IP_PMTUDISC_DONT, 3000, 0, false},
        {IP_PMTUDISC_WANT, 100, 0, true},       {IP_PMTUDISC_WANT, 3000, 0, false},
        {IP_PMTUDISC_DO, 100, 0, true},         {IP_PMTUDISC_DO, 3000, EMSGSIZE, false},
        {IP_PMTUDISC_PROBE, 100, 0, true},      {IP_PMTUDISC_PROBE, 3000, EMSGSIZE, false},
        {IP_PMTUDISC_INTERFACE, 100, 0, false}, {IP_PMTUDISC_INTERFACE, 3000, EMSGSIZE, false},
        {IP_PMTUDISC_OMIT, 100, 0, false},      {IP_PMTUDISC_OMIT, 3000, 0, false},
    };

    for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = udp_socket(f, 5000), got = 9;
        size_t len = sizeof got;
        struct taken *t;

        set_discover(f, sock, rows[i].how);
        assert_int_equal(weir_getsockopt(f->stack, sock, IPPROTO_IP, IP_MTU_DISCOVER, &got, &len),
                         0);
        assert_int_equal(got, rows[i].how);
        assert_int_equal(send_pattern(f, sock, THEM, 7, rows[i].text),
                         rows[i].want ? -rows[i].want : (int)rows[i].text);
        t = take(f);
        if (rows[i].want) {
            assert_null(t);
        } else {
            assert_int_equal(!!(t->ip.frag & DF), rows[i].is_df);
            assert_int_equal(!!(t->ip.frag & MF), rows[i].text > 1472);
        }
        while (take(f))
            ;
        frames_end(f);
    }
}

static int path_mtu_of(struct frames *f, int sock)
{
    int mtu = -1, v;
    size_t len = sizeof mtu;

    v = weir_getsockopt(f->stack, sock, IPPROTO_IP, IP_MTU, &mtu, &len);
    return v < 0 ? v : mtu;
}

/* The router says 1000: datagrams that may be cut are, at that; those that may not are refused. */
TEST(a_path_mtu_that_icmp_tells_is_kept_to) /* REQ:1191-3-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), asker = udp_socket(f, 0), pieces;
    uint8_t error[ICMP_LEN + 28];
    struct weir_sockaddr peer = {.addr = weir_addr_v4(THEM), .port = 7};
    struct taken *t;
    uint32_t n, total;

    assert_int_equal(send_pattern(f, sock, THEM, 7, 1400), 1400);
    t = take(f);
    n = build_error(error, &(struct error_spec){3, 4, 1000, t->bytes, 28});
    assert_int_equal(path_mtu_of(f, asker), -ENOTCONN); /* Linux: a question of connections */
    assert_int_equal(weir_connect(f->stack, asker, &peer), 0);
    assert_int_equal(path_mtu_of(f, asker), 1500);
    assert_null(put(f, .src = ROUTER, .proto = PROTO_ICMP, .l4 = error, .len = n));
    assert_int_equal(path_mtu_of(f, asker), 1000);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 1400), 1400);
    total = take_pieces(f, 1000, &pieces);
    check_datagram(total, 1400);
    assert_int_equal(pieces, 2);
    set_discover(f, sock, IP_PMTUDISC_DO);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 1400), -EMSGSIZE);
    set_discover(f, sock, IP_PMTUDISC_PROBE);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 1400), 1400);
    assert_int_equal(take(f)->ip.total_len, 1428);
    frames_end(f);
}

TEST(a_datagram_that_the_path_outgrew_is_counted)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);

    set_discover(f, sock, IP_PMTUDISC_DO);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 1400), 1400);
    assert_int_equal(weir_iface_set_mtu(f->stack, f->ifindex, 1000), 0);
    assert_null(take(f));
    assert_int_equal(frames_stat(f, "IpFragFails"), 1);
    frames_end(f);
}

/* REQ:792-Intro-1 */
TEST(a_ping_of_any_size_is_answered) /* ROW:116 REQ:1122-3.2.2.6-1 */
{
    static const uint32_t sizes[] = {1472, 1473, 20000, 65507};
    static uint8_t message[DATAGRAM_MAX];

    for (int i = 0; i < 4; i++) {
        struct frames *f = frames_of(.mtu = 1500);
        uint32_t n = build_icmp(message, 8, 0, 0x12340001, sizes[i]), total;
        int pieces;

        assert_null(put_pieces(
            f, &(struct packet_spec){.proto = PROTO_ICMP, .id = 9, .l4 = message, .len = n}, 1480));
        total = take_pieces(f, 1500, &pieces);
        assert_int_equal(total, n);
        assert_int_equal(sum_of(datagram, n), 0);
        assert_int_equal(datagram[0], 0);
        assert_memory_equal(datagram + 4, message + 4, n - 4);
        assert_int_equal(pieces, (n + 1479) / 1480);
        frames_end(f);
    }
}

/* -- in ---------------------------------------------------------------------------------------- */

/* REQ:1122-3.2.1.4-1 REQ:1122-3.3.2-2 */
TEST(a_socket_gets_what_came_in_pieces) /* ROW:113 ROW:110 REQ:1122-3.3.2-1 */
{
    static const uint32_t steps[] = {8, 16, 1480, 8000, 65504};
    static uint8_t udp[DATAGRAM_MAX], text[DATAGRAM_MAX];
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 65507});

    for (int i = 0; i < 5; i++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = udp_socket(f, 5000);

        assert_null(put_pieces(
            f, &(struct packet_spec){.proto = PROTO_UDP, .id = 1, .l4 = udp, .len = n}, steps[i]));
        assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), 65507);
        assert_true(is_pattern(text, 65507));
        assert_int_equal(frames_stat(f, "IpReasmOKs"), 1);
        assert_int_equal(frames_stat(f, "IpReasmReqds"), (n + steps[i] - 1) / steps[i]);
        assert_int_equal(frames_stat(f, "IpInDelivers"), 1);
        frames_end(f);
    }
}

/* REQ:6864-5.2-2 */
TEST(the_checksum_goes_over_the_whole) /* REQ:768-Fields-3 */
{
    struct frames *f = frames_of(.mtu = 1500);
    static uint8_t udp[4000];
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 3000});
    int sock = udp_socket(f, 5000);

    udp[2500] ^= 1;
    assert_string_equal(
        put_pieces(f, &(struct packet_spec){.proto = PROTO_UDP, .l4 = udp, .len = n}, 1480),
        "udp_checksum");
    assert_int_equal(weir_recv(f->stack, sock, udp, 1, 0), -EAGAIN);
    frames_end(f);
}

/* REQ:791-3.2-6 REQ:792-TimeExceeded-2 */
TEST(a_piece_that_never_comes_is_told_to_the_sender) /* REQ:1122-3.3.2-6 REQ:1122-3.3.2-4 ROW:113 */
{
    struct frames *f = frames_of(.mtu = 1500);
    static uint8_t udp[4000];
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 3000});
    struct taken *t;
    int64_t began;

    (void)n;
    assert_string_equal(put(f, .proto = PROTO_UDP, .frag = MF, .id = 5, .l4 = udp, .len = 1480),
                        "kept");
    assert_string_equal(
        put(f, .proto = PROTO_UDP, .frag = MF | 185, .id = 6, .l4 = udp + 1480, .len = 1480),
        "kept");
    began = f->now_ns;
    frames_advance(f, 29999999);
    assert_null(take(f));
    frames_advance(f, 1);
    t = take(f);
    assert_non_null(t);
    assert_int_equal(t->at_ns - began, 30 * 1000000000ll);
    assert_int_equal(t->ip.proto, PROTO_ICMP);
    assert_int_equal(t->ip.dst, THEM);
    assert_int_equal(t->ip.src, US);
    assert_int_equal(t->l4[0], 11);
    assert_int_equal(t->l4[1], 1);
    assert_int_equal(sum_of(t->l4, t->l4_len), 0);
    assert_memory_equal(t->l4 + ICMP_LEN + IP4_LEN, udp, t->l4_len - ICMP_LEN - IP4_LEN);
    assert_int_equal(t->ip.total_len, 576);
    assert_null(take(f)); /* of the other the first piece never came */
    assert_int_equal(frames_stat(f, "IpReasmTimeout"), 2);
    assert_int_equal(frames_stat(f, "IpReasmFails"), 2);
    assert_int_equal(frames_stat(f, "IcmpOutTimeExcds"), 1);
    frames_end(f);
}

/* What overlaps is never delivered, and nobody is told. */
TEST(teardrop) /* REQ:5722-4-2 */
{
    struct frames *f = frames_of(.mtu = 1500);
    static uint8_t udp[4000];
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 3000});
    int sock = udp_socket(f, 5000);

    (void)n;
    assert_string_equal(put(f, .proto = PROTO_UDP, .frag = MF, .l4 = udp, .len = 40), "kept");
    udp[30]++;
    assert_string_equal(put(f, .proto = PROTO_UDP, .frag = 3, .l4 = udp + 24, .len = 4),
                        "ip_fragment_overlap");
    assert_string_equal(put(f, .proto = PROTO_UDP, .frag = 5, .l4 = udp + 40, .len = 4),
                        "ip_fragment_overlap");
    frames_advance(f, 40000000);
    assert_null(take(f));
    assert_int_equal(weir_recv(f->stack, sock, udp, 1, 0), -EAGAIN);
    frames_end(f);
}

TEST(ping_of_death)
{
    struct frames *f = frames_of(.mtu = 1500);
    static uint8_t message[DATAGRAM_MAX];

    build_icmp(message, 8, 0, 1, 60000);
    assert_string_equal(put(f, .proto = PROTO_ICMP, .frag = MF, .l4 = message, .len = 1480),
                        "kept");
    assert_string_equal(put(f, .proto = PROTO_ICMP, .frag = 8189, .l4 = message, .len = 1480),
                        "ip_fragment_bad");
    frames_advance(f, 40000000);
    assert_null(take(f));
    assert_int_equal(frames_stat(f, "IpReasmFails"), 1);
    frames_end(f);
}

/* 1858: a port that hides in the second piece is found all the same. */
TEST(tiny_fragments_hide_nothing)
{
    struct frames *f = frames_of(.mtu = 1500);
    static uint8_t udp[100], text[100];
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 50});
    int sock = udp_socket(f, 5000);
    struct tcp_hdr syn = {.sport = 7, .dport = 80, .flags = TCP_SYN};
    uint8_t tcp[TCP_LEN];

    assert_null(put_pieces(f, &(struct packet_spec){.proto = PROTO_UDP, .l4 = udp, .len = n}, 8));
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), 50);
    tcp_emit(tcp, &syn);
    assert_string_equal(
        put_pieces(f, &(struct packet_spec){.proto = PROTO_TCP, .l4 = tcp, .len = TCP_LEN}, 8),
        "tcp_checksum");
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("fragments");
}
