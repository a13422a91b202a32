/* Why a RST was sent, as far as it shows from outside.
 *
 * Knows: what stacks put into a RST: RFC 9293 3.10.7.1, RFC 2525 2.17, RFC 1122 4.2.2.13. Shape:
 * the first question that is answered with yes. Units: none. Errors: none. Cost: O(1). */
#include "explain/conn.h"

const char *cause_name(enum cause c)
{
    static const char *const names[] = {"none",         "refused",     "gave_up", "firewall_ttl",
                                        "firewall_seq", "after_close", "old",     "timeout",
                                        "half_open",    "unread",      "abort"};
    return names[c];
}

/* Neither the next number of its sender, nor the one that the other end asked for. */
static bool is_number_wrong(const struct end *x, const struct segment *s)
{
    if (!x->is_seen)
        return false;
    return s->h.seq.v != x->next && !(x->has_acked && s->h.seq.v == x->acked);
}

static bool is_other_ttl(const struct end *x, const struct segment *s)
{
    return x->ttl && x->ttl != s->ttl;
}

enum cause reset_cause(const struct conn *c, int from, const struct segment *s)
{
    const struct end *x = &c->end[from], *y = &c->end[!from];
    bool is_answer = !(s->h.flags & TCP_ACK) && x->has_acked && s->h.seq.v == x->acked;

    if (c->is_over)
        return CAUSE_OLD;
    if (!x->is_seen && y->state == SYN_SENT)
        return CAUSE_REFUSED;
    if (is_other_ttl(x, s))
        return CAUSE_FIREWALL_TTL;
    if (is_number_wrong(x, s))
        return CAUSE_FIREWALL_SEQ;
    if (c->is_opened && !c->established_at)
        return from == 0 ? CAUSE_GAVE_UP : CAUSE_REFUSED;
    if (x->has_fin && y->last_data > x->fin_at)
        return CAUSE_AFTER_CLOSE;
    if (x->unheard >= 3)
        return CAUSE_TIMEOUT;
    if (is_answer && !x->has_fin)
        return CAUSE_HALF_OPEN;
    if (y->bytes && y->last_data >= x->last_data)
        return CAUSE_UNREAD;
    return CAUSE_ABORT;
}
