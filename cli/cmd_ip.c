/* weir ip: addresses, routes, neighbours and links of a running stack, as ip(8) shows and changes
 * them.
 *
 * Knows: ip(8)'s words, of which the beginning is enough. Shape: options, object, command, the
 * command's words; what is shown is gathered first, a change is one question. Units: as typed.
 * Errors: one line on stderr; 1: an unknown object, 255: wrong words, 2: the stack refused, as
 * ip(8). Cost: one connection for each question. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ip.h"

#define BAD_WORDS 255
#define REFUSED 2

static const char usage[] =
    "usage: weir ip [-4 | -6] [-s] [-j] [--run NAME|PID] OBJECT [COMMAND]\n"
    "\n"
    "Shows and changes how a running stack is joined to its network, in the words of ip(8).\n"
    "\n"
    "  weir ip addr  [show [dev IF]]   add ADDR/BITS dev IF    del ADDR/BITS dev IF\n"
    "  weir ip route [show [dev IF]]   add DST via ADDR [dev IF] [metric N]   del DST [via ADDR]\n"
    "  weir ip neigh [show [dev IF]]   add ADDR lladdr MAC dev IF             del ADDR dev IF\n"
    "  weir ip link  [show [dev IF]]   set IF up | down\n"
    "\n"
    "  -4, -6              of one family only (routes: IPv4 unless -6 is said)\n"
    "  -s                  link: frames and bytes\n"
    "  -j                  JSON, with ip(8)'s names\n"
    "  --run NAME|PID      which stack, where several run\n"
    "\n"
    "DST is ADDR, ADDR/BITS or default. Words may be cut short: weir ip a, weir ip r, weir ip n.\n";

/* The words that are left. */
struct words {
    char **at;
    int left;
};

static const char *next(struct words *w)
{
    if (!w->left)
        return NULL;
    w->left--;
    return *w->at++;
}

static bool is_word(const char *typed, const char *whole)
{
    return typed && *typed && strncmp(whole, typed, strlen(typed)) == 0;
}

static int wrong(const char *what, const char *word)
{
    fprintf(stderr, "weir: ip: %s '%s' (weir ip --help)\n", what, word ? word : "");
    return BAD_WORDS;
}

/* -- changes ----------------------------------------------------------------------------------- */

static bool parse_number(const char *text, long most, long *out)
{
    char *end;

    *out = text && isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
    return *out >= 0 && *out <= most && !*end;
}

/* ADDR, ADDR/BITS, default. */
static bool parse_prefix(const struct ip_options *o, const char *text, struct run_net_change *c)
{
    char copy[80], *slash;
    long bits;

    snprintf(copy, sizeof copy, "%s", text ? text : "");
    if (strcmp(copy, "default") == 0)
        snprintf(copy, sizeof copy, "%s", o->family == 6 ? "::/0" : "0.0.0.0/0");
    slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    if (weir_addr_parse(&c->addr, copy) < 0)
        return false;
    bits = weir_addr_is_v4(&c->addr) ? 32 : 128;
    if (slash && !parse_number(slash, bits, &bits))
        return false;
    c->prefix = (int32_t)bits;
    return true;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
    int n = 0;

    return text &&
           sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
                  &mac[4], &mac[5], &n) == 6 &&
           !text[n];
}

static int parse_via(struct run_net_change *c, const char *text)
{
    c->has_gateway = true;
    if (!text || weir_addr_parse(&c->gateway, text) < 0)
        return wrong("not an address behind via:", text);
    /* "default via fe80::1" is IPv6's default */
    if (!weir_addr_is_v4(&c->gateway) && weir_addr_is_v4(&c->addr) && c->prefix == 0)
        c->addr = (struct weir_addr){.w = {0}};
    return 0;
}

static int parse_rest(struct words *w, const struct ip_rows *rows, struct run_net_change *c)
{
    const char *word;
    long number;

    while ((word = next(w))) {
        const char *value = next(w);
        int v = 0;

        if (strcmp(word, "dev") == 0) {
            c->ifindex = value ? ip_index(rows, value) : 0;
            if (!c->ifindex) {
                fprintf(stderr, "Cannot find device \"%s\"\n", value ? value : "");
                return 1;
            }
        } else if (strcmp(word, "via") == 0) {
            v = parse_via(c, value);
        } else if (strcmp(word, "metric") == 0) {
            if (!parse_number(value, UINT32_MAX, &number))
                return wrong("not a metric", value);
            c->metric = (uint32_t)number;
        } else if (strcmp(word, "lladdr") == 0) {
            c->has_mac = true;
            v = parse_mac(value, c->mac) ? 0 : wrong("not a MAC behind lladdr:", value);
        } else {
            return wrong("what is", word);
        }
        if (v)
            return v;
    }
    return 0;
}

static int refuse(int v)
{
    fprintf(stderr, "RTNETLINK answers: %s\n", v == -ESRCH ? "No such process" : strerror(-v));
    return REFUSED;
}

static int tell(const char *daemon, const struct run_net_change *c)
{
    struct run_ask q = {.op = RUN_NET_SET, .value_len = sizeof *c};
    int v;

    memcpy(q.value, c, sizeof *c);
    v = daemon_ask(daemon, &q, NULL, NULL);
    return v < 0 ? refuse(v) : 0;
}

static int set_link(struct words *w, const struct ip_rows *rows, struct run_net_change *c)
{
    const char *name = next(w), *how;

    if (name && strcmp(name, "dev") == 0)
        name = next(w);
    how = next(w);
    c->ifindex = name ? ip_index(rows, name) : 0;
    if (!c->ifindex) {
        fprintf(stderr, "Cannot find device \"%s\"\n", name ? name : "");
        return 1;
    }
    if (!how || (strcmp(how, "up") != 0 && strcmp(how, "down") != 0) || w->left)
        return wrong("up or down, not", how);
    c->is_there = strcmp(how, "up") == 0;
    return 0;
}

static int change(const struct ip_options *o, const char *daemon, struct words *w,
                  struct run_net_change *c)
{
    struct ip_rows rows = {.links = 0};
    const char *word;
    int v = ip_gather(daemon, RUN_NET_LINK, &rows);

    if (v < 0)
        return refuse(v);
    if (c->what == RUN_NET_LINK) {
        v = set_link(w, &rows, c);
        return v ? v : tell(daemon, c);
    }
    word = next(w);
    if (!parse_prefix(o, word, c))
        return wrong("not an address:", word);
    if ((v = parse_rest(w, &rows, c)) != 0)
        return v;
    if (!c->ifindex && c->what != RUN_NET_ROUTE)
        return wrong("which device? say dev IF behind", word);
    if (c->what == RUN_NET_NEIGH && c->is_there && !c->has_mac)
        return wrong("which MAC? say lladdr MAC behind", word);
    c->has_mac = c->has_mac && c->is_there;
    return tell(daemon, c);
}

/* -- show -------------------------------------------------------------------------------------- */

static int show(struct ip_options *o, const char *daemon, struct words *w, enum run_net what)
{
    struct ip_rows rows = {.links = 0};
    const char *word = next(w);
    int v;

    if (word && strcmp(word, "dev") == 0)
        word = next(w);
    o->dev = word;
    if (w->left)
        return wrong("what is", *w->at);
    v = ip_gather(daemon, what, &rows);
    if (v == 0 && o->dev && !ip_index(&rows, o->dev)) {
        fprintf(stderr, "Device \"%s\" does not exist.\n", o->dev);
        v = 1;
    } else if (v == 0) {
        (o->is_json ? ip_print_json : ip_print)(o, &rows, what);
    } else {
        v = refuse(v);
    }
    ip_forget(&rows);
    return v;
}

/* -- words ------------------------------------------------------------------------------------- */

static int option(struct ip_options *o, const char *word, struct words *w)
{
    if (strcmp(word, "-4") == 0 || strcmp(word, "-6") == 0)
        o->family = word[1] - '0';
    else if (strcmp(word, "-s") == 0)
        o->has_stats = true;
    else if (strcmp(word, "-j") == 0 || strcmp(word, "-json") == 0)
        o->is_json = true;
    else if (strcmp(word, "--run") == 0 && w->left)
        o->run = next(w);
    else
        return wrong("unknown option", word);
    return 0;
}

static enum run_net object_of(const char *word)
{
    static const struct {
        const char *name;
        enum run_net what;
    } names[] = {{"address", RUN_NET_ADDR},   {"addr", RUN_NET_ADDR},
                 {"route", RUN_NET_ROUTE},    {"neighbour", RUN_NET_NEIGH},
                 {"neighbor", RUN_NET_NEIGH}, {"link", RUN_NET_LINK}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_word(word, names[i].name))
            return names[i].what;
    return (enum run_net)0;
}

static int command(struct ip_options *o, const char *daemon, struct words *w, enum run_net what)
{
    struct run_net_change c = {.what = what, .is_there = true};
    const char *word = w->left ? *w->at : NULL;

    if (!word || is_word(word, "show") || is_word(word, "list") || strcmp(word, "dev") == 0) {
        if (word && strcmp(word, "dev") != 0)
            next(w);
        return show(o, daemon, w, what);
    }
    next(w);
    c.is_there = !is_word(word, "delete");
    if (what == RUN_NET_LINK ? is_word(word, "set") : is_word(word, "add") || !c.is_there)
        return change(o, daemon, w, &c);
    fprintf(stderr, "Command \"%s\" is unknown, try \"weir ip --help\".\n", word);
    return BAD_WORDS;
}

int cmd_ip(int argc, char **argv)
{
    struct ip_options o = {.family = 0};
    struct words w = {argv + 1, argc - 1};
    char daemons[16][12];
    const char *word = next(&w);
    enum run_net what;
    int v;

    for (; word && *word == '-'; word = next(&w)) {
        if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if ((v = option(&o, word, &w)) != 0)
            return v;
    }
    if (!word || strcmp(word, "help") == 0) {
        fputs(usage, word ? stdout : stderr);
        return word ? 0 : BAD_WORDS;
    }
    what = object_of(word);
    if (!what) {
        fprintf(stderr, "Object \"%s\" is unknown, try \"weir ip --help\".\n", word);
        return 1;
    }
    v = daemons_chosen(daemons, 16, o.run);
    if (v <= 0)
        return REFUSED;
    if (v > 1) {
        fprintf(stderr, "weir: %d stacks run: say which by --run NAME|PID\n", v);
        return REFUSED;
    }
    return command(&o, daemons[0], &w, what);
}
