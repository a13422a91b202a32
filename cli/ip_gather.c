/* What a stack has: its interfaces, addresses, routes, neighbours.
 *
 * Knows: protocol.h. Shape: rows as the daemon sends them, bounded. Units: as there. Errors:
 * -errno. Cost: one connection for each kind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ip.h"

struct taker {
    void *rows;
    int *count, max;
    size_t size;
};

static void take(const struct run_answer *a, void *arg)
{
    struct taker *t = arg;

    if (a->result != 1 || a->value_len != t->size || *t->count == t->max)
        return;
    memcpy((char *)t->rows + (size_t)*t->count * t->size, a->value, t->size);
    ++*t->count;
}

static int ask(const char *daemon, enum run_net what, struct taker *t)
{
    struct run_ask q = {.op = RUN_NET_SHOW, .number = (int32_t)what};

    return t->rows ? daemon_ask(daemon, &q, take, t) : -ENOMEM;
}

int ip_gather(const char *daemon, enum run_net what, struct ip_rows *rows)
{
    struct taker t = {rows->link, &rows->links, IP_LINKS_MAX, sizeof rows->link[0]};
    int v;

    rows->links = rows->addrs = rows->routes = rows->neighs = 0;
    if ((v = ask(daemon, RUN_NET_LINK, &t)) < 0 || what == RUN_NET_LINK)
        return v;
    if (what == RUN_NET_ADDR) {
        rows->addr = calloc(IP_ADDRS_MAX, sizeof *rows->addr);
        t = (struct taker){rows->addr, &rows->addrs, IP_ADDRS_MAX, sizeof *rows->addr};
    } else if (what == RUN_NET_ROUTE) {
        rows->route = calloc(IP_ROUTES_MAX, sizeof *rows->route);
        t = (struct taker){rows->route, &rows->routes, IP_ROUTES_MAX, sizeof *rows->route};
    } else {
        rows->neigh = calloc(IP_NEIGHS_MAX, sizeof *rows->neigh);
        t = (struct taker){rows->neigh, &rows->neighs, IP_NEIGHS_MAX, sizeof *rows->neigh};
    }
    return ask(daemon, what, &t);
}

void ip_forget(struct ip_rows *rows)
{
    free(rows->addr);
    free(rows->route);
    free(rows->neigh);
    *rows = (struct ip_rows){.links = 0};
}

const char *ip_name(const struct ip_rows *rows, int ifindex)
{
    for (int i = 0; i < rows->links; i++)
        if (rows->link[i].ifindex == ifindex)
            return rows->link[i].info.name;
    return "?";
}

int ip_index(const struct ip_rows *rows, const char *name)
{
    for (int i = 0; i < rows->links; i++)
        if (strcmp(rows->link[i].info.name, name) == 0)
            return rows->link[i].ifindex;
    return 0;
}
