/* net.ipv4.tcp_tw_recycle, which Linux had until 4.12: short TIME-WAITs, made safe by the last
 * timestamp of each host. Kept to show what it did: hosts that share an address behind NAT do not
 * share a clock, and the slower ones are shut out.
 *
 * Knows: hosts and timestamps. Shape: HOSTS places by keyed hash, a newer host takes an older one's
 * place; made when the first is remembered. Units: milliseconds. Errors: without memory nothing is
 * remembered. Cost: one hash. */
#include "tcp/tcb.h"

#define HOSTS 1024u
#define MEMORY_MS 60000 /* Linux: TCP_PAWS_MSL */

struct host_stamp {
    struct weir_addr addr;
    uint32_t ts, at_ms;
    bool is_set;
};

static struct host_stamp *place_of(const struct tcp *p, const struct weir_addr *a)
{
    uint64_t word[2] = {(uint64_t)a->w[0] << 32 | a->w[1], (uint64_t)a->w[2] << 32 | a->w[3]};

    return &p->hosts[siphash13_words(&p->flow_key, word, 2) % HOSTS];
}

void recycle_fini(struct tcp *p)
{
    mem_free(p->mem, p->hosts, HOSTS * sizeof *p->hosts);
    p->hosts = NULL;
}

void recycle_remember(struct tcp *p, const struct weir_addr *host, uint32_t ts)
{
    struct host_stamp *h;

    if (!p->hosts)
        p->hosts = mem_zalloc(p->mem, HOSTS * sizeof *p->hosts);
    if (!p->hosts)
        return;
    h = place_of(p, host);
    *h = (struct host_stamp){.addr = *host, .ts = ts, .at_ms = now_ms(p), .is_set = true};
}

/* All three must hold: the SYN has a timestamp, the host was heard within a minute, and its clock
 * was ahead of this by more than one. */
bool recycle_refuses(const struct tcp *p, const struct seg *s)
{
    const struct host_stamp *h;

    if (!p->knobs->tcp_tw_recycle || !p->hosts || !(s->opt->has & TCP_OPT_TS))
        return false;
    h = place_of(p, &s->flow.remote);
    return h->is_set && weir_addr_equal(&h->addr, &s->flow.remote) &&
           now_ms(p) - h->at_ms < MEMORY_MS && (int32_t)(h->ts - s->opt->tsval) > 1;
}
