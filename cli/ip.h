/* What the files of `weir ip` and `weir arp` share: what was typed, what a stack has.
 *
 * Knows: protocol.h. Shape: a stack's rows are gathered, then printed. */
#ifndef CLI_IP_H
#define CLI_IP_H

#include <jansson.h>

#include "cli/cli.h"

#define IP_LINKS_MAX 16
#define IP_ADDRS_MAX 256
#define IP_ROUTES_MAX 4096
#define IP_NEIGHS_MAX 65536

struct ip_options {
    int family; /* 4, 6; 0: both */
    bool is_json, has_stats, is_brief;
    const char *run; /* --run */
    const char *dev; /* show: only of this */
};

struct ip_rows {
    struct run_iface link[IP_LINKS_MAX];
    int links;
    struct weir_addr_info *addr;
    struct weir_route_info *route;
    struct run_neigh *neigh;
    int addrs, routes, neighs;
};

/* ip_gather.c: what the stack has of `what`, links in any case. 0, or -errno. */
int ip_gather(const char *daemon, enum run_net what, struct ip_rows *rows);
void ip_forget(struct ip_rows *rows);
const char *ip_name(const struct ip_rows *rows, int ifindex);
int ip_index(const struct ip_rows *rows, const char *name); /* 0: none */

/* ip_print.c, ip_json.c: as iproute2 does. */
void ip_print(const struct ip_options *o, const struct ip_rows *rows, enum run_net what);
void ip_print_json(const struct ip_options *o, const struct ip_rows *rows, enum run_net what);
bool ip_wants(const struct ip_options *o, const struct ip_rows *rows, int ifindex,
              const struct weir_addr *addr);
const char *ip_mac(const uint8_t mac[6], char text[18]);
const char *ip_scope(const struct weir_addr *addr);

#endif
