/* Rows of `weir ip -j`, with iproute2's names.
 *
 * Knows: what each row says. Shape: one array; one object for each row. Units: seconds, bytes.
 * Errors: no memory ends in an empty array. Cost: one object for each row. */
#include <stdio.h>

#include "cli/ip.h"

static json_t *text_of(const struct weir_addr *a)
{
    char text[WEIR_ADDR_TEXT];

    return json_string(weir_addr_text(a, text));
}

static json_t *addr_row(const struct weir_addr_info *a)
{
    json_t *row = json_object();
    char mac[18];

    json_object_set_new(row, "family", json_string(weir_addr_is_v4(&a->addr) ? "inet" : "inet6"));
    json_object_set_new(row, "local", text_of(&a->addr));
    json_object_set_new(row, "prefixlen", json_integer(a->prefix));
    json_object_set_new(row, "scope", json_string(ip_scope(&a->addr)));
    if (a->flags & WEIR_ADDR_TENTATIVE)
        json_object_set_new(row, "tentative", json_true());
    if (a->flags & WEIR_ADDR_TEMPORARY)
        json_object_set_new(row, "temporary", json_true());
    if (a->flags & WEIR_ADDR_DEPRECATED)
        json_object_set_new(row, "deprecated", json_true());
    if (a->flags & WEIR_ADDR_DYNAMIC)
        json_object_set_new(row, "dynamic", json_true());
    if (a->flags & WEIR_ADDR_DUPLICATE) {
        json_object_set_new(row, "dadfailed", json_true());
        json_object_set_new(row, "rival", json_string(ip_mac(a->rival, mac)));
    }
    json_object_set_new(row, "valid_life_time", json_integer(a->valid_s));
    json_object_set_new(row, "preferred_life_time", json_integer(a->preferred_s));
    return row;
}

static json_t *stats_row(const struct run_iface *l)
{
    return json_pack("{s:{s:I,s:I,s:I},s:{s:I,s:I}}", "rx", "bytes", (json_int_t)l->bytes_in,
                     "packets", (json_int_t)l->frames_in, "dropped", (json_int_t)l->dropped, "tx",
                     "bytes", (json_int_t)l->bytes_out, "packets", (json_int_t)l->frames_out);
}

static json_t *link_row(const struct ip_options *o, const struct ip_rows *rows,
                        const struct run_iface *l, bool has_addrs)
{
    json_t *row = json_object(), *flags = json_array(), *addrs = json_array();
    char mac[18];

    json_object_set_new(row, "ifindex", json_integer(l->ifindex));
    json_object_set_new(row, "ifname", json_string(l->info.name));
    if (l->info.is_up)
        json_array_append_new(flags, json_string("UP"));
    json_object_set_new(row, "flags", flags);
    json_object_set_new(row, "mtu", json_integer(l->info.mtu));
    json_object_set_new(row, "operstate", json_string(l->info.is_up ? "UP" : "DOWN"));
    json_object_set_new(row, "link_type",
                        json_string(l->info.type == WEIR_LINK_ETHER ? "ether" : "none"));
    if (l->info.type == WEIR_LINK_ETHER)
        json_object_set_new(row, "address", json_string(ip_mac(l->info.mac, mac)));
    for (int j = 0; has_addrs && j < rows->addrs; j++)
        if (rows->addr[j].ifindex == l->ifindex &&
            ip_wants(o, rows, l->ifindex, &rows->addr[j].addr))
            json_array_append_new(addrs, addr_row(&rows->addr[j]));
    if (has_addrs)
        json_object_set(row, "addr_info", addrs);
    json_decref(addrs);
    if (o->has_stats)
        json_object_set_new(row, "stats64", stats_row(l));
    return row;
}

static json_t *route_row(const struct ip_rows *rows, const struct weir_route_info *r)
{
    json_t *row = json_object();
    char text[WEIR_ADDR_TEXT], dst[WEIR_ADDR_TEXT + 8];

    snprintf(dst, sizeof dst, "%s/%d", weir_addr_text(&r->dst, text), r->prefix);
    if (r->prefix == (weir_addr_is_v4(&r->dst) ? 32 : 128))
        snprintf(dst, sizeof dst, "%s", text);
    json_object_set_new(row, "dst", json_string(r->prefix ? dst : "default"));
    if (r->has_gateway)
        json_object_set_new(row, "gateway", text_of(&r->gateway));
    json_object_set_new(row, "dev", json_string(ip_name(rows, r->ifindex)));
    if (r->metric)
        json_object_set_new(row, "metric", json_integer(r->metric));
    json_object_set_new(row, "flags", json_array());
    return row;
}

static json_t *neigh_row(const struct ip_rows *rows, const struct run_neigh *n)
{
    json_t *row = json_object(), *state = json_array();
    char mac[18];

    json_object_set_new(row, "dst", text_of(&n->info.addr));
    json_object_set_new(row, "dev", json_string(ip_name(rows, n->info.ifindex)));
    if (n->info.has_mac)
        json_object_set_new(row, "lladdr", json_string(ip_mac(n->info.mac, mac)));
    if (n->info.is_router)
        json_object_set_new(row, "router", json_null());
    json_array_append_new(state, json_string(n->state));
    json_object_set_new(row, "state", state);
    return row;
}

static bool is_of_family(const struct ip_options *o, const struct weir_addr *dst)
{
    return ((o->family ? o->family : 4) == 4) == weir_addr_is_v4(dst);
}

void ip_print_json(const struct ip_options *o, const struct ip_rows *rows, enum run_net what)
{
    json_t *all = json_array();

    for (int i = 0; i < rows->links && (what == RUN_NET_LINK || what == RUN_NET_ADDR); i++)
        if (ip_wants(o, rows, rows->link[i].ifindex, NULL))
            json_array_append_new(all, link_row(o, rows, &rows->link[i], what == RUN_NET_ADDR));
    for (int i = 0; i < rows->routes; i++)
        if (ip_wants(o, rows, rows->route[i].ifindex, NULL) && is_of_family(o, &rows->route[i].dst))
            json_array_append_new(all, route_row(rows, &rows->route[i]));
    for (int i = 0; i < rows->neighs; i++)
        if (ip_wants(o, rows, rows->neigh[i].info.ifindex, &rows->neigh[i].info.addr))
            json_array_append_new(all, neigh_row(rows, &rows->neigh[i]));
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}
