/* What an IPv6 packet must look like to be taken, and the labels of flows we send. 4291#2.5, 6437.
 *
 * Knows: addresses as such. Not interfaces: their facts are passed in. Shape: judges are pure.
 * Units: bits of an address. Errors: verdicts. Cost: a few comparisons; one hash for a label. */
#include "ip/inner.h"

bool ip6_is_link_local(const struct weir_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ip6_is_loopback(const struct weir_addr *a)
{
    static const struct weir_addr one = {.b = {[15] = 1}};

    return weir_addr_equal(a, &one);
}

static bool is_unspecified(const struct weir_addr *a)
{
    return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

enum drop ip6_judge_source(const struct weir_addr *src, uint32_t iface_flags)
{
    if (src->b[0] == 0xff)
        return DROP_ip_martian_source;
    /* Within us it would be an IPv4 address, and pass for one. */
    if (weir_addr_is_v4(src))
        return DROP_ip_martian_source;
    if (ip6_is_loopback(src) && !(iface_flags & WEIR_IF_LOOPBACK_OK))
        return DROP_ip_martian_source; /* 4291#2.5.3 */
    return PASS;
}

enum drop ip6_judge_dest(const struct weir_addr *dst, uint32_t iface_flags)
{
    bool is_loopback_ok = iface_flags & WEIR_IF_LOOPBACK_OK;

    if (weir_addr_is_v4(dst) || is_unspecified(dst)) /* 4291#2.5.2 */
        return DROP_ip_not_local;
    if (ip6_is_loopback(dst) && !is_loopback_ok)
        return DROP_ip_not_local;
    /* 4291#2.7: scope 0 is reserved, scope 1 never leaves an interface. */
    if (dst->b[0] == 0xff && (dst->b[1] & 15) <= 1 && !is_loopback_ok)
        return DROP_ip_not_local;
    return PASS;
}

/* 6437#3: the same for all packets of a flow, evenly spread, and nobody else's to foresee. */
uint32_t ip6_flow_label(const struct ip *ip, const uint64_t *flow, int words)
{
    return (uint32_t)siphash13_words(&ip->label_key, flow, words) & 0xfffff;
}
