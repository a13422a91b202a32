/* Sockets through the public calls, where they differ from what the layers below are asked. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "unit.h"
#include "weir/weir.h"

static struct weir_stack *stack_begin(void)
{
    struct weir_config config = {.seed = {1, 2}};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr host = weir_addr_v4(0x0a000001);
    struct weir_stack *k = weir_new(&config);

    assert_int_equal(weir_iface_add(k, &i), 1);
    assert_int_equal(weir_addr_add(k, 1, &host, 24), 0);
    return k;
}

static int option(struct weir_stack *k, int sock, int name)
{
    int value = -1;
    size_t len = sizeof value;

    assert_int_equal(weir_getsockopt(k, sock, SOL_SOCKET, name, &value, &len), 0);
    return value;
}

static void a_knob_sets_the_buffers_of_datagram_sockets(void **state)
{
    struct weir_stack *k = stack_begin();
    int before = weir_socket(k, AF_INET, SOCK_DGRAM, 0), after;

    (void)state;
    assert_int_equal(weir_knob_set(k, "net.core.rmem_default", "8192"), 0);
    assert_int_equal(weir_knob_set(k, "net.core.wmem_default", "16384"), 0);
    after = weir_socket(k, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(option(k, before, SO_RCVBUF), 212992);
    assert_int_equal(option(k, after, SO_RCVBUF), 8192);
    assert_int_equal(option(k, after, SO_SNDBUF), 16384);
    weir_free(k);
}

static void broadcast_is_switched_on_and_off(void **state)
{
    struct weir_stack *k = stack_begin();
    struct weir_sockaddr all = {.addr = weir_addr_v4(0x0a0000ff), .port = 9};
    int sock = weir_socket(k, AF_INET, SOCK_DGRAM, 0);

    (void)state;
    for (int on = 1; on >= 0; on--) {
        assert_int_equal(weir_setsockopt(k, sock, SOL_SOCKET, SO_BROADCAST, &on, sizeof on), 0);
        assert_int_equal(option(k, sock, SO_BROADCAST), on);
        assert_int_equal(weir_sendto(k, sock, "x", 1, 0, &all), on ? 1 : -EACCES);
    }
    weir_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_knob_sets_the_buffers_of_datagram_sockets),
        cmocka_unit_test(broadcast_is_switched_on_and_off),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
