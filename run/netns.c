/* A network namespace in which the program has nothing but weir: what passes the door by meets no
 * network there.
 *
 * Knows: unshare, setns, passing of descriptors. Shape: abstract AF_UNIX names and addresses belong
 * to a namespace, and a socket stays in the one it was made in. So a small process, the maker,
 * lives in the new one and does nothing but make sockets for the daemon, which stays in the host's.
 * With CAP_SYS_ADMIN no user namespace is made (a server may still change to its own user); without
 * it one is, where only the caller's uid and gid exist. Units: none. Errors: -errno; a maker that
 * is gone is -ENETDOWN. Cost: a process, and one message for 64 accepted streams. */
#include "run/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DGRAM_QUEUE "1024"

/* What the daemon asks the maker for. */
struct want {
    int domain, type, protocol, count;
};

/* -- passing descriptors ----------------------------------------------------------------------- */

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(NETNS_POOL * sizeof(int))];
};

static int send_fds(int to, int result, const int *fds, int count)
{
    struct iovec iov = {&result, sizeof result};
    union control control;
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *c;

    if (count) {
        m.msg_control = control.room;
        m.msg_controllen = CMSG_SPACE((size_t)count * sizeof *fds);
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)count * sizeof *fds);
        memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof *fds);
    }
    return sendmsg(to, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* How many came, at most NETNS_POOL; or the sender's error. */
static int receive_fds(int from, int *fds, int flags)
{
    int result = 0, count;
    struct iovec iov = {&result, sizeof result};
    union control control;
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *c;
    ssize_t n;

    m.msg_control = control.room;
    m.msg_controllen = sizeof control;
    do
        n = recvmsg(from, &m, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof result)
        return n < 0 && errno == EAGAIN ? -EAGAIN : -ENETDOWN;
    c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_type != SCM_RIGHTS)
        return result < 0 ? result : 0;
    count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof *fds);
    memcpy(fds, CMSG_DATA(c), (size_t)count * sizeof *fds);
    return count;
}

/* -- the maker --------------------------------------------------------------------------------- */

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), v = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        v = -errno;
    close(fd);
    return v;
}

/* The caller stays who it is: no other user exists there. */
static int map_self(uid_t uid, gid_t gid)
{
    char map[64];
    int v = write_file("/proc/self/setgroups", "deny");

    if (v < 0 && v != -ENOENT)
        return v;
    snprintf(map, sizeof map, "%u %u 1\n", uid, uid);
    if ((v = write_file("/proc/self/uid_map", map)) < 0)
        return v;
    snprintf(map, sizeof map, "%u %u 1\n", gid, gid);
    return write_file("/proc/self/gid_map", map);
}

/* Where the network is the host's and nothing else is: > 0, a user namespace was needed. */
static int leave_host(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (unshare(CLONE_NEWNET) == 0)
        return 0;
    if (errno != EPERM || uid == 0) /* root in a namespace of its own could not change its uid */
        return -errno;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return -errno;
    return map_self(uid, gid) < 0 ? -EPERM : 1;
}

static void make_sockets(int to, const struct want *w)
{
    int fds[NETNS_POOL], made = 0, error = 0;

    while (made < w->count && made < NETNS_POOL && !error) {
        int fd = socket(w->domain, w->type | SOCK_CLOEXEC | SOCK_NONBLOCK, w->protocol);
        if (fd < 0)
            error = errno;
        else
            fds[made++] = fd;
    }
    (void)send_fds(to, -error, fds, made);
    while (made > 0)
        close(fds[--made]);
}

static int open_self(const char *path, int *fd)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? -errno : 0;
}

/* Ends when nobody is left who could ask. */
static void maker_main(int to)
{
    struct want w;
    int fds[2], v = leave_host(), count = 0;

    signal(SIGINT, SIG_IGN); /* they are for the program */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    prctl(PR_SET_NAME, "weir-netns");
    if (v >=
        0) /* datagram carriers to the daemon: the kernel's 10 makes senders wait at each turn */
        (void)write_file("/proc/sys/net/unix/max_dgram_qlen", DGRAM_QUEUE);
    if (v >= 0 && open_self("/proc/self/ns/net", &fds[count]) == 0)
        count++;
    if (v > 0 && count == 1 && open_self("/proc/self/ns/user", &fds[count]) == 0)
        count++;
    if (send_fds(to, v < 0 ? v : 0, fds, count) < 0 || v < 0)
        return;
    while (count > 0)
        close(fds[--count]);
    while (recv(to, &w, sizeof w, 0) == (ssize_t)sizeof w)
        make_sockets(to, &w);
}

/* -- the launcher ------------------------------------------------------------------------------ */

static bool is_set(const char *path, char value)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char got = '\0';

    if (fd < 0)
        return false;
    if (read(fd, &got, 1) != 1)
        got = '\0';
    close(fd);
    return got == value;
}

static const char *what_to_do(void)
{
    if (is_set("/proc/sys/user/max_net_namespaces", '0'))
        return "allow it: sysctl -w user.max_net_namespaces=10000";
    if (geteuid() == 0)
        return "a container needs CAP_SYS_ADMIN for it (docker run --cap-add SYS_ADMIN)";
    if (is_set("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
        return "allow it: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
    if (is_set("/proc/sys/kernel/unprivileged_userns_clone", '0'))
        return "allow it: sysctl -w kernel.unprivileged_userns_clone=1";
    if (is_set("/proc/sys/user/max_user_namespaces", '0'))
        return "allow it: sysctl -w user.max_user_namespaces=10000";
    return "this system allows no user namespaces here; root needs none";
}

static void explain(int error)
{
    fprintf(stderr,
            "weir: no network namespace (%s): what bypasses weir meets the host's network; %s, "
            "or say --no-isolation\n",
            strerror(-error), what_to_do());
}

void netns_none(struct netns *n)
{
    *n = (struct netns){.maker = -1, .pid = -1, .user = -1, .net = -1};
}

bool netns_open(struct netns *n)
{
    int pair[2], fds[NETNS_POOL], count;

    netns_none(n);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        explain(-errno);
        return false;
    }
    fflush(NULL);
    n->pid = fork();
    if (n->pid == 0) {
        close(pair[0]);
        maker_main(pair[1]);
        _exit(0);
    }
    close(pair[1]);
    n->maker = pair[0];
    count = receive_fds(n->maker, fds, 0);
    if (count > 0) {
        n->net = fds[0];
        n->user = count > 1 ? fds[1] : -1;
        return true;
    }
    netns_close(n);
    explain(count < 0 ? count : -ENETDOWN);
    return false;
}

int netns_join(const struct netns *n)
{
    if (n->user >= 0 && setns(n->user, CLONE_NEWUSER) < 0)
        return -errno;
    return n->net >= 0 && setns(n->net, CLONE_NEWNET) < 0 ? -errno : 0;
}

void netns_close(struct netns *n)
{
    if (n->maker >= 0)
        close(n->maker);
    if (n->pid > 0)
        while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    if (n->user >= 0)
        close(n->user);
    if (n->net >= 0)
        close(n->net);
    netns_none(n);
}

/* -- the daemon -------------------------------------------------------------------------------- */

static int ask_maker(struct netns *n, const struct want *w)
{
    return send(n->maker, w, sizeof *w, MSG_NOSIGNAL) == (ssize_t)sizeof *w ? 0 : -ENETDOWN;
}

/* Sockets for the pool that were asked for before. */
static void collect(struct netns *n, int flags)
{
    int got = receive_fds(n->maker, n->pool + n->pooled, flags);

    if (got == -EAGAIN)
        return;
    n->is_due = false;
    if (got > 0)
        n->pooled += got;
}

int netns_socket(struct netns *n, int domain, int type, int protocol)
{
    struct want w = {domain, type, protocol, 1};
    int fds[NETNS_POOL], v;

    if (n->maker < 0) {
        v = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
        return v < 0 ? -errno : v;
    }
    if (n->is_due) /* answers come in the order of questions */
        collect(n, 0);
    if ((v = ask_maker(n, &w)) < 0)
        return v;
    v = receive_fds(n->maker, fds, 0);
    return v > 0 ? fds[0] : v < 0 ? v : -ENETDOWN;
}

int netns_stream(struct netns *n)
{
    static const struct want more = {AF_UNIX, SOCK_STREAM, 0, NETNS_POOL};

    if (n->maker < 0)
        return netns_socket(n, AF_UNIX, SOCK_STREAM, 0);
    if (!n->is_due && n->pooled < NETNS_POOL / 2)
        n->is_due = ask_maker(n, &more) == 0;
    if (n->is_due)
        collect(n, n->pooled ? MSG_DONTWAIT : 0);
    return n->pooled ? n->pool[--n->pooled] : netns_socket(n, AF_UNIX, SOCK_STREAM, 0);
}
