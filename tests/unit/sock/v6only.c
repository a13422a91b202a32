/* A socket at :: hears IPv4 as well, unless IPV6_V6ONLY says otherwise. 3493#5.3 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/sum.h"
#include "support/peer.h"

#define PORT 80

/* Bound to [::]:80, with IPV6_V6ONLY as said. */
static int bound(struct peer *p, int type, int is_v6only)
{
    struct weir_sockaddr any = {.port = PORT};
    int sock = weir_socket(p->stack, AF_INET6, type, 0);

    assert_int_equal(
        weir_setsockopt(p->stack, sock, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6only, sizeof is_v6only),
        0);
    assert_int_equal(weir_bind(p->stack, sock, &any), 0);
    return sock;
}

static struct peer with_listener(int is_v6only)
{
    struct peer p = peer_begin(&(struct peer_config){.mss = 1460});

    p.listener = bound(&p, SOCK_STREAM, is_v6only);
    assert_int_equal(weir_listen(p.stack, p.listener, 5), 0);
    return p;
}

TEST(listener_at_both_answers_ipv4)
{
    struct peer p = with_listener(0);

    inject(&p, .flags = SYN, .seq = 0);
    expect(&p, .flags = SYN | ACK, .ack = 1);
    peer_end(&p);
}

TEST(listener_v6only_resets_ipv4)
{
    struct peer p = with_listener(1);

    inject(&p, .flags = SYN, .seq = 0, .drop = "tcp_no_socket");
    expect(&p, .flags = RST | ACK, .ack = 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(ipv4_half_of_the_port_is_another_listener_s)
{
    struct peer p = with_listener(1);
    struct weir_sockaddr any = {.addr = weir_addr_v4(0), .port = PORT};
    int four = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);

    assert_int_equal(weir_bind(p.stack, four, &any), 0);
    assert_int_equal(weir_listen(p.stack, four, 5), 0);
    inject(&p, .flags = SYN, .seq = 0);
    expect(&p, .flags = SYN | ACK, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(weir_accept(p.stack, p.listener, NULL), -EAGAIN);
    assert_true(weir_accept(p.stack, four, NULL) >= 0);
    peer_end(&p);
}

/* An IPv4 datagram to the port. Bytes that the socket then has, or -EAGAIN. */
static ssize_t datagram(struct peer *p, int sock)
{
    uint8_t b[IP4_LEN + UDP_LEN + 4] = {0};
    struct ip4 ip = {.hdr_len = IP4_LEN,
                     .ttl = 64,
                     .proto = PROTO_UDP,
                     .src = 0x0a000002,
                     .dst = 0x0a000001,
                     .total_len = sizeof b};
    struct udp udp = {.sport = 4000, .dport = PORT, .len = UDP_LEN + 4};
    struct weir_frame f = {.parts = 1, .part = {{b, sizeof b}}, .flags = WEIR_CSUM_VALID};

    ip4_emit(b, &ip);
    udp_emit(b + IP4_LEN, &udp);
    weir_input(p->stack, 1, &f, 1, peer_now_ms(p) * 1000000);
    return weir_recv(p->stack, sock, b, sizeof b, 0);
}

TEST(datagrams_of_ipv4_are_left_alone_too)
{
    struct peer p = peer_begin(&(struct peer_config){.mss = 1460});
    int sock = bound(&p, SOCK_DGRAM, 1);

    assert_int_equal(datagram(&p, sock), -EAGAIN);
    weir_close(p.stack, sock);
    sock = bound(&p, SOCK_DGRAM, 0);
    assert_int_equal(datagram(&p, sock), 4);
    peer_forget(); /* the answer to the first one waits: port unreachable */
}

TEST(once_bound_it_is_too_late) /* Linux: EINVAL */
{
    struct peer p = with_listener(0);
    int one = 1, four = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);

    assert_int_equal(
        weir_setsockopt(p.stack, p.listener, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one), -EINVAL);
    assert_int_equal(weir_setsockopt(p.stack, four, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one),
                     -ENOPROTOOPT);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("v6only");
}
