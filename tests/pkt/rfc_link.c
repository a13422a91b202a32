/* A host on its link: which frames it sends, who they are for, how stations are found. 1122#2, 1122
 * 3.3.6. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"
#include "weir/net.h"

#define GROUP 0xe0000105u
#define SECONDS(n) ((n)*INT64_C(1000000))

static const uint8_t them[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};

static uint16_t word_at(const struct taken *t, uint32_t at)
{
    return (uint16_t)(t->bytes[at] << 8 | t->bytes[at + 1]);
}

/* Where what the frame carries begins, and its type. */
static uint32_t open_frame(const struct taken *t, bool is_llc, uint16_t *type)
{
    if (is_llc) {
        assert_true(word_at(t, 12) <= 1500);
        assert_memory_equal(t->bytes + ETH_LEN, snap, 6); /* K1 is 170, not 6 */
    }
    *type = word_at(t, is_llc ? ETH_LEN + 6 : 12);
    return ETH_LEN + (is_llc ? LLC_LEN : 0);
}

static void answer(struct frames *f, bool is_llc)
{
    struct arp a = {.op = ARP_REPLY, .tha = {2, 0, 0, 0, 0, 1}, .spa = THEM, .tpa = US};
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};
    uint32_t at = ETH_LEN;

    memcpy(a.sha, them, 6);
    if (is_llc) {
        frame[12] = 0;
        frame[13] = LLC_LEN + ARP_LEN;
        memcpy(frame + ETH_LEN, snap, 6);
        frame[ETH_LEN + 6] = 8;
        frame[ETH_LEN + 7] = 6;
        at += LLC_LEN;
    }
    arp_emit(frame + at, &a);
    assert_null(put_frame(f, frame, sizeof frame));
}

/* The preset is Ethernet II, the other one where the interface says so; a station is asked for in
 * the same kind of frame, and answers in either. */
TEST(a_station_is_found_and_reached_in_frames_of_either_kind)
/* REQ:1122-2.3.3-1 REQ:1122-2.3.3-4 REQ:1122-2.3.3-5 REQ:1122-2.3.3-6 */
{
    for (int is_llc = 0; is_llc < 2; is_llc++) {
        struct frames *f = frames_of(.mtu = 1492, .is_ether = true,
                                     .flags = is_llc ? WEIR_IF_LLC : 0);
        int sock = udp_socket(f, 5000);
        uint16_t type;
        struct taken *t;
        struct arp a;

        assert_int_equal(send_pattern(f, sock, THEM, 7, 100), 100);
        t = take(f);
        assert_memory_equal(t->bytes, everybody, 6);
        assert_int_equal(arp_parse(&a, t->bytes + open_frame(t, is_llc, &type), ARP_LEN), ARP_LEN);
        assert_int_equal(type, ETH_TYPE_ARP);
        assert_int_equal(a.tpa, THEM);
        answer(f, is_llc);
        t = take(f);
        assert_memory_equal(t->bytes, them, 6);
        assert_int_equal(t->bytes[open_frame(t, is_llc, &type)], 0x45);
        assert_int_equal(type, ETH_TYPE_IP4);
        assert_true(is_pattern(t->l4 + UDP_LEN, 100));
        frames_end(f);
    }
}

/* A trailer is sent for data of n * 512 bytes, its type is 0x1000 + n: 893. */
TEST(headers_come_first_whatever_the_length) /* REQ:1122-2.3.1-2 */
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    int sock = udp_socket(f, 5000);
    struct taken *t;

    assert_int_equal(send_pattern(f, sock, THEM, 7, 512), 512);
    assert_non_null(take(f));
    answer(f, false);
    for (uint32_t len = 32; len <= 1472; len += 32) {
        t = take(f);
        assert_int_equal(word_at(t, 12), ETH_TYPE_IP4);
        assert_int_equal(t->bytes[ETH_LEN], 0x45);
        assert_int_equal(send_pattern(f, sock, THEM, 7, len), len);
    }
    assert_non_null(take(f));
    frames_end(f);
}

/* Broadcasts of the link carry packets for groups and broadcast addresses only, and ARP. */
TEST(what_goes_to_all_stations_is_for_all_stations) /* REQ:1122-3.3.6-5 REQ:1122-3.3.6-7 */
{
    static const uint32_t to[] = {0xffffffff, 0x0a0000ff, 0x0a000000, GROUP, THEM};
    static const uint8_t group[6] = {1, 0, 0x5e, 0, 1, 5};
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    int sock = udp_socket(f, 5000), on = 1;
    uint8_t claim[60] = {2, 0, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255, 8, 6};
    struct arp a = {.op = ARP_REPLY, .spa = THEM, .tpa = US};

    weir_setsockopt(f->stack, sock, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    for (int i = 0; i < 5; i++) {
        struct taken *t;

        assert_int_equal(send_pattern(f, sock, to[i], 7, 10), 10);
        t = take(f);
        if (to[i] == THEM)
            assert_int_equal(word_at(t, 12), ETH_TYPE_ARP);
        else
            assert_int_equal(t->ip.dst, to[i]);
        assert_memory_equal(t->bytes, to[i] == GROUP ? group : everybody, 6);
    }
    memset(a.sha, 0xff, 6); /* no station has that MAC, whatever it says */
    arp_emit(claim + ETH_LEN, &a);
    assert_string_equal(put_frame(f, claim, sizeof claim), "arp_invalid");
    a.sha[0] = 1;
    arp_emit(claim + ETH_LEN, &a);
    assert_string_equal(put_frame(f, claim, sizeof claim), "arp_invalid");
    assert_null(take(f));
    answer(f, false);
    assert_memory_equal(take(f)->bytes, them, 6);
    frames_end(f);
}

/* Who has no address yet says 0.0.0.0, to 255.255.255.255. */
TEST(a_host_that_knows_nothing_yet_asks_all) /* REQ:1122-3.3.6-4 REQ:1122-3.3.6-7 */
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    struct weir_addr us = weir_addr_v4(US);
    struct taken *t;

    assert_int_equal(weir_addr_remove(f->stack, 1, &us), 0);
    assert_int_equal(weir_dhcp_start(f->stack, 1, NULL), 0);
    frames_advance(f, SECONDS(10));
    t = take(f);
    assert_memory_equal(t->bytes, everybody, 6);
    assert_int_equal(t->ip.src, 0);
    assert_int_equal(t->ip.dst, 0xffffffff);
    while (take(f))
        continue;
    frames_end(f);
}

/* Microseconds until a neighbour that is used all the time is asked again. */
static int64_t asked_again_after(const char *knob, const char *value)
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true, .knob = knob, .value = value);
    int sock = udp_socket(f, 5000);
    int64_t began;

    send_pattern(f, sock, THEM, 7, 10);
    assert_non_null(take(f));
    answer(f, false);
    assert_non_null(take(f));
    began = f->now_ns;
    for (;;) {
        struct taken *t;

        frames_advance(f, 100000);
        send_pattern(f, sock, THEM, 7, 10);
        t = take(f);
        assert_non_null(t);
        if (word_at(t, 12) == ETH_TYPE_ARP)
            break;
    }
    answer(f, false);
    while (take(f))
        continue;
    began = (f->now_ns - began) / 1000;
    frames_end(f);
    return began;
}

/* Half to one and a half of the time, and 5 s in which others may confirm it. */
TEST(how_long_a_neighbour_is_believed_is_a_knob) /* REQ:1122-2.3.2.1-2 */
{
    const char *reachable = "net.ipv4.neigh.default.base_reachable_time_ms";

    assert_in_range(asked_again_after(reachable, "30000"), SECONDS(15 + 5), SECONDS(45 + 6));
    assert_in_range(asked_again_after(reachable, "2000"), SECONDS(1 + 5), SECONDS(3 + 6));
    assert_in_range(asked_again_after(reachable, "300000"), SECONDS(150 + 5), SECONDS(450 + 6));
    assert_in_range(asked_again_after("net.ipv4.neigh.default.delay_first_probe_time", "60"),
                    SECONDS(15 + 60), SECONDS(45 + 61));
}

int main(void)
{
    return peer_tests_run("rfc_link");
}
