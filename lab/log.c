/* The log of a run: rows, and which state each end is in.
 *
 * Knows: traces, segments. Shape: rows in an array; segments under way in a hash by their key;
 * states in a hash by node and the connection's ends. What a trace does not tell, that a listener
 * answered a SYN, is read from the segments. Units: ns. Errors: no memory ends the program; full,
 * the log counts what it misses. Cost: O(1) a segment. */
#include "lab/log.h"

#include <stdlib.h>
#include <string.h>

#include "def/state.h"
#include "wire/wire.h"

#define KEYS 8192
#define FLOWS 16384
#define EVENTS 8192
#define LISTENS 32

struct flow {
    struct flow *next;
    int node;
    struct weir_sockaddr local, peer;
    uint8_t state;
    uint32_t row; /* the SYN that it began with */
};

struct lab_log {
    struct lab *lab;
    struct lab_row *row;
    uint32_t rows, room;
    uint64_t missed;
    uint32_t flying[KEYS]; /* 1 + index of the newest row of a key; 0: none */
    struct flow *flow[FLOWS];
    struct {
        int node;
        uint16_t port;
    } listens[LISTENS];
    int listen_count;
    uint32_t told_by[LAB_NODES_MAX];
};

struct lab_log *lab_log_new(struct lab *lab)
{
    struct lab_log *log = calloc(1, sizeof *log);

    if (!log)
        abort();
    log->lab = lab;
    for (int i = 0; i < lab->nodes; i++)
        lab_log_boot(log, lab->node[i]);
    return log;
}

void lab_log_free(struct lab_log *log)
{
    for (uint32_t i = 0; log && i < log->rows; i++)
        free(log->row[i].text);
    for (int i = 0; log && i < FLOWS; i++)
        while (log->flow[i]) {
            struct flow *f = log->flow[i];
            log->flow[i] = f->next;
            free(f);
        }
    if (log)
        free(log->row);
    free(log);
}

uint32_t lab_log_count(const struct lab_log *log)
{
    return log->rows;
}

const struct lab_row *lab_log_row(const struct lab_log *log, uint32_t i)
{
    return &log->row[i];
}

uint64_t lab_log_missed(const struct lab_log *log)
{
    return log->missed;
}

/* -- rows -------------------------------------------------------------------------------------- */

static struct lab_row *add_row(struct lab_log *log, enum lab_row_kind kind)
{
    struct lab_row *r;

    if (log->rows == LAB_ROWS_MAX) {
        log->missed++;
        return NULL;
    }
    if (log->rows == log->room) {
        log->room = log->room ? 2 * log->room : 256;
        log->row = realloc(log->row, log->room * sizeof *log->row);
        if (!log->row)
            abort();
    }
    r = &log->row[log->rows++];
    *r = (struct lab_row){.at = log->lab->now, .kind = (uint8_t)kind, .from = -1, .to = -1};
    return r;
}

static void take_off(struct lab_log *log, const struct lab_row *r)
{
    uint32_t index = (uint32_t)(r - log->row);
    uint32_t *at = &log->flying[r->key % KEYS];

    while (*at && *at != index + 1)
        at = &log->row[*at - 1].next;
    if (*at)
        *at = log->row[index].next;
}

/* The oldest row under way that looks like s, or NULL. */
static struct lab_row *find_flying(struct lab_log *log, const struct lab_seg *s)
{
    uint64_t key = lab_seg_key(s);
    struct lab_row *found = NULL;

    for (uint32_t i = log->flying[key % KEYS]; i; i = log->row[i - 1].next)
        if (log->row[i - 1].key == key)
            found = &log->row[i - 1];
    return found;
}

static void fly(struct lab_log *log, struct lab_row *r)
{
    uint32_t *head = &log->flying[r->key % KEYS];

    r->next = *head;
    *head = (uint32_t)(r - log->row) + 1;
}

/* -- states ------------------------------------------------------------------------------------ */

static bool is_listening(const struct lab_log *log, int node, uint16_t port)
{
    for (int i = 0; i < log->listen_count; i++)
        if (log->listens[i].node == node && log->listens[i].port == port)
            return true;
    return false;
}

void lab_log_listens(struct lab_log *log, const struct lab_node *n, uint16_t port)
{
    if (log->listen_count == LISTENS || is_listening(log, n->index, port))
        return;
    log->listens[log->listen_count].node = n->index;
    log->listens[log->listen_count++].port = port;
}

static struct flow *flow_at(struct lab_log *log, int node, const struct weir_sockaddr *local,
                            const struct weir_sockaddr *peer)
{
    uint32_t hash = (uint32_t)node * 2654435761u ^ local->port * 40503u ^ peer->port * 2246822519u ^
                    peer->addr.w[3];
    struct flow **head = &log->flow[(hash ^ hash >> 15) % FLOWS], *f = *head;

    while (f && (f->node != node || f->local.port != local->port || f->peer.port != peer->port ||
                 !weir_addr_equal(&f->local.addr, &local->addr) ||
                 !weir_addr_equal(&f->peer.addr, &peer->addr)))
        f = f->next;
    if (f)
        return f;
    f = calloc(1, sizeof *f);
    if (!f)
        abort();
    *f = (struct flow){*head, node, *local, *peer, CLOSED, 0};
    return *head = f;
}

/* The flow of a segment as node `n` sees it, which is its sender or not. */
static struct flow *flow_of(struct lab_log *log, const struct lab_node *n, const struct lab_seg *s,
                            bool is_sender)
{
    struct weir_sockaddr src = {.port = s->sport}, dst = {.port = s->dport};

    src.addr = s->is_v6 ? lab_addr6(s->src) : weir_addr_v4(s->src);
    dst.addr = s->is_v6 ? lab_addr6(s->dst) : weir_addr_v4(s->dst);

    return is_sender ? flow_at(log, n->index, &src, &dst) : flow_at(log, n->index, &dst, &src);
}

static uint8_t state_shown(const struct lab_log *log, const struct flow *f)
{
    if (f->state == CLOSED && is_listening(log, f->node, f->local.port))
        return LISTEN;
    return f->state;
}

void lab_log_events(struct lab_log *log, struct lab_node *n, bool is_timer)
{
    struct weir_event e[64];
    int got;

    while (n->stack && (got = weir_trace_read(n->stack, e, 64)) > 0)
        for (int i = 0; i < got; i++) {
            struct lab_row *r;
            if (e[i].why.event != EVENT_state)
                continue;
            flow_at(log, n->index, &e[i].local, &e[i].peer)->state = e[i].why.to;
            r = add_row(log, LAB_ROW_STATE);
            if (!r)
                continue;
            r->from = (int8_t)n->index;
            r->is_forced = is_timer;
            r->why = e[i].why;
            r->seg.proto = LAB_TCP;
            r->seg.src = weir_addr_to_v4(&e[i].local.addr);
            r->seg.dst = weir_addr_to_v4(&e[i].peer.addr);
            r->seg.sport = e[i].local.port;
            r->seg.dport = e[i].peer.port;
        }
}

void lab_log_boot(struct lab_log *log, struct lab_node *n)
{
    if (n->stack)
        weir_trace_start(n->stack, EVENTS);
    if (log->lab->is_started)
        lab_log_text(log, LAB_ROW_NOTE, n, "boots");
}

void lab_log_crash(struct lab_log *log, struct lab_node *n)
{
    int kept = 0;

    for (int i = 0; i < FLOWS; i++)
        for (struct flow *f = log->flow[i]; f; f = f->next)
            if (f->node == n->index)
                f->state = CLOSED;
    for (int i = 0; i < log->listen_count; i++)
        if (log->listens[i].node != n->index)
            log->listens[kept++] = log->listens[i];
    log->listen_count = kept;
    lab_log_text(log, LAB_ROW_NOTE, n, "crashes");
}

void lab_log_text(struct lab_log *log, enum lab_row_kind kind, const struct lab_node *n,
                  const char *text)
{
    struct lab_row *r = add_row(log, kind);

    if (!r)
        return;
    r->from = n ? (int8_t)n->index : -1;
    r->text = strdup(text);
}

/* -- segments ---------------------------------------------------------------------------------- */

static void note_syn(struct lab_log *log, struct flow *f, struct lab_row *r)
{
    bool is_answer = (r->seg.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);

    if (!is_answer || r->why.event != EVENT_syn_cookie || f->state != SYN_RECEIVED)
        return;
    f->state = CLOSED; /* it keeps nothing: the listener is all there is */
    log->row[f->row].state[1] = LISTEN;
}

void lab_log_sent(struct lab_log *log, struct lab_node *n, const struct lab_seg *s,
                  const struct weir_why *why)
{
    struct lab_row *r;
    struct flow *f;

    if (lab_owner(log->lab, s->src) != n || (n->kind == LAB_ROUTER && find_flying(log, s)))
        return; /* on its way already */
    if (!(r = add_row(log, LAB_ROW_SEG)))
        return;
    r->from = (int8_t)n->index;
    r->seg = *s;
    r->why = *why;
    r->key = lab_seg_key(s);
    fly(log, r);
    if (s->proto != LAB_TCP)
        return;
    f = flow_of(log, n, s, true);
    note_syn(log, f, r);
    r->state[0] = state_shown(log, f);
}

void lab_log_fate(struct lab_log *log, const struct lab_link *l, const struct lab_seg *s,
                  enum lab_fate fate)
{
    struct lab_row *r = find_flying(log, s);

    (void)l;
    if (!r)
        return;
    r->fate = (uint8_t)fate;
    if (fate == LAB_DAMAGED)
        return; /* it goes on */
    take_off(log, r);
    r->arrived = log->lab->now;
    r->order = log->rows;
}

void lab_log_changed(struct lab_log *log, const struct lab_seg *was, const struct lab_seg *is,
                     bool is_out)
{
    struct lab_row *r = find_flying(log, was);

    if (!r)
        return;
    take_off(log, r);
    r->key = lab_seg_key(is);
    if (!is_out)
        r->seg = *is;
    fly(log, r);
}

/* A SYN that a listener took began a connection, of which no trace tells. */
static void judge_states(struct lab_log *log, struct lab_row *r, const struct lab_node *n,
                         const struct lab_seg *s)
{
    struct flow *f = flow_of(log, n, s, false);

    if (state_shown(log, f) == LISTEN && r->verdict <= 1 &&
        (r->seg.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
        f->state = SYN_RECEIVED;
        f->row = (uint32_t)(r - log->row);
    }
    r->state[1] = state_shown(log, f);
}

/* What the stack has just told of the node's states was this segment's doing. s: as it came, which
 * behind a NAT is not as the row has it. */
static void note_cause(struct lab_log *log, const struct lab_node *n, const struct lab_row *by,
                       const struct lab_seg *s)
{
    for (uint32_t i = log->rows; i-- > 0;) {
        struct lab_row *r = &log->row[i];
        if (r == by)
            continue; /* it came from nowhere, so its row is the newest */
        if (r->kind != LAB_ROW_STATE || r->at != log->lab->now || r->from != n->index ||
            r->is_forced || r->cause || r->seg.sport != s->dport || r->seg.dport != s->sport)
            return;
        r->cause = (uint32_t)(by - log->row) + 1;
    }
}

/* A bit of its header may have flipped, then nobody knows whose row it is. */
static bool is_damaged(const struct weir_why *why)
{
    return why->verdict == DROP_ip_checksum || why->verdict == DROP_tcp_checksum ||
           why->verdict == DROP_udp_checksum;
}

/* At a router: it goes on, unless the router says otherwise. */
static void stopped_on_way(struct lab_log *log, struct lab_row *r, const struct lab_node *n,
                           const struct weir_why *why)
{
    if (!r || why->verdict < DROP_FIRST)
        return;
    take_off(log, r);
    r->fate = LAB_LOST_ROUTER;
    r->arrived = log->lab->now;
    r->order = log->rows;
    r->verdict = why->verdict;
    r->to = (int8_t)n->index;
}

void lab_log_arrived(struct lab_log *log, struct lab_node *n, const struct lab_seg *s,
                     const struct weir_why *why)
{
    struct lab_row *r = find_flying(log, s);
    bool is_here = s->proto == LAB_ARP || lab_owner(log->lab, s->dst) == n;

    if (!is_here) {
        stopped_on_way(log, r, n, why);
        return;
    }
    if (s->proto == LAB_ICMP && (s->icmp_type == ICMP4_TIME || s->icmp_type == ICMP4_UNREACH))
        log->told_by[n->index] = s->src;
    if (r) {
        take_off(log, r);
    } else if (!is_damaged(why) && (r = add_row(log, LAB_ROW_SEG))) {
        struct lab_node *from = lab_owner(log->lab, s->src);
        r->seg = *s;
        r->is_stray = true;
        r->from = from ? (int8_t)from->index : -1;
    } else {
        return;
    }
    r->arrived = log->lab->now;
    r->fate = r->fate == LAB_DAMAGED ? LAB_DAMAGED : LAB_ARRIVED;
    r->to = (int8_t)n->index;
    r->verdict = why->verdict;
    r->order = log->rows;
    if (s->proto == LAB_TCP) {
        note_cause(log, n, r, s);
        judge_states(log, r, n, s);
    }
}

uint32_t lab_log_told_by(const struct lab_log *log, const struct lab_node *n)
{
    return log->told_by[n->index];
}

const char *lab_fate_text(enum lab_fate fate)
{
    static const char *const text[] = {
        [LAB_FLYING] = "on its way",      [LAB_ARRIVED] = "arrived",
        [LAB_DAMAGED] = "damaged",        [LAB_LOST_CHANCE] = "lost: chance",
        [LAB_LOST_FAULT] = "lost: fault", [LAB_LOST_BURST] = "lost: burst",
        [LAB_LOST_QUEUE] = "lost: queue", [LAB_LOST_POLICER] = "lost: policer",
        [LAB_LOST_DOWN] = "link is down", [LAB_LOST_MTU] = "over the MTU",
        [LAB_LOST_DEAD] = "nobody there", [LAB_LOST_ROUTER] = "by a router",
        [LAB_LOST_FCS] = "wrong FCS",
    };
    return text[fate];
}
