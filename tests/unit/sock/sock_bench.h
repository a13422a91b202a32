/* A stack with two addresses and no peer, for unit tests of src/sock through the public calls. */
#ifndef UNIT_SOCK_SOCK_BENCH_H
#define UNIT_SOCK_SOCK_BENCH_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "unit.h"
#include "weir/weir.h"

#define HOST 0x0a000001u
#define OTHER 0x0a000009u

static struct weir_stack *stack;

static UNUSED int setup(void **state)
{
    struct weir_config c = {.seed = {1, 2}};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr host = weir_addr_v4(HOST), other = weir_addr_v4(OTHER);

    (void)state;
    stack = weir_new(&c);
    assert_int_equal(weir_iface_add(stack, &i), 1);
    assert_int_equal(weir_addr_add(stack, 1, &host, 24), 0);
    assert_int_equal(weir_addr_add(stack, 1, &other, 24), 0);
    return 0;
}

static UNUSED int teardown(void **state)
{
    (void)state;
    weir_free(stack);
    return 0;
}

static UNUSED int sock_new(int type)
{
    int sock = weir_socket(stack, AF_INET, type, 0);

    assert_true(sock >= 0);
    return sock;
}

static UNUSED int set(int sock, int level, int name, int value)
{
    return weir_setsockopt(stack, sock, level, name, &value, sizeof value);
}

static UNUSED int get(int sock, int level, int name)
{
    int value = -1;
    size_t len = sizeof value;

    assert_int_equal(weir_getsockopt(stack, sock, level, name, &value, &len), 0);
    assert_int_equal(len, sizeof value);
    return value;
}

static UNUSED int bind_to(int sock, uint32_t addr, uint16_t port)
{
    struct weir_sockaddr at = {.addr = weir_addr_v4(addr), .port = port};

    return weir_bind(stack, sock, &at);
}

static UNUSED uint16_t port_of(int sock)
{
    struct weir_sockaddr at;

    assert_int_equal(weir_getsockname(stack, sock, &at), 0);
    return at.port;
}

static UNUSED int connect_to(int sock, uint32_t addr, uint16_t port)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(addr), .port = port};

    return weir_connect(stack, sock, &to);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
