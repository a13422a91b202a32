/* Options: what is set is read, what is out of bounds changes nothing. */
#include "sock_bench.h"

struct option {
    int level, name;
    int preset, good, bad; /* bad: refused by -EINVAL; equal to good: there is none */
};

static const struct option numbers[] = {
    {IPPROTO_TCP, TCP_NODELAY, 0, 1, 1},
    {IPPROTO_TCP, TCP_CORK, 0, 1, 1},
    {IPPROTO_TCP, TCP_KEEPIDLE, 7200, 32767, 32768},
    {IPPROTO_TCP, TCP_KEEPINTVL, 75, 1, 0},
    {IPPROTO_TCP, TCP_KEEPCNT, 9, 127, 128},
    {IPPROTO_TCP, TCP_SYNCNT, 6, 127, 0},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 30000, -1},
    {IPPROTO_TCP, TCP_LINGER2, 60, 20, 20},
    {SOL_SOCKET, SO_REUSEADDR, 0, 1, 1},
    {SOL_SOCKET, SO_REUSEPORT, 0, 1, 1},
    {SOL_SOCKET, SO_KEEPALIVE, 0, 1, 1},
    {SOL_SOCKET, SO_OOBINLINE, 0, 1, 1},
    {IPPROTO_IP, IP_TOS, 0, 0x10, 0x10},
    {IPPROTO_IP, IP_TTL, 64, 255, 256},
};

static void numbers_are_read_back_and_have_bounds(void **state)
{
    int sock = sock_new(SOCK_STREAM);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        const struct option *o = &numbers[i];
        assert_int_equal(get(sock, o->level, o->name), o->preset);
        assert_int_equal(set(sock, o->level, o->name, o->good), 0);
        assert_int_equal(get(sock, o->level, o->name), o->good);
        if (o->bad == o->good)
            continue;
        assert_int_equal(set(sock, o->level, o->name, o->bad), -EINVAL);
        assert_int_equal(get(sock, o->level, o->name), o->good);
    }
}

static void buffers_are_doubled_as_on_linux(void **state)
{
    int sock;

    (void)state;
    assert_int_equal(weir_knob_set(stack, "net.ipv4.tcp_rmem", "4096 70000 6291456"), 0);
    sock = sock_new(SOCK_STREAM);
    assert_int_equal(get(sock, SOL_SOCKET, SO_RCVBUF), 70000);
    assert_int_equal(set(sock, SOL_SOCKET, SO_RCVBUF, 10000), 0);
    assert_int_equal(get(sock, SOL_SOCKET, SO_RCVBUF), 20000);
    assert_int_equal(set(sock, SOL_SOCKET, SO_SNDBUF, 10000), 0);
    assert_int_equal(get(sock, SOL_SOCKET, SO_SNDBUF), 20000);
    assert_int_equal(set(sock, SOL_SOCKET, SO_RCVBUF, 0), 0); /* raised to the least */
    assert_true(get(sock, SOL_SOCKET, SO_RCVBUF) > 0);
}

static void what_a_socket_is_can_be_asked(void **state)
{
    int tcp = sock_new(SOCK_STREAM), udp = sock_new(SOCK_DGRAM);

    (void)state;
    assert_int_equal(get(tcp, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    assert_int_equal(get(udp, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    assert_int_equal(get(tcp, SOL_SOCKET, SO_DOMAIN), AF_INET);
    assert_int_equal(get(tcp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    assert_int_equal(get(tcp, SOL_SOCKET, SO_ACCEPTCONN), 0);
    assert_int_equal(weir_listen(stack, tcp, 1), 0);
    assert_int_equal(get(tcp, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(get(tcp, SOL_SOCKET, SO_ERROR), 0);
}

static void linger_is_two_numbers(void **state)
{
    int sock = sock_new(SOCK_STREAM);
    struct linger l = {.l_onoff = 1, .l_linger = 7};
    size_t len = sizeof l;

    (void)state;
    assert_int_equal(weir_setsockopt(stack, sock, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    l = (struct linger){0};
    assert_int_equal(weir_getsockopt(stack, sock, SOL_SOCKET, SO_LINGER, &l, &len), 0);
    assert_int_equal(len, sizeof l);
    assert_int_equal(l.l_onoff, 1);
    assert_int_equal(l.l_linger, 7);
}

static void congestion_control_goes_by_name(void **state)
{
    int sock = sock_new(SOCK_STREAM);
    char name[16] = "";
    size_t len = sizeof name;

    (void)state;
    assert_int_equal(weir_setsockopt(stack, sock, IPPROTO_TCP, TCP_CONGESTION, "vegas", 5),
                     -ENOENT);
    assert_int_equal(weir_setsockopt(stack, sock, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
    assert_int_equal(weir_getsockopt(stack, sock, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    assert_string_equal(name, "reno");
}

/* A key, or two; the stack's where the listener has none. The knob says the same bytes by words. */
static void fast_open_keys_are_bytes_as_on_linux(void **state)
{
    static const uint8_t stacks[16] = {4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13};
    uint8_t own[33] = "one key of 16 by and another one", got[40];
    int s = sock_new(SOCK_STREAM);
    size_t len = sizeof got;

    (void)state;
    assert_int_equal(
        weir_knob_set(stack, "net.ipv4.tcp_fastopen_key", "01020304-05060708-090a0b0c-0d0e0f10"),
        0);
    assert_int_equal(weir_getsockopt(stack, s, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len), 0);
    assert_int_equal(len, 16);
    assert_memory_equal(got, stacks, 16);
    for (size_t n = 0; n <= 33; n++)
        if (n != 16 && n != 32)
            assert_int_equal(weir_setsockopt(stack, s, IPPROTO_TCP, TCP_FASTOPEN_KEY, own, n),
                             -EINVAL);
    for (size_t n = 16; n <= 32; n += 16) {
        len = sizeof got;
        assert_int_equal(weir_setsockopt(stack, s, IPPROTO_TCP, TCP_FASTOPEN_KEY, own, n), 0);
        assert_int_equal(weir_getsockopt(stack, s, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len), 0);
        assert_int_equal(len, n);
        assert_memory_equal(got, own, n);
    }
}

static void what_does_not_exist_is_refused(void **state)
{
    int tcp = sock_new(SOCK_STREAM), udp = sock_new(SOCK_DGRAM);
    int value = 0;
    size_t len = sizeof value;

    (void)state;
    assert_int_equal(set(tcp, SOL_SOCKET, 9999, 1), -ENOPROTOOPT);
    assert_int_equal(set(tcp, 9999, 1, 1), -ENOPROTOOPT);
    assert_int_equal(set(udp, IPPROTO_TCP, TCP_NODELAY, 1), -ENOPROTOOPT);
    assert_int_equal(set(tcp, IPPROTO_IPV6, IPV6_V6ONLY, 1), -ENOPROTOOPT);
    assert_int_equal(weir_getsockopt(stack, udp, IPPROTO_TCP, TCP_NODELAY, &value, &len),
                     -EOPNOTSUPP);
    assert_int_equal(set(77, SOL_SOCKET, SO_REUSEADDR, 1), -EBADF);
    assert_int_equal(weir_setsockopt(stack, tcp, IPPROTO_TCP, TCP_NODELAY, &value, 2), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_read_back_and_have_bounds), TEST(buffers_are_doubled_as_on_linux),
        TEST(what_a_socket_is_can_be_asked),         TEST(linger_is_two_numbers),
        TEST(fast_open_keys_are_bytes_as_on_linux),  TEST(congestion_control_goes_by_name),
        TEST(what_does_not_exist_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
