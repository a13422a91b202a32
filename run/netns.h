/* The program's own network namespace: made, joined, and sockets from within it.
 *
 * Knows: Linux namespaces. Shape: struct netns is opened by the launcher and inherited by the
 * daemon and the program. Units: descriptors, -1: none. Errors: -errno. */
#ifndef RUN_NETNS_H
#define RUN_NETNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir/addr.h>

#define NETNS_POOL 64

struct netns {
    int maker;  /* to the process that lives there and makes sockets; -1: no namespace of its own */
    pid_t pid;  /* that process */
    int user;   /* the user namespace around it, -1: none was needed */
    int net;    /* the namespace */
    int pooled; /* stream sockets that are there already */
    bool is_due; /* more of them are on their way */
    int pool[NETNS_POOL * 2];
};

/* False: there is none, one line on stderr says why, and the host's is used instead. */
bool netns_open(struct netns *n);
/* For a launcher that wants none. */
void netns_none(struct netns *n);
/* The calling process, single threaded, goes there. */
int netns_join(const struct netns *n);
/* In the launcher, at the end: after the daemon's. */
void netns_close(struct netns *n);

/* A socket that belongs to the namespace, non-blocking, close-on-exec. One user at a time. */
int netns_socket(struct netns *n, int domain, int type, int protocol);
/* The same for AF_UNIX streams, of which many are wanted quickly. */
int netns_stream(struct netns *n);

#define NETNS_ADDRESSES 64
#define NETNS_SERVERS 8

struct netns_face {
    struct weir_addr address[NETNS_ADDRESSES]; /* shown as the program's own */
    uint32_t server[NETNS_SERVERS];            /* nameservers, network order: local, not shown */
    int addresses, servers;
    bool has_ip6_loopback; /* ::1 leads somewhere */
};
/* netns_lo.c: brings lo up with these. */
int netns_face(struct netns *n, const struct netns_face *face);

#endif
