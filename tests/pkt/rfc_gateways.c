/* Gateways: one that dies, and one that names a better one. 1122#3.2.2.2 3.3.1.2 3.3.1.4 3.3.1.5.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

#define FIRST ROUTER       /* 10.0.0.254, preferred */
#define SECOND 0x0a0000fdu /* 10.0.0.253 */
#define FAR 0xc0000201u    /* behind them */
#define FAR_TOO 0xc0000202u
#define SECONDS(n) ((n)*INT64_C(1000000))

static struct frames *two_gateways(void)
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    struct weir_addr all = weir_addr_v4(0), second = weir_addr_v4(SECOND);

    assert_int_equal(weir_route_add(f->stack, &all, 0, &second, 1, 10), 0);
    return f;
}

/* Station `address` has MAC 02:00:00:00:01:xx, xx its last byte. */
static void answer_arp(struct frames *f, uint32_t address)
{
    uint8_t frame[ETH_LEN + ARP_LEN] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, (uint8_t)address, 8, 6};
    struct arp a = {.op = ARP_REPLY,
                    .sha = {2, 0, 0, 0, 1, (uint8_t)address},
                    .tha = {2, 0, 0, 0, 0, 1},
                    .spa = address,
                    .tpa = US};

    arp_emit(frame + ETH_LEN, &a);
    assert_null(put_frame(f, frame, sizeof frame));
}

static void expect_question(struct frames *f, uint32_t address)
{
    struct taken *t = take(f);
    struct arp a;

    assert_non_null(t);
    assert_int_equal(t->bytes[12] << 8 | t->bytes[13], ETH_TYPE_ARP);
    assert_int_equal(arp_parse(&a, t->bytes + ETH_LEN, ARP_LEN), ARP_LEN);
    assert_int_equal(a.op, ARP_REQUEST);
    assert_int_equal(a.tpa, address);
}

static void expect_packet(struct frames *f, uint32_t by, uint32_t to)
{
    struct taken *t = take(f);

    assert_non_null(t);
    assert_int_equal(t->bytes[12] << 8 | t->bytes[13], ETH_TYPE_IP4);
    assert_int_equal(t->ip.dst, to);
    assert_int_equal(t->bytes[4], 1);
    assert_int_equal(t->bytes[5], by & 0xff);
}

static void send_to(struct frames *f, int sock, uint32_t to)
{
    assert_int_equal(send_pattern(f, sock, to, 7, 100), 100);
}

/* -- a gateway that dies ----------------------------------------------------------------------- */

/* What waited for the first goes by the second; so does all that follows. */
TEST(a_gateway_that_never_answers_is_left_for_another)
/* REQ:1122-3.3.1.4-1 REQ:1122-3.3.1.5-1 */
{
    struct frames *f = two_gateways();
    int sock = udp_socket(f, 5000);

    send_to(f, sock, FAR);
    for (int i = 0; i < 3; i++) {
        expect_question(f, FIRST);
        assert_null(take(f));
        frames_advance(f, SECONDS(1));
    }
    expect_question(f, SECOND);
    answer_arp(f, SECOND);
    expect_packet(f, SECOND, FAR);
    send_to(f, sock, FAR_TOO);
    expect_packet(f, SECOND, FAR_TOO);
    assert_int_equal(frames_drops(f, "neigh_failed"), 0);
    frames_end(f);
}

TEST(a_gateway_in_use_that_dies_is_left_for_another)
/* REQ:1122-3.3.1.4-1 REQ:1122-3.3.1.4-2 REQ:1122-3.3.1.5-1 */
{
    struct frames *f = two_gateways();
    int sock = udp_socket(f, 5000);

    send_to(f, sock, FAR);
    expect_question(f, FIRST);
    answer_arp(f, FIRST);
    expect_packet(f, FIRST, FAR);
    frames_advance(f, SECONDS(60)); /* nothing was heard of it: no evidence any more */
    send_to(f, sock, FAR);
    expect_packet(f, FIRST, FAR);
    frames_advance(f, SECONDS(5 + 3)); /* nobody confirms it: three questions */
    for (int i = 0; i < 3; i++)
        expect_question(f, FIRST);
    assert_null(take(f));
    send_to(f, sock, FAR);
    expect_question(f, SECOND);
    answer_arp(f, SECOND);
    expect_packet(f, SECOND, FAR);
    answer_arp(f, FIRST); /* it is back */
    send_to(f, sock, FAR);
    expect_packet(f, FIRST, FAR);
    frames_end(f);
}

TEST(where_all_gateways_are_dead_the_first_is_tried_again)
{
    struct frames *f = two_gateways();
    int sock = udp_socket(f, 5000);

    send_to(f, sock, FAR);
    frames_advance(f, SECONDS(6));
    for (int i = 0; i < 6; i++)
        expect_question(f, i < 3 ? FIRST : SECOND);
    assert_null(take(f));
    assert_int_equal(frames_drops(f, "neigh_failed"), 1);
    send_to(f, sock, FAR);
    expect_question(f, FIRST);
    answer_arp(f, FIRST);
    expect_packet(f, FIRST, FAR);
    frames_end(f);
}

TEST(gateways_are_not_asked_without_traffic) /* REQ:1122-3.3.1.4-3 REQ:1122-3.3.1.4-4 */
{
    struct frames *f = two_gateways();
    int sock = udp_socket(f, 5000);

    frames_advance(f, SECONDS(3600));
    assert_null(take(f));
    send_to(f, sock, FAR);
    expect_question(f, FIRST);
    answer_arp(f, FIRST);
    expect_packet(f, FIRST, FAR);
    frames_advance(f, SECONDS(3600));
    assert_null(take(f));
    frames_end(f);
}

/* -- redirects --------------------------------------------------------------------------------- */

enum { OF_NETWORK, OF_HOST, OF_NETWORK_AND_TOS, OF_HOST_AND_TOS, NO_SUCH_CODE };

struct told {
    uint32_t from, gateway, about;
    uint8_t code;
    uint16_t sport;
    uint32_t source; /* of the quote, 0: us */
};

/* The quote is a datagram from port 5000. */
static const char *redirect(struct frames *f, const struct told *r)
{
    uint8_t packet[IP4_LEN + 8], message[100];
    struct ip4 h = {.ttl = 63,
                    .proto = PROTO_UDP,
                    .total_len = 128,
                    .src = r->source ? r->source : US,
                    .dst = r->about ? r->about : FAR};
    uint32_t n;

    ip4_emit(packet, &h);
    memcpy(packet + IP4_LEN, "\x13\x88\x00\x07\x00\x6c\x00\x00", 8);
    if (r->sport)
        packet[IP4_LEN + 1] = (uint8_t)r->sport;
    n = build_error(message, &(struct error_spec){.type = 5,
                                                  .code = r->code,
                                                  .rest = r->gateway ? r->gateway : SECOND,
                                                  .packet = packet,
                                                  .quoted = sizeof packet});
    return put(f, .src = r->from ? r->from : FIRST, .proto = PROTO_ICMP, .l4 = message, .len = n);
}
#define redirect(f, ...) redirect(f, &(struct told){.code = OF_HOST, __VA_ARGS__})

/* One gateway, which is in use. */
static struct frames *one_gateway(int *sock)
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);

    *sock = udp_socket(f, 5000);
    send_to(f, *sock, FAR);
    expect_question(f, FIRST);
    answer_arp(f, FIRST);
    expect_packet(f, FIRST, FAR);
    return f;
}

TEST(a_redirect_is_heeded_for_the_host_that_it_names)
/* REQ:1122-3.2.2.2-2 REQ:1122-3.2.2.2-3 REQ:1122-3.3.1.2-1 REQ:1122-3.3.1.2-2 REQ:1122-3.3.1.3-1
 * REQ:792-Redirect-1 */
{
    for (uint8_t code = OF_NETWORK; code <= OF_HOST_AND_TOS; code++) {
        int sock;
        struct frames *f = one_gateway(&sock);

        assert_null(redirect(f, .code = code));
        send_to(f, sock, FAR);
        expect_question(f, SECOND);
        answer_arp(f, SECOND);
        expect_packet(f, SECOND, FAR);
        send_to(f, sock, FAR_TOO); /* of the same network: it was not named */
        expect_packet(f, FIRST, FAR_TOO);
        send_to(f, sock, FAR);
        expect_packet(f, SECOND, FAR);
        frames_end(f);
    }
}

TEST(redirects_that_can_not_be_true_are_ignored) /* REQ:1122-3.2.2.2-4 */
{
    static const struct {
        struct told r;
        const char *why;
    } rows[] = {
        {{.from = THEM}, "icmp_ignored"},          /* not the first hop of now */
        {{.gateway = 0xc0000209}, "icmp_ignored"}, /* no neighbour */
        {{.gateway = US}, "icmp_ignored"},         /* ourselves */
        {{.gateway = 0x0a0000ff}, "icmp_ignored"}, /* a broadcast address */
        {{.gateway = 0xe0000001}, "icmp_ignored"}, /* a group */
        {{.gateway = 0x7f000001}, "icmp_ignored"}, /* loopback */
        {{.sport = 0x89}, "icmp_unmatched"},       /* no socket of ours sent that */
        {{.source = THEM}, "icmp_unmatched"},      /* nor this, of another host */
        {{.code = NO_SUCH_CODE}, "icmp_type"},
    };
    int sock;
    struct frames *f = one_gateway(&sock);

    for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
        struct told r = rows[i].r;

        r.code = r.code ? r.code : OF_HOST;
        assert_string_equal((redirect)(f, &r), rows[i].why);
    }
    send_to(f, sock, FAR);
    expect_packet(f, FIRST, FAR);
    frames_end(f);
}

TEST(a_redirect_to_a_gateway_that_is_dead_is_forgotten) /* REQ:1122-3.3.1.4-2 */
{
    int sock;
    struct frames *f = one_gateway(&sock);

    assert_null(redirect(f, .code = OF_HOST));
    send_to(f, sock, FAR);
    frames_advance(f, SECONDS(3));
    for (int i = 0; i < 3; i++)
        expect_question(f, SECOND);
    expect_packet(f, FIRST, FAR); /* what waited goes the old way */
    assert_null(take(f));
    frames_end(f);
}

TEST(redirects_are_bounded_and_can_be_switched_off)
{
    int sock;
    struct frames *f = one_gateway(&sock);

    weir_knob_set(f->stack, "net.weir.redirects_max", "1");
    assert_null(redirect(f, .about = FAR));
    assert_null(redirect(f, .about = FAR_TOO)); /* pushes the first one out */
    send_to(f, sock, FAR);
    expect_packet(f, FIRST, FAR);
    weir_knob_set(f->stack, "net.ipv4.conf.all.accept_redirects", "0");
    assert_string_equal(redirect(f, .about = FAR), "icmp_ignored");
    send_to(f, sock, FAR_TOO);
    expect_packet(f, FIRST, FAR_TOO);
    weir_knob_set(f->stack, "net.ipv4.conf.all.accept_redirects", "1");
    weir_knob_set(f->stack, "net.ipv4.ip_forward", "1"); /* 1812#5.2.7.2: routers do not listen */
    assert_string_equal(redirect(f, .about = FAR), "icmp_ignored");
    frames_end(f);
}

/* By the same link back to a neighbour: a router would say so, a host does not. */
TEST(no_redirect_is_sent) /* REQ:1122-3.2.2.2-1 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);
    uint8_t udp[100];
    uint32_t n = build_udp(udp, &(struct udp_spec){.dst = FAR, .dport = 7, .len = 20});

    assert_null(put(f, .dst = FAR, .proto = PROTO_UDP, .l4 = udp, .len = n));
    assert_int_equal(take(f)->ip.dst, FAR);
    assert_null(take(f));
    weir_knob_set(f->stack, "net.ipv4.ip_forward", "0");
    assert_string_equal(put(f, .dst = FAR, .proto = PROTO_UDP, .l4 = udp, .len = n),
                        "ip_not_local");
    assert_null(take(f));
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("rfc_gateways");
}
