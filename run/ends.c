/* The program's ends of carriers: which inode they have, what waits in them.
 *
 * Knows: the kernel's list of AF_UNIX sockets (sock_diag(7)). Shape: one dump, sorted by inode; a
 * connected carrier is found through its peer, a listener by its name. Units: bytes, connections.
 * Errors: no list: nothing is known. Cost: O(sockets of the namespace). */
#include "run/daemon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "run/names.h"

#define LISTENING 10 /* TCP_LISTEN, which the kernel uses for these as well */

struct list {
    struct daemon *d;
    struct end *end;
    int count, room;
};

static bool ask_kernel(struct daemon *d)
{
    struct {
        struct nlmsghdr head;
        struct unix_diag_req req;
    } q = {.head = {.nlmsg_len = sizeof q,
                    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
           .req = {.sdiag_family = AF_UNIX,
                   .udiag_states = UINT32_MAX,
                   .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN}};

    if (d->diag < 0)
        d->diag = netns_socket(&d->netns, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    return d->diag >= 0 && send(d->diag, &q, sizeof q, 0) == (ssize_t)sizeof q;
}

static void read_name(const struct list *l, const struct rtattr *a, struct end *e)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char rest[sizeof un.sun_path];
    size_t len = RTA_PAYLOAD(a);

    if (len > sizeof un.sun_path)
        return;
    memcpy(un.sun_path, RTA_DATA(a), len);
    if (name_rest(&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len), l->d->name,
                  rest) &&
        strlen(rest) < sizeof e->id)
        memcpy(e->id, rest, strlen(rest) + 1);
}

static void read_attribute(const struct list *l, const struct rtattr *a, struct end *e)
{
    struct unix_diag_rqlen q;

    if (a->rta_type == UNIX_DIAG_NAME)
        read_name(l, a, e);
    if (a->rta_type == UNIX_DIAG_PEER && RTA_PAYLOAD(a) >= sizeof e->peer)
        memcpy(&e->peer, RTA_DATA(a), sizeof e->peer);
    if (a->rta_type == UNIX_DIAG_RQLEN && RTA_PAYLOAD(a) >= sizeof q) {
        memcpy(&q, RTA_DATA(a), sizeof q);
        e->waiting = q.udiag_rqueue;
        e->most = q.udiag_wqueue;
    }
}

static void add(struct list *l, const struct nlmsghdr *h)
{
    const struct unix_diag_msg *m = NLMSG_DATA(h);
    int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof *m));
    struct end e = {.inode = m->udiag_ino, .is_listening = m->udiag_state == LISTENING};

    for (struct rtattr *a = (struct rtattr *)(m + 1); RTA_OK(a, left); a = RTA_NEXT(a, left))
        read_attribute(l, a, &e);
    if (l->count == l->room) {
        int room = l->room ? 2 * l->room : 256;
        struct end *more = realloc(l->end, (size_t)room * sizeof *more);
        if (!more)
            return;
        l->end = more;
        l->room = room;
    }
    l->end[l->count++] = e;
}

/* False: that was the last part. */
static bool add_part(struct list *l, const void *part, size_t n)
{
    for (const struct nlmsghdr *h = part; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
        if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
            return false; /* NLMSG_DONE, NLMSG_ERROR */
        add(l, h);
    }
    return true;
}

static int by_inode(const void *a, const void *b)
{
    const struct end *x = a, *y = b;

    return (x->inode > y->inode) - (x->inode < y->inode);
}

int ends_read(struct daemon *d, struct end **ends)
{
    static _Alignas(struct nlmsghdr) char part[32768];
    struct list l = {.d = d};
    bool is_more = ask_kernel(d);

    while (is_more) {
        ssize_t n = recv(d->diag, part, sizeof part, 0);
        if (n < 0 && errno == EINTR)
            continue;
        is_more = n > 0 && add_part(&l, part, (size_t)n);
    }
    if (l.count)
        qsort(l.end, (size_t)l.count, sizeof *l.end, by_inode);
    *ends = l.end;
    return l.count;
}

static const struct end *find(const struct end *ends, int n, uint32_t inode)
{
    struct end key = {.inode = inode};

    return n && inode ? bsearch(&key, ends, (size_t)n, sizeof key, by_inode) : NULL;
}

const struct end *end_of(const struct end *ends, int n, const struct carrier *c)
{
    const struct end *own;
    struct stat st;

    if (c->fd >= 0 && fstat(c->fd, &st) == 0) {
        own = find(ends, n, (uint32_t)st.st_ino);
        return own ? find(ends, n, own->peer) : NULL;
    }
    for (int i = 0; i < n; i++)
        if (strcmp(ends[i].id, c->id) == 0 && ends[i].is_listening == c->is_listening)
            return &ends[i];
    return NULL;
}
