/* Ethernet II headers. */
#include "unit.h"

#include "wire/wire.h"

static const uint8_t frame[] = {0x02, 1, 2, 3, 4, 5, 0x02, 0xa, 0xb, 0xc, 0xd, 0xe, 0x08, 0x00};

/* REQ:894-Frame-1 REQ:894-ByteOrder-1 */
static void emit_gives_the_known_bytes(void **state) /* ROW:122 */
{
    const struct eth e = {{0x02, 1, 2, 3, 4, 5}, {0x02, 0xa, 0xb, 0xc, 0xd, 0xe}, ETH_TYPE_IP4};
    uint8_t out[ETH_LEN];

    (void)state;
    assert_int_equal(eth_emit(out, &e), ETH_LEN);
    assert_memory_equal(out, frame, ETH_LEN);
}

static void parse_reads_them_back(void **state) /* ROW:122 */
{
    struct eth e;

    (void)state;
    assert_int_equal(eth_parse(&e, walled(frame, ETH_LEN), ETH_LEN), ETH_LEN);
    assert_memory_equal(e.dst, frame, 6);
    assert_memory_equal(e.src, frame + 6, 6);
    assert_int_equal(e.type, ETH_TYPE_IP4);
}

static void every_cut_is_a_short_frame(void **state)
{
    struct eth e;

    (void)state;
    for (size_t n = 0; n < ETH_LEN; n++)
        assert_int_equal(eth_parse(&e, walled(frame, n), n), -DROP_short_frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emit_gives_the_known_bytes),
        cmocka_unit_test(parse_reads_them_back),
        cmocka_unit_test(every_cut_is_a_short_frame),
    };

    return cmocka_run_group_tests_name("eth", tests, NULL, NULL);
}
