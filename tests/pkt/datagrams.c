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
TEST(all_that_came_with_a_datagram_can_be_read) /* REQ:1122-4.1.3.5-1 REQ:768-UserInterface-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), value = -1;
    struct weir_sockaddr from, local;
    size_t len = sizeof value;

    assert_null(put_udp(f, datagram(10)));
    assert_int_equal(weir_recvmsg(f->stack, sock, text, sizeof text, 0, &from, &local), 10);
    assert_int_equal(weir_addr_to_v4(&from.addr), THEM);
    assert_int_equal(from.port, 7);
    assert_int_equal(weir_addr_to_v4(&local.addr), US);
    assert_int_equal(local.port, 5000);
    assert_int_equal(local.ifindex, 1);
    assert_int_equal(weir_getsockopt(f->stack, sock, SOL_WEIR, WEIR_RECV_TTL, &value, &len), 0);
    assert_int_equal(value, 33);
    assert_int_equal(weir_getsockopt(f->stack, sock, SOL_WEIR, WEIR_RECV_TOS, &value, &len), 0);
    assert_int_equal(value, 0xb9);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("datagrams");
}
