/* A stack between two links, 10.0.0.1/24 and 10.0.1.1/24, as a router. 791, 1812#5. */
#include <errno.h>
#include <string.h>

#include "support/frames.h"

#define FAR 0x0a000102u /* on the right */
#define MF IP4_MF
#define DF IP4_DF

static uint8_t udp[DATAGRAM_MAX];

static struct packet_spec to_far(uint32_t len)
{
    uint32_t n = build_udp(udp,
                           &(struct udp_spec){.dst = FAR, .sport = 5000, .dport = 7, .len = len});

    return (struct packet_spec){.dst = FAR, .proto = PROTO_UDP, .id = 77, .l4 = udp, .len = n};
}

static void expect_error(struct frames *f, uint8_t type, uint8_t code, uint32_t rest)
{
    struct taken *t = take(f);

    assert_non_null(t);
    assert_int_equal(t->ifindex, 1);
    assert_int_equal(t->ip.src, US);
    assert_int_equal(t->ip.dst, THEM);
    assert_int_equal(t->ip.proto, PROTO_ICMP);
    assert_int_equal(t->l4[0], type);
    assert_int_equal(t->l4[1], code);
    assert_int_equal((uint32_t)t->l4[6] << 8 | t->l4[7], rest);
    assert_memory_equal(t->l4 + ICMP_LEN + IP4_LEN, udp, 8);
}

/* REQ:791-3.1-7 REQ:6864-4.3-3 */
TEST(a_packet_goes_on_with_one_less_of_its_ttl) /* REQ:1122-3.1-4 ROW:114 ROW:115 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);
    struct packet_spec s = to_far(100);
    struct weir_account a;
    struct taken *t;

    s.ttl = 9;
    s.tos = 0xb8;
    s.frag = DF;
    assert_null(put_packet(f, &s));
    t = take(f);
    assert_int_equal(t->ifindex, 2);
    assert_int_equal(t->ip.ttl, 8);
    assert_int_equal(t->ip.tos, 0xb8);
    assert_int_equal(t->ip.id, 77);
    assert_int_equal(t->ip.frag, DF);
    assert_int_equal(t->ip.src, THEM);
    assert_int_equal(t->ip.dst, FAR);
    assert_memory_equal(t->l4, udp, s.len);
    weir_account(f->stack, &a);
    assert_int_equal(a.forwarded, 1);
    assert_int_equal(frames_stat(f, "IpForwDatagrams"), 1);
    assert_int_equal(frames_stat(f, "IpOutRequests"), 0);
    frames_end(f);
}

TEST(a_host_forwards_nothing)
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500, .knob = "net.ipv4.ip_forward",
                                 .value = "0");
    struct packet_spec s = to_far(100);

    assert_string_equal(put_packet(f, &s), "ip_not_local");
    frames_end(f);
}

/* REQ:791-3.1-6 REQ:792-TimeExceeded-1 */
TEST(a_ttl_that_runs_out_is_told) /* ROW:114 ROW:118 */
{
    for (uint8_t ttl = 0; ttl <= 1; ttl++) {
        struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);
        uint32_t len = to_far(100).len;
        struct ip4 h = {.hdr_len = IP4_LEN,
                        .ttl = ttl,
                        .proto = PROTO_UDP,
                        .total_len = (uint16_t)(IP4_LEN + len),
                        .src = THEM,
                        .dst = FAR};
        uint8_t packet[200];

        ip4_emit(packet, &h);
        memcpy(packet + IP4_LEN, udp, len);
        assert_string_equal(put_frame(f, packet, IP4_LEN + len), "ip_ttl");
        expect_error(f, 11, 0, 0);
        assert_null(take(f));
        frames_end(f);
    }
}

TEST(what_is_ours_needs_no_ttl) /* REQ:1122-3.2.1.7-2 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);
    uint8_t echo[100];
    uint32_t n = build_icmp(echo, 8, 0, 1, 56);

    assert_null(put(f, .dst = RIGHT, .ttl = 1, .proto = PROTO_ICMP, .l4 = echo, .len = n));
    assert_int_equal(take(f)->ip.src, RIGHT);
    frames_end(f);
}

TEST(without_a_route_the_net_is_unreachable) /* ROW:119 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);
    struct packet_spec s = to_far(100);

    s.dst = 0xc0000201; /* only the default route, back to where it came from: it goes */
    assert_null(put_packet(f, &s));
    assert_int_equal(take(f)->ifindex, 1);
    frames_end(f);
}

/* REQ:791-3.1-5 REQ:792-Unreachable-2 */
TEST(what_is_too_big_and_may_not_be_cut_is_told)
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1000);
    struct packet_spec s = to_far(1000);

    s.frag = DF;
    assert_string_equal(put_packet(f, &s), "ip_too_big");
    expect_error(f, 3, 4, 1000);
    assert_int_equal(frames_stat(f, "IpFragFails"), 1);
    s = to_far(972);
    s.frag = DF;
    assert_null(put_packet(f, &s));
    assert_int_equal(take(f)->ip.total_len, 1000);
    frames_end(f);
}

/* Also a fragment is cut again, and all offsets stay true; options that are not to be copied are in
 * the first piece alone. */
/* REQ:791-3.1-11 REQ:791-3.1-12 */
TEST(what_is_too_big_is_cut) /* ROW:112 REQ:791-3.2-2 */
{
    static const uint8_t options[8] = {7, 7, 4, 0, 0, 0, 0, 0}, copied[4] = {0x94, 4, 0, 0};
    static const uint16_t frags[] = {0, MF, 100, 100 | MF};

    for (int i = 0; i < 4; i++) {
        struct frames *f = frames_of(.mtu = 1500, .right_mtu = 600);
        struct packet_spec s = to_far(1400);
        uint32_t at = 0;
        struct taken *t;

        s.frag = frags[i];
        s.len = s.frag & MF ? 1400 : s.len;
        s.options = i & 1 ? copied : options;
        s.options_len = i & 1 ? sizeof copied : sizeof options;
        assert_null(put_packet(f, &s));
        while ((t = take(f))) {
            bool is_last = at + t->l4_len == s.len;

            assert_true(t->ip.total_len <= 600);
            assert_int_equal(t->ip.id, 77);
            assert_int_equal(t->ip.frag & 0x1fff, (frags[i] & 0x1fff) + at / 8);
            assert_int_equal(!!(t->ip.frag & MF), !is_last || frags[i] & MF);
            assert_memory_equal(t->l4, udp + at, t->l4_len);
            assert_int_equal(t->ip.hdr_len, IP4_LEN + s.options_len);
            assert_int_equal(t->bytes[IP4_LEN], i & 1 ? 0x94 : at ? 1 : 7);
            assert_int_equal(t->bytes[IP4_LEN + s.options_len - 1], 0); /* padding */
            at += t->l4_len;
        }
        assert_int_equal(at, s.len);
        assert_int_equal(frames_stat(f, "IpFragOKs"), 1);
        frames_end(f);
    }
}

TEST(some_things_are_never_forwarded)
{
    static const struct {
        uint32_t src, dst;
        const char *why;
    } rows[] = {
        {0, 0x0a0001ff, "ip_not_local"},        /* a directed broadcast: 2644 */
        {0, 0x0a000100, "ip_not_local"},        /* its old form */
        {0, 0xffffffff, "udp_no_listener"},     /* for this link */
        {0, 0xe0000005, "ip_not_local"},        /* a group */
        {0, 0x7f000001, "ip_not_local"},        /* loopback */
        {0x7f000001, FAR, "ip_martian_source"}, /* from it */
        {0x0a0000ff, FAR, "ip_martian_source"}, /* from a broadcast address */
        {0xa9fe0001, FAR, "ip_not_local"},      /* link-local: 3927 */
        {0, 0xa9fe0001, "ip_not_local"},        {RIGHT, FAR, "ip_martian_source"}, /* our own */
        {0, 0xf0000001, "ip_not_local"},                                           /* class E */
    };

    for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
        struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);
        struct packet_spec s = to_far(10);

        s.src = rows[i].src;
        s.dst = rows[i].dst;
        build_udp(udp, &(struct udp_spec){.src = s.src, .dst = s.dst, .dport = 7, .len = 10});
        assert_string_equal(put_packet(f, &s), rows[i].why);
        assert_null(take(f));
        frames_end(f);
    }
}

TEST(sixty_eight_bytes_go_on_whole_over_any_link) /* REQ:791-3.2-3 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 68);
    struct packet_spec s = to_far(40);
    struct taken *t;

    assert_null(put_packet(f, &s));
    t = take(f);
    assert_int_equal(t->ip.total_len, 68);
    assert_int_equal(t->ip.frag, 0);
    frames_end(f);
}

TEST(a_source_route_is_refused) /* ROW:119 */
{
    static const uint8_t loose[8] = {131, 7, 4, 10, 0, 1, 2, 0},
                         strict[8] = {137, 7, 4, 10, 0, 1, 2};
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500);

    for (int i = 0; i < 2; i++) {
        struct packet_spec s = to_far(10);

        s.options = i ? strict : loose;
        s.options_len = 8;
        assert_string_equal(put_packet(f, &s), "ip_source_route");
        s.dst = US;
        assert_string_equal(put_packet(f, &s), "ip_source_route");
    }
    frames_end(f);
}

/* Nobody answers for the next hop: the source is told, by the router. */
TEST(a_host_that_is_not_there_is_unreachable) /* ROW:119 */
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500, .is_ether = true);
    struct packet_spec s = to_far(100);
    uint8_t reply[ETH_LEN + ARP_LEN] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};
    struct arp a = {.op = ARP_REQUEST, .sha = {2, 0, 0, 0, 0, 2}, .spa = THEM, .tpa = US};
    struct taken *t;
    int asked = 0;

    arp_emit(reply + ETH_LEN, &a); /* so that the answer finds its way */
    assert_null(put_frame(f, reply, sizeof reply));
    assert_non_null(take(f));
    assert_null(put_packet(f, &s));
    frames_advance(f, 3000000);
    while ((t = take(f)) && t->ifindex == 2)
        asked++;
    assert_int_equal(asked, 3);
    assert_non_null(t);
    assert_int_equal(t->ip.proto, PROTO_ICMP);
    assert_int_equal(t->l4[0], 3);
    assert_int_equal(t->l4[1], 1);
    assert_int_equal(t->ip.dst, THEM);
    frames_end(f);
}

TEST(what_waits_is_bounded)
{
    struct frames *f = frames_of(.mtu = 1500, .right_mtu = 1500,
                                 .knob = "net.weir.forward_queue_bytes", .value = "1000");
    struct packet_spec s = to_far(1000);

    assert_string_equal(put_packet(f, &s), "forward_queue");
    s = to_far(800);
    assert_null(put_packet(f, &s));
    assert_non_null(take(f));
    assert_int_equal(frames_stat(f, "IpOutDiscards"), 1);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("forward");
}
