/* ARP packets for IPv4 over Ethernet. */
#include "unit.h"

#include "wire/wire.h"

static const uint8_t request[ARP_LEN] = {
    0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
};

static void emit_gives_the_known_bytes(void **state)
{
    const struct arp a = {
        .op = ARP_REQUEST, .sha = {2, 0, 0, 0, 0, 1}, .spa = 0x0a000001, .tpa = 0x0a000002};
    uint8_t out[ARP_LEN];

    (void)state;
    memset(out, 0xff, sizeof out);
    assert_int_equal(arp_emit(out, &a), ARP_LEN);
    assert_memory_equal(out, request, ARP_LEN);
}

static void parse_reads_what_emit_wrote(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 200); dice_next(&d)) {
        struct arp a, b;
        uint8_t out[ARP_LEN];

        memset(&b, 0, sizeof b);
        memset(&a, 0, sizeof a);
        dice_fill(&d, &a, offsetof(struct arp, is_802));
        a.is_802 = d.seed & 1;
        a.spa = (uint32_t)dice_u64(&d);
        a.tpa = (uint32_t)dice_u64(&d);
        arp_emit(out, &a);
        check(&d, arp_parse(&b, walled(out, ARP_LEN), ARP_LEN) == ARP_LEN);
        check(&d, a.op == b.op && a.is_802 == b.is_802 && a.spa == b.spa && a.tpa == b.tpa);
        check(&d, !memcmp(a.sha, b.sha, 6) && !memcmp(a.tha, b.tha, 6));
    }
}

static void every_cut_is_malformed(void **state)
{
    struct arp a;

    (void)state;
    for (size_t n = 0; n < ARP_LEN; n++)
        assert_int_equal(arp_parse(&a, walled(request, n), n), -DROP_arp_malformed);
}

static void padding_is_no_harm(void **state)
{
    uint8_t frame[46] = {0};
    struct arp a;

    (void)state;
    memcpy(frame, request, ARP_LEN);
    assert_int_equal(arp_parse(&a, frame, sizeof frame), ARP_LEN);
}

/* REQ:826-PacketReception-1 REQ:826-PacketReception-2 */
static void other_hardware_protocol_or_lengths_are_refused(void **state)
{
    (void)state;
    for (int at = 0; at < 6; at++) {
        for (int bit = 0; bit < 8; bit++) {
            uint8_t p[ARP_LEN];
            struct arp a;

            memcpy(p, request, ARP_LEN);
            p[at] ^= (uint8_t)(1 << bit);
            assert_int_equal(arp_parse(&a, p, ARP_LEN), -DROP_arp_malformed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emit_gives_the_known_bytes),
        cmocka_unit_test(parse_reads_what_emit_wrote),
        cmocka_unit_test(every_cut_is_malformed),
        cmocka_unit_test(padding_is_no_harm),
        cmocka_unit_test(other_hardware_protocol_or_lengths_are_refused),
    };

    return cmocka_run_group_tests_name("arp", tests, NULL, NULL);
}
