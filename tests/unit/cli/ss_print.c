/* The columns of weir ss, the words for states, and what each flag leaves out. */
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "cli/ss.h"
#include "said.h"
#include "unit.h"
#include "weir/weir.h"

static struct ss_sock sock_of(int protocol, int state, const char *local, const char *peer)
{
    struct ss_sock s = {.process = "-"};
    const char *colon = strrchr(local, ':');

    s.e.info.protocol = protocol;
    s.e.info.state = state;
    s.e.info.sock = 1;
    s.e.info.local.addr = weir_addr_v4(1);
    snprintf(s.local, sizeof s.local, "%.*s", (int)(colon - local), local);
    snprintf(s.local_port, sizeof s.local_port, "%s", colon + 1);
    colon = strrchr(peer, ':');
    snprintf(s.peer, sizeof s.peer, "%.*s", (int)(colon - peer), peer);
    snprintf(s.peer_port, sizeof s.peer_port, "%s", colon + 1);
    return s;
}

static void colons_stand_below_each_other(void **state)
{
    struct ss_ask ask = {.tcp = true, .udp = true, .process = true};
    struct ss_sock s[3] = {
        sock_of(IPPROTO_TCP, WEIR_LISTEN, "0.0.0.0:80", "0.0.0.0:*"),
        sock_of(IPPROTO_TCP, WEIR_ESTABLISHED, "192.168.100.200:80", "10.0.0.1:65535"),
        sock_of(IPPROTO_UDP, WEIR_CLOSED, "*:53", "*:*"),
    };

    (void)state;
    s[0].e.info.send_queue = 511;
    s[1].e.info.recv_queue = 123456;
    s[1].e.pid = 42;
    strcpy(s[1].process, "nginx");
    said_begin(1);
    ss_print(&ask, s, 3);
    assert_string_equal(
        said_end(), "Netid State  Recv-Q Send-Q   Local Address:Port Peer Address:Port  Process\n"
                    "tcp   LISTEN 0      511            0.0.0.0:80        0.0.0.0:*    \n"
                    "tcp   ESTAB  123456 0      192.168.100.200:80       10.0.0.1:65535 "
                    "users:((\"nginx\",pid=42))\n"
                    "udp   UNCONN 0      0                    *:53              *:*    \n");
}

static void one_protocol_needs_no_netid(void **state)
{
    struct ss_ask ask = {.tcp = true, .no_header = true};
    struct ss_sock s = sock_of(IPPROTO_TCP, WEIR_FIN_WAIT_2, "10.0.0.1:1", "10.0.0.2:2");

    (void)state;
    said_begin(1);
    ss_print(&ask, &s, 1);
    assert_string_equal(said_end(),
                        "FIN-WAIT-2 0      0           10.0.0.1:1        10.0.0.2:2   \n");
}

static void states_have_ss_s_names(void **state)
{
    (void)state;
    for (int i = WEIR_ESTABLISHED; i <= WEIR_CLOSING; i++)
        assert_int_equal(ss_states_of(ss_state_name(i)), 1u << i);
    assert_int_equal(ss_states_of("time-wait"), 1u << WEIR_TIME_WAIT);
    assert_int_equal(ss_states_of("listening"), ss_states_of("listen"));
    assert_int_equal(ss_states_of("bucket") | ss_states_of("big"), SS_STATES_ALL);
    assert_int_equal(ss_states_of("bucket") & ss_states_of("big"), 0);
    assert_int_equal(ss_states_of("connected") & ss_states_of("listening"), 0);
    assert_int_equal(ss_states_of("fin-wait-3"), 0);
    for (int i = 0; ss_state_words[i]; i++)
        assert_int_not_equal(ss_states_of(ss_state_words[i]), 0);
}

/* Whether flags show a socket in that state. */
static bool is_shown(struct ss_ask ask, int protocol, int state)
{
    struct ss_sock s = sock_of(protocol, state, "10.0.0.1:1", "10.0.0.2:2");

    return ss_is_wanted(&ask, &s);
}

static void flags_choose(void **state)
{
    struct ss_ask plain = {.tcp = true}, all = {.tcp = true, .all = true};
    struct ss_ask listening = {.tcp = true, .udp = true, .listening = true};
    struct ss_ask six = {.tcp = true, .family = 6};
    struct ss_ask waiting = {.tcp = true, .states = 1u << WEIR_TIME_WAIT};

    (void)state;
    assert_true(is_shown(plain, IPPROTO_TCP, WEIR_ESTABLISHED));
    assert_true(is_shown(plain, IPPROTO_TCP, WEIR_SYN_SENT));
    assert_false(is_shown(plain, IPPROTO_TCP, WEIR_LISTEN));
    assert_false(is_shown(plain, IPPROTO_TCP, WEIR_TIME_WAIT));
    assert_false(is_shown(plain, IPPROTO_UDP, WEIR_ESTABLISHED));
    assert_true(is_shown(all, IPPROTO_TCP, WEIR_LISTEN));
    assert_true(is_shown(all, IPPROTO_TCP, WEIR_TIME_WAIT));
    assert_true(is_shown(listening, IPPROTO_TCP, WEIR_LISTEN));
    assert_true(is_shown(listening, IPPROTO_UDP, WEIR_CLOSED));
    assert_false(is_shown(listening, IPPROTO_TCP, WEIR_ESTABLISHED));
    assert_false(is_shown(six, IPPROTO_TCP, WEIR_ESTABLISHED));
    assert_true(is_shown(waiting, IPPROTO_TCP, WEIR_TIME_WAIT));
    assert_false(is_shown(waiting, IPPROTO_TCP, WEIR_ESTABLISHED));
}

static void the_summary_counts(void **state)
{
    struct ss_sock s[4] = {
        sock_of(IPPROTO_TCP, WEIR_ESTABLISHED, "10.0.0.1:1", "10.0.0.2:2"),
        sock_of(IPPROTO_TCP, WEIR_TIME_WAIT, "10.0.0.1:1", "10.0.0.2:2"),
        sock_of(IPPROTO_TCP, WEIR_FIN_WAIT_1, "10.0.0.1:1", "10.0.0.2:2"),
        sock_of(IPPROTO_UDP, WEIR_CLOSED, "10.0.0.1:1", "*:*"),
    };

    (void)state;
    s[2].e.info.sock = -1;
    s[2].e.info.shut = 2;
    said_begin(1);
    ss_print_summary(s, 4);
    assert_string_equal(said_end(), "Total: 4\n"
                                    "TCP:   3 (estab 1, closed 0, orphaned 1, timewait 1)\n\n"
                                    "Transport Total     IP        IPv6\n"
                                    "RAW       0         0         0        \n"
                                    "UDP       1         1         0        \n"
                                    "TCP       3         3         0        \n"
                                    "INET      4         4         0        \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colons_stand_below_each_other),
        cmocka_unit_test(one_protocol_needs_no_netid),
        cmocka_unit_test(states_have_ss_s_names),
        cmocka_unit_test(flags_choose),
        cmocka_unit_test(the_summary_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
