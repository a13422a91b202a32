/* Which of our addresses a packet comes from. 6724 for IPv6; the subnet's own for IPv4.
 *
 * Knows: addresses, scopes, labels. Not routes: who asks knows the interface. Shape: two addresses
 * are compared by one rule after the other; the first that tells them apart decides. Units: bits of
 * prefix. Errors: false: there is none. Cost: O(addresses * rules). */
#include "link/neigh.h"

#include <string.h>

/* 6724#3.1: as in the scope field of a multicast address. */
enum scope { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* 6724#2.1, without precedences, which are for destinations. */
static const struct label {
    struct weir_addr prefix;
    uint8_t bits, label;
} labels[] = {
    {{.b = {[15] = 1}}, 128, 0},
    {{.b = {[10] = 0xff, [11] = 0xff}}, 96, 4},
    {{.b = {0}}, 96, 3},
    {{.b = {0x20, 0x01}}, 32, 5},
    {{.b = {0x20, 0x02}}, 16, 2},
    {{.b = {0x3f, 0xfe}}, 16, 12},
    {{.b = {0xfe, 0xc0}}, 10, 11},
    {{.b = {0xfc}}, 7, 13},
    {{.b = {0}}, 0, 1},
};

/* Bits that a and b have in common from the front. */
static int common_bits(const struct weir_addr *a, const struct weir_addr *b)
{
    for (int i = 0; i < 16; i++) {
        unsigned diff = (unsigned)(a->b[i] ^ b->b[i]);

        if (diff)
            return 8 * i + __builtin_clz(diff) - 24;
    }
    return 128;
}

static int scope_of(const struct weir_addr *a)
{
    if (a->b[0] == 0xff)
        return a->b[1] & 15;
    if (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80)
        return SCOPE_LINK;
    if (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0)
        return SCOPE_SITE;
    return common_bits(a, &labels[0].prefix) == 128 ? SCOPE_LINK : SCOPE_GLOBAL;
}

static int label_of(const struct weir_addr *a)
{
    int i = 0;

    while (common_bits(a, &labels[i].prefix) < labels[i].bits)
        i++;
    return labels[i].label;
}

/* Rule 8 counts no further than the source's own prefix: 6724#2.2. */
static int match(const struct iface_addr *a, const struct weir_addr *dst)
{
    int bits = common_bits(&a->addr, dst);

    return bits < a->prefix ? bits : a->prefix;
}

/* Rule 2: the least scope that is enough, else the largest. */
static int compare_scope(int a, int b, int dst)
{
    if (a == b)
        return 0;
    if (a < b)
        return a < dst ? -1 : 1;
    return b < dst ? 1 : -1;
}

/* Above 0: a is better. Rules 4, 5 and 5.5 tell nothing apart here: there are no home addresses,
 * and the addresses of one interface are compared. */
static int compare(const struct link *l, const struct iface_addr *a, const struct iface_addr *b,
                   const struct weir_addr *dst)
{
    bool is_deprecated_a = a->flags & ADDR_DEPRECATED, is_deprecated_b = b->flags & ADDR_DEPRECATED;
    bool is_temporary_a = a->flags & ADDR_TEMPORARY, is_temporary_b = b->flags & ADDR_TEMPORARY;
    int label = label_of(dst), v;

    if (weir_addr_equal(&a->addr, dst) || weir_addr_equal(&b->addr, dst))
        return weir_addr_equal(&a->addr, dst) ? 1 : -1;
    if ((v = compare_scope(scope_of(&a->addr), scope_of(&b->addr), scope_of(dst))) != 0)
        return v;
    if (is_deprecated_a != is_deprecated_b)
        return is_deprecated_b ? 1 : -1;
    if ((label_of(&a->addr) == label) != (label_of(&b->addr) == label))
        return label_of(&a->addr) == label ? 1 : -1;
    if (is_temporary_a != is_temporary_b)
        return is_temporary_a == (l->config.ip6.use_tempaddr == 2) ? 1 : -1;
    return match(a, dst) - match(b, dst);
}

static bool is_same_subnet(const struct iface_addr *a, const struct weir_addr *dst)
{
    return common_bits(&a->addr, dst) >= a->prefix;
}

/* IPv4: the address whose subnet holds dst, the longest such; else the first. */
static bool is_better4(const struct iface_addr *a, const struct iface_addr *b,
                       const struct weir_addr *dst)
{
    int prefix_a = is_same_subnet(a, dst) ? a->prefix : 0;
    int prefix_b = is_same_subnet(b, dst) ? b->prefix : 0;

    return prefix_a > prefix_b;
}

static const struct iface_addr *best_of(const struct link *l, const struct iface *f,
                                        const struct weir_addr *dst)
{
    bool is_v4 = weir_addr_is_v4(dst);
    const struct iface_addr *best = NULL;

    for (int i = 0; i < f->addrs; i++) {
        const struct iface_addr *a = &f->addr[i];

        if (a->state != ADDR_USABLE || weir_addr_is_v4(&a->addr) != is_v4)
            continue;
        if (!best || (is_v4 ? is_better4(a, best, dst) : compare(l, a, best, dst) > 0))
            best = a;
    }
    return best;
}

/* What may leave by another interface than its own. */
static bool may_leave(const struct iface_addr *a, const struct weir_addr *dst)
{
    bool is_loopback = weir_addr_is_v4(&a->addr) && a->addr.b[12] == 127; /* 1122#3.2.1.3 */
    bool is_to_loopback = weir_addr_is_v4(dst) && dst->b[12] == 127;

    if (weir_addr_is_v4(dst))
        return !is_loopback || is_to_loopback;
    return scope_of(&a->addr) != SCOPE_LINK && scope_of(dst) > SCOPE_LINK;
}

bool iface_source_for(const struct link *l, int ifindex, const struct weir_addr *dst,
                      struct weir_addr *src)
{
    const struct iface_addr *a = best_of(l, &l->iface[ifindex], dst);

    for (int i = 1; !a && i <= l->ifaces; i++) {
        a = best_of(l, &l->iface[i], dst);
        if (a && !may_leave(a, dst))
            a = NULL;
    }
    if (!a)
        return false;
    *src = a->addr;
    return true;
}
