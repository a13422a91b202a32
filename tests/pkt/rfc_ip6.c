/* IPv6 and ICMPv6 at a host, rule by rule: headers in every order, sums, labels, errors that we do
 * not know, how many we send. 8200, 4443, 6437. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "frames6.h"

static uint8_t bytes[DATAGRAM_MAX], text[DATAGRAM_MAX];

/* -- headers ----------------------------------------------------------------------------------- */

TEST(a_hop_limit_of_zero_is_enough_at_the_end) /* REQ:8200-3-2 */
{
    struct frames *f = frames_of(.has_v6 = true);
    int sock = udp6_socket(f, 5000);
    struct udp_spec udp = {.sport = 7, .dport = 5000, .len = 10};
    struct packet6_spec s = {
        .proto = PROTO_UDP, .l4 = bytes, .len = build_udp6(bytes, &udp, NULL, NULL)};
    uint8_t packet[100];
    uint32_t n = build_quote6(packet, &s);

    packet[7] = 0;
    assert_null(put_frame(f, packet, n));
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), 10);
    frames_end(f);
}

TEST(packets_as_large_as_the_link_are_taken) /* REQ:8200-5-2 REQ:8200-5-1 */
{
    static const uint32_t mtus[] = {1280, 1500, 9000, 65535};

    for (size_t i = 0; i < sizeof mtus / sizeof *mtus; i++) {
        struct frames *f = frames_of(.mtu = mtus[i], .has_v6 = true);
        int sock = udp6_socket(f, 5000);
        struct udp_spec s = {.sport = 7, .dport = 5000, .len = mtus[i] - IP6_LEN - UDP_LEN};
        uint32_t len = build_udp6(bytes, &s, NULL, NULL);

        assert_null(put6(f, .proto = PROTO_UDP, .l4 = bytes, .len = len));
        assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), s.len);
        assert_true(is_pattern(text, s.len));
        assert_int_equal(weir_iface_set_mtu(f->stack, 1, 1279), -EINVAL);
        frames_end(f);
    }
}

TEST(a_link_below_1280_is_not_for_ipv6) /* REQ:8200-5-1 */
{
    struct frames *f = frames_of(.mtu = 1279);
    struct weir_addr us = addr6(US6);

    assert_int_equal(weir_addr_add(f->stack, 1, &us, 64), -EINVAL);
    assert_int_equal(weir_iface_set_mtu(f->stack, 1, 1280), 0);
    assert_int_equal(weir_addr_add(f->stack, 1, &us, 64), 0);
    frames_end(f);
}

/* Puts a header of 8 bytes at `p` in front of `next`; its type is `kind`. */
static void put_header(uint8_t *p, uint8_t kind, uint8_t next)
{
    static const uint8_t padding[6] = {1, 4}, done[6] = {0, 0};

    p[0] = next;
    p[1] = 0;
    memcpy(p + 2, kind == NEXT_OPTS || kind == NEXT_HOP_BY_HOP ? padding : done, 6);
}

/* All orders of up to four headers, each as often as it likes. A second fragment header is refused,
 * whoever needs it hides something. */
TEST(headers_come_in_any_order_and_number) /* REQ:8200-4.1-2 */
{
    static const uint8_t kinds[] = {NEXT_OPTS, NEXT_ROUTING, NEXT_FRAGMENT};
    struct frames *f = frames_of(.has_v6 = true);
    int sock = udp6_socket(f, 5000);
    struct udp_spec s = {.sport = 7, .dport = 5000, .len = 10};

    for (int order = 0; order < 81; order++) {
        for (int is_hop = 0; is_hop < 2; is_hop++) {
            uint8_t kind[6] = {NEXT_HOP_BY_HOP}, packet[100];
            int n = is_hop, fragments = 0;
            const char *v;

            for (int k = 0, left = order; k < 4; k++, left /= 3)
                kind[n++] = kinds[left % 3];
            kind[n] = PROTO_UDP;
            for (int k = 0; k < n; k++) {
                put_header(packet + 8 * k, kind[k], kind[k + 1]);
                fragments += kind[k] == NEXT_FRAGMENT;
            }
            build_udp6(packet + 8 * n, &s, NULL, NULL);
            v = put6(f, .proto = kind[0], .l4 = packet, .len = (uint32_t)n * 8 + UDP_LEN + 10);
            if (fragments > 1) {
                assert_string_equal(v, "ip6_header");
                continue;
            }
            assert_null(v);
            assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), 10);
        }
    }
    frames_end(f);
}

static void expect_error(struct frames *f, uint8_t type, uint8_t code, uint32_t rest)
{
    struct taken *t = take(f);

    assert_non_null(t);
    assert_int_equal(t->l4[0], type);
    assert_int_equal(t->l4[1], code);
    assert_int_equal(get32(t->l4 + 4), rest);
    assert_null(take(f));
}

/* Hop-by-hop anywhere but first is no header; and what stands first is judged first, though what
 * stands behind it is as bad. */
TEST(headers_are_judged_in_their_order) /* REQ:8200-4-4 REQ:8200-4.1-2 */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint8_t option[8] = {NEXT_ROUTING, 0, 0x9e, 4}, route[8] = {PROTO_UDP, 0, 0, 1}, packet[40];

    memcpy(packet, option, 8);
    memcpy(packet + 8, route, 8);
    assert_string_equal(put6(f, .proto = NEXT_OPTS, .l4 = packet, .len = 40), "ip6_option");
    expect_error(f, ICMP6_PARAM, PARAM6_OPTION, IP6_LEN + 2);
    memcpy(packet, route, 8);
    packet[0] = NEXT_OPTS;
    memcpy(packet + 8, option, 8);
    packet[8] = PROTO_UDP;
    assert_string_equal(put6(f, .proto = NEXT_ROUTING, .l4 = packet, .len = 40), "ip6_routing");
    expect_error(f, ICMP6_PARAM, PARAM6_FIELD, IP6_LEN + 2);
    put_header(packet, NEXT_OPTS, NEXT_HOP_BY_HOP);
    memcpy(packet + 8, option, 8);
    packet[8] = PROTO_UDP;
    assert_string_equal(put6(f, .proto = NEXT_OPTS, .l4 = packet, .len = 40), "ip6_header");
    expect_error(f, ICMP6_PARAM, PARAM6_NEXT, IP6_LEN);
    frames_end(f);
}

TEST(an_answer_goes_back_without_the_route_that_it_came) /* REQ:8200-8.4-1 */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint8_t packet[200] = {PROTO_ICMP6, 2, 0, 0};
    struct taken *t;
    uint32_t n;

    put_header(packet, NEXT_ROUTING, PROTO_ICMP6);
    packet[1] = 2; /* with an address, which is done */
    packet[23] = 9;
    n = build_icmp6(packet + 24, &(struct icmp6_spec){.type = ICMP6_ECHO, .len = 20});
    assert_null(put6(f, .proto = NEXT_ROUTING, .l4 = packet, .len = 24 + n));
    t = take(f);
    assert_int_equal(t->ip6.next, PROTO_ICMP6);
    assert_int_equal(t->l4[0], ICMP6_ECHO_REPLY);
    frames_end(f);
}

/* -- what is sent ------------------------------------------------------------------------------ */

/* The one header of options that we send, with membership reports: first, once, and what is missing
 * to 8 bytes is one option. */
TEST(a_report_bears_one_header_of_options) /* REQ:8200-4.2-5 REQ:8200-4.1-1 */
{
    static const uint8_t want[8] = {PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0};
    struct frames *f = frames_of(.is_ether = true, .has_v6 = true, .hears_mld = true);
    struct ipv6_mreq r = {.ipv6mr_interface = 1};
    struct weir_addr group = addr6("ff05::5");
    int s = udp6_socket(f, 5000), reports = 0;
    struct taken *t;

    while (take(f))
        ;
    memcpy(&r.ipv6mr_multiaddr, &group, sizeof group);
    assert_int_equal(weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof r), 0);
    for (frames_advance(f, 3000000); (t = take(f));) {
        if (t->ip6.next != NEXT_HOP_BY_HOP)
            continue;
        assert_memory_equal(t->l4, want, sizeof want);
        assert_int_equal(t->l4[8], 143);
        reports++;
    }
    assert_true(reports >= 1);
    frames_end(f);
}

/* A checksum that comes to zero is written as all ones: the text is chosen so that it does. */
TEST(a_checksum_of_zero_is_sent_as_ones) /* REQ:8200-8.1-2 */
{
    struct frames *f = frames_of(.has_v6 = true);
    struct weir_sockaddr to = {.addr = addr6(THEM6), .port = 7};
    int s = udp6_socket(f, 5000);
    uint8_t word[2] = {0, 0};
    struct taken *t;

    assert_int_equal(weir_sendto(f->stack, s, word, 2, 0, &to), 2);
    t = take(f);
    assert_int_equal(sum_of_taken6(t), 0);
    memcpy(word, t->l4 + 6, 2);
    assert_int_equal(weir_sendto(f->stack, s, word, 2, 0, &to), 2);
    t = take(f);
    assert_int_equal(get16(t->l4 + 6), 0xffff);
    assert_int_equal(sum_of_taken6(t), 0);
    frames_end(f);
}

static uint32_t label_of_syn(struct frames *f, uint16_t port)
{
    struct weir_sockaddr to = {.addr = addr6(THEM6), .port = port};
    int s = weir_socket(f->stack, AF_INET6, SOCK_STREAM, 0);
    uint32_t label;

    assert_int_equal(weir_connect(f->stack, s, &to), -EINPROGRESS);
    label = take(f)->ip6.flow;
    frames_advance(f, 1000000); /* the same SYN again */
    assert_int_equal(take(f)->ip6.flow, label);
    weir_abort(f->stack, s);
    return label;
}

TEST(a_connection_has_a_label_of_its_own) /* REQ:8200-6-1 */
{
    struct frames *f = frames_of(.has_v6 = true);
    uint32_t one = label_of_syn(f, 80), other = label_of_syn(f, 81);

    assert_int_not_equal(one, 0);
    assert_int_not_equal(one, other);
    assert_int_equal(weir_knob_set(f->stack, "net.ipv6.auto_flowlabels", "0"), 0);
    assert_int_equal(label_of_syn(f, 82), 0);
    frames_end(f);
}

/* -- ICMPv6 ------------------------------------------------------------------------------------ */

/* An error about the packet `t`, of any type. */
static const char *put_about(struct frames *f, const struct taken *t, uint8_t type)
{
    uint8_t quote[200];
    uint32_t n;

    memcpy(quote, t->bytes, t->len);
    n = build_icmp6(bytes, &(struct icmp6_spec){.type = type, .data = quote, .len = t->len});
    return put6(f, .proto = PROTO_ICMP6, .l4 = bytes, .len = n);
}

/* Who sent what an unknown error is about may hear of it, and is not ended by it. */
TEST(an_unknown_error_is_for_who_sent) /* REQ:4443-2.4-1 */
{
    static const uint8_t types[] = {0, 5, 64, 100, 101, 127};
    struct frames *f = frames_of(.has_v6 = true);
    int s = udp6_socket(f, 7000), on = 1, error = -1;
    struct weir_sock_error e;
    size_t len = sizeof error;

    for (size_t i = 0; i < sizeof types; i++) {
        on = 1;
        weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
        send_pattern6(f, s, THEM6, 9, 11);
        assert_null(put_about(f, take(f), types[i]));
        assert_int_equal(weir_recverr(f->stack, s, text, sizeof text, &e), 11);
        assert_int_equal(e.type, types[i]);
        assert_int_equal(e.error, EPROTO);
        on = 0;
        weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
        send_pattern6(f, s, THEM6, 9, 11);
        assert_null(put_about(f, take(f), types[i]));
        assert_int_equal(weir_getsockopt(f->stack, s, SOL_SOCKET, SO_ERROR, &error, &len), 0);
        assert_int_equal(error, 0);
        assert_null(take(f));
    }
    frames_end(f);
}

TEST(an_unknown_message_is_dropped_in_silence) /* REQ:4443-2.4-2 */
{
    struct frames *f = frames_of(.has_v6 = true);

    for (int type = 128; type < 256; type++) {
        uint32_t n = build_icmp6(bytes, &(struct icmp6_spec){.type = (uint8_t)type, .len = 40});
        const char *v;

        if (type <= 137 || type == 143) /* echo, multicast listeners, neighbours */
            continue;
        v = put6(f, .proto = PROTO_ICMP6, .l4 = bytes, .len = n);
        assert_string_equal(v, "icmp_type");
        assert_null(take(f));
    }
    frames_end(f);
}

/* A frame to all stations, or to a group of them, with a packet for us alone: somebody's mistake,
 * and no error about it could be but one of many. */
TEST(no_error_about_what_all_stations_got) /* REQ:4443-2.4-8 */
{
    static const uint8_t macs[][6] = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                                      {0x33, 0x33, 0, 0, 0, 1}};
    struct frames *f = frames_of(.is_ether = true, .has_v6 = true);
    struct udp_spec s = {.sport = 5, .dport = 6, .len = 9};
    uint32_t len = build_udp6(bytes, &s, NULL, NULL);

    while (take(f)) /* what it says of itself when it begins */
        ;
    for (int i = 0; i < 2; i++) {
        uint8_t frame[200] = {0};
        uint32_t n;

        memcpy(frame, macs[i], 6);
        frame[6] = 2;
        frame[11] = 2;
        put16(frame + 12, ETH_TYPE_IP6);
        n = build_quote6(
            frame + ETH_LEN,
            &(struct packet6_spec){.proto = i ? PROTO_UDP : 99, .l4 = bytes, .len = len});
        assert_string_equal(put_frame(f, frame, ETH_LEN + n), "ip_not_local");
        assert_null(take(f));
    }
    frames_end(f);
}

/* Errors sent about this many packets to a port of nobody, at one instant. */
static int errors_about(struct frames *f, int packets)
{
    struct udp_spec s = {.sport = 5, .dport = 6, .len = 9};
    uint32_t len = build_udp6(bytes, &s, NULL, NULL);
    int n = 0;

    for (int i = 0; i < packets; i++) {
        put6(f, .proto = PROTO_UDP, .l4 = bytes, .len = len);
        while (take(f))
            n++;
    }
    return n;
}

/* A bucket of 50, emptied by chance so that nobody can count it, that 1,000 a second fill; knobs
 * set both, and none at all. */
TEST(errors_are_limited_as_knobs_say) /* REQ:4443-2.4-10 REQ:4443-2.4-11 REQ:4443-3.1-4 */
{
    struct frames *f = frames_of(.has_v6 = true);

    assert_in_range(errors_about(f, 1000), 25, 100);
    assert_in_range(errors_about(f, 1000), 0, 2);
    frames_advance(f, 1000000);
    assert_in_range(errors_about(f, 1000), 25, 100);
    assert_int_equal(weir_knob_set(f->stack, "net.ipv4.icmp_msgs_burst", "500"), 0);
    assert_int_equal(weir_knob_set(f->stack, "net.ipv4.icmp_msgs_per_sec", "500"), 0);
    frames_advance(f, 10000000);
    assert_in_range(errors_about(f, 2000), 400, 600);
    assert_int_equal(weir_knob_set(f->stack, "net.ipv4.icmp_msgs_burst", "0"), 0);
    frames_advance(f, 10000000);
    assert_int_equal(errors_about(f, 1000), 0);
    assert_in_range(frames_stat(f, "IcmpOutRateLimitGlobal"), 4000, 6000);
    frames_end(f);
}

/* The messages of the base: each is taken, and each that a host sends is sent. The others are a
 * router's, in forward6.c. */
TEST(a_host_speaks_all_of_icmpv6) /* REQ:4443-2-1 */
{
    struct frames *f = frames_of(.has_v6 = true);
    static const uint8_t errors[] = {ICMP6_UNREACH, ICMP6_TOO_BIG, ICMP6_TIME, ICMP6_PARAM};
    int s = udp6_socket(f, 7000), on = 1;
    uint8_t fragment[16 + IP6_FRAG_LEN];
    struct weir_sock_error e;
    uint32_t n;

    weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    for (size_t i = 0; i < sizeof errors; i++) {
        send_pattern6(f, s, THEM6, 9, 11);
        assert_string_equal(put_about(f, take(f), errors[i]) ? "ignored" : "taken",
                            errors[i] == ICMP6_TOO_BIG ? "ignored" : "taken"); /* MTU 0 */
        if (errors[i] != ICMP6_TOO_BIG)
            assert_int_equal(weir_recverr(f->stack, s, text, sizeof text, &e), 11);
    }
    assert_int_equal(errors_about(f, 1), 1); /* unreachable */
    put6(f, .proto = 99, .l4 = bytes, .len = 20);
    expect_error(f, ICMP6_PARAM, PARAM6_NEXT, 6);
    ip6_frag_emit(fragment, PROTO_UDP, IP6_FRAG_MORE, 1);
    memset(fragment + IP6_FRAG_LEN, 0, 16);
    assert_string_equal(put6(f, .proto = NEXT_FRAGMENT, .l4 = fragment, .len = sizeof fragment),
                        "kept");
    frames_advance(f, 60000000);
    expect_error(f, ICMP6_TIME, 1, 0);
    n = build_icmp6(bytes, &(struct icmp6_spec){.type = ICMP6_ECHO, .rest = 5, .len = 20});
    assert_null(put6(f, .proto = PROTO_ICMP6, .l4 = bytes, .len = n));
    expect_error(f, ICMP6_ECHO_REPLY, 0, 5);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("rfc_ip6");
}
