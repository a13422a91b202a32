/* DHCP seen from outside: a stack that begins with nothing, a server that is written by hand. */
#include "support/ether.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "wire/wire.h"

#define SECOND 1000000ll
#define SERVER 0x0a000001u
#define GIVEN 0x0a000032u
#define FAR 0x08080808u

struct server {
    struct dhcp_msg heard[16];
    struct arp arp[32];
    int messages, arps;
    bool is_taken; /* somebody has GIVEN already */
    bool is_dead;
    bool has_bad_sum;
    uint8_t extra[64]; /* options */
    uint32_t extra_len;
};

static void put_udp(struct ether *s, const uint8_t *payload, uint32_t len)
{
    static uint8_t f[ETHER_FRAME_MAX];
    const struct server *server = s->user;
    struct eth e = {.dst = {255, 255, 255, 255, 255, 255}, .src = {2, 9}, .type = ETH_TYPE_IP4};
    struct ip4 ip = {.hdr_len = IP4_LEN,
                     .ttl = 64,
                     .proto = PROTO_UDP,
                     .total_len = (uint16_t)(IP4_LEN + UDP_LEN + len),
                     .src = SERVER,
                     .dst = 0xffffffff};
    struct udp u = {.sport = 67, .dport = 68, .len = (uint16_t)(UDP_LEN + len)};
    struct weir_addr src = weir_addr_v4(ip.src), dst = weir_addr_v4(ip.dst);
    uint8_t *l4 = f + ETH_LEN + IP4_LEN;
    uint16_t sum;

    eth_emit(f, &e);
    ip4_emit(f + ETH_LEN, &ip);
    udp_emit(l4, &u);
    memcpy(l4 + UDP_LEN, payload, len);
    sum = sum_finish(sum_add(pseudo_sum(&src, &dst, PROTO_UDP, u.len), l4, u.len));
    sum ^= server->has_bad_sum;
    memcpy(l4 + 6, &sum, 2);
    ether_put(s, f, ETH_LEN + ip.total_len);
}

static void answer(struct ether *s, const struct dhcp_msg *q)
{
    static const uint8_t tail[] = {54, 4, 10,  0,   0,   1, 51, 4, 0,  0, 14, 16,
                                   1,  4, 255, 255, 255, 0, 3,  4, 10, 0, 0,  254};
    const struct server *server = s->user;
    uint8_t p[DHCP_SEND_MAX + 200] = {2, 1, 6};
    uint32_t at = 240;

    put32(p + 4, q->xid);
    put32(p + 16, GIVEN);
    memcpy(p + 28, q->mac, 6);
    put32(p + 236, 0x63825363);
    memcpy(p + at, (uint8_t[]){53, 1, q->type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK}, 3);
    memcpy(p + at + 3, tail, sizeof tail);
    at += 3 + sizeof tail;
    memcpy(p + at, server->extra, server->extra_len);
    at += server->extra_len;
    p[at++] = 255;
    put_udp(s, p, at);
}

static void hear_udp(struct ether *s, const uint8_t *p, uint32_t len)
{
    struct server *server = s->user;
    struct dhcp_msg m;

    assert_int_equal(get16(p), 68);
    assert_int_equal(get16(p + 2), 67);
    assert_int_equal(dhcp_parse(&m, p + UDP_LEN, len - UDP_LEN), 0);
    server->heard[server->messages++ % 16] = m;
    if (!server->is_dead && (m.type == DHCP_DISCOVER || m.type == DHCP_REQUEST))
        answer(s, &m);
}

static void hear_arp(struct ether *s, const uint8_t *p)
{
    uint8_t f[ETH_LEN + ARP_LEN];
    struct eth e = {.dst = {2, 0, 0, 0, 0, 1}, .src = {2, 9}, .type = ETH_TYPE_ARP};
    struct server *server = s->user;
    struct arp a, reply = {.op = ARP_REPLY, .sha = {2, 9}};
    bool is_ours;

    assert_int_equal(arp_parse(&a, p, ARP_LEN), ARP_LEN);
    server->arp[server->arps++ % 32] = a;
    is_ours = a.tpa == SERVER || a.tpa == 0x0a0000fe || (a.tpa == GIVEN && server->is_taken);
    if (a.op != ARP_REQUEST || !is_ours)
        return;
    reply.spa = a.tpa;
    reply.tpa = a.spa;
    memcpy(reply.tha, a.sha, 6);
    eth_emit(f, &e);
    arp_emit(f + ETH_LEN, &reply);
    ether_put(s, f, sizeof f);
}

static bool on_frame(struct ether *s, int from, const uint8_t *bytes, uint32_t len)
{
    struct eth e;
    struct ip4 ip;

    if (from < 0)
        return false;
    eth_parse(&e, bytes, len);
    if (e.type == ETH_TYPE_ARP)
        hear_arp(s, bytes + ETH_LEN);
    else if (ip4_parse(&ip, bytes + ETH_LEN, len - ETH_LEN) == IP4_LEN && ip.proto == PROTO_UDP &&
             get16(bytes + ETH_LEN + IP4_LEN) == 68)
        hear_udp(s, bytes + ETH_LEN + IP4_LEN, ip.total_len - IP4_LEN);
    return true;
}

static struct weir_dhcp_lease lease_of(struct ether *s, int want)
{
    struct weir_dhcp_lease l;

    assert_int_equal(weir_dhcp_lease(s->stack[0], 1, &l), want);
    return l;
}

static void begin(struct ether *s, struct server *server)
{
    ether_open(s, 1);
    s->on_frame = on_frame;
    s->user = server;
    assert_int_equal(weir_dhcp_start(s->stack[0], 1, NULL), 0);
}

static int source_towards(struct ether *s, uint32_t dst, struct weir_sockaddr *local)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(dst), .port = 53};
    int sock = weir_socket(s->stack[0], AF_INET, SOCK_DGRAM, 0);
    int v = weir_connect(s->stack[0], sock, &to);

    weir_getsockname(s->stack[0], sock, local);
    weir_close(s->stack[0], sock);
    return v;
}

/* REQ:5227-2.1-1 REQ:1122-3.2.2.9-5 REQ:1122-3.2.2.9-6 */
static void a_lease_is_probed_for_and_then_address_and_route_are_there(void **state)
{
    struct server server = {.messages = 0};
    struct weir_sockaddr local;
    struct ether s;
    struct weir_dhcp_lease l;

    (void)state;
    begin(&s, &server);
    ether_run(&s, SECOND / 10);
    assert_int_equal(server.messages, 2);
    assert_string_equal(lease_of(&s, -EAGAIN).state, "checking");
    assert_true(source_towards(&s, FAR, &local) < 0);
    ether_run(&s, 8 * SECOND);
    l = lease_of(&s, 0);
    assert_int_equal(weir_addr_to_v4(&l.addr), GIVEN);
    assert_int_equal(l.prefix, 24);
    assert_int_equal(server.arps, 5); /* three probes, two announcements */
    assert_int_equal(server.arp[0].spa, 0);
    assert_int_equal(server.arp[4].spa, GIVEN);
    assert_int_equal(source_towards(&s, FAR, &local), 0);
    assert_int_equal(weir_addr_to_v4(&local.addr), GIVEN);
    ether_close(&s);
}

static void an_address_in_use_is_declined_and_never_used(void **state)
{
    struct server server = {.is_taken = true};
    struct weir_sockaddr local;
    struct ether s;

    (void)state;
    begin(&s, &server);
    ether_run(&s, 5 * SECOND);
    assert_int_equal(server.messages, 3);
    assert_int_equal(server.heard[2].type, DHCP_DECLINE);
    assert_true(source_towards(&s, SERVER, &local) < 0);
    ether_run(&s, 8 * SECOND);
    assert_int_equal(server.heard[3].type, DHCP_DISCOVER);
    assert_true(lease_of(&s, -EAGAIN).declines >= 1);
    ether_close(&s);
}

static void what_runs_out_is_used_no_more(void **state)
{
    struct server server = {.messages = 0};
    struct weir_sockaddr local;
    struct ether s;

    (void)state;
    begin(&s, &server);
    ether_run(&s, 10 * SECOND);
    server.is_dead = true;
    ether_run(&s, 3580 * SECOND);
    assert_int_equal(source_towards(&s, FAR, &local), 0);
    ether_run(&s, 20 * SECOND);
    assert_true(source_towards(&s, SERVER, &local) < 0);
    assert_int_equal(server.heard[(server.messages - 1) % 16].type, DHCP_DISCOVER);
    server.is_dead = false;
    ether_run(&s, 80 * SECOND);
    lease_of(&s, 0);
    ether_close(&s);
}

static void what_is_given_back_is_released_by_its_own_address(void **state)
{
    struct server server = {.messages = 0};
    struct weir_sockaddr local;
    struct ether s;

    (void)state;
    begin(&s, &server);
    ether_run(&s, 10 * SECOND);
    assert_int_equal(weir_dhcp_stop(s.stack[0], 1), 0);
    ether_run(&s, SECOND);
    assert_int_equal(server.heard[2].type, DHCP_RELEASE);
    assert_int_equal(server.heard[2].ciaddr, GIVEN);
    assert_true(source_towards(&s, SERVER, &local) < 0);
    ether_close(&s);
}

/* 3442: with classless routes the router option is not there. */
static void classless_routes_go_before_the_router(void **state)
{
    struct server server = {.extra = {121, 8, 24, 192, 0, 2, 10, 0, 0, 254, 26, 2, 5, 0},
                            .extra_len = 14};
    struct weir_sockaddr local;
    struct ether s;

    (void)state;
    begin(&s, &server);
    ether_run(&s, 10 * SECOND);
    assert_int_equal(source_towards(&s, 0xc0000205, &local), 0);
    assert_int_equal(source_towards(&s, FAR, &local), -ENETUNREACH);
    assert_int_equal(lease_of(&s, 0).mtu, 1280);
    ether_close(&s);
}

static void a_bad_checksum_is_heard_by_nobody(void **state)
{
    struct server server = {.has_bad_sum = true};
    struct ether s;

    (void)state;
    begin(&s, &server);
    ether_run(&s, 2 * SECOND);
    assert_int_equal(server.messages, 1);
    assert_string_equal(lease_of(&s, -EAGAIN).state, "selecting");
    ether_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_is_probed_for_and_then_address_and_route_are_there),
        cmocka_unit_test(an_address_in_use_is_declined_and_never_used),
        cmocka_unit_test(what_runs_out_is_used_no_more),
        cmocka_unit_test(what_is_given_back_is_released_by_its_own_address),
        cmocka_unit_test(classless_routes_go_before_the_router),
        cmocka_unit_test(a_bad_checksum_is_heard_by_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
