/* Routers: how they are asked, what is believed of what they say. 4861#6, 4191, 7559, 8106.
 *
 * Knows: solicitations and advertisements. Not how addresses are made (autoconf.c), nor the table
 * of routes: what is to be in it is handed to the stack (ra_next_change). Shape: a route of a
 * router is an entry of a bounded table and ends with its lifetime; a full table takes no more.
 * Units: microseconds; seconds in lifetimes. Errors: verdicts. Cost: O(options * routes told). */
#include "link/neigh.h"

#include <string.h>

#include "base/bytes.h"

#define SECOND INT64_C(1000000)
#define NEVER INT64_MAX
#define DELAY_US SECOND          /* 4861#10: MAX_RTR_SOLICITATION_DELAY */
#define REACHABLE_MAX_MS 3600000 /* 4861#6.2.1 */
#define RETRANS_MIN_MS 10        /* a router can make us no source of floods */
#define RETRANS_MAX_MS 3600000
#define METRIC_ROUTER 1024 /* as Linux: routes of routers, and prefixes on the link */
#define METRIC_ON_LINK 256
#define FOR_EVER UINT32_MAX

static const struct weir_addr all_routers = {.b = {0xff, 2, [15] = 2}};

/* -- what the table of routes is to hold ------------------------------------------------------- */

static int64_t after_s(int64_t now_us, uint32_t s)
{
    return s == FOR_EVER ? NEVER : now_us + (int64_t)s * SECOND;
}

static bool is_same(const struct ra_route *a, const struct ra_route *b)
{
    return a->ifindex == b->ifindex && a->prefix == b->prefix && a->has_router == b->has_router &&
           weir_addr_equal(&a->dst, &b->dst) &&
           (!a->has_router || weir_addr_equal(&a->router, &b->router));
}

/* A free entry, or that of this route. */
static struct ra_route *place(struct link *l, const struct ra_route *r)
{
    struct ra_route *free = NULL;

    for (struct ra_route *e = l->route; e < l->route + RA_ROUTES_MAX; e++) {
        if (e->ifindex && is_same(e, r))
            return e;
        if (!e->ifindex && !free)
            free = e;
    }
    return free;
}

static void end(struct link *l, struct ra_route *e)
{
    e->is_over = l->has_ra_changes = true;
}

/* Until NEVER it stays; until now or before it goes. */
static void set_route(struct link *l, const struct ra_route *r, int64_t now_us)
{
    struct ra_route *e = place(l, r);

    if (!e || (!e->ifindex && r->until_us <= now_us))
        return;
    if (r->until_us <= now_us) {
        end(l, e);
        return;
    }
    if (e->ifindex && e->is_told && e->metric != r->metric) { /* a preference that changed */
        end(l, e);
        return; /* the next advertisement brings it back */
    }
    if (!e->ifindex || e->is_over) {
        *e = *r;
        l->has_ra_changes = true;
    }
    e->until_us = r->until_us;
    autoconf_step_at(l, e->until_us);
}

void router_on_link(struct link *l, int ifindex, const struct weir_addr *prefix, int bits,
                    int64_t until_us)
{
    struct ra_route r = {.dst = *prefix,
                         .prefix = (uint8_t)bits,
                         .ifindex = (uint8_t)ifindex,
                         .metric = METRIC_ON_LINK,
                         .until_us = until_us};

    set_route(l, &r, INT64_MIN);
}

void router_forget(struct link *l, int ifindex, const struct weir_addr *router)
{
    for (struct ra_route *e = l->route; e < l->route + RA_ROUTES_MAX; e++)
        if (e->ifindex == ifindex && e->has_router && weir_addr_equal(&e->router, router))
            end(l, e);
}

bool ra_next_change(struct link *l, struct ra_change *out)
{
    for (int i = 1; i <= l->ifaces && l->has_ra_changes; i++)
        if (l->iface[i].ip6.is_news) {
            l->iface[i].ip6.is_news = false;
            *out = (struct ra_change){.ifindex = i};
            return true;
        }
    for (struct ra_route *e = l->route; l->has_ra_changes && e < l->route + RA_ROUTES_MAX; e++) {
        if (!e->ifindex || (e->is_told && !e->is_over))
            continue;
        *out = (struct ra_change){e->ifindex, true, !e->is_over, *e};
        if (e->is_over)
            *e = (struct ra_route){.ifindex = 0};
        else
            e->is_told = true;
        return true;
    }
    l->has_ra_changes = false;
    return false;
}

/* -- solicitations ----------------------------------------------------------------------------- */

void router_ask(struct link *l, int ifindex, int64_t now_us)
{
    struct iface_ip6 *i = &l->iface[ifindex].ip6;

    if (i->is_asking || !l->config.ip6.router_solicitations)
        return;
    i->is_asking = true;
    i->asked = 0;
    i->pause_us = 0;
    i->ask_at_us = now_us + rng_below(&l->rng, DELAY_US);
    autoconf_step_at(l, i->ask_at_us);
}

/* 7559#2: each pause twice the one before, a tenth more or less, up to the longest. */
static void pause(struct link *l, struct iface_ip6 *i, int64_t now_us)
{
    const struct autoconf_config *c = &l->config.ip6;
    int64_t first = c->router_solicitation_interval * SECOND;
    int64_t longest = c->router_solicitation_max_interval * SECOND, tenth;

    i->pause_us = i->pause_us ? i->pause_us * 2 : first;
    if (i->pause_us > longest)
        i->pause_us = longest;
    tenth = i->pause_us / 10;
    i->pause_us += tenth ? (int64_t)(rng_u64(&l->rng) % (uint64_t)(2 * tenth)) - tenth : 0;
    i->asked = (uint8_t)(i->asked + (i->asked < UINT8_MAX));
    i->ask_at_us = now_us + i->pause_us;
    if (c->router_solicitations >= 0 && i->asked >= c->router_solicitations)
        i->is_asking = false;
    else
        autoconf_step_at(l, i->ask_at_us);
}

bool router_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out)
{
    struct iface *f = &l->iface[ifindex];
    uint8_t *m = out->nd.message;

    if (!(l->nd_due >> ifindex & 1))
        return false;
    l->nd_due &= ~(1u << ifindex);
    *out = (struct neigh_out){.kind = NEIGH_ND, .nd = {.dst = all_routers, .len = ND_RS_LEN}};
    m[0] = ND_RS;
    iface_group_mac(&all_routers, out->dst);
    if (iface_source_for(l, ifindex, &all_routers, &out->nd.src)) { /* else from nobody: 4861#4.1 */
        m[ND_RS_LEN] = ND_OPT_SOURCE;
        m[ND_RS_LEN + 1] = 1;
        memcpy(m + ND_RS_LEN + 2, f->mac, 6);
        out->nd.len = ND_RS_LEN + 8;
    }
    pause(l, &f->ip6, now_us);
    return true;
}

/* -- advertisements ---------------------------------------------------------------------------- */

struct ra {
    struct link *l;
    const struct nd_in *in;
    int64_t now_us;
};

/* 4191#2.1: high goes first, what is reserved counts as nothing said. */
static uint32_t metric_of(uint8_t flags)
{
    uint8_t preference = flags >> 3 & 3;

    return METRIC_ROUTER + (preference == 1 ? 0 : preference == 3 ? 2 : 1);
}

static void clear_host_bits(struct weir_addr *a, int bits)
{
    for (int i = 0; i < 16; i++) {
        int keep = bits - 8 * i;
        if (keep < 8)
            a->b[i] &= (uint8_t)(keep <= 0 ? 0 : 0xff << (8 - keep));
    }
}

static bool is_link_local(const struct weir_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static void on_prefix(const struct ra *r, const struct nd_option *o)
{
    const struct autoconf_config *c = &r->l->config.ip6;
    uint8_t bits = o->p[2], flags = o->p[3];
    struct ra_prefix p = {.valid_s = get32(o->p + 4), .preferred_s = get32(o->p + 8)};

    memcpy(&p.prefix, o->p + 16, sizeof p.prefix);
    clear_host_bits(&p.prefix, bits);
    if (bits > 128 || is_link_local(&p.prefix) || iface_is_multicast(&p.prefix) ||
        p.preferred_s > p.valid_s || !c->accept_ra_pinfo)
        return;
    if (flags & 0x80) {
        struct ra_route route = {.dst = p.prefix,
                                 .prefix = bits,
                                 .ifindex = (uint8_t)r->in->ifindex,
                                 .metric = METRIC_ON_LINK,
                                 .until_us = after_s(r->now_us, p.valid_s)};
        set_route(r->l, &route, r->now_us);
    }
    if (flags & 0x40 && bits == 64 && c->autoconf)
        autoconf_on_prefix(r->l, r->in->ifindex, &p, r->now_us);
}

static void on_route(const struct ra *r, const struct nd_option *o)
{
    struct ra_route route = {.router = r->in->src,
                             .has_router = true,
                             .prefix = o->p[2],
                             .ifindex = (uint8_t)r->in->ifindex,
                             .metric = metric_of(o->p[3]),
                             .until_us = after_s(r->now_us, get32(o->p + 4))};

    if (o->p[2] > r->l->config.ip6.accept_ra_rt_info_max_plen || (o->p[3] >> 3 & 3) == 2 ||
        o->p[2] > (o->len - 8) * 8)
        return;
    memcpy(&route.dst, o->p + 8, o->len - 8 < 16 ? o->len - 8 : 16);
    clear_host_bits(&route.dst, route.prefix);
    set_route(r->l, &route, r->now_us);
}

static void on_mtu(const struct ra *r, const struct nd_option *o)
{
    struct iface *f = &r->l->iface[r->in->ifindex];
    uint32_t mtu = get32(o->p + 4);

    if (!r->l->config.ip6.accept_ra_mtu || mtu < IP6_MTU_MIN || mtu > f->mtu || mtu == f->ip6.mtu)
        return;
    f->ip6.mtu = mtu;
    f->ip6.is_news = r->l->has_ra_changes = true;
}

/* The place of a nameserver: its own, a free one, else the one that ends first. */
static int dns_place(const struct iface_ip6 *i, const struct weir_addr *addr)
{
    int first = 0;

    for (int j = 0; j < i->dnss; j++) {
        if (weir_addr_equal(&i->dns[j].addr, addr))
            return j;
        if (i->dns[j].until_us < i->dns[first].until_us)
            first = j;
    }
    return i->dnss < RA_DNS_MAX ? i->dnss : first;
}

static void on_dns(const struct ra *r, const struct nd_option *o)
{
    struct iface_ip6 *i = &r->l->iface[r->in->ifindex].ip6;
    uint32_t lifetime_s = get32(o->p + 4);

    for (uint32_t at = 8; at + 16 <= o->len; at += 16) {
        struct weir_addr addr;
        int j;

        memcpy(&addr, o->p + at, sizeof addr);
        j = dns_place(i, &addr);
        if (j == i->dnss && (!lifetime_s || i->dnss == RA_DNS_MAX))
            continue;
        i->dns[j].addr = addr;
        i->dns[j].until_us = after_s(r->now_us, lifetime_s);
        i->dnss = (uint8_t)(j == i->dnss ? j + 1 : i->dnss);
        autoconf_step_at(r->l, i->dns[j].until_us);
    }
}

static void on_options(const struct ra *r)
{
    struct nd_option o;
    uint32_t at = ND_RA_LEN;

    while (nd_option_next(&o, r->in->message, r->in->len, &at)) {
        if (o.type == ND_OPT_PREFIX && o.len == 32)
            on_prefix(r, &o);
        else if (o.type == ND_OPT_ROUTE && o.len <= 24)
            on_route(r, &o);
        else if (o.type == ND_OPT_MTU && o.len == 8)
            on_mtu(r, &o);
        else if (o.type == ND_OPT_RDNSS && o.len >= 24)
            on_dns(r, &o);
    }
}

/* What is zero says nothing: 4861#6.3.4. */
static void on_parameters(const struct ra *r)
{
    const uint8_t *m = r->in->message;
    struct iface_ip6 *i = &r->l->iface[r->in->ifindex].ip6;
    uint32_t reachable_ms = get32(m + 8), retrans_ms = get32(m + 12);

    if (m[4] && m[4] != i->hop_limit) {
        i->hop_limit = m[4];
        i->is_news = r->l->has_ra_changes = true;
    }
    if (reachable_ms && reachable_ms <= REACHABLE_MAX_MS)
        i->reachable_ms = reachable_ms;
    if (retrans_ms >= RETRANS_MIN_MS && retrans_ms <= RETRANS_MAX_MS)
        i->retrans_ms = retrans_ms;
}

static void on_default_route(const struct ra *r)
{
    uint16_t lifetime_s = get16(r->in->message + 6);
    struct ra_route route = {.router = r->in->src,
                             .has_router = true,
                             .ifindex = (uint8_t)r->in->ifindex,
                             .metric = metric_of(r->in->message[5]),
                             .until_us = after_s(r->now_us, lifetime_s)};

    if (!r->l->config.ip6.accept_ra_defrtr)
        return;
    set_route(r->l, &route, r->now_us);
    if (lifetime_s)
        r->l->iface[r->in->ifindex].ip6.is_asking = false; /* 4861#6.3.7 */
}

enum drop router_input_ra(struct link *l, const struct nd_in *in, int64_t now_us)
{
    struct ra r = {l, in, now_us};
    uint32_t index;

    if (!is_link_local(&in->src) || !nd_options_are_good(in->message, in->len, ND_RA_LEN))
        return DROP_nd_invalid;
    if (!l->iface[in->ifindex].ip6.is_on || !l->config.ip6.accept_ra)
        return DROP_nd_ignored;
    if (iface_has_addr(l, &in->src))
        return DROP_nd_conflict;
    on_parameters(&r);
    on_default_route(&r);
    on_options(&r);
    index = nd_learn(l, in->ifindex, &in->src,
                     nd_mac_option(in->message, in->len, ND_RA_LEN, ND_OPT_SOURCE), now_us);
    if (index)
        neigh_at(l, index)->is_router = true;
    return PASS;
}

/* -- time -------------------------------------------------------------------------------------- */

static int age_dns(struct link *l, struct iface_ip6 *i, int64_t now_us)
{
    int n = 0;

    for (int j = 0; j < i->dnss;) {
        if (i->dns[j].until_us > now_us) {
            autoconf_step_at(l, i->dns[j++].until_us);
            continue;
        }
        i->dns[j] = i->dns[--i->dnss];
        n++;
    }
    return n;
}

int router_advance(struct link *l, int64_t now_us)
{
    int n = 0;

    for (int i = 1; i <= l->ifaces; i++) {
        struct iface_ip6 *ip6 = &l->iface[i].ip6;

        n += age_dns(l, ip6, now_us);
        if (!ip6->is_asking || l->nd_due >> i & 1)
            continue;
        if (ip6->ask_at_us > now_us) {
            autoconf_step_at(l, ip6->ask_at_us);
            continue;
        }
        l->nd_due |= 1u << i;
        n++;
    }
    for (struct ra_route *e = l->route; e < l->route + RA_ROUTES_MAX; e++) {
        if (!e->ifindex || e->is_over)
            continue;
        if (e->until_us > now_us) {
            autoconf_step_at(l, e->until_us);
            continue;
        }
        end(l, e);
        n++;
    }
    return n;
}
