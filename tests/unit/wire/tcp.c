/* The fixed part of TCP headers. */
#include "unit.h"

#include "wire/wire.h"

static const uint8_t known[TCP_LEN] = {
    0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0xf1, 0xf2,
    0xf3, 0xf4, 0x51, 0x9a, 0xff, 0xfe, 0x00, 0x00, 0x00, 0x07,
};

static void emit_gives_the_known_bytes(void **state)
{
    const struct tcp_hdr h = {.sport = 0x1234,
                              .dport = 80,
                              .seq = {0x01020304},
                              .ack = {0xf1f2f3f4},
                              .flags = TCP_CWR | TCP_ACK | TCP_PSH | TCP_SYN,
                              .ae = true,
                              .wnd = 0xfffe,
                              .urg = 7};
    uint8_t out[TCP_LEN];

    (void)state;
    memset(out, 0xff, sizeof out);
    assert_int_equal(tcp_emit(out, &h), TCP_LEN);
    assert_memory_equal(out, known, TCP_LEN);
}

static void parse_reads_each_field(void **state)
{
    struct tcp_hdr h;

    (void)state;
    assert_int_equal(tcp_parse(&h, walled(known, TCP_LEN), TCP_LEN), TCP_LEN);
    assert_int_equal(h.sport, 0x1234);
    assert_int_equal(h.dport, 80);
    assert_int_equal(h.seq.v, 0x01020304);
    assert_int_equal(h.ack.v, 0xf1f2f3f4);
    assert_int_equal(h.hdr_len, TCP_LEN);
    assert_int_equal(h.flags, TCP_CWR | TCP_ACK | TCP_PSH | TCP_SYN);
    assert_true(h.ae);
    assert_int_equal(h.urg, 7);
    assert_int_equal(h.opt.has, 0);
    assert_int_equal(h.opt.sacks, 0);
}

/* 9293#3.1 MUST-1 begins here; what the connection makes of it is tested there. */
static void a_large_window_is_not_negative(void **state)
{
    struct tcp_hdr h;

    (void)state;
    assert_int_equal(tcp_parse(&h, known, TCP_LEN), TCP_LEN);
    assert_true(h.wnd == 65534 && (int64_t)h.wnd > 0);
}

static void each_flag_has_its_bit(void **state)
{
    static const uint8_t bit[] = {TCP_FIN, TCP_SYN, TCP_RST, TCP_PSH,
                                  TCP_ACK, TCP_URG, TCP_ECE, TCP_CWR};

    (void)state;
    for (int i = 0; i < 8; i++) {
        struct tcp_hdr h = {.flags = bit[i]}, back;
        uint8_t out[TCP_LEN];

        tcp_emit(out, &h);
        assert_int_equal(out[13], 1 << i);
        assert_int_equal(out[12], 0x50); /* reserved bits are zero */
        assert_int_equal(tcp_parse(&back, out, TCP_LEN), TCP_LEN);
        assert_int_equal(back.flags, bit[i]);
        assert_false(back.ae);
    }
}

static void reserved_bits_are_ignored(void **state)
{
    uint8_t p[TCP_LEN];
    struct tcp_hdr h;

    (void)state;
    memcpy(p, known, TCP_LEN);
    p[12] = 0x5e;
    assert_int_equal(tcp_parse(&h, p, TCP_LEN), TCP_LEN);
    assert_false(h.ae);
    assert_int_equal(h.flags, known[13]);
}

static void every_cut_and_every_offset_has_its_reason(void **state) /* FSM-001 */
{
    uint8_t p[80] = {0};
    struct tcp_hdr h;

    (void)state;
    memset(p, 1, sizeof p); /* options: NOP */
    for (size_t words = 0; words < 16; words++) {
        p[12] = (uint8_t)(words << 4);
        for (size_t n = 0; n <= sizeof p; n++) {
            int want = (int)words * 4;

            if (n < TCP_LEN)
                want = -DROP_tcp_short;
            else if (words < 5 || words * 4 > n)
                want = -DROP_tcp_offset;
            assert_int_equal(tcp_parse(&h, walled(p, n), n), want);
        }
    }
}

static void parse_reads_what_emit_wrote(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 5000); dice_next(&d)) {
        struct tcp_hdr a = {.sport = (uint16_t)dice_u64(&d),
                            .dport = (uint16_t)dice_u64(&d),
                            .seq = {(uint32_t)dice_u64(&d)},
                            .ack = {(uint32_t)dice_u64(&d)},
                            .flags = (uint8_t)dice_u64(&d),
                            .ae = d.seed & 1,
                            .wnd = (uint16_t)dice_u64(&d),
                            .urg = (uint16_t)dice_u64(&d)};
        struct tcp_hdr b;
        uint8_t out[TCP_HDR_MAX];
        size_t n;

        a.opt.has = d.seed & 2 ? TCP_OPT_TS : 0;
        a.opt.tsval = (uint32_t)dice_u64(&d);
        a.opt.tsecr = (uint32_t)dice_u64(&d);
        n = tcp_emit(out, &a);
        check(&d, tcp_parse(&b, walled(out, n), n) == (int)n && b.hdr_len == n);
        check(&d, a.sport == b.sport && a.dport == b.dport && seq_eq(a.seq, b.seq));
        check(&d, seq_eq(a.ack, b.ack) && a.flags == b.flags && a.ae == b.ae);
        check(&d, a.wnd == b.wnd && a.urg == b.urg && a.opt.has == b.opt.has);
        check(&d, !a.opt.has || (a.opt.tsval == b.opt.tsval && a.opt.tsecr == b.opt.tsecr));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emit_gives_the_known_bytes),
        cmocka_unit_test(parse_reads_each_field),
        cmocka_unit_test(a_large_window_is_not_negative),
        cmocka_unit_test(each_flag_has_its_bit),
        cmocka_unit_test(reserved_bits_are_ignored),
        cmocka_unit_test(every_cut_and_every_offset_has_its_reason),
        cmocka_unit_test(parse_reads_what_emit_wrote),
    };

    return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
