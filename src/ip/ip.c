/* What an IPv4 packet must look like to be taken, and the identification of those we send. 791,
 * 1122#3.2.1, 6864, 7126.
 *
 * Knows: addresses, options and fragment fields as such. Not interfaces: their facts are passed in.
 * Shape: judges are pure. Units: bytes. Errors: verdicts. Cost: a few comparisons; one hash for the
 * identification of a packet without DF. */
#include "ip/ip.h"

#include <string.h>

#include "ip/inner.h"

#define OFFSET_MASK 0x1fff

enum { OPT_END = 0, OPT_NOP = 1, OPT_RECORD = 7, OPT_TIME = 68, OPT_LSRR = 131, OPT_SSRR = 137 };

void ip_config_default(struct ip_config *config)
{
    *config = (struct ip_config){
        .route_max = 4096,
        .icmp_queue_bytes = 131072,
        .icmp_msgs_per_sec = 1000,
        .icmp_msgs_burst = 50,
        .pmtu_max = 1024,
        .redirects_max = 1024,
        .min_pmtu = 552,
        .mtu_expires_s = 600,
        .forward_queue_bytes = 1048576,
        .frag = {.high_thresh = 4194304, .time_s = 30, .max_dist = 64},
        .frag6 = {.high_thresh = 4194304, .time_s = 60, .max_dist = 64},
        .ip_default_ttl = 64,
        .hop_limit = 64,
        .icmp_echo_ignore_broadcasts = 1,
    };
}

void ip_init(struct ip *ip, struct mem *mem, struct rng *seed, int64_t now_us)
{
    uint64_t seed0 = rng_u64(seed), seed1 = rng_u64(seed);

    *ip = (struct ip){.mem = mem};
    ip->id_key = rng_key(seed); /* one after the other: C has no order for initializers */
    ip->dst_key = rng_key(seed);
    ip_config_default(&ip->config);
    rng_init(&ip->rng, seed0, seed1);
    ip->credit = ip->config.icmp_msgs_burst;
    ip->credit_at_us = now_us;
    pmtu_init(ip);
    redirect_init(ip);
    members_init(&ip->members, mem);
    frag_init(&ip->frags, mem, &ip->rng);
    frag_init(&ip->frags6, mem, &ip->rng);
    ip->label_key = rng_key(&ip->rng);
}

void ip_fini(struct ip *ip)
{
    for (int i = 0; i < IP_IFACES; i++) {
        ring_release(&ip->answer[i], ip->mem);
        ring_release(&ip->transit[i], ip->mem);
    }
    mem_free(ip->mem, ip->route, ip->routes_room * sizeof *ip->route);
    pmtu_fini(ip);
    redirect_fini(ip);
    members_fini(&ip->members);
    frag_fini(&ip->frags);
    frag_fini(&ip->frags6);
}

/* First octet of an IPv4 address, -1: IPv6. */
static int octet_of(const struct weir_addr *a)
{
    return weir_addr_is_v4(a) ? a->b[12] : -1;
}

enum drop ip_judge_source(const struct weir_addr *src, uint32_t iface_flags, unsigned facts)
{
    bool is_loopback_ok = iface_flags & WEIR_IF_LOOPBACK_OK;
    int first = octet_of(src);

    if (facts & IP_SOURCE_BROADCAST)
        return DROP_ip_martian_source;
    /* Nobody is at 0/8; groups, class E and 255.255.255.255 are no single host. */
    if (first == 0 || first >= 224)
        return DROP_ip_martian_source;
    if (first == 127 && !is_loopback_ok)
        return DROP_ip_martian_source;
    if (first < 0 && (src->b[0] == 0xff || weir_addr_is_any(src)))
        return DROP_ip_martian_source;
    if ((facts & IP_SOURCE_OWN) && !is_loopback_ok && !(iface_flags & WEIR_IF_ANY_ADDR))
        return DROP_ip_martian_source;
    return PASS;
}

enum drop ip_judge_dest(const struct weir_addr *dst, uint32_t iface_flags)
{
    int first = octet_of(dst);

    if (first == 127 && !(iface_flags & WEIR_IF_LOOPBACK_OK))
        return DROP_ip_not_local;
    if (first == 0 || (first >= 240 && weir_addr_to_v4(dst) != 0xffffffff))
        return DROP_ip_not_local;
    if (first < 0 && weir_addr_is_any(dst))
        return DROP_ip_not_local;
    return PASS;
}

/* One option of type and length at p: where its fault is, 0: nowhere. */
static size_t fault_of(const uint8_t *p, size_t len)
{
    if (p[0] == OPT_RECORD)
        return len < 3 ? 1 : p[2] < 4 ? 2 : 0;
    if (p[0] == OPT_TIME)
        return len < 4 ? 1 : p[2] < 5 ? 2 : 0;
    return 0; /* 1122#3.2.1.8: unknown ones are ignored */
}

enum drop ip_judge_options(const uint8_t *options, size_t n, size_t *fault)
{
    size_t at = 0;

    while (at < n && options[at] != OPT_END) {
        size_t len, wrong;

        if (options[at] == OPT_NOP) {
            at++;
            continue;
        }
        len = at + 1 < n ? options[at + 1] : 0;
        if (options[at] == OPT_LSRR || options[at] == OPT_SSRR)
            return DROP_ip_source_route;
        wrong = len < 2 || len > n - at ? 1 : fault_of(options + at, len);
        if (wrong) {
            *fault = at + wrong;
            return DROP_ip_option;
        }
        at += len;
    }
    return PASS;
}

bool ip_is_fragment(const struct ip4 *h)
{
    return h->frag & (IP4_MF | OFFSET_MASK);
}

uint16_t ip_next_id(struct ip *ip, const struct weir_addr *src, const struct weir_addr *dst,
                    uint8_t proto, bool is_df)
{
    struct {
        struct weir_addr src, dst;
        uint64_t proto;
    } flow;
    uint64_t hash;

    if (is_df)
        return 0;
    flow.src = *src;
    flow.dst = *dst;
    flow.proto = proto;
    /* The counter may be shared with other flows, the offset is this flow's secret. */
    hash = siphash24(&ip->id_key, &flow, sizeof flow);
    return (uint16_t)(ip->id[hash % IP_IDS]++ + (hash >> 32));
}
