/* The host link on a bench: a near stack that speaks with kernel sockets of this very process, over
 * 127.0.0.1. Real time and real descriptors; each wait ends with the event, or fails after ten
 * seconds. Everything is static: include it, link nothing. */
#ifndef GATEWAY_BENCH_H
#define GATEWAY_BENCH_H

#include "fake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/gateway.h>

static struct weir_link *host;
static struct weir_stack *near;
static int64_t give_up_at; /* of the running test */

static struct weir_sockaddr loopback(uint16_t port)
{
    return (struct weir_sockaddr){.addr = weir_addr_v4(0x7f000001), .port = port};
}

static inline int set_up(void **state)
{
    struct weir_gateway_config g = {.seed = {1, 2}, .now_ns = weir_clock_ns()};
    struct weir_config c = {.seed = {3, 4}, .now_ns = g.now_ns};
    struct weir_addr any = weir_addr_v4(0);
    struct weir_addr own = weir_addr_v4(0x7f000001);
    char error[200] = "";

    (void)state;
    give_up_at = g.now_ns + 10000 * MS;
    host = weir_gateway_open(&g, error, sizeof error);
    if (!host)
        fail_msg("%s", error);
    near = weir_new(&c);
    assert_non_null(near);
    assert_int_equal(weir_iface_add(near, &host->iface), 1);
    assert_int_equal(weir_addr_add(near, 1, &own, 32), 0);
    assert_int_equal(weir_route_add(near, &any, 0, NULL, 1, 0), 0);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    weir_link_close(host);
    weir_free(near);
    return 0;
}

/* Lets both stacks and the kernel move a little. */
static inline void turn(void)
{
    struct pollfd p = {host->driver->fd(host), POLLIN, 0};
    int64_t now = weir_clock_ns();

    if (now > give_up_at)
        fail_msg("nothing happened for ten seconds");
    assert_true(weir_link_pump(host, near, 1, now, 64) >= 0);
    poll(&p, 1, 1);
}

static inline int kernel_socket(int type, uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (void *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static inline int kernel_connect(int type, uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    assert_true(connect(fd, (void *)&a, sizeof a) == 0 || errno == EINPROGRESS);
    return fd;
}

static inline int ready(int sock)
{
    return weir_readiness(near, sock);
}

static inline int so_error(int sock)
{
    int error = 0;
    size_t len = sizeof error;

    weir_getsockopt(near, sock, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

#define GATEWAY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
