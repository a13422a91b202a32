/* The filter of `weir ss`: states, and expressions over addresses and ports as ss(8) has them.
 *
 * Knows: the grammar. Shape: words are cut into tokens; each rule of the grammar is a function that
 * returns the index of its node, or -1. What stands side by side is joined by "and".
 * Units: ports and prefixes in decimal. Errors: exit 2 and one line on stderr.
 * Cost: O(nodes) for each socket. */
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/ss.h"

#define TOKENS 256
#define TOKEN_LEN 64

struct parser {
    struct ss_ask *ask;
    char token[TOKENS][TOKEN_LEN];
    int tokens, at;
    const char *wrong; /* the token that was not understood */
};

static int expression(struct parser *p);

/* -- tokens ------------------------------------------------------------------------------------ */

static size_t token_len(const char *text)
{
    static const char *const signs[] = {"==", "!=", ">=", "<=", "&&", "||", "=",
                                        ">",  "<",  "&",  "|",  "!",  "(",  ")"};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strncmp(text, signs[i], strlen(signs[i])) == 0)
            return strlen(signs[i]);
    return strcspn(text, " \t\n=!<>&|()");
}

static bool cut(struct parser *p, const char *text)
{
    while (*(text += strspn(text, " \t\n"))) {
        size_t n = token_len(text);
        if (p->tokens == TOKENS || n >= TOKEN_LEN)
            return false;
        snprintf(p->token[p->tokens++], TOKEN_LEN, "%.*s", (int)n, text);
        text += n;
    }
    return true;
}

static const char *peek(const struct parser *p)
{
    return p->at < p->tokens ? p->token[p->at] : "";
}

/* Takes the token if it is one of the words, which are separated by blanks. */
static bool take(struct parser *p, const char *words)
{
    const char *t = peek(p);
    size_t n = strlen(t);

    for (const char *at = words; n && (at = strstr(at, t)); at++)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n])) {
            p->at++;
            return true;
        }
    return false;
}

static int refuse(struct parser *p)
{
    if (!p->wrong)
        p->wrong = p->at < p->tokens ? p->token[p->at] : "(its end)";
    return -1;
}

static int node_add(struct parser *p, struct ss_node node)
{
    if (p->ask->nodes == SS_FILTER_MAX)
        return refuse(p);
    p->ask->filter[p->ask->nodes] = node;
    return p->ask->nodes++;
}

/* -- conditions -------------------------------------------------------------------------------- */

static enum ss_cmp comparison(struct parser *p)
{
    if (take(p, "!= ne neq"))
        return SS_NE;
    if (take(p, ">= ge geq"))
        return SS_GE;
    if (take(p, "<= le leq"))
        return SS_LE;
    if (take(p, "> gt"))
        return SS_GT;
    if (take(p, "< lt"))
        return SS_LT;
    (void)take(p, "= == eq is");
    return SS_EQ;
}

/* A number or the name of a service. -1: neither. */
static int port_of(const char *text)
{
    const struct servent *service;
    char *end;
    long n = strtol(text, &end, 10);

    if (isdigit((unsigned char)*text))
        return *end || n < 0 || n > 65535 ? -1 : (int)n;
    service = *text ? getservbyname(text, NULL) : NULL;
    return service ? ntohs((uint16_t)service->s_port) : -1;
}

static int port_condition(struct parser *p, bool is_peer)
{
    struct ss_node node = {.op = SS_PORT, .is_peer = is_peer, .cmp = comparison(p)};
    const char *text = peek(p), *colon = strrchr(text, ':');

    node.port = port_of(colon ? colon + 1 : text);
    if (node.port < 0)
        return refuse(p);
    p->at++;
    return node_add(p, node);
}

/* ADDR[/BITS][:PORT], [V6]:PORT, *:PORT */
static bool read_host(struct ss_node *node, char *text)
{
    char *colon = strrchr(text, ':'), *slash;
    bool has_port = colon && (text[0] == '[' ? colon[-1] == ']' || strchr(text, ']') < colon
                                             : strchr(text, ':') == colon);
    size_t n;

    if (has_port) {
        *colon = '\0';
        if (strcmp(colon + 1, "*") != 0 && (node->port = port_of(colon + 1)) < 0)
            return false;
    }
    slash = strchr(text, '/');
    if (slash)
        *slash++ = '\0';
    n = strlen(text);
    if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
        text[n - 1] = '\0';
        text++;
    }
    if (!*text || strcmp(text, "*") == 0)
        return !slash;
    if (weir_addr_parse(&node->addr, text) < 0)
        return false;
    node->prefix = 128;
    if (slash)
        node->prefix = (weir_addr_is_v4(&node->addr) ? 96 : 0) + atoi(slash);
    return node->prefix >= 0 && node->prefix <= 128;
}

static int host_condition(struct parser *p, bool is_peer)
{
    struct ss_node node = {.op = SS_ADDR, .is_peer = is_peer, .cmp = comparison(p)};
    char text[TOKEN_LEN];

    snprintf(text, sizeof text, "%s", peek(p));
    if (!*text || node.cmp > SS_NE || !read_host(&node, text))
        return refuse(p);
    p->at++;
    return node_add(p, node);
}

/* -- the grammar ------------------------------------------------------------------------------- */

static int term(struct parser *p)
{
    int inner;

    if (take(p, "! not")) {
        inner = term(p);
        return inner < 0 ? -1 : node_add(p, (struct ss_node){.op = SS_NOT, .left = inner});
    }
    if (take(p, "(")) {
        inner = expression(p);
        return inner >= 0 && take(p, ")") ? inner : refuse(p);
    }
    if (take(p, "sport"))
        return port_condition(p, false);
    if (take(p, "dport"))
        return port_condition(p, true);
    if (take(p, "src"))
        return host_condition(p, false);
    if (take(p, "dst"))
        return host_condition(p, true);
    return refuse(p);
}

static int both(struct parser *p)
{
    int left = term(p), right;

    while (left >= 0 && p->at < p->tokens && strcmp(peek(p), ")") != 0 &&
           strcmp(peek(p), "or") != 0 && peek(p)[0] != '|') {
        (void)take(p, "and & &&");
        right = term(p);
        left = right < 0
                   ? -1
                   : node_add(p, (struct ss_node){.op = SS_AND, .left = left, .right = right});
    }
    return left;
}

static int expression(struct parser *p)
{
    int left = both(p), right;

    while (left >= 0 && take(p, "or | ||")) {
        right = both(p);
        left = right < 0 ? -1
                         : node_add(p, (struct ss_node){.op = SS_OR, .left = left, .right = right});
    }
    return left;
}

static int bad_filter(const char *word)
{
    static const char *const begins[] = {"state", "exclude", "sport", "dport", "src", "dst", NULL};

    if (isalpha((unsigned char)*word))
        fprintf(stderr, "weir: bad filter at '%s': did you mean '%s'? (weir ss --help)\n", word,
                nearest_word(word, begins));
    else
        fprintf(stderr,
                "weir: bad filter at '%s': say state time-wait, sport = :80, dst 10.0.0.1\n", word);
    return 2;
}

/* "state X" and "exclude X", before the expression. 0: go on. */
static int take_states(struct parser *p)
{
    bool is_first = true;

    for (;;) {
        bool is_out = take(p, "exclude excl");
        unsigned bits;
        if (!is_out && !take(p, "state"))
            return 0;
        if (!(bits = ss_states_of(peek(p)))) {
            fprintf(stderr, "weir: unknown state '%s': did you mean '%s'? (weir ss --help)\n",
                    peek(p), nearest_word(peek(p), ss_state_words));
            return 2;
        }
        p->at++;
        if (is_out)
            p->ask->states = (is_first ? SS_STATES_ALL : p->ask->states) & ~bits;
        else
            p->ask->states |= bits;
        is_first = false;
    }
}

int ss_filter_parse(struct ss_ask *ask, char **words, int n)
{
    static struct parser p;
    int v;

    p = (struct parser){.ask = ask};
    for (int i = 0; i < n; i++)
        if (!cut(&p, words[i]))
            return bad_filter(words[i]);
    if ((v = take_states(&p)))
        return v;
    if (p.at == p.tokens)
        return 0;
    if (expression(&p) < 0 || p.at < p.tokens) {
        (void)refuse(&p);
        return bad_filter(p.wrong);
    }
    return 0;
}

/* -- does a socket match ----------------------------------------------------------------------- */

static bool compare(enum ss_cmp cmp, int a, int b)
{
    switch (cmp) {
    case SS_EQ:
        return a == b;
    case SS_NE:
        return a != b;
    case SS_GE:
        return a >= b;
    case SS_LE:
        return a <= b;
    case SS_GT:
        return a > b;
    default:
        return a < b;
    }
}

static bool is_within(const struct weir_addr *a, const struct ss_node *n)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)&n->addr;
    int whole = n->prefix / 8, bits = n->prefix % 8;

    return memcmp(x, y, (size_t)whole) == 0 &&
           (!bits || ((x[whole] ^ y[whole]) >> (8 - bits)) == 0);
}

static bool matches(const struct ss_ask *ask, int at, const struct ss_sock *s)
{
    const struct ss_node *n = &ask->filter[at];
    const struct weir_sockaddr *end = n->is_peer ? &s->e.info.peer : &s->e.info.local;

    switch (n->op) {
    case SS_AND:
        return matches(ask, n->left, s) && matches(ask, n->right, s);
    case SS_OR:
        return matches(ask, n->left, s) || matches(ask, n->right, s);
    case SS_NOT:
        return !matches(ask, n->left, s);
    case SS_PORT:
        return compare(n->cmp, end->port, n->port);
    default:
        return (is_within(&end->addr, n) && (!n->port || n->port == end->port)) ==
               (n->cmp == SS_EQ);
    }
}

bool ss_filter_matches(const struct ss_ask *ask, const struct ss_sock *s)
{
    return !ask->nodes || matches(ask, ask->nodes - 1, s);
}
