/* The words of weir ping and its lines, compared with what ping(8) of iputils prints. */
#include <errno.h>
#include <string.h>

#include "cli/ping.h"
#include "said.h"
#include "unit.h"

static struct ping_options o;
static struct ping_stats stats;

static int take(const char *words)
{
    static char copy[256];
    static char *argv[20];
    int argc = 0;

    snprintf(copy, sizeof copy, "ping %s", words);
    for (char *at = strtok(copy, " "); at; at = strtok(NULL, " "))
        argv[argc++] = at;
    argv[argc] = NULL;
    o = (struct ping_options){.size = 56, .interval_ns = 1000000000};
    return ping_take_options(&o, argc, argv);
}

static void options_set_their_fields(void **state)
{
    (void)state;
    assert_int_equal(take("10.0.0.1"), 0);
    assert_int_equal(o.count, 0);
    assert_int_equal(o.size, 56);
    assert_string_equal(o.target, "10.0.0.1");
    assert_null(o.link.link);
    assert_int_equal(take("-c 3 -i 0.2 -W 1.5 -w 9 -s 0 -t 255 -q -n -4 -d ab 10.0.0.1"), 0);
    assert_int_equal(o.count, 3);
    assert_int_equal(o.interval_ns, 200000000);
    assert_int_equal(o.wait_ns, 1500000000);
    assert_int_equal(o.deadline_ns, 9000000000);
    assert_int_equal(o.size, 0);
    assert_int_equal(o.ttl, 255);
    assert_true(o.is_quiet);
    assert_string_equal(o.daemon, "ab");
    assert_int_equal(take("10.0.0.1 -c 2 --link tap:x --ip 10.0.0.2/8 --gw 10.1.1.1"), 0);
    assert_int_equal(o.count, 2);
    assert_true(link_is_own(&o.link) && o.link.has_gateway);
    assert_int_equal(o.link.prefix, 8);
}

static void each_mistake_is_one_line_with_a_way_out(void **state)
{
    static const char *const mistakes[][2] = {
        {"", "weir: ping wants one address, as in weir ping -c 3 10.77.0.1\n"},
        {"1.2.3.4 5.6.7.8", "weir: ping wants one address, as in weir ping -c 3 10.77.0.1\n"},
        {"host", "weir: ping: not an address 'host': as in weir ping -c 3 10.77.0.1\n"},
        {"-c 3x 1.2.3.4", "weir: ping: not a number for -c '3x': 1 to 1000000000\n"},
        {"-s -1 1.2.3.4", "weir: ping: not a number for -s '-1': 0 to 65507\n"},
        {"-t 0 1.2.3.4", "weir: ping: not a number for -t '0': 1 to 255\n"},
        {"-i 0 1.2.3.4", "weir: ping: not seconds for -i '0': 0.002 to 1000000\n"},
        {"-W -1 1.2.3.4", "weir: ping: not seconds for -W '-1': 0 to 1000000\n"},
        {"-w nan 1.2.3.4", "weir: ping: not seconds for -w 'nan': 0.002 to 1000000\n"},
        {"-Z 1.2.3.4", "weir: ping: unknown option '-Z': see weir ping --help\n"},
        {"--lnk x", "weir: ping: unknown option '--lnk': did you mean '--link'? (weir ping "
                    "--help)\n"},
        {"--link host 1.2.3.4", "weir: ping: no ICMP on link 'host': as in --link tap:weir0\n"},
        {"--link tpa:x 1.2.3.4", "weir: unknown link 'tpa:x': did you mean 'tap:'? (host, "
                                 "tap:NAME, wire:NAME, packet:IFNAME, xdp:IFNAME[:QUEUE])\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        int status;
        said_begin(2);
        status = take(mistakes[i][0]);
        assert_string_equal(said_end(), mistakes[i][1]);
        assert_int_equal(status, 2);
    }
}

static void reply(uint16_t seq, int us)
{
    struct echo_reply r = {.result = us, .seq = seq, .ttl = 63, .bytes = 64};

    r.from = weir_addr_v4(0x0a000009);
    ping_print_reply(&o, &stats, &r);
}

static void begin(const char *words)
{
    assert_int_equal(take(words), 0);
    stats = (struct ping_stats){.sent = 0};
    said_begin(1);
}

static void times_have_four_digits_at_most(void **state)
{
    (void)state;
    begin("10.0.0.9");
    reply(1, 7);
    reply(2, 999);
    reply(3, 1234);
    reply(4, 12345);
    reply(5, 123456);
    assert_string_equal(said_end(), "64 bytes from 10.0.0.9: icmp_seq=1 ttl=63 time=0.007 ms\n"
                                    "64 bytes from 10.0.0.9: icmp_seq=2 ttl=63 time=0.999 ms\n"
                                    "64 bytes from 10.0.0.9: icmp_seq=3 ttl=63 time=1.23 ms\n"
                                    "64 bytes from 10.0.0.9: icmp_seq=4 ttl=63 time=12.3 ms\n"
                                    "64 bytes from 10.0.0.9: icmp_seq=5 ttl=63 time=123 ms\n");
}

static void the_summary_counts_losses_errors_and_duplicates(void **state)
{
    (void)state;
    begin("-q 10.0.0.9");
    ping_print_head(&o);
    stats.sent = 4;
    stats.begin_ns = 5;
    stats.last_ns = 3004000005;
    reply(1, 1000);
    reply(2, 3000);
    reply(2, 2000); /* again */
    ping_print_error(&o, &stats, 3, EHOSTUNREACH);
    ping_print_summary(&o, &stats);
    assert_string_equal(said_end(),
                        "PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.\n"
                        "\n--- 10.0.0.9 ping statistics ---\n"
                        "4 packets transmitted, 2 received, +1 duplicates, +1 errors, 50% packet "
                        "loss, time 3004ms\n"
                        "rtt min/avg/max/mdev = 1.000/2.000/3.000/0.816 ms\n");
}

static void nothing_came_back(void **state)
{
    (void)state;
    begin("10.0.0.9");
    stats.sent = 3;
    ping_print_error(&o, &stats, 1, EHOSTUNREACH);
    ping_print_error(&o, &stats, 2, EMSGSIZE);
    ping_print_summary(&o, &stats);
    assert_string_equal(said_end(),
                        "To 10.0.0.9 icmp_seq=1 Destination Host Unreachable\n"
                        "To 10.0.0.9 icmp_seq=2 Message too long\n"
                        "\n--- 10.0.0.9 ping statistics ---\n"
                        "3 packets transmitted, 0 received, +2 errors, 100% packet loss, time 0ms\n"
                        "\n");
}

static void a_loss_that_is_no_whole_number(void **state)
{
    (void)state;
    begin("-q 10.0.0.9");
    stats.sent = 3;
    reply(1, 500);
    reply(3, 500);
    ping_print_summary(&o, &stats);
    assert_non_null(strstr(said_end(), ", 33.3333% packet loss, time 0ms\nrtt min/avg/max/mdev = "
                                       "0.500/0.500/0.500/0.000 ms\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_set_their_fields),
        cmocka_unit_test(each_mistake_is_one_line_with_a_way_out),
        cmocka_unit_test(times_have_four_digits_at_most),
        cmocka_unit_test(the_summary_counts_losses_errors_and_duplicates),
        cmocka_unit_test(nothing_came_back),
        cmocka_unit_test(a_loss_that_is_no_whole_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
