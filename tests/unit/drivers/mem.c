/* Two stacks joined by a mem link, moved by the pump. */
#include "fake.h"

#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct weir_stack *stack_with(const char *address, struct weir_iface_config *iface,
                                     uint64_t seed)
{
    struct weir_config c = {.seed = {seed, seed}};
    struct weir_stack *s = weir_new(&c);
    struct weir_addr a;

    assert_non_null(s);
    assert_int_equal(weir_iface_add(s, iface), 1);
    assert_int_equal(weir_addr_parse(&a, address), 0);
    assert_int_equal(weir_addr_add(s, 1, &a, 24), 0);
    return s;
}

static struct weir_sockaddr at(const char *address, uint16_t port)
{
    struct weir_sockaddr a = {.port = port};

    assert_int_equal(weir_addr_parse(&a.addr, address), 0);
    return a;
}

struct pair {
    struct weir_stack *near, *far;
    struct weir_link *link;
};

static struct pair joined(void)
{
    struct weir_iface_config iface = {.name = "near0",
                                      .type = WEIR_LINK_IP,
                                      .mtu = 1500,
                                      .gso_max = 65535,
                                      .flags = WEIR_IF_CSUM_TX};
    struct pair p = {.near = stack_with("10.0.0.1", &iface, 1),
                     .far = stack_with("10.0.0.2", &iface, 2)};

    p.link = weir_mem_open(p.far, 1, &iface);
    assert_non_null(p.link);
    assert_string_equal(p.link->iface.name, "near0");
    return p;
}

static void parted(struct pair *p)
{
    weir_link_close(p->link);
    weir_free(p->near);
    weir_free(p->far);
}

static void a_datagram_crosses_and_is_answered(void **state)
{
    struct pair p = joined();
    struct weir_sockaddr server = at("10.0.0.2", 53);
    struct weir_sockaddr from;
    char text[16] = "";
    int a = weir_socket(p.near, AF_INET, SOCK_DGRAM, 0);
    int b = weir_socket(p.far, AF_INET, SOCK_DGRAM, 0);

    (void)state;
    assert_int_equal(weir_bind(p.far, b, &server), 0);
    assert_int_equal(weir_sendto(p.near, a, "question", 8, 0, &server), 8);
    assert_int_equal(weir_link_pump(p.link, p.near, 1, 0, 8), 1);
    assert_int_equal(weir_recvfrom(p.far, b, text, sizeof text, 0, &from), 8);
    assert_int_equal(weir_sendto(p.far, b, "answer", 6, 0, &from), 6);
    assert_int_equal(p.link->driver->deadline(p.link), 0); /* the far end has something to send */
    assert_int_equal(weir_link_pump(p.link, p.near, 1, 0, 8), 1);
    assert_int_equal(weir_recv(p.near, a, text, sizeof text, 0), 6);
    assert_memory_equal(text, "answer", 6);
    assert_int_equal(weir_link_pump(p.link, p.near, 1, 0, 8), 0); /* all is quiet */
    parted(&p);
}

static void the_far_verdict_is_visible_after_send(void **state)
{
    struct pair p = joined();
    uint8_t junk[20] = {0x45};
    struct weir_frame f = {.part = {{junk, sizeof junk}}, .parts = 1};

    (void)state;
    assert_int_equal(p.link->driver->send(p.link, &f, 1, 0), 1);
    assert_true(f.why.verdict >= 2);
    parted(&p);
}

static void the_pump_stops_after_its_rounds(void **state)
{
    struct pair p = joined();
    struct weir_sockaddr server = at("10.0.0.2", 53);
    int a = weir_socket(p.near, AF_INET, SOCK_DGRAM, 0);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(weir_sendto(p.near, a, "x", 1, 0, &server), 1);
    assert_int_equal(weir_link_pump(p.link, p.near, 1, 0, 1), WEIR_BURST_MAX);
    assert_true(weir_link_pump(p.link, p.near, 1, 0, 8) >= 100 - WEIR_BURST_MAX);
    parted(&p);
}

static void the_pump_reports_a_link_that_is_gone(void **state)
{
    struct pair p = joined();
    struct fake *k = fake_open(WEIR_LINK_IP);

    (void)state;
    k->recv_error = -ENETDOWN;
    assert_int_equal(weir_link_pump(&k->link, p.near, 1, 0, 8), -ENETDOWN);
    weir_link_close(&k->link);
    parted(&p);
}

static void a_link_says_when_to_come_back(void **state)
{
    struct pair p = joined();
    struct weir_sockaddr server = at("10.0.0.2", 53);
    int a = weir_socket(p.near, AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(weir_link_fd(p.link), -1);
    assert_true(weir_link_deadline(p.link, p.near) == WEIR_NEVER);
    assert_int_equal(weir_connect(p.near, a, &server), -EINPROGRESS);
    assert_int_equal(weir_link_deadline(p.link, p.near), 0); /* our SYN */
    assert_int_equal(weir_link_pump(p.link, p.near, 1, 0, 1), 1);
    assert_int_equal(weir_link_deadline(p.link, p.near), 0); /* the far end: RST */
    parted(&p);
}

/* A SYN without an answer: the retransmission timer runs a second later (6298#2.1). */
static void a_link_waits_for_the_earlier_deadline(void **state)
{
    struct pair p = joined();
    struct weir_sockaddr server = at("10.0.0.3", 53); /* nobody */
    int a = weir_socket(p.near, AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(weir_connect(p.near, a, &server), -EINPROGRESS);
    assert_int_equal(weir_link_pump(p.link, p.near, 1, 0, 8), 1);
    assert_true(weir_link_deadline(p.link, p.near) == weir_deadline(p.near));
    assert_true(weir_deadline(p.near) <= 1000000000);
    parted(&p);
}

static void a_wait_is_never_too_short(void **state)
{
    (void)state;
    assert_int_equal(weir_poll_ms(WEIR_NEVER, 5), -1);
    assert_int_equal(weir_poll_ms(0, 5), 0);
    assert_int_equal(weir_poll_ms(5, 5), 0);
    assert_int_equal(weir_poll_ms(6, 5), 1);
    assert_int_equal(weir_poll_ms(1000005, 5), 1);
    assert_int_equal(weir_poll_ms(1000006, 5), 2);
    assert_int_equal(weir_poll_ms(WEIR_NEVER - 1, 0), INT_MAX);
}

static void the_clock_goes_forward(void **state)
{
    int64_t before = weir_clock_ns();

    (void)state;
    assert_true(before > 0);
    assert_true(weir_clock_ns() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_crosses_and_is_answered),
        cmocka_unit_test(the_far_verdict_is_visible_after_send),
        cmocka_unit_test(the_pump_stops_after_its_rounds),
        cmocka_unit_test(the_pump_reports_a_link_that_is_gone),
        cmocka_unit_test(a_link_says_when_to_come_back),
        cmocka_unit_test(a_link_waits_for_the_earlier_deadline),
        cmocka_unit_test(a_wait_is_never_too_short),
        cmocka_unit_test(the_clock_goes_forward),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
