/* The weir command: a table of verbs.
 *
 * Knows: the verbs' names. Shape: one row, one verb. Units: none. Errors: exit 2 with the nearest
 * word. Cost: none. */
#include <stdio.h>
#include <string.h>

#include <weir/weir.h>

#include "cli/cli.h"
#include "dump/dump.h"
#include "explain/explain.h"
#include "packetdrill/packetdrill.h"
#include "run/run.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} verbs[] = {
    {"run", cmd_run, "run a program on weir's own TCP/IP stack"},
    {"ss", cmd_ss, "show the sockets of running stacks"},
    {"netstat", cmd_netstat, "the same in the columns of netstat, and all counters (-s)"},
    {"why", cmd_why, "say why a connection is in its state"},
    {"explain", cmd_explain, "say what happened in a capture, and why"},
    {"dump", cmd_dump, "print packets as tcpdump does, of a capture or a running stack"},
    {"nstat", cmd_nstat, "counters by name"},
    {"ping", cmd_ping, "send echo requests from a running stack, or on a TAP device"},
    {"traceroute", cmd_traceroute, "show the routers on the way to an address"},
    {"ip", cmd_ip, "show and change addresses, routes, neighbours and links of a running stack"},
    {"arp", cmd_arp, "list the IPv4 neighbours of a running stack"},
    {"lab", cmd_lab, "run networks of stacks in virtual time: a gallery of what TCP does"},
    {"packetdrill", cmd_packetdrill, "play packet scripts against the stack, in virtual time"},
    {"sysctl", cmd_sysctl, "show or set knobs"},
};
#define VERBS ((int)(sizeof verbs / sizeof verbs[0]))

static void help(FILE *to)
{
    fputs("weir: a TCP/IP stack in user space\n\nusage: weir VERB [...]\n\n", to);
    for (int i = 0; i < VERBS; i++)
        fprintf(to, "  %-12s %s\n", verbs[i].name, verbs[i].text);
    fputs("\nweir VERB --help says more. First: weir run -- curl http://example.com/\n", to);
}

int main(int argc, char **argv)
{
    const char *names[VERBS + 1] = {NULL};

    if (argc < 2) {
        help(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("weir " WEIR_VERSION);
        return 0;
    }
    for (int i = 0; i < VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
        names[i] = verbs[i].name;
    }
    fprintf(stderr, "weir: unknown verb '%s': did you mean '%s'? (weir --help)\n", argv[1],
            nearest_word(argv[1], names));
    return 2;
}
