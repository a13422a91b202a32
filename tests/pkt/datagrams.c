/* UDP on the wire: checksums, lengths, borders, buffers and their counters. 768, 1122#4.1. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

static uint8_t udp[2000], text[2000];

static uint32_t datagram(uint32_t len)
{
    return build_udp(udp, &(struct udp_spec){.sport = 7, .dport = 5000, .len = len});
}

static const char *put_udp(struct frames *f, uint32_t n)
{
    return put(f, .proto = PROTO_UDP, .tos = 0xb9, .ttl = 33, .l4 = udp, .len = n);
}

static int got(struct frames *f, int sock)
{
    return (int)weir_recv(f->stack, sock, text, sizeof text, 0);
}

TEST(a_wrong_checksum_is_dropped_and_none_is_accepted) /* REQ:1122-4.1.3.4-2 REQ:768-Fields-5
                                                          ROW:130 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    uint32_t n = datagram(101);

    for (uint32_t at = 0; at < n; at++) {
        if (at == 2 || at == 3 || at == 4 || at == 5)
            continue; /* the port and the length say more than that */
        udp[at] ^= 0x10;
        assert_string_equal(put_udp(f, n), "udp_checksum");
        udp[at] ^= 0x10;
    }
    assert_int_equal(frames_stat(f, "UdpInCsumErrors"), n - 4);
    assert_int_equal(frames_stat(f, "UdpInErrors"), n - 4);
    udp[6] = udp[7] = 0;
    assert_null(put_udp(f, n));
    assert_int_equal(got(f, sock), 101);
    assert_true(is_pattern(text, 101));
    frames_end(f);
}

TEST(the_length_is_judged) /* REQ:768-Fields-2 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    uint32_t n = datagram(100);

    udp[6] = udp[7] = 0;
    for (uint32_t len = 0; len < 200; len++) {
        udp[4] = 0;
        udp[5] = (uint8_t)len;
        if (len < UDP_LEN || len > n) {
            assert_string_equal(put_udp(f, n), "udp_len");
            continue;
        }
        assert_null(put_udp(f, n));
        assert_int_equal(got(f, sock), len - UDP_LEN); /* the rest is padding */
    }
    assert_string_equal(put_udp(f, 7), "udp_short");
    frames_end(f);
}

TEST(a_full_buffer_is_counted)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), small = 2048, n = 0;
    struct weir_sock_info info;

    weir_setsockopt(f->stack, sock, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); /* 4,096 */
    for (int i = 0; i < 20; i++)
        put_udp(f, datagram(1000));
    while (got(f, sock) == 1000)
        n++;
    assert_int_equal(n, 3);
    assert_int_equal(frames_stat(f, "UdpRcvbufErrors"), 17);
    assert_int_equal(frames_stat(f, "UdpInErrors"), 17);
    assert_int_equal(frames_stat(f, "UdpInDatagrams"), 3);
    assert_int_equal(weir_info(f->stack, sock, &info), 0);
    assert_int_equal(info.drops, 17);
    frames_end(f);
}

/* The other end, our address that it wrote to, TTL and TOS: what Linux tells by control messages.
 */
/* REQ:768-IPInterface-1 */
/* REQ:1122-3.2.1.6-2 */
TEST(all_that_came_with_a_datagram_can_be_read) /* REQ:1122-4.1.3.5-1 REQ:768-UserInterface-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct weir_sockaddr from;
    struct weir_datagram about;

    assert_null(put_udp(f, datagram(10)));
    assert_int_equal(weir_recvmsg(f->stack, sock, text, sizeof text, 0, &from, &about), 10);
    assert_int_equal(weir_addr_to_v4(&from.addr), THEM);
    assert_int_equal(from.port, 7);
    assert_int_equal(weir_addr_to_v4(&about.local.addr), US);
    assert_int_equal(about.local.port, 5000);
    assert_int_equal(about.local.ifindex, 1);
    assert_int_equal(about.ttl, 33);
    assert_int_equal(about.tos, 0xb9);
    frames_end(f);
}

static int say_with(struct frames *f, int sock, const struct weir_datagram *about)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 7};

    return (int)weir_sendmsg(f->stack, sock, "text", 4, 0, &to, about);
}

/* What the call says goes before what the socket has, for this datagram only. */
TEST(a_datagram_goes_with_what_the_call_says)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), other = udp_socket(f, 0);
    struct taken *t;

    assert_int_equal(say_with(f, sock,
                              &(struct weir_datagram){
                                  .local = {weir_addr_v4(0x0a000063), 99, 1}, .ttl = 9, .tos = 40}),
                     4);
    assert_non_null(t = take(f));
    assert_int_equal(t->ip.src, 0x0a000063);
    assert_int_equal(t->l4[0] << 8 | t->l4[1], 99);
    assert_int_equal(t->ip.ttl, 9);
    assert_int_equal(t->ip.tos, 40);
    assert_int_equal(say_with(f, sock, &(struct weir_datagram){.ttl = -1, .tos = -1}), 4);
    assert_non_null(t = take(f));
    assert_int_equal(t->ip.src, US);
    assert_int_equal(t->l4[0] << 8 | t->l4[1], 5000);
    assert_int_equal(t->ip.ttl, 64);
    assert_int_equal(t->ip.tos, 0);
    assert_int_equal(say_with(f, other, &(struct weir_datagram){.ttl = 7, .tos = -1}), 4);
    assert_non_null(t = take(f)); /* it had no port, and got one */
    assert_int_not_equal(t->l4[0] << 8 | t->l4[1], 0);
    assert_int_equal(t->ip.ttl, 7);
    assert_int_equal(say_with(f, sock, &(struct weir_datagram){.local.ifindex = 77}), -ENODEV);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("datagrams");
}
