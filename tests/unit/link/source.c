/* RFC 6724 section 5, each rule with a choice that only it decides, and which of two rules goes
 * before the other. */
#include "link_bench.h"

#include <string.h>

#define DEPRECATED ADDR_DEPRECATED
#define TEMPORARY ADDR_TEMPORARY

struct candidate {
    const char *addr;
    uint8_t prefix; /* 0: 64 */
    uint8_t flags, state;
};
struct row {
    const char *rule, *dst, *chosen;
    struct candidate is[3];
    uint8_t use_tempaddr;
};

static const struct row rows[] = {
    {"1", "2001:db8::2", "2001:db8::2", {{.addr = "2001:db8::1"}, {.addr = "2001:db8::2"}}, 0},
    {"1 before 3",
     "2001:db8::2",
     "2001:db8::2",
     {{.addr = "2001:db8::1"}, {.addr = "2001:db8::2", .flags = DEPRECATED}},
     0},
    {"2", "fe80::9", "fe80::1", {{.addr = "2001:db8::1"}, {.addr = "fe80::1"}}, 0},
    {"2", "2001:db8:f::1", "2001:db8::1", {{.addr = "fe80::1"}, {.addr = "2001:db8::1"}}, 0},
    {"2, a group of a link",
     "ff02::1",
     "fe80::1",
     {{.addr = "2001:db8::1"}, {.addr = "fe80::1"}},
     0},
    {"2, a group of a site",
     "ff05::1",
     "fec0::1",
     {{.addr = "fe80::1"}, {.addr = "2001:db8::1"}, {.addr = "fec0::1"}},
     0},
    {"2, no scope too small",
     "ff08::1",
     "2001:db8::1",
     {{.addr = "fec0::1"}, {.addr = "2001:db8::1"}},
     0},
    {"2 before 3",
     "2001:db8:f::1",
     "2001:db8::1",
     {{.addr = "fe80::1"}, {.addr = "2001:db8::1", .flags = DEPRECATED}},
     0},
    {"3",
     "2001:db8::9",
     "2001:db8:7::1",
     {{.addr = "2001:db8::1", .flags = DEPRECATED}, {.addr = "2001:db8:7::1"}},
     0},
    {"3 before 6",
     "fd00::9",
     "2001:db8::1",
     {{.addr = "fd00::1", .flags = DEPRECATED}, {.addr = "2001:db8::1"}},
     0},
    {"6, 6to4",
     "2002:c633::1",
     "2002:c633:6401::1",
     {{.addr = "2001:db8::1"}, {.addr = "2002:c633:6401::1"}},
     0},
    {"6, Teredo",
     "2001:0:1::1",
     "2001:0:ff::1",
     {{.addr = "2001:db8::1"}, {.addr = "2001:0:ff::1"}},
     0},
    {"6, unique local", "fd00:9::1", "fd12::1", {{.addr = "2001:db8::1"}, {.addr = "fd12::1"}}, 0},
    {"6, all others", "2001:db8:9::1", "2610::1", {{.addr = "fd00::1"}, {.addr = "2610::1"}}, 0},
    {"6 before 7",
     "2001:db8:9::1",
     "2610::1",
     {{.addr = "fd00::1", .flags = TEMPORARY}, {.addr = "2610::1"}},
     2},
    {"7",
     "2610::1",
     "2001:db8::5",
     {{.addr = "2001:db8::1"}, {.addr = "2001:db8::5", .flags = TEMPORARY}},
     2},
    {"7, the other way",
     "2610::1",
     "2001:db8::1",
     {{.addr = "2001:db8::5", .flags = TEMPORARY}, {.addr = "2001:db8::1"}},
     1},
    {"7 before 8",
     "2001:db8:1::9",
     "2001:db8:2::5",
     {{.addr = "2001:db8:1::1"}, {.addr = "2001:db8:2::5", .flags = TEMPORARY}},
     2},
    {"8",
     "2001:db8:2::9",
     "2001:db8:2::1",
     {{.addr = "2001:db8:1::1"}, {.addr = "2001:db8:2::1"}},
     0},
    {"8, not behind the prefix",
     "2001:db8::8001",
     "2001:db8::1",
     {{.addr = "2001:db8::1"}, {.addr = "2001:db8::8000"}},
     0},
    {"8, a longer prefix",
     "2001:db8::8001",
     "2001:db8::8000",
     {{.addr = "2001:db8::1"}, {.addr = "2001:db8::8000", .prefix = 120}},
     0},
    {"tentative",
     "2001:db8:2::9",
     "2001:db8:1::1",
     {{.addr = "2001:db8:1::1"}, {.addr = "2001:db8:2::1", .state = ADDR_TENTATIVE}},
     0},
    {"duplicate",
     "2001:db8:2::9",
     "2001:db8:1::1",
     {{.addr = "2001:db8:1::1"}, {.addr = "2001:db8:2::1", .state = ADDR_DUPLICATE}},
     0},
};

static struct weir_addr addr_of(const char *text)
{
    struct weir_addr a;

    assert_int_equal(weir_addr_parse(&a, text), 0);
    return a;
}

static void add(struct bench *b, const struct candidate *c)
{
    struct weir_addr a = addr_of(c->addr);
    struct iface_addr *e;

    assert_int_equal(iface_add_addr(&b->l, 1, &a, c->prefix ? c->prefix : 64), 0);
    e = iface_find_addr(iface_at(&b->l, 1), &a);
    e->flags = c->flags;
    e->state = c->state;
}

/* In either order in which the addresses came. REQ:4862-5.5.4-1 */
static void each_rule_decides_where_those_before_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct weir_addr dst = addr_of(r->dst), chosen = addr_of(r->chosen), src;
        bool is_first_kept = strcmp(r->rule, "8, not behind the prefix") == 0;

        for (int order = 0; order < (is_first_kept ? 1 : 2); order++) {
            struct bench b;
            int n = r->is[2].addr ? 3 : 2;

            bench_open(&b, 0);
            b.l.config.ip6.use_tempaddr = r->use_tempaddr;
            for (int j = 0; j < n; j++)
                add(&b, &r->is[order ? n - 1 - j : j]);
            assert_true(iface_source_for(&b.l, 1, &dst, &src));
            if (!weir_addr_equal(&src, &chosen))
                fail_msg("rule %s, order %d", r->rule, order);
            bench_close(&b);
        }
    }
}

/* Rule 5, and section 4: the addresses of the interface that it leaves by. */
static void the_outgoing_interface_lends_its_address(void **state)
{
    struct weir_iface_config second = {.name = "b", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr here = addr_of("2001:db8:1::1"), there = addr_of("2001:db8:2::1"), src;
    struct weir_addr dst = addr_of("2001:db8:2::9"), local = addr_of("fe80::9");
    struct bench b;

    (void)state;
    bench_open(&b, 0);
    assert_int_equal(iface_add(&b.l, &second), 2);
    assert_int_equal(iface_add_addr(&b.l, 2, &there, 64), 0);
    assert_true(iface_source_for(&b.l, 1, &dst, &src)); /* it has none itself */
    assert_true(weir_addr_equal(&src, &there));
    assert_false(iface_source_for(&b.l, 1, &local, &src)); /* not for a link that it is not on */
    assert_int_equal(iface_add_addr(&b.l, 1, &here, 64), 0);
    assert_true(iface_source_for(&b.l, 1, &dst, &src));
    assert_true(weir_addr_equal(&src, &here));
    assert_true(iface_source_for(&b.l, 2, &dst, &src));
    assert_true(weir_addr_equal(&src, &there));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_decides_where_those_before_do_not),
        cmocka_unit_test(the_outgoing_interface_lends_its_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
