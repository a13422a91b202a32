/* Sockets through the public calls, where they differ from what the layers below are asked. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "stack/stack.h"
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

struct pair {
    struct weir_stack *near, *far;
    struct weir_link *link;
    int sock; /* of the near end, established */
};

static struct pair pair_begin(uint32_t gso_max)
{
    struct weir_iface_config i = {.name = "t",
                                  .type = WEIR_LINK_IP,
                                  .mtu = 1500,
                                  .gso_max = gso_max,
                                  .flags = WEIR_IF_CSUM_TX};
    struct weir_config config = {.seed = {3, 4}};
    struct weir_addr near = weir_addr_v4(0x0a000001), far = weir_addr_v4(0x0a000002);
    struct weir_sockaddr at = {.addr = far, .port = 7};
    struct pair p = {.near = weir_new(&config), .far = weir_new(&config)};
    int listener = weir_socket(p.far, AF_INET, SOCK_STREAM, 0);

    weir_iface_add(p.near, &i);
    weir_iface_add(p.far, &i);
    weir_addr_add(p.near, 1, &near, 24);
    weir_addr_add(p.far, 1, &far, 24);
    p.link = weir_mem_open(p.far, 1, &i);
    assert_int_equal(weir_bind(p.far, listener, &at), 0);
    assert_int_equal(weir_listen(p.far, listener, 1), 0);
    p.sock = weir_socket(p.near, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_connect(p.near, p.sock, &at), -EINPROGRESS);
    assert_true(weir_link_pump(p.link, p.near, 1, 0, 4) > 0);
    return p;
}

/* As Linux counts: each MSS of a superframe. */
static void segments_are_counted_as_the_wire_has_them(void **state)
{
    static const char data[5 * 1448 + 1];

    (void)state;
    for (uint32_t gso = 0; gso <= 65535; gso += 65535) {
        struct pair p = pair_begin(gso);
        struct weir_sock_info info;
        uint64_t before = weir_stat_by_name(p.near, "TcpOutSegs");
        assert_int_equal(weir_info(p.near, p.sock, &info), 0);
        assert_int_equal(info.segs_out, 2); /* SYN, ACK */
        assert_int_equal(weir_send(p.near, p.sock, data, sizeof data, 0), sizeof data);
        assert_true(weir_link_pump(p.link, p.near, 1, 0, 1) > 0);
        assert_int_equal(weir_info(p.near, p.sock, &info), 0);
        assert_int_equal(info.segs_out, 2 + 6);
        assert_int_equal(weir_stat_by_name(p.near, "TcpOutSegs") - before, 6);
        weir_link_close(p.link);
        weir_free(p.near);
        weir_free(p.far);
    }
}

/* What was lost is sent again, and counted as that only. */
static void retransmissions_are_no_segments_sent(void **state)
{
    struct pair p = pair_begin(0);
    struct weir_frame lost[2];
    uint64_t before = weir_stat_by_name(p.near, "TcpOutSegs");
    int64_t now = 0;

    (void)state;
    assert_int_equal(weir_send(p.near, p.sock, "x", 1, 0), 1);
    assert_int_equal(weir_output(p.near, 1, lost, 2, now), 1);
    now = weir_deadline(p.near);
    weir_advance(p.near, now);
    assert_int_equal(weir_output(p.near, 1, lost, 2, now), 1);
    assert_int_equal(weir_stat_by_name(p.near, "TcpRetransSegs"), 1);
    assert_int_equal(weir_stat_by_name(p.near, "TcpOutSegs") - before, 1);
    weir_link_close(p.link);
    weir_free(p.near);
    weir_free(p.far);
}

/* Lowered, it ends no socket; raised beyond where it began, it lets more in. */
static void how_many_sockets_there_may_be_changes_at_run_time(void **state)
{
    struct weir_config c = {.seed = {1, 2}};
    struct weir_stack *k = weir_new(&c);
    int first, types[] = {SOCK_STREAM, SOCK_DGRAM};

    (void)state;
    assert_non_null(k);
    assert_int_equal(weir_knob_set(k, "net.weir.max_sockets", "2"), 0);
    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_true(weir_socket(k, AF_INET, types[i], 0) >= 0);
    first = weir_socket(k, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(first, -EMFILE);
    assert_int_equal(weir_knob_set(k, "net.weir.max_sockets", "1"), 0);
    assert_int_equal(weir_close(k, 0), 0);
    assert_int_equal(weir_socket(k, AF_INET, SOCK_STREAM, 0), -EMFILE);
    assert_int_equal(weir_knob_set(k, "net.weir.max_sockets", "16777216"), 0);
    assert_true(weir_socket(k, AF_INET, SOCK_STREAM, 0) >= 0);
    assert_true(k->socks.pool.max >= 16777216);
    assert_true(k->udp.socks.max >= 16777216);
    weir_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_many_sockets_there_may_be_changes_at_run_time),
        cmocka_unit_test(a_knob_sets_the_buffers_of_datagram_sockets),
        cmocka_unit_test(broadcast_is_switched_on_and_off),
        cmocka_unit_test(segments_are_counted_as_the_wire_has_them),
        cmocka_unit_test(retransmissions_are_no_segments_sent),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
