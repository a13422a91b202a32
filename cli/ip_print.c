/* Rows of `weir ip` as iproute2 prints them.
 *
 * Knows: what each row says. Shape: one function for each object. Units: seconds, bytes. Errors:
 * none. Cost: one line for each row. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/ip.h"

bool ip_wants(const struct ip_options *o, const struct ip_rows *rows, int ifindex,
              const struct weir_addr *addr)
{
    if (o->dev && strcmp(ip_name(rows, ifindex), o->dev) != 0)
        return false;
    return !addr || !o->family || (o->family == 4) == weir_addr_is_v4(addr);
}

const char *ip_mac(const uint8_t mac[6], char text[18])
{
    snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return text;
}

const char *ip_scope(const struct weir_addr *a)
{
    static const struct weir_addr one = {.b = {[15] = 1}};

    if (weir_addr_is_v4(a) ? a->b[12] == 127 : weir_addr_equal(a, &one))
        return "host";
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80 ? "link" : "global";
}

/* -- links ------------------------------------------------------------------------------------- */

static void print_link(const struct run_iface *l, bool has_stats)
{
    const char *state = l->info.is_up ? "UP" : "DOWN";
    char mac[18];

    printf("%d: %s: <%s%s> mtu %u state %s\n", l->ifindex, l->info.name,
           l->info.type == WEIR_LINK_ETHER ? "BROADCAST,MULTICAST" : "POINTOPOINT",
           l->info.is_up ? ",UP,LOWER_UP" : "", l->info.mtu, state);
    if (l->info.type == WEIR_LINK_ETHER)
        printf("    link/ether %s brd ff:ff:ff:ff:ff:ff\n", ip_mac(l->info.mac, mac));
    else
        printf("    link/none\n");
    if (!has_stats)
        return;
    printf("    RX:  bytes packets dropped\n    %10" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n",
           l->bytes_in, l->frames_in, l->dropped);
    printf("    TX:  bytes packets\n    %10" PRIu64 " %7" PRIu64 "\n", l->bytes_out, l->frames_out);
}

/* -- addresses --------------------------------------------------------------------------------- */

static void print_lifetime(const char *name, uint32_t s)
{
    if (s == WEIR_FOR_EVER)
        printf("%s forever", name);
    else
        printf("%s %usec", name, s);
}

static void print_addr(const struct ip_rows *rows, const struct weir_addr_info *a)
{
    char text[WEIR_ADDR_TEXT], mac[18];
    bool is_v4 = weir_addr_is_v4(&a->addr);

    printf("    inet%s %s/%d", is_v4 ? "" : "6", weir_addr_text(&a->addr, text), a->prefix);
    if (is_v4 && a->prefix < 31) {
        struct weir_addr brd = weir_addr_v4(weir_addr_to_v4(&a->addr) |
                                            (a->prefix ? ~0u >> a->prefix : ~0u));
        printf(" brd %s", weir_addr_text(&brd, text));
    }
    printf(" scope %s", ip_scope(&a->addr));
    printf("%s%s%s%s%s", a->flags & WEIR_ADDR_TEMPORARY ? " temporary" : "",
           a->flags & WEIR_ADDR_TENTATIVE ? " tentative" : "",
           a->flags & WEIR_ADDR_DEPRECATED ? " deprecated" : "",
           a->flags & WEIR_ADDR_DYNAMIC ? " dynamic" : "",
           a->flags & WEIR_ADDR_DUPLICATE ? " dadfailed" : "");
    if (is_v4)
        printf(" %s", ip_name(rows, a->ifindex));
    if (a->flags & WEIR_ADDR_DUPLICATE)
        printf(" (%s has it)", ip_mac(a->rival, mac));
    printf("\n       ");
    print_lifetime("valid_lft", a->valid_s);
    print_lifetime(" preferred_lft", a->preferred_s);
    putchar('\n');
}

static void print_links(const struct ip_options *o, const struct ip_rows *rows, bool has_addrs)
{
    for (int i = 0; i < rows->links; i++) {
        const struct run_iface *l = &rows->link[i];

        if (!ip_wants(o, rows, l->ifindex, NULL))
            continue;
        print_link(l, o->has_stats);
        for (int j = 0; has_addrs && j < rows->addrs; j++)
            if (rows->addr[j].ifindex == l->ifindex &&
                ip_wants(o, rows, l->ifindex, &rows->addr[j].addr))
                print_addr(rows, &rows->addr[j]);
    }
}

/* -- routes and neighbours --------------------------------------------------------------------- */

static void print_route(const struct ip_rows *rows, const struct weir_route_info *r)
{
    char text[WEIR_ADDR_TEXT];
    bool is_v4 = weir_addr_is_v4(&r->dst);

    if (r->prefix == 0)
        printf("default");
    else
        printf("%s", weir_addr_text(&r->dst, text));
    if (r->prefix && r->prefix < (is_v4 ? 32 : 128))
        printf("/%d", r->prefix);
    if (r->has_gateway)
        printf(" via %s", weir_addr_text(&r->gateway, text));
    printf(" dev %s", ip_name(rows, r->ifindex));
    if (is_v4 && !r->has_gateway)
        printf(" scope link");
    if (r->metric)
        printf(" metric %u", r->metric);
    putchar('\n');
}

static void print_neigh(const struct ip_rows *rows, const struct run_neigh *n)
{
    char text[WEIR_ADDR_TEXT], mac[18];

    printf("%s dev %s", weir_addr_text(&n->info.addr, text), ip_name(rows, n->info.ifindex));
    if (n->info.has_mac)
        printf(" lladdr %s", ip_mac(n->info.mac, mac));
    printf("%s %s\n", n->info.is_router ? " router" : "", n->state);
}

/* The most general last in the table, and first in what is read. */
static void print_routes(const struct ip_options *o, const struct ip_rows *rows)
{
    int family = o->family ? o->family : 4; /* as ip(8) */

    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < rows->routes; i++) {
            const struct weir_route_info *r = &rows->route[i];
            if ((r->prefix == 0) == (pass == 0) && ip_wants(o, rows, r->ifindex, NULL) &&
                (family == 4) == weir_addr_is_v4(&r->dst))
                print_route(rows, r);
        }
}

void ip_print(const struct ip_options *o, const struct ip_rows *rows, enum run_net what)
{
    switch (what) {
    case RUN_NET_LINK:
    case RUN_NET_ADDR:
        print_links(o, rows, what == RUN_NET_ADDR);
        break;
    case RUN_NET_ROUTE:
        print_routes(o, rows);
        break;
    case RUN_NET_NEIGH:
        for (int i = 0; i < rows->neighs; i++)
            if (ip_wants(o, rows, rows->neigh[i].info.ifindex, &rows->neigh[i].info.addr))
                print_neigh(rows, &rows->neigh[i]);
        break;
    }
}
