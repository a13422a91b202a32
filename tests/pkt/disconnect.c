/* connect() to AF_UNSPEC, weir_disconnect: what stood is aborted, the socket is new but for what
 * its user wished. Linux's behaviour; RFC 9293 section 3.10.5 for the RST. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "support/peer.h"

#define PEER 0x0a000002u

static struct weir_sockaddr name_of(const struct peer *p)
{
    struct weir_sockaddr name;

    assert_int_equal(weir_getsockname(p->stack, p->sock, &name), 0);
    return name;
}

static int connect_to_peer(const struct peer *p)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(PEER), .port = 80};

    return weir_connect(p->stack, p->sock, &to);
}

TEST(a_connection_is_aborted)
{
    struct peer p = established(0);
    struct weir_sockaddr peer;

    assert_int_equal(weir_disconnect(p.stack, p.sock), 0);
    expect(&p, .flags = RST | ACK, .seq = 1, .ack = 1);
    assert_int_equal(weir_getpeername(p.stack, p.sock, &peer), -ENOTCONN);
    assert_int_equal(weir_send(p.stack, p.sock, "x", 1, 0), -EPIPE);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(it_connects_again_with_its_options)
{
    struct peer p = connecting(0);
    struct weir_sock_info info;
    int on = 1, ttl = 0;
    size_t len = sizeof ttl;

    weir_setsockopt(p.stack, p.sock, IPPROTO_IP, IP_TTL, &(int){9}, sizeof(int));
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    inject(&p, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(app_error(&p), ECONNREFUSED);
    assert_int_equal(weir_disconnect(p.stack, p.sock), 0);
    expect_quiet(&p);
    assert_int_equal(name_of(&p).port, 0);
    weir_getsockopt(p.stack, p.sock, IPPROTO_IP, IP_TTL, &ttl, &len);
    assert_int_equal(ttl, 9);
    assert_int_equal(connect_to_peer(&p), -EINPROGRESS);
    assert_int_equal(weir_info(p.stack, p.sock, &info), 0);
    assert_int_equal(info.state, WEIR_SYN_SENT);
    peer_forget();
}

TEST(a_port_that_was_named_stays)
{
    struct peer p = begin(0);
    struct weir_sockaddr at = {.addr = weir_addr_v4(0), .port = 7777};

    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(p.stack, p.sock, &at), 0);
    assert_int_equal(weir_listen(p.stack, p.sock, 1), 0);
    assert_int_equal(weir_disconnect(p.stack, p.sock), 0);
    assert_int_equal(name_of(&p).port, 7777);
    assert_int_equal(weir_accept(p.stack, p.sock, NULL), -EINVAL);
    assert_int_equal(weir_listen(p.stack, p.sock, 1), 0);
    peer_forget();
}

TEST(a_port_that_was_chosen_goes)
{
    struct peer p = begin(0);
    struct weir_sockaddr at = {.addr = weir_addr_v4(0), .port = 0};

    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(p.stack, p.sock, &at), 0);
    assert_true(name_of(&p).port > 0);
    assert_int_equal(weir_disconnect(p.stack, p.sock), 0);
    assert_int_equal(name_of(&p).port, 0);
    peer_end(&p);
}

TEST(a_datagram_socket_hears_everyone_again)
{
    struct peer p = begin(0);
    struct weir_sockaddr to = {.addr = weir_addr_v4(PEER), .port = 53}, peer;

    p.sock = weir_socket(p.stack, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(weir_disconnect(p.stack, p.sock), 0);
    assert_int_equal(weir_connect(p.stack, p.sock, &to), 0);
    assert_int_equal(weir_getpeername(p.stack, p.sock, &peer), 0);
    assert_true(name_of(&p).port > 0);
    assert_int_equal(weir_disconnect(p.stack, p.sock), 0);
    assert_int_equal(weir_getpeername(p.stack, p.sock, &peer), -ENOTCONN);
    assert_int_equal(name_of(&p).port, 0);
    assert_int_equal(weir_send(p.stack, p.sock, "x", 1, 0), -EDESTADDRREQ);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("disconnect");
}
