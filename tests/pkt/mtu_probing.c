/* Path MTU by probing, RFC 4821 and 8899 section 4: net.ipv4.tcp_mtu_probing. The round trip is
 * 100 ms, the ends agree on 1460 bytes of text, probing begins with 1024. */
#include "recovery.h"

#define BASE 1024

struct path_mtu {
    struct peer p;
    uint32_t end; /* of what was expected */
};

/* cwnd is 10 segments of 1024 bytes; then 20, and the second half of a long write waits. */
static struct path_mtu probing(const struct peer_config *c)
{
    struct path_mtu m = {.p = peer_listening(c), .end = 1};

    inject(&m.p, .flags = SYN, .seq = 0, .mss = 1460, .sack_ok = c->sack_ok);
    expect(&m.p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    advance_ms(&m.p, 100);
    inject(&m.p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&m.p);
    weir_setsockopt(m.p.stack, m.p.sock, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    return m;
}
#define probing(...) probing(&(struct peer_config){.knob = "net.ipv4.tcp_mtu_probing", __VA_ARGS__})

/* n segments of `len` bytes follow. */
static void goes(struct path_mtu *m, uint32_t n, uint32_t len)
{
    for (uint32_t i = 0; i < n; i++, m->end += len)
        expect(&m->p, .flags = ACK, .seq = m->end, .len = len);
}

static uint32_t mss_of(struct path_mtu *m)
{
    return sock_info_of(&m->p).mss;
}

/* All is acknowledged, each two segments by one ACK: what leaves then is counted, its sizes too. */
static void round_trip(struct path_mtu *m, uint32_t size[64], uint32_t *n)
{
    struct got g;

    advance_ms(&m->p, 100);
    ack(&m->p, m->end);
    for (*n = 0; *n < 64 && peer_next(&m->p, &g); m->end += g.len)
        size[(*n)++] = g.len;
}

/* Ten segments went; their ACK lets a probe of 1242 go, the middle between 1024 and 1460. */
static struct path_mtu probe_is_out(bool sack_ok)
{
    struct path_mtu m = probing(.value = "2", .sack_ok = sack_ok);

    app_write(&m.p, 65536);
    goes(&m, 10, BASE);
    advance_ms(&m.p, 100);
    ack(&m.p, m.end);
    expect(&m.p, .flags = ACK, .seq = m.end, .len = 1242);
    return m;
}

TEST(probing_from_the_start_begins_with_the_base_and_climbs)
{
    struct path_mtu m = probing(.value = "2", .sack_ok = true);
    uint32_t size[64], n, biggest = 0, probes = 0;

    assert_int_equal(mss_of(&m), BASE);
    app_option(&m.p, SOL_SOCKET, SO_SNDBUF, 1 << 20);
    for (int i = 0; i < 6; i++)
        app_write(&m.p, 65536);
    goes(&m, 10, BASE);
    for (int i = 0; i < 12; i++) {
        round_trip(&m, size, &n);
        for (uint32_t k = 0; k < n; k++) {
            probes += size[k] > biggest && size[k] > BASE;
            biggest = size[k] > biggest ? size[k] : biggest;
        }
    }
    assert_int_equal(probes, 6); /* 1242 1351 1406 1433 1447 1454 */
    assert_int_equal(biggest, 1454);
    assert_int_equal(mss_of(&m), 1454); /* 1460 is less than 8 from it */
    expect_stat(&m.p, "TcpExtTCPMTUPSuccess", 6);
    peer_forget();
}

TEST(a_probe_that_arrives_makes_segments_bigger_and_cwnd_no_smaller)
{
    struct path_mtu m = probe_is_out(true);
    uint32_t before;
    struct got g;

    m.end += 1242;
    while (peer_next(&m.p, &g)) {
        assert_int_equal(g.len, BASE); /* one probe at a time */
        m.end += g.len;
    }
    before = cwnd_of(&m.p);
    assert_int_equal(mss_of(&m), BASE);
    ack(&m.p, 1 + 10 * BASE + 1242);
    assert_int_equal(mss_of(&m), 1242);
    assert_true(cwnd_of(&m.p) >= before);
    expect_stat(&m.p, "TcpExtTCPMTUPSuccess", 1);
    peer_forget();
}

/* The probe is lost; what follows it arrives. */
static void probe_is_lost(struct path_mtu *m, bool sack_ok)
{
    uint32_t from = m->end, before, size = 1242, sent = 0;
    struct got g;

    while (peer_next(&m->p, &g))
        sent++;
    assert_true(sent > 5);
    before = cwnd_of(&m->p);
    advance_ms(&m->p, 100);
    for (uint32_t i = 1; i <= 3; i++) {
        if (sack_ok)
            sack(&m->p, from, {from + size, from + size + BASE * i});
        else
            ack(&m->p, from);
    }
    /* at once, and in segments that pass */
    while (peer_next(&m->p, &g) && g.h.seq.v - m->p.stack_isn != from)
        continue;
    assert_int_equal(g.h.seq.v - m->p.stack_isn, from);
    assert_int_equal(g.len, BASE);
    assert_true(peer_next(&m->p, &g));
    assert_int_equal(g.h.seq.v - m->p.stack_isn, from + BASE);
    assert_int_equal(g.len, size - BASE);
    assert_true(cwnd_of(&m->p) >= before);
    assert_int_equal(ssthresh_of(&m->p), UINT32_MAX);
    assert_int_equal(mss_of(m), BASE);
    expect_stat(&m->p, "TcpExtTCPMTUPFail", 1);
    expect_stat(&m->p, "TcpExtTCPSackRecovery", 0);
    expect_stat(&m->p, "TcpExtTCPRenoRecovery", 0);
    while (peer_next(&m->p, &g))
        continue;
    for (uint32_t i = 4; !sack_ok && i <= 6; i++) /* more duplicates are of the same loss */
        ack(&m->p, from);
    assert_int_equal(ssthresh_of(&m->p), UINT32_MAX);
    peer_forget();
}

TEST(a_lost_probe_is_no_sign_of_congestion)
{
    struct path_mtu m = probe_is_out(true);

    probe_is_lost(&m, true);
}

TEST(nor_is_it_without_sack)
{
    struct path_mtu m = probe_is_out(false);

    probe_is_lost(&m, false);
}

TEST(a_probe_that_is_lost_with_others_proves_nothing)
{
    struct path_mtu m = probe_is_out(true);
    uint32_t from = m.end;
    struct got g;

    while (peer_next(&m.p, &g))
        continue;
    advance_ms(&m.p, 100);
    sack(&m.p, from, {from + 1242 + BASE, from + 1242 + 5 * BASE});
    while (peer_next(&m.p, &g))
        continue;
    expect_stat(&m.p, "TcpExtTCPMTUPFail", 0);
    expect_stat(&m.p, "TcpExtTCPSackRecovery", 1);
    assert_true(ssthresh_of(&m.p) < 20 * BASE);
    advance_ms(&m.p, 90);
    ack(&m.p, from + 1242 + 5 * BASE);
    expect_stat(&m.p, "TcpExtTCPMTUPSuccess", 0); /* it went again, in two */
    assert_int_equal(mss_of(&m), BASE);
    peer_forget();
}

TEST(a_router_that_names_the_size_ends_the_search)
{
    struct path_mtu m = probe_is_out(true);
    uint32_t from = m.end;
    struct got g;

    while (peer_next(&m.p, &g))
        continue;
    advance_ms(&m.p, 10);
    assert_int_equal(inject_icmp(&m.p, 3, 4, 1100, from), PASS);
    expect(&m.p, .flags = ACK, .seq = from, .len = BASE);
    expect(&m.p, .flags = ACK, .seq = from + BASE, .len = 1242 - BASE);
    assert_int_equal(mss_of(&m), BASE);
    assert_int_equal(ssthresh_of(&m.p), UINT32_MAX);
    expect_stat(&m.p, "TcpExtTCPMTUPFail", 1);
    peer_forget();
}

/* Full segments vanish and nobody says so. Three retransmissions later they are smaller. */
TEST(a_black_hole_is_left_by_smaller_segments)
{
    struct path_mtu m = probing(.value = "1");

    app_write(&m.p, 4000);
    assert_int_equal(mss_of(&m), 1460);
    goes(&m, 2, 1460);
    expect(&m.p, .flags = ACK, .seq = 2921, .len = 1080);
    for (uint32_t wait = 300, i = 0; i < 3; i++, wait *= 2)
        expect_after(&m.p, wait, .flags = ACK, .seq = 1, .len = 1460);
    expect_after(&m.p, 2400, .flags = ACK, .seq = 1, .len = BASE);
    advance_ms(&m.p, 100);
    ack(&m.p, 1 + BASE);
    expect(&m.p, .flags = ACK, .seq = 1 + BASE, .len = 1460 - BASE);
    expect(&m.p, .flags = ACK, .seq = 1461, .len = BASE);
    ack(&m.p, 1461 + BASE);
    expect(&m.p, .flags = ACK, .seq = 1461 + BASE, .len = BASE);
    expect(&m.p, .flags = ACK, .seq = 1461 + 2 * BASE, .len = 2540 - 2 * BASE);
    ack(&m.p, 4001);
    expect_stat(&m.p, "TcpRetransSegs", 8);
    peer_forget();
}

TEST(if_they_vanish_too_they_are_halved_down_to_the_floor)
{
    struct path_mtu m = probing(.value = "1", .knob2 = "net.ipv4.tcp_mtu_probe_floor",
                                .value2 = "300");

    app_write(&m.p, 1460);
    goes(&m, 1, 1460);
    for (uint32_t wait = 300, i = 0; i < 3; i++, wait *= 2)
        expect_after(&m.p, wait, .flags = ACK, .seq = 1, .len = 1460);
    expect_after(&m.p, 2400, .flags = ACK, .seq = 1, .len = 1024);
    expect_after(&m.p, 4800, .flags = ACK, .seq = 1, .len = 512);
    expect_after(&m.p, 9600, .flags = ACK, .seq = 1, .len = 300);
    expect_after(&m.p, 19200, .flags = ACK, .seq = 1, .len = 300);
    peer_forget();
}

TEST(a_small_segment_that_is_lost_tells_nothing_of_sizes)
{
    struct path_mtu m = probing(.value = "1");

    app_write(&m.p, 200);
    goes(&m, 1, 200);
    for (uint32_t wait = 300, i = 0; i < 5; i++, wait *= 2)
        expect_after(&m.p, wait, .flags = ACK, .seq = 1, .len = 200);
    assert_int_equal(mss_of(&m), 1460);
    peer_forget();
}

TEST(where_it_is_off_nothing_of_this_happens)
{
    struct path_mtu m = probing(.value = "0");

    app_write(&m.p, 1460);
    goes(&m, 1, 1460);
    for (uint32_t wait = 300, i = 0; i < 6; i++, wait *= 2)
        expect_after(&m.p, wait, .flags = ACK, .seq = 1, .len = 1460);
    peer_forget();
}

/* All that was written goes, each 100 ms what left is acknowledged: the longest segment. */
static uint32_t biggest_of_all(struct path_mtu *m)
{
    uint32_t biggest = 0;
    struct got g;

    for (int i = 0; i < 200 && m->end < m->p.written + 1; i++) {
        while (peer_next(&m->p, &g)) {
            biggest = g.len > biggest ? g.len : biggest;
            m->end = g.h.seq.v - m->p.stack_isn + g.len;
        }
        advance_ms(&m->p, 100);
        ack(&m->p, m->end);
    }
    return biggest;
}

/* The path lost its narrow link: after tcp_probe_interval that is found out. */
TEST(a_path_that_grew_is_found_after_the_interval)
{
    struct path_mtu m = probe_is_out(true);
    struct got g;

    inject_icmp(&m.p, 3, 4, 1068, m.end); /* 1028 of text: within the threshold of 1024 */
    while (peer_next(&m.p, &g))
        m.end = g.h.seq.v - m.p.stack_isn + g.len;
    ack(&m.p, m.end);
    assert_int_equal(biggest_of_all(&m), BASE);
    advance_ms(&m.p, 500000);
    app_write(&m.p, 65536);
    assert_int_equal(biggest_of_all(&m), BASE);
    advance_ms(&m.p, 100000);
    app_write(&m.p, 65536);
    assert_true(biggest_of_all(&m) > BASE);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("mtu_probing");
}
