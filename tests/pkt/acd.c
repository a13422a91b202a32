/* Conflicts of addresses, seen from the socket: RFC 5227. */
#include "support/ether.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/wire.h"

#define SECOND 1000000ll
#define A 0x0a000001u
#define B 0x0a000002u

static void add(struct weir_stack *k, uint32_t addr)
{
    struct weir_addr a = weir_addr_v4(addr);

    assert_int_equal(weir_addr_add(k, 1, &a, 24), 0);
}

static void claim(struct ether *s, uint32_t addr)
{
    uint8_t frame[ETH_LEN + ARP_LEN];
    struct eth e = {.dst = {255, 255, 255, 255, 255, 255}, .src = {2, 6}, .type = ETH_TYPE_ARP};
    struct arp a = {.op = ARP_REQUEST, .sha = {2, 6}, .spa = addr, .tpa = addr};

    eth_emit(frame, &e);
    arp_emit(frame + ETH_LEN, &a);
    ether_put(s, frame, sizeof frame);
}

static int listen_at(struct weir_stack *k, uint16_t port)
{
    struct weir_sockaddr at = {.addr = weir_addr_v4(0), .port = port};
    int sock = weir_socket(k, AF_INET, SOCK_STREAM, 0);

    assert_int_equal(weir_bind(k, sock, &at), 0);
    assert_int_equal(weir_listen(k, sock, 5), 0);
    return sock;
}

/* REQ:5227-2.4-1 REQ:5227-2.4-7 */
static void who_gives_up_an_address_resets_its_connections(void **state)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(B), .port = 80};
    int listener, here, there;
    struct ether s;
    char byte;

    (void)state;
    ether_open(&s, 2);
    add(s.stack[0], A);
    add(s.stack[1], B);
    assert_int_equal(weir_knob_set(s.stack[0], "net.weir.acd_defend", "0"), 0);
    listener = listen_at(s.stack[1], 80);
    here = weir_socket(s.stack[0], AF_INET, SOCK_STREAM, 0);
    weir_connect(s.stack[0], here, &to);
    ether_run(&s, SECOND);
    there = weir_accept(s.stack[1], listener, NULL);
    assert_true(there >= 0);
    claim(&s, A);
    ether_run(&s, SECOND);
    assert_int_equal(weir_recv(s.stack[0], here, &byte, 1, 0), -EADDRNOTAVAIL);
    assert_int_equal(weir_recv(s.stack[1], there, &byte, 1, 0), -ECONNRESET);
    ether_close(&s);
}

static void an_address_that_is_kept_keeps_its_connections(void **state)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(B), .port = 80};
    struct ether s;
    int here;

    (void)state;
    ether_open(&s, 2);
    add(s.stack[0], A);
    add(s.stack[1], B);
    listen_at(s.stack[1], 80);
    here = weir_socket(s.stack[0], AF_INET, SOCK_STREAM, 0);
    weir_connect(s.stack[0], here, &to);
    ether_run(&s, SECOND);
    claim(&s, A);
    ether_run(&s, SECOND);
    assert_int_equal(weir_send(s.stack[0], here, "x", 1, 0), 1);
    ether_close(&s);
}

/* Of two that want the same address at the same time none has it; of two at different times the
 * first. REQ:5227-2.5-1 */
static void the_second_that_wants_an_address_does_not_get_it(void **state)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(A), .port = 80};
    struct ether s;
    int sock;

    (void)state;
    ether_open(&s, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(weir_knob_set(s.stack[i], "net.weir.acd", "1"), 0);
    add(s.stack[0], A);
    ether_run(&s, 8 * SECOND);
    add(s.stack[1], A);
    ether_run(&s, 8 * SECOND);
    sock = weir_socket(s.stack[0], AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(weir_bind(s.stack[0], sock, &to), 0);
    sock = weir_socket(s.stack[1], AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(weir_bind(s.stack[1], sock, &to), -EADDRNOTAVAIL);
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_gives_up_an_address_resets_its_connections),
        cmocka_unit_test(an_address_that_is_kept_keeps_its_connections),
        cmocka_unit_test(the_second_that_wants_an_address_does_not_get_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
