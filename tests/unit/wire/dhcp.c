/* Options of DHCP messages: where they may lie, and what is no option. RFC 2132, 3396, 3442. */
#include "unit.h"

#include "base/bytes.h"
#include "dhcp_reply.h"
#include "wire/wire.h"

static struct reply reply_of(uint8_t type)
{
    struct reply r = {.bytes = {2, 1, 6}, .len = 240};

    put32(r.bytes + 236, 0x63825363);
    option(&r, 53, &type, 1);
    word(&r, 54, 0x0a000001);
    word(&r, 51, 3600);
    word(&r, 1, 0xffffff00);
    return r;
}

static void options_are_read_wherever_they_lie(void **state)
{
    const uint8_t overload = 3, half[] = {24, 192, 0, 2, 10, 0}, rest[] = {0, 9, 0, 10, 0, 0, 8};
    struct reply r;
    struct dhcp_msg m;

    (void)state;
    r = reply_of(DHCP_ACK);
    option(&r, 52, &overload, 1);
    option(&r, 121, half, sizeof half); /* in two pieces: 3396 */
    option(&r, 121, rest, sizeof rest);
    option(&r, 15, "example.net", 11);
    r.bytes[r.len++] = 255;
    memcpy(r.bytes + 108, (const uint8_t[]){6, 8, 9, 9, 9, 9, 8, 8, 8, 8, 255}, 11);
    memcpy(r.bytes + 44, (const uint8_t[]){0, 0, 26, 2, 5, 0, 255}, 7);
    assert_int_equal(dhcp_parse(&m, r.bytes, r.len), 0);
    assert_int_equal(m.dnss, 2);
    assert_int_equal(m.dns[1], 0x08080808);
    assert_int_equal(m.mtu, 1280);
    assert_string_equal(m.domain, "example.net");
    assert_int_equal(m.routes, 2);
    assert_int_equal(m.route[0].dst, 0xc0000200);
    assert_int_equal(m.route[0].prefix, 24);
    assert_int_equal(m.route[0].gateway, 0x0a000009);
    assert_int_equal(m.route[1].prefix, 0);
    assert_int_equal(m.route[1].gateway, 0x0a000008);
}

static void options_that_make_no_sense_are_not_there(void **state)
{
    const uint8_t bad_routes[] = {33, 1, 2, 3, 4, 5, 1, 1, 1, 1},
                  short_route[] = {24, 192, 0, 2, 10};
    struct dhcp_msg m;
    struct reply r;

    (void)state;
    r = reply_of(DHCP_ACK);
    option(&r, 15, "evil\nnameserver", 15);
    option(&r, 6, "abc", 3);
    option(&r, 3, "ab", 2);
    option(&r, 26, "x", 1);
    option(&r, 121, bad_routes, sizeof bad_routes);
    assert_int_equal(dhcp_parse(&m, r.bytes, r.len), 0);
    assert_string_equal(m.domain, "");
    assert_int_equal(m.dnss + m.routes + m.mtu, 0);
    assert_int_equal(m.router, 0);
    r = reply_of(DHCP_ACK);
    option(&r, 121, short_route, sizeof short_route);
    assert_int_equal(dhcp_parse(&m, r.bytes, r.len), 0);
    assert_int_equal(m.routes, 0);
}

/* What was read lies within what a message may hold. */
static void check_bounds(const struct dhcp_msg *m)
{
    assert_true(m->dnss <= DHCP_DNS_MAX && m->routes <= DHCP_ROUTES_MAX);
    assert_non_null(memchr(m->domain, 0, sizeof m->domain));
    for (uint32_t i = 0; i < m->routes; i++)
        assert_true(m->route[i].prefix <= 32);
}

/* Every option with every length, in the message and over its end; a message cut at each byte;
 * noise in each of the three places where options lie. */
static void attack_89_options_of_every_length(void **state)
{
    const uint8_t overload = 3;
    struct dhcp_msg m;
    struct reply r;

    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        for (unsigned len = 0; len < 256; len++) {
            r = reply_of(DHCP_ACK);
            r.bytes[r.len++] = (uint8_t)code;
            r.bytes[r.len++] = (uint8_t)len;
            memset(r.bytes + r.len, (int)len, 100);
            r.len += 100;
            if (dhcp_parse(&m, walled(r.bytes, r.len), r.len) == 0)
                check_bounds(&m);
        }
    }
    for (size_t n = r.len; n > 0; n--)
        if (dhcp_parse(&m, walled(r.bytes, n), n) == 0)
            check_bounds(&m);
    for (struct dice d = dice_first(1); dice_more(&d, 300); dice_next(&d)) {
        r = reply_of(DHCP_ACK);
        option(&r, 52, &overload, 1);
        dice_fill(&d, r.bytes + 44, 192);
        dice_fill(&d, r.bytes + r.len, 200);
        r.len += 200;
        if (dhcp_parse(&m, walled(r.bytes, r.len), r.len) == 0)
            check_bounds(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read_wherever_they_lie),
        cmocka_unit_test(options_that_make_no_sense_are_not_there),
        cmocka_unit_test(attack_89_options_of_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
