/* Datagrams over the host link, and what came of them. See gateway_bench.h. */
#define _GNU_SOURCE
#include "gateway_bench.h"

static void datagrams_find_their_way_back(void **state)
{
    uint16_t port;
    int fd = kernel_socket(SOCK_DGRAM, &port);
    struct weir_sockaddr to = loopback(port);
    struct weir_sockaddr from;
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    char text[16];
    ssize_t n;
    int sock = weir_socket(near, AF_INET, SOCK_DGRAM, 0);

    (void)state;
    assert_int_equal(weir_sendto(near, sock, "ping", 4, 0, &to), 4);
    while (!((n = recvfrom(fd, text, sizeof text, 0, (void *)&peer, &len)) >= 0))
        turn();
    assert_int_equal(n, 4);
    assert_int_equal(sendto(fd, "pong!", 5, 0, (void *)&peer, len), 5);
    while (!((n = weir_recvfrom(near, sock, text, sizeof text, 0, &from)) >= 0))
        turn();
    assert_int_equal(n, 5);
    assert_int_equal(from.port, port);
    weir_close(near, sock);
    close(fd);
}

static void a_refused_datagram_is_a_refusal(void **state)
{
    uint16_t port;
    int fd = kernel_socket(SOCK_DGRAM, &port), error;
    struct weir_sockaddr to = loopback(port);
    int sock = weir_socket(near, AF_INET, SOCK_DGRAM, 0);

    (void)state;
    close(fd); /* nobody is there any more */
    assert_int_equal(weir_connect(near, sock, &to), 0);
    assert_int_equal(weir_send(near, sock, "ping", 4, 0), 4);
    while (!(error = so_error(sock)))
        turn();
    assert_int_equal(error, ECONNREFUSED);
    weir_close(near, sock);
}

static void set_option(int sock, int name, int value)
{
    assert_int_equal(weir_setsockopt(near, sock, IPPROTO_IP, name, &value, sizeof value), 0);
}

/* What the kernel says of the datagram that it has: TTL and TOS. */
static void receive_hops(int fd, struct sockaddr_in *from, int *ttl, int *tos)
{
    char text[16], control[200];
    struct iovec iov = {text, sizeof text};
    struct msghdr m = {.msg_name = from,
                       .msg_namelen = sizeof *from,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};

    while (!(recvmsg(fd, &m, 0) >= 0))
        turn();
    *ttl = *tos = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_type == IP_TTL)
            memcpy(ttl, CMSG_DATA(c), sizeof *ttl);
        else if (c->cmsg_type == IP_TOS)
            *tos = *CMSG_DATA(c);
    }
}

/* By a socket of its own for each peer, and by a published one. */
static void ttl_and_tos_cross_both_ways(void **state)
{
    struct weir_sockaddr host_side = loopback(0), stack_side = loopback(5353);
    int on = 1, nine = 9, low_delay = 0x10;

    (void)state;
    assert_true(weir_gateway_publish(host, SOCK_DGRAM, &host_side, &stack_side) >= 0);
    for (int is_published = 0; is_published < 2; is_published++) {
        uint16_t port;
        int fd = kernel_socket(SOCK_DGRAM, &port), ttl, tos;
        int sock = weir_socket(near, AF_INET, SOCK_DGRAM, 0);
        struct weir_sockaddr to = loopback(port);
        struct weir_datagram about;
        struct sockaddr_in from;
        char text[16];

        setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
        setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
        setsockopt(fd, IPPROTO_IP, IP_TTL, &nine, sizeof nine);
        setsockopt(fd, IPPROTO_IP, IP_TOS, &low_delay, sizeof low_delay);
        if (is_published)
            assert_int_equal(weir_bind(near, sock, &stack_side), 0);
        assert_int_equal(weir_sendto(near, sock, "preset", 6, 0, &to), 6);
        receive_hops(fd, &from, &ttl, &tos);
        assert_int_equal(tos, 0);
        set_option(sock, IP_TTL, 7);
        set_option(sock, IP_TOS, 0xba); /* its last two bits are ECN's: CE would be too late */
        assert_int_equal(weir_sendto(near, sock, "hello", 5, 0, &to), 5);
        receive_hops(fd, &from, &ttl, &tos);
        assert_int_equal(ttl, 7);
        assert_int_equal(tos, 0xba);
        assert_int_equal(sendto(fd, "back", 4, 0, (void *)&from, sizeof from), 4);
        while (!(weir_recvmsg(near, sock, text, sizeof text, 0, NULL, &about) >= 0))
            turn();
        assert_int_equal(about.ttl, 9);
        assert_int_equal(about.tos, 0x10);
        weir_close(near, sock);
        close(fd);
    }
}

/* And none ends the way: what is sent next goes as the first did. */
static void icmp_errors_come_back_with_what_they_say(void **state)
{
    struct weir_sockaddr host_side = loopback(0), stack_side = loopback(5353);

    (void)state;
    assert_true(weir_gateway_publish(host, SOCK_DGRAM, &host_side, &stack_side) >= 0);
    for (int is_published = 0; is_published < 2; is_published++) {
        uint16_t port;
        int fd = kernel_socket(SOCK_DGRAM, &port);
        int sock = weir_socket(near, AF_INET, SOCK_DGRAM, 0);
        struct weir_sockaddr to = loopback(port);
        struct weir_sock_error e;
        char text[16];
        ssize_t n;

        close(fd); /* nobody is there any more */
        set_option(sock, IP_RECVERR, 1);
        if (is_published)
            assert_int_equal(weir_bind(near, sock, &stack_side), 0);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(weir_sendto(near, sock, "anybody?", 8, 0, &to), 8);
            while (!((n = weir_recverr(near, sock, text, sizeof text, &e)) >= 0))
                turn();
            assert_int_equal(n, 8);
            assert_memory_equal(text, "anybody?", 8);
            assert_int_equal(e.error, ECONNREFUSED);
            assert_int_equal(e.type, 3);
            assert_int_equal(e.code, 3);
            assert_int_equal(e.to.port, port);
            assert_int_equal(weir_addr_to_v4(&e.offender), 0x7f000001);
            so_error(sock);
        }
        weir_close(near, sock);
    }
}

static void a_published_datagram_port_answers_from_itself(void **state)
{
    struct weir_sockaddr host_side = loopback(0);
    struct weir_sockaddr stack_side = loopback(5353);
    struct weir_sockaddr from;
    char text[16];
    ssize_t n;
    int sock = weir_socket(near, AF_INET, SOCK_DGRAM, 0);
    int fd;

    (void)state;
    assert_true(weir_gateway_publish(host, SOCK_DGRAM, &host_side, &stack_side) >= 0);
    assert_int_equal(weir_bind(near, sock, &stack_side), 0);
    fd = kernel_connect(SOCK_DGRAM, host_side.port); /* connected: takes answers from there only */
    assert_int_equal(send(fd, "query", 5, 0), 5);
    while (!((n = weir_recvfrom(near, sock, text, sizeof text, 0, &from)) >= 0))
        turn();
    assert_int_equal(n, 5);
    assert_int_equal(weir_sendto(near, sock, "reply", 5, 0, &from), 5);
    while (!((n = recv(fd, text, sizeof text, 0)) >= 0))
        turn();
    assert_int_equal(n, 5);
    weir_close(near, sock);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(datagrams_find_their_way_back),
        GATEWAY_TEST(a_refused_datagram_is_a_refusal),
        GATEWAY_TEST(ttl_and_tos_cross_both_ways),
        GATEWAY_TEST(icmp_errors_come_back_with_what_they_say),
        GATEWAY_TEST(a_published_datagram_port_answers_from_itself),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gateway_udp", tests, NULL, NULL);
}
