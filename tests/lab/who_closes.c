/* Who closes first has the TIME-WAIT, and who never closes has the CLOSE-WAIT: a client and a
 * server on two stacks in virtual time, a request and an answer on each connection. */
#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <weir/weir.h>

#define REQUESTS 20
#define SECOND 1000000000ll

struct net {
    struct weir_stack *client, *server;
    struct weir_link *link;
    int ifindex, listener;
    struct weir_sockaddr at;
    int64_t now;
};

static struct net net_begin(void)
{
    struct weir_config config = {.seed = {1, 2}, .now_ns = SECOND};
    struct weir_iface_config c = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr a = weir_addr_v4(0x0a000001), b = weir_addr_v4(0x0a000002);
    struct net n = {.now = SECOND, .at = {.addr = b, .port = 80}};

    n.client = weir_new(&config);
    config.seed[0] = 3;
    n.server = weir_new(&config);
    n.link = weir_mem_open(n.server, weir_iface_add(n.server, &c), &c);
    n.ifindex = weir_iface_add(n.client, &n.link->iface);
    assert_int_equal(weir_addr_add(n.client, n.ifindex, &a, 24), 0);
    assert_int_equal(weir_addr_add(n.server, 1, &b, 24), 0);
    n.listener = weir_socket(n.server, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(n.server, n.listener, &n.at), 0);
    assert_int_equal(weir_listen(n.server, n.listener, REQUESTS), 0);
    return n;
}

static void net_end(struct net *n)
{
    weir_link_close(n->link);
    weir_free(n->client);
    weir_free(n->server);
}

static void run(struct net *n, int64_t ns)
{
    int64_t end = n->now + ns;

    for (; n->now < end; n->now += ns / 100)
        for (int i = 0; i < 8; i++)
            weir_link_pump(n->link, n->client, n->ifindex, n->now, 16);
}

static int count(struct weir_stack *k, int state)
{
    struct weir_sock_info info;
    uint64_t cursor = 0;
    int n = 0;

    while (weir_info_next(k, &cursor, &info))
        n += info.state == state;
    return n;
}

/* A connection: the client's socket, and the server's in *other. */
static int dial(struct net *n, int *other)
{
    int sock = weir_socket(n->client, AF_INET, SOCK_STREAM, 0);
    int v = weir_connect(n->client, sock, &n->at);

    if (v != -EINPROGRESS) {
        weir_close(n->client, sock);
        return v;
    }
    run(n, SECOND / 10);
    *other = weir_accept(n->server, n->listener, NULL);
    assert_true(*other >= 0);
    return sock;
}

static void request(struct net *n, int sock, int other)
{
    char text[8];

    assert_int_equal(weir_send(n->client, sock, "ask", 3, 0), 3);
    run(n, SECOND / 10);
    assert_int_equal(weir_recv(n->server, other, text, sizeof text, 0), 3);
    assert_int_equal(weir_send(n->server, other, "answer", 6, 0), 6);
    run(n, SECOND / 10);
    assert_int_equal(weir_recv(n->client, sock, text, sizeof text, 0), 6);
}

/* Both close, the one named first when the other's FIN is still to come. */
static void close_both(struct net *n, struct weir_stack *first, int a, struct weir_stack *then,
                       int b)
{
    weir_close(first, a);
    run(n, SECOND / 10);
    weir_close(then, b);
    run(n, SECOND / 10);
}

static void who_closes_first_has_the_time_waits(void **state) /* ROW:77 ROW:62 */
{
    (void)state;
    for (int is_server = 0; is_server < 2; is_server++) {
        struct net n = net_begin();
        for (int i = 0; i < REQUESTS; i++) {
            int other, sock = dial(&n, &other);
            request(&n, sock, other);
            if (is_server)
                close_both(&n, n.server, other, n.client, sock);
            else
                close_both(&n, n.client, sock, n.server, other);
        }
        assert_int_equal(count(n.client, WEIR_TIME_WAIT), is_server ? 0 : REQUESTS);
        assert_int_equal(count(n.server, WEIR_TIME_WAIT), is_server ? REQUESTS : 0);
        run(&n, 61 * SECOND);
        assert_int_equal(count(n.client, WEIR_TIME_WAIT) + count(n.server, WEIR_TIME_WAIT), 0);
        net_end(&n);
    }
}

/* The client's ports run out in a minute of short connections; one that is kept needs one port. */
static void a_connection_that_is_kept_needs_no_time_wait(void **state) /* ROW:77 ROW:76 */
{
    struct net n = net_begin();
    int other, sock;

    (void)state;
    assert_int_equal(weir_knob_set(n.client, "net.ipv4.ip_local_port_range", "5000 5009"), 0);
    for (int i = 0; i < 10; i++) {
        sock = dial(&n, &other);
        request(&n, sock, other);
        close_both(&n, n.client, sock, n.server, other);
    }
    assert_int_equal(dial(&n, &other), -EADDRNOTAVAIL);
    run(&n, 61 * SECOND);
    sock = dial(&n, &other);
    for (int i = 0; i < REQUESTS; i++)
        request(&n, sock, other);
    assert_int_equal(count(n.client, WEIR_TIME_WAIT), 0);
    close_both(&n, n.client, sock, n.server, other);
    assert_int_equal(count(n.client, WEIR_TIME_WAIT), 1);
    net_end(&n);
}

/* The peer's FIN is not the program's close: nothing but the program ends CLOSE-WAIT. */
static void a_program_that_forgets_to_close_fills_close_wait(void **state) /* ROW:104 ROW:8 */
{
    struct net n = net_begin();
    int other[REQUESTS];

    (void)state;
    for (int i = 0; i < REQUESTS; i++) {
        int sock = dial(&n, &other[i]);
        request(&n, sock, other[i]);
        weir_close(n.client, sock);
        run(&n, SECOND / 10);
    }
    assert_int_equal(count(n.server, WEIR_CLOSE_WAIT), REQUESTS);
    run(&n, 24 * 3600 * SECOND);
    assert_int_equal(count(n.server, WEIR_CLOSE_WAIT), REQUESTS);
    assert_int_equal(count(n.client, WEIR_FIN_WAIT_2), 0); /* there a timer ends it */
    for (int i = 0; i < REQUESTS; i++)
        weir_close(n.server, other[i]);
    run(&n, SECOND);
    assert_int_equal(count(n.server, WEIR_CLOSE_WAIT), 0);
    assert_int_equal(count(n.server, WEIR_LAST_ACK), 0); /* their peers are gone: RST */
    net_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_closes_first_has_the_time_waits),
        cmocka_unit_test(a_connection_that_is_kept_needs_no_time_wait),
        cmocka_unit_test(a_program_that_forgets_to_close_fills_close_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
