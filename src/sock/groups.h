/* What groups.c, sources.c and msfilter.c share: joining and leaving, by whatever option was asked
 * for it.
 *
 * Knows: sock.h. Units: none. Errors: -errno. */
#ifndef SOCK_GROUPS_H
#define SOCK_GROUPS_H

#include <netinet/in.h>

#include "sock/sock.h"

/* Where a group is to be joined: ifindex if that is given, else where its route leads. -ENODEV. */
int groups_ifindex(struct socks *k, const struct weir_addr *group, int ifindex);
/* Which interface an address of ours names; 0: it is none, -ENODEV: nobody has it. */
int groups_ifindex_at(struct socks *k, struct in_addr addr);
/* An address of the option's own family; false: of another. */
bool groups_read_addr(const struct sockaddr_storage *in, int level, struct weir_addr *out);
int groups_join(struct socks *k, struct sock *s, const struct weir_addr *group, int ifindex,
                const struct filter *from);
int groups_leave(struct socks *k, struct sock *s, const struct weir_addr *group, int ifindex);

/* sources.c: MCAST_JOIN_GROUP and its like, which are of both families; and those of IPv4 alone. */
bool sources_is_opt(int name);
int sources_set(struct socks *k, struct sock *s, const struct sock_opt *o);

/* msfilter.c: the whole filter of a group. */
int msfilter_set(struct socks *k, struct sock *s, const struct sock_opt *o);

#endif
