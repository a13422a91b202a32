/* The kinds of links there are, each a row.
 *
 * Knows: which function opens which. Shape: one table; what is typed, --help and the line for a
 * mistake come from it. Units: none. Errors: as those functions. Cost: none that matters. */
#include <stdio.h>
#include <string.h>

#include "run/link.h"
#include "run/run.h"

static const struct link_kind kinds[] = {
    {"host", NULL, NULL, NULL, false, "the host's own addresses; no privilege (default)"},
    {"tap", "NAME", tap_open, tap_check, false,
     "a TAP device. A device that is not there is made\n"
     "(CAP_NET_ADMIN); without root use one of yours:\n"
     "sudo ip tuntap add weir0 mode tap user $USER\n"
     "sudo ip addr add 10.77.0.1/24 dev weir0;\n"
     "sudo ip link set weir0 up"},
    {"wire", "NAME", wire_open, wire_check, true,
     "an Ethernet of all who name it, on this machine, of one\n"
     "user, without the kernel's network; no privilege.\n"
     "Also wire:NAME,members=32,ring=4194304,mtu=1500"},
    {"packet", "IFNAME", station_open, station_check, true,
     "beside the kernel on an Ethernet interface, with a MAC and an\n"
     "address of its own (CAP_NET_RAW); --ip or --dhcp says which"},
    {"xdp", "IFNAME[:QUEUE]", xdp_open, xdp_check, true,
     "the same by AF_XDP (root), on all queues or on one.\n"
     "Also xdp:IFNAME,generic: not in the card's driver"},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

const struct link_kind *link_kind_find(const char *link)
{
    size_t n = strcspn(link, ":");

    for (size_t i = 0; i < KINDS; i++)
        if (strlen(kinds[i].word) == n && memcmp(kinds[i].word, link, n) == 0 &&
            (link[n] == ':') == (kinds[i].takes != NULL))
            return &kinds[i];
    return NULL;
}

const char *link_behind(const char *link)
{
    const char *colon = strchr(link, ':');

    return colon ? colon + 1 : "";
}

int link_unknown(const char *link)
{
    char word[KINDS][16];
    const char *words[KINDS + 1] = {NULL};

    for (size_t i = 0; i < KINDS; i++) {
        snprintf(word[i], sizeof word[i], "%s%s", kinds[i].word, kinds[i].takes ? ":" : "");
        words[i] = word[i];
    }
    fprintf(stderr, "weir: unknown link '%s': did you mean '%s'? (", link,
            nearest_word(link, words));
    for (size_t i = 0; i < KINDS; i++)
        fprintf(stderr, "%s%s%s", i ? ", " : "", word[i], kinds[i].takes ? kinds[i].takes : "");
    fputs(")\n", stderr);
    return 2;
}

/* The first line of a kind's help stands beside its word, the others below each other. */
void link_help(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        const char *line = kinds[i].help;
        char word[32];

        snprintf(word, sizeof word, "%s%s%s", kinds[i].word, kinds[i].takes ? ":" : "",
                 kinds[i].takes ? kinds[i].takes : "");
        for (size_t n; *line; line += n + (line[n] == '\n')) {
            n = strcspn(line, "\n");
            printf("    %-17s %.*s\n", line == kinds[i].help ? word : "", (int)n, line);
        }
    }
}

struct weir_link *link_open(const struct link_options *o, struct link_ends *ends, char *error,
                            size_t error_size)
{
    const struct link_kind *kind = link_kind_find(o->link);
    struct weir_link *link;

    *ends = (struct link_ends){.kind = kind->word, .is_up = true};
    link = kind->open(link_behind(o->link), o, ends, error, error_size);
    return link;
}
