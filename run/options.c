/* The words of `weir run`: options, what they mean, and what to do when one is wrong.
 *
 * Knows: the option table. Shape: getopt_long; each mistake is one line on stderr that names the
 * nearest right word. Units: as typed. Errors: exit status 2. Cost: none that matters. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "run/daemon.h"

static const char usage[] =
    "usage: weir run [OPTIONS] -- PROGRAM [ARGUMENTS]\n"
    "\n"
    "Runs an unmodified program on weir's own TCP/IP stack. No root, no set-up.\n"
    "\n"
    "  --net TEXT          the network: \"delay 40ms jitter 5ms loss 1% reorder 2% dup 0.1%\n"
    "                      corrupt 0.01% rate 20mbit queue 100 police 5mbit bucket 30000\n"
    "                      mtu 1500\", up: and down: for one way\n"
    "  --set KNOB=VALUE    a knob of the stack: net.ipv4.tcp_fin_timeout=30 (weir sysctl -a lists "
    "them)\n"
    "  --seed N            the same seed, the same losses\n"
    "  --pcapng FILE       record every frame, with the stack's reason as its comment\n"
    "  -p [ADDR:]HOST:PORT host link: what the program serves on PORT is at the host's port HOST;\n"
    "                      of IPv6 [::1]:8080:80\n"
    "  --link LINK         where frames go:\n";

static const char usage_end[] =
    "  --ip ADDR/BITS      the stack's address on a link of its own; on tap the one after the\n"
    "                      kernel's if none is said, or 10.77.0.2/24 where it is not there yet\n"
    "                      Once more for IPv6, which it has none of else: fd00:77::2/64\n"
    "  --gw ADDR           its gateway; on tap the kernel if none is said\n"
    "  --dhcp              address, gateway and nameserver from a DHCP server on the link\n"
    "  --no-offload        no superframes, all checksums in software\n"
    "  --via preload|seccomp  the door to the program; if none is said, preload for dynamically\n"
    "                      linked ones, and seccomp, which catches system calls, for static ones\n"
    "  --no-isolation      no network namespace of its own: what bypasses weir meets the host's\n"
    "                      network, and abstract AF_UNIX names (X11, D-Bus) are the host's\n"
    "  -v                  say more\n"
    "  -h, --help          this text\n";

static const struct option options[] = {
    {"net", required_argument, NULL, 'n'},
    {"set", required_argument, NULL, 's'},
    {"seed", required_argument, NULL, 'S'},
    {"pcapng", required_argument, NULL, 'c'},
    {"publish", required_argument, NULL, 'p'},
    {"link", required_argument, NULL, LINK_OPTION},
    {"ip", required_argument, NULL, LINK_OPTION_IP},
    {"gw", required_argument, NULL, LINK_OPTION_GW},
    {"dhcp", no_argument, NULL, LINK_OPTION_DHCP},
    {"no-offload", no_argument, NULL, LINK_OPTION_NO_OFFLOAD},
    {"via", required_argument, NULL, 'V'},
    {"verbose", no_argument, NULL, 'v'},
    {"no-isolation", no_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

const char *nearest_word(const char *word, const char *const *words)
{
    const char *best = words[0];

    for (; *words; words++)
        if (word_distance(word, *words) < word_distance(word, best))
            best = *words;
    return best;
}

static int mistake(const char *what, const char *text, const char *hint)
{
    fprintf(stderr, "weir: %s '%s': %s\n", what, text, hint);
    return 2;
}

static bool parse_port(const char *text, uint16_t *port)
{
    char *end;
    long n = strtol(text, &end, 10);

    *port = (uint16_t)n;
    return isdigit((unsigned char)*text) && !*end && n >= 1 && n <= 65535;
}

/* Of IPv6 in brackets. */
static bool parse_address(char *text, struct weir_addr *out)
{
    size_t n = strlen(text);
    bool is_bracketed = n > 2 && text[0] == '[' && text[n - 1] == ']';

    if (is_bracketed)
        text[n - 1] = '\0';
    return weir_addr_parse(out, text + is_bracketed) == 0 && weir_addr_is_v4(out) != is_bracketed;
}

/* [ADDR:]HOST:PORT */
static int parse_publish(struct run_options *o, const char *text)
{
    char copy[128], *port, *host;
    struct weir_sockaddr at = {.addr = weir_addr_v4(0)};
    uint16_t program_port;

    snprintf(copy, sizeof copy, "%s", text);
    port = strrchr(copy, ':');
    if (!port || o->publishes == 32)
        return mistake("cannot publish", text, "say HOST:PORT, as in -p 8080:80");
    *port++ = '\0';
    host = strrchr(copy, ':');
    if (host) {
        *host++ = '\0';
        if (!parse_address(copy, &at.addr))
            return mistake("not an address in -p", copy,
                           "say ADDR:HOST:PORT, as in -p 127.0.0.1:8080:80 or -p [::1]:8080:80");
    } else {
        host = copy;
    }
    if (!parse_port(host, &at.port) || !parse_port(port, &program_port))
        return mistake("not a port in -p", text, "ports are 1 to 65535, as in -p 8080:80");
    o->publish[o->publishes].host = at;
    o->publish[o->publishes++].port = program_port;
    return 0;
}

static int check_net(const char *text)
{
    struct weir_impair impair;
    char error[256];

    if (weir_impair_parse(&impair, text, error, sizeof error) == 0)
        return 0;
    fprintf(stderr, "weir: --net: %s\n", error);
    return 2;
}

#define ALGORITHMS "net.ipv4.tcp_available_congestion_control"

static int check_set(const char *text)
{
    struct weir_config config = {.seed = {1, 1}};
    struct weir_stack *stack = weir_new(&config);
    char name[128], names[128];
    const char *equals = strchr(text, '=');
    int v;

    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - text) : 0, text);
    v = equals && stack ? weir_knob_set(stack, name, equals + 1) : -EINVAL;
    if (!stack || weir_knob_get(stack, ALGORITHMS, names, sizeof names) < 0)
        names[0] = '\0';
    weir_free(stack);
    if (!equals)
        return mistake("--set wants KNOB=VALUE, not", text,
                       "as in --set net.ipv4.tcp_fin_timeout=30");
    if (v == -ENOENT) {
        fprintf(stderr, "weir: unknown knob '%s': did you mean '%s'?\n", name,
                weir_knob_nearest(name));
        return 2;
    }
    if (v == -ERANGE)
        return mistake("out of bounds", text, "`weir sysctl -a` shows each knob's bounds");
    if (v == -EACCES)
        return mistake("this can only be read", text, "`weir sysctl KNOB` shows it");
    if (v == -EINVAL && strcmp(name, "net.ipv4.tcp_congestion_control") == 0) {
        fprintf(stderr, "weir: no congestion control '%s': there are %s\n", equals + 1, names);
        return 2;
    }
    return v ? mistake("not a number", text, "as in --set net.ipv4.tcp_fin_timeout=30") : 0;
}

static int parse_seed(struct run_options *o, const char *text)
{
    char *end;

    errno = 0;
    o->seed = strtoull(text, &end, 0);
    o->has_seed = true;
    return !isdigit((unsigned char)*text) || *end || errno
               ? mistake("not a number in --seed", text, "as in --seed 7")
               : 0;
}

static int take(struct run_options *o, int c)
{
    int v = 0;

    switch (c) {
    case 'n':
        o->net = optarg;
        return check_net(optarg);
    case 's':
        if ((v = check_set(optarg)) == 0 && o->sets < 64)
            o->set[o->sets++] = optarg;
        return v;
    case 'S':
        return parse_seed(o, optarg);
    case 'c':
        o->pcapng = optarg;
        return 0;
    case 'p':
        return parse_publish(o, optarg);
    case LINK_OPTION:
    case LINK_OPTION_IP:
    case LINK_OPTION_GW:
    case LINK_OPTION_NO_OFFLOAD:
    case LINK_OPTION_DHCP:
        return link_take(&o->link, c, optarg);
    case 'o':
        o->is_open = true;
        return 0;
    case 'v':
        o->is_verbose = true;
        return 0;
    default:
        o->via = strcmp(optarg, "preload") == 0   ? RUN_VIA_PRELOAD
                 : strcmp(optarg, "seccomp") == 0 ? RUN_VIA_SECCOMP
                                                  : RUN_VIA_FILE;
        return o->via ? 0 : mistake("unknown door", optarg, "there are: preload, seccomp");
    }
}

static int unknown_option(const char *text)
{
    const char *names[sizeof options / sizeof options[0]];
    int n = 0;

    for (const struct option *o = options; o->name; o++)
        names[n++] = o->name;
    names[n] = NULL;
    fprintf(stderr, "weir: unknown option '%s': did you mean '--%s'? (weir run --help)\n", text,
            nearest_word(text + strspn(text, "-"), names));
    return 2;
}

/* "--" ends the options; whoever meant it for a value would get a file of that name. */
static bool is_forgotten(const char *value)
{
    return value && (!*value || strcmp(value, "--") == 0);
}

int options_parse(struct run_options *o, int argc, char **argv)
{
    int c, v;

    optind = 0;
    opterr = 0;
    o->link.link = "host";
    while ((c = getopt_long(argc, argv, "+:p:vh", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            link_help();
            fputs(usage_end, stdout);
            exit(0);
        }
        if (c == ':')
            return mistake("no value for", argv[optind - 1], "see weir run --help");
        if (c == '?')
            return unknown_option(argv[optind - 1]);
        if (is_forgotten(optarg))
            return mistake("no value for", argv[optind - (optarg == argv[optind - 1] ? 2 : 1)],
                           "see weir run --help");
        if ((v = take(o, c)) != 0)
            return v;
    }
    if ((v = link_check(&o->link)) != 0)
        return v;
    o->program = argv + optind;
    if (!*o->program) {
        fprintf(stderr, "weir: which program? weir run [OPTIONS] -- PROGRAM [ARGUMENTS]\n");
        return 2;
    }
    return 0;
}
