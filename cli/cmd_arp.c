/* weir arp: the IPv4 neighbours of a running stack, as arp(8) lists them.
 *
 * Knows: the columns of arp -n, the lines of arp -a. Shape: getopt_long. Units: none. Errors: 1,
 * one line on stderr. Cost: one line for each neighbour. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/ip.h"

static const char usage[] =
    "usage: weir arp [-a] [-n] [--run NAME|PID]\n"
    "\n"
    "Lists the IPv4 neighbours of a running stack. `weir ip neigh` changes them, and knows IPv6.\n"
    "\n"
    "  -a              in the lines of BSD\n"
    "  -n              no names are looked up in any case\n"
    "  --run NAME|PID  which stack, where several run\n";

static void print(const struct ip_rows *rows, const struct run_neigh *n, bool is_bsd)
{
    char text[WEIR_ADDR_TEXT], mac[18] = "<incomplete>";
    const char *name = ip_name(rows, n->info.ifindex);
    const char *flags = strcmp(n->state, "PERMANENT") == 0 ? "CM" : "C";

    weir_addr_text(&n->info.addr, text);
    if (n->info.has_mac)
        ip_mac(n->info.mac, mac);
    if (is_bsd)
        printf("? (%s) at %s%s%s on %s\n", text, mac, n->info.has_mac ? " [ether]" : "",
               flags[1] ? " PERM" : "", name);
    else if (n->info.has_mac)
        printf("%-24s ether   %-19s %-21s %s\n", text, mac, flags, name);
    else
        printf("%-24s         %-19s %-21s %s\n", text, "(incomplete)", "", name);
}

static int list(const char *daemon, bool is_bsd)
{
    struct ip_rows rows = {.links = 0};
    int v = ip_gather(daemon, RUN_NET_NEIGH, &rows);

    if (v == 0 && !is_bsd)
        printf("%-24s %-7s %-19s %-5s %-15s %s\n", "Address", "HWtype", "HWaddress", "Flags",
               "Mask", "Iface");
    for (int i = 0; v == 0 && i < rows.neighs; i++)
        if (weir_addr_is_v4(&rows.neigh[i].info.addr))
            print(&rows, &rows.neigh[i], is_bsd);
    ip_forget(&rows);
    return v < 0;
}

int cmd_arp(int argc, char **argv)
{
    static const struct option options[] = {{"run", required_argument, NULL, 'R'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static const char *const words[] = {"--run", "--help", NULL};
    char daemons[16][12];
    const char *run = NULL;
    bool is_bsd = false;
    int c, n;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "anh", options, NULL)) != -1) {
        if (c == 'a')
            is_bsd = true;
        else if (c == 'R')
            run = optarg;
        else if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        } else if (c != 'n')
            return option_mistake("arp", argv[optind - 1], words);
    }
    n = daemons_chosen(daemons, 16, run);
    for (int i = 0; i < n; i++)
        if (list(daemons[i], is_bsd))
            return 1;
    return n <= 0;
}
