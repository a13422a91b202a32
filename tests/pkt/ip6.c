/* IPv6 at a host: extension headers, ICMPv6, datagrams, errors to sockets. 8200, 4443, 8201. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "frames6.h"

static uint8_t bytes[DATAGRAM_MAX];

/* REQ:4443-4.1-1 REQ:4443-4.2-1 REQ:4443-4.2-4 REQ:4443-2.2-1 */
TEST(an_echo_request_is_answered_with_all_it_brought)
{
    static const uint32_t sizes[] = {0, 1, 56, 1452, 30000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct frames *f = frames_of(.has_v6 = true, .mtu = 40000);
        uint32_t len = build_icmp6(
            bytes, &(struct icmp6_spec){.type = ICMP6_ECHO, .rest = 0x12340001, .len = sizes[i]});
        struct taken *t;

        assert_null(put6(f, .proto = PROTO_ICMP6, .l4 = bytes, .len = len, .tclass = 0xb8));
        t = take(f);
        assert_non_null(t);
        assert_true(t->is_v6);
        assert_int_equal(t->l4[0], ICMP6_ECHO_REPLY);
        assert_int_equal(t->l4_len, len);
        assert_int_equal(get32(t->l4 + 4), 0x12340001);
        assert_true(is_pattern(t->l4 + ICMP_LEN, sizes[i]));
        assert_int_equal(sum_of_taken6(t), 0);
        assert_int_equal(t->ip6.hop_limit, 64);
        frames_end(f);
    }
}

/* REQ:4443-2.2-2 */
TEST(an_echo_request_to_all_nodes_is_answered_from_our_address) /* REQ:4443-4.2-2 REQ:4443-4.2-3 */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint32_t len = build_icmp6(
        bytes, &(struct icmp6_spec){.dst = "ff02::1", .type = ICMP6_ECHO, .rest = 7, .len = 9});
    struct weir_addr us = addr6(US6);
    struct taken *t;

    assert_null(put6(f, .dst = "ff02::1", .proto = PROTO_ICMP6, .l4 = bytes, .len = len));
    t = take(f);
    assert_non_null(t);
    assert_true(weir_addr_equal(&t->ip6.src, &us));
    assert_int_equal(sum_of_taken6(t), 0);
    frames_end(f);
}

TEST(a_wrong_checksum_is_no_message) /* REQ:8200-8.1-4 */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint32_t len = build_icmp6(bytes, &(struct icmp6_spec){.type = ICMP6_ECHO, .len = 9});

    bytes[len - 1] ^= 1;
    assert_string_equal(put6(f, .proto = PROTO_ICMP6, .l4 = bytes, .len = len), "icmp_checksum");
    /* right without a pseudo header, as ICMP's is */
    bytes[len - 1] ^= 1;
    put16(bytes + 2, 0);
    put16(bytes + 2, sum_of(bytes, len));
    assert_string_equal(put6(f, .proto = PROTO_ICMP6, .l4 = bytes, .len = len), "icmp_checksum");
    frames_end(f);
}

/* An ICMPv6 error of this type and code is the one frame that was sent; its pointer. */
static uint32_t expect_error(struct frames *f, uint8_t type, uint8_t code)
{
    struct taken *t = take(f);

    assert_non_null(t);
    assert_true(t->is_v6);
    assert_int_equal(t->ip6.next, PROTO_ICMP6);
    assert_int_equal(t->l4[0], type);
    assert_int_equal(t->l4[1], code);
    assert_int_equal(sum_of_taken6(t), 0);
    return get32(t->l4 + 4);
}

TEST(a_port_of_nobody_is_unreachable) /* REQ:4443-3.1-3 REQ:4443-2.4-3 */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint32_t len = build_udp6(bytes, &(struct udp_spec){.sport = 5, .dport = 6, .len = 1400}, NULL,
                              NULL);
    struct taken *t;

    assert_string_equal(put6(f, .proto = PROTO_UDP, .l4 = bytes, .len = len), "udp_no_port");
    t = take(f);
    assert_int_equal(t->l4[0], ICMP6_UNREACH);
    assert_int_equal(t->l4[1], UNREACH6_PORT);
    assert_int_equal(t->len, IP6_MTU_MIN); /* as much of it as any path takes */
    assert_memory_equal(t->l4 + ICMP_LEN + IP6_LEN, bytes, IP6_MTU_MIN - 2 * IP6_LEN - ICMP_LEN);
    assert_int_equal(sum_of_taken6(t), 0);
    frames_end(f);
}

TEST(an_unknown_next_header_is_named) /* REQ:8200-4-5 REQ:4443-3.4-1 REQ:4443-3.4-2 */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint8_t options[8] = {50, 0, 1, 4};

    assert_string_equal(put6(f, .proto = 50, .l4 = bytes, .len = 9), "ip_protocol");
    assert_int_equal(expect_error(f, ICMP6_PARAM, PARAM6_NEXT), 6);
    assert_string_equal(put6(f, .proto = NEXT_OPTS, .l4 = options, .len = 8), "ip_protocol");
    assert_int_equal(expect_error(f, ICMP6_PARAM, PARAM6_NEXT), IP6_LEN);
    assert_string_equal(put6(f, .proto = PROTO_ICMP, .l4 = bytes, .len = 9), "ip_protocol");
    expect_error(f, ICMP6_PARAM, PARAM6_NEXT);
    frames_end(f);
}

TEST(options_and_routes_that_must_not_pass_are_told) /* REQ:8200-4.2-2 REQ:8200-4.4-2 REQ:4443-2.4-7
                                                      */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint8_t option[8] = {PROTO_UDP, 0, 0x9e, 4}, route[24] = {PROTO_UDP, 2, 0, 1};

    assert_string_equal(put6(f, .proto = NEXT_OPTS, .l4 = option, .len = 8), "ip6_option");
    assert_int_equal(expect_error(f, ICMP6_PARAM, PARAM6_OPTION), IP6_LEN + 2);
    assert_string_equal(put6(f, .dst = "ff02::1", .proto = NEXT_OPTS, .l4 = option, .len = 8),
                        "ip6_option");
    expect_error(f, ICMP6_PARAM, PARAM6_OPTION); /* 10: even to a group */
    option[2] = 0xde;
    assert_string_equal(put6(f, .dst = "ff02::1", .proto = NEXT_OPTS, .l4 = option, .len = 8),
                        "ip6_option");
    assert_null(take(f)); /* 11 */
    assert_string_equal(put6(f, .proto = NEXT_ROUTING, .l4 = route, .len = 24), "ip6_routing");
    assert_int_equal(expect_error(f, ICMP6_PARAM, PARAM6_FIELD), IP6_LEN + 2);
    assert_string_equal(put6(f, .proto = NEXT_NONE, .l4 = bytes, .len = 24), "ip6_none");
    frames_end(f);
}

/* REQ:4443-2.4-5 REQ:4443-2.4-6 REQ:4443-2.4-7 REQ:4443-2.4-9 */
TEST(no_error_about_errors_groups_and_nobody)
{
    struct frames *f = frames_of(.has_v6 = true);
    uint8_t option[16] = {PROTO_ICMP6, 0, 0xde, 4, [8] = ICMP6_UNREACH};
    uint32_t len = build_udp6(bytes, &(struct udp_spec){.sport = 5, .dport = 6, .len = 9}, NULL,
                              "ff02::1");

    assert_string_equal(put6(f, .proto = NEXT_OPTS, .l4 = option, .len = 16), "ip6_option");
    option[8] = ICMP6_ND_LAST;
    assert_string_equal(put6(f, .proto = NEXT_OPTS, .l4 = option, .len = 16), "ip6_option");
    option[8] = ICMP6_ECHO;
    assert_string_equal(put6(f, .proto = NEXT_OPTS, .l4 = option, .len = 16), "ip6_option");
    expect_error(f, ICMP6_PARAM, PARAM6_OPTION); /* about a question: yes */
    assert_string_equal(put6(f, .dst = "ff02::1", .proto = PROTO_UDP, .l4 = bytes, .len = len),
                        "udp_no_listener");
    assert_string_equal(put6(f, .dst = "ff02::1", .proto = 50, .l4 = bytes, .len = len),
                        "ip_protocol");
    assert_string_equal(put6(f, .src = "::", .proto = 50, .l4 = bytes, .len = len),
                        "ip_martian_source");
    assert_string_equal(put6(f, .src = "ff02::5", .proto = 50, .l4 = bytes, .len = len),
                        "ip_martian_source");
    frames_end(f);
}

TEST(addresses_that_can_not_be_are_refused)
{
    static const struct {
        const char *src, *dst, *why;
    } rows[] = {{"::1", US6, "ip_martian_source"},   {"::ffff:10.0.0.2", US6, "ip_martian_source"},
                {US6, US6, "ip_martian_source"},     {THEM6, "::1", "ip_not_local"},
                {THEM6, "::", "ip_not_local"},       {THEM6, "::ffff:10.0.0.1", "ip_not_local"},
                {THEM6, "fd00::77", "ip_not_local"}, {THEM6, "ff01::1", "ip_not_local"},
                {THEM6, "ff02::1:2", "ip_not_local"}};
    struct frames *f = frames_of(.has_v6 = true);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t len = build_udp6(bytes, &(struct udp_spec){.sport = 5, .dport = 6, .len = 9}, NULL,
                                  NULL);

        assert_string_equal(put6(f, .src = rows[i].src, .dst = rows[i].dst, .proto = PROTO_UDP,
                                 .l4 = bytes, .len = len),
                            rows[i].why);
    }
    frames_end(f);
}

static const char *verdict_of(struct frames *f, const struct taken *t, uint8_t type, uint8_t code,
                              uint32_t rest)
{
    uint8_t quote[1232], message[1280];
    uint32_t n = t->len < sizeof quote ? t->len : sizeof quote, len;

    memcpy(quote, t->bytes, n);
    len = build_icmp6(
        message,
        &(struct icmp6_spec){
            .src = "fd00::fe", .type = type, .code = code, .rest = rest, .data = quote, .len = n});
    return put6(f, .src = "fd00::fe", .proto = PROTO_ICMP6, .l4 = message, .len = len);
}

static void send_back(struct frames *f, const struct taken *t, uint8_t type, uint8_t code,
                      uint32_t rest)
{
    assert_null(verdict_of(f, t, type, code, rest));
}

/* REQ:8201-1-1 REQ:8201-4-4 */
TEST(a_datagram_is_cut_to_the_path_that_an_error_told) /* REQ:8200-5-3 REQ:8200-4.5-3 REQ:4443-3.2-2
                                                        */
{
    struct frames *f = frames_of(.has_v6 = true);
    int s = udp6_socket(f, 7000);
    uint32_t id, sum = 0;
    struct taken *t;

    assert_int_equal(send_pattern6(f, s, "fd00:5::1", 9, 1400), 1400);
    t = take(f);
    assert_int_equal(t->ip6.next, PROTO_UDP);
    assert_int_equal(sum_of_taken6(t), 0);
    send_back(f, t, ICMP6_TOO_BIG, 0, 1300);
    assert_int_equal(send_pattern6(f, s, "fd00:5::1", 9, 1400), 1400);
    for (uint32_t at = 0; at < 1408; at += 1248) {
        t = take(f);
        assert_non_null(t);
        assert_int_equal(t->ip6.next, NEXT_FRAGMENT);
        assert_true(t->len <= 1300);
        assert_int_equal(t->l4[0], PROTO_UDP);
        assert_int_equal(get16(t->l4 + 2), at | (at ? 0 : IP6_FRAG_MORE));
        id = get32(t->l4 + 4);
        sum += at ? id : 0u - id;
    }
    assert_int_equal(sum, 0);
    weir_close(f->stack, s);
    frames_end(f);
}

/* A lie makes nobody send crumbs, nor less than it did. */
TEST(no_path_is_narrower_than_1280) /* REQ:8201-4-2 REQ:8201-4-3 */
{
    static const uint32_t lies[] = {0, 68, 1279};
    struct frames *f = frames_of(.has_v6 = true);
    int s = udp6_socket(f, 7000);

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        send_pattern6(f, s, "fd00:5::1", 9, 1400);
        assert_string_equal(verdict_of(f, take(f), ICMP6_TOO_BIG, 0, lies[i]), "icmp_ignored");
        send_pattern6(f, s, "fd00:5::1", 9, 1400);
        assert_int_equal(take(f)->len, 1448);
    }
    send_pattern6(f, s, "fd00:5::1", 9, 1400);
    send_back(f, take(f), ICMP6_TOO_BIG, 0, 1280);
    send_pattern6(f, s, "fd00:5::1", 9, 1232);
    assert_int_equal(take(f)->len, 1280);
    weir_close(f->stack, s);
    frames_end(f);
}

/* REQ:4443-3.1-5 REQ:4443-3.3-2 REQ:4443-3.4-3 REQ:4443-2.4-4 */
TEST(errors_reach_who_sent_as_linux_has_them)
{
    static const struct {
        uint8_t type, code;
        int error;
    } rows[] = {
        {ICMP6_UNREACH, UNREACH6_ADMIN, EACCES},  {ICMP6_UNREACH, UNREACH6_PORT, ECONNREFUSED},
        {ICMP6_UNREACH, UNREACH6_POLICY, EACCES}, {ICMP6_UNREACH, UNREACH6_REJECT, EACCES},
        {ICMP6_PARAM, PARAM6_NEXT, EPROTO},       {ICMP6_UNREACH, UNREACH6_ROUTE, 0},
        {ICMP6_UNREACH, UNREACH6_ADDR, 0},        {ICMP6_TIME, 0, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames *f = frames_of(.has_v6 = true);
        struct weir_sockaddr to = {.addr = addr6("fd00:5::1"), .port = 9};
        int s = udp6_socket(f, 7000), error = -1;
        size_t len = sizeof error;

        assert_int_equal(weir_connect(f->stack, s, &to), 0);
        assert_int_equal(weir_send(f->stack, s, "x", 1, 0), 1);
        send_back(f, take(f), rows[i].type, rows[i].code, 0);
        assert_int_equal(weir_getsockopt(f->stack, s, SOL_SOCKET, SO_ERROR, &error, &len), 0);
        assert_int_equal(error, rows[i].error);
        weir_close(f->stack, s);
        frames_end(f);
    }
}

TEST(the_error_queue_says_who_and_what)
{
    struct frames *f = frames_of(.has_v6 = true);
    int s = udp6_socket(f, 7000), on = 1;
    struct weir_addr router = addr6("fd00::fe");
    struct weir_sock_error e;
    uint8_t text[16];

    assert_int_equal(weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on), 0);
    assert_int_equal(send_pattern6(f, s, "fd00:5::1", 9, 11), 11);
    send_back(f, take(f), ICMP6_TIME, 0, 0);
    assert_int_equal(weir_recverr(f->stack, s, text, sizeof text, &e), 11);
    assert_int_equal(e.error, EHOSTUNREACH);
    assert_int_equal(e.origin, 3); /* SO_EE_ORIGIN_ICMP6 */
    assert_int_equal(e.type, ICMP6_TIME);
    assert_true(weir_addr_equal(&e.offender, &router));
    assert_int_equal(e.to.port, 9);
    assert_true(is_pattern(text, 11));
    weir_close(f->stack, s);
    frames_end(f);
}

TEST(a_datagram_without_a_checksum_is_refused) /* REQ:8200-8.1-3 */
{
    struct frames *f = frames_of(.has_v6 = true);
    int s = udp6_socket(f, 6);
    uint32_t len = build_udp6(bytes, &(struct udp_spec){.sport = 5, .dport = 6, .len = 9}, NULL,
                              NULL);

    assert_null(put6(f, .proto = PROTO_UDP, .l4 = bytes, .len = len));
    bytes[6] = bytes[7] = 0;
    assert_string_equal(put6(f, .proto = PROTO_UDP, .l4 = bytes, .len = len), "udp_checksum");
    weir_close(f->stack, s);
    frames_end(f);
}

TEST(what_is_said_of_hops_and_class_is_on_the_wire) /* REQ:8200-7-1 */
{
    struct frames *f = frames_of(.has_v6 = true);
    int s = udp6_socket(f, 7000), hops = 3, class = 0xb8, value = 0;
    size_t len = sizeof value;
    struct taken *t;

    assert_int_equal(weir_getsockopt(f->stack, s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, &len),
                     0);
    assert_int_equal(value, 64);
    assert_int_equal(
        weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops), 0);
    assert_int_equal(weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class),
                     0);
    send_pattern6(f, s, THEM6, 9, 1);
    t = take(f);
    assert_int_equal(t->ip6.hop_limit, 3);
    assert_int_equal(t->ip6.tclass, 0xb8);
    weir_close(f->stack, s);
    frames_end(f);
}

/* REQ:4443-4.2-5 */
TEST(a_ping_socket_asks_and_hears_the_reply) /* REQ:4443-4.1-2 */
{
    struct frames *f = frames_of(.has_v6 = true);
    struct weir_sockaddr to = {.addr = addr6(THEM6)};
    int s = weir_socket(f->stack, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
    uint8_t ask[12] = {ICMP6_ECHO, 0, 0, 0, 0, 0, 0, 1, 'w', 'e', 'i', 'r'}, got[64];
    struct taken *t;
    uint32_t len;

    assert_true(s >= 0);
    assert_int_equal(weir_sendto(f->stack, s, ask, sizeof ask, 0, &to), sizeof ask);
    t = take(f);
    assert_int_equal(t->ip6.next, PROTO_ICMP6);
    assert_int_equal(sum_of_taken6(t), 0);
    len = build_icmp6(
        bytes, &(struct icmp6_spec){
                   .type = ICMP6_ECHO_REPLY, .rest = get32(t->l4 + 4), .data = "weir", .len = 4});
    assert_null(put6(f, .proto = PROTO_ICMP6, .l4 = bytes, .len = len));
    assert_int_equal(weir_recv(f->stack, s, got, sizeof got, 0), sizeof ask);
    assert_memory_equal(got + ICMP_LEN, "weir", 4);
    weir_close(f->stack, s);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("ip6");
}
