/* One connection, segment by segment.
 *
 * Knows: remarks and states. Shape: who opened stands at the left; numbers count from each end's
 * first. Units: s since the connection began. Errors: none. Cost: O(1) for each segment. */
#include "explain/report.h"

#define WIDE 46

static const struct {
    unsigned bit;
    const char *words;
} remark_words[] = {
    {R_SYN_AGAIN, "SYN again"},
    {R_RTO, "again, after a timeout"},
    {R_FAST, "again: ACKs told of a loss"},
    {R_EARLY, "again, early (tail loss probe)"},
    {R_SPURIOUS, "again, needlessly"},
    {R_LOST_BEFORE, "the first was lost before it came by"},
    {R_OUT_OF_ORDER, "out of order"},
    {R_GAP, "something before it is missing"},
    {R_KEEPALIVE, "keepalive"},
    {R_PROBE, "window probe"},
    {R_DUP_ACK, "duplicate ACK"},
    {R_DSACK, "D-SACK: came twice"},
    {R_ZERO, "the window closes"},
    {R_OPENS, "the window opens"},
    {R_UNSEEN, "acknowledges what was not captured"},
};

const char *flags_text(char text[12], uint8_t flags)
{
    static const char letters[] = "FSRPAUEC";
    int n = 0;

    for (int i = 0; i < 8; i++)
        if (flags >> i & 1)
            text[n++] = letters[i];
    text[n] = '\0';
    return text;
}

void rungs_head(FILE *to, const struct conn *c)
{
    char a[WEIR_ADDR_TEXT], b[WEIR_ADDR_TEXT];

    fprintf(to, "#%llu  %s  ->  %s\n", (unsigned long long)c->number, end_words(a, &c->end[0]),
            end_words(b, &c->end[1]));
}

void counters_text(char *text, size_t size, const struct tcp_opts *o)
{
    static const char *const names[] = {"e0b", "ceb", "e1b"};
    size_t n = 0;

    text[0] = '\0';
    if (!(o->has & TCP_OPT_ACC))
        return;
    n = (size_t)snprintf(text, size, " accecn%d", o->is_acc_1);
    for (int i = 0; i < o->accs && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, " %s %u", names[o->is_acc_1 ? 2 - i : i],
                              o->acc[i]);
}

static void put_segment(FILE *to, const struct conn *c, int from, const struct segment *s)
{
    const struct end *x = &c->end[from], *y = &c->end[!from];
    uint32_t seq = s->h.seq.v - x->isn, ack = s->h.ack.v - y->isn;
    char flags[12], text[200];
    int n = snprintf(text, sizeof text, "%s %u", flags_text(flags, s->h.flags), seq);

    if (s->len)
        n += snprintf(text + n, sizeof text - (size_t)n, ":%u", seq + s->len);
    if (s->h.flags & TCP_ACK)
        n += snprintf(text + n, sizeof text - (size_t)n, " ack %u", ack);
    n += snprintf(text + n, sizeof text - (size_t)n, " win %u", s->h.wnd);
    if (s->h.flags & TCP_SYN && s->h.opt.has & TCP_OPT_MSS)
        n += snprintf(text + n, sizeof text - (size_t)n, " mss %u", s->h.opt.mss);
    for (int i = 0; s->h.opt.has & TCP_OPT_SACK && i < s->h.opt.sacks && i < 2; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " sack %u:%u",
                      s->h.opt.sack[i].start.v - y->isn, s->h.opt.sack[i].end.v - y->isn);
    counters_text(text + n, sizeof text - (size_t)n, &s->h.opt);
    fprintf(to, from ? "<-- %-*s    " : "    %-*s -->", WIDE, text);
}

void remarks_text(char *text, size_t size, unsigned remarks, enum cause cause)
{
    size_t n = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < sizeof remark_words / sizeof remark_words[0] && n < size; i++)
        if (remarks & remark_words[i].bit)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", remark_words[i].words);
    if (cause != CAUSE_NONE && n < size)
        snprintf(text + n, size - n, "%s%s", n ? ", " : "", cause_words(cause));
}

void rungs_line(FILE *to, const struct conn *c, const struct segment *s, unsigned remarks)
{
    int from = !(c->end[0].port == s->h.sport && weir_addr_equal(&c->end[0].addr, &s->src));
    char text[480];

    fprintf(to, "%11.6f  %-12s ", (double)(s->at_ns - c->first_at) / 1e9,
            seen_state_name(c->end[0].state));
    put_segment(to, c, from, s);
    fprintf(to, " %-12s", seen_state_name(c->end[1].state));
    remarks_text(text, sizeof text, remarks, s->h.flags & TCP_RST ? c->cause : CAUSE_NONE);
    fprintf(to, "%s%s\n", text[0] ? "  " : "", text);
}
