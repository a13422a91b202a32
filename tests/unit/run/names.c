/* Abstract names: what is written is read back, what is foreign is refused. */
#include "unit.h"

#include <stddef.h>

#include "run/names.h"

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

static void a_name_is_read_back(void **state)
{
    struct sockaddr_un un;
    char rest[sizeof un.sun_path];
    socklen_t len = name_set(&un, "d1", "c/5");

    (void)state;
    assert_int_equal(len, PATH_AT + 1 + strlen("weir/d1/c/5"));
    assert_int_equal(un.sun_path[0], '\0');
    assert_memory_equal(un.sun_path + 1, "weir/d1/c/5", 11);
    assert_true(name_rest(&un, len, "d1", rest));
    assert_string_equal(rest, "c/5");
}

static void foreign_names_are_refused(void **state)
{
    struct sockaddr_un un;
    char rest[sizeof un.sun_path];
    socklen_t len = name_set(&un, "d1", "c/5");

    (void)state;
    assert_false(name_rest(&un, len, "d2", rest));
    assert_false(name_rest(&un, len, "d", rest));
    assert_false(name_rest(&un, len, "d11", rest));
    assert_false(
        name_rest(&un, PATH_AT + 1 + strlen("weir/d1/"), "d1", rest)); /* nothing follows */
    assert_false(name_rest(&un, PATH_AT, "d1", rest));
    assert_false(name_rest(&un, sizeof(sa_family_t), "d1", rest));
    un.sun_path[0] = 'x'; /* a file, not an abstract name */
    assert_false(name_rest(&un, len, "d1", rest));
    un.sun_path[0] = '\0';
    un.sun_path[1] = 'W';
    assert_false(name_rest(&un, len, "d1", rest));
}

static void a_name_never_passes_its_room(void **state)
{
    struct sockaddr_un un;
    char rest[200];

    (void)state;
    memset(rest, 'r', sizeof rest - 1);
    rest[sizeof rest - 1] = '\0';
    assert_true(name_set(&un, "d1", rest) <= sizeof un);
}

static void an_accepted_connection_is_read_back(void **state)
{
    struct name_accepted a = {.number = 4000000000u,
                              .peer = {.addr = weir_addr_v4(0x0a000002), .port = 65535},
                              .local = {.addr = {.w = {1, 2, 3, 4}}, .port = 1}},
                         b;
    char rest[100];

    (void)state;
    name_accepted_text(&a, rest);
    memset(&b, 0xff, sizeof b);
    assert_true(name_accepted_parse(rest, &b));
    assert_int_equal(b.number, a.number);
    assert_memory_equal(&b.peer.addr, &a.peer.addr, 16);
    assert_memory_equal(&b.local.addr, &a.local.addr, 16);
    assert_int_equal(b.peer.port, 65535);
    assert_int_equal(b.local.port, 1);
    assert_int_equal(b.peer.ifindex, 0);
}

static void what_is_no_accepted_connection_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "c/5",
        "p/1",
        "p/1/0a/80/0b/80",
        "p/1/0000000000000000000000000a000001/80/00000000000000000000ffff0a00000/80",
        "p/1/0000000000000000000000000a000001/80/00000000000000000000ffff0a00000g/80",
        "p/1/0000000000000000000000000a000001/65536/00000000000000000000ffff0a000001/80",
    };
    struct name_accepted a;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (name_accepted_parse(wrong[i], &a))
            fail_msg("'%s' is taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_read_back),
        cmocka_unit_test(foreign_names_are_refused),
        cmocka_unit_test(a_name_never_passes_its_room),
        cmocka_unit_test(an_accepted_connection_is_read_back),
        cmocka_unit_test(what_is_no_accepted_connection_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
