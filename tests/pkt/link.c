/* Frames: their kinds, sizes and padding; who they are for. 894, 1042, 826. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1}, them[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};

/* An IP packet with a UDP datagram of `len` bytes to port 5000. */
static uint32_t packet(uint8_t *p, uint32_t len)
{
    uint32_t n = build_udp(p + IP4_LEN, &(struct udp_spec){.sport = 7, .dport = 5000, .len = len});
    struct ip4 h = {.hdr_len = IP4_LEN,
                    .ttl = 64,
                    .proto = PROTO_UDP,
                    .total_len = (uint16_t)(IP4_LEN + n),
                    .src = THEM,
                    .dst = US};

    ip4_emit(p, &h);
    return IP4_LEN + n;
}

static uint32_t head(uint8_t *frame, uint16_t type)
{
    memcpy(frame, us, 6);
    memcpy(frame + 6, them, 6);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    return ETH_LEN;
}

/* The same as 802.3: `length` is what its header says. */
static uint32_t head_llc(uint8_t *frame, uint32_t length, uint16_t type)
{
    head(frame, (uint16_t)length);
    memcpy(frame + ETH_LEN, snap, 6);
    frame[ETH_LEN + 6] = (uint8_t)(type >> 8);
    frame[ETH_LEN + 7] = (uint8_t)type;
    return ETH_LEN + LLC_LEN;
}

static int got(struct frames *f, int sock)
{
    uint8_t text[2000];
    int n = (int)weir_recv(f->stack, sock, text, sizeof text, 0);

    assert_true(n < 0 || is_pattern(text, (uint32_t)n));
    return n;
}

/* They know us: an ARP request of theirs, answered. */
static void meet(struct frames *f, bool is_llc)
{
    uint8_t frame[60] = {0};
    struct arp a = {.op = ARP_REQUEST, .spa = THEM, .tpa = US};
    uint32_t at = is_llc ? head_llc(frame, LLC_LEN + ARP_LEN, ETH_TYPE_ARP)
                         : head(frame, ETH_TYPE_ARP);

    memcpy(a.sha, them, 6);
    arp_emit(frame + at, &a);
    assert_null(put_frame(f, frame, sizeof frame));
    assert_non_null(take(f));
}

TEST(padding_is_taken_off) /* ROW:124 */
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    int sock = udp_socket(f, 5000);
    uint8_t frame[100] = {0};
    uint32_t at;

    for (uint32_t len = 0; len < 18; len++) {
        memset(frame, 0xee, sizeof frame);
        at = head(frame, ETH_TYPE_IP4);
        packet(frame + at, len);
        assert_null(put_frame(f, frame, 60));
        assert_int_equal(got(f, sock), len);
    }
    frames_end(f);
}

TEST(short_frames_are_padded) /* ROW:124 REQ:894-Frame-2 REQ:1042-Header-3 */
{
    for (int is_llc = 0; is_llc < 2; is_llc++) {
        struct frames *f = frames_of(.mtu = 1492, .is_ether = true,
                                     .flags = is_llc ? WEIR_IF_LLC : 0);
        int sock = udp_socket(f, 5000);
        uint32_t header = is_llc ? 22 + 28 : 14 + 28;
        struct taken *t;

        assert_int_equal(send_pattern(f, sock, THEM, 7, 3), 3); /* asks first: parked */
        t = take(f);
        assert_int_equal(t->bytes[12] << 8 | t->bytes[13], is_llc ? 36 : ETH_TYPE_ARP);
        assert_int_equal(t->len, 60); /* the ARP request */
        meet(f, is_llc);
        t = take(f);
        assert_int_equal(t->len, 60);
        for (uint32_t len = 0; len < 40; len++) {
            assert_int_equal(send_pattern(f, sock, THEM, 7, len), len);
            t = take(f);
            assert_int_equal(t->len, header + len < 60 ? 60 : header + len);
            assert_true(is_pattern(t->l4 + UDP_LEN, len));
            for (uint32_t i = header + len; i < t->len; i++)
                assert_int_equal(t->bytes[i], 0);
        }
        frames_end(f);
    }
}

TEST(both_kinds_of_frames_are_understood) /* ROW:122 ROW:123 REQ:1122-2.3.3-2 REQ:894-Frame-1 */
{
    for (int is_llc = 0; is_llc < 2; is_llc++) {
        struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
        int sock = udp_socket(f, 5000);
        uint8_t frame[1600] = {0};
        uint32_t at, n;

        for (uint32_t len = 10; len < 1464; len += 97) {
            n = packet(frame + (is_llc ? 22 : 14), len);
            at = is_llc ? head_llc(frame, LLC_LEN + n, ETH_TYPE_IP4) : head(frame, ETH_TYPE_IP4);
            assert_null(put_frame(f, frame, at + n < 60 ? 60 : at + n));
            assert_int_equal(got(f, sock), len);
        }
        frames_end(f);
    }
}

/* REQ:1042-Header-2 */
TEST(frames_of_802_3_are_sent_where_asked) /* ROW:123 REQ:1122-2.3.3-3 REQ:1042-Header-1
                                              REQ:1042-Header-4 */
{
    struct frames *f = frames_of(.mtu = 1492, .is_ether = true, .flags = WEIR_IF_LLC);
    int sock = udp_socket(f, 5000);
    struct taken *t;

    assert_int_equal(weir_iface_set_mtu(f->stack, f->ifindex, 1493), -EINVAL);
    meet(f, true);
    for (uint32_t len = 40; len <= 1464; len += 89) {
        assert_int_equal(send_pattern(f, sock, THEM, 7, len), len);
        t = take(f);
        assert_int_equal(t->bytes[12] << 8 | t->bytes[13], t->len - ETH_LEN);
        assert_memory_equal(t->bytes + ETH_LEN, snap, 6);
        assert_int_equal(t->bytes[20] << 8 | t->bytes[21], ETH_TYPE_IP4);
        assert_true(is_pattern(t->bytes + 22 + 28, len));
        assert_true(t->len <= 1514);
    }
    frames_end(f);
}

TEST(llc_that_says_nonsense_is_dropped)
{
    static const struct {
        uint32_t length;
        uint8_t at, value;
        const char *why;
    } rows[] = {
        {LLC_LEN + 78, 14, 0x42, "llc"},
        {LLC_LEN + 78, 16, 4, "llc"},
        {LLC_LEN + 78, 17, 1, "llc"},
        {7, 14, 0xaa, "llc"},
        {LLC_LEN + 77, 14, 0xaa, "ip_total_len"},
        {1500, 14, 0xaa, "short_frame"},
        {LLC_LEN + 78, 20, 9, "ether_type"},
    };
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);

    for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
        uint8_t frame[200] = {0};

        assert_int_equal(packet(frame + 22, 50), 78);
        head_llc(frame, rows[i].length, ETH_TYPE_IP4);
        frame[rows[i].at] = rows[i].value;
        assert_string_equal(put_frame(f, frame, 100), rows[i].why);
    }
    frames_end(f);
}

TEST(other_protocols_are_dropped_by_name)
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    uint8_t frame[60] = {0};

    head(frame, 0x8100);
    assert_string_equal(put_frame(f, frame, 60), "vlan");
    head(frame, 0x88cc);
    assert_string_equal(put_frame(f, frame, 60), "ether_type");
    head(frame, 0x86dd);
    assert_string_equal(put_frame(f, frame, 60), "ip_version");
    frames_end(f);
}

TEST(only_frames_for_us_are_taken) /* ROW:127 REQ:1122-2.4-1 REQ:1122-3.3.6-6 */
{
    static const struct {
        uint8_t dst[6];
        const char *why;
    } rows[] = {
        {{2, 0, 0, 0, 0, 1}, NULL},
        {{2, 0, 0, 0, 0, 9}, "not_ours"},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "ip_not_local"}, /* a host's address in it */
        {{1, 0, 0x5e, 1, 2, 3}, "not_ours"},
    };
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    int sock = udp_socket(f, 5000);

    for (int i = 0; i < 4; i++) {
        uint8_t frame[200] = {0};
        const char *v;

        packet(frame + head(frame, ETH_TYPE_IP4), 50);
        memcpy(frame, rows[i].dst, 6);
        v = put_frame(f, frame, 14 + 78);
        if (rows[i].why)
            assert_string_equal(v, rows[i].why);
        else
            assert_null(v);
        assert_int_equal(got(f, sock), rows[i].why ? -EAGAIN : 50);
    }
    frames_end(f);
}

TEST(
    a_frame_holds_1500_bytes_and_1514_in_all) /* ROW:125 ROW:128 REQ:894-Frame-3 REQ:1122-3.3.3-5 */
{
    for (uint32_t mtu = 100; mtu <= 9000; mtu += 1400) { /* 1500 among them */
        struct frames *f = frames_of(.mtu = 9000, .is_ether = true);
        int sock = udp_socket(f, 5000);
        struct taken *t;

        assert_int_equal(weir_iface_set_mtu(f->stack, f->ifindex, mtu), 0);
        meet(f, false);
        assert_int_equal(send_pattern(f, sock, THEM, 7, mtu - 28), mtu - 28);
        t = take(f);
        assert_int_equal(t->len, mtu + 14);
        assert_int_equal(t->ip.total_len, mtu);
        assert_int_equal(send_pattern(f, sock, THEM, 7, mtu - 27), mtu - 27);
        while ((t = take(f)))
            assert_true(t->len <= mtu + 14);
        frames_end(f);
    }
}

/* -- RARP -------------------------------------------------------------------------------------- */

static const char *put_rarp(struct frames *f, const struct arp *a)
{
    uint8_t frame[60] = {0};

    arp_emit(frame + head(frame, ETH_TYPE_RARP), a);
    return put_frame(f, frame, sizeof frame);
}

static struct arp reply_to_us(uint32_t address)
{
    struct arp a = {.op = RARP_REPLY, .spa = THEM, .tpa = address};

    memcpy(a.sha, them, 6);
    memcpy(a.tha, us, 6);
    return a;
}

TEST(a_station_asks_for_its_address) /* ROW:121 REQ:903-III-1 REQ:903-III-2 */
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    struct weir_addr a;
    struct arp reply = reply_to_us(0x0a000042), seen;
    struct taken *t;

    assert_int_equal(weir_rarp_result(f->stack, 1, &a), -EINVAL);
    assert_int_equal(weir_rarp_ask(f->stack, 1), 0);
    t = take(f);
    assert_non_null(t);
    assert_memory_equal(t->bytes, "\xff\xff\xff\xff\xff\xff", 6);
    assert_int_equal(t->bytes[12] << 8 | t->bytes[13], ETH_TYPE_RARP);
    assert_int_equal(arp_parse(&seen, t->bytes + ETH_LEN, ARP_LEN), ARP_LEN);
    assert_int_equal(seen.op, RARP_REQUEST);
    assert_memory_equal(seen.sha, us, 6);
    assert_memory_equal(seen.tha, us, 6);
    assert_int_equal(weir_rarp_result(f->stack, 1, &a), -EAGAIN);
    reply.tha[5] = 7; /* somebody else's */
    assert_string_equal(put_rarp(f, &reply), "arp_not_for_us");
    reply = reply_to_us(0x7f000001);
    assert_string_equal(put_rarp(f, &reply), "arp_invalid");
    reply = reply_to_us(0x0a000042);
    assert_null(put_rarp(f, &reply));
    assert_int_equal(weir_rarp_result(f->stack, 1, &a), 0);
    assert_int_equal(weir_addr_to_v4(&a), 0x0a000042);
    assert_string_equal(put_rarp(f, &reply), "arp_not_for_us"); /* nobody asks any more */
    frames_advance(f, 100000000);
    frames_end(f);
}

TEST(a_station_asks_again_and_gives_up) /* REQ:903-III-3 */
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    static const int seconds[] = {0, 1, 3, 7, 15};
    int64_t began = f->now_ns;
    struct weir_addr a;

    assert_int_equal(weir_rarp_ask(f->stack, 1), 0);
    frames_advance(f, 30999999);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(f)->at_ns - began, seconds[i] * 1000000000ll);
    assert_null(take(f));
    assert_int_equal(weir_rarp_result(f->stack, 1, &a), -EAGAIN);
    frames_advance(f, 1);
    assert_int_equal(weir_rarp_result(f->stack, 1, &a), -ETIMEDOUT);
    frames_end(f);
}

TEST(stations_that_are_known_are_told) /* ROW:121 REQ:903-III-5 */
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    struct weir_addr theirs = weir_addr_v4(0x0a000077);
    struct arp ask = {.op = RARP_REQUEST}, seen;
    struct taken *t;

    memcpy(ask.sha, them, 6);
    memcpy(ask.tha, them, 6);
    assert_string_equal(put_rarp(f, &ask), "arp_not_for_us");
    assert_int_equal(weir_rarp_serve(f->stack, 1, them, &theirs), 0);
    assert_int_equal(weir_rarp_serve(f->stack, 1, them, &theirs), -EEXIST);
    assert_null(put_rarp(f, &ask));
    t = take(f);
    assert_non_null(t);
    assert_memory_equal(t->bytes, them, 6);
    assert_int_equal(t->bytes[12] << 8 | t->bytes[13], ETH_TYPE_RARP);
    assert_int_equal(arp_parse(&seen, t->bytes + ETH_LEN, ARP_LEN), ARP_LEN);
    assert_int_equal(seen.op, RARP_REPLY);
    assert_int_equal(seen.tpa, 0x0a000077);
    assert_int_equal(seen.spa, US);
    assert_memory_equal(seen.tha, them, 6);
    ask.tha[5] = 9;
    assert_string_equal(put_rarp(f, &ask), "arp_not_for_us");
    ask.op = ARP_REQUEST;
    assert_string_equal(put_rarp(f, &ask), "arp_invalid");
    frames_end(f);
}

/* 802.3 frames say hardware 6, Ethernet's 1; from others both are understood in either. */
TEST(arp_numbers_the_hardware_as_its_frames) /* REQ:1042-AddressMappings-1 */
{
    for (int is_llc = 0; is_llc < 2; is_llc++) {
        struct frames *f = frames_of(.mtu = 1492, .is_ether = true,
                                     .flags = is_llc ? WEIR_IF_LLC : 0);
        uint32_t at = is_llc ? ETH_LEN + LLC_LEN : ETH_LEN;
        struct arp a = {.op = ARP_REQUEST, .spa = THEM, .tpa = US}, seen;
        int sock = udp_socket(f, 5000);
        uint8_t frame[60] = {0};
        struct taken *t;

        send_pattern(f, sock, 0x0a000003, 7, 3);
        t = take(f);
        assert_int_equal(t->bytes[at + 1], is_llc ? 6 : 1);
        memcpy(a.sha, them, 6);
        for (int is_802 = 0; is_802 < 2; is_802++) {
            a.is_802 = is_802;
            head_llc(frame, LLC_LEN + ARP_LEN, ETH_TYPE_ARP);
            if (!is_llc)
                head(frame, ETH_TYPE_ARP);
            arp_emit(frame + at, &a);
            assert_null(put_frame(f, frame, sizeof frame));
            t = take(f);
            assert_int_equal(arp_parse(&seen, t->bytes + at, ARP_LEN), ARP_LEN);
            assert_int_equal(seen.op, ARP_REPLY);
            assert_int_equal(seen.is_802, is_llc);
        }
        frames_end(f);
    }
}

TEST(a_broadcast_goes_to_all_stations) /* REQ:1042-AddressMappings-2 */
{
    static const uint32_t all[] = {0xffffffff, 0x0a0000ff};
    static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    for (int i = 0; i < 4; i++) {
        struct frames *f = frames_of(.mtu = 1492, .is_ether = true,
                                     .flags = i & 1 ? WEIR_IF_LLC : 0);
        int sock = udp_socket(f, 5000), one = 1;
        struct taken *t;

        weir_setsockopt(f->stack, sock, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
        assert_int_equal(send_pattern(f, sock, all[i / 2], 7, 30), 30);
        t = take(f);
        assert_memory_equal(t->bytes, ones, 6);
        assert_int_equal(t->ip.dst, all[i / 2]);
        frames_end(f);
    }
}

TEST(what_is_lost_stays_lost) /* ROW:111 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);

    assert_int_equal(send_pattern(f, sock, THEM, 7, 100), 100);
    assert_non_null(take(f)); /* and there it ends: no answer, no repetition, no error */
    frames_advance(f, 3600000000ll);
    assert_null(take(f));
    assert_int_equal(got(f, sock), -EAGAIN);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("link");
}
