/* The TCP of one stack: its life, its output lists.
 *
 * Knows: which list gives the next segment. Not how it is made.
 * Shape: replies first, then SYN/ACKs, then connections in turn. Units: bytes, microseconds.
 * Errors: verdicts. Cost: O(1) for each segment. */
#include <netinet/in.h>

#include "tcp/memory.h"
#include "tcp/more.h"
#include "tcp/pace.h"
#include "weir/socket.h"

int tcp_init(struct tcp *p, struct mem *mem, struct wheel *wheel, const struct knobs *knobs,
             struct stats *stats)
{
    p->mem = mem;
    p->wheel = wheel;
    p->knobs = knobs;
    p->stats = stats;
    pool_init(&p->tcbs, mem, sizeof(struct tcb), 1u << 24); /* the knobs say when to stop */
    pool_init(&p->syns, mem, sizeof(struct syn_mini), 1u << 24);
    pool_init(&p->tws, mem, sizeof(struct tw_mini), 1u << 24);
    tunes_init(p);
    pool_init(&p->mores, mem, sizeof(struct more), 1u << 24);
    tcp_memory_limits(p);
    table_init(&p->demux, mem);
    table_init(&p->listens, mem);
    for (int i = 0; i < TCP_IFACES; i++) {
        list_init(&p->out[i], &p->tcbs, offsetof(struct tcb, out));
        list_init(&p->syn_out[i], &p->syns, offsetof(struct syn_mini, out));
    }
    list_init(&p->marked, &p->tcbs, offsetof(struct tcb, marked));
    list_init(&p->tw_order, &p->tws, offsetof(struct tw_mini, order));
    wheel_add_pool(wheel, KIND_TCB, &p->tcbs, offsetof(struct tcb, node));
    wheel_add_pool(wheel, KIND_SYN, &p->syns, offsetof(struct syn_mini, node));
    return 0;
}

void tcp_seed(struct tcp *p, struct rng *rng)
{
    uint64_t seed1;

    p->flow_key = rng_key(rng);
    p->secret_key = rng_key(rng);
    p->cookie_key = rng_key(rng);
    p->port_key = rng_key(rng);
    p->open_key[0] = rng_key(rng);
    p->open_keys = 1;
    seed1 = rng_u64(rng); /* in an order of ours: C has none for arguments */
    rng_init(&p->rng, rng_u64(rng), seed1);
}

void tcp_fini(struct tcp *p)
{
    for (uint32_t i = pool_next(&p->tcbs, 1); i; i = pool_next(&p->tcbs, i + 1)) {
        struct tcb *t = tcb_at(p, i);
        cc_end(p, t);
        sent_free(p, t);
        text_free(p, t);
        ring_release(&t->snd.ring, p->mem);
        if (t->state == LISTEN)
            mem_free(p->mem, t->listen, sizeof *t->listen);
    }
    recycle_fini(p);
    tcp_fastopen_fini(p);
    pool_fini(&p->tcbs);
    pool_fini(&p->syns);
    pool_fini(&p->tws);
    pool_fini(&p->tunes);
    pool_fini(&p->mores);
    table_fini(&p->demux);
    table_fini(&p->listens);
}

/* -- output ------------------------------------------------------------------------------------ */

bool tcp_has_output(const struct tcp *p, int ifindex)
{
    if (p->now_us < p->quiet_until_us)
        return false;
    return p->out[ifindex].first || p->syn_out[ifindex].first ||
           (p->reply_count && p->replies[p->reply_first].ifindex == ifindex);
}

/* A connection that made a segment and has more goes to the end of the line; another leaves it. */
static bool pull_connection(struct tcp *p, int ifindex, const struct pull_limit *limit,
                            struct seg_out *out)
{
    struct list *line = &p->out[ifindex];

    while (line->first) {
        struct tcb *t = tcb_at(p, line->first);
        bool is_made = pull_tcb(p, t, limit, out);
        list_unlink(line, t->self);
        if (is_made && t->state != CLOSED && !pull_is_done(p, t))
            list_append(line, t->self);
        tcb_settle(p, t);
        if (is_made)
            return true;
    }
    return false;
}

bool tcp_pull(struct tcp *p, int ifindex, const struct pull_limit *limit, struct seg_out *out)
{
    if (p->now_us < p->quiet_until_us)
        return false;
    if (p->reply_count && p->replies[p->reply_first].ifindex == ifindex) {
        reply_pull(p, out);
        return true;
    }
    if (p->syn_out[ifindex].first) {
        syn_pull(p, p->syn_out[ifindex].first, out);
        return true;
    }
    return pull_connection(p, ifindex, limit, out);
}

void tcp_fire(struct tcp *p, wheel_ref ref)
{
    if (wheel_ref_kind(ref) == KIND_TCB)
        timers_fire(p, tcb_at(p, wheel_ref_index(ref)));
    else
        syn_fire(p, wheel_ref_index(ref));
}
