/* The packet-test language: beginnings, and the program that uses the socket. See peer.h.
 *
 * Knows: the public interface. Shape: a stack, a listener at port 80 or a socket that connects.
 * Units: bytes. Errors: a failure ends the test. Cost: none that matters. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "peer_net.h"

#define STACK_PORT 80

void app_option(struct peer *p, int level, int name, int value)
{
    int sock = p->sock >= 0 ? p->sock : p->listener;

    assert_int_equal(weir_setsockopt(p->stack, sock, level, name, &value, sizeof value), 0);
}

struct peer peer_listening(const struct peer_config *c)
{
    struct weir_sockaddr at = {.addr = peer_addr(true), .port = STACK_PORT};
    struct peer p = peer_begin(c);

    p.listener = weir_socket(p.stack, peer_is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (c->rcvbuf)
        app_option(&p, SOL_SOCKET, SO_RCVBUF, (int)c->rcvbuf);
    if (c->is_shared)
        app_option(&p, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(weir_bind(p.stack, p.listener, &at), 0);
    assert_int_equal(weir_listen(p.stack, p.listener, c->backlog ? c->backlog : 8), 0);
    return p;
}

struct peer peer_connecting(const struct peer_config *c)
{
    struct peer p = peer_begin(c);
    struct weir_sockaddr to = {.addr = peer_addr(false), .port = p.port};

    p.sock = weir_socket(p.stack, peer_is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (c->rcvbuf)
        app_option(&p, SOL_SOCKET, SO_RCVBUF, (int)c->rcvbuf);
    if (c->is_shared)
        app_option(&p, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(weir_connect(p.stack, p.sock, &to), -EINPROGRESS);
    expect(&p, .flags = SYN, .seq = 0, .len = 0);
    return p;
}

struct peer peer_established(const struct peer_config *c)
{
    struct peer p = c->is_active ? peer_connecting(c) : peer_listening(c);
    uint16_t mss = c->mss ? c->mss : 1460;

    p.has_ts = c->has_ts;
    inject(&p, .flags = c->is_active ? SYN | ACK : SYN, .seq = 0, .ack = 1, .mss = mss,
           .sack_ok = c->sack_ok, .wscale = c->wscale, .wnd = c->wnd, .has_ts = c->has_ts,
           .tsval = c->has_ts ? 1000 : 0);
    if (c->is_active) {
        expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 0);
    } else {
        expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .len = 0);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = c->wnd, .tsval = c->has_ts ? 1001 : 0);
        app_accept(&p);
    }
    expect_state(&p, WEIR_ESTABLISHED);
    return p;
}

void app_accept(struct peer *p)
{
    p->sock = weir_accept(p->stack, p->listener, NULL);
    assert_true(p->sock >= 0);
}

void app_write(struct peer *p, uint32_t n)
{
    uint8_t data[65536];

    assert_true(n <= sizeof data);
    for (uint32_t i = 0; i < n; i++)
        data[i] = peer_byte(true, 1 + p->written + i);
    assert_int_equal(weir_send(p->stack, p->sock, data, n, 0), n);
    p->written += n;
}

void app_read(struct peer *p, uint32_t n)
{
    uint8_t data[65536];

    assert_true(n <= sizeof data);
    assert_int_equal(weir_recv(p->stack, p->sock, data, n, 0), n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(data[i], peer_byte(false, 1 + p->read + i));
    p->read += n;
}

void app_read_error(struct peer *p, int error)
{
    uint8_t byte;

    assert_int_equal(weir_recv(p->stack, p->sock, &byte, 1, 0), -error);
}

void app_close(struct peer *p)
{
    assert_int_equal(weir_close(p->stack, p->sock), 0);
    p->sock = -1;
}

void app_shut_write(struct peer *p)
{
    assert_int_equal(weir_shutdown(p->stack, p->sock, SHUT_WR), 0);
}

int app_error(struct peer *p)
{
    int error = 0;
    size_t len = sizeof error;

    assert_int_equal(weir_getsockopt(p->stack, p->sock, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    return error;
}
