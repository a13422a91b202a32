/* A host's IP: what it takes, what it drops and how that is seen, how it is set up. 1122#3. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"
#include "weir/net.h"
#include "weir/trace.h"

#define STRANGER 0xc0000201u
#define FAR 0x0a000102u /* on the right */

static uint8_t bytes[DATAGRAM_MAX], text[DATAGRAM_MAX];

static const char *datagram_to(struct frames *f, uint32_t dst, uint16_t port)
{
    uint32_t n = build_udp(bytes, &(struct udp_spec){.dst = dst, .dport = port, .len = 20});

    return put(f, .dst = dst, .proto = PROTO_UDP, .l4 = bytes, .len = n);
}

/* -- what is for us ---------------------------------------------------------------------------- */

TEST(a_host_speaks_ip_and_icmp) /* REQ:1122-3.1-1 REQ:1122-3.3.8-1 REQ:1122-3.4-4 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct taken *t;
    uint32_t n;

    assert_null(datagram_to(f, US, 5000));
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), 20);
    assert_string_equal(datagram_to(f, US, 5001), "udp_no_port");
    t = take(f);
    assert_int_equal(t->l4[0], 3);
    assert_int_equal(t->l4[1], 3);
    n = build_icmp(bytes, 8, 0, 7, 30);
    assert_null(put(f, .proto = PROTO_ICMP, .l4 = bytes, .len = n));
    t = take(f);
    assert_int_equal(t->l4[0], 0);
    assert_int_equal(t->l4_len, n);
    frames_end(f);
}

/* Neither taken, nor answered, nor sent on; counted, and told to who looks. */
TEST(what_is_for_others_is_dropped_and_seen)
/* REQ:1122-3.2.1.3-4 REQ:1122-3.1-7 REQ:1122-3.1-8 REQ:1122-3.1-5 REQ:1122-3.1-6 */
{
    static const uint32_t others[] = {THEM, 0x0a000003, STRANGER, 0x0a0001ff, 0xe0000009};
    struct frames *f = frames_of(.mtu = 1500);
    struct weir_iface_config right = {.name = "right", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr at = weir_addr_v4(RIGHT);
    struct weir_event e[8];
    char line[64];

    f->ifaces = weir_iface_add(f->stack, &right); /* with two links it is no router yet */
    assert_int_equal(weir_addr_add(f->stack, f->ifaces, &at, 24), 0);
    assert_int_equal(weir_trace_start(f->stack, 64), 0);
    udp_socket(f, 5000);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(datagram_to(f, others[i], 5000), "ip_not_local");
        assert_null(take(f));
    }
    assert_int_equal(frames_drops(f, "ip_not_local"), 5);
    assert_int_equal(weir_trace_read(f->stack, e, 8), 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(weir_addr_to_v4(&e[i].local.addr), others[i]);
        assert_int_equal(weir_addr_to_v4(&e[i].peer.addr), THEM);
        weir_why_text(&e[i].why, line, sizeof line);
        assert_string_equal(line, "dropped: ip_not_local");
    }
    assert_int_equal(frames_stat(f, "IpInAddrErrors"), 5);
    frames_end(f);
}

TEST(a_router_is_what_the_knob_says) /* REQ:1122-3.1-5 REQ:1122-3.1-4 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);

    assert_null(datagram_to(f, FAR, 7)); /* the test's router has it on */
    assert_int_equal(take(f)->ifindex, 2);
    weir_knob_set(f->stack, "net.ipv4.ip_forward", "0");
    assert_string_equal(datagram_to(f, FAR, 7), "ip_not_local");
    frames_end(f);
}

TEST(withdrawn_queries_are_not_answered) /* REQ:1122-3.2.2.7-1 REQ:1122-3.2.2.9-4 */
{
    struct frames *f = frames_of(.mtu = 1500);

    for (uint8_t type = 13; type <= 18; type++) { /* timestamp, information, mask */
        uint32_t n = build_icmp(bytes, type, 0, 7, 12);

        assert_string_equal(put(f, .proto = PROTO_ICMP, .l4 = bytes, .len = n), "icmp_ignored");
        assert_null(take(f));
    }
    frames_end(f);
}

/* -- parameter problems ------------------------------------------------------------------------ */

/* The pointer says at which byte of the header; nobody hears of what was not for us alone. */
TEST(who_sends_malformed_options_is_told_where) /* REQ:1122-3.2.2.5-1 REQ:792-ParamProblem-1 */
{
    static const struct {
        const char *options;
        uint32_t len, pointer;
    } rows[] = {
        {"\x5e\x09xx", 4, 21},                        /* longer than the header */
        {"\x5e\x01xx", 4, 21},                        /* no length at all */
        {"\1\1\1\x5e", 4, 24},                        /* cut off */
        {"\x94\x04\0\0\x07\x07\x03\0\0\0\0", 12, 26}, /* a pointer into the option's head */
        {"\1\x44\x05\x04\0\0\0", 8, 23},
    };
    struct frames *f = frames_of(.mtu = 1500);
    uint32_t n = build_udp(bytes, &(struct udp_spec){.dport = 5000, .len = 20});
    struct packet_spec s = {.proto = PROTO_UDP, .l4 = bytes, .len = n};
    struct taken *t;

    udp_socket(f, 5000);
    for (int i = 0; i < 5; i++) {
        s.options = (const uint8_t *)rows[i].options;
        s.options_len = rows[i].len;
        s.dst = 0;
        assert_string_equal(put_packet(f, &s), "ip_option");
        t = take(f);
        assert_int_equal(t->ip.src, US);
        assert_int_equal(t->l4[0], 12);
        assert_int_equal(t->l4[1], 0);
        assert_int_equal(t->l4[4], rows[i].pointer);
        assert_memory_equal(t->l4 + ICMP_LEN + IP4_LEN, rows[i].options, rows[i].len);
        s.dst = 0x0a0000ff;
        assert_string_equal(put_packet(f, &s), "ip_option");
        s.dst = 0x0a000077;
        assert_string_equal(put_packet(f, &s), "ip_option");
        assert_null(take(f));
    }
    frames_end(f);
}

TEST(a_router_tells_it_too)
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);
    uint32_t n = build_udp(bytes, &(struct udp_spec){.dst = FAR, .dport = 5000, .len = 20});
    struct taken *t;

    assert_string_equal(put(f, .dst = FAR, .proto = PROTO_UDP, .l4 = bytes, .len = n,
                            .options = (const uint8_t *)"\x5e\x09xx", .options_len = 4),
                        "ip_option");
    t = take(f);
    assert_int_equal(t->ifindex, 1);
    assert_int_equal(t->ip.src, US);
    assert_int_equal(t->ip.dst, THEM);
    assert_int_equal(t->l4[0], 12);
    frames_end(f);
}

/* -- what errors are for ----------------------------------------------------------------------- */

static int errors_of(struct frames *f, int sock)
{
    struct weir_sock_error e = {.error = 0};

    return weir_recverr(f->stack, sock, text, sizeof text, &e) < 0 ? 0 : e.error;
}

/* A socket of each protocol, all with the same numbers: only the one that is quoted hears of it,
 * and of all that came back. */
TEST(an_error_goes_to_the_transport_that_it_quotes)
/* REQ:1122-3.2.2-4 REQ:1122-3.4-5 REQ:1122-3.2.2.4-1 REQ:1122-3.2.2.5-2 REQ:1122-3.2.2.5-3 */
{
    static const struct {
        uint8_t type, code;
        int error;
    } errors[] = {
        {11, 0, EHOSTUNREACH}, {11, 1, EHOSTUNREACH}, {12, 0, EPROTO}, {3, 1, EHOSTUNREACH}};
    struct frames *f = frames_of(.mtu = 1500);
    int on = 1, sock[2] = {udp_socket(f, 5000), weir_socket(f->stack, AF_INET, SOCK_DGRAM, 1)};
    struct weir_sockaddr id = {.addr = weir_addr_v4(0), .port = 5000};
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 7};
    uint8_t echo[ICMP_LEN + 100], message[200];

    assert_int_equal(weir_bind(f->stack, sock[1], &id), 0);
    build_icmp(echo, 8, 0, 0, 100);
    for (int i = 0; i < 2; i++)
        weir_setsockopt(f->stack, sock[i], IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    for (int i = 0; i < 8; i++) {
        uint32_t n;

        if (i & 1)
            weir_sendto(f->stack, sock[1], echo, sizeof echo, 0, &to);
        else
            send_pattern(f, sock[0], THEM, 7, 100);
        n = build_error(message, &(struct error_spec){errors[i / 2].type, errors[i / 2].code, 0,
                                                      take(f)->bytes, 128});
        assert_null(put(f, .src = STRANGER, .proto = PROTO_ICMP, .l4 = message, .len = n));
        assert_int_equal(errors_of(f, sock[!(i & 1)]), 0);
        assert_int_equal(errors_of(f, sock[i & 1]), errors[i / 2].error);
        assert_true(is_pattern(text, 100));
    }
    frames_end(f);
}

/* -- how it is set up -------------------------------------------------------------------------- */

static uint32_t next_hop_to(struct frames *f, int sock, uint32_t to)
{
    struct taken *t;
    struct arp a;

    send_pattern(f, sock, to, 7, 1);
    t = take(f);
    assert_non_null(t);
    assert_int_equal(arp_parse(&a, t->bytes + ETH_LEN, ARP_LEN), ARP_LEN);
    frames_advance(f, 100000000); /* nobody answers, and that is forgotten */
    while (take(f))
        continue;
    return a.tpa;
}

/* All by hand: address, mask, gateway; and what is set decides where packets go. */
TEST(addresses_masks_and_gateways_are_what_was_typed) /* REQ:1122-3.2.2.9-5 REQ:1122-3.3.1.6-1
                                                         REQ:1122-3.2.2.9-1 */
{
    static const struct {
        int mask;
        uint32_t near, far, broadcast;
    } rows[] = {{8, 0x0a7f0001, 0x0b000001, 0x0affffff},
                {23, 0x0a000101, 0x0a000201, 0x0a0001ff},
                {28, 0x0a00000e, 0x0a000010, 0x0a00000f},
                {30, THEM, 0x0a000004, 0x0a000003}};

    for (int i = 0; i < 4; i++) {
        struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
        struct weir_addr us = weir_addr_v4(US), all = weir_addr_v4(0), gw = weir_addr_v4(THEM);
        int sock = udp_socket(f, 5000);

        assert_int_equal(weir_addr_remove(f->stack, 1, &us), 0);
        assert_int_equal(weir_route_remove(f->stack, &all, 0, NULL, 0), 0);
        assert_int_equal(send_pattern(f, sock, THEM, 7, 1), -ENETUNREACH);
        assert_int_equal(weir_addr_add(f->stack, 1, &us, rows[i].mask), 0);
        assert_int_equal(weir_route_add(f->stack, &all, 0, &gw, 1, 0), 0);
        assert_int_equal(next_hop_to(f, sock, rows[i].near), rows[i].near);
        assert_int_equal(next_hop_to(f, sock, rows[i].far), THEM);
        assert_int_equal(send_pattern(f, sock, rows[i].broadcast, 7, 1), -EACCES);
        frames_end(f);
    }
}

/* A mask is a number of bits, so it has no holes; more than there are is refused, and where a net
 * has no host numbers to spare there is no broadcast address: 3021. */
TEST(masks_that_can_not_be_are_refused) /* REQ:1122-3.2.2.9-3 */
{
    struct frames *f = frames_of(.mtu = 1500);
    struct weir_addr a = weir_addr_v4(0x0a000501);
    int sock = udp_socket(f, 5000);

    assert_int_equal(weir_addr_add(f->stack, 1, &a, 33), -EINVAL);
    assert_int_equal(weir_addr_add(f->stack, 1, &a, -1), -EINVAL);
    assert_int_equal(weir_addr_add(f->stack, 1, &a, 31), 0);
    assert_int_equal(send_pattern(f, sock, 0x0a000500, 7, 1), 1);
    assert_int_equal(take(f)->ip.src, 0x0a000501);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("rfc_ip");
}
