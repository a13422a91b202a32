/* Counters that are sums of drop reasons, ICMP by type, and connections that are open now. */
#include "unit.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/sum.h"
#include "weir/socket.h"
#include "weir/stat.h"

static struct weir_stack *stack;
static int ifindex;

static int setup(void **state)
{
    struct weir_config c = {.seed = {1, 2}};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr a = weir_addr_v4(0x0a000001);

    (void)state;
    stack = weir_new(&c);
    ifindex = weir_iface_add(stack, &i);
    weir_addr_add(stack, ifindex, &a, 24);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    weir_free(stack);
    return 0;
}

static uint64_t stat(const char *name)
{
    return weir_stat_by_name(stack, name);
}

/* A packet of `proto` from 10.0.0.2 with this payload. */
static void input(uint8_t proto, const uint8_t *l4, size_t len)
{
    uint8_t packet[128] = {
        0x45, 0, 0, (uint8_t)(20 + len), 0, 1, 0, 0, 64, proto, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1};
    struct weir_frame f = {.parts = 1, .part = {{packet, (uint32_t)(20 + len)}}};
    uint16_t sum = sum_finish(sum_add(0, packet, 20));

    memcpy(packet + 10, &sum, sizeof sum);
    if (len)
        memcpy(packet + 20, l4, len);
    weir_input(stack, ifindex, &f, 1, 0);
}

static int output(uint8_t *first, size_t room)
{
    struct weir_frame f[8];
    int n = weir_output(stack, ifindex, f, 8, 0);

    for (int i = 0; i < n; i++) {
        uint32_t at = 0;
        for (int k = 0; k < f[i].parts && at < room; k++) {
            memcpy(first + at, f[i].part[k].data,
                   f[i].part[k].len < room - at ? f[i].part[k].len : room - at);
            at += f[i].part[k].len;
        }
    }
    return n;
}

static void what_linux_counts_is_summed_from_the_reasons(void **state)
{
    uint8_t bad_version = 0x35, udp[8] = {0, 7, 0, 9, 0, 8, 0, 0}, tcp[20] = {0, 7, 0, 9};
    struct weir_frame f = {.parts = 1, .part = {{&bad_version, 1}}};

    (void)state;
    weir_input(stack, ifindex, &f, 1, 0);
    assert_int_equal(stat("IpInHdrErrors"), 1);
    input(IPPROTO_UDP, udp, sizeof udp);
    assert_int_equal(stat("UdpNoPorts"), 1);
    udp[5] = 7;
    input(IPPROTO_UDP, udp, sizeof udp);
    assert_int_equal(stat("UdpNoPorts"), 1);
    assert_int_equal(stat("UdpInErrors"), 1);
    input(99, udp, sizeof udp);
    assert_int_equal(stat("IpInUnknownProtos"), 1);
    tcp[12] = 0x50;
    input(IPPROTO_TCP, tcp, sizeof tcp);
    assert_int_equal(stat("TcpInErrs"), 1);
    assert_int_equal(stat("TcpInCsumErrors"), 1);
    input(IPPROTO_TCP, tcp, 3);
    assert_int_equal(stat("TcpInErrs"), 2);
    assert_int_equal(stat("TcpInCsumErrors"), 1);
}

static void icmp_is_counted_by_type(void **state)
{
    uint8_t echo[8] = {8, 0, 0xf7, 0xff}, udp[8] = {0, 7, 0, 9, 0, 8, 0, 0}, out[128];

    (void)state;
    input(IPPROTO_ICMP, echo, sizeof echo);
    assert_int_equal(output(out, sizeof out), 1);
    assert_int_equal(stat("IcmpInMsgs"), 1);
    assert_int_equal(stat("IcmpInEchos"), 1);
    assert_int_equal(stat("IcmpOutMsgs"), 1);
    assert_int_equal(stat("IcmpOutEchoReps"), 1);
    input(IPPROTO_UDP, udp, sizeof udp);
    assert_int_equal(output(out, sizeof out), 1);
    assert_int_equal(stat("IcmpOutDestUnreachs"), 1);
    assert_int_equal(stat("IcmpOutMsgs"), 2);
    input(IPPROTO_ICMP, NULL, 0);
    assert_int_equal(stat("IcmpInErrors"), 1);
}

static void a_program_s_echo_is_no_datagram(void **state)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(0x0a000002)};
    uint8_t echo[8] = {8}, out[128];
    int s = weir_socket(stack, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

    (void)state;
    assert_true(s >= 0);
    assert_int_equal(weir_sendto(stack, s, echo, sizeof echo, 0, &to), sizeof echo);
    assert_int_equal(output(out, sizeof out), 1);
    assert_int_equal(stat("IcmpOutEchos"), 1);
    assert_int_equal(stat("IcmpOutMsgs"), 1);
    assert_int_equal(stat("UdpOutDatagrams"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_linux_counts_is_summed_from_the_reasons),
        TEST(icmp_is_counted_by_type),
        TEST(a_program_s_echo_is_no_datagram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
