/* The DHCP client's states: 2131#4.4, figure 5.
 *
 * Knows: messages, time. Shape: one exchange at a time, known by its xid; a message is due until it
 * is pulled, and the pause before its repetition counts from then. Pauses are 4, 8, 16, 32, 64 s,
 * give or take one (4.1); while renewing half of what is left, at least a minute (4.4.5). Units:
 * microseconds. Errors: verdicts. Cost: O(1). */
#include "dhcp/dhcp.h"

#include <string.h>

#define SECOND INT64_C(1000000)
#define NEVER INT64_MAX
#define BROADCAST 0xffffffff
#define PAUSE_FIRST_US (4 * SECOND)
#define PAUSE_MAX_US (64 * SECOND)
#define RENEW_PAUSE_MIN_US (60 * SECOND)
#define DECLINE_PAUSE_US (10 * SECOND) /* 2131#3.1.5 */
#define REQUESTS_MAX 4                 /* 60 s, then another server may do: 2131#3.1.5 */
#define REBOOTS_MAX 2
#define NAK_PAUSE_US SECOND /* a server that offers what it then refuses is not asked in a loop */

static void enter(struct dhcp_client *c, enum dhcp_state state)
{
    c->state = state;
    c->tries = 0;
    c->is_due = false;
}

/* An exchange of its own: what answers older ones is not heard. */
static void ask(struct dhcp_client *c, enum dhcp_state state, int64_t now_us)
{
    enter(c, state);
    c->xid = (uint32_t)rng_u64(&c->rng);
    c->asked_us = now_us;
    c->is_due = true;
    c->at_us = NEVER;
}

static void lose(struct dhcp_client *c)
{
    if (c->state < DHCP_CHECKING || c->state == DHCP_REBOOTING)
        return;
    c->former = c->lease;
    c->mark = DHCP_LOST;
}

static void start_over(struct dhcp_client *c, int64_t at_us)
{
    lose(c);
    enter(c, DHCP_INIT);
    c->at_us = at_us;
}

void dhcp_start(struct dhcp_client *c, const uint8_t mac[6], uint32_t again, int64_t now_us)
{
    memcpy(c->mac, mac, sizeof c->mac);
    c->again = again;
    ask(c, again ? DHCP_REBOOTING : DHCP_SELECTING, now_us);
}

void dhcp_stop(struct dhcp_client *c, int64_t now_us)
{
    bool has_lease = c->state >= DHCP_BOUND && c->state <= DHCP_REBINDING;

    lose(c);
    enter(c, DHCP_OFF);
    c->at_us = NEVER;
    c->is_leaving = c->is_due = has_lease;
    c->xid = (uint32_t)rng_u64(&c->rng);
    c->asked_us = now_us;
}

/* -- answers ----------------------------------------------------------------------------------- */

static bool is_host(uint32_t v4)
{
    uint8_t first = (uint8_t)(v4 >> 24);

    return first != 0 && first != 127 && first < 224;
}

/* What no mask was told for: the class of old. */
static uint8_t class_prefix(uint32_t v4)
{
    return v4 >> 31 == 0 ? 8 : v4 >> 30 == 2 ? 16 : 24;
}

/* Not the subnet's own address, nor all of it. */
static bool is_usable(const struct dhcp_msg *m)
{
    uint8_t prefix = m->prefix ? m->prefix : class_prefix(m->yiaddr);
    uint32_t host = prefix < 31 ? m->yiaddr & ~0u >> prefix : 1;

    return is_host(m->yiaddr) && host && host != (prefix < 31 ? ~0u >> prefix : 0);
}

/* T1 and T2 as told where they make sense, else half and seven eighths: 2131#4.4.5. */
static void set_times(struct dhcp_client *c)
{
    uint64_t lease = c->lease.lease_s, t1 = c->lease.t1_s, t2 = c->lease.t2_s;

    c->t1_us = c->t2_us = c->expires_us = NEVER;
    if (lease == DHCP_FOR_EVER)
        return;
    if (!t2 || t2 > lease)
        t2 = lease * 7 / 8;
    if (!t1 || t1 > t2)
        t1 = lease / 2 < t2 ? lease / 2 : t2;
    c->t1_us = c->requested_us + (int64_t)t1 * SECOND;
    c->t2_us = c->requested_us + (int64_t)t2 * SECOND;
    c->expires_us = c->requested_us + (int64_t)lease * SECOND;
}

static enum drop input_offer(struct dhcp_client *c, const struct dhcp_msg *m)
{
    if (c->state != DHCP_SELECTING)
        return DROP_dhcp_not_for_us;
    if (!is_usable(m) || !m->server)
        return DROP_dhcp_invalid;
    c->lease = *m;
    enter(c, DHCP_REQUESTING); /* the exchange goes on: the same xid and the same secs */
    c->is_due = true;
    c->at_us = NEVER;
    return PASS;
}

static bool is_renewing(const struct dhcp_client *c)
{
    return c->state == DHCP_RENEWING || c->state == DHCP_REBINDING;
}

static bool awaits_answer(const struct dhcp_client *c)
{
    return c->state == DHCP_REQUESTING || c->state == DHCP_REBOOTING || is_renewing(c);
}

static enum drop input_ack(struct dhcp_client *c, const struct dhcp_msg *m)
{
    bool is_same = m->yiaddr == c->lease.yiaddr;

    if (!awaits_answer(c))
        return DROP_dhcp_not_for_us;
    if (!is_usable(m) || !m->lease_s || !m->server)
        return DROP_dhcp_invalid;
    if (c->state == DHCP_REQUESTING && m->server != c->lease.server)
        return DROP_dhcp_not_for_us;
    if (c->state == DHCP_REBOOTING ? m->yiaddr != c->again : !is_same)
        return DROP_dhcp_invalid;
    c->former = c->lease;
    c->lease = *m;
    if (!c->lease.prefix)
        c->lease.prefix = class_prefix(m->yiaddr);
    set_times(c);
    c->mark = is_renewing(c) ? DHCP_RENEWED : DHCP_GRANTED;
    enter(c, is_renewing(c) ? DHCP_BOUND : DHCP_CHECKING);
    c->at_us = c->state == DHCP_BOUND ? c->t1_us : NEVER;
    return PASS;
}

static enum drop input_nak(struct dhcp_client *c, const struct dhcp_msg *m, int64_t now_us)
{
    if (!awaits_answer(c))
        return DROP_dhcp_not_for_us;
    if (c->state == DHCP_REQUESTING && m->server != c->lease.server)
        return DROP_dhcp_not_for_us;
    c->naks++;
    c->again = 0;
    start_over(c, now_us + NAK_PAUSE_US);
    return PASS;
}

enum drop dhcp_input(struct dhcp_client *c, const uint8_t *p, size_t n, int64_t now_us)
{
    struct dhcp_msg m;
    int v = dhcp_parse(&m, p, n);

    if (v < 0)
        return (enum drop) - v;
    if (!m.is_reply || m.xid != c->xid || memcmp(m.mac, c->mac, sizeof m.mac) != 0)
        return DROP_dhcp_not_for_us;
    if (c->is_due && c->tries == 0)
        return DROP_dhcp_not_for_us; /* nothing was asked yet */
    switch (m.type) {
    case DHCP_OFFER:
        return input_offer(c, &m);
    case DHCP_ACK:
        return input_ack(c, &m);
    case DHCP_NAK:
        return input_nak(c, &m, now_us);
    default:
        return DROP_dhcp_invalid;
    }
}

void dhcp_checked(struct dhcp_client *c, bool is_free, int64_t now_us)
{
    if (c->state == DHCP_CHECKING && is_free) {
        enter(c, DHCP_BOUND);
        c->at_us = c->t1_us;
    } else if (!is_free && c->state >= DHCP_CHECKING && c->state <= DHCP_REBINDING) {
        c->declines++;
        start_over(c, now_us + DECLINE_PAUSE_US);
        c->is_declining = c->is_due = true;
        c->again = 0;
    }
}

/* -- time -------------------------------------------------------------------------------------- */

static int64_t later(int64_t at_us, int64_t by_us)
{
    return at_us > NEVER - by_us ? NEVER : at_us + by_us;
}

/* The lease's own instants go before repetitions. */
static int64_t next_step(const struct dhcp_client *c, int64_t again_us)
{
    int64_t end = c->state == DHCP_RENEWING ? c->t2_us : c->expires_us;

    return is_renewing(c) && end < again_us ? end : again_us;
}

static void repeat(struct dhcp_client *c, int64_t now_us)
{
    bool is_in_vain = (c->state == DHCP_REQUESTING && c->tries >= REQUESTS_MAX) ||
                      (c->state == DHCP_REBOOTING && c->tries >= REBOOTS_MAX);

    if (is_in_vain)
        ask(c, DHCP_SELECTING, now_us);
    c->is_due = true;
    c->at_us = NEVER;
}

static void renew(struct dhcp_client *c, enum dhcp_state state, int64_t now_us)
{
    ask(c, state, now_us);
    c->at_us = next_step(c, NEVER);
}

bool dhcp_advance(struct dhcp_client *c, int64_t now_us)
{
    if (c->at_us > now_us)
        return false;
    switch (c->state) {
    case DHCP_BOUND:
        renew(c, DHCP_RENEWING, now_us);
        break;
    case DHCP_RENEWING:
    case DHCP_REBINDING:
        if (now_us >= c->expires_us)
            start_over(c, now_us);
        else if (now_us >= c->t2_us && c->state == DHCP_RENEWING)
            renew(c, DHCP_REBINDING, now_us);
        else {
            c->is_due = true;
            c->at_us = next_step(c, NEVER);
        }
        break;
    case DHCP_INIT:
        ask(c, DHCP_SELECTING, now_us);
        break;
    default:
        repeat(c, now_us);
    }
    return true;
}

enum dhcp_mark dhcp_take_mark(struct dhcp_client *c)
{
    enum dhcp_mark mark = c->mark;

    c->mark = DHCP_NOTHING;
    return mark;
}

/* -- what is sent ------------------------------------------------------------------------------ */

static uint16_t secs_since(int64_t then_us, int64_t now_us)
{
    int64_t secs = (now_us - then_us) / SECOND;

    return (uint16_t)(secs > UINT16_MAX ? UINT16_MAX : secs);
}

static int64_t pause_us(struct dhcp_client *c, int64_t now_us)
{
    int64_t end = c->state == DHCP_RENEWING ? c->t2_us : c->expires_us, pause;

    if (is_renewing(c)) {
        pause = (end - now_us) / 2;
        return pause > RENEW_PAUSE_MIN_US ? pause : RENEW_PAUSE_MIN_US;
    }
    pause = c->tries > 4 ? PAUSE_MAX_US : PAUSE_FIRST_US << (c->tries - 1);
    return pause - SECOND + rng_below(&c->rng, 2 * SECOND + 1);
}

/* Who is asked, by which address, and with what: 2131#4.3.2, table 4. */
static void fill(const struct dhcp_client *c, struct dhcp_msg *m, struct dhcp_out *out)
{
    switch (c->state) {
    case DHCP_REQUESTING:
        m->requested = c->lease.yiaddr;
        m->server = c->lease.server;
        break;
    case DHCP_REBOOTING:
        m->requested = c->again;
        break;
    case DHCP_RENEWING:
        out->dst = c->lease.server;
        /* fall through */
    case DHCP_REBINDING:
        m->ciaddr = out->src = c->lease.yiaddr;
        m->is_broadcast = false;
        break;
    default:
        break;
    }
}

static bool emit(const struct dhcp_msg *m, uint8_t *p, struct dhcp_out *out)
{
    out->len = dhcp_emit(p, m);
    return true;
}

/* DECLINE goes to all, RELEASE to the server alone; neither is answered. */
static bool pull_last_word(struct dhcp_client *c, uint8_t *p, struct dhcp_out *out)
{
    struct dhcp_msg m = {.type = DHCP_DECLINE, .xid = c->xid, .server = c->former.server};

    memcpy(m.mac, c->mac, sizeof m.mac);
    if (c->is_declining) {
        m.requested = c->former.yiaddr;
    } else {
        m.type = DHCP_RELEASE;
        m.ciaddr = out->src = c->former.yiaddr;
        out->dst = c->former.server;
    }
    c->is_declining = c->is_leaving = c->is_due = false;
    return emit(&m, p, out);
}

bool dhcp_pull(struct dhcp_client *c, uint8_t *p, struct dhcp_out *out, int64_t now_us)
{
    struct dhcp_msg m = {.xid = c->xid, .is_broadcast = true};

    if (!c->is_due)
        return false;
    *out = (struct dhcp_out){.dst = BROADCAST};
    if (c->is_declining || c->is_leaving)
        return pull_last_word(c, p, out);
    m.type = c->state == DHCP_SELECTING ? DHCP_DISCOVER : DHCP_REQUEST;
    if (c->state != DHCP_REQUESTING) /* there it says what the DISCOVER said: 2131#4.3.1 */
        c->secs = secs_since(c->asked_us, now_us);
    m.secs = c->secs;
    memcpy(m.mac, c->mac, sizeof m.mac);
    fill(c, &m, out);
    c->is_due = false;
    c->tries = (uint8_t)(c->tries + (c->tries < UINT8_MAX));
    if (m.type == DHCP_REQUEST)
        c->requested_us = now_us;
    c->at_us = next_step(c, later(now_us, pause_us(c, now_us)));
    return emit(&m, p, out);
}
