/* Shell lines: what they set becomes knobs, the rest is noted and left out.
 *
 * Knows: "sysctl -q net.ipv4.X=Y", "set_sysctls.py /proc/sys/net/ipv4/X=Y", "defaults.sh". No shell
 * runs. Shape: words, cut at blanks and command ends; quotes hold a word together. Units: each
 * knob's. Errors: a value that the knob refuses. Cost: O(text). */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "packetdrill/run.h"

#define WORD_MAX 256

void run_note(struct run *r, const struct step *s, const char *format, ...)
{
    va_list args;

    if (r->set.is_quiet)
        return;
    fprintf(r->set.out, "%snote: line %d: ", r->set.note_prefix, s->at.line);
    va_start(args, format);
    vfprintf(r->set.out, format, args);
    va_end(args);
    fputc('\n', r->set.out);
}

/* The next word, without its quotes; *is_end: a command ends behind it. False: no more words. */
static bool next_word(const char **at, char *word, bool *is_end)
{
    size_t n = 0;
    char quote = 0;

    *at += strspn(*at, " \t\r\\");
    if (!**at)
        return false;
    *is_end = false;
    for (; **at; (*at)++) {
        char c = **at;
        if (!quote && (isspace((unsigned char)c) || strchr(";&|", c)))
            break;
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else if (n + 1 < WORD_MAX)
            word[n++] = c;
    }
    word[n] = '\0';
    *at += strspn(*at, " \t\r");
    *is_end = !**at || strchr(";&|\n", **at);
    *at += strspn(*at, ";&|\n \t\r");
    return true;
}

/* "/proc/sys/net/ipv4/tcp_sack" and "net/ipv4/tcp_sack" are net.ipv4.tcp_sack. */
static void plain_name(char *name)
{
    static const char proc[] = "/proc/sys/";

    if (strncmp(name, proc, sizeof proc - 1) == 0)
        memmove(name, name + sizeof proc - 1, strlen(name + sizeof proc - 1) + 1);
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '.';
}

static bool set_knob(struct run *r, const struct step *s, char *word)
{
    char *value = strchr(word, '=');
    int v;

    *value++ = '\0';
    plain_name(word);
    v = weir_knob_set(node_stack(r->node), word, value);
    if (v == -ENOENT) {
        run_note(r, s, "no knob '%s' here; left out", word);
        return true;
    }
    if (v < 0)
        return problem_set(r->problem, PROBLEM_FAILED, s->at, "%s = %s: %s", word, value,
                           v == -ERANGE ? "out of range" : "not a number");
    return true;
}

/* What scripts written for Linux take for granted, where weir's presets are others. */
static void linux_defaults(struct run *r)
{
    static const char *const rows[][2] = {
        {"net.ipv4.tcp_rfc1337", "0"},
        {"net.ipv4.tcp_syn_retries", "5"},
        {"net.ipv4.tcp_slow_start_after_idle", "0"},
        {"net.ipv4.tcp_rmem", "4096 540000 15728640"},
        {"net.ipv4.tcp_wmem", "4096 262144 4194304"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        weir_knob_set(node_stack(r->node), rows[i][0], rows[i][1]);
}

static bool is_defaults(const char *word)
{
    size_t n = strlen(word);

    return n >= 11 && strcmp(word + n - 11, "defaults.sh") == 0;
}

static bool is_setter(const char *word)
{
    const char *base = strrchr(word, '/');

    base = base ? base + 1 : word;
    return strcmp(base, "sysctl") == 0 || strcmp(base, "set_sysctls.py") == 0;
}

bool step_shell(struct run *r, const struct step *s)
{
    const char *at = s->text;
    char word[WORD_MAX];
    bool is_end = true, is_first = true, sets = false;

    at += strspn(at, " \t\r\n;&|");
    while (next_word(&at, word, &is_end)) {
        if (is_first) {
            sets = is_setter(word);
            if (is_defaults(word))
                linux_defaults(r);
            else if (!sets)
                run_note(r, s, "no shell runs here; '%s' left out", word);
        } else if (sets && strchr(word, '=')) {
            if (!set_knob(r, s, word))
                return false;
        }
        is_first = is_end;
    }
    return true;
}
