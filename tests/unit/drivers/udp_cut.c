/* Superframes of UDP come out as their datagrams, and headers that do not fit are refused. */
#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "drivers/udp_cut.h"
#include "unit.h"

static struct udp_cut cut;
static uint8_t bytes[14 + 65535];

static struct virtio_net_hdr header(uint16_t udp_at, uint16_t size)
{
    return (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                   .gso_type = 5,
                                   .gso_size = size,
                                   .csum_start = udp_at,
                                   .csum_offset = 6};
}

static struct weir_frame superframe(bool is_ip6, uint32_t data)
{
    uint32_t head = is_ip6 ? 40 : 20;

    memset(bytes, 0, 14 + head + 8);
    bytes[14] = is_ip6 ? 0x60 : 0x45;
    bytes[14 + (is_ip6 ? 6 : 9)] = 17;
    put16(bytes + 18, 65534); /* the number of IPv4 wraps */
    for (uint32_t i = 0; i < data; i++)
        bytes[14 + head + 8 + i] = (uint8_t)(i / 100);
    return (struct weir_frame){.part = {{bytes, 14 + head + 8 + data}}, .parts = 1};
}

/* The whole datagram's sum, the unfinished checksum in it finished. */
static uint16_t finished_sum(const struct weir_frame *f)
{
    const uint8_t *udp = f->part[0].data + f->csum_start;
    uint32_t sum = sum_add(sum_add(0, udp, 8), f->part[1].data, f->part[1].len);

    return sum_finish(sum);
}

static void pieces_are_datagrams(void **state)
{
    (void)state;
    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        uint16_t udp_at = is_ip6 ? 54 : 34;
        struct virtio_net_hdr v = header(udp_at, 100);
        struct weir_frame in = superframe(is_ip6, 250), f;

        assert_true(udp_cut_is(&v));
        assert_true(udp_cut_start(&cut, &in, &v));
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t n = i < 2 ? 100 : 50;

            assert_true(udp_cut_next(&cut, &f, (int)i));
            assert_int_equal(f.part[0].len, udp_at + 8);
            assert_int_equal(f.part[1].len, n);
            assert_int_equal(f.part[1].data[0], i);
            assert_int_equal(get16(f.part[0].data + udp_at + 4), n + 8);
            assert_int_equal(f.flags, WEIR_CSUM_PARTIAL);
            assert_int_equal(f.csum_start, udp_at);
            assert_int_equal(f.csum_offset, 6);
            assert_int_not_equal(finished_sum(&f), 0);
            if (is_ip6) {
                assert_int_equal(get16(f.part[0].data + 18), n + 8);
            } else {
                assert_int_equal(get16(f.part[0].data + 16), n + 28);
                assert_int_equal(get16(f.part[0].data + 18), (65534 + i) & 0xffff);
                assert_int_equal(sum_finish(sum_add(0, f.part[0].data + 14, 20)), 0);
            }
        }
        assert_int_equal(cut.len, 0);
        assert_false(udp_cut_next(&cut, &f, 3));
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    struct weir_frame in = superframe(false, 250), f;
    struct virtio_net_hdr v;

    (void)state;
    for (uint16_t at = 0; at < 400; at++) {
        v = header(at, 100);
        assert_int_equal(udp_cut_start(&cut, &in, &v), at >= 34 && at + 8u <= UDP_CUT_HEAD);
    }
    v = header(34, 0);
    assert_false(udp_cut_start(&cut, &in, &v));
    v = header(34, 100);
    v.flags = 0;
    assert_false(udp_cut_start(&cut, &in, &v));
    in.part[0].len = 42; /* no payload */
    v = header(34, 100);
    assert_false(udp_cut_start(&cut, &in, &v));
    in.part[0].len = 10;
    assert_false(udp_cut_start(&cut, &in, &v));
    assert_false(udp_cut_next(&cut, &f, 0));
    v.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    assert_false(udp_cut_is(&v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_datagrams),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
