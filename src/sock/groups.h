/* What groups.c and sources.c share: joining and leaving, by whatever option was asked for it.
 *
 * Knows: sock.h. Units: none. Errors: -errno. */
#ifndef SOCK_GROUPS_H
#define SOCK_GROUPS_H

#include "sock/sock.h"

/* Where a group is to be joined: ifindex if that is given, else where its route leads. -ENODEV. */
int groups_ifindex(struct socks *k, const struct weir_addr *group, int ifindex);
int groups_join(struct socks *k, struct sock *s, const struct weir_addr *group, int ifindex,
                const struct filter *from);
int groups_leave(struct socks *k, struct sock *s, const struct weir_addr *group, int ifindex);

/* sources.c: MCAST_JOIN_GROUP and its like, which are of both families; and those of IPv4 alone. */
bool sources_is_opt(int name);
int sources_set(struct socks *k, struct sock *s, const struct sock_opt *o);

#endif
