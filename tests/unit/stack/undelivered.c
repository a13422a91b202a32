/* What never leaves because nobody answers ARP: its sender hears of it, and it is counted. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "unit.h"
#include "weir/weir.h"
#include "wire/wire.h"

#define HOST 0x0a000001u
#define NOBODY 0x0a000009u
#define TEST(name) static void name(void **state)
#define SECOND 1000000000ll

struct lan {
    struct weir_stack *stack;
    int ifindex;
    int64_t now_ns;
};

static struct lan lan_begin(void)
{
    struct weir_config config = {.seed = {1, 2}, .now_ns = SECOND};
    struct weir_iface_config i = {
        .name = "t", .type = WEIR_LINK_ETHER, .mtu = 1500, .mac = {2, 0, 0, 0, 0, 1}};
    struct weir_addr host = weir_addr_v4(HOST);
    struct lan l = {.stack = weir_new(&config), .now_ns = SECOND};

    l.ifindex = weir_iface_add(l.stack, &i);
    assert_int_equal(weir_addr_add(l.stack, l.ifindex, &host, 24), 0);
    return l;
}

/* How many ARP requests left until `ns` later; nothing else may. */
static int requests(struct lan *l, int64_t ns)
{
    int64_t end = l->now_ns + ns;
    struct weir_frame f;
    int n = 0;

    for (;;) {
        while (weir_output(l->stack, l->ifindex, &f, 1, l->now_ns) == 1) {
            const uint8_t *b = f.part[0].data;
            assert_int_equal(b[12] << 8 | b[13], ETH_TYPE_ARP);
            n++;
        }
        if (weir_deadline(l->stack) > end)
            break;
        l->now_ns = weir_deadline(l->stack);
        weir_advance(l->stack, l->now_ns);
    }
    l->now_ns = end;
    return n;
}

static uint64_t drops(const struct lan *l, const char *name)
{
    for (int i = 0; i < weir_drop_count(); i++)
        if (strcmp(weir_drop_name(i), name) == 0)
            return weir_drops(l->stack, i);
    fail_msg("no reason is called %s", name);
    return 0;
}

static int error_of(const struct lan *l, int sock)
{
    int error = -1;
    size_t len = sizeof error;

    assert_int_equal(weir_getsockopt(l->stack, sock, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    return error;
}

static struct weir_sockaddr nobody(uint16_t port)
{
    return (struct weir_sockaddr){.addr = weir_addr_v4(NOBODY), .port = port};
}

TEST(connect_fails_when_three_requests_had_no_answer) /* 1122#4.2.3.9, Linux: EHOSTUNREACH */
{
    struct lan l = lan_begin();
    struct weir_sockaddr to = nobody(80);
    int sock = weir_socket(l.stack, AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(weir_connect(l.stack, sock, &to), -EINPROGRESS);
    assert_int_equal(requests(&l, 3 * SECOND - 1), 3);
    assert_int_equal(error_of(&l, sock), 0);
    assert_int_equal(requests(&l, 1), 0);
    assert_int_equal(weir_readiness(l.stack, sock) & WEIR_READY_ERR, WEIR_READY_ERR);
    assert_int_equal(error_of(&l, sock), EHOSTUNREACH);
    assert_int_equal(drops(&l, "neigh_failed"), 2); /* the SYN and its repetition */
    weir_free(l.stack);
}

TEST(datagrams_fail_where_the_socket_asked_to_hear) /* Linux: IP_RECVERR */
{
    struct lan l = lan_begin();
    struct weir_sockaddr to = nobody(9);
    int one = 1, deaf = weir_socket(l.stack, AF_INET, SOCK_DGRAM, 0);
    int keen = weir_socket(l.stack, AF_INET, SOCK_DGRAM, 0);

    (void)state;
    weir_setsockopt(l.stack, keen, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
    assert_int_equal(weir_connect(l.stack, deaf, &to), 0);
    assert_int_equal(weir_connect(l.stack, keen, &to), 0);
    assert_int_equal(weir_send(l.stack, deaf, "a", 1, 0), 1);
    assert_int_equal(weir_send(l.stack, keen, "b", 1, 0), 1);
    assert_int_equal(requests(&l, 3 * SECOND), 3);
    assert_int_equal(error_of(&l, deaf), 0);
    assert_int_equal(error_of(&l, keen), EHOSTUNREACH);
    assert_int_equal(drops(&l, "neigh_failed"), 2);
    weir_free(l.stack);
}

TEST(an_echo_request_fails_as_a_datagram_does)
{
    struct lan l = lan_begin();
    struct weir_sockaddr to = nobody(0);
    uint8_t echo[16] = {ICMP4_ECHO};
    int one = 1, sock = weir_socket(l.stack, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

    (void)state;
    weir_setsockopt(l.stack, sock, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
    assert_int_equal(weir_sendto(l.stack, sock, echo, sizeof echo, 0, &to), sizeof echo);
    assert_int_equal(requests(&l, 3 * SECOND), 3);
    assert_int_equal(weir_recv(l.stack, sock, echo, sizeof echo, 0), -EHOSTUNREACH);
    weir_free(l.stack);
}

TEST(what_newer_packets_push_out_is_counted)
{
    struct lan l = lan_begin();
    struct weir_sockaddr to = nobody(9);
    char text[1400] = {0};
    int sock = weir_socket(l.stack, AF_INET, SOCK_DGRAM, 0);

    (void)state;
    weir_knob_set(l.stack, "net.ipv4.neigh.default.unres_qlen_bytes", "65536");
    for (int i = 0; i < 60; i++) { /* 84,000 bytes where 65,536 may wait */
        assert_int_equal(weir_sendto(l.stack, sock, text, sizeof text, 0, &to), sizeof text);
        requests(&l, 0);
    }
    weir_advance(l.stack, l.now_ns);
    assert_true(drops(&l, "neigh_queue_full") > 0);
    requests(&l, 3 * SECOND);
    assert_int_equal(drops(&l, "neigh_queue_full") + drops(&l, "neigh_failed"), 60);
    weir_free(l.stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_fails_when_three_requests_had_no_answer),
        cmocka_unit_test(datagrams_fail_where_the_socket_asked_to_hear),
        cmocka_unit_test(an_echo_request_fails_as_a_datagram_does),
        cmocka_unit_test(what_newer_packets_push_out_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
