/* A stack's life and clock: the verb weir_advance, the deadline, and the accounts.
 *
 * Knows: which parts there are and in which order they begin and end. Not what they do.
 * Shape: time never runs backwards. Units: ns outside, us inside. Errors: NULL, -errno.
 * Cost: weir_advance O(timers that are due). */
#include "stack/stack.h"

#include <errno.h>

void stack_knobs_changed(struct weir_stack *k)
{
    const struct knobs *n = &k->knobs;

    k->link.config.gc_thresh3 = (uint32_t)n->neigh_max;
    k->ip.config.redirects_max = (uint32_t)n->redirects_max;
    if (!n->accept_redirects || n->ip_forward || !n->accept_redirects6 || n->ip6_forwarding)
        redirect_forget_all(&k->ip);
    k->link.config.base_reachable_time_ms = (uint32_t)n->neigh_reachable_ms;
    k->link.config.delay_first_probe_time = (uint32_t)n->neigh_delay_s;
    k->link.config.gc_stale_time = (uint32_t)n->neigh_stale_s;
    k->link.config.unres_qlen_bytes = (uint32_t)n->neigh_unres_bytes;
    k->link.config.arp_notify = (uint8_t)n->arp_notify;
    stack_ip6_knobs(k);
    k->link.config.acd_defend = (uint8_t)n->acd_defend;
    k->ip.config.ip_default_ttl = (uint8_t)n->ip_default_ttl;
    k->ip.config.hop_limit = (uint8_t)n->hop_limit;
    k->ip.config.icmp6_echo_ignore_all = (uint8_t)n->icmp6_echo_ignore_all;
    k->ip.config.icmp6_echo_ignore_multicast = (uint8_t)n->icmp6_echo_ignore_multicast;
    k->ip.config.icmp_echo_ignore_all = (uint8_t)n->icmp_echo_ignore_all;
    k->ip.config.icmp_echo_ignore_broadcasts = (uint8_t)n->icmp_echo_ignore_broadcasts;
    k->ip.config.icmp_msgs_per_sec = (uint32_t)n->icmp_msgs_per_sec;
    k->ip.config.icmp_msgs_burst = (uint32_t)n->icmp_msgs_burst;
    k->ip.config.mtu_expires_s = (uint32_t)n->mtu_expires;
    k->ip.config.min_pmtu = (uint32_t)n->min_pmtu;
    k->ip.config.frag.high_thresh = (uint32_t)n->ipfrag_high_thresh;
    k->ip.config.frag.time_s = (uint32_t)n->ipfrag_time;
    k->ip.config.frag.max_dist = (uint32_t)n->ipfrag_max_dist;
    k->ip.config.frag6.high_thresh = (uint32_t)n->ip6frag_high_thresh;
    k->ip.config.frag6.time_s = (uint32_t)n->ip6frag_time;
    k->ip.config.frag6.max_dist = (uint32_t)n->ipfrag_max_dist;
    k->ip.config.forward_queue_bytes = (uint32_t)n->forward_queue_bytes;
    k->mem.max = (size_t)n->mem_max;
    tcp_memory_limits(&k->tcp);
    k->tcp.quiet_until_us = k->born_us + n->tcp_quiet_time_s * 1000000;
}

struct weir_stack *weir_new(const struct weir_config *c)
{
    struct mem mem;
    struct weir_stack *k;

    mem_init(&mem, c->alloc, c->free, c->mem_ctx);
    k = mem_zalloc(&mem, sizeof *k);
    if (!k)
        return NULL;
    k->mem = mem;
    k->born_us = k->now_us = c->now_ns / 1000;
    knobs_init(&k->knobs);
    rng_init(&k->rng, c->seed[0], c->seed[1]);
    wheel_init(&k->wheel, k->now_us);
    link_init(&k->link, &k->mem, &k->rng, k->now_us);
    ip_init(&k->ip, &k->mem, &k->rng, k->now_us);
    udp_init(&k->udp, &k->mem, &k->rng, 1u << 24);
    tcp_init(&k->tcp, &k->mem, &k->wheel, &k->knobs, &k->stats);
    k->tcp.trace = &k->trace;
    tcp_seed(&k->tcp, &k->rng);
    k->tcp.now_us = k->now_us;
    k->socks = (struct socks){.mem = &k->mem,
                              .knobs = &k->knobs,
                              .link = &k->link,
                              .ip = &k->ip,
                              .udp = &k->udp,
                              .tcp = &k->tcp,
                              .now_us = k->now_us};
    socks_init(&k->socks, &k->rng);
    stack_knobs_changed(k);
    return k;
}

void weir_free(struct weir_stack *k)
{
    struct mem mem;

    if (!k)
        return;
    trace_fini(&k->trace, &k->mem);
    loop_fini(k);
    stack_dhcp_fini(k);
    socks_fini(&k->socks);
    tcp_fini(&k->tcp);
    udp_fini(&k->udp);
    ip_fini(&k->ip);
    link_fini(&k->link);
    mem = k->mem;
    mem_free(&mem, k, sizeof *k);
    mem_fini(&mem);
}

void stack_settle_lent(struct weir_stack *k)
{
    link_settle(&k->link);
    ip_settle(&k->ip);
    udp_settle(&k->udp);
}

void stack_enter(struct weir_stack *k, int64_t now_ns)
{
    int64_t now_us = now_ns / 1000;

    stack_settle(k);
    if (now_us > k->now_us)
        k->now_us = k->tcp.now_us = k->socks.now_us = now_us;
    if (k->link.has_changes || k->link.has_ra_changes)
        stack_on_changes(k);
    if (k->groups_epoch != k->link.epoch)
        stack_sync_groups(k);
}

/* Apart: most calls find that no time passed. */
static __attribute__((noinline)) int advance(struct weir_stack *k)
{
    wheel_ref ref;
    int ran = 0;

    k->advanced_us = k->now_us;
    while ((ref = wheel_step(&k->wheel, k->now_us))) {
        tcp_fire(&k->tcp, ref);
        ran++;
    }
    tcp_time_wait_advance(&k->tcp);
    tcp_memory_advance(&k->tcp);
    ran += neigh_advance(&k->link, k->now_us);
    stack_undelivered(k);
    ran += rarp_advance(&k->link, k->now_us);
    ran += acd_advance(&k->link, k->now_us);
    ran += autoconf_advance(&k->link, k->now_us);
    ran += stack_dhcp_advance(k);
    stack_on_changes(k);
    if (k->groups_epoch != k->link.epoch)
        stack_sync_groups(k);
    ran += members_advance(&k->ip.members, k->now_us);
    return ran + stack_incomplete(k);
}

int weir_advance(struct weir_stack *k, int64_t now_ns)
{
    int ran = 0;

    stack_enter(k, now_ns);
    if (k->loop.first)
        ran = loop_advance(k);
    if (k->now_us == k->advanced_us && !wheel_has_due(&k->wheel) &&
        !wheel_has_due(&k->link.wheel) && !stack_net_is_due(k))
        return ran;
    return ran + advance(k);
}

int64_t weir_deadline(const struct weir_stack *k)
{
    int64_t first = wheel_next(&k->wheel), other = tcp_time_wait_deadline(&k->tcp);

    if (k->loop.first)
        return k->now_us * 1000;
    if (other < first)
        first = other;
    if (k->now_us < k->tcp.quiet_until_us && k->tcp.quiet_until_us < first)
        first = k->tcp.quiet_until_us;
    other = neigh_deadline(&k->link);
    if (other < first)
        first = other;
    other = rarp_deadline(&k->link);
    if (other < first)
        first = other;
    other = acd_deadline(&k->link);
    if (other < first)
        first = other;
    other = autoconf_deadline(&k->link);
    if (other < first)
        first = other;
    other = stack_dhcp_deadline(k);
    if (other < first)
        first = other;
    other = members_deadline(&k->ip.members);
    if (other < first)
        first = other;
    other = frag_deadline(&k->ip.frags, &k->ip.config.frag);
    if (other < first)
        first = other;
    other = frag_deadline(&k->ip.frags6, &k->ip.config.frag6);
    if (other < first)
        first = other;
    return first > INT64_MAX / 1000 ? WEIR_NEVER : first * 1000;
}

/* -- accounts ---------------------------------------------------------------------------------- */

void weir_account(const struct weir_stack *k, struct weir_account *out)
{
    *out = k->account;
    out->mem_bytes = k->mem.held - sizeof *k;
    out->mem_peak_bytes = k->mem.peak - sizeof *k;
}

struct knobs *stack_knobs(const struct weir_stack *k)
{
    return (struct knobs *)(uintptr_t)&k->knobs;
}

struct stats *stack_stats(const struct weir_stack *k)
{
    return (struct stats *)(uintptr_t)&k->stats;
}

const uint64_t *stack_drops(const struct weir_stack *k)
{
    return k->drops;
}

struct trace *stack_trace(struct weir_stack *k)
{
    return &k->trace;
}

struct mem *stack_mem(struct weir_stack *k)
{
    return &k->mem;
}
