/* weir dump: tcpdump's options, its lines, its last words.
 *
 * Knows: the options; where packets come from. Shape: a loop over packets until the end, -c, or an
 * interrupt. Units: none. Errors: exit 1 where reading broke off, 2 for bad usage.
 * Cost: O(packets). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <weir/pcapng.h>

#include "cli/cli.h"
#include "dump/dump.h"
#include "dump/filter.h"
#include "dump/live.h"
#include "dump/print.h"

static const char help[] =
    "Usage: weir dump [-r FILE | --run NAME] [options] [filter]\n\n"
    "Prints packets as tcpdump does: of a capture (pcap or pcapng; - is standard input), or, "
    "without\n"
    "-r, what a running stack sends and gets (weir run), as it comes.\n\n"
    "  -r FILE           read packets from FILE\n"
    "  --run NAME        of this running stack: its name or a process (weir ss --help)\n"
    "  -w FILE           do not print: write the live packets to FILE, a pcapng; - is standard "
    "output\n"
    "  -c N              end after N packets;  --count: only say how many there are\n"
    "  -L                open each packet layer by layer: every field, its bytes, its meaning\n"
    "  --why             the stack's reason for each packet: why it was sent, what became of it\n"
    "                    (live, and in captures that weir made)\n"
    "  -e                the link header, too;  -q  less;  -v, -vv  more: TTL, checksums, names\n"
    "  -t -tt -ttt -tttt -ttttt   no time; seconds since 1970; since the packet before; with the\n"
    "                    date; since the first packet.  --nano: nine digits\n"
    "  -S                sequence numbers as they are, not from the connection's first\n"
    "  -x -X -A          the bytes behind the link header, also as text, only as text; -xx -XX:\n"
    "                    with the link header\n"
    "  -#, --number      number the packets;  -K  do not look at checksums;  -l  line by line\n"
    "  -n                is how it is: addresses and ports are never looked up\n\n"
    "A filter is an expression of pcap-filter(7): 'tcp port 80 and host 10.0.0.7'.\n"
    "Application text is opened for DNS, DHCP, HTTP, SMTP, FTP and RTSP.\n\n"
    "Exit status: 0, 1 the capture is damaged or the stack could not be asked, 2 bad usage.\n\n"
    "  weir dump -r trace.pcapng -L -c 1\n"
    "  weir dump port 80                       # while: weir run -- curl http://example.com/\n";

#define LINKTYPE_ETHERNET 1

enum { OPT_RUN = 256, OPT_NANO, OPT_MICRO, OPT_COUNT, OPT_WHY };
static const struct option options[] = {
    {"run", required_argument, NULL, OPT_RUN},
    {"nano", no_argument, NULL, OPT_NANO},
    {"micro", no_argument, NULL, OPT_MICRO},
    {"count", no_argument, NULL, OPT_COUNT},
    {"why", no_argument, NULL, OPT_WHY},
    {"number", no_argument, NULL, '#'},
    {"layers", no_argument, NULL, 'L'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct wish {
    struct dump d;
    const char *file, *run, *to_file;
    struct weir_pcapng *to; /* -w */
    int iface;
    uint64_t most; /* -c, 0: all */
    bool only_counts;
    struct filter *filter;
};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* -- options ----------------------------------------------------------------------------------- */

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "weir: %s '%s': see weir dump --help\n", what, word);
    return 2;
}

/* Those that only make the line other. False: it is none of them. */
static bool take_look(struct dump *d, int c)
{
    switch (c) {
    case 'L':
        d->is_layered = true;
        return true;
    case OPT_WHY:
        d->says_why = true;
        return true;
    case 'e':
        d->shows_link = true;
        return true;
    case 'q':
        d->is_brief = true;
        return true;
    case 'v':
        d->verbose++;
        return true;
    case 't':
        d->stamp = d->stamp == STAMP_SINCE ? STAMP_SINCE : d->stamp + 1;
        return true;
    case 'S':
        d->is_absolute = true;
        return true;
    case 'K':
        d->trusts_sums = true;
        return true;
    case '#':
        d->shows_number = true;
        return true;
    case 'x':
    case 'X':
    case 'A':
        d->is_hex_whole = d->hex != HEX_NONE;
        d->hex = c == 'x' ? HEX_BYTES : c == 'X' ? HEX_TEXT : ASCII_TEXT;
        return true;
    case OPT_NANO:
    case OPT_MICRO:
        d->is_nano = c == OPT_NANO;
        return true;
    default:
        return false;
    }
}

/* 0 go on; -1: help was given; else the exit status. */
static int take_option(struct wish *w, int c, const char *word)
{
    static const char *const words[] = {"--run",    "--nano", "--micro", "--count", "--number",
                                        "--layers", "--why",  "--help",  NULL};
    char *end;

    switch (c) {
    case 'r':
        w->file = optarg;
        return 0;
    case OPT_RUN:
        w->run = optarg;
        return 0;
    case 'w':
        w->to_file = optarg;
        return 0;
    case OPT_COUNT:
        w->only_counts = true;
        return 0;
    case 'c':
        w->most = strtoull(optarg, &end, 10);
        return *end || end == optarg || !w->most || *optarg == '-'
                   ? usage("-c wants a number of packets, not", optarg)
                   : 0;
    case 'l':
        setvbuf(stdout, NULL, _IOLBF, 0);
        return 0;
    case 'n':
        return 0;
    case 'h':
        fputs(help, stdout);
        return -1;
    default:
        return option_mistake("dump", word, words);
    }
}

static int parse(struct wish *w, int argc, char **argv)
{
    char error[256];
    int c, r = 0;

    optind = 1;
    opterr = 0;
    while (r == 0 && (c = getopt_long(argc, argv, "r:w:c:LeqvtSK#xXAlnh", options, NULL)) != -1)
        if (!take_look(&w->d, c))
            r = take_option(w, c, argv[optind - 1]);
    if (r)
        return r;
    if (w->file && (w->run || w->to_file))
        return usage("-r reads a file, which goes not with", w->run ? "--run" : "-w");
    if (optind == argc)
        return 0;
    w->filter = filter_open(argv + optind, argc - optind, error, sizeof error);
    if (!w->filter) {
        fprintf(stderr, "weir: no filter: %s (man pcap-filter)\n", error);
        return 2;
    }
    return 0;
}

/* -- packets ----------------------------------------------------------------------------------- */

/* False: that was the last one. */
static bool take_packet(struct wish *w, const struct packet *p)
{
    if (w->filter && !filter_takes(w->filter, p))
        return true;
    if (w->only_counts)
        w->d.packets++;
    else
        print_packet(&w->d, p);
    return (!w->most || w->d.packets < w->most) && !ferror(w->d.to);
}

static int from_file(struct wish *w)
{
    char error[200];
    struct file f;
    struct packet p;

    if (!cap_open(&f, w->file, error, sizeof error)) {
        fprintf(stderr, "weir: %s: %s\n", w->file, error);
        return 2;
    }
    while (!is_interrupted && cap_next(&f, &p) && take_packet(w, &p))
        continue;
    fflush(w->d.to);
    if (f.trouble[0])
        fprintf(stderr, "weir: %s: %s; what came before is printed\n", w->file, f.trouble);
    if (w->only_counts)
        printf("%llu packets\n", (unsigned long long)w->d.packets);
    cap_close(&f);
    return f.trouble[0] != '\0';
}

/* To -w's file: the packet and why it was sent, or what became of it. */
static bool write_packet(struct wish *w, const struct packet *p)
{
    char why[256];
    struct weir_frame f = {.part = {{p->data, p->len}}, .parts = 1};
    struct weir_pcapng_packet packet = {
        .iface = w->iface, .dir = WEIR_PCAPNG_IN, .at_ns = p->at_ns, .comment = why};

    if (w->filter && !filter_takes(w->filter, p))
        return true;
    snprintf(why, sizeof why, "%.*s", p->notes ? p->note_len[0] : 0, p->notes ? p->note[0] : "");
    if (w->d.packets++ == 0)
        packet.iface = w->iface = weir_pcapng_iface(
            w->to, "weir", p->link == LINKTYPE_ETHERNET ? WEIR_LINK_ETHER : WEIR_LINK_IP);
    weir_pcapng_frame(w->to, &packet, &f);
    return weir_pcapng_flush(w->to) == 0 && (!w->most || w->d.packets < w->most);
}

static bool on_live(const struct packet *p, void *arg)
{
    struct wish *w = arg;
    bool goes_on = w->to ? write_packet(w, p) : take_packet(w, p);

    fflush(w->d.to);
    return goes_on;
}

static int from_run(struct wish *w)
{
    char names[16][12], error[256];
    struct live_end end;
    int fd, r;

    if (daemons_chosen(names, 16, w->run) <= 0)
        return 1;
    if (w->to_file && !(w->to = weir_pcapng_open(w->to_file, error, sizeof error))) {
        fprintf(stderr, "weir: %s\n", error);
        return 1;
    }
    fd = live_open(names[0], &end);
    if (fd >= 0)
        fprintf(stderr, "weir: listening to the stack %s; an interrupt ends it\n", names[0]);
    r = fd < 0 ? -1 : live_packets(fd, on_live, w, &is_interrupted, &end);
    if (w->to && weir_pcapng_close(w->to) < 0 && r == 0) {
        snprintf(end.error, sizeof end.error, "%s could not be written whole", w->to_file);
        r = -1;
    }
    if (r < 0) {
        fprintf(stderr, "weir: %s\n", end.error);
        return 1;
    }
    if (w->only_counts)
        printf("%llu packets\n", (unsigned long long)w->d.packets);
    fprintf(stderr, "%llu packets captured\n%llu packets dropped, this end was too slow\n",
            (unsigned long long)end.packets, (unsigned long long)end.dropped);
    return 0;
}

int cmd_dump(int argc, char **argv)
{
    struct wish w = {.d = {.to = stdout}};
    struct sigaction action = {.sa_handler = on_signal};
    int r = parse(&w, argc, argv);

    if (r == 0) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        r = w.file ? from_file(&w) : from_run(&w);
    }
    flows_free(w.d.flows);
    filter_close(w.filter);
    return r < 0 ? 0 : r;
}
