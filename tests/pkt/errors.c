/* ICMP errors about datagrams: who hears of them, and the error queue. 1122#4.1.3.3, ip(7), udp(7).
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

static void set(struct frames *f, int sock, int name, int value)
{
    assert_int_equal(weir_setsockopt(f->stack, sock, IPPROTO_IP, name, &value, sizeof value), 0);
}

static int connected(struct frames *f)
{
    struct weir_sockaddr to = {.port = 7};
    int sock = udp_socket(f, 5000);

    to.addr = weir_addr_v4(THEM);
    assert_int_equal(weir_connect(f->stack, sock, &to), 0);
    return sock;
}

/* Sends 100 bytes to THEM and has `from` answer with this error, quoting all of it. */
static const char *send_and_fail(struct frames *f, int sock, const struct error_spec *e)
{
    uint8_t message[2000];
    struct error_spec s = *e;
    struct taken *t;

    assert_int_equal(send_pattern(f, sock, THEM, 7, 100), 100);
    t = take(f);
    assert_non_null(t);
    s.packet = t->bytes;
    if (!s.quoted)
        s.quoted = t->len;
    return put(f, .src = ROUTER, .proto = PROTO_ICMP, .l4 = message,
               .len = build_error(message, &s));
}

static int pending(struct frames *f, int sock)
{
    uint8_t byte;

    return (int)weir_recv(f->stack, sock, &byte, 1, 0);
}

/* Type, code, what a program sees, and whether a connected socket hears of it unasked. */
static const struct row {
    uint8_t type, code;
    int error;
    bool is_hard;
} rows[] = {
    {3, 0, ENETUNREACH, false},   {3, 1, EHOSTUNREACH, false},  {3, 2, ENOPROTOOPT, true},
    {3, 3, ECONNREFUSED, true},   {3, 4, EMSGSIZE, true},       {3, 5, EOPNOTSUPP, false},
    {3, 6, ENETUNREACH, true},    {3, 7, EHOSTDOWN, true},      {3, 8, ENONET, true},
    {3, 9, ENETUNREACH, true},    {3, 10, EHOSTUNREACH, true},  {3, 11, ENETUNREACH, false},
    {3, 12, EHOSTUNREACH, false}, {3, 13, EHOSTUNREACH, true},  {3, 14, EHOSTUNREACH, true},
    {3, 15, EHOSTUNREACH, true},  {11, 0, EHOSTUNREACH, false}, {11, 1, EHOSTUNREACH, false},
    {12, 0, EPROTO, true},
};
#define ROWS (int)(sizeof rows / sizeof rows[0])

TEST(a_connected_socket_hears_of_hard_errors) /* REQ:1122-3.2.2.1-2 REQ:1122-4.1.3.3-1 ROW:119 */
{
    for (int i = 0; i < ROWS; i++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = connected(f);
        const struct row *r = &rows[i];

        assert_null(send_and_fail(f, sock, &(struct error_spec){r->type, r->code, .rest = 1000}));
        assert_int_equal(pending(f, sock), r->is_hard ? -r->error : -EAGAIN);
        assert_int_equal(pending(f, sock), -EAGAIN);
        frames_end(f);
    }
}

TEST(an_unconnected_socket_hears_of_none)
{
    for (int i = 0; i < ROWS; i++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = udp_socket(f, 5000);
        const struct row *r = &rows[i];

        assert_null(send_and_fail(f, sock, &(struct error_spec){r->type, r->code, .rest = 1000}));
        assert_int_equal(pending(f, sock), -EAGAIN);
        frames_end(f);
    }
}

TEST(with_ip_recverr_each_error_is_queued)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct weir_sock_error e;
    uint8_t text[200];

    set(f, sock, IP_RECVERR, 1);
    for (int i = 0; i < ROWS; i++) {
        uint32_t quoted = i & 1 ? 28 : 0; /* at least 8 bytes of UDP, at most all */

        if (rows[i].code != 4)
            assert_null(send_and_fail(
                f, sock, &(struct error_spec){rows[i].type, rows[i].code, .quoted = quoted}));
        assert_int_equal(pending(f, sock), rows[i].code == 4 ? -EAGAIN : -rows[i].error);
    }
    assert_true(weir_readiness(f->stack, sock) & WEIR_READY_ERR);
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].code == 4)
            continue;
        assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), i & 1 ? 0 : 100);
        assert_true(is_pattern(text, i & 1 ? 0 : 100));
        assert_int_equal(e.error, rows[i].error);
        assert_int_equal(e.origin, 2);
        assert_int_equal(e.type, rows[i].type);
        assert_int_equal(e.code, rows[i].code);
        assert_int_equal(weir_addr_to_v4(&e.to.addr), THEM);
        assert_int_equal(e.to.port, 7);
        assert_int_equal(weir_addr_to_v4(&e.offender), ROUTER);
    }
    assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), -EAGAIN);
    assert_false(weir_readiness(f->stack, sock) & WEIR_READY_ERR);
    assert_int_equal(pending(f, sock), -EAGAIN); /* read there, it is no more pending here */
    frames_end(f);
}

TEST(the_mtu_can_be_read_from_the_queue)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct weir_sock_error e;
    uint8_t text[200];

    set(f, sock, IP_RECVERR, 1);
    assert_null(send_and_fail(f, sock, &(struct error_spec){3, 4, .rest = 1004}));
    assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), 100);
    assert_int_equal(e.error, EMSGSIZE);
    assert_int_equal(e.info, 1004);
    set(f, sock, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 1200), -EMSGSIZE);
    assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), 0);
    assert_int_equal(e.error, EMSGSIZE);
    assert_int_equal(e.origin, 1);
    assert_int_equal(e.info, 1004);
    frames_end(f);
}

TEST(the_queue_is_bounded_and_forgotten_when_it_is_switched_off)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), small = 2048;
    struct weir_sock_error e;
    uint8_t text[200];
    int n = 0;

    weir_setsockopt(f->stack, sock, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); /* 4,096 */
    set(f, sock, IP_RECVERR, 1);
    for (int i = 0; i < 100; i++) {
        assert_null(send_and_fail(f, sock, &(struct error_spec){.type = 3, .code = 1}));
        pending(f, sock);
    }
    while (weir_recverr(f->stack, sock, text, sizeof text, &e) >= 0)
        n++;
    assert_in_range(n, 10, 40);
    assert_null(send_and_fail(f, sock, &(struct error_spec){.type = 3, .code = 1}));
    set(f, sock, IP_RECVERR, 0);
    assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), -EAGAIN);
    frames_end(f);
}

/* REQ:6633-5-1 */
TEST(errors_that_only_lead_astray_are_ignored) /* REQ:1122-3.2.2-1 */
{
    static const struct {
        uint8_t type, code;
        const char *why;
    } ignored[] = {
        {4, 0, "icmp_ignored"},  {5, 0, "icmp_ignored"}, {5, 1, "icmp_ignored"},
        {3, 16, "icmp_type"},    {99, 0, "icmp_type"},   {13, 0, "icmp_ignored"},
        {17, 0, "icmp_ignored"},
    };

    for (int i = 0; i < (int)(sizeof ignored / sizeof ignored[0]); i++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = connected(f);

        set(f, sock, IP_RECVERR, 1);
        assert_string_equal(
            send_and_fail(f, sock,
                          &(struct error_spec){.type = ignored[i].type, .code = ignored[i].code}),
            ignored[i].why);
        assert_int_equal(pending(f, sock), -EAGAIN);
        assert_null(take(f));
        frames_end(f);
    }
}

/* -- errors of ours ---------------------------------------------------------------------------- */

/* Of a stream: who said it, the last one only, once; and only to who asked. What a connection on
 * its way is told ends nothing. */
TEST(a_stream_hears_who_said_so)
{
    static const struct {
        uint8_t type, code;
        int error;
    } told[] = {{11, 0, EHOSTUNREACH}, {3, 0, ENETUNREACH}, {3, 1, EHOSTUNREACH}};

    for (int asks = 0; asks < 2; asks++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);
        struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 80};
        struct weir_sock_error e;
        uint8_t error[100], text[8];
        struct taken *syn;

        set(f, sock, IP_RECVERR, asks);
        assert_int_equal(weir_connect(f->stack, sock, &to), -EINPROGRESS);
        syn = take(f);
        assert_int_equal(syn->ip.proto, PROTO_TCP);
        for (int i = 0; i < 6; i++) { /* from the third on each overwrites the one before */
            uint32_t n = build_error(error, &(struct error_spec){told[i % 3].type, told[i % 3].code,
                                                                 0, syn->bytes, IP4_LEN + 8});

            assert_null(put(f, .src = ROUTER, .proto = PROTO_ICMP, .l4 = error, .len = n));
            if (i < 3) {
                assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e),
                                 asks ? 0 : -EAGAIN);
                assert_int_equal(pending(f, sock), asks ? -told[i].error : -EAGAIN);
            }
            if (i >= 3 || !asks)
                continue;
            assert_int_equal(e.error, told[i].error);
            assert_int_equal(e.origin, 2);
            assert_int_equal(e.type, told[i].type);
            assert_int_equal(e.code, told[i].code);
            assert_int_equal(weir_addr_to_v4(&e.offender), ROUTER);
            assert_int_equal(weir_addr_to_v4(&e.to.addr), THEM);
            assert_int_equal(e.to.port, 80);
            assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), -EAGAIN);
        }
        assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), asks ? 0 : -EAGAIN);
        assert_int_equal(asks ? e.code : 1, 1);
        assert_int_equal(weir_recverr(f->stack, sock, text, sizeof text, &e), -EAGAIN);
        frames_end(f);
    }
}

/* REQ:792-Unreachable-1 REQ:1122-3.2.2-2 */
TEST(a_closed_port_and_an_unknown_protocol_are_told) /* ROW:132 REQ:1122-3.2.2.1-1
                                                        REQ:1122-4.1.3.1-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    uint8_t udp[700];
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 9, .dport = 5001, .len = 600});
    struct taken *t;

    assert_string_equal(put(f, .proto = PROTO_UDP, .l4 = udp, .len = n), "udp_no_port");
    t = take(f);
    assert_int_equal(t->ip.total_len, 576);
    assert_int_equal(t->l4[0], 3);
    assert_int_equal(t->l4[1], 3);
    assert_memory_equal(t->l4 + ICMP_LEN + IP4_LEN, udp, t->l4_len - ICMP_LEN - IP4_LEN);
    assert_string_equal(put(f, .proto = 99, .l4 = udp, .len = n), "ip_protocol");
    t = take(f);
    assert_int_equal(t->l4[0], 3);
    assert_int_equal(t->l4[1], 2);
    assert_int_equal(frames_stat(f, "UdpNoPorts"), 1);
    frames_end(f);
}

TEST(no_error_is_sent_where_none_may_be) /* REQ:1122-3.2.2-6 REQ:1122-3.2.2-10 */
{
    static uint8_t udp[100], error[200], packet[100];
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 9, .dport = 5001, .len = 50}), m;
    struct frames *f = frames_of(.mtu = 1500);
    struct ip4 h = {
        .hdr_len = IP4_LEN, .ttl = 64, .proto = PROTO_UDP, .total_len = 48, .src = US, .dst = THEM};

    ip4_emit(packet, &h);
    m = build_error(error, &(struct error_spec){3, 3, 0, packet, 48});
    assert_string_equal(put(f, .proto = PROTO_ICMP, .l4 = error, .len = m), "icmp_unmatched");
    build_udp(udp, &(struct udp_spec){.dst = 0x0a0000ff, .sport = 9, .dport = 5001, .len = 50});
    assert_string_equal(put(f, .dst = 0x0a0000ff, .proto = PROTO_UDP, .l4 = udp, .len = n),
                        "udp_no_listener");
    for (uint32_t i = 0; i < 5; i++) {
        static const uint32_t sources[] = {0, 0x7f000001, 0xe0000001, 0xf0000001, 0x0a0000ff};

        put(f, .src = sources[i] ? sources[i] : 1, .proto = 99, .l4 = udp, .len = n);
    }
    assert_null(take(f));
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("errors");
}
