/* Who may bind where, and which port one gets that names none. */
#include "sock_bench.h"

#define PEER 0x0a000002u

static void one_end_is_bound_once(void **state)
{
    int a = sock_new(SOCK_STREAM), b = sock_new(SOCK_STREAM), u = sock_new(SOCK_DGRAM);

    (void)state;
    assert_int_equal(bind_to(a, HOST, 80), 0);
    assert_int_equal(bind_to(a, HOST, 81), -EINVAL); /* bound already */
    assert_int_equal(bind_to(b, HOST, 80), -EADDRINUSE);
    assert_int_equal(bind_to(b, 0, 80), -EADDRINUSE); /* any address is this one too */
    assert_int_equal(bind_to(b, OTHER, 80), 0);
    assert_int_equal(bind_to(u, HOST, 80), 0); /* UDP counts apart */
}

static void a_closed_socket_gives_its_port_back(void **state)
{
    int a = sock_new(SOCK_STREAM), b = sock_new(SOCK_STREAM);

    (void)state;
    assert_int_equal(bind_to(a, 0, 80), 0);
    assert_int_equal(weir_close(stack, a), 0);
    assert_int_equal(bind_to(b, HOST, 80), 0);
}

static void only_our_addresses_are_bound(void **state)
{
    int a = sock_new(SOCK_STREAM);

    (void)state;
    assert_int_equal(bind_to(a, PEER, 80), -EADDRNOTAVAIL);
    assert_int_equal(set(a, IPPROTO_IP, IP_FREEBIND, 1), 0);
    assert_int_equal(bind_to(a, PEER, 80), 0);
}

static void both_must_agree_to_share(void **state)
{
    int a = sock_new(SOCK_STREAM), b = sock_new(SOCK_STREAM), c = sock_new(SOCK_STREAM);

    (void)state;
    set(a, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(bind_to(a, HOST, 80), 0);
    assert_int_equal(bind_to(b, HOST, 80), -EADDRINUSE);
    set(b, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(bind_to(b, HOST, 80), 0);
    assert_int_equal(weir_listen(stack, a, 1), 0);
    set(c, SOL_SOCKET, SO_REUSEADDR, 1); /* beside a listener that is not enough */
    assert_int_equal(bind_to(c, HOST, 80), -EADDRINUSE);
}

static void listeners_share_by_reuseport(void **state)
{
    int s[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        s[i] = sock_new(SOCK_STREAM);
        if (i < 2)
            set(s[i], SOL_SOCKET, SO_REUSEPORT, 1);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bind_to(s[i], HOST, 80), 0);
        assert_int_equal(weir_listen(stack, s[i], 1), 0);
    }
    assert_int_equal(bind_to(s[2], HOST, 80), -EADDRINUSE);
}

static void port_0_means_any_free_one_of_the_range(void **state)
{
    bool seen[5] = {false};

    (void)state;
    assert_int_equal(weir_knob_set(stack, "net.ipv4.ip_local_port_range", "5000 5004"), 0);
    for (int i = 0; i < 5; i++) {
        int sock = sock_new(SOCK_STREAM);
        assert_int_equal(bind_to(sock, HOST, 0), 0);
        assert_in_range(port_of(sock), 5000, 5004);
        assert_false(seen[port_of(sock) - 5000]);
        seen[port_of(sock) - 5000] = true;
    }
    assert_int_equal(bind_to(sock_new(SOCK_STREAM), HOST, 0), -EADDRINUSE);
    assert_int_equal(bind_to(sock_new(SOCK_STREAM), OTHER, 0), 0);
}

static void connections_to_several_peers_may_share_a_port_and_to_one_may_not(void **state)
{
    (void)state;
    assert_int_equal(weir_knob_set(stack, "net.ipv4.ip_local_port_range", "5000 5001"), 0);
    for (uint32_t peer = PEER; peer < PEER + 2; peer++) {
        int a = sock_new(SOCK_STREAM), b = sock_new(SOCK_STREAM), c = sock_new(SOCK_STREAM);
        uint16_t freed;
        assert_int_equal(connect_to(a, peer, 80), -EINPROGRESS);
        assert_int_equal(connect_to(b, peer, 80), -EINPROGRESS);
        assert_int_equal(port_of(a) + port_of(b), 5000 + 5001);
        assert_int_equal(connect_to(c, peer, 80), -EADDRNOTAVAIL);
        for (int i = 0; i < 3; i++) { /* the one that is free is found, whoever's turn it is */
            freed = port_of(b);
            weir_close(stack, b);
            b = sock_new(SOCK_STREAM);
            assert_int_equal(connect_to(b, peer, 80), -EINPROGRESS);
            assert_int_equal(port_of(b), freed);
        }
    }
}

/* REQ:6056-3.2-1 REQ:6056-3.2-2: what serves is left out, and nothing else is. */
static void a_connection_does_not_take_what_is_bound(void **state)
{
    int bound = sock_new(SOCK_STREAM), a = sock_new(SOCK_STREAM);

    (void)state;
    assert_int_equal(weir_knob_set(stack, "net.ipv4.ip_local_port_range", "5000 5001"), 0);
    assert_int_equal(bind_to(bound, 0, 5000), 0);
    assert_int_equal(connect_to(a, PEER, 80), -EINPROGRESS);
    assert_int_equal(port_of(a), 5001);
    assert_int_equal(connect_to(sock_new(SOCK_STREAM), PEER, 80), -EADDRNOTAVAIL);
}

static void a_bound_socket_connects_from_its_port(void **state)
{
    int a = sock_new(SOCK_STREAM);

    (void)state;
    assert_int_equal(bind_to(a, OTHER, 7777), 0);
    assert_int_equal(connect_to(a, PEER, 80), -EINPROGRESS);
    assert_int_equal(port_of(a), 7777);
}

static void a_reserved_port_is_given_only_to_who_names_it(void **state) /* REQ:6056-3.2-1 */
{
    int bound = sock_new(SOCK_STREAM), asked = sock_new(SOCK_STREAM), a = sock_new(SOCK_STREAM);

    (void)state;
    assert_int_equal(weir_knob_set(stack, "net.ipv4.ip_local_port_range", "5000 5003"), 0);
    assert_int_equal(weir_knob_set(stack, "net.ipv4.ip_local_reserved_ports", "5000,5002-5003"), 0);
    assert_int_equal(bind_to(bound, HOST, 0), 0);
    assert_int_equal(port_of(bound), 5001);
    assert_int_equal(bind_to(asked, HOST, 5002), 0);
    assert_int_equal(weir_close(stack, bound), 0);
    assert_int_equal(connect_to(a, PEER, 80), -EINPROGRESS);
    assert_int_equal(port_of(a), 5001);
    assert_int_equal(connect_to(sock_new(SOCK_STREAM), PEER, 80), -EADDRNOTAVAIL);
}

/* REQ:6056-3.3-1 REQ:6056-3.3.3-1: to one destination one after the other, from an offset that is
 * another for each destination and each key. */
static void ports_of_one_destination_tell_nothing_of_another(void **state)
{
    struct weir_config c = {.seed = {3, 4}};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr host = weir_addr_v4(HOST);
    struct weir_stack *first = stack;
    uint16_t port[2][4];

    (void)state;
    stack = weir_new(&c);
    assert_int_equal(weir_iface_add(stack, &i), 1);
    assert_int_equal(weir_addr_add(stack, 1, &host, 24), 0);
    for (int k = 0; k < 2; k++) {
        for (uint32_t n = 0; n < 4; n++) {
            int a = sock_new(SOCK_STREAM);
            assert_int_equal(connect_to(a, PEER + n / 2, 80), -EINPROGRESS);
            port[k][n] = port_of(a);
        }
        assert_int_equal(port[k][1], port[k][0] + 1);
        assert_int_equal(port[k][3], port[k][2] + 1);
        assert_not_in_range(port[k][2], port[k][1] - 20, port[k][1] + 20);
        if (k == 0)
            weir_free(stack);
        stack = first;
    }
    assert_not_in_range(port[0][0], port[1][0] - 20, port[1][0] + 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_end_is_bound_once),
        TEST(a_closed_socket_gives_its_port_back),
        TEST(only_our_addresses_are_bound),
        TEST(both_must_agree_to_share),
        TEST(listeners_share_by_reuseport),
        TEST(port_0_means_any_free_one_of_the_range),
        TEST(connections_to_several_peers_may_share_a_port_and_to_one_may_not),
        TEST(a_connection_does_not_take_what_is_bound),
        TEST(a_bound_socket_connects_from_its_port),
        TEST(a_reserved_port_is_given_only_to_who_names_it),
        TEST(ports_of_one_destination_tell_nothing_of_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
