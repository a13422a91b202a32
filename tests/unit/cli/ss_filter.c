/* The filter of weir ss: states, ports, addresses, and what joins them. */
#include "unit.h"

#include <netinet/in.h>

#include "cli/ss.h"

static struct ss_sock sock(int state, uint32_t local, uint16_t lport, uint32_t peer, uint16_t pport)
{
    struct ss_sock s = {.e.info = {.protocol = IPPROTO_TCP, .state = state}};

    s.e.info.local = (struct weir_sockaddr){.addr = weir_addr_v4(local), .port = lport};
    s.e.info.peer = (struct weir_sockaddr){.addr = weir_addr_v4(peer), .port = pport};
    return s;
}

/* Does this connection of 10.0.0.1:80 with 10.1.2.3:40000 match? -1: the filter is refused. */
static int match(const char *text)
{
    static struct ss_ask ask;
    struct ss_sock s = sock(WEIR_ESTABLISHED, 0x0a000001, 80, 0x0a010203, 40000);
    char copy[256], *words[1] = {copy};

    ask = (struct ss_ask){.tcp = true};
    snprintf(copy, sizeof copy, "%s", text);
    if (ss_filter_parse(&ask, words, 1))
        return -1;
    return ss_is_wanted(&ask, &s);
}

static void ports_are_compared(void **state)
{
    (void)state;
    assert_int_equal(match("sport = :80"), 1);
    assert_int_equal(match("sport == 80"), 1);
    assert_int_equal(match("sport eq :http"), 1);
    assert_int_equal(match("sport 80"), 1);
    assert_int_equal(match("sport=:80"), 1);
    assert_int_equal(match("sport = :81"), 0);
    assert_int_equal(match("sport != :80"), 0);
    assert_int_equal(match("dport ge :40000"), 1);
    assert_int_equal(match("dport > :40000"), 0);
    assert_int_equal(match("dport < :40001"), 1);
    assert_int_equal(match("dport le :39999"), 0);
    assert_int_equal(match("dport lt :1024"), 0);
}

static void addresses_are_compared_by_their_bits(void **state)
{
    (void)state;
    assert_int_equal(match("src 10.0.0.1"), 1);
    assert_int_equal(match("src = 10.0.0.2"), 0);
    assert_int_equal(match("src != 10.0.0.2"), 1);
    assert_int_equal(match("dst 10.0.0.0/8"), 1);
    assert_int_equal(match("dst 10.0.0.0/16"), 0);
    assert_int_equal(match("dst 10.1.0.0/15"), 1);
    assert_int_equal(match("dst 10.2.0.0/15"), 0);
    assert_int_equal(match("dst 0.0.0.0/0"), 1);
    assert_int_equal(match("dst 10.1.2.3:40000"), 1);
    assert_int_equal(match("dst 10.1.2.3:40001"), 0);
    assert_int_equal(match("src *:80"), 1);
    assert_int_equal(match("src :80"), 1);
    assert_int_equal(match("dst fd00::1"), 0);
    assert_int_equal(match("dst [fd00::1]:40000"), 0);
}

static void conditions_are_joined(void **state)
{
    (void)state;
    assert_int_equal(match("sport = :80 and dport = :1"), 0);
    assert_int_equal(match("sport = :80 dport = :40000"), 1);
    assert_int_equal(match("sport = :1 or dport = :40000"), 1);
    assert_int_equal(match("sport = :1 or dport = :40000 and src 9.9.9.9"), 0);
    assert_int_equal(match("( sport = :80 or dport = :80 ) and src 9.9.9.9"), 0);
    assert_int_equal(match("(sport = :80 | dport = :80) & not src 9.9.9.9"), 1);
    assert_int_equal(match("! sport = :80"), 0);
    assert_int_equal(match("not ( sport = :1 || dport = :2 )"), 1);
}

static void states_are_chosen(void **state)
{
    (void)state;
    assert_int_equal(match("state established"), 1);
    assert_int_equal(match("state ESTAB"), 1);
    assert_int_equal(match("state time-wait"), 0);
    assert_int_equal(match("state time-wait state established"), 1);
    assert_int_equal(match("state connected"), 1);
    assert_int_equal(match("state bucket"), 0);
    assert_int_equal(match("exclude established"), 0);
    assert_int_equal(match("exclude time-wait"), 1);
    assert_int_equal(match("state connected exclude established"), 0);
    assert_int_equal(match("state established sport = :1"), 0);
}

static void what_is_no_filter_is_refused(void **state)
{
    static const char *const wrong[] = {
        "state",           "state foo", "sprt = :80",      "sport",
        "sport = ",        "sport :x",  "sport = :99999",  "( sport = :80",
        "sport = :80 )",   "dst",       "dst 10.0.0.300",  "dst > 10.0.0.1",
        "dst 10.0.0.1/33", "and",       "sport = :80 and", "not",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (match(wrong[i]) != -1)
            fail_msg("'%s' was taken", wrong[i]);
}

static void a_socket_travels_as_text(void **state)
{
    struct weir_sock_info i = {.protocol = IPPROTO_TCP,
                               .state = WEIR_FIN_WAIT_2,
                               .sock = -1,
                               .recv_queue = UINT32_MAX,
                               .bytes_sent = UINT64_MAX,
                               .ca_state = 255,
                               .timer = "retransmit",
                               .timer_left_us = -5,
                               .congestion = "reno"};
    struct endpoint e, back;
    char text[2048];

    (void)state;
    assert_int_equal(weir_addr_parse(&i.local.addr, "fd00::1"), 0);
    i.local.port = 80;
    i.peer = (struct weir_sockaddr){.addr = weir_addr_v4(0x0a000001), .port = 65535};
    e = endpoint_of(&i);
    e.pid = 7;
    text[endpoint_write(&e, text, sizeof text)] = '\0';
    assert_null(strstr(text, "cwnd")); /* what is 0 stays at home */
    assert_true(endpoint_read(&back, text));
    assert_memory_equal(&e, &back, sizeof e);
    snprintf(text, sizeof text, "protocol=6\tnew_thing=3\tstate=1");
    assert_true(endpoint_read(&back, text));
    assert_int_equal(back.info.state, 1);
    snprintf(text, sizeof text, "nothing");
    assert_false(endpoint_read(&back, text));
}

static void text_is_cut_at_whole_pairs(void **state)
{
    struct weir_sock_info i = {.protocol = IPPROTO_TCP, .recv_queue = 12345};
    struct endpoint e = endpoint_of(&i);
    char text[64];

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(endpoint_write(&e, text, 16), strlen("protocol=6"));
    assert_memory_equal(text, "protocol=6", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_compared),
        cmocka_unit_test(addresses_are_compared_by_their_bits),
        cmocka_unit_test(conditions_are_joined),
        cmocka_unit_test(states_are_chosen),
        cmocka_unit_test(what_is_no_filter_is_refused),
        cmocka_unit_test(a_socket_travels_as_text),
        cmocka_unit_test(text_is_cut_at_whole_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
