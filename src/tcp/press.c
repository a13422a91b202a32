/* When memory runs short: what is shed, and in which order.
 *
 * Knows: what the stack holds, net.ipv4.tcp_mem and net.weir.mem_max. Shape: beyond `some` there is
 * pressure, until less than `low` is held: text beyond a hole goes, no buffer and no window grows,
 * SYNs get cookies. Beyond `high` nothing new begins, the oldest TIME-WAITs go, and connections end
 * that hold text which nobody takes. What was acknowledged stays. Units: bytes.
 * Errors: none. Cost: a comparison while there is enough; then O(what is shed), and a few
 * connections looked at in each round. */
#include "tcp/memory.h"

#define PAGE_BYTES 4096
#define SWEEP 64            /* connections, or TIME-WAITs, of one round */
#define ORPHAN_LEAST 4096u  /* bytes of ring that an orphan may keep: linux */
#define PROBES_UNANSWERED 2 /* so often a closed window was asked */

/* -- the marks --------------------------------------------------------------------------------- */

/* The mark that a knob says in pages, or `part` eighths of the ceiling; SIZE_MAX: none. */
static size_t mark_of(const struct tcp *p, int i, unsigned part)
{
    size_t pages = (size_t)p->knobs->tcp_mem[i], max = p->mem->max;
    size_t said = pages ? pages * PAGE_BYTES : SIZE_MAX, is = max ? max / 8 * part : SIZE_MAX;

    return said < is ? said : is;
}

void tcp_memory_limits(struct tcp *p)
{
    struct press *m = &p->press;

    m->some = mark_of(p, 1, 6);
    m->low = mark_of(p, 0, 5);
    m->high = mark_of(p, 2, 7);
    if (m->low > m->some)
        m->low = m->some;
    if (m->high < m->some)
        m->high = m->some;
}

/* What a connection may leave unread and still get more room: beyond the high mark a few segments,
 * and less the nearer the ceiling is, so that there is always some for who reads. */
uint32_t press_unread_max(const struct tcp *p, const struct tcb *t)
{
    size_t max = p->mem->max, high = p->press.high, most = PRESSED_SEGMENTS * t->rcv.mss;

    if (!press_is_high(p))
        return UINT32_MAX;
    if (max <= high)
        return t->rcv.mss;
    return (uint32_t)(p->mem->held < max ? most * (max - p->mem->held) / (max - high) : 0);
}

/* -- what came beyond a hole ------------------------------------------------------------------- */

struct early *early_new(struct tcp *p, struct tcb *t)
{
    struct early *e = mem_alloc(p->mem, sizeof *e);

    if (!e)
        return NULL;
    e->set.n = e->set.recents = 0;
    e->owner = t->self;
    e->next = NULL;
    e->prev = p->early_last;
    if (e->prev)
        e->prev->next = e;
    else
        p->early_first = e;
    p->early_last = e;
    t->rcv.early = e;
    return e;
}

void early_free(struct tcp *p, struct tcb *t)
{
    struct early *e = t->rcv.early;

    if (!e)
        return;
    if (e->prev)
        e->prev->next = e->next;
    else
        p->early_first = e->next;
    if (e->next)
        e->next->prev = e->prev;
    else
        p->early_last = e->prev;
    t->rcv.early = NULL;
    mem_free(p->mem, e, sizeof *e);
}

/* 2018#8: what was only reported by SACK may go, the peer has it still. */
static void shed_early(struct tcp *p, struct tcb *t)
{
    early_free(p, t);
    p->stats->TcpExtOfoPruned++;
    if (t->rcv.ring.len == 0)
        ring_release(&t->rcv.ring, p->mem);
    else if (ring_shrink(&t->rcv.ring, p->mem))
        p->stats->TcpExtTCPRcvCollapsed++;
}

/* The oldest first: a hole that is repaired does not grow old. */
void press_shed_early(struct tcp *p, size_t until)
{
    p->stats->TcpExtPruneCalled++;
    while (p->early_first && p->mem->held > until)
        shed_early(p, tcb_at(p, p->early_first->owner));
}

bool press_look_closely(struct tcp *p)
{
    struct press *m = &p->press;

    if (p->mem->held <= (m->is_on ? m->low : m->some)) {
        m->is_on = false;
        return false;
    }
    if (!m->is_on)
        p->stats->TcpExtTCPMemoryPressures++;
    m->is_on = true;
    if (p->early_first)
        press_shed_early(p, m->low);
    return true;
}

/* -- beyond the high mark ---------------------------------------------------------------------- */

/* Does it hold text that nobody takes? An orphan, a peer whose window stays closed, one that is
 * silent: not one that goes on. */
bool press_ends(const struct tcp *p, const struct tcb *t)
{
    bool is_stuck = t->loss.probes >= PROBES_UNANSWERED && t->snd.wnd == 0;

    if (!press_is_high(p) || !t->snd.ring.size || !is_synchronized(t))
        return false;
    if (t->flags & T_ORPHAN)
        return t->snd.ring.size > ORPHAN_LEAST || t->loss.probes || t->loss.backoff;
    return is_stuck || t->loss.backoff >= p->knobs->tcp_retries1;
}

/* The program closes it while memory is short, with more than a little unacknowledged. */
bool press_refuses_orphan(const struct tcp *p, const struct tcb *t)
{
    return press_is_high(p) && t->snd.ring.size > ORPHAN_LEAST;
}

/* The program hears of it by ENOBUFS, the peer by RST. */
void press_end(struct tcp *p, struct tcb *t)
{
    p->stats->TcpExtTCPAbortOnMemory++;
    t->flags |= T_RST_DUE;
    t->why_event = EVENT_reset_abort;
    tcb_end(p, t, t->flags & T_ORPHAN ? 0 : ENOBUFS);
}

static void sweep(struct tcp *p)
{
    uint32_t i = p->press.swept;

    for (int n = 0; n < SWEEP && (i = pool_next(&p->tcbs, i + 1)); n++) {
        struct tcb *t = tcb_at(p, i);
        if (press_ends(p, t)) {
            press_end(p, t);
            tcb_settle(p, t);
        }
    }
    p->press.swept = i;
}

void tcp_memory_advance(struct tcp *p)
{
    if (!press_look(p) || !press_is_high(p))
        return;
    for (int n = 0; n < SWEEP && p->tw_order.first && press_is_high(p); n++)
        tw_give_way(p);
    sweep(p);
}
