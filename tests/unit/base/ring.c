/* Byte rings: memory, slices, early bytes, growth. */
#include "unit.h"

#include "base/ring.h"

static struct mem m;
static struct faulty f;
static struct ring r;

static int setup(void **state)
{
    (void)state;
    faulty_mem(&m, &f);
    r = (struct ring){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ring_release(&r, &m);
    faulty_mem_end(&m, &f);
    return 0;
}

static void empty_ring_owns_nothing(void **state)
{
    (void)state;
    ring_consume(&r, 0);
    ring_extend(&r, 0);
    ring_place(&r, 0, "", 0);
    assert_int_equal(r.head, 0);
    assert_true(ring_reserve(&r, &m, 0, 0));
    assert_null(r.buf);
    assert_int_equal(m.held, 0);
}

static void size_is_the_power_of_two_that_holds_it(void **state)
{
    static const struct {
        uint32_t capacity, size;
    } row[] = {{1, 2048}, {2048, 2048}, {2049, 4096}, {4096, 4096}, {100000, 131072}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        assert_true(ring_reserve(&r, &m, row[i].capacity, 0));
        assert_int_equal(r.size, row[i].size);
        assert_int_equal(m.held, row[i].size);
    }
    assert_true(ring_reserve(&r, &m, 10, 0)); /* never shrinks */
    assert_int_equal(r.size, 131072);
}

static void release_gives_everything_back(void **state)
{
    (void)state;
    assert_true(ring_reserve(&r, &m, 5000, 0));
    ring_place(&r, 0, "abc", 3);
    ring_extend(&r, 3);
    ring_release(&r, &m);
    assert_int_equal(m.held, 0);
    assert_int_equal(r.len, 0);
    assert_int_equal(r.size, 0);
    assert_null(r.buf);
}

static void refused_memory_leaves_the_ring(void **state)
{
    char text[4] = {0};

    (void)state;
    f.left = 0;
    assert_false(ring_reserve(&r, &m, 1, 0));
    assert_int_equal(r.size, 0);
    f.left = 1;
    assert_true(ring_reserve(&r, &m, 1, 0));
    ring_place(&r, 0, "abc", 3);
    ring_extend(&r, 3);
    assert_false(ring_reserve(&r, &m, 3000, 3));
    assert_false(ring_reserve(&r, &m, 0x80000001u, 3));
    assert_int_equal(r.size, 2048);
    ring_peek(&r, 0, text, 3);
    assert_string_equal(text, "abc");
}

static void a_placed_byte_is_there_once_extended(void **state)
{
    char text[7] = {0};

    (void)state;
    assert_true(ring_reserve(&r, &m, 2048, 0));
    ring_extend(&r, 2046);
    ring_consume(&r, 2046); /* the next bytes wrap */
    ring_place(&r, 3, "def", 3);
    ring_place(&r, 0, "abc", 3);
    ring_extend(&r, 6);
    ring_peek(&r, 0, text, 6);
    assert_string_equal(text, "abcdef");
}

static void growing_keeps_early_bytes_across_the_wrap(void **state)
{
    char text[7] = {0};

    (void)state;
    assert_true(ring_reserve(&r, &m, 2048, 0));
    ring_extend(&r, 2046);
    ring_consume(&r, 2046);
    ring_place(&r, 0, "ab", 2);
    ring_extend(&r, 2);
    ring_place(&r, 4, "ef", 2); /* early, behind a hole */
    assert_true(ring_reserve(&r, &m, 3000, 6));
    assert_int_equal(r.head, 0);
    assert_int_equal(r.len, 2);
    ring_place(&r, 2, "cd", 2);
    ring_extend(&r, 4);
    ring_peek(&r, 0, text, 6);
    assert_string_equal(text, "abcdef");
}

static void slices_cover_exactly(void **state)
{
    struct ring_slice s[2];

    (void)state;
    assert_true(ring_reserve(&r, &m, 2048, 0));
    ring_extend(&r, 2000);
    ring_consume(&r, 2000);
    assert_int_equal(ring_slices(&r, 0, 48, s), 1);
    assert_ptr_equal(s[0].data, r.buf + 2000);
    assert_int_equal(s[0].len, 48);
    assert_int_equal(ring_slices(&r, 0, 49, s), 2);
    assert_int_equal(s[0].len, 48);
    assert_ptr_equal(s[1].data, r.buf);
    assert_int_equal(s[1].len, 1);
    assert_int_equal(ring_slices(&r, 48, 2000, s), 1);
    assert_ptr_equal(s[0].data, r.buf);
    assert_traps(ring_slices(&r, 0, 0, s));
    assert_traps(ring_slices(&r, 0, 2049, s));
    assert_traps(ring_slices(&r, 2000, 49, s));
    assert_traps(ring_slices(&r, UINT32_MAX, 2, s));
    assert_traps(ring_reserve(&r, &m, 5000, 2049));
    ring_extend(&r, 10);
    assert_traps(ring_reserve(&r, &m, 5000, 9));
}

#define WINDOW 70000

/* A stream whose byte at each position is known; `there` says which of the window have arrived. */
struct stream {
    bool there[WINDOW];
    uint32_t placed; /* one behind the last that arrived */
    uint64_t base;   /* position of the first readable byte */
};

static uint8_t byte_at(uint64_t position)
{
    return (uint8_t)(position * 0x9e3779b97f4a7c15u >> 56);
}

static void arrive(struct dice *d, struct stream *x)
{
    uint8_t text[3000];
    uint32_t n = 1 + dice_below(d, sizeof text);
    uint32_t off = r.len + (dice_below(d, 2) ? 0 : dice_below(d, 5000));

    if (off + n > WINDOW)
        return;
    for (uint32_t i = 0; i < n; i++)
        text[i] = byte_at(x->base + off + i);
    check(d, ring_reserve(&r, &m, off + n, x->placed));
    ring_place(&r, off, text, n);
    memset(x->there + off, true, n);
    x->placed = off + n > x->placed ? off + n : x->placed;
    for (n = 0; r.len + n < WINDOW && x->there[r.len + n]; n++)
        ;
    ring_extend(&r, n);
}

static void leave(struct dice *d, struct stream *x)
{
    uint8_t text[4000];
    uint32_t n = dice_below(d, r.len + 1);

    n = n < sizeof text ? n : sizeof text;
    ring_peek(&r, 0, text, n);
    for (uint32_t i = 0; i < n; i++)
        check(d, text[i] == byte_at(x->base + i));
    ring_consume(&r, n);
    memmove(x->there, x->there + n, WINDOW - n);
    memset(x->there + WINDOW - n, false, n);
    x->placed -= n;
    x->base += n;
    if (!x->placed)
        ring_release(&r, &m);
}

static void random_arrivals_are_read_in_order(void **state)
{
    static struct stream x;

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 5); dice_next(&d)) {
        x = (struct stream){.base = dice_u64(&d)};
        for (int i = 0; i < 5000; i++) {
            if (dice_below(&d, 3))
                arrive(&d, &x);
            else
                leave(&d, &x);
            check(&d, m.held == r.size && r.len <= r.size);
        }
        ring_release(&r, &m);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(empty_ring_owns_nothing),
        T(size_is_the_power_of_two_that_holds_it),
        T(release_gives_everything_back),
        T(refused_memory_leaves_the_ring),
        T(a_placed_byte_is_there_once_extended),
        T(growing_keeps_early_bytes_across_the_wrap),
        T(slices_cover_exactly),
        T(random_arrivals_are_read_in_order),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
