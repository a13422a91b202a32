/* An interface of the kernel's that a link is laid beside: packet sockets, AF_XDP.
 *
 * Knows: ioctls of devices, names that were meant. Shape: looked up once; later only whether it is
 * still there. Units: bytes. Errors: a line that names the next thing to do; -ENETDOWN.
 * Cost: some system calls. */
#include "drivers/netdev.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/words.h"

#define MTU_MIN 68
#define MTU_MAX 65535
#define LOOK_NS 100000000

static void explain_missing(const char *name, char *error, size_t size)
{
    struct if_nameindex *all = if_nameindex();
    const char *best = NULL;

    for (struct if_nameindex *i = all; i && i->if_index; i++)
        if (!best || word_distance(name, i->if_name) < word_distance(name, best))
            best = i->if_name;
    snprintf(error, size, "there is no interface '%s': did you mean '%s'? (ip link)", name,
             best ? best : "eth0");
    if (all)
        if_freenameindex(all);
}

/* Peers on a veth pair are kernels, which leave checksums to a card that is not there. */
static bool is_veth(int s, const char *name)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq r = {.ifr_data = (void *)&info};

    memcpy(r.ifr_name, name, sizeof r.ifr_name);
    return ioctl(s, SIOCETHTOOL, &r) == 0 && strcmp(info.driver, "veth") == 0;
}

static bool look(int s, struct netdev *n, char *error, size_t size)
{
    struct ifreq r = {.ifr_ifindex = 0};

    memcpy(r.ifr_name, n->name, sizeof r.ifr_name);
    if (ioctl(s, SIOCGIFHWADDR, &r) < 0 || r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        snprintf(error, size, "%s is no Ethernet interface: choose another one (ip link)", n->name);
        return false;
    }
    if (ioctl(s, SIOCGIFFLAGS, &r) < 0 || !(r.ifr_flags & IFF_UP)) {
        snprintf(error, size, "%s is down, nothing passes: sudo ip link set %s up", n->name,
                 n->name);
        return false;
    }
    if (ioctl(s, SIOCGIFMTU, &r) < 0 || r.ifr_mtu < MTU_MIN) {
        snprintf(error, size, "the MTU of %s is below %d: sudo ip link set %s mtu 1500", n->name,
                 MTU_MIN, n->name);
        return false;
    }
    n->mtu = (uint32_t)r.ifr_mtu;
    n->is_partial = is_veth(s, n->name);
    return true;
}

bool netdev_find(struct netdev *n, const char *name, char *error, size_t size)
{
    int s;
    bool is_found;

    *n = (struct netdev){.ifindex = (int)if_nametoindex(name)};
    if (!n->ifindex || strlen(name) >= sizeof n->name) {
        explain_missing(name, error, size);
        return false;
    }
    strcpy(n->name, name);
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0) {
        snprintf(error, size, "no socket: %s", strerror(errno));
        return false;
    }
    is_found = look(s, n, error, size);
    close(s);
    return is_found;
}

bool netdev_iface(const struct netdev *n, const uint8_t *mac, struct weir_iface_config *c)
{
    c->name = n->name;
    c->type = WEIR_LINK_ETHER;
    c->mtu = n->mtu < MTU_MAX ? n->mtu : MTU_MAX;
    if (mac) {
        memcpy(c->mac, mac, sizeof c->mac);
        return true;
    }
    if (getrandom(c->mac, sizeof c->mac, 0) != sizeof c->mac)
        return false;
    c->mac[0] = (uint8_t)((c->mac[0] & 0xfc) | 0x02); /* locally administered, not a group */
    return true;
}

int netdev_queues(const struct netdev *n)
{
    struct ethtool_channels c = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq r = {.ifr_data = (void *)&c};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint32_t queues = 0;

    memcpy(r.ifr_name, n->name, sizeof r.ifr_name);
    if (s >= 0 && ioctl(s, SIOCETHTOOL, &r) == 0)
        queues = c.rx_count + c.combined_count;
    if (s >= 0)
        close(s);
    return queues ? (int)queues : 1;
}

/* An interface that goes away is down first, and only that is told. */
int netdev_check(struct netdev *n, int fd, int64_t now_ns)
{
    struct ifreq r = {.ifr_ifindex = 0};
    int code = 0, v;
    socklen_t len = sizeof code;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0 && code)
        n->is_down = true;
    if (!n->is_down)
        return 0;
    n->look_at = now_ns + LOOK_NS;
    if (if_nametoindex(n->name) != (unsigned)n->ifindex)
        return -ENETDOWN;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(r.ifr_name, n->name, sizeof r.ifr_name);
    v = ioctl(fd, SIOCGIFFLAGS, &r);
    n->is_down = v < 0 || !(r.ifr_flags & IFF_UP);
    if (fd >= 0)
        close(fd);
    return 0;
}

int64_t netdev_deadline(const struct netdev *n)
{
    return n->is_down ? n->look_at : WEIR_NEVER;
}
