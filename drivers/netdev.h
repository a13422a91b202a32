/* An interface of the kernel's that a link is laid beside: packet sockets, AF_XDP.
 *
 * Knows: ioctls of devices. Shape: looked up once. Units: bytes. Errors: a line that names the next
 * thing to do. Cost: some system calls. */
#ifndef DRIVERS_NETDEV_H
#define DRIVERS_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/stack.h>

struct netdev {
    char name[IFNAMSIZ];
    int ifindex;
    uint32_t mtu; /* as it is, also above what the stack takes */
    bool is_down; /* netdev_check: look again at look_at */
    int64_t look_at;
    bool is_partial; /* its frames may come without checksums from a kernel that is near: veth */
};

/* False with a line in `error`: no such interface, none of Ethernet, down, an MTU that is no use.
 */
bool netdev_find(struct netdev *n, const char *name, char *error, size_t size);
/* Names it for the stack, with this MAC, or one that is drawn; false: no random numbers. */
bool netdev_iface(const struct netdev *n, const uint8_t *mac, struct weir_iface_config *c);
/* Of those that receive; 1 if it does not say. */
int netdev_queues(const struct netdev *n);
/* When a socket on it has nothing: takes its error away, so that it wakes nobody again, and returns
 * -ENETDOWN if the interface is gone for good, else 0. */
int netdev_check(struct netdev *n, int fd, int64_t now_ns);
/* When to call that again although no descriptor woke. */
int64_t netdev_deadline(const struct netdev *n);

#endif
