/* A random world from its drawing to its judgement. See soak.h.
 *
 * Knows: everything of a world. Shape: events, network, programs, until all rest; then time jumps.
 * Units: ns. Errors: soak_wrong. Cost: the run's. */
#include "soak.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "stack/stack.h"
#include "tcp/tcb.h"

#define ROUNDS_MAX 100000

/* -- time -------------------------------------------------------------------------------------- */

static void settle(struct soak *w)
{
    bool did = true;

    soak_happen(w);
    for (int i = 0; did && !*w->wrong; i++) {
        lab_settle(w->lab);
        did = soak_apps(w);
        did |= soak_flows(w);
        if (i == ROUNDS_MAX)
            soak_wrong(w, "no time passes at %.6f s", (double)w->lab->now / 1e9);
    }
}

static int64_t next_instant(const struct soak *w)
{
    int64_t at = lab_deadline(w->lab), apps = soak_apps_deadline(w), udp = soak_flows_deadline(w);

    at = apps < at ? apps : at;
    at = udp < at ? udp : at;
    for (int i = 0; i < w->events; i++)
        if (!(w->happened & 1u << i) && w->event[i].at < at)
            at = w->event[i].at;
    return at > w->lab->now ? at : w->lab->now + 1;
}

static void run_until(struct soak *w, int64_t until)
{
    while (!*w->wrong) {
        int64_t next;
        settle(w);
        next = next_instant(w);
        if (next > until)
            break;
        w->lab->now = next;
    }
    w->lab->now = until;
}

/* -- judgement --------------------------------------------------------------------------------- */

static bool is_rude(const struct soak_end *e)
{
    return e->finish > FINISH_AFTER || e->is_dead;
}

/* Whether the world has a reason for this error. */
static bool is_explained(const struct soak *w, const struct soak_end *e)
{
    if (e->error == EHOSTUNREACH && e->got == 0 && w->has_loss)
        return true; /* nobody answered ARP, or a router found so */
    if (w->has_cookies && e->error == ECONNRESET)
        return true; /* text that overtakes the first ACK bears no cookie */
    if (!w->is_harsh)
        return false;
    switch (e->error) {
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ECONNREFUSED:
        return true;
    case ENOBUFS:
    case ENOMEM:
        return w->lab->starve_ppb > 0;
    default:
        return false;
    }
}

static void judge_end(struct soak *w, const struct soak_end *e)
{
    const struct soak_end *peer = &e->conn->end[1 - e->side];
    int id = e->conn->id;

    if (e->has_ended && e->got != peer->sent)
        soak_wrong(w, "connection %d, side %d: the stream ended after %u of %u bytes", id, e->side,
                   e->got, peer->sent);
    if (e->error && !is_explained(w, e))
        soak_wrong(w,
                   "connection %d, side %d: %s after %u bytes in, %u out, and nothing explains it",
                   id, e->side, strerrorname_np(e->error), e->got, e->sent);
    w->errors += e->error != 0;
    w->whole += e->has_ended;
    if (e->state == SOAK_DONE || e->is_dead)
        return;
    if (!w->is_harsh && !peer->error)
        soak_wrong(w,
                   "connection %d, side %d: state %d, %u of %u sent, %u of %u read, and it rests",
                   id, e->side, e->state, e->sent, e->bytes, e->got, peer->bytes);
    else if (e->state == SOAK_UP && e->sent < e->bytes && e->write_at <= w->lab->now && !e->answers)
        soak_wrong(w, "connection %d, side %d: %u of %u sent, and it neither goes on nor fails", id,
                   e->side, e->sent, e->bytes);
    else if (e->state == SOAK_UP && !is_rude(peer) && peer->state != SOAK_DONE)
        soak_wrong(w, "connection %d: both ends wait for ever (%u, %u read)", id, e->got,
                   peer->got);
}

static void judge_stack(struct soak *w, struct lab_node *n)
{
    struct weir_account a;

    if (!n->stack)
        return;
    for (uint32_t k = pool_next(&n->stack->tcp.tcbs, 1); k;
         k = pool_next(&n->stack->tcp.tcbs, k + 1))
        tcb_check(&n->stack->tcp, tcb_at(&n->stack->tcp, k));
    weir_account(n->stack, &a);
    if (a.frames_in != a.delivered + a.answered + a.forwarded + a.parked + a.dropped)
        soak_wrong(w, "%s: %" PRIu64 " frames came in, and not all went somewhere", n->name,
                   a.frames_in);
}

static void judge_rest(struct soak *w, struct lab_node *n)
{
    struct weir_sock_info info;
    uint64_t cursor = 0;

    while (n->stack && weir_info_next(n->stack, &cursor, &info))
        if (info.protocol == IPPROTO_TCP)
            soak_wrong(w, "%s: a connection is still in %s when all is closed", n->name,
                       weir_state_name(info.state));
}

bool soak_run(struct soak *w, uint64_t seed, const char *pcapng)
{
    int64_t left;

    soak_draw(w, seed);
    if (pcapng && lab_capture_open(w->lab, pcapng) < 0)
        soak_wrong(w, "%s", w->lab->error);
    soak_listen(w);
    soak_flows_begin(w);
    run_until(w, 7200 * S);
    for (int i = 0; i < w->lab->nodes; i++)
        judge_stack(w, w->lab->node[i]);
    for (int i = 0; i < w->conns; i++)
        for (int k = 0; k < 2; k++)
            judge_end(w, &w->conn[i].end[k]);
    soak_close_all(w);
    run_until(w, 10800 * S);
    for (int i = 0; i < w->lab->nodes && !*w->wrong; i++)
        judge_rest(w, w->lab->node[i]);
    lab_capture_close(w->lab);
    left = lab_halt(w->lab);
    if (left)
        soak_wrong(w, "%lld bytes of memory are not given back", (long long)left);
    lab_free(w->lab);
    return !*w->wrong;
}
