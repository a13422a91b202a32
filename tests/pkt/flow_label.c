/* The flow label of a connection over IPv6, whoever answers for it. RFC 6437, 4987. */
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "frames6.h"

/* A segment of fd00::2 port 4000 to port 80. */
static void put_tcp(struct frames *f, uint8_t flags, uint32_t seq, uint32_t ack)
{
    uint8_t b[20] = {0};
    struct taken t = {
        .ip6 = {.src = addr6(THEM6), .dst = addr6(US6), .next = 6}, .l4 = b, .l4_len = 20};

    put16(b, 4000);
    put16(b + 2, 80);
    put32(b + 4, seq);
    put32(b + 8, ack);
    b[12] = 5 << 4;
    b[13] = flags;
    put16(b + 14, 65535);
    put16(b + 16, sum_of_taken6(&t));
    assert_null(put6(f, .proto = 6, .l4 = b, .len = sizeof b));
}

/* REQ:4987-4-4: the SYN/ACK of an entry, or of a cookie, and what the connection sends then. */
TEST(all_segments_of_a_connection_bear_one_label)
{
    static const char *const cookies[] = {"0", "2"};

    for (int i = 0; i < 2; i++) {
        struct frames *f = frames_of(.has_v6 = true);
        struct weir_sockaddr at = {.port = 80};
        int s = weir_socket(f->stack, AF_INET6, SOCK_STREAM, 0), c;
        struct taken *t;
        uint32_t label, iss;

        assert_int_equal(weir_knob_set(f->stack, "net.ipv4.tcp_syncookies", cookies[i]), 0);
        assert_int_equal(weir_bind(f->stack, s, &at), 0);
        assert_int_equal(weir_listen(f->stack, s, 8), 0);
        put_tcp(f, TCP_SYN, 1000, 0);
        t = take(f);
        assert_non_null(t);
        assert_int_equal(t->l4[13], TCP_SYN | TCP_ACK);
        label = t->ip6.flow;
        iss = get32(t->l4 + 4);
        assert_true(label != 0);
        assert_int_equal(frames_stat(f, "TcpExtSyncookiesSent"), (uint64_t)i);
        put_tcp(f, TCP_ACK, 1001, iss + 1);
        c = weir_accept(f->stack, s, NULL);
        assert_true(c >= 0);
        assert_int_equal(weir_send(f->stack, c, "hello", 5, 0), 5);
        t = take(f);
        assert_non_null(t);
        assert_int_equal(t->l4_len, 25);
        assert_int_equal(t->ip6.flow, label);
        weir_close(f->stack, c);
        weir_close(f->stack, s);
        while (take(f))
            continue;
        frames_end(f);
    }
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
