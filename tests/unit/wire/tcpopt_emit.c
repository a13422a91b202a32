/* TCP options that go out: Linux's layout, what fits, and that it is read as it was written. */
#include "optlist.h"

#define ALL_OPTIONS 63 /* but accurate ECN's, for which there is not always room */

static size_t emitted(const struct tcp_opts *o, uint8_t *list)
{
    struct tcp_hdr h = {.flags = TCP_ACK, .opt = *o};
    uint8_t out[TCP_HDR_MAX + 4];
    size_t len;

    memset(out, 0xa5, sizeof out);
    len = tcp_emit(out, &h);
    assert_in_range(len, TCP_LEN, TCP_HDR_MAX);
    assert_int_equal(len % 4, 0);
    assert_int_equal(len, TCP_LEN + tcp_opts_len(o));
    assert_int_equal(out[12] >> 4, len / 4);
    for (size_t i = len; i < sizeof out; i++)
        assert_int_equal(out[i], 0xa5);
    memcpy(list, out + TCP_LEN, len - TCP_LEN);
    return len - TCP_LEN;
}

static void expect_list(const struct tcp_opts *o, const uint8_t *want, size_t n)
{
    uint8_t list[LIST_MAX];

    assert_int_equal(emitted(o, list), n);
    assert_memory_equal(list, want, n);
}

#define EXPECT_LIST(o, ...) \
    expect_list(o, (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

static const struct tcp_opts full = {
    .wscale = 7,
    .mss = 1460,
    .tsval = 0x01020304,
    .tsecr = 0x05060708,
    .sacks = 4,
    .sack = {{{1}, {2}}, {{3}, {4}}, {{5}, {6}}, {{7}, {8}}},
    .cookie_len = 8,
    .cookie = "cookie!!",
};

static struct tcp_opts with(int has)
{
    struct tcp_opts o = full;

    o.has = (uint8_t)has;
    return o;
}

/* The layout of Linux. REQ:MUST-14 (generating it) */
static void a_syn_has_mss_sack_ok_ts_nop_wscale(void **state)
{
    struct tcp_opts o = with(TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS | TCP_OPT_WSCALE);

    (void)state;
    EXPECT_LIST(&o, 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7);
    o = with(TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE);
    EXPECT_LIST(&o, 2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7);
    o = with(TCP_OPT_MSS | TCP_OPT_TS);
    EXPECT_LIST(&o, 2, 4, 0x05, 0xb4, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8);
    o = with(TCP_OPT_MSS);
    EXPECT_LIST(&o, 2, 4, 0x05, 0xb4);
}

static void other_segments_have_ts_and_sack(void **state)
{
    struct tcp_opts o = with(TCP_OPT_TS);

    (void)state;
    EXPECT_LIST(&o, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8);
    o.has = TCP_OPT_TS | TCP_OPT_SACK;
    o.sacks = 1;
    EXPECT_LIST(&o, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2);
    o.has = TCP_OPT_SACK;
    EXPECT_LIST(&o, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2);
    o.sacks = 0;
    assert_int_equal(tcp_opts_len(&o), 0);
    o.has = 0;
    assert_int_equal(tcp_opts_len(&o), 0);
}

static void a_cookie_is_filled_with_nops(void **state)
{
    struct tcp_opts o = with(TCP_OPT_FASTOPEN);

    (void)state;
    EXPECT_LIST(&o, 34, 10, 'c', 'o', 'o', 'k', 'i', 'e', '!', '!', 1, 1);
    o.cookie_len = 0;
    EXPECT_LIST(&o, 34, 2, 1, 1);
    o.cookie_len = 6;
    EXPECT_LIST(&o, 34, 8, 'c', 'o', 'o', 'k', 'i', 'e');
    o.cookie_len = 16;
    assert_int_equal(tcp_opts_len(&o), 20);
    o.cookie_len = 15;
    assert_traps(emitted(&o, (uint8_t[LIST_MAX]){0}));
    o.cookie_len = 18;
    assert_traps(emitted(&o, (uint8_t[LIST_MAX]){0}));
}

/* REQ:9768-3.2.3-1 REQ:9768-3.2.3.1-1 */
static void counters_of_accurate_ecn_are_24_bits(void **state)
{
    struct tcp_opts o = {.has = TCP_OPT_ACC, .accs = 3, .acc = {0x010203, 0xff040506, 0x070809}};

    (void)state;
    EXPECT_LIST(&o, 172, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1);
    o.accs = 2;
    o.is_acc_1 = true;
    EXPECT_LIST(&o, 174, 8, 1, 2, 3, 4, 5, 6);
    o.accs = 1;
    EXPECT_LIST(&o, 174, 5, 1, 2, 3, 1, 1, 1);
    o.accs = 0;
    EXPECT_LIST(&o, 174, 2, 1, 1);
    o.accs = 4;
    assert_traps(emitted(&o, (uint8_t[LIST_MAX]){0}));
}

/* 2018#3: 4 blocks, 3 beside timestamps. */
static void blocks_are_as_many_as_fit(void **state)
{
    static const struct {
        int has;
        size_t len, sacks;
    } row[] = {
        {TCP_OPT_SACK, 36, 4},
        {TCP_OPT_SACK | TCP_OPT_TS, 40, 3},
        {TCP_OPT_SACK | TCP_OPT_TS | TCP_OPT_MSS, 36, 2},
        {TCP_OPT_SACK | TCP_OPT_TS | TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_OK, 40, 2},
        {TCP_OPT_SACK | TCP_OPT_TS | TCP_OPT_FASTOPEN, 36, 1},
        {ALL_OPTIONS, 32, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        struct tcp_opts o = with(row[i].has), back;
        uint8_t list[LIST_MAX];

        assert_int_equal(tcp_opts_len(&o), row[i].len);
        back = parsed(list, emitted(&o, list));
        assert_int_equal(back.sacks, row[i].sacks);
        for (size_t k = 0; k < row[i].sacks; k++)
            assert_int_equal(back.sack[k].start.v, 2 * k + 1);
    }
}

static bool same(const struct tcp_opts *a, const struct tcp_opts *b)
{
    if ((a->has & TCP_OPT_MSS && a->mss != b->mss) ||
        (a->has & TCP_OPT_WSCALE && a->wscale != b->wscale) ||
        (a->has & TCP_OPT_TS && (a->tsval != b->tsval || a->tsecr != b->tsecr)) ||
        (a->has & TCP_OPT_FASTOPEN &&
         (a->cookie_len != b->cookie_len || a->is_old_cookie != b->is_old_cookie ||
          memcmp(a->cookie, b->cookie, a->cookie_len))))
        return false;
    for (int i = 0; a->has & TCP_OPT_ACC && i < a->accs; i++)
        if (a->acc[i] != b->acc[i] || a->accs != b->accs || a->is_acc_1 != b->is_acc_1)
            return false;
    for (int i = 0; i < b->sacks; i++)
        if (!seq_eq(a->sack[i].start, b->sack[i].start) || !seq_eq(a->sack[i].end, b->sack[i].end))
            return false;
    return b->sacks <= a->sacks;
}

/* REQ:MUST-68 REQ:MUST-69: walks what was written: each kind but 0 and 1 has a length, and behind
 * an End of Option List there would be zeros only. */
static bool is_well_formed(const uint8_t *list, size_t n)
{
    size_t at = 0;

    while (at < n && list[at] != 0)
        at += list[at] == 1 ? 1 : list[at + 1];
    if (at > n)
        return false;
    for (; at < n; at++)
        if (list[at])
            return false;
    return true;
}

static void every_set_of_options_crosses(void **state)
{
    (void)state;
    for (int has = 0; has <= ALL_OPTIONS; has++) {
        for (struct dice d = dice_first(1); dice_more(&d, 100); dice_next(&d)) {
            struct tcp_opts a, b;
            uint8_t list[LIST_MAX];
            size_t n;

            dice_fill(&d, &a, sizeof a);
            a.has = (uint8_t)has;
            a.sacks = (uint8_t)(1 + dice_below(&d, TCP_SACK_MAX));
            a.cookie_len = (uint8_t)(dice_below(&d, 8) ? 4 + 2 * dice_below(&d, 7) : 0);
            a.accs = (uint8_t)dice_below(&d, 1 + TCP_ACC_MAX);
            a.is_acc_1 = dice_below(&d, 2);
            a.is_old_cookie = dice_below(&d, 2);
            for (int i = 0; i < TCP_ACC_MAX; i++)
                a.acc[i] &= 0xffffff;
            a.has |= dice_below(&d, 2) ? TCP_OPT_ACC : 0;
            if (tcp_opts_len(&a) > LIST_MAX)
                a.has &= (uint8_t)~TCP_OPT_ACC;
            n = emitted(&a, list);
            b = parsed(list, n);
            check(&d, is_well_formed(list, n) && same(&a, &b));
            check(&d, (a.has & ~TCP_OPT_SACK) == (b.has & ~TCP_OPT_SACK));
            check(&d, !(b.has & TCP_OPT_SACK) || a.has & TCP_OPT_SACK);
            check(&d, !(a.has & TCP_OPT_SACK) || b.has & TCP_OPT_SACK || n >= 32);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_of_accurate_ecn_are_24_bits),
        cmocka_unit_test(a_syn_has_mss_sack_ok_ts_nop_wscale),
        cmocka_unit_test(other_segments_have_ts_and_sack),
        cmocka_unit_test(a_cookie_is_filled_with_nops),
        cmocka_unit_test(blocks_are_as_many_as_fit),
        cmocka_unit_test(every_set_of_options_crosses),
    };

    return cmocka_run_group_tests_name("tcpopt", tests, NULL, NULL);
}
