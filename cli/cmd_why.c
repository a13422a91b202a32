/* weir why: why a connection is in its state, in words.
 *
 * Knows: the options. Not daemons, nor words. Shape: what was asked for is gathered, then printed:
 * sockets, their past, the port. Units: none. Errors: exit 2 for bad usage; 1 where nothing runs,
 * or nothing was found that was named. Cost: one question for each daemon. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/why.h"

enum { OPTION_RUN = 256 };
#define PAST_LINES 12

static const char help[] =
    "Usage: weir why PORT | ADDRESS:PORT | fd N of PID | --all\n\n"
    "Says of each connection of running stacks (weir run) why it is in its state: since when, who\n"
    "acted last, what is awaited, what ends it and when, which knob changes that, and what the\n"
    "program did not do; then how others at that port ended or were refused lately, and whether\n"
    "the port can be bound.\n\n"
    "  PORT              of either end\n"
    "  ADDRESS:PORT      of either end; IPv6 in brackets\n"
    "  fd N of PID       descriptor N of that process\n"
    "  -a, --all         every socket, and whether ports are left\n"
    "  -j, --json        one JSON object; seconds, bytes\n"
    "      --run RUN     this run only: its name or the number of its process\n\n"
    "Exit status: 0 something was found, 1 nothing was, 2 bad usage.\n\n"
    "  weir why 8080\n"
    "  weir why fd 7 of 4711\n"
    "  weir run --set net.weir.trace_events=100000 -- PROGRAM   remembers more of the past\n";

static const struct option options[] = {
    {"all", no_argument, NULL, 'a'},
    {"json", no_argument, NULL, 'j'},
    {"run", required_argument, NULL, OPTION_RUN},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage(const char *word)
{
    static const char *const words[] = {"--all", "--json", "--run", "--help", NULL};

    if (word[0] == '-')
        fprintf(stderr, "weir: unknown option '%s': did you mean '%s'? (weir why --help)\n", word,
                nearest_word(word, words));
    else
        fprintf(stderr, "weir: '%s' is no port, ADDRESS:PORT or fd N of PID (weir why --help)\n",
                word);
    return 2;
}

static bool number(const char *text, long most, int *out)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < 0 || n > most)
        return false;
    *out = (int)n;
    return true;
}

/* "10.0.0.1:80", "[fd00::1]:80" */
static bool address(const char *text, struct why_ask *ask)
{
    char copy[WEIR_ADDR_TEXT], *colon, *at = copy;

    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    colon = strrchr(copy, ':');
    if (!colon || !number(colon + 1, 65535, &ask->port) || !ask->port)
        return false;
    *colon = '\0';
    if (*at == '[' && at[strlen(at) - 1] == ']') {
        at[strlen(at) - 1] = '\0';
        at++;
    }
    ask->has_addr = true;
    return weir_addr_parse(&ask->addr, at) == 0;
}

static int parse_words(struct why_ask *ask, char **word, int n)
{
    if (n == 0 && !ask->all) {
        fputs(help, stderr);
        return 2;
    }
    if (n == 0)
        return 0;
    if (strcmp(word[0], "fd") == 0) {
        bool is_right = n == 4 && strcmp(word[2], "of") == 0 &&
                        number(word[1], 1 << 30, &ask->fd) && number(word[3], 1 << 30, &ask->pid);
        return is_right ? 0 : usage("fd");
    }
    if (n > 1)
        return usage(word[1]);
    if ((number(word[0], 65535, &ask->port) && ask->port) || address(word[0], ask))
        return 0;
    return usage(word[0]);
}

static int parse(struct why_ask *ask, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "ajh", options, NULL)) != -1) {
        switch (c) {
        case 'a':
            ask->all = true;
            break;
        case 'j':
            ask->json = true;
            break;
        case OPTION_RUN:
            ask->run = optarg;
            break;
        case 'h':
            ask->help = true;
            break;
        default:
            return usage(argv[optind - 1]);
        }
    }
    return ask->help ? 0 : parse_words(ask, argv + optind, argc - optind);
}

#define COLUMNS 100

/* Words in lines, each but the first indented. */
static void put_wrapped(FILE *to, char *text)
{
    size_t at = 0;

    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        size_t n = strlen(word);
        if (at && at + 1 + n > COLUMNS) {
            fputs("\n ", to);
            at = 1;
        }
        fprintf(to, "%s%s", at ? " " : "", word);
        at += n + (at > 0);
    }
    fputs("\n\n", to);
}

static void print_sock(const struct why_sock *w)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return;
    why_put_title(f, w);
    why_put_words(f, w);
    fclose(f);
    put_wrapped(stdout, text);
    free(text);
}

static void print(const struct why_ask *ask, const struct why_view *v)
{
    char *past = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&past, &size);

    for (int i = 0; i < v->socks; i++)
        print_sock(&v->sock[i]);
    if (f && ask->fd < 0 && why_put_past(f, v, ask->port, PAST_LINES)) {
        fflush(f);
        printf("Lately:\n%s\n", past);
    }
    if (f)
        fclose(f);
    free(past);
    if (ask->port && !ask->has_addr)
        why_put_bind(stdout, v, ask->port);
    if (ask->all)
        why_put_ports(stdout, v);
}

int cmd_why(int argc, char **argv)
{
    struct why_ask ask = {.fd = -1};
    struct why_view v = {.socks = 0};
    int status = parse(&ask, argc, argv);

    if (status)
        return status;
    if (ask.help) {
        fputs(help, stdout);
        return 0;
    }
    status = why_gather(&ask, &v);
    if (status == 0 && ask.json)
        why_put_json(&v, &ask);
    else if (status == 0)
        print(&ask, &v);
    if (status == 0 && !v.socks && !v.pasts) {
        if (!ask.json && ask.fd >= 0)
            fprintf(stderr, "weir: fd %d of process %d is no socket of a weir stack\n", ask.fd,
                    ask.pid);
        status = 1;
    }
    free(v.sock);
    free(v.past);
    return status;
}
