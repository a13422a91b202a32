/* Outbound packets: what the stack sent, against what the script expects.
 *
 * Knows: how the wire's numbers become the script's, and which field differs. Shape: the oldest
 * packet that nobody expected yet must be the next expected one. Units: microseconds, sequence
 * numbers. Errors: both segments, the field's name, a caret. Cost: O(bytes). */
#include <stdio.h>
#include <string.h>

#include "packetdrill/icmp_names.h"
#include "packetdrill/run.h"
#include "wire/wire.h"

#define LOOK_AHEAD_US 300000000 /* how far to look for what came too late, for the message */

static const char *const field_name[SHOWN_FIELDS] = {
    [SHOWN_IP] = "IP fields",       [SHOWN_PORTS] = "ports",     [SHOWN_KIND] = "flags",
    [SHOWN_SEQ] = "sequence",       [SHOWN_ACK] = "ack",         [SHOWN_WIN] = "window",
    [SHOWN_URG] = "urgent pointer", [SHOWN_OPTIONS] = "options", [SHOWN_MTU] = "MTU",
    [SHOWN_QUOTE] = "quoted packet"};

/* -- from the wire to the script --------------------------------------------------------------- */

static void learn_isn(struct flow *f, const struct segment *want, const struct segment *got)
{
    if (!(got->flags & TCP_SYN) || !(want->flags & TCP_SYN) || !f->wants_isn)
        return;
    f->local_offset = got->seq - want->seq;
    f->local_isn = want->seq;
    f->has_local = true;
    f->wants_isn = false;
    f->has_ts = false;
}

/* The last SYN of the script begins that end's numbers when it is acknowledged. */
static void learn_remote(struct flow *f, const struct segment *got)
{
    if (f->has_syn && got->flags & TCP_ACK && got->ack - f->syn - 1 <= f->syn_len)
        f->remote_isn = f->syn;
    f->has_syn = false;
}

static const struct option *stamp_of(const struct segment *s)
{
    for (int i = 0; i < s->options; i++)
        if (s->option[i].kind == OPTION_TS)
            return &s->option[i];
    return NULL;
}

static void learn_stamp(struct flow *f, const struct segment *want, const struct segment *got)
{
    const struct option *w = stamp_of(want), *g = stamp_of(got);

    if (f->has_ts || !w || !g)
        return;
    f->ts_offset = g->a - w->a;
    f->has_ts = true;
}

static void from_wire(const struct flow *f, struct segment *s)
{
    if (!(s->flags & TCP_RST) || s->seq) /* a RST of no connection counts from 0 */
        s->seq -= f->local_offset;
    s->ack -= s->flags & TCP_ACK ? f->remote_isn : 0;
    for (int i = 0; i < s->options; i++) {
        struct option *o = &s->option[i];
        if (o->kind == OPTION_TS && f->has_ts)
            o->a -= f->ts_offset;
        for (int k = 0; o->kind == OPTION_SACK && k < o->len; k++) {
            o->sack[k][0] -= f->remote_isn;
            o->sack[k][1] -= f->remote_isn;
        }
    }
}

/* Only what the script names is compared, so only that is shown. */
static void show_as_wanted(struct segment *got, const struct segment *want)
{
    uint32_t always = HAS_ACK | HAS_URG | HAS_QUOTE | HAS_MTU;

    got->has &= want->has | always | HAS_OPTIONS;
    if (!(want->has & HAS_OPTIONS) && want->kind == SEGMENT_TCP)
        got->has |= HAS_OPTIONS;
    if (!(want->has & HAS_QUOTE))
        got->has &= ~(uint32_t)HAS_QUOTE;
}

/* -- comparing --------------------------------------------------------------------------------- */

static bool is_same_option(const struct run *r, const struct option *w, const struct option *g)
{
    uint32_t slack = (uint32_t)((r->set.tolerance_us + 999) / 1000);

    if (w->kind != g->kind || w->len != g->len || w->b != g->b)
        return false;
    if (w->kind == OPTION_TS)
        return g->a - w->a + slack <= 2 * slack;
    return w->a == g->a && memcmp(w->sack, g->sack, sizeof w->sack) == 0 &&
           memcmp(w->data, g->data, sizeof w->data) == 0;
}

static bool is_same_options(const struct run *r, const struct segment *w, const struct segment *g)
{
    if (!(w->has & HAS_OPTIONS))
        return true;
    if (w->options != g->options)
        return false;
    for (int i = 0; i < w->options; i++)
        if (!is_same_option(r, &w->option[i], &g->option[i]))
            return false;
    return true;
}

static bool is_same_ip(const struct segment *w, const struct segment *g)
{
    return (!(w->has & HAS_ECN) || w->ecn == g->ecn) && (!(w->has & HAS_TOS) || w->tos == g->tos) &&
           (!(w->has & HAS_TTL) || w->ttl == g->ttl);
}

static enum shown_field compare_tcp(const struct run *r, const struct segment *w,
                                    const struct segment *g)
{
    if (w->flags != g->flags || w->ae != g->ae)
        return SHOWN_KIND;
    if (w->seq != g->seq || w->len != g->len)
        return SHOWN_SEQ;
    if (w->has & HAS_ACK && w->ack != g->ack)
        return SHOWN_ACK;
    if (w->has & HAS_WIN && w->win != g->win)
        return SHOWN_WIN;
    if (w->has & HAS_URG && w->urg != g->urg)
        return SHOWN_URG;
    return is_same_options(r, w, g) ? SHOWN_FIELDS : SHOWN_OPTIONS;
}

static enum shown_field compare_icmp(const struct segment *w, const struct segment *g)
{
    if (w->type != g->type || w->code != g->code)
        return SHOWN_KIND;
    if (!icmp_is_error(w->type))
        return w->id == g->id && w->number == g->number && w->len == g->len ? SHOWN_FIELDS
                                                                            : SHOWN_SEQ;
    if (w->has & HAS_MTU && w->mtu != g->mtu)
        return SHOWN_MTU;
    if (w->has & HAS_QUOTE && (w->quote.kind != g->quote.kind || w->quote.seq != g->quote.seq ||
                               w->quote.len != g->quote.len))
        return SHOWN_QUOTE;
    return SHOWN_FIELDS;
}

/* The first field in which they differ; SHOWN_FIELDS: none. */
static enum shown_field compare(const struct run *r, const struct segment *w,
                                const struct segment *g)
{
    if (w->kind != g->kind)
        return SHOWN_KIND;
    if (w->has & HAS_PORTS && (w->sport != g->sport || w->dport != g->dport))
        return SHOWN_PORTS;
    if (!is_same_ip(w, g))
        return SHOWN_IP;
    if (w->kind == SEGMENT_TCP)
        return compare_tcp(r, w, g);
    if (w->kind == SEGMENT_ICMP)
        return compare_icmp(w, g);
    return w->len == g->len ? SHOWN_FIELDS : SHOWN_SEQ;
}

/* The stream's bytes as the program wrote them: -1, or the first wrong one. */
static int64_t wrong_byte(const struct flow *f, const struct packet *p)
{
    uint32_t first = p->s.seq - (f->local_isn + !(p->s.flags & TCP_SYN));

    if (p->s.kind != SEGMENT_TCP || !f->has_local)
        return -1;
    for (uint32_t i = 0; i < p->s.len; i++)
        if ((size_t)first + i >= f->written_len || p->payload[i] != f->written[first + i])
            return i;
    return -1;
}

/* -- telling ----------------------------------------------------------------------------------- */

static void tell(struct run *r, const struct step *s, const struct node_sent *sent,
                 const struct segment *got)
{
    struct problem *p = r->problem;
    struct shown shown;
    char why[96];

    segment_show(&shown, s->segment, true);
    snprintf(p->expected, sizeof p->expected, "%s", shown.text);
    if (!got)
        return;
    segment_show(&shown, got, true);
    if (!weir_why_text(&sent->why, why, sizeof why))
        why[0] = '\0';
    snprintf(p->actual, sizeof p->actual, "%s%s%s", shown.text, *why ? "   // " : "", why);
}

static bool fail_field(struct run *r, const struct step *s, const struct node_sent *sent,
                       const struct segment *got, enum shown_field field)
{
    struct shown shown;

    problem_set(r->problem, PROBLEM_FAILED, s->at, "%s: not as expected",
                field == SHOWN_KIND && got->kind != SEGMENT_TCP ? "kind" : field_name[field]);
    tell(r, s, sent, got);
    segment_show(&shown, got, true);
    r->problem->caret = shown.at[field];
    r->problem->caret_len = shown.end[field] - shown.at[field];
    if (!r->problem->caret_len) { /* the field is not there */
        r->problem->caret = shown.len;
        r->problem->caret_len = 1;
    }
    return false;
}

static bool fail_silence(struct run *r, const struct step *s, int64_t to_us)
{
    char now[32], then[32];
    const struct node_sent *sent;
    struct packet p;
    struct flow *f;

    clock_run_to_packet(r, node_now(r->node) + LOOK_AHEAD_US);
    sent = node_sent_first(r->node);
    time_text(to_us, now, sizeof now);
    if (!sent) {
        problem_set(r->problem, PROBLEM_FAILED, s->at, "nothing was sent by %s, nor in 300 s after",
                    now);
        tell(r, s, NULL, NULL);
        return false;
    }
    packet_read(&p, sent->bytes, sent->len);
    f = flow_of(r, p.s.kind, p.s.sport, p.s.dport);
    learn_isn(f, s->segment, &p.s);
    learn_remote(f, &p.s);
    from_wire(f, &p.s);
    show_as_wanted(&p.s, s->segment);
    problem_set(r->problem, PROBLEM_FAILED, s->at, "nothing was sent by %s; the next came at %s",
                now, time_text(sent->at_us, then, sizeof then));
    tell(r, s, sent, &p.s);
    return false;
}

static bool check_time(struct run *r, const struct step *s, const struct node_sent *sent,
                       const int64_t range[2])
{
    char at[32], want[32], slack[32];
    bool is_early = sent->at_us < range[0] - r->set.tolerance_us;

    if (!is_early && sent->at_us <= range[1] + r->set.tolerance_us)
        return true;
    problem_set(r->problem, PROBLEM_FAILED, s->at,
                "sent at %s, too %s: expected at %s (tolerance %s)",
                time_text(sent->at_us, at, sizeof at), is_early ? "early" : "late",
                time_text(range[is_early ? 0 : 1], want, sizeof want),
                time_text(r->set.tolerance_us, slack, sizeof slack));
    return false;
}

/* -- the step ---------------------------------------------------------------------------------- */

/* Where a superframe is expected, the segments that it would be cut into do as well. */
static void join_segments(struct run *r, const struct segment *want, struct packet *p,
                          const struct flow *f)
{
    static uint8_t joined[PACKET_MAX];
    struct packet more;

    if (r->set.is_strict || p->s.kind != SEGMENT_TCP || p->s.seq != want->seq)
        return;
    memcpy(joined, p->payload, p->s.len);
    p->payload = joined;
    while (p->s.len < want->len && node_sent_first(r->node)->next) {
        const struct node_sent *next = node_sent_first(r->node)->next;
        if (packet_read(&more, next->bytes, next->len))
            return;
        if (more.s.kind != SEGMENT_TCP || more.s.seq - f->local_offset != p->s.seq + p->s.len ||
            more.s.len == 0 || p->s.len + more.s.len > want->len)
            return;
        memcpy(joined + p->s.len, more.payload, more.s.len);
        p->s.len += more.s.len;
        p->s.flags |= more.s.flags;
        node_sent_drop(r->node);
    }
}

static struct flow *flow_of_packet(struct run *r, const struct packet *p)
{
    enum segment_kind kind = p->s.kind;

    if (kind == SEGMENT_ICMP && !icmp_is_error(p->s.type))
        return r->current;
    if (kind == SEGMENT_ICMP)
        return flow_of(r, p->s.quote.kind, p->s.sport, p->s.dport);
    return flow_of(r, kind, p->s.sport, p->s.dport);
}

static bool match(struct run *r, const struct step *s, const struct node_sent *sent)
{
    const struct segment *want = s->segment;
    enum shown_field field;
    struct packet p;
    struct flow *f;
    const char *wrong = packet_read(&p, sent->bytes, sent->len);
    int64_t at;

    if (wrong)
        return problem_set(r->problem, PROBLEM_FAILED, s->at, "the stack sent %s", wrong);
    f = flow_of_packet(r, &p);
    if (f && p.s.kind == SEGMENT_TCP) {
        learn_isn(f, want, &p.s);
        learn_remote(f, &p.s);
        learn_stamp(f, want, &p.s);
        from_wire(f, &p.s);
        join_segments(r, want, &p, f);
        sent = node_sent_first(r->node);
    }
    if (f && p.s.kind == SEGMENT_ICMP && p.s.quote.kind == SEGMENT_TCP)
        p.s.quote.seq -= f->remote_isn;
    show_as_wanted(&p.s, want);
    field = compare(r, want, &p.s);
    if (field == SHOWN_FIELDS && f != r->current && r->current && !(want->has & HAS_PORTS) &&
        f->kind == r->current->kind) {
        p.s.has |= HAS_PORTS;
        field = SHOWN_PORTS;
    }
    if (field != SHOWN_FIELDS)
        return fail_field(r, s, sent, &p.s, field);
    at = f ? wrong_byte(f, &p) : -1;
    if (at >= 0)
        return problem_set(r->problem, PROBLEM_FAILED, s->at,
                           "byte %lld of the payload is not what the program wrote", (long long)at);
    r->current = f ? f : r->current;
    return true;
}

bool step_out(struct run *r, const struct step *s, int64_t from_us, int64_t to_us)
{
    int64_t range[2] = {from_us, to_us}, limit = to_us + r->set.tolerance_us, at;
    const struct node_sent *sent;
    bool is_any = s->when.kind == WHEN_ANY || s->when.has_end;

    if (s->when.kind == WHEN_ANY)
        limit = node_now(r->node) + LOOK_AHEAD_US;
    if (!clock_run_to_packet(r, limit))
        return false;
    sent = node_sent_first(r->node);
    if (!sent)
        return fail_silence(r, s, limit);
    at = sent->at_us;
    /* What is wrong with the packet says more than when it came. */
    if (!match(r, s, sent))
        return false;
    sent = node_sent_first(r->node);
    if (!check_time(r, s, sent, range)) {
        tell(r, s, NULL, NULL);
        return false;
    }
    node_sent_drop(r->node);
    r->base_us = is_any ? at : from_us;
    return true;
}
