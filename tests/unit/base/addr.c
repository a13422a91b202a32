/* Addresses as numbers and as text, RFC 4291 and RFC 5952. */
#include "unit.h"

#include <arpa/inet.h>

#include "weir/addr.h"

static const char *text_of(const char *text)
{
    static char out[WEIR_ADDR_TEXT];
    struct weir_addr a;

    assert_int_equal(weir_addr_parse(&a, text), 0);
    return weir_addr_text(&a, out);
}

static void v4_is_held_mapped(void **state)
{
    struct weir_addr a = weir_addr_v4(0x0a000001);
    static const uint8_t want[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};

    (void)state;
    assert_memory_equal(a.b, want, 16);
    assert_true(weir_addr_is_v4(&a));
    assert_int_equal(weir_addr_to_v4(&a), 0x0a000001);
}

static void any_is_any_of_either_family(void **state)
{
    struct weir_addr a = weir_addr_v4(0), b = {.w = {0}};

    (void)state;
    assert_true(weir_addr_is_any(&a));
    assert_true(weir_addr_is_any(&b));
    assert_true(weir_addr_is_v4(&a));
    assert_false(weir_addr_is_v4(&b));
    assert_false(weir_addr_equal(&a, &b));
    for (int bit = 0; bit < 128; bit++) {
        struct weir_addr c = a, e = b;

        c.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        e.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(weir_addr_is_any(&c));
        assert_false(weir_addr_is_any(&e));
        assert_false(weir_addr_equal(&a, &c));
    }
}

static void parse_takes_both_families(void **state)
{
    struct weir_addr a, b;

    (void)state;
    assert_int_equal(weir_addr_parse(&a, "192.0.2.7"), 0);
    assert_int_equal(weir_addr_to_v4(&a), 0xc0000207);
    assert_int_equal(weir_addr_parse(&b, "::ffff:192.0.2.7"), 0);
    assert_true(weir_addr_equal(&a, &b));
    assert_int_equal(weir_addr_parse(&a, "fd00::1"), 0);
    assert_int_equal(a.b[0], 0xfd);
    assert_int_equal(a.b[15], 1);
}

static void parse_refuses_and_leaves_the_result(void **state)
{
    static const char *const bad[] = {
        "",    "1",       "1.2.3",   "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "a.b.c.d",
        ":::", "1::2::3", "12345::", "::1%eth0",  "[::1]",     "g::"};
    struct weir_addr a = weir_addr_v4(42);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(weir_addr_parse(&a, bad[i]), -EINVAL);
    assert_int_equal(weir_addr_to_v4(&a), 42);
}

static void v4_text(void **state)
{
    static const char *const same[] = {"0.0.0.0", "10.0.0.1", "255.255.255.255", "192.168.100.9"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(same); i++)
        assert_string_equal(text_of(same[i]), same[i]);
}

/* 5952#4 rule by rule. */
static void v6_text_is_canonical(void **state)
{
    static const char *const row[][2] = {
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:DB8::A", "2001:db8::a"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
        {"1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"fe80:0:0:0:10:100:1000:0", "fe80::10:100:1000:0"},
        {"::fffe:1.2.3.4", "::fffe:102:304"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++)
        assert_string_equal(text_of(row[i][0]), row[i][1]);
}

static void text_parses_back_and_is_what_the_library_prints(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 20000); dice_next(&d)) {
        struct weir_addr a, b;
        char text[WEIR_ADDR_TEXT], want[WEIR_ADDR_TEXT];

        dice_fill(&d, a.b, 16);
        for (int i = 0; i < 8; i++) {
            if (dice_below(&d, 2))
                a.b[2 * i] = a.b[2 * i + 1] = 0;
            if (dice_below(&d, 4) == 0)
                a.b[2 * i] = 0;
        }
        a.b[0] |= 1; /* the library prints some of ::/16 with dots */
        weir_addr_text(&a, text);
        check(&d, weir_addr_parse(&b, text) == 0 && weir_addr_equal(&a, &b));
        check(&d, strcmp(text, inet_ntop(AF_INET6, a.b, want, sizeof want)) == 0);
    }
}

static void sockaddr_text(void **state)
{
    struct weir_sockaddr a = {.addr = weir_addr_v4(0x0a000001), .port = 80};
    char text[WEIR_ADDR_TEXT];

    (void)state;
    assert_string_equal(weir_sockaddr_text(&a, text), "10.0.0.1:80");
    a.port = 0;
    assert_string_equal(weir_sockaddr_text(&a, text), "10.0.0.1:0");
    a.port = 65535;
    assert_int_equal(weir_addr_parse(&a.addr, "fd00::1"), 0);
    assert_string_equal(weir_sockaddr_text(&a, text), "[fd00::1]:65535");
    memset(a.addr.b, 0x11, 16);
    assert_true(strlen(weir_sockaddr_text(&a, text)) < WEIR_ADDR_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v4_is_held_mapped),
        cmocka_unit_test(any_is_any_of_either_family),
        cmocka_unit_test(parse_takes_both_families),
        cmocka_unit_test(parse_refuses_and_leaves_the_result),
        cmocka_unit_test(v4_text),
        cmocka_unit_test(v6_text_is_canonical),
        cmocka_unit_test(text_parses_back_and_is_what_the_library_prints),
        cmocka_unit_test(sockaddr_text),
    };

    return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
