/* Streams over the host link, publishing, and what the host decides. See gateway_bench.h. */
#define _GNU_SOURCE
#include "gateway_bench.h"

/* A connection from the near stack to a kernel socket: *sock there, *fd here. */
static void connected(int *sock, int *fd)
{
    uint16_t port;
    int listener = kernel_socket(SOCK_STREAM, &port);
    struct weir_sockaddr to = loopback(port);

    *sock = weir_socket(near, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_connect(near, *sock, &to), -EINPROGRESS);
    while (!(ready(*sock) & WEIR_READY_OUT))
        turn();
    assert_int_equal(so_error(*sock), 0);
    while (!((*fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0))
        turn();
    close(listener);
}

static void bytes_and_half_closes_cross_both_ways(void **state)
{
    char text[16] = "";
    int sock;
    int fd;
    ssize_t n;

    (void)state;
    connected(&sock, &fd);
    assert_int_equal(weir_send(near, sock, "hello", 5, 0), 5);
    while (!((n = recv(fd, text, sizeof text, 0)) > 0))
        turn();
    assert_int_equal(n, 5);
    assert_memory_equal(text, "hello", 5);
    assert_int_equal(weir_shutdown(near, sock, SHUT_WR), 0);
    while (!((n = recv(fd, text, sizeof text, 0)) >= 0))
        turn();
    assert_int_equal(n, 0);
    assert_int_equal(send(fd, "still here", 10, 0), 10); /* the other half is open */
    while (!((n = weir_recv(near, sock, text, sizeof text, 0)) > 0))
        turn();
    assert_int_equal(n, 10);
    close(fd);
    while (!((n = weir_recv(near, sock, text, sizeof text, 0)) >= 0))
        turn();
    assert_int_equal(n, 0);
    weir_close(near, sock);
}

static void both_ends_show_the_same_four_numbers(void **state)
{
    struct weir_sockaddr own;
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    int sock;
    int fd;

    (void)state;
    connected(&sock, &fd);
    assert_int_equal(weir_getsockname(near, sock, &own), 0);
    assert_int_equal(getpeername(fd, (void *)&peer, &len), 0);
    assert_int_equal(ntohs(peer.sin_port), own.port);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), weir_addr_to_v4(&own.addr));
    weir_close(near, sock);
    close(fd);
}

static void a_refusal_is_a_refusal(void **state)
{
    uint16_t port;
    int fd = kernel_socket(SOCK_STREAM, &port);
    struct weir_sockaddr to = loopback(port);
    struct weir_gateway_stats s;
    int sock = weir_socket(near, AF_INET, SOCK_STREAM, 0);

    (void)state;
    close(fd);
    assert_int_equal(weir_connect(near, sock, &to), -EINPROGRESS);
    while (!(ready(sock) & WEIR_READY_ERR))
        turn();
    assert_int_equal(so_error(sock), ECONNREFUSED);
    weir_gateway_stats(host, &s);
    assert_int_equal(s.refused, 1);
    assert_int_equal(s.opened, 0);
    weir_close(near, sock);
}

static void a_reset_by_the_host_keeps_the_bytes_before_it(void **state)
{
    struct linger now = {1, 0};
    char text[16];
    ssize_t n;
    int sock;
    int fd;

    (void)state;
    connected(&sock, &fd);
    assert_int_equal(send(fd, "last word", 9, 0), 9);
    while (!((n = weir_recv(near, sock, text, sizeof text, MSG_PEEK)) > 0))
        turn();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    while (!(ready(sock) & WEIR_READY_ERR))
        turn();
    assert_int_equal(so_error(sock), ECONNRESET);
    weir_close(near, sock);
}

static void an_abort_resets_the_host(void **state)
{
    char text[16];
    ssize_t n;
    int sock;
    int fd;

    (void)state;
    connected(&sock, &fd);
    weir_abort(near, sock);
    while (!((n = recv(fd, text, sizeof text, 0)) >= 0 || errno != EAGAIN))
        turn();
    assert_int_equal(n, -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
}

#define MUCH (8 << 20)

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + i / 997);
}

static void much_data_crosses_exactly(void **state)
{
    static uint8_t chunk[65536];
    size_t sent = 0;
    size_t got = 0;
    int sock;
    int fd;

    (void)state;
    connected(&sock, &fd);
    while (got < MUCH) {
        size_t want = MUCH - sent < sizeof chunk ? MUCH - sent : sizeof chunk;
        ssize_t n;
        for (size_t i = 0; i < want; i++)
            chunk[i] = pattern(sent + i);
        n = want ? weir_send(near, sock, chunk, want, 0) : 0;
        sent += n > 0 ? (size_t)n : 0;
        turn();
        while ((n = recv(fd, chunk, sizeof chunk, 0)) > 0)
            for (ssize_t i = 0; i < n; i++)
                assert_int_equal(chunk[i], pattern(got++));
    }
    weir_close(near, sock);
    close(fd);
}

static void a_reader_that_rests_stops_the_host(void **state)
{
    static uint8_t chunk[65536];
    size_t sent = 0;
    size_t got = 0;
    int idle = 0;
    int sock;
    int fd;

    (void)state;
    connected(&sock, &fd);
    while (idle < 200 && sent < (256u << 20)) { /* nobody reads at the near end */
        ssize_t n = send(fd, chunk, sizeof chunk, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        turn();
    }
    assert_true(sent < (64u << 20));
    shutdown(fd, SHUT_WR);
    while (got < sent) {
        ssize_t n;
        while ((n = weir_recv(near, sock, chunk, sizeof chunk, 0)) > 0)
            got += (size_t)n;
        turn();
    }
    close(fd);
    weir_close(near, sock);
}

static void a_published_port_shows_the_callers_address(void **state)
{
    struct weir_sockaddr host_side = loopback(0);
    struct weir_sockaddr stack_side = loopback(8080);
    struct weir_sockaddr peer;
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    char text[16];
    ssize_t n;
    int handle = weir_gateway_publish(host, SOCK_STREAM, &host_side, &stack_side);
    int listener = weir_socket(near, AF_INET, SOCK_STREAM, 0);
    int sock;
    int fd;

    (void)state;
    assert_true(handle >= 0);
    assert_true(host_side.port > 0);
    assert_int_equal(weir_bind(near, listener, &stack_side), 0);
    assert_int_equal(weir_listen(near, listener, 5), 0);
    fd = kernel_connect(SOCK_STREAM, host_side.port);
    while (!((sock = weir_accept(near, listener, &peer)) >= 0))
        turn();
    assert_int_equal(getsockname(fd, (void *)&own, &len), 0);
    assert_int_equal(peer.port, ntohs(own.sin_port));
    assert_int_equal(weir_addr_to_v4(&peer.addr), 0x7f000001);
    assert_int_equal(send(fd, "GET", 3, 0), 3);
    while (!((n = weir_recv(near, sock, text, sizeof text, 0)) > 0))
        turn();
    assert_int_equal(n, 3);
    assert_int_equal(weir_gateway_publish(host, SOCK_STREAM, &host_side, &stack_side), -EADDRINUSE);
    assert_int_equal(weir_gateway_unpublish(host, handle), 0);
    assert_int_equal(weir_gateway_unpublish(host, handle), -ENOENT);
    assert_int_equal(weir_send(near, sock, "200", 3, 0), 3); /* it lives on */
    while (!((n = recv(fd, text, sizeof text, 0)) > 0))
        turn();
    weir_close(near, sock);
    weir_close(near, listener);
    close(fd);
}

static void a_published_port_without_a_listener_resets(void **state)
{
    struct weir_sockaddr host_side = loopback(0);
    struct weir_sockaddr stack_side = loopback(8080);
    char text[16];
    int fd;

    (void)state;
    assert_true(weir_gateway_publish(host, SOCK_STREAM, &host_side, &stack_side) >= 0);
    fd = kernel_connect(SOCK_STREAM, host_side.port);
    while (!(recv(fd, text, sizeof text, 0) >= 0 || errno != EAGAIN))
        turn();
    assert_int_equal(errno, ECONNRESET);
    close(fd);
}

/* Without descriptors the gateway rests instead of spinning; it goes on when there are some. */
static void a_shortage_of_descriptors_passes(void **state)
{
    struct weir_sockaddr host_side = loopback(0);
    struct weir_sockaddr stack_side = loopback(8080);
    struct rlimit old;
    struct rlimit none;
    int listener = weir_socket(near, AF_INET, SOCK_STREAM, 0);
    int sock;
    int fd;

    (void)state;
    assert_true(weir_gateway_publish(host, SOCK_STREAM, &host_side, &stack_side) >= 0);
    assert_int_equal(weir_bind(near, listener, &stack_side), 0);
    assert_int_equal(weir_listen(near, listener, 5), 0);
    fd = kernel_connect(SOCK_STREAM, host_side.port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn();
    assert_true(host->driver->deadline(host) > weir_clock_ns());
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    while (!((sock = weir_accept(near, listener, NULL)) >= 0))
        turn();
    weir_close(near, sock);
    weir_close(near, listener);
    close(fd);
}

static void the_source_is_the_hosts_choice(void **state)
{
    struct weir_sockaddr to = loopback(0);
    struct weir_sockaddr from = {.port = 4711};

    (void)state;
    assert_int_equal(weir_gateway_source(&to, &from), 0);
    assert_int_equal(weir_addr_to_v4(&from.addr), 0x7f000001);
    assert_int_equal(from.port, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(bytes_and_half_closes_cross_both_ways),
        GATEWAY_TEST(both_ends_show_the_same_four_numbers),
        GATEWAY_TEST(a_refusal_is_a_refusal),
        GATEWAY_TEST(a_reset_by_the_host_keeps_the_bytes_before_it),
        GATEWAY_TEST(an_abort_resets_the_host),
        GATEWAY_TEST(much_data_crosses_exactly),
        GATEWAY_TEST(a_reader_that_rests_stops_the_host),
        GATEWAY_TEST(a_published_port_shows_the_callers_address),
        GATEWAY_TEST(a_published_port_without_a_listener_resets),
        GATEWAY_TEST(a_shortage_of_descriptors_passes),
        GATEWAY_TEST(the_source_is_the_hosts_choice),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
