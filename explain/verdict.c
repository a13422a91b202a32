/* One sentence (or two) on what became of a connection.
 *
 * Knows: what was counted and concluded. Shape: the first of these that is so: nobody answered,
 * refused, reset, never finished its handshake, not closed, closed; what made it slow follows.
 * Units: s in words. Errors: text that does not fit is cut. Cost: O(1). */
#include <stdarg.h>
#include <string.h>

#include "explain/report.h"

#define S 1000000000ll

char *bytes_words(char text[24], uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double n = (double)bytes;
    int unit = 0;

    for (; n >= 1000 && unit < 4; unit++)
        n /= 1000;
    snprintf(text, 24, unit && n < 100 ? "%.1f %s" : "%.0f %s", n, units[unit]);
    return text;
}

char *time_words(char text[24], int64_t ns)
{
    double s = (double)ns / 1e9;

    if (s < 0.001)
        snprintf(text, 24, "%.0f us", s * 1e6);
    else if (s < 1)
        snprintf(text, 24, s < 0.1 ? "%.1f ms" : "%.0f ms", s * 1e3);
    else
        snprintf(text, 24, s < 100 ? "%.1f s" : "%.0f s", s);
    return text;
}

char *end_words(char text[WEIR_ADDR_TEXT], const struct end *e)
{
    struct weir_sockaddr a = {.addr = e->addr, .port = e->port};

    return weir_sockaddr_text(&a, text);
}

#define TIME(ns) time_words((char[24]){0}, ns)
#define BYTES(n) bytes_words((char[24]){0}, n)
#define END(e) end_words((char[WEIR_ADDR_TEXT]){0}, e)

static void say(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct verdict *v, const char *format, ...)
{
    size_t at = strlen(v->text);
    va_list args;

    va_start(args, format);
    vsnprintf(v->text + at, sizeof v->text - at, format, args);
    va_end(args);
}

const char *cause_words(enum cause c)
{
    switch (c) {
    case CAUSE_REFUSED:
        return "nobody listens at that port";
    case CAUSE_GAVE_UP:
        return "the opener wanted no connection after all: a port scan, or it had given up";
    case CAUSE_FIREWALL_TTL:
        return "its TTL is not that of this end's other packets, so something between sent it: a "
               "firewall, most likely";
    case CAUSE_FIREWALL_SEQ:
        return "its sequence number is none that this end would use: a firewall or an attacker";
    case CAUSE_AFTER_CLOSE:
        return "data came after its program had closed";
    case CAUSE_OLD:
        return "both ends were done already: a late segment was answered";
    case CAUSE_TIMEOUT:
        return "it gave up, for nothing that it sent was answered any more";
    case CAUSE_HALF_OPEN:
        return "it answers as one that knows of no connection: the host or program restarted, or "
               "its entry was lost (half-open)";
    case CAUSE_UNREAD:
        return "its program closed with data unread, or with SO_LINGER 0";
    case CAUSE_ABORT:
        return "its program ended it at once: SO_LINGER 0, or it died";
    default:
        return "";
    }
}

/* -- how it ended ------------------------------------------------------------------------------ */

static bool never_answered(struct verdict *v, const struct conn *c)
{
    const struct end *x = &c->end[0];

    if (!c->is_opened || c->end[1].is_seen || c->rst_by == 1)
        return false;
    v->severity = FAILED;
    say(v,
        "Nobody answered%s: %u SYN%s in %s, no SYN/ACK and no RST. Nothing is there, or a firewall "
        "drops it silently.",
        c->elsewhere ? " where the first SYN was captured" : "", x->syns, x->syns == 1 ? "" : "s",
        TIME(x->last_data - x->first_data));
    return true;
}

static bool was_reset(struct verdict *v, const struct conn *c)
{
    const struct end *by;

    if (c->rst_by < 0)
        return false;
    by = &c->end[c->rst_by];
    v->severity = c->cause == CAUSE_OLD ? FINE : FAILED;
    if (c->cause == CAUSE_REFUSED && !c->established_at)
        say(v, "Refused by %s: %s.", END(by), cause_words(c->cause));
    else if (c->cause == CAUSE_OLD)
        say(v, "Closed in good order, by %s first; a RST of %s came behind it (%s).",
            c->closer >= 0 ? END(&c->end[c->closer]) : "?", END(by), cause_words(c->cause));
    else
        say(v, "Reset by %s after %s: %s.", END(by), TIME(c->rst_at - c->first_at),
            cause_words(c->cause));
    return true;
}

static bool never_opened(struct verdict *v, const struct conn *c)
{
    const struct end *y = &c->end[1];

    if (!c->is_opened || c->established_at || !y->syns)
        return false;
    v->severity = FAILED;
    say(v,
        "Half open: %s answered with %u SYN/ACK%s, and the handshake's last ACK never came: a "
        "spoofed or vanished opener, or the SYN/ACK is lost on its way.",
        END(y), y->syns, y->syns == 1 ? "" : "s");
    return true;
}

/* Only the last word of one end is missing. */
static void half_closed(struct verdict *v, const struct conn *c, int64_t end_at)
{
    int first = c->end[0].has_fin ? 0 : 1;
    const struct end *x = &c->end[first], *y = &c->end[!first];

    v->severity = end_at - x->fin_at > 2 * S ? FAILED : FINE;
    if (!x->is_fin_acked)
        say(v, "%s closed, and its FIN was not acknowledged for %s, until the capture ends.",
            END(x), TIME(end_at - x->fin_at));
    else
        say(v,
            "%s closed %s before the capture ends and %s never did: its program holds it in "
            "CLOSE-WAIT, and %s waits in FIN-WAIT-2.",
            END(x), TIME(end_at - x->fin_at), END(y), END(x));
}

static bool is_stuck(const struct end *x, int64_t end_at)
{
    bool is_waiting = x->is_seen && x->has_acked && seq_past(x->next, x->acked) > 0;

    return is_waiting && (x->in_rto || end_at - x->last_data > S);
}

static void still_open(struct verdict *v, const struct conn *c, int64_t end_at)
{
    for (int i = 0; i < 2; i++) {
        const struct end *x = &c->end[i], *y = &c->end[!i];
        if (y->zero_since && end_at - y->zero_since > S / 2) {
            v->severity = FAILED;
            say(v,
                "Open and stuck when the capture ends: the window of %s has been closed for %s: "
                "its program does not read.",
                END(y), TIME(end_at - y->zero_since));
            return;
        }
        if (is_stuck(x, end_at)) {
            v->severity = FAILED;
            say(v,
                "Open and stuck when the capture ends: %d bytes of %s are not acknowledged, "
                "after %u timeouts",
                seq_past(x->next, x->acked), END(x), x->rto);
            if (sizes_are_lost(x, &(struct black_hole){0}))
                say(v, ".");
            else
                say(v, ": %s, or the way to it, is gone.", END(y));
            return;
        }
    }
    say(v, "Open, and nothing is wrong when the capture ends.");
}

static void closed(struct verdict *v, const struct conn *c)
{
    const struct end *x = &c->end[c->closer < 0 ? 0 : c->closer];

    if (c->end[0].state == TIME_WAIT && c->end[1].state == TIME_WAIT)
        say(v, "Closed in good order, by both at once; both ends are in TIME-WAIT.");
    else
        say(v, "Closed in good order, by %s first, which is in TIME-WAIT.", END(x));
}

/* -- what made it slow ------------------------------------------------------------------------- */

static uint32_t again_of(const struct end *e)
{
    return e->rto + e->fast + e->early + e->spurious;
}

static void slower(struct verdict *v)
{
    if (v->severity == FINE)
        v->severity = SLOW;
}

static void add_losses(struct verdict *v, const struct conn *c)
{
    for (int i = 0; i < 2; i++) {
        const struct end *x = &c->end[i];
        uint32_t again = again_of(x);
        if (again < 2 || again * 100 < x->segments)
            continue;
        slower(v);
        say(v, " %.1f %% of the segments of %s had to go again (%u after a timeout, %u fast).",
            100.0 * again / (double)x->segments, END(x), x->rto, x->fast);
    }
    if (c->is_opened && c->established_at && c->end[0].syns + c->end[1].syns > 2) {
        slower(v);
        say(v, " The handshake took %s: %s was lost or dropped.",
            TIME(c->established_at - c->first_at), c->end[0].syns > 1 ? "a SYN" : "a SYN/ACK");
    }
}

/* 2923#2.1: "small things work, big ones hang" */
static void add_black_hole(struct verdict *v, const struct conn *c)
{
    struct black_hole b;

    for (int i = 0; i < 2; i++) {
        const struct end *x = &c->end[i];
        if (!sizes_are_lost(x, &b))
            continue;
        say(v, " A black hole for big segments: %u bytes of %s went %u times and never arrived, ",
            b.len, END(x), b.times);
        if (b.is_cured)
            say(v, "in pieces of %u they did.", b.passed);
        else if (b.passed)
            say(v, "%u did.", b.passed);
        else
            say(v, "what has no text did.");
        if (!b.is_sure)
            say(v, " Or %s is gone: it said nothing since.", END(&c->end[!i]));
        say(v, " Let ICMP \"fragmentation needed\" pass, clamp the MSS, or probe the path "
               "(net.ipv4.tcp_mtu_probing).");
        if (b.is_cured)
            slower(v);
        else
            v->severity = FAILED;
    }
}

static void add_window(struct verdict *v, const struct conn *c)
{
    int64_t whole = c->last_at - c->first_at;

    for (int i = 0; i < 2; i++) {
        const struct end *x = &c->end[i];
        if (!x->zero_ns || x->zero_ns * 10 < whole)
            continue;
        slower(v);
        say(v, " %s was the brake: its window was closed for %s of %s.", END(x), TIME(x->zero_ns),
            TIME(whole));
    }
}

static void add_options(struct verdict *v, const struct conn *c)
{
    static const struct {
        uint8_t flag;
        const char *name;
    } options[] = {
        {TCP_OPT_WSCALE, "window scaling"}, {TCP_OPT_SACK_OK, "SACK"}, {TCP_OPT_TS, "timestamps"}};
    const struct end *x = &c->end[0], *y = &c->end[1];
    const char *separator = " Asked for and not granted: ";

    if (!x->syns || !y->syns || v->severity == FINE)
        return;
    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++)
        if (x->offers & options[i].flag && !(y->offers & options[i].flag)) {
            say(v, "%s%s", separator, options[i].name);
            separator = ", ";
        }
    if (separator[0] == ',')
        say(v, ".");
}

void verdict_of(struct verdict *v, const struct conn *c, int64_t end_at)
{
    bool is_half = c->end[0].has_fin != c->end[1].has_fin;

    *v = (struct verdict){.severity = FINE};
    if (never_answered(v, c))
        return;
    if (!was_reset(v, c) && !never_opened(v, c)) {
        if (is_half)
            half_closed(v, c, end_at);
        else if (c->is_over)
            closed(v, c);
        else if (c->end[0].has_fin)
            say(v, "Both ends closed; the last ACK was not captured.");
        else
            still_open(v, c, end_at);
    }
    add_losses(v, c);
    add_black_hole(v, c);
    add_window(v, c);
    add_options(v, c);
    if (c->is_again && c->was_waiting)
        say(v, " Its ports were used again %s after their last connection, in TIME-WAIT.",
            TIME(c->gap_ns));
    if (c->end[0].unseen + c->end[1].unseen)
        say(v, " The capture misses segments: what it does not hold was acknowledged.");
}
