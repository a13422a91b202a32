/* Which frames pass for ones whose checksum is still to be finished, and which do not. */
#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "drivers/linear.h"
#include "drivers/partial.h"
#include "unit.h"

#define DATA 11

/* A frame of TCP or UDP with DATA bytes; its checksum is that of the pseudo-header. The length. */
static uint32_t make(uint8_t *to, bool is_ip6, uint8_t protocol)
{
    uint32_t head = is_ip6 ? 40 : 20, len = (protocol == 6 ? 20 : 8) + DATA;
    uint8_t *ip = to + 14, tail[4] = {0, protocol, 0, (uint8_t)len};
    uint16_t sum;

    memset(to, 0, 14 + head + len);
    put16(to + 12, is_ip6 ? 0x86dd : 0x0800);
    ip[0] = is_ip6 ? 0x60 : 0x45;
    put16(ip + (is_ip6 ? 4 : 2), (uint16_t)(is_ip6 ? len : head + len));
    ip[is_ip6 ? 6 : 9] = protocol;
    for (uint32_t i = is_ip6 ? 8 : 12; i < head; i++)
        ip[i] = (uint8_t)(i * 37);
    memset(ip + head, 0x5a, len);
    sum = sum_fold(sum_add(sum_add(0, ip + (is_ip6 ? 8 : 12), is_ip6 ? 32 : 8), tail, 4));
    memcpy(ip + head + (protocol == 6 ? 16 : 6), &sum, 2);
    return 14 + head + len;
}

static uint8_t flags_of(const uint8_t *bytes, uint32_t len)
{
    struct weir_frame f = {.part = {{bytes, len}}, .parts = 1};

    partial_mark(&f);
    return f.flags;
}

static void sums_of_the_pseudo_header_are_known(void **state)
{
    static const struct {
        bool is_ip6;
        uint8_t protocol;
        uint16_t start, offset;
    } rows[] = {{false, 6, 34, 16}, {false, 17, 34, 6}, {true, 6, 54, 16}, {true, 17, 54, 6}};
    uint8_t bytes[128];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t len = make(bytes, rows[i].is_ip6, rows[i].protocol);
        struct weir_frame f = {.part = {{bytes, len}}, .parts = 1};

        partial_mark(&f);
        assert_int_equal(f.flags, WEIR_CSUM_PARTIAL);
        assert_int_equal(f.csum_start, rows[i].start);
        assert_int_equal(f.csum_offset, rows[i].offset);
        linear_complete(bytes, len, &f); /* finished, it is one no more */
        assert_int_equal(flags_of(bytes, len), 0);
    }
}

static void what_is_not_whole_or_not_ours_is_left(void **state)
{
    uint8_t bytes[128];
    uint32_t len = make(bytes, false, 6);

    (void)state;
    for (uint32_t cut = 0; cut < len; cut++)
        assert_int_equal(flags_of(bytes, cut), 0);
    bytes[14 + 6] = 0x20; /* a first fragment */
    assert_int_equal(flags_of(bytes, len), 0);
    len = make(bytes, false, 6);
    bytes[14] = 0x44; /* a header of 16 bytes */
    assert_int_equal(flags_of(bytes, len), 0);
    len = make(bytes, true, 6);
    for (uint32_t cut = 0; cut < len; cut++)
        assert_int_equal(flags_of(bytes, cut), 0);
    len = make(bytes, false, 1); /* ICMP has no pseudo-header */
    assert_int_equal(flags_of(bytes, len), 0);
    len = make(bytes, false, 17);
    bytes[14 + 26]++; /* another sum */
    assert_int_equal(flags_of(bytes, len), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_the_pseudo_header_are_known),
        cmocka_unit_test(what_is_not_whole_or_not_ours_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
