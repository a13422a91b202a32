/* Datagrams on their way out. */
#include "udp_bench.h"

static uint32_t whole(uint8_t *bytes, const struct udp_out *out, bool is_partial)
{
    uint32_t n = UDP_HDR_LEN;

    udp_out_header(bytes, out, is_partial);
    for (int i = 0; i < out->texts; i++) {
        memcpy(bytes + n, out->text[i].data, out->text[i].len);
        n += out->text[i].len;
    }
    assert_int_equal(n, out->len);
    return n;
}

/* REQ:1122-4.1.4-2 REQ:1122-4.1.3.5-2 REQ:1122-4.1.3.4-4 */
static void a_datagram_leaves_as_it_was_asked_for(void **state)
{
    struct weir_addr us = US, peer = PEER;
    struct udp_out out;
    uint8_t bytes[64];
    struct bench b;
    uint32_t s, acc;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    assert_false(udp_has_output(&b.u, 3));
    assert_int_equal(send_text(&b, s, 3, "hello"), 5);
    assert_false(udp_pull(&b.u, 1, &out));
    assert_true(udp_has_output(&b.u, 3));
    assert_true(udp_pull(&b.u, 3, &out));
    assert_false(udp_has_output(&b.u, 3));
    assert_true(weir_addr_equal(&out.local, &us) && weir_addr_equal(&out.peer, &peer));
    assert_int_equal(out.proto, PROTO_UDP);
    assert_int_equal(out.tos, 4);
    assert_int_equal(out.ttl, 33);
    assert_true(out.is_df);
    assert_int_equal(whole(bytes, &out, false), 13);
    assert_memory_equal(bytes, "\x03\xe8\x07\xd0\x00\x0d", 6);
    assert_memory_equal(bytes + 8, "hello", 5);
    acc = pseudo_sum(&us, &peer, PROTO_UDP, 13);
    assert_int_equal(sum_finish(sum_add(acc, bytes, 13)), 0);
    whole(bytes, &out, true); /* the link sums up from here */
    acc = sum_add(0, bytes, 13);
    memcpy(bytes + 6, &(uint16_t){sum_finish(acc)}, 2);
    acc = pseudo_sum(&us, &peer, PROTO_UDP, 13);
    assert_int_equal(sum_finish(sum_add(acc, bytes, 13)), 0);
    bench_close(&b);
}

/* REQ:768-Fields-4: all values of 16 bits; one of them sums to zero. */
static void a_checksum_is_never_sent_as_zero(void **state)
{
    struct udp_dest to = to_peer(1);
    struct udp_out out;
    uint8_t bytes[16];
    int all_ones = 0;
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    for (uint32_t i = 0; i < 65536; i++) {
        uint8_t data[2];

        put16(data, (uint16_t)i);
        assert_int_equal(udp_send(&b.u, s, &to, data, 2), 2);
        assert_true(udp_pull(&b.u, 1, &out));
        whole(bytes, &out, false);
        assert_int_not_equal(get16(bytes + 6), 0);
        all_ones += get16(bytes + 6) == 0xffff;
    }
    assert_true(all_ones >= 1);
    bench_close(&b);
}

static void sockets_take_turns_and_each_keeps_its_order(void **state)
{
    struct bench b;
    uint32_t s, t;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    t = open_on(&b, ANY, 1001);
    send_text(&b, s, 1, "s1");
    send_text(&b, s, 1, "s2");
    send_text(&b, s, 2, "s3");
    send_text(&b, s, 1, "s4");
    send_text(&b, t, 1, "t1");
    send_text(&b, t, 1, "t2");
    assert_string_equal(pulled(&b, 1), "s1");
    assert_string_equal(pulled(&b, 1), "t1");
    assert_string_equal(pulled(&b, 1), "s2");
    assert_string_equal(pulled(&b, 1), "t2");
    assert_null(pulled(&b, 1));
    assert_string_equal(pulled(&b, 2), "s3");
    assert_null(pulled(&b, 2));
    assert_string_equal(pulled(&b, 1), "s4");
    assert_null(pulled(&b, 1));
    bench_close(&b);
}

/* A burst of frames points into the ring until the stack is called again. */
static void pulled_bytes_stay_until_they_are_settled(void **state)
{
    struct udp_out out[64];
    char text[64];
    struct bench b;
    uint32_t s;

    (void)state;
    bench_open(&b);
    s = open_on(&b, ANY, 1000);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 64; i++) {
            snprintf(text, sizeof text, "datagram %d of round %d", i, round);
            assert_int_equal(send_text(&b, s, 1, text), strlen(text));
        }
        for (int i = 0; i < 64; i++)
            assert_true(udp_pull(&b.u, 1, &out[i]));
        for (int i = 0; i < 64; i++) {
            uint8_t bytes[128];
            uint32_t n = whole(bytes, &out[i], false);

            snprintf(text, sizeof text, "datagram %d of round %d", i, round);
            assert_int_equal(n, 8 + strlen(text));
            assert_memory_equal(bytes + 8, text, strlen(text));
        }
        if (round % 3 == 0) {
            udp_settle(&b.u);
            assert_null(udp_at(&b.u, s)->tx.buf);
        }
    }
    bench_close(&b);
}

/* Linux: the identifier of a ping socket is its port, the checksum the stack's. */
static void a_ping_socket_sends_its_identifier_and_a_good_checksum(void **state)
{
    struct udp_dest to = to_peer(1);
    struct weir_addr any = ANY;
    const char *echo = "\x08\x00\xaa\xaa\xbb\xbb\x00\x01payload";
    struct udp_out out;
    uint8_t bytes[64];
    struct bench b;
    uint32_t ping, raw;

    (void)state;
    bench_open(&b);
    ping = udp_open(&b.u, PROTO_ICMP, 1);
    raw = udp_open(&b.u, PROTO_ICMP, 1);
    assert_int_equal(udp_bind(&b.u, ping, &any, 0x1234), 0);
    assert_int_equal(udp_bind(&b.u, raw, &any, 0), 0);
    assert_int_equal(udp_send(&b.u, ping, &to, echo, 7), -EINVAL);
    assert_int_equal(udp_send(&b.u, ping, &to, echo, 15), 15);
    assert_int_equal(udp_send(&b.u, raw, &to, echo, 15), 15);
    assert_int_equal(udp_send(&b.u, raw, &to, echo, 8), 8);
    for (int i = 0; i < 3; i++) {
        assert_true(udp_pull(&b.u, 1, &out));
        assert_int_equal(out.proto, PROTO_ICMP);
        assert_int_equal(whole(bytes, &out, true), i < 2 ? 15 : 8);
        assert_memory_equal(bytes, "\x08\x00", 2);
        assert_int_equal(get16(bytes + 4), i ? 0xbbbb : 0x1234);
        assert_int_equal(sum_finish(sum_add(0, bytes, out.len)), 0);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_leaves_as_it_was_asked_for),
        cmocka_unit_test(a_checksum_is_never_sent_as_zero),
        cmocka_unit_test(sockets_take_turns_and_each_keeps_its_order),
        cmocka_unit_test(pulled_bytes_stay_until_they_are_settled),
        cmocka_unit_test(a_ping_socket_sends_its_identifier_and_a_good_checksum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
