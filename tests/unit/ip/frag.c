/* Datagrams put together from pieces: every order, and what attackers send. */
#include "ip_bench.h"

#include "ip/frag.h"

#define MF IP4_MF

struct pieces {
    struct bench b;
    struct frag_limits limit;
    struct frag_whole whole;
    uint8_t text[65536];
};

static void open_pieces(struct pieces *p)
{
    struct dice d = {5, 5};

    bench_open(&p->b);
    p->limit = p->b.ip.config.frag;
    dice_fill(&d, p->text, sizeof p->text);
}

static void close_pieces(struct pieces *p)
{
    bench_close(&p->b);
}

struct piece {
    uint32_t start, len;
    bool is_last;
    uint16_t id;
    uint8_t proto, tos;
    struct weir_addr src; /* 0: PEER */
    const uint8_t *text;  /* NULL: the datagram's own */
};

static enum drop take_piece(struct pieces *p, const struct piece *f)
{
    uint8_t hdr[IP4_LEN];
    struct weir_addr zero = {.w = {0}};
    struct ip4 h = {.hdr_len = IP4_LEN,
                    .ttl = 64,
                    .proto = f->proto ? f->proto : PROTO_UDP,
                    .tos = f->tos,
                    .total_len = (uint16_t)(IP4_LEN + f->len),
                    .id = f->id,
                    .frag = (uint16_t)(f->start / 8 | (f->is_last ? 0 : MF)),
                    .src = weir_addr_to_v4(&(struct weir_addr){.w = {0}}),
                    .dst = 0x0a000001};
    struct frag_in in = {.dst = US,
                         .ifindex = 1,
                         .id = f->id,
                         .proto = h.proto,
                         .start = f->start,
                         .tos = f->tos,
                         .has_more = !f->is_last,
                         .hdr = hdr,
                         .hdr_len = IP4_LEN,
                         .parts = 1};

    in.src = weir_addr_equal(&f->src, &zero) ? PEER : f->src;
    h.src = weir_addr_to_v4(&in.src);
    ip4_emit(hdr, &h);
    in.part[0] = (struct weir_slice){(f->text ? f->text : p->text) + f->start, f->len};
    if (f->len > 100 && !f->text) { /* as a frame has it: in slices */
        in.parts = 2;
        in.part[0].len = 33;
        in.part[1] = (struct weir_slice){p->text + f->start + 33, f->len - 33};
    }
    return frag_input(&p->b.ip.frags, &p->limit, &in, &p->whole, p->b.now);
}

#define TAKE(p, ...) take_piece(p, &(struct piece){__VA_ARGS__})

static void check_whole(struct pieces *p, uint32_t len)
{
    struct ip4 h;

    assert_int_equal(p->whole.len, IP4_LEN + len);
    assert_int_equal(ip4_parse(&h, p->whole.data, p->whole.len), IP4_LEN);
    assert_int_equal(h.frag, 0);
    assert_int_equal(h.total_len, IP4_LEN + len);
    assert_memory_equal(p->whole.data + IP4_LEN, p->text, len);
    frag_release(&p->b.ip.frags);
}

/* REQ:1122-3.3.2-1 REQ:815-5-1 REQ:815-3-5 REQ:815-6-1 */
static void pieces_are_joined_in_any_order(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    for (struct dice d = dice_first(1); dice_more(&d, 60); dice_next(&d)) {
        uint32_t len = 1 + dice_below(&d, 65515), step = 8 + dice_below(&d, 3000) / 8 * 8;
        uint32_t n = (len + step - 1) / step, order[8192];

        for (uint32_t i = 0; i < n; i++) {
            uint32_t j = dice_below(&d, i + 1);

            order[i] = order[j];
            order[j] = i;
        }
        for (uint32_t i = 0; i < n; i++) {
            uint32_t at = order[i] * step, left = len - at;
            enum drop v = TAKE(&p, .start = at, .len = left < step ? left : step,
                               .is_last = left <= step);

            assert_int_equal(v, i + 1 < n ? KEPT : PASS);
        }
        check_whole(&p, len);
    }
    assert_int_equal(p.b.ip.frags.failed, 0);
    assert_int_equal(p.b.ip.frags.held_bytes, 0);
    close_pieces(&p);
}

/* REQ:791-3.2-5 REQ:815-7-1: source, protocol and identification */
static void pieces_of_different_datagrams_are_never_mixed(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    assert_int_equal(TAKE(&p, .start = 0, .len = 64, .id = 7), KEPT);
    assert_int_equal(TAKE(&p, .start = 64, .len = 9, .id = 8, .is_last = true), KEPT);
    assert_int_equal(TAKE(&p, .start = 64, .len = 9, .id = 7, .proto = 1, .is_last = true), KEPT);
    assert_int_equal(
        TAKE(&p, .start = 64, .len = 9, .id = 7, .src = v4(10, 0, 0, 3), .is_last = true), KEPT);
    assert_int_equal(TAKE(&p, .start = 64, .len = 9, .id = 7, .is_last = true), PASS);
    assert_int_equal(p.whole.len, IP4_LEN + 73);
    frag_release(&p.b.ip.frags);
    assert_int_equal(p.b.ip.frags.order.count, 3);
    close_pieces(&p);
}

/* Sizes that no datagram has; they end the datagram that they claim to be of. */
static void impossible_pieces_end_the_datagram(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    assert_int_equal(TAKE(&p, .start = 0, .len = 13), DROP_ip_fragment_bad);
    assert_int_equal(TAKE(&p, .start = 8, .len = 0, .is_last = true), DROP_ip_fragment_bad);
    assert_int_equal(TAKE(&p, .start = 65528, .len = 100, .is_last = true), DROP_ip_fragment_bad);
    assert_int_equal(p.b.ip.frags.held_bytes, 0);
    assert_int_equal(p.b.ip.frags.failed, 3);
    assert_int_equal(TAKE(&p, .start = 0, .len = 1480), KEPT);
    assert_int_equal(TAKE(&p, .start = 65528, .len = 100, .is_last = true), DROP_ip_fragment_bad);
    assert_int_equal(p.b.ip.frags.failed, 4);
    assert_int_equal(TAKE(&p, .start = 1480, .len = 9, .is_last = true), DROP_ip_fragment_overlap);
    assert_int_equal(TAKE(&p, .id = 1, .start = 0, .len = 65512), KEPT);
    assert_int_equal(TAKE(&p, .id = 1, .start = 65512, .len = 3, .is_last = true), PASS);
    check_whole(&p, 65515);
    close_pieces(&p);
}

struct shape {
    uint32_t start, len;
    bool is_last;
};

/* REQ:5722-4-2 What overlaps and differs is dropped, whichever came first, and so is all that
 * comes later of the same datagram. */
static void overlaps_end_the_datagram(void **state)
{
    static const struct shape first = {800, 800, false},
                              others[] = {
                                  {0, 808, false},   {1592, 80, false}, {880, 80, false},
                                  {0, 4000, false},  {800, 800, false}, {800, 808, false},
                                  {792, 808, false}, {8, 800, true},    {800, 800, true},
                                  {1592, 8, true},
                              };
    static struct pieces p;
    static uint8_t other[65536];

    (void)state;
    open_pieces(&p);
    for (size_t i = 0; i < sizeof other; i++)
        other[i] = (uint8_t)~p.text[i];
    for (uint16_t i = 0; i < COUNT_OF(others); i++) {
        const struct shape *o = &others[i];
        uint64_t failed = p.b.ip.frags.failed;

        for (int turn = 0; turn < 2; turn++) {
            uint16_t id = (uint16_t)(2 * i + turn);
            const struct shape *a = turn ? o : &first, *b = turn ? &first : o;

            assert_int_equal(
                TAKE(&p, .start = a->start, .len = a->len, .is_last = a->is_last, .id = id), KEPT);
            assert_int_equal(TAKE(&p, b->start, b->len, b->is_last, id, .text = other),
                             DROP_ip_fragment_overlap);
            assert_int_equal(TAKE(&p, .start = 0, .len = 8, .id = id), DROP_ip_fragment_overlap);
        }
        assert_int_equal(p.b.ip.frags.failed, failed + 2);
    }
    close_pieces(&p);
}

/* Two pieces that both say "last", at different ends; bytes behind the end. */
static void ends_must_agree(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    for (uint16_t id = 0; id < 2; id++) {
        uint32_t ends[2] = {id ? 100u : 50u, id ? 50u : 100u};

        assert_int_equal(TAKE(&p, .start = 800, .len = ends[0], .is_last = true, .id = id), KEPT);
        assert_int_equal(TAKE(&p, .start = 800, .len = ends[1], .is_last = true, .id = id),
                         DROP_ip_fragment_overlap);
    }
    assert_int_equal(TAKE(&p, .start = 800, .len = 80, .id = 2), KEPT);
    assert_int_equal(TAKE(&p, .start = 400, .len = 8, .is_last = true, .id = 2),
                     DROP_ip_fragment_overlap);
    close_pieces(&p);
}

static void the_same_bytes_again_are_tolerated(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    assert_int_equal(TAKE(&p, .start = 0, .len = 800), KEPT);
    assert_int_equal(TAKE(&p, .start = 0, .len = 800), DROP_ip_fragment_duplicate);
    assert_int_equal(TAKE(&p, .start = 80, .len = 8), DROP_ip_fragment_duplicate);
    assert_int_equal(TAKE(&p, .start = 1600, .len = 5, .is_last = true), KEPT);
    assert_int_equal(TAKE(&p, .start = 1600, .len = 5, .is_last = true),
                     DROP_ip_fragment_duplicate);
    assert_int_equal(TAKE(&p, .start = 800, .len = 800), PASS);
    check_whole(&p, 1605);
    assert_int_equal(p.b.ip.frags.failed, 0);
    close_pieces(&p);
}

/* REQ:1122-3.3.2-4 REQ:815-7-2 */
static void time_runs_from_the_first_to_come(void **state)
{
    static struct pieces p;
    static struct frag_expired e;

    (void)state;
    open_pieces(&p);
    assert_int_equal(frag_deadline(&p.b.ip.frags, &p.limit), INT64_MAX);
    assert_int_equal(TAKE(&p, .start = 0, .len = 1480, .id = 1), KEPT);
    p.b.now += 10 * SECOND;
    assert_int_equal(TAKE(&p, .start = 8, .len = 8, .id = 2), KEPT);
    assert_int_equal(TAKE(&p, .start = 1480, .len = 8, .id = 1), KEPT);
    assert_int_equal(frag_deadline(&p.b.ip.frags, &p.limit), p.b.now + 20 * SECOND);
    p.b.now += 20 * SECOND - 1;
    assert_false(frag_expire(&p.b.ip.frags, &p.limit, &e, p.b.now));
    p.b.now++;
    assert_true(frag_expire(&p.b.ip.frags, &p.limit, &e, p.b.now));
    assert_int_equal(e.len, FRAG_QUOTE_MAX);
    assert_memory_equal(e.quote + IP4_LEN, p.text, FRAG_QUOTE_MAX - IP4_LEN);
    assert_int_equal(get16(e.quote + 2), IP4_LEN + 1480);
    assert_false(frag_expire(&p.b.ip.frags, &p.limit, &e, p.b.now));
    p.b.now += 10 * SECOND;
    assert_true(frag_expire(&p.b.ip.frags, &p.limit, &e, p.b.now));
    assert_int_equal(e.len, 0); /* its first fragment never came */
    assert_int_equal(p.b.ip.frags.held_bytes, 0);
    assert_int_equal(p.b.ip.frags.failed, 2);
    close_pieces(&p);
}

/* 200,000 datagrams that never end, from as many sources; the next good one is put
 * together at once. */
static void a_flood_is_pushed_out_by_what_comes_later(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    for (uint32_t i = 0; i < 200000; i++) {
        assert_int_equal(TAKE(&p, .start = 8 * (i % 8000), .len = 8, .id = (uint16_t)i,
                              .src = weir_addr_v4(0x0b000000 + i)),
                         KEPT);
        assert_true(p.b.ip.frags.held_bytes <= p.limit.high_thresh);
    }
    assert_true(p.b.ip.frags.order.count > 1000);
    assert_int_equal(p.b.ip.frags.failed, 200000 - p.b.ip.frags.order.count);
    assert_int_equal(TAKE(&p, .start = 0, .len = 60000, .id = 9), KEPT);
    assert_int_equal(TAKE(&p, .start = 60000, .len = 5000, .id = 9, .is_last = true), PASS);
    assert_memory_equal(p.whole.data + IP4_LEN, p.text, 65000);
    frag_release(&p.b.ip.frags);
    close_pieces(&p);
}

/* One source holds so many, and starves nobody else. */
static void a_source_pushes_out_its_own(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    assert_int_equal(TAKE(&p, .start = 0, .len = 8, .id = 1, .src = v4(10, 0, 0, 9)), KEPT);
    for (uint16_t i = 0; i < 1000; i++)
        assert_int_equal(TAKE(&p, .start = 0, .len = 8, .id = i), KEPT);
    assert_int_equal(p.b.ip.frags.order.count, 65);
    assert_int_equal(TAKE(&p, .start = 8, .len = 8, .id = 999, .is_last = true), PASS);
    frag_release(&p.b.ip.frags);
    assert_int_equal(
        TAKE(&p, .start = 8, .len = 8, .id = 1, .src = v4(10, 0, 0, 9), .is_last = true), PASS);
    frag_release(&p.b.ip.frags);
    close_pieces(&p);
}

static void without_room_fragments_are_refused(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    p.limit.high_thresh = 0;
    assert_int_equal(TAKE(&p, .start = 0, .len = 8), DROP_ip_fragment_full);
    p.limit.high_thresh = 4000; /* one page, and not two */
    assert_int_equal(TAKE(&p, .start = 0, .len = 2016), KEPT);
    assert_int_equal(TAKE(&p, .start = 2016, .len = 8), DROP_ip_fragment_full);
    assert_int_equal(p.b.ip.frags.held_bytes, 0);
    close_pieces(&p);
}

/* REQ:3168-5.3-1 REQ:3168-5.3-2 REQ:3168-5.3-3 REQ:3168-5.3-4 */
static void congestion_marks_survive(void **state)
{
    static const struct {
        uint8_t a, b;
        int want; /* -1: dropped */
    } rows[] = {{0, 0, 0}, {2, 2, 2}, {2, 3, 3},  {3, 2, 3},
                {3, 3, 3}, {1, 3, 3}, {0, 3, -1}, {3, 0, -1}};
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    for (uint16_t i = 0; i < COUNT_OF(rows); i++) {
        enum drop v;

        assert_int_equal(TAKE(&p, .start = 0, .len = 8, .id = i, .tos = rows[i].a), KEPT);
        v = TAKE(&p, .start = 8, .len = 8, .id = i, .tos = rows[i].b, .is_last = true);
        assert_int_equal(v, rows[i].want < 0 ? DROP_ip_fragment_bad : PASS);
        if (v != PASS)
            continue;
        assert_int_equal(p.whole.data[1], rows[i].want);
        check_whole(&p, 16);
    }
    close_pieces(&p);
}

/* Every refusal of memory leaves things as they were. */
static void memory_may_be_refused_at_any_time(void **state)
{
    static struct pieces p;

    (void)state;
    open_pieces(&p);
    p.b.mem.cached_max = 0; /* each block comes from the allocator */
    p.b.faulty.only_one = true;
    for (uint16_t at = 0; at < 40; at++) {
        p.b.faulty.left = at;
        for (uint32_t i = 0; i < 4; i++)
            TAKE(&p, .start = 4000 * i, .len = 4000, .is_last = i == 3, .id = at);
        frag_release(&p.b.ip.frags);
    }
    p.b.faulty.left = -1;
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(TAKE(&p, .start = 4000 * i, .len = 4000, .is_last = i == 3, .id = 99),
                         i == 3 ? PASS : KEPT);
    frag_release(&p.b.ip.frags);
    close_pieces(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_joined_in_any_order),
        cmocka_unit_test(pieces_of_different_datagrams_are_never_mixed),
        cmocka_unit_test(impossible_pieces_end_the_datagram),
        cmocka_unit_test(overlaps_end_the_datagram),
        cmocka_unit_test(ends_must_agree),
        cmocka_unit_test(the_same_bytes_again_are_tolerated),
        cmocka_unit_test(time_runs_from_the_first_to_come),
        cmocka_unit_test(a_flood_is_pushed_out_by_what_comes_later),
        cmocka_unit_test(a_source_pushes_out_its_own),
        cmocka_unit_test(without_room_fragments_are_refused),
        cmocka_unit_test(congestion_marks_survive),
        cmocka_unit_test(memory_may_be_refused_at_any_time),
    };

    return cmocka_run_group_tests_name("ip_frag", tests, NULL, NULL);
}
