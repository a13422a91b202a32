/* TCP options that come in: known layouts, every kind with every length, every cut, noise. */
#include "optlist.h"

/* REQ:MUST-4 REQ:MUST-14 (understanding it) */
static void the_three_mandatory_kinds_are_read(void **state)
{
    struct tcp_opts o = PARSED(1, 1, 2, 4, 0x05, 0xb4, 1, 0);

    (void)state;
    assert_int_equal(o.has, TCP_OPT_MSS);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(PARSED(1, 1, 1, 1).has, 0);
    assert_int_equal(PARSED(0, 0, 0, 0).has, 0);
    o = PARSED(0, 2, 4, 5); /* nothing counts behind the end of the list, not even nonsense */
    assert_int_equal(o.has, 0);
    assert_int_equal(PARSED(1, 0, 2, 4, 5, 0xb4, 8, 1).has, 0);
}

/* REQ:7323-2.2-1 REQ:7323-3.2-1 REQ:2018-3-1 */
static void each_option_is_read(void **state)
{
    struct tcp_opts o = PARSED(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0xf5, 6, 7, 8, 1, 3, 3,
                               14);

    (void)state;
    assert_int_equal(o.has, TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS | TCP_OPT_WSCALE);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.tsval, 0x01020304);
    assert_int_equal(o.tsecr, 0xf5060708);
    assert_int_equal(o.wscale, 14);
    o = PARSED(3, 3, 255); /* judged where it is used */
    assert_int_equal(o.wscale, 255);
    o = PARSED(1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0, 0, 3, 0xff, 0, 0, 4);
    assert_int_equal(o.has, TCP_OPT_SACK);
    assert_int_equal(o.sacks, 2);
    assert_int_equal(o.sack[0].start.v, 1);
    assert_int_equal(o.sack[0].end.v, 2);
    assert_int_equal(o.sack[1].start.v, 0xff000003);
    assert_int_equal(o.sack[1].end.v, 0xff000004);
}

static void the_common_list_equals_the_walk(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 1000); dice_next(&d)) {
        uint8_t list[16] = {1, 1, 8, 10};
        struct tcp_opts quick, walked;

        dice_fill(&d, list + 4, 8);
        memset(list + 12, 1, 4);
        quick = parsed(list, 12);
        walked = parsed(list, 16);
        check(&d, quick.has == TCP_OPT_TS && walked.has == TCP_OPT_TS);
        check(&d, quick.tsval == walked.tsval && quick.tsecr == walked.tsecr);
        check(&d, quick.sacks == 0 && walked.sacks == 0);
    }
}

/* What one option of this kind and length is worth. */
static uint8_t worth(int kind, size_t len)
{
    switch (kind) {
    case 2:
        return len == 4 ? TCP_OPT_MSS : 0;
    case 3:
        return len == 3 ? TCP_OPT_WSCALE : 0;
    case 4:
        return len == 2 ? TCP_OPT_SACK_OK : 0;
    case 5:
        return len >= 10 && len % 8 == 2 ? TCP_OPT_SACK : 0;
    case 8:
        return len == 10 ? TCP_OPT_TS : 0;
    case 34:
        return len == 2 || (len >= 6 && len <= 18 && len % 2 == 0) ? TCP_OPT_FASTOPEN : 0;
    case 172:
    case 174:
        return TCP_OPT_ACC;
    default:
        return 0;
    }
}

/* REQ:MUST-6 REQ:MUST-64 REQ:MUST-68 REQ:5482-3-5 REQ:7413-4.1.1-1
 * Each kind with each length, at each alignment, before another option without a filler between. */
static void every_kind_with_every_length_is_skipped_or_read(void **state)
{
    (void)state;
    for (int kind = 2; kind < 256; kind++) {
        for (size_t len = 2; len <= LIST_MAX - 3; len++) {
            size_t shift = len % 4 + len < LIST_MAX - 3 ? len % 4 : 0;
            uint8_t list[LIST_MAX], has;
            struct tcp_opts o;

            memset(list, 0xfe, sizeof list);
            memset(list, 1, shift);
            list[shift] = (uint8_t)kind;
            list[shift + 1] = (uint8_t)len;
            memcpy(list + shift + len, kind == 3 ? "\4\2\1" : "\3\3\7", 3);
            o = parsed_with(list, shift + len + 3, 1);
            has = (uint8_t)(worth(kind, len) | (kind == 3 ? TCP_OPT_SACK_OK : TCP_OPT_WSCALE));
            assert_int_equal(o.has, has);
            if (kind != 3)
                assert_int_equal(o.wscale, 7);
        }
    }
}

/* REQ:MUST-7 */
static void a_bad_length_ends_the_list_and_keeps_what_came_before(void **state)
{
    (void)state;
    for (int kind = 2; kind < 256; kind++) {
        for (int len = 0; len < 256; len++) {
            uint8_t list[12] = {4, 2, 1, 1, (uint8_t)kind, (uint8_t)len, 1, 1, 1, 1, 1, 1};
            struct tcp_opts o = parsed(list, sizeof list);

            if (len < 2 || len > 8)
                assert_int_equal(o.has, TCP_OPT_SACK_OK | TCP_OPT_BAD);
            else
                assert_int_equal(o.has & (TCP_OPT_SACK_OK | TCP_OPT_BAD), TCP_OPT_SACK_OK);
        }
    }
}

/* REQ:MUST-7 */
static void a_kind_without_a_length_is_bad(void **state)
{
    (void)state;
    for (int kind = 2; kind < 256; kind++) {
        struct tcp_opts o = PARSED(3, 3, 9, (uint8_t)kind);

        assert_int_equal(o.has, TCP_OPT_WSCALE | TCP_OPT_BAD);
        assert_int_equal(o.wscale, 9);
    }
}

/* REQ:MUST-7: each cut of a rich list, so that each option is cut at each of its bytes. */
static void every_cut_is_survived(void **state)
{
    static const uint8_t rich[LIST_MAX] = {
        2, 4, 5, 0xb4, 4, 2, 8, 10, 1,  2, 3, 4, 5, 6, 7, 8, 3, 3,   7, 34,
        8, 1, 2, 3,    4, 5, 6, 5,  10, 0, 0, 0, 1, 0, 0, 0, 2, 254, 2, 1,
    };
    static const struct {
        size_t until;
        uint8_t has;
    } row[] = {{4, TCP_OPT_MSS},     {6, TCP_OPT_SACK_OK},   {16, TCP_OPT_TS},
               {19, TCP_OPT_WSCALE}, {27, TCP_OPT_FASTOPEN}, {37, TCP_OPT_SACK}};

    (void)state;
    for (size_t n = 0; n <= LIST_MAX; n += 4) {
        struct tcp_opts o = parsed(rich, n);
        uint8_t has = 0;
        size_t whole = 0;

        for (size_t i = 0; i < COUNT_OF(row); i++) {
            if (row[i].until > n)
                break;
            has |= row[i].has;
            whole = row[i].until;
        }
        if (whole != n && n != LIST_MAX)
            has |= TCP_OPT_BAD;
        assert_int_equal(o.has, has);
    }
}

static void sack_holds_four_blocks(void **state)
{
    uint8_t list[LIST_MAX];

    (void)state;
    memset(list, 1, sizeof list);
    list[0] = 5;
    for (uint8_t len = 10; len <= 34; len = (uint8_t)(len + 8)) {
        list[1] = len;
        assert_int_equal(parsed(list, sizeof list).sacks, (len - 2) / 8);
    }
    list[1] = 2;
    assert_int_equal(parsed(list, sizeof list).has, 0);
}

/* REQ:7413-4.1.1-2 (the length) */
static void cookies_are_even_and_4_to_16(void **state)
{
    uint8_t list[LIST_MAX];

    (void)state;
    for (uint8_t len = 2; len <= LIST_MAX; len++) {
        struct tcp_opts o;

        for (uint8_t i = 0; i < LIST_MAX; i++)
            list[i] = i;
        list[0] = 34;
        list[1] = len;
        memset(list + len, 0, LIST_MAX - len);
        o = parsed(list, sizeof list);
        assert_int_equal(o.has, worth(34, len));
        if (!o.has)
            continue;
        assert_int_equal(o.cookie_len, len - 2);
        assert_memory_equal(o.cookie, list + 2, o.cookie_len);
    }
}

/* REQ:9768-3.2.3-4 REQ:9768-3.2.3-5 */
static void counters_of_accurate_ecn_are_read_in_both_orders(void **state)
{
    uint8_t list[LIST_MAX];

    (void)state;
    for (uint8_t len = 2; len <= LIST_MAX; len++) {
        size_t fit = (len - 2u) / 3 < 3 ? (len - 2u) / 3 : 3;

        for (uint8_t kind = 172; kind <= 174; kind = (uint8_t)(kind + 2)) {
            struct tcp_opts o;

            for (uint8_t i = 0; i < LIST_MAX; i++)
                list[i] = (uint8_t)(0xf0 + i);
            list[0] = kind;
            list[1] = len;
            memset(list + len, 0, LIST_MAX - len);
            o = parsed(list, sizeof list);
            assert_int_equal(o.has, TCP_OPT_ACC);
            assert_int_equal(o.is_acc_1, kind == 174);
            assert_int_equal(o.accs, fit);
            for (uint32_t i = 0; i < fit; i++)
                assert_int_equal(o.acc[i], (0xf2f3f4 + 0x30303 * i) & 0xffffff);
        }
    }
}

/* REQ:MUST-5 */
static void options_are_read_on_any_segment(void **state)
{
    uint8_t p[TCP_LEN + 12] = {0};
    struct tcp_hdr h;

    (void)state;
    memcpy(p + TCP_LEN, "\2\4\5\264\4\2\3\3\7\1\1\1", 12);
    p[12] = sizeof p << 2;
    for (int flags = 0; flags < 256; flags++) {
        p[13] = (uint8_t)flags;
        assert_int_equal(tcp_parse(&h, p, sizeof p), sizeof p);
        assert_int_equal(h.opt.has, TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE);
    }
}

static void the_last_of_equal_options_counts(void **state)
{
    struct tcp_opts o = PARSED(3, 3, 1, 3, 3, 2, 3, 3, 3);

    (void)state;
    assert_int_equal(o.wscale, 3);
}

/* A second reading of the rules: from the end of each option to the next, by recursion. */
static uint8_t walk(const uint8_t *p, size_t n)
{
    if (n == 0 || p[0] == 0)
        return 0;
    if (p[0] == 1)
        return walk(p + 1, n - 1);
    if (n == 1 || p[1] < 2 || p[1] > n)
        return TCP_OPT_BAD;
    return worth(p[0], p[1]) | walk(p + p[1], n - p[1]);
}

static void noise_is_read_as_the_rules_say(void **state)
{
    static const uint8_t kinds[] = {0, 1, 1, 1, 2, 3, 4, 5, 8, 34, 254, 19, 172, 174};

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 100000); dice_next(&d)) {
        uint8_t list[LIST_MAX];
        size_t n = 4 * dice_below(&d, 11), at = 0;
        struct tcp_opts o;

        dice_fill(&d, list, sizeof list);
        while (d.seed % 4 && at + 1 < n) { /* mostly likely lists */
            list[at] = kinds[dice_below(&d, COUNT_OF(kinds))];
            if (list[at++] < 2)
                continue;
            list[at] = dice_below(&d, 20) ? (uint8_t)(2 + 2 * dice_below(&d, 6)) : list[at];
            at += list[at] < 2 ? 1 : list[at] - 1u;
        }
        o = parsed(list, n);
        check(&d, o.has == walk(list, n));
        check(&d, o.sacks <= TCP_SACK_MAX && (o.sacks > 0) == ((o.has & TCP_OPT_SACK) != 0));
        check(&d, !(o.has & TCP_OPT_FASTOPEN) || o.cookie_len <= 16);
        check(&d, !(o.has & TCP_OPT_ACC) || o.accs <= TCP_ACC_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_mandatory_kinds_are_read),
        cmocka_unit_test(each_option_is_read),
        cmocka_unit_test(the_common_list_equals_the_walk),
        cmocka_unit_test(every_kind_with_every_length_is_skipped_or_read),
        cmocka_unit_test(a_bad_length_ends_the_list_and_keeps_what_came_before),
        cmocka_unit_test(a_kind_without_a_length_is_bad),
        cmocka_unit_test(every_cut_is_survived),
        cmocka_unit_test(sack_holds_four_blocks),
        cmocka_unit_test(cookies_are_even_and_4_to_16),
        cmocka_unit_test(counters_of_accurate_ecn_are_read_in_both_orders),
        cmocka_unit_test(options_are_read_on_any_segment),
        cmocka_unit_test(the_last_of_equal_options_counts),
        cmocka_unit_test(noise_is_read_as_the_rules_say),
    };

    return cmocka_run_group_tests_name("tcpopt", tests, NULL, NULL);
}
