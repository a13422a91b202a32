/* IPv6 headers and the walk over what follows: what is read, what is refused, what is answered. */
#include "unit.h"

#include "base/bytes.h"
#include "wire/wire.h"

static uint8_t packet[2048];
static size_t len;

static int setup(void **state)
{
    (void)state;
    memset(packet, 0, sizeof packet);
    packet[0] = 0x60;
    len = IP6_LEN;
    return 0;
}

/* Puts an extension header of `n` bytes behind what is there. Its next header is `next`. */
static uint8_t *add(uint8_t next, size_t n)
{
    uint8_t *p = packet + len;

    p[0] = next;
    p[1] = (uint8_t)(n / 8 - 1);
    len += n;
    return p;
}

static struct ip6_chain chain;

static enum drop walk(uint8_t first)
{
    chain = (struct ip6_chain){.proto = first, .named_at = 6};
    return ip6_walk(&chain, walled(packet, len), IP6_LEN, len);
}

/* REQ:8200-3-1 */
static void emit_and_parse_agree(void **state)
{
    struct ip6 h = {
        .tclass = 0xb9, .next = PROTO_UDP, .hop_limit = 7, .payload_len = 5, .flow = 0xabcde};
    uint8_t out[IP6_LEN + 5] = {0};
    struct ip6 back;

    (void)state;
    for (int i = 0; i < 16; i++) {
        h.src.b[i] = (uint8_t)(i + 1);
        h.dst.b[i] = (uint8_t)(0xf0 | i);
    }
    assert_int_equal(ip6_emit(out, &h), IP6_LEN);
    assert_int_equal(get32(out), 0x6b9abcde);
    assert_int_equal(ip6_parse(&back, out, sizeof out), IP6_LEN);
    assert_int_equal(back.tclass, h.tclass);
    assert_int_equal(back.flow, h.flow);
    assert_int_equal(back.next, h.next);
    assert_int_equal(back.hop_limit, h.hop_limit);
    assert_int_equal(back.payload_len, 5);
    assert_memory_equal(&back.src, &h.src, 16);
    assert_memory_equal(&back.dst, &h.dst, 16);
}

static void what_is_no_header_is_refused(void **state)
{
    struct ip6 h;

    (void)state;
    assert_int_equal(ip6_parse(&h, walled(packet, 39), 39), -DROP_ip_short);
    packet[0] = 0x45;
    assert_int_equal(ip6_parse(&h, packet, 40), -DROP_ip_version);
    packet[0] = 0x60;
    packet[5] = 1;
    assert_int_equal(ip6_parse(&h, packet, 40), -DROP_ip_total_len);
    assert_int_equal(ip6_parse(&h, packet, 41), IP6_LEN);
}

static void headers_in_their_order_are_passed_over(void **state) /* REQ:8200-4-3 REQ:8200-4.2-4 */
{
    uint8_t *alert;

    (void)state;
    alert = add(NEXT_OPTS, 8);
    memcpy(alert + 2, (uint8_t[]){5, 2, 0, 0, 1, 0}, 6);
    memset(add(NEXT_ROUTING, 16) + 2, 0, 14);
    memset(add(NEXT_OPTS, 24) + 2, 0, 22);
    memset(add(PROTO_TCP, 8) + 2, 0, 6);
    assert_int_equal(walk(NEXT_HOP_BY_HOP), PASS);
    assert_int_equal(chain.proto, PROTO_TCP);
    assert_int_equal(chain.len, 56);
    assert_int_equal(chain.named_at, IP6_LEN + 48);
    assert_true(chain.has_alert);
}

static void a_router_alert_counts_for_hops_only(void **state)
{
    (void)state;
    memcpy(add(PROTO_ICMP6, 8) + 2, (uint8_t[]){5, 2, 0, 0, 1, 0}, 6);
    assert_int_equal(walk(NEXT_OPTS), PASS);
    assert_false(chain.has_alert);
}

static void hop_by_hop_comes_first_or_not_at_all(void **state) /* REQ:8200-4-1 REQ:8200-4-6 */
{
    (void)state;
    add(NEXT_HOP_BY_HOP, 8);
    add(PROTO_TCP, 8);
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
    assert_true(chain.is_told);
    assert_int_equal(chain.code, PARAM6_NEXT);
    assert_int_equal(chain.pointer, IP6_LEN);
}

/* The upper two bits of an option's type. */
static void unknown_options_say_themselves_what_to_do(
    void **state) /* REQ:8200-4.2-1 REQ:8200-4.2-2 */
{
    static const struct {
        uint8_t type;
        enum drop v;
        bool is_told, is_told_group;
    } rows[] = {{0x1e, PASS, false, false},
                {0x5e, DROP_ip6_option, false, false},
                {0x9e, DROP_ip6_option, true, true},
                {0xde, DROP_ip6_option, true, false},
                {0xc2, DROP_ip6_option, true, false}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        setup(state);
        memcpy(add(PROTO_UDP, 8) + 2, (uint8_t[]){1, 0, rows[i].type, 0, 0, 0}, 6);
        assert_int_equal(walk(NEXT_OPTS), rows[i].v);
        assert_int_equal(chain.is_told, rows[i].is_told);
        assert_int_equal(chain.is_told_group, rows[i].is_told_group);
        if (rows[i].is_told) {
            assert_int_equal(chain.code, PARAM6_OPTION);
            assert_int_equal(chain.pointer, IP6_LEN + 4);
        }
    }
}

static void options_end_in_their_header(void **state)
{
    (void)state;
    memcpy(add(PROTO_UDP, 8) + 2, (uint8_t[]){0x1e, 5, 0, 0, 0, 0}, 6);
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
    assert_int_equal(chain.pointer, IP6_LEN + 2);
    setup(state);
    memcpy(add(PROTO_UDP, 8) + 2, (uint8_t[]){0, 0, 0, 0, 0, 0x1e}, 6);
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
}

static void padding_that_hides_something_is_refused(void **state)
{
    (void)state;
    memcpy(add(PROTO_UDP, 8) + 2, (uint8_t[]){1, 4, 0, 0, 7, 0}, 6);
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
    setup(state);
    memcpy(add(PROTO_UDP, 16) + 2, (uint8_t[]){1, 12}, 2);
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
}

static void options_and_headers_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        add(i < 7 ? NEXT_OPTS : PROTO_TCP, 8);
    assert_int_equal(walk(NEXT_OPTS), PASS);
    setup(state);
    for (int i = 0; i < 9; i++)
        add(i < 8 ? NEXT_OPTS : PROTO_TCP, 8);
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
    setup(state);
    for (uint8_t *p = add(PROTO_TCP, 24) + 2, i = 0; i < 9; i++)
        p[2 * i] = 0x1e;
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
}

static void a_routing_header_is_obeyed_by_nobody(void **state) /* REQ:8200-4.4-1 REQ:8200-4.4-2 */
{
    uint8_t *p;

    (void)state;
    for (uint8_t type = 0; type < 5; type++) {
        setup(state);
        p = add(PROTO_TCP, 24);
        p[2] = type;
        assert_int_equal(walk(NEXT_ROUTING), PASS);
        p[3] = 1; /* segments left */
        assert_int_equal(walk(NEXT_ROUTING), DROP_ip6_routing);
        assert_int_equal(chain.code, PARAM6_FIELD);
        assert_int_equal(chain.pointer, IP6_LEN + 2);
    }
}

static void the_walk_stops_behind_a_fragment_header(void **state)
{
    (void)state;
    add(NEXT_FRAGMENT, 8);
    ip6_frag_emit(packet + len, PROTO_UDP, 1232 | IP6_FRAG_MORE, 0x12345678);
    packet[len + 1] = 0xff; /* reserved, and no length */
    packet[len + 3] |= 6;
    len += IP6_FRAG_LEN + 3;
    assert_int_equal(walk(NEXT_OPTS), PASS);
    assert_int_equal(chain.proto, NEXT_FRAGMENT);
    assert_int_equal(chain.inner, PROTO_UDP);
    assert_int_equal(chain.frag, 1232 | IP6_FRAG_MORE);
    assert_int_equal(chain.id, 0x12345678);
    assert_int_equal(chain.len, 16);
}

static void nothing_behind_is_nothing(void **state) /* REQ:8200-4.7-1 */
{
    (void)state;
    assert_int_equal(walk(NEXT_NONE), DROP_ip6_none);
    assert_int_equal(walk(NEXT_ROUTING), DROP_ip6_header);
    packet[len] = PROTO_TCP;
    len += 7;
    assert_int_equal(walk(NEXT_OPTS), DROP_ip6_header);
}

/* Whatever bytes come: within bounds, and an end. */
static void random_headers_are_survived(void **state)
{
    static const uint8_t next[] = {0, 43, 44, 60, 59, 6, 17, 58, 50, 51, 135, 255};

    for (struct dice d = dice_first(1); dice_more(&d, 20000); dice_next(&d)) {
        size_t n = IP6_LEN + dice_below(&d, 120);
        uint8_t *p;

        setup(state);
        for (size_t i = IP6_LEN; i < n; i++)
            packet[i] = (uint8_t)dice_below(&d, dice_below(&d, 4) ? 4 : 256);
        for (size_t i = IP6_LEN; i < n; i += 8)
            packet[i] = next[dice_below(&d, COUNT_OF(next))];
        len = n;
        p = walled(packet, n);
        chain = (struct ip6_chain){.proto = next[dice_below(&d, 4)], .named_at = 6};
        if (ip6_walk(&chain, p, IP6_LEN, n) == PASS)
            assert_in_range(chain.len, 8, n - IP6_LEN);
        else if (chain.is_told)
            assert_in_range(chain.pointer, 6, n - 1);
    }
}

/* A neighbour solicitation; its sum was computed elsewhere. */
static void the_checksum_covers_a_pseudo_header(void **state) /* REQ:4443-2.3-1 REQ:8200-8.1-4 */
{
    uint8_t m[32] = {135, 0, 1, 1, 0, 0, 0, 0, 0xfe, 0x80, [23] = 2, 1, 1, 2, 0, 0, 0, 0, 1};
    struct weir_addr src, dst;

    (void)state;
    assert_int_equal(weir_addr_parse(&src, "fe80::1"), 0);
    assert_int_equal(weir_addr_parse(&dst, "ff02::1:ff00:2"), 0);
    icmp6_seal(m, sizeof m, &src, &dst);
    assert_int_equal(get16(m + 2), 0x7a97);
    assert_true(icmp6_is_good(m, sizeof m, &src, &dst));
    m[31] ^= 1;
    assert_false(icmp6_is_good(m, sizeof m, &src, &dst));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(emit_and_parse_agree, setup),
        cmocka_unit_test_setup(what_is_no_header_is_refused, setup),
        cmocka_unit_test_setup(headers_in_their_order_are_passed_over, setup),
        cmocka_unit_test_setup(a_router_alert_counts_for_hops_only, setup),
        cmocka_unit_test_setup(hop_by_hop_comes_first_or_not_at_all, setup),
        cmocka_unit_test_setup(unknown_options_say_themselves_what_to_do, setup),
        cmocka_unit_test_setup(options_end_in_their_header, setup),
        cmocka_unit_test_setup(padding_that_hides_something_is_refused, setup),
        cmocka_unit_test_setup(options_and_headers_are_counted, setup),
        cmocka_unit_test_setup(a_routing_header_is_obeyed_by_nobody, setup),
        cmocka_unit_test_setup(the_walk_stops_behind_a_fragment_header, setup),
        cmocka_unit_test_setup(nothing_behind_is_nothing, setup),
        cmocka_unit_test_setup(random_headers_are_survived, setup),
        cmocka_unit_test_setup(the_checksum_covers_a_pseudo_header, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
