/* The words of `weir run`: what each option sets, and the line for each mistake. */
#include <string.h>

#include "run/daemon.h"
#include "said.h"
#include "unit.h"

static struct run_options o;

/* Parses words that are separated by spaces; the exit status. */
static int parse(const char *words)
{
    static char copy[512];
    static char *argv[128];
    int argc = 0;

    snprintf(copy, sizeof copy, "run %s", words);
    for (char *at = strtok(copy, " "); at; at = strtok(NULL, " "))
        argv[argc++] = at;
    argv[argc] = NULL;
    o = (struct run_options){.sets = 0};
    return options_parse(&o, argc, argv);
}

static void expect_mistake(const char *words, const char *line)
{
    int status;

    said_begin(2);
    status = parse(words);
    assert_string_equal(said_end(), line);
    assert_int_equal(status, 2);
}

static void assert_addr(const struct weir_addr *a, const char *text)
{
    char is[WEIR_ADDR_TEXT];

    assert_string_equal(weir_addr_text(a, is), text);
}

static void the_program_begins_where_options_end(void **state)
{
    (void)state;
    assert_int_equal(parse("-- curl -v x"), 0);
    assert_string_equal(o.program[0], "curl");
    assert_string_equal(o.program[1], "-v");
    assert_int_equal(parse("curl --net nonsense"), 0);
    assert_string_equal(o.program[2], "nonsense");
    assert_null(o.net);
    assert_string_equal(o.link.link, "host");
    assert_false(link_is_own(&o.link));
}

static void each_option_sets_its_field(void **state)
{
    (void)state;
    assert_int_equal(parse("--seed 0x10 -v --pcapng f --via preload -- true"), 0);
    assert_true(o.has_seed && o.is_verbose);
    assert_int_equal(o.via, RUN_VIA_PRELOAD);
    assert_int_equal(o.seed, 16);
    assert_string_equal(o.pcapng, "f");
    assert_int_equal(parse("--via seccomp -- true"), 0);
    assert_int_equal(o.via, RUN_VIA_SECCOMP);
    assert_int_equal(
        parse("--set net.ipv4.tcp_fin_timeout=30 --set net.ipv4.tcp_retries2=3 -- true"), 0);
    assert_int_equal(o.sets, 2);
    assert_string_equal(o.set[1], "net.ipv4.tcp_retries2=3");
}

static void publish_takes_two_or_three_parts(void **state)
{
    (void)state;
    assert_int_equal(parse("-p 8080:80 -p 127.0.0.1:1:65535 --publish=53:53 -- true"), 0);
    assert_int_equal(o.publishes, 3);
    assert_addr(&o.publish[0].host.addr, "0.0.0.0");
    assert_int_equal(o.publish[0].host.port, 8080);
    assert_int_equal(o.publish[0].port, 80);
    assert_addr(&o.publish[1].host.addr, "127.0.0.1");
    assert_int_equal(o.publish[1].host.port, 1);
    assert_int_equal(o.publish[1].port, 65535);
}

static void a_tap_link_takes_addresses(void **state)
{
    (void)state;
    assert_int_equal(parse("--link tap:weir0 -- true"), 0);
    assert_true(link_is_own(&o.link));
    assert_int_equal(o.link.prefix, 0);
    assert_false(o.link.has_gateway || o.link.no_offload);
    assert_int_equal(parse("--gw 10.0.1.1 --link tap: --ip 10.0.0.2/16 --no-offload -- true"), 0);
    assert_addr(&o.link.ip, "10.0.0.2");
    assert_addr(&o.link.gateway, "10.0.1.1");
    assert_int_equal(o.link.prefix, 16);
    assert_true(o.link.has_gateway && o.link.no_offload);
    assert_int_equal(parse("--link tap:a --ip 10.0.0.2 -- true"), 0);
    assert_int_equal(o.link.prefix, 24);
    assert_int_equal(parse("--link tap:a --ip 10.0.0.0/31 --gw 10.0.0.1 -- true"), 0);
    assert_int_equal(parse("--link tap:123456789012345 -- true"), 0);
    assert_int_equal(parse("--link tap:a --ip fd00::2 --ip 10.0.0.2/8 --gw fd00::1 -- true"), 0);
    assert_addr(&o.link.ip6, "fd00::2");
    assert_addr(&o.link.gateway6, "fd00::1");
    assert_addr(&o.link.ip, "10.0.0.2");
    assert_int_equal(o.link.prefix6, 64);
    assert_int_equal(o.link.prefix, 8);
    assert_true(o.link.has_gateway6 && !o.link.has_gateway);
}

static void a_wire_takes_settings(void **state)
{
    (void)state;
    assert_int_equal(parse("--link wire:lab --ip 10.0.0.2/24 -- true"), 0);
    assert_true(link_is_own(&o.link));
    assert_int_equal(parse("--link wire:a-b_c,ring=1048576,members=64,mtu=9000 --dhcp -- true"), 0);
    assert_int_equal(parse("--link wire:lab --ip fd00::2/64 --no-offload -- true"), 0);
}

static const char *const mistakes[][2] = {
    {"--link wire: --ip 10.0.0.2 -- true",
     "weir: not a wire '': a wire's name has 1 to 15 letters, digits, '-' and '_', as in "
     "wire:lab\n"},
    {"--link wire:a/b --ip 10.0.0.2 -- true",
     "weir: not a wire 'a/b': a wire's name has 1 to 15 letters, digits, '-' and '_', as in "
     "wire:lab\n"},
    {"--link wire:lab,ring=5000 --ip 10.0.0.2 -- true",
     "weir: not a wire 'lab,ring=5000': a wire's ring has a power of two of bytes, 128 KiB to 256 "
     "MiB, as in 4194304\n"},
    {"--link wire:lab,members=2000 --ip 10.0.0.2 -- true",
     "weir: not a wire 'lab,members=2000': a wire has 2 to 1,024 members\n"},
    {"--link wire:lab,member=3 --ip 10.0.0.2 -- true",
     "weir: no setting of a wire 'member=3': there are ring=BYTES, members=N and mtu=N, as in "
     "--link wire:lab,members=64\n"},
    {"--link wire:lab,mtu=x --ip 10.0.0.2 -- true",
     "weir: no setting of a wire 'mtu=x': there are ring=BYTES, members=N and mtu=N, as in "
     "--link wire:lab,members=64\n"},
    {"--link wire:lab -- true",
     "weir: which address has the stack on 'wire:lab': say --dhcp, or as in --ip 192.0.2.7/24 "
     "--gw 192.0.2.1\n"},
    {"", "weir: which program? weir run [OPTIONS] -- PROGRAM [ARGUMENTS]\n"},
    {"--nte x -- true", "weir: unknown option '--nte': did you mean '--net'? (weir run --help)\n"},
    {"--link", "weir: no value for '--link': see weir run --help\n"},
    {"--pcapng -- true", "weir: no value for '--pcapng': see weir run --help\n"},
    {"--net= -- true", "weir: no value for '--net=': see weir run --help\n"},
    {"--net delay -- true", "weir: --net: \"delay\" needs a value, such as \"delay 40ms\"\n"},
    {"--set net.ipv4.tcp_available_congestion_control=bbr -- true",
     "weir: this can only be read 'net.ipv4.tcp_available_congestion_control=bbr': `weir sysctl "
     "KNOB` shows it\n"},
    {"--seed x -- true", "weir: not a number in --seed 'x': as in --seed 7\n"},
    {"--seed 1x -- true", "weir: not a number in --seed '1x': as in --seed 7\n"},
    {"--set a -- true", "weir: --set wants KNOB=VALUE, not 'a': as in --set "
                        "net.ipv4.tcp_fin_timeout=30\n"},
    {"--set net.ipv4.tcp_fin_timeot=3 -- true",
     "weir: unknown knob 'net.ipv4.tcp_fin_timeot': did you mean "
     "'net.ipv4.tcp_fin_timeout'?\n"},
    {"--set net.ipv4.tcp_fin_timeout=x -- true",
     "weir: not a number 'net.ipv4.tcp_fin_timeout=x': as in --set "
     "net.ipv4.tcp_fin_timeout=30\n"},
    {"--via magic -- true", "weir: unknown door 'magic': there are: preload, seccomp\n"},
    {"-p 80 -- true", "weir: cannot publish '80': say HOST:PORT, as in -p 8080:80\n"},
    {"-p 0:80 -- true", "weir: not a port in -p '0:80': ports are 1 to 65535, as in -p 8080:80\n"},
    {"-p 80:65536 -- true",
     "weir: not a port in -p '80:65536': ports are 1 to 65535, as in -p 8080:80\n"},
    {"-p x:1:2 -- true",
     "weir: not an address in -p 'x': say ADDR:HOST:PORT, as in -p 127.0.0.1:8080:80 or -p "
     "[::1]:8080:80\n"},
    {"--link packet: -- true", "weir: which interface '': as in --link packet:eth0 (ip link)\n"},
    {"--link packet:a/b -- true",
     "weir: not an interface's name 'a/b': as in --link packet:eth0\n"},
    {"--link packet:eth0 -- true",
     "weir: which address has the stack on 'packet:eth0': say --dhcp, "
     "or as in --ip 192.0.2.7/24 --gw 192.0.2.1\n"},
    {"--link packet:eth0 --ip fd00::2 --gw 10.0.0.1 -- true",
     "weir: --gw without an --ip: 'packet:eth0': as in --ip 192.0.2.7/24 --gw 192.0.2.1\n"},
    {"--link tap:1234567890123456 -- true",
     "weir: too long for a device '1234567890123456': its name has at most 15 letters\n"},
    {"--link tap:a,b -- true",
     "weir: not a device's name 'a,b': as in --link tap:weir0 --ip 10.77.0.2/24\n"},
    {"--ip 10.0.0.2/24 -- true", "weir: --ip, --gw, --dhcp and --no-offload are for a tap link; "
                                 "the host link has the host's own "
                                 "addresses: add --link tap:weir0, or leave them out\n"},
    {"--link tap:a --ip 10.0.0.2/0 -- true", "weir: not an address '10.0.0.2/0': with a prefix, as "
                                             "in --ip 10.77.0.2/24 --ip fd00:77::2/64\n"},
    {"--link tap:a --ip 10.0.0.2/ -- true", "weir: not an address '10.0.0.2/': with a prefix, as "
                                            "in --ip 10.77.0.2/24 --ip fd00:77::2/64\n"},
    {"--link tap:a --ip fd00::1/128 -- true", "weir: not an address 'fd00::1/128': with a prefix, "
                                              "as in --ip 10.77.0.2/24 --ip fd00:77::2/64\n"},
    {"--link tap:a --ip 0.0.0.0/8 -- true", "weir: not an address '0.0.0.0/8': with a prefix, as "
                                            "in --ip 10.77.0.2/24 --ip fd00:77::2/64\n"},
    {"--link tap:a --gw ff02::1 -- true",
     "weir: not an address 'ff02::1': as in --gw 10.77.0.1 --gw fd00:77::1\n"},
    {"--link tap:a --gw fd00::1 -- true",
     "weir: --gw of IPv6 without an --ip of it: 'tap:a': as in "
     "--ip fd00:77::2/64 --gw fd00:77::1\n"},
    {"--link tap:a --ip 10.0.0.255/24 -- true",
     "weir: not a host's address, but its subnet's own: '10.0.0.255': as in --ip "
     "10.77.0.2/24\n"},
    {"--link tap:a --ip 10.0.0.2/24 --gw 10.0.0.2 -- true",
     "weir: the same address in --ip and --gw: '10.0.0.2': the gateway is another host's "
     "address\n"},
    {"--link tap:a --ip 10.0.0.2/24 --gw 10.0.1.1 -- true",
     "weir: --gw is outside the subnet of --ip: '10.0.1.1': as in --ip 10.77.0.2/24 --gw "
     "10.77.0.1\n"},
};

static void each_mistake_is_one_line_with_a_way_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(mistakes); i++)
        expect_mistake(mistakes[i][0], mistakes[i][1]);
}

/* The table of kinds may grow. */
static void an_unknown_link_brings_the_nearest_and_all(void **state)
{
    static const char *const typed[][2] = {
        {"--link hots -- true", "weir: unknown link 'hots': did you mean 'host'? (host, tap:NAME"},
        {"--link tpa:x -- true", "weir: unknown link 'tpa:x': did you mean 'tap:'? (host, tap:"},
        {"--link tap -- true", "weir: unknown link 'tap': did you mean 'tap:'? (host, tap:NAME"},
        {"--link host:x -- true", "weir: unknown link 'host:x': did you mean 'host'? (host, tap"},
        {"--link pakcet:x -- true", "weir: unknown link 'pakcet:x': did you mean 'packet:'? (host"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(typed); i++) {
        const char *said;

        said_begin(2);
        assert_int_equal(parse(typed[i][0]), 2);
        said = said_end();
        assert_memory_equal(said, typed[i][1], strlen(typed[i][1]));
        assert_string_equal(strchr(said, '\n') - 1, ")\n");
    }
}

static void a_network_that_is_wrong_is_named(void **state)
{
    const char *text;

    (void)state;
    said_begin(2);
    assert_int_equal(parse("--net dealy -- true"), 2);
    text = said_end();
    assert_non_null(strstr(text, "weir: --net: "));
    assert_non_null(strstr(text, "\"delay\""));
}

static void too_many_ports_are_refused(void **state)
{
    char words[512] = "";

    (void)state;
    for (int i = 0; i < 32; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "-p %d:1 ", 100 + i);
    assert_true(strlen(words) < 480);
    said_begin(2);
    strcat(words, "-p 99:1 -- true");
    assert_int_equal(parse(words), 2);
    assert_non_null(strstr(said_end(), "cannot publish '99:1'"));
}

static void the_nearest_word_is_the_one_that_differs_least(void **state)
{
    static const char *const words[] = {"net", "set", "seed", "pcapng", NULL};

    (void)state;
    assert_string_equal(nearest_word("Net", words), "net");
    assert_string_equal(nearest_word("sed", words), "seed"); /* what is left out counts least */
    assert_string_equal(nearest_word("sead", words), "seed");
    assert_string_equal(nearest_word("pcap", words), "pcapng");
    assert_string_equal(nearest_word("", words), "net");
    assert_string_equal(nearest_word("pcapng", words), "pcapng");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_program_begins_where_options_end),
        cmocka_unit_test(each_option_sets_its_field),
        cmocka_unit_test(publish_takes_two_or_three_parts),
        cmocka_unit_test(a_tap_link_takes_addresses),
        cmocka_unit_test(a_wire_takes_settings),
        cmocka_unit_test(each_mistake_is_one_line_with_a_way_out),
        cmocka_unit_test(an_unknown_link_brings_the_nearest_and_all),
        cmocka_unit_test(a_network_that_is_wrong_is_named),
        cmocka_unit_test(too_many_ports_are_refused),
        cmocka_unit_test(the_nearest_word_is_the_one_that_differs_least),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
