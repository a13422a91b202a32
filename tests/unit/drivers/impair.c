/* The impaired link: what a seed gives, to the frame and to the nanosecond. */
#include "fake.h"

#include "base/bytes.h"

/* Of 10,000 frames at one in ten, with seed 1 and seed 2. */
#define LOST_1 1019
#define LOST_2 995

static struct fake *inner;

static struct weir_link *opened(const struct weir_impair *m)
{
    struct weir_link *link;

    inner = fake_open(WEIR_LINK_IP);
    link = weir_impair_open(&inner->link, m);
    assert_non_null(link);
    return link;
}

static void send_numbers(struct weir_link *link, uint32_t from, uint32_t count, uint32_t len,
                         int64_t now)
{
    uint8_t bytes[2048];

    for (uint32_t i = from; i < from + count; i++) {
        struct weir_frame f = numbered(bytes, len, i);
        assert_int_equal(link->driver->send(link, &f, 1, now), 1);
    }
}

/* Lets time pass as a caller does: to each deadline in turn, until there is none before `until`. */
static void run_until(struct weir_link *link, int64_t until)
{
    struct weir_frame burst[WEIR_BURST_MAX];

    for (;;) {
        int64_t at = link->driver->deadline(link);
        if (at > until)
            return;
        assert_int_equal(link->driver->recv(link, burst, WEIR_BURST_MAX, at), 0);
    }
}

static struct weir_impair_stats stats_of(struct weir_link *link, int dir)
{
    struct weir_impair_stats s;

    weir_impair_stats(link, dir, &s);
    return s;
}

static void a_perfect_link_passes_at_once(void **state)
{
    struct weir_impair m = {0};
    struct weir_link *link = opened(&m);

    (void)state;
    send_numbers(link, 0, 3, 100, 5);
    assert_int_equal(inner->out_count, 3);
    assert_int_equal(number_of(&inner->out[2].frame), 2);
    assert_int_equal(link->driver->deadline(link), WEIR_NEVER);
    assert_int_equal(link->driver->fd(link), 77);
    assert_int_equal(link->iface.gso_max, 65535);
    assert_int_equal(link->iface.flags, WEIR_IF_CSUM_TX);
    assert_int_equal(stats_of(link, 0).passed, 3);
    weir_link_close(link);
}

static void delay_is_exact(void **state) /* ROW:139 */
{
    struct weir_impair m = {.up.delay_ns = 40 * MS};
    struct weir_link *link = opened(&m);

    (void)state;
    send_numbers(link, 0, 1, 100, 0);
    send_numbers(link, 1, 1, 100, 7);
    assert_int_equal(link->driver->deadline(link), 40 * MS);
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out_count, 2);
    assert_int_equal(inner->out[0].at, 40 * MS);
    assert_int_equal(inner->out[1].at, 40 * MS + 7);
    weir_link_close(link);
}

static void the_inner_deadline_counts_too(void **state)
{
    struct weir_impair m = {.up.delay_ns = 40 * MS};
    struct weir_link *link = opened(&m);

    (void)state;
    send_numbers(link, 0, 1, 100, 0);
    inner->deadline = 3;
    assert_int_equal(link->driver->deadline(link), 3);
    weir_link_close(link);
}

static void jitter_keeps_the_order(void **state)
{
    struct weir_impair m = {.up = {.delay_ns = 10 * MS, .jitter_ns = 9 * MS}, .seed = 1};
    struct weir_link *link = opened(&m);
    int64_t least = WEIR_NEVER;
    int64_t most = 0;

    (void)state;
    for (uint32_t i = 0; i < 500; i++) {
        run_until(link, (int64_t)i * 4 * MS);
        send_numbers(link, i, 1, 60, (int64_t)i * 4 * MS);
    }
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out_count, 500);
    for (int i = 0; i < 500; i++) {
        int64_t took = inner->out[i].at - i * 4 * MS;
        assert_int_equal(number_of(&inner->out[i].frame), i);
        least = took < least ? took : least;
        most = took > most ? took : most;
    }
    assert_true(least >= 1 * MS && least < 4 * MS);
    assert_true(most > 18 * MS && most <= 19 * MS);
    weir_link_close(link);
}

static void a_reordered_frame_overtakes(void **state) /* ROW:139 */
{
    struct weir_impair m = {.up = {.delay_ns = 10 * MS, .reorder_ppb = 250000000}, .seed = 3};
    struct weir_link *link = opened(&m);
    uint64_t early = 0;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        run_until(link, (int64_t)i * MS);
        send_numbers(link, i, 1, 60, (int64_t)i * MS);
    }
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out_count, 1000);
    for (int i = 0; i < 1000; i++) {
        int64_t took = inner->out[i].at - number_of(&inner->out[i].frame) * MS;
        assert_true(took == 0 || took == 10 * MS);
        early += took == 0;
    }
    assert_int_equal(early, stats_of(link, 0).reordered);
    assert_true(early > 200 && early < 300);
    weir_link_close(link);
}

static uint64_t lost_with(uint64_t seed, uint32_t dup_ppb)
{
    struct weir_impair m = {.up = {.loss_ppb = 100000000, .dup_ppb = dup_ppb}, .seed = seed};
    struct weir_link *link = opened(&m);
    uint64_t lost;

    send_numbers(link, 0, 10000, 60, 0);
    lost = stats_of(link, 0).lost;
    assert_int_equal(stats_of(link, 0).passed + lost, 10000 + stats_of(link, 0).duplicated);
    assert_int_equal(inner->out_count, stats_of(link, 0).passed);
    weir_link_close(link);
    return lost;
}

static void loss_is_a_matter_of_the_seed(void **state) /* ROW:139 */
{
    (void)state;
    assert_int_equal(lost_with(1, 0), LOST_1);
    assert_int_equal(lost_with(1, 0), LOST_1);
    assert_int_equal(lost_with(2, 0), LOST_2);
    /* Another impairment moves none of the hits. */
    assert_int_equal(lost_with(1, 50000000), LOST_1);
}

static void equal_seeds_give_equal_outputs(void **state) /* ROW:139 */
{
    struct weir_impair m = {.up = {.delay_ns = 5 * MS,
                                   .jitter_ns = 2 * MS,
                                   .loss_ppb = 50000000,
                                   .dup_ppb = 50000000,
                                   .corrupt_ppb = 50000000,
                                   .reorder_ppb = 50000000,
                                   .rate_bps = 10000000},
                            .seed = 42};
    struct fake *first;
    struct weir_link *a = opened(&m);

    (void)state;
    first = inner;
    struct weir_link *b = opened(&m);
    for (uint32_t i = 0; i < 1000; i++) {
        send_numbers(a, i, 1, 200, i * MS / 4);
        send_numbers(b, i, 1, 200, i * MS / 4);
    }
    run_until(a, WEIR_NEVER - 1);
    run_until(b, WEIR_NEVER - 1);
    assert_true(first->out_count > 900);
    assert_int_equal(first->out_count, inner->out_count);
    for (int i = 0; i < inner->out_count; i++) {
        assert_int_equal(first->out[i].at, inner->out[i].at);
        assert_memory_equal(first->out[i].bytes, inner->out[i].bytes, 200);
    }
    weir_link_close(a);
    weir_link_close(b);
}

static void rate_is_the_time_of_each_bit(void **state)
{
    struct weir_impair m = {.up.rate_bps = 8000000}; /* a byte a microsecond */
    struct weir_link *link = opened(&m);

    (void)state;
    send_numbers(link, 0, 3, 1000, 0);
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out[0].at, 1 * MS);
    assert_int_equal(inner->out[1].at, 2 * MS);
    assert_int_equal(inner->out[2].at, 3 * MS);
    send_numbers(link, 3, 1, 500, 10 * MS); /* the limiter has rested */
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out[3].at, 10 * MS + MS / 2);
    weir_link_close(link);
}

/* Behind two that wait ECT becomes CE, and the header's sum stays right; what is not ECT stays. */
static void a_full_queue_marks_what_may_be_marked(void **state)
{
    static const struct {
        uint8_t head[2], want;
    } row[] = {{{0x45, 2}, 2},       {{0x45, 2}, 2},       {{0x45, 2}, 3},
               {{0x45, 0xb9}, 0xbb}, {{0x45, 0}, 0},       {{0x45, 3}, 3},
               {{0x60, 0x20}, 0x30}, {{0x6b, 0x9f}, 0xbf}, {{0x60, 0}, 0}};
    struct weir_impair m = {.up = {.rate_bps = 8000000, .mark_frames = 2}};
    struct weir_link *link = opened(&m);

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t bytes[100] = {0};
        struct weir_frame f = {.part = {{bytes, sizeof bytes}}, .parts = 1};

        memcpy(bytes, row[i].head, 2);
        put16(bytes + 10, (uint16_t)~get16(bytes)); /* all else is zero */
        assert_int_equal(link->driver->send(link, &f, 1, 0), 1);
    }
    run_until(link, WEIR_NEVER - 1);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const uint8_t *ip = inner->out[i].bytes;

        assert_int_equal(ip[1], row[i].want);
        if (row[i].head[0] == 0x45)
            assert_int_equal(get16(ip + 10), (uint16_t)~get16(ip));
    }
    assert_int_equal(stats_of(link, 0).marked, 4);
    weir_link_close(link);
}

/* 8 Mbit/s are a byte in a microsecond; five frames may come at once, then one each millisecond. */
static void a_policer_drops_what_comes_too_fast_and_delays_nothing(void **state)
{
    struct weir_impair m = {.up = {.police_bps = 8000000, .bucket_bytes = 5000}};
    struct weir_link *link = opened(&m);

    (void)state;
    send_numbers(link, 0, 7, 1000, 0);
    assert_int_equal(stats_of(link, 0).policed, 2);
    run_until(link, 0);
    assert_int_equal(inner->out_count, 5);
    send_numbers(link, 7, 2, 1000, 1 * MS - 1); /* a byte too early */
    assert_int_equal(stats_of(link, 0).policed, 4);
    send_numbers(link, 9, 2, 1000, 1 * MS);
    assert_int_equal(stats_of(link, 0).policed, 5);
    send_numbers(link, 11, 6, 1000,
                 100 * MS); /* it holds no more than five, however long it rests */
    assert_int_equal(stats_of(link, 0).policed, 6);
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out_count, 11);
    assert_int_equal(number_of(&inner->out[5].frame), 9);
    weir_link_close(link);
}

static void a_full_queue_drops_its_tail(void **state)
{
    struct weir_impair m = {.up = {.rate_bps = 8000000, .queue_frames = 10, .delay_ns = 50 * MS}};
    struct weir_link *link = opened(&m);

    (void)state;
    send_numbers(link, 0, 15, 1000, 0);
    assert_int_equal(stats_of(link, 0).queue_full, 5);
    send_numbers(link, 15, 2, 1000, 1 * MS); /* one has left: room for one, though it still flies */
    assert_int_equal(stats_of(link, 0).queue_full, 6);
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out_count, 11);
    assert_int_equal(number_of(&inner->out[10].frame), 15);
    assert_int_equal(inner->out[10].at, 61 * MS);
    weir_link_close(link);
}

static void corruption_flips_one_bit_behind_the_link_header(void **state)
{
    struct weir_impair m = {.up.corrupt_ppb = 1000000000, .seed = 9};
    uint8_t bytes[100];
    struct weir_link *link;

    (void)state;
    inner = fake_open(WEIR_LINK_ETHER);
    link = weir_impair_open(&inner->link, &m);
    assert_int_equal(link->iface.flags & WEIR_IF_CSUM_TX, 0);
    assert_int_equal(link->iface.gso_max, 0);
    for (uint32_t i = 0; i < 200; i++) {
        struct weir_frame f = numbered(bytes, sizeof bytes, i);
        int bits = 0;
        f.flags = WEIR_CSUM_VALID;
        link->driver->send(link, &f, 1, 0);
        for (int k = 0; k < 100; k++)
            bits += __builtin_popcount(inner->out[i].bytes[k] ^ bytes[k]);
        assert_int_equal(bits, 1);
        assert_memory_equal(inner->out[i].bytes, bytes, 14);
        assert_int_equal(inner->out[i].frame.flags, 0);
    }
    assert_int_equal(stats_of(link, 0).corrupted, 200);
    weir_link_close(link);
}

static void a_corrupted_partial_checksum_is_found(void **state)
{
    struct weir_impair m = {.down.corrupt_ppb = 1000000000};
    uint8_t bytes[200];
    uint32_t len = build_tcp4(bytes, 100);
    struct weir_frame f = {.part = {{bytes, len}},
                           .parts = 1,
                           .flags = WEIR_CSUM_PARTIAL,
                           .csum_start = 20,
                           .csum_offset = 16};
    struct weir_frame got[WEIR_BURST_MAX];
    struct weir_link *link = opened(&m);

    (void)state;
    for (int i = 0; i < 50; i++)
        fake_arrive(inner, &f);
    assert_int_equal(link->driver->recv(link, got, WEIR_BURST_MAX, 0), 50);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(got[i].flags, 0);
        assert_false(tcp4_is_sound(got[i].part[0].data, len));
    }
    assert_int_equal(stats_of(link, 1).corrupted, 50);
    weir_link_close(link);
}

static void a_superframe_is_cut_once_the_link_is_more_than_delay(void **state)
{
    static uint8_t bytes[4000];
    uint32_t len = build_tcp4(bytes, 2500);
    struct weir_frame f = {.part = {{bytes, 40}, {bytes + 40, 500}, {bytes + 540, len - 540}},
                           .parts = 3,
                           .flags = WEIR_CSUM_PARTIAL,
                           .gso_size = 1000,
                           .csum_start = 20,
                           .csum_offset = 16};
    struct weir_impair m = {.up.loss_ppb = 1}; /* either direction counts */
    struct weir_frame got[WEIR_BURST_MAX];
    struct weir_link *link = opened(&m);
    static const uint8_t flags[3] = {0x90, 0x10, 0x19}; /* CWR first; FIN and PSH last */

    (void)state;
    fake_arrive(inner, &f);
    assert_int_equal(link->driver->recv(link, got, WEIR_BURST_MAX, 0), 3);
    for (int i = 0; i < 3; i++) {
        const uint8_t *p = got[i].part[0].data;
        uint32_t n = i < 2 ? 1040 : 540;
        assert_int_equal(weir_frame_len(&got[i]), n);
        assert_true(tcp4_is_sound(p, n));
        assert_int_equal(got[i].gso_size, 0);
        assert_int_equal(got[i].flags, WEIR_CSUM_VALID);
        assert_int_equal(p[33], flags[i]);
        assert_int_equal(p[4] << 8 | p[5], 0x1234 + i);
        assert_int_equal(p[26] << 8 | p[27], 0x1000 + i * 1000);
        assert_memory_equal(p + 40, bytes + 40 + i * 1000, n - 40);
    }
    weir_link_close(link);
}

static void a_superframe_survives_delay_whole(void **state)
{
    static uint8_t bytes[60000];
    uint32_t len = build_tcp4(bytes, 50000);
    struct weir_frame f = {.part = {{bytes, len}},
                           .parts = 1,
                           .flags = WEIR_CSUM_PARTIAL,
                           .gso_size = 1460,
                           .csum_start = 20,
                           .csum_offset = 16};
    struct weir_impair m = {.up.delay_ns = 1, .mtu = 1400};
    struct weir_link *link = opened(&m);

    (void)state;
    assert_int_equal(link->iface.mtu, 1400);
    assert_int_equal(link->iface.gso_max, 65535);
    link->driver->send(link, &f, 1, 0);
    run_until(link, WEIR_NEVER - 1);
    assert_int_equal(inner->out_count, 1);
    assert_int_equal(inner->out[0].frame.gso_size, 1460);
    assert_int_equal(inner->out[0].frame.flags, WEIR_CSUM_PARTIAL);
    assert_memory_equal(inner->out[0].bytes, bytes, len);
    weir_link_close(link);
}

static void down_frames_stay_valid_until_the_next_recv(void **state)
{
    struct weir_impair m = {.down.delay_ns = MS};
    struct weir_frame got[WEIR_BURST_MAX];
    struct weir_link *link = opened(&m);
    uint8_t bytes[100];

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct weir_frame f = numbered(bytes, sizeof bytes, i);
        fake_arrive(inner, &f);
    }
    assert_int_equal(link->driver->recv(link, got, WEIR_BURST_MAX, 0), 0);
    assert_int_equal(inner->in_next, 100);
    assert_int_equal(link->driver->recv(link, got, WEIR_BURST_MAX, MS), 64);
    send_numbers(link, 1000, 1, 100, MS); /* must not touch them */
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(number_of(&got[i]), i);
    assert_int_equal(link->driver->recv(link, got, WEIR_BURST_MAX, MS), 36);
    assert_int_equal(number_of(&got[35]), 99);
    weir_link_close(link);
}

static void a_line_that_holds_too_much_drops(void **state)
{
    struct weir_impair m = {.up.delay_ns = 1000 * MS};
    static uint8_t bytes[65535];
    struct weir_frame f = {.part = {{bytes, sizeof bytes}}, .parts = 1};
    struct weir_link *link = opened(&m);

    (void)state;
    for (int i = 0; i < 1100; i++)
        link->driver->send(link, &f, 1, 0);
    assert_int_equal(stats_of(link, 0).queue_full, 1100 - (64 << 20) / (65535 + 14));
    weir_link_close(link);
}

static void errors_of_the_inner_link_pass_and_close_closes_it(void **state)
{
    struct weir_impair m = {0};
    struct weir_frame got[1];
    struct weir_link *link = opened(&m);
    int closed = 0;

    (void)state;
    inner->closed = &closed;
    inner->recv_error = -ENETDOWN;
    assert_int_equal(link->driver->recv(link, got, 1, 0), -ENETDOWN);
    weir_link_close(link);
    assert_int_equal(closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_perfect_link_passes_at_once),
        cmocka_unit_test(delay_is_exact),
        cmocka_unit_test(the_inner_deadline_counts_too),
        cmocka_unit_test(jitter_keeps_the_order),
        cmocka_unit_test(a_reordered_frame_overtakes),
        cmocka_unit_test(loss_is_a_matter_of_the_seed),
        cmocka_unit_test(equal_seeds_give_equal_outputs),
        cmocka_unit_test(rate_is_the_time_of_each_bit),
        cmocka_unit_test(a_full_queue_marks_what_may_be_marked),
        cmocka_unit_test(a_policer_drops_what_comes_too_fast_and_delays_nothing),
        cmocka_unit_test(a_full_queue_drops_its_tail),
        cmocka_unit_test(corruption_flips_one_bit_behind_the_link_header),
        cmocka_unit_test(a_corrupted_partial_checksum_is_found),
        cmocka_unit_test(a_superframe_is_cut_once_the_link_is_more_than_delay),
        cmocka_unit_test(a_superframe_survives_delay_whole),
        cmocka_unit_test(down_frames_stay_valid_until_the_next_recv),
        cmocka_unit_test(a_line_that_holds_too_much_drops),
        cmocka_unit_test(errors_of_the_inner_link_pass_and_close_closes_it),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("impair", tests, NULL, NULL);
}
