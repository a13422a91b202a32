/* Path MTU discovery of both versions: how streams and datagrams keep to what routers say. What is
 * about TCP runs a second time over IPv6 (WEIR_TEST_IP=6). 1191, 8201. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "frames6.h"
#include "peer_net.h"

#define FAR 0xc0000201u
#define FAR6 "fd00:5::1"
#define WRITTEN 8760 /* six segments of 1460 bytes */

enum { UNREACHABLE = 3, FRAG = 4 };

static uint8_t bytes[DATAGRAM_MAX];

/* -- streams ----------------------------------------------------------------------------------- */

/* A router on the way, whose next link takes segments of `mss`: all that is larger is dropped, and
 * each of them told. How many that were; `arrived`: how many passed. */
static int route_on(struct peer *p, uint32_t mss, int *arrived)
{
    uint32_t dropped[64];
    int n = 0, told;
    struct segment s;
    struct got g;

    for (*arrived = 0; peer_next(p, &g); *arrived += g.len <= mss) {
        peer_relative(p, &g, &s);
        if (g.len > mss)
            dropped[n++] = s.seq;
    }
    for (told = 0; told < n; told++)
        assert_int_equal(inject_icmp(p, UNREACHABLE, FRAG, mss + 40, dropped[told]), PASS);
    return n;
}

static struct weir_sock_info info_of(struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info;
}

/* A burst of messages, one for each segment that was lost: each byte is sent once more and no more,
 * at a size that passes, and nothing that follows is told of again. Congestion is not meant. */
/* REQ:1191-3-2 REQ:1191-3-3 REQ:1191-3-4 REQ:1191-6.4-3 REQ:8201-4-5 REQ:8201-4-6 REQ:8201-5.2-2
 * REQ:8201-5.4-2 REQ:8201-5.4-3 */
TEST(a_stream_is_told_once_for_each_narrower_link)
{
    static const struct {
        uint32_t mss;
        int segments; /* of the text */
    } links[] = {{1260, 7}, {1230, 8}};
    struct peer p = established(.mss = 1460);
    uint64_t resent = 0;
    int arrived;

    for (int i = 0; i < 2; i++) {
        uint32_t cwnd;

        app_write(&p, WRITTEN);
        cwnd = info_of(&p).cwnd;
        if (i == 0) /* the initial window is ten segments, whatever fits in them: 5681 3.1 */
            cwnd = cwnd / 1460 * links[i].mss;
        assert_true(route_on(&p, links[i].mss, &arrived) >= 6);
        assert_int_equal(info_of(&p).mss, links[i].mss);
        assert_int_equal(info_of(&p).cwnd, cwnd);
        assert_int_equal(info_of(&p).ssthresh, UINT32_MAX);
        assert_int_equal(route_on(&p, links[i].mss, &arrived), 0);
        assert_int_equal(arrived, links[i].segments);
        resent += (uint64_t)links[i].segments;
        inject(&p, .flags = ACK, .seq = 1, .ack = 1 + p.written);
        app_write(&p, WRITTEN);
        assert_int_equal(route_on(&p, links[i].mss, &arrived), 0);
        assert_int_equal(arrived, links[i].segments);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1 + p.written);
    }
    expect_stat(&p, "TcpRetransSegs", resent);
    expect_stat(&p, "TcpExtTCPFastRetrans", resent);
    peer_end(&p);
}

TEST(the_peers_mss_holds_whatever_the_path_takes) /* REQ:1191-6.4-2 REQ:8201-5.4-1 */
{
    static const struct {
        uint16_t peer;
        uint32_t path, want;
    } rows[] = {{500, 1300, 500}, {1300, 1260, 1260}, {1250, 1260, 1250}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer first = established(.mss = 1460), p = peer_other(&first, 5000);
        int arrived;

        app_write(&first, 1460);
        assert_int_equal(route_on(&first, rows[i].path, &arrived), 1);
        route_on(&first, rows[i].path, &arrived);
        inject(&p, .flags = SYN, .seq = 0, .mss = rows[i].peer);
        expect(&p, .flags = SYN | ACK, .seq = 0);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1);
        app_accept(&p);
        app_write(&p, 3 * rows[i].want);
        for (uint32_t k = 0; k < 3; k++)
            expect(&p, .flags = ACK, .seq = 1 + k * rows[i].want, .len = rows[i].want);
        peer_forget();
    }
}

/* The estimate is forgotten while text is in flight: that is not sent again for it, and a new
 * connection begins with whole segments. */
TEST(an_estimate_that_ends_has_nothing_sent_again) /* REQ:1191-6.3-2 */
{
    struct peer p = established(.mss = 1460), q = peer_other(&p, 5000);
    int arrived;

    app_write(&p, 1460);
    assert_int_equal(route_on(&p, 1260, &arrived), 1);
    route_on(&p, 1260, &arrived);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1461);
    advance_ms(&p, 600000 - 1);
    app_write(&p, 1260);
    expect(&p, .flags = ACK, .seq = 1461, .len = 1260);
    advance_ms(&p, 100); /* the table forgets; the retransmission timer has 100 ms to go */
    expect_quiet(&p);
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK, .seq = 0);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&q);
    app_write(&q, 1460);
    expect(&q, .flags = ACK, .seq = 1, .len = 1460);
    expect_quiet(&p);
    peer_forget();
}

/* -- what a stream offers, and that it asks the path ------------------------------------------- */

/* To whoever is behind a router: the offer is that of the link, and nothing of it may be cut. */
TEST(the_offer_to_far_peers_is_that_of_the_link) /* REQ:1191-3.1-2 REQ:8200-8.3-1 REQ:1191-3-4 */
{
    static const uint32_t mtus[] = {1280, 1500, 9000};

    for (size_t i = 0; i < 2 * sizeof mtus / sizeof *mtus; i++) {
        struct frames *f = frames_of(.mtu = mtus[i / 2], .has_v6 = true);
        bool is_v6 = i % 2;
        struct weir_sockaddr to = {.addr = is_v6 ? addr6(FAR6) : weir_addr_v4(FAR), .port = 80};
        int s = weir_socket(f->stack, is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
        struct tcp_hdr h;
        struct taken *t;

        assert_int_equal(weir_connect(f->stack, s, &to), -EINPROGRESS);
        t = take(f);
        assert_true(tcp_parse(&h, t->l4, t->l4_len) > 0);
        assert_int_equal(h.opt.mss, mtus[i / 2] - (is_v6 ? 60 : 40));
        assert_int_equal(t->ip.frag, is_v6 ? 0 : IP4_DF);
        weir_abort(f->stack, s);
        frames_end(f);
    }
}

/* -- datagrams --------------------------------------------------------------------------------- */

/* "Too big" about the packet `t`, of its first `quoted` bytes, from a router. */
static const char *too_big(struct frames *f, const struct taken *t, uint32_t mtu, uint32_t quoted)
{
    uint8_t quote[1232];
    uint32_t n = t->len < quoted ? t->len : quoted;

    memcpy(quote, t->bytes, n);
    if (t->is_v6) {
        n = build_icmp6(
            bytes,
            &(struct icmp6_spec){
                .src = "fd00::fe", .type = ICMP6_TOO_BIG, .rest = mtu, .data = quote, .len = n});
        return put6(f, .src = "fd00::fe", .proto = PROTO_ICMP6, .l4 = bytes, .len = n);
    }
    n = build_error(bytes, &(struct error_spec){UNREACHABLE, FRAG, mtu, quote, n});
    return put(f, .src = ROUTER, .proto = PROTO_ICMP, .l4 = bytes, .len = n);
}

struct talk {
    struct frames *f;
    int sock;
    bool is_v6;
};

static struct talk talk_of(bool is_v6)
{
    struct talk k = {.f = frames_of(.mtu = 1500, .has_v6 = true), .is_v6 = is_v6};

    k.sock = is_v6 ? udp6_socket(k.f, 5000) : udp_socket(k.f, 5000);
    return k;
}

/* Bytes of the first packet of a datagram that is too large for one of 1500. */
static uint32_t first_len(struct talk *k, bool is_near)
{
    struct taken *t;
    uint32_t len;

    if (k->is_v6)
        send_pattern6(k->f, k->sock, is_near ? THEM6 : FAR6, 9, 4000);
    else
        send_pattern(k->f, k->sock, is_near ? THEM : FAR, 9, 4000);
    t = take(k->f);
    len = t->len;
    while (take(k->f))
        ;
    return len;
}

static void tell(struct talk *k, bool is_near, uint32_t mtu)
{
    if (k->is_v6)
        send_pattern6(k->f, k->sock, is_near ? THEM6 : FAR6, 9, 1400);
    else
        send_pattern(k->f, k->sock, is_near ? THEM : FAR, 9, 1400);
    assert_null(too_big(k->f, take(k->f), mtu, 1232));
    while (take(k->f))
        ;
}

/* Of one path and not of others, on the link too; a message never raises it; it is tried again
 * after ten minutes, or what net.ipv4.route.mtu_expires says, and never before five. */
/* REQ:8201-3-1 REQ:8201-4-7 REQ:8201-4-8 REQ:8201-5.2-1 REQ:8201-5.3-1 REQ:1191-3-5 */
TEST(an_estimate_is_of_one_path_and_for_ten_minutes)
{
    for (int i = 0; i < 8; i++) {
        struct talk k = talk_of(i & 1);
        bool is_near = i & 2, is_shorter = i & 4;
        int64_t lasts_us = is_shorter ? 300000000ll : 600000000ll;

        if (is_shorter)
            assert_int_equal(weir_knob_set(k.f->stack, "net.ipv4.route.mtu_expires", "300"), 0);
        assert_true(first_len(&k, is_near) > 1480);
        tell(&k, is_near, 1300);
        assert_in_range(first_len(&k, is_near), 1285, 1300);
        assert_true(first_len(&k, !is_near) > 1480);
        tell(&k, is_near, 1400);
        assert_in_range(first_len(&k, is_near), 1285, 1300);
        frames_advance(k.f, lasts_us - 1);
        assert_in_range(first_len(&k, is_near), 1285, 1300);
        frames_advance(k.f, 1);
        assert_true(first_len(&k, is_near) > 1480);
        assert_int_equal(weir_knob_set(k.f->stack, "net.ipv4.route.mtu_expires", "299"), -ERANGE);
        frames_end(k.f);
    }
}

/* Who quotes no packet of ours is not believed: another port, another address, too few bytes. */
TEST(only_a_packet_that_we_sent_is_evidence) /* REQ:8201-4-1 */
{
    for (int i = 0; i < 6; i++) {
        struct talk k = talk_of(i & 1);
        struct taken *t;
        uint8_t *packet;

        if (k.is_v6)
            send_pattern6(k.f, k.sock, FAR6, 9, 1400);
        else
            send_pattern(k.f, k.sock, FAR, 9, 1400);
        t = take(k.f);
        packet = (uint8_t *)(uintptr_t)t->bytes;
        if (i / 2 == 0)
            packet[k.is_v6 ? IP6_LEN : IP4_LEN] ^= 1; /* from port 5256 */
        if (i / 2 == 1)
            packet[k.is_v6 ? 23 : 15] ^= 4; /* from an address that is not ours */
        assert_string_equal(too_big(k.f, t, 1300, i / 2 == 2 ? 44 - (k.is_v6 ? 0 : 20) : 100),
                            i / 2 == 2 ? "icmp_quote" : "icmp_unmatched");
        assert_true(first_len(&k, false) > 1480);
        frames_end(k.f);
    }
}

/* A socket that cuts nothing hears of it, with the MTU, and of which datagram was lost. */
TEST(who_sent_what_was_too_big_is_told) /* REQ:8201-5.2-3 REQ:8201-5.2-2 */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct talk k = talk_of(is_v6);
        int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, on = 1, how = IP_PMTUDISC_DO;
        struct weir_sock_error e;

        weir_setsockopt(k.f->stack, k.sock, level, is_v6 ? IPV6_RECVERR : IP_RECVERR, &on,
                        sizeof on);
        weir_setsockopt(k.f->stack, k.sock, level, is_v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
                        &how, sizeof how);
        tell(&k, false, 1300);
        assert_true(weir_recverr(k.f->stack, k.sock, bytes, sizeof bytes, &e) > 0);
        assert_int_equal(e.error, EMSGSIZE);
        assert_int_equal(e.info, 1300);
        assert_int_equal(e.to.port, 9);
        assert_int_equal(is_v6 ? send_pattern6(k.f, k.sock, FAR6, 9, 1400)
                               : send_pattern(k.f, k.sock, FAR, 9, 1400),
                         -EMSGSIZE);
        frames_end(k.f);
    }
}

/* Routers of before 1990 name no MTU, and those of 4.2BSD count the header twice in what they
 * quote. By either the path is found, and each step is narrower than the last. */
TEST(old_routers_lead_to_the_path_too) /* REQ:1191-5-2 REQ:1191-3-3 */
{
    for (int is_bsd = 0; is_bsd < 2; is_bsd++) {
        struct talk k = talk_of(false);
        uint32_t last = 1501, path = 576;

        for (int told = 0; last > path; told++) {
            struct taken *t;
            uint8_t *packet;

            assert_true(told < 4);
            send_pattern(k.f, k.sock, FAR, 9, last < 1500 ? last - 28 : 1472);
            t = take(k.f);
            assert_true(t->len < last);
            last = t->len;
            packet = (uint8_t *)(uintptr_t)t->bytes;
            if (is_bsd)
                put16(packet + 2, (uint16_t)(t->len + IP4_LEN));
            if (t->len > path)
                assert_null(too_big(k.f, t, 0, 28));
            while (take(k.f))
                ;
        }
        frames_end(k.f);
    }
}

int main(void)
{
    return peer_tests_run("rfc_pmtu");
}
