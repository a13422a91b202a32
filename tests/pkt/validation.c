/* net.ipv4.tcp_slow_start_after_idle=2: a window that is not used stands, but is not believed.
 * RFC 7661. What pipeACK is shows in what a loss leaves; numbers are Reno's. */
#include "pkt/recovery.h"

#define MODE .knob = "net.ipv4.tcp_slow_start_after_idle", .value = "2", .sack_ok = true

/* What is paced leaves within its round trip. */
static void pass(struct peer *p, int ms)
{
    for (int i = 0; i < ms; i++)
        advance_ms(p, 1);
}

static void leave(struct peer *p, uint32_t from, uint32_t n)
{
    app_write(p, n * PATH_MSS);
    pass(p, 80);
    expect_burst(p, from, n);
}

static void drain(struct peer *p)
{
    for (struct got g; peer_next(p, &g);)
        ;
}

/* A round of n segments, acknowledged at once: the next number. */
static uint32_t round_of(struct peer *p, uint32_t from, uint32_t n)
{
    leave(p, from, n);
    ack(p, from + n * PATH_MSS);
    return from + n * PATH_MSS;
}

/* A window of twenty segments of which nobody knows any more whether it holds. */
static struct peer twenty_of(const struct peer_config *c)
{
    struct peer p = path_of(c);

    assert_int_equal(round_of(&p, 1, 10), 10001);
    assert_int_equal(cwnd_of(&p), 20000);
    advance_ms(&p, 1200);
    return p;
}
#define twenty(...) twenty_of(&(struct peer_config){MODE, __VA_ARGS__})

/* The first of n segments is lost, the others arrive. */
static void lose_first(struct peer *p, uint32_t from, uint32_t n)
{
    leave(p, from, n);
    sack(p, from, {from + PATH_MSS, from + n * PATH_MSS});
    if (n < 4)
        pass(p, 40); /* fewer than three: the reordering window */
    expect(p, .flags = ACK, .seq = from, .len = PATH_MSS);
}

static void expect_after_recovery(struct peer *p, uint32_t from, uint32_t n, uint32_t cwnd)
{
    ack(p, from + n * PATH_MSS);
    assert_int_equal(cwnd_of(p), cwnd);
}

/* REQ:7661-4.2-2 REQ:7661-4.4-1 REQ:7661-4.4.1-1 REQ:7661-4.4.1-2: nine of twenty are less than
 * half, so the loss of one of four costs half of nine, and what went again. */
TEST(a_loss_leaves_half_of_what_was_in_use)
{
    struct peer p = twenty();
    uint32_t at = round_of(&p, 10001, 9);

    assert_int_equal(cwnd_of(&p), 20000);
    lose_first(&p, at, 4);
    assert_int_equal(ssthresh_of(&p), 4500);
    expect_after_recovery(&p, at, 4, 4000);
    peer_forget();
}

/* The nine are older than a second: four are all that is known. */
TEST(what_was_in_use_is_forgotten_after_a_second) /* REQ:7661-4.2-2 REQ:7661-4.4.1-1 */
{
    struct peer p = twenty();
    uint32_t at = round_of(&p, 10001, 9);

    advance_ms(&p, 1001);
    lose_first(&p, at, 4);
    assert_int_equal(ssthresh_of(&p), 2000);
    expect_after_recovery(&p, at, 4, 1500);
    peer_forget();
}

TEST(the_greatest_round_counts_as_long_as_it_is_known) /* REQ:7661-4.2-2 */
{
    static const uint32_t rounds[] = {3, 9, 4, 6, 5, 4, 3, 2, 1, 3};
    struct peer p = twenty();
    uint32_t at = 10001;

    for (int i = 0; i < 10; i++) /* 80 ms each: the 9 are 720 ms old at the end */
        at = round_of(&p, at, rounds[i]);
    lose_first(&p, at, 4);
    assert_int_equal(ssthresh_of(&p), 4500);
    peer_forget();
}

/* Three round trips of about half a second: at 1.2 s the nine are known, at 1.7 s they are not. */
TEST(a_long_path_remembers_for_three_round_trips) /* REQ:7661-4.2-2 */
{
    for (int is_late = 0; is_late < 2; is_late++) {
        struct peer p = listening(MODE);

        inject(&p, .flags = SYN, .seq = 0, .mss = PATH_MSS, .sack_ok = true);
        expect(&p, .flags = SYN | ACK);
        advance_ms(&p, 500);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1);
        app_accept(&p);
        weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
        for (uint32_t n = 10, at = 1; n > 8; at += n-- * PATH_MSS) {
            app_write(&p, n * PATH_MSS);
            pass(&p, 500);
            expect_burst(&p, at, n);
            ack(&p, at + n * PATH_MSS);
            advance_ms(&p, n == 10 ? 1700 : is_late ? 1200 : 800);
        }
        app_write(&p, 4000);
        pass(&p, 400);
        expect_burst(&p, 19001, 4);
        sack(&p, 19001, {20001, 23001});
        expect(&p, .flags = ACK, .seq = 19001, .len = PATH_MSS);
        assert_int_equal(ssthresh_of(&p), is_late ? 2000 : 4500);
        peer_forget();
    }
}

TEST(half_of_the_window_in_use_is_enough) /* REQ:7661-4.4-1 */
{
    struct peer p = twenty();
    uint32_t at = round_of(&p, 10001, 10);

    lose_first(&p, at, 4);
    assert_int_equal(ssthresh_of(&p), 2000); /* 5681: half of what is in flight */
    expect_after_recovery(&p, at, 4, 2000);
    peer_forget();
}

TEST(a_sender_that_uses_it_again_is_believed_again) /* REQ:7661-4.4-6 */
{
    struct peer p = twenty();
    uint32_t at = round_of(&p, 10001, 3);

    at = round_of(&p, at, 11);
    lose_first(&p, at, 4);
    assert_int_equal(ssthresh_of(&p), 2000);
    expect_after_recovery(&p, at, 4, 2000);
    peer_forget();
}

/* Twelve in flight all the time, two more for each two that arrive: when twelve have, it is known
 * that a round trip takes twelve. */
TEST(a_sample_is_taken_in_each_round_trip) /* REQ:7661-4.2-1 */
{
    struct peer p = twenty();
    uint32_t at = 10001;

    leave(&p, at, 12);
    for (int i = 0; i < 6; i++, at += 2000) {
        ack(&p, at + 2000);
        app_write(&p, 2000);
        pass(&p, 15);
        expect_burst(&p, at + 12000, 2);
    }
    sack(&p, at, {at + 1000, at + 12000});
    expect(&p, .flags = ACK, .seq = at, .len = PATH_MSS);
    assert_int_equal(ssthresh_of(&p), 6000); /* the flight, whatever is known: now the end */
    ack(&p, at + 12000);
    assert_int_equal(cwnd_of(&p), 6000); /* nothing is taken off for what went again */
    peer_forget();
}

/* An ACK of all, then twelve more that are acknowledged in two parts: a round trip took twelve at
 * most, never their sum. */
TEST(no_sample_is_of_more_than_a_round_trip) /* REQ:7661-4.2-2 */
{
    struct peer p = twenty();
    uint32_t at = 10001;

    leave(&p, at, 6);
    ack(&p, at + 3000);
    app_write(&p, 6000);
    ack(&p, at + 6000);
    pass(&p, 60);
    expect_burst(&p, at + 6000, 6);
    ack(&p, at + 9000);
    ack(&p, at + 12000);
    lose_first(&p, at + 12000, 4);
    assert_int_equal(ssthresh_of(&p), 3000);
    peer_forget();
}

TEST(who_uses_the_window_up_may_enlarge_it) /* REQ:7661-4.4-3 */
{
    struct peer p = twenty();

    leave(&p, 10001, 20);
    ack(&p, 12001);
    assert_int_equal(cwnd_of(&p), 22000);
    peer_end(&p);
}

/* Slow start is content with half of it elsewhere. */
TEST(who_does_not_use_it_up_may_not) /* REQ:7661-4.4-4 */
{
    struct peer p = twenty();

    leave(&p, 10001, 12);
    ack(&p, 12001);
    assert_int_equal(cwnd_of(&p), 20000);
    peer_forget();
}

/* REQ:7661-4.2-3: sixteen in flight, of which the first and the ninth are lost. In the recovery
 * more arrives than ever was in use, and it counts for nothing. */
TEST(what_arrives_in_a_recovery_is_no_sample)
{
    struct peer p = path(MODE);
    uint32_t at = round_of(&p, 1, 10);

    at = round_of(&p, at, 20);
    advance_ms(&p, 1200);
    assert_int_equal(cwnd_of(&p), 40000);
    leave(&p, at, 16);
    sack(&p, at, {at + 1000, at + 8000}, {at + 9000, at + 16000});
    expect(&p, .flags = ACK, .seq = at, .len = PATH_MSS);
    assert_int_equal(ssthresh_of(&p), 8000);
    app_write(&p, 7000);
    pass(&p, 80);
    drain(&p);
    ack(&p, at + 8000);
    pass(&p, 40);
    drain(&p);
    ack(&p, at + 16000);
    assert_int_equal(cwnd_of(&p), 7000); /* (16 - 2) / 2 */
    peer_forget();
}

/* REQ:7661-4.4-5 REQ:7661-4.4.1-4: sixteen are all that is known, and a recovery forgets even
 * that. So the next loss finds a window as good as any. */
TEST(a_loss_ends_it)
{
    struct peer p = path(MODE);
    uint32_t at = round_of(&p, 1, 10);

    at = round_of(&p, at, 20);
    advance_ms(&p, 1200);
    lose_first(&p, at, 16);
    assert_int_equal(ssthresh_of(&p), 8000);
    expect_after_recovery(&p, at, 16, 7500);
    at += 16000;
    lose_first(&p, at, 3);
    assert_int_equal(ssthresh_of(&p), 2000);
    expect_after_recovery(&p, at, 3, 2000);
    peer_forget();
}

TEST(after_five_minutes_half_of_a_wide_window_goes) /* REQ:7661-4.4.3-2 */
{
    struct peer p = path(MODE);
    uint32_t at = round_of(&p, 1, 10);

    at = round_of(&p, at, 20);
    assert_int_equal(cwnd_of(&p), 40000);
    advance_ms(&p, 302000);
    app_write(&p, 1);
    expect(&p, .flags = ACK, .seq = at, .len = 1);
    assert_int_equal(cwnd_of(&p), 20000); /* twice the initial window */
    peer_forget();
}

TEST(a_timeout_ends_it) /* REQ:7661-4.4-5 */
{
    struct peer p = twenty(.knob2 = "net.ipv4.tcp_early_retrans", .value2 = "0");
    uint32_t at = round_of(&p, 10001, 9);

    advance_ms(&p, 2000);
    leave(&p, at, 3);
    advance_ms(&p, 2000);
    drain(&p);
    assert_int_equal(cwnd_of(&p), 1000);
    ack(&p, at + 3000);
    assert_int_equal(ssthresh_of(&p), 2000);
    at += 3000;
    lose_first(&p, at, 2);
    assert_int_equal(ssthresh_of(&p), 2000);
    expect_after_recovery(&p, at, 2, 2000);
    peer_forget();
}

/* What went again is lost too: slow start to half of the half, then on. */
TEST(a_timeout_ends_the_recovery_of_it_too) /* REQ:7661-4.4-5 */
{
    struct peer p = twenty();

    lose_first(&p, 10001, 8);
    assert_int_equal(ssthresh_of(&p), 4000);
    pass(&p, 1500);
    drain(&p);
    assert_int_equal(cwnd_of(&p), 1000);
    ack(&p, 11001);
    assert_int_equal(cwnd_of(&p), 2000);
    assert_int_equal(ssthresh_of(&p), 2000);
    ack(&p, 18001);
    assert_int_equal(cwnd_of(&p), 2000); /* it was not used up */
    peer_forget();
}

TEST(a_segment_is_left) /* REQ:7661-4.4.1-3 */
{
    struct peer p = twenty();

    lose_first(&p, 10001, 2);
    expect_after_recovery(&p, 10001, 2, 1000);
    peer_forget();
}

TEST(a_loss_that_was_none_gives_all_of_it_back)
{
    struct peer p = twenty();

    lose_first(&p, 10001, 8);
    assert_int_equal(ssthresh_of(&p), 4000);
    sack(&p, 18001, {10001, 11001});
    assert_int_equal(cwnd_of(&p), 20000);
    expect_stat(&p, "TcpExtTCPDSACKUndo", 1);
    peer_forget();
}

/* The probe of the tail was needed: half of what was in use, less the probe, REQ:7661-4.4.1-2. */
TEST(a_tail_that_was_lost_costs_the_same)
{
    struct peer p = twenty();

    leave(&p, 10001, 8);
    ack(&p, 17001);
    pass(&p, 300);
    expect(&p, .flags = ACK, .seq = 17001, .len = PATH_MSS);
    ack(&p, 18001);
    pass(&p, 300);
    assert_int_equal(cwnd_of(&p), 3500);
    peer_forget();
}

TEST(a_mark_costs_half_of_what_is_in_use)
{
    struct peer p = listening(MODE, .knob2 = "net.ipv4.tcp_ecn", .value2 = "1");
    uint32_t at;

    inject(&p, .flags = SYN | ECE | CWR, .seq = 0, .mss = PATH_MSS, .sack_ok = true);
    expect(&p, .flags = SYN | ACK | ECE);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    at = round_of(&p, 1, 10);
    advance_ms(&p, 1200);
    at = round_of(&p, at, 8);
    leave(&p, at, 4);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = at + 4000);
    assert_int_equal(cwnd_of(&p), 4000);
    peer_forget();
}

/* Nothing was ever acknowledged, or nothing since a recovery: five minutes count all the same. */
TEST(a_window_of_which_nothing_is_known_halves_too) /* REQ:7661-4.4-2 */
{
    struct peer p = path(MODE);
    uint32_t at = round_of(&p, 1, 10);

    for (uint32_t n = 20; n < 80; n *= 2)
        at = round_of(&p, at, n);
    leave(&p, at, 60);
    sack(&p, at, {at + 1000, at + 60000});
    expect(&p, .flags = ACK, .seq = at, .len = PATH_MSS);
    expect_after_recovery(&p, at, 60, 30000);
    advance_ms(&p, 302000);
    app_write(&p, 1);
    expect(&p, .flags = ACK, .seq = at + 60000, .len = 1);
    assert_int_equal(cwnd_of(&p), 15000);
    peer_forget();
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
