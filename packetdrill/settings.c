/* What a program sets and asks of a descriptor: options, flags, counts of bytes.
 *
 * Knows: the few options that are the caller's and not the stack's: timeouts, O_NONBLOCK.
 * Shape: one function for each call. Units: those of the option. Errors: -errno. Cost: O(1). */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <linux/sockios.h>

#include "packetdrill/file.h"

static int64_t *timeout_of(struct file *f, int level, int name)
{
    if (level != SOL_SOCKET)
        return NULL;
    if (name == SO_RCVTIMEO)
        return &f->receive_timeout_us;
    return name == SO_SNDTIMEO ? &f->send_timeout_us : NULL;
}

int64_t node_setsockopt(struct node *h, int fd, int level, int name, const struct iovec *value)
{
    struct file *f = socket_at(h, fd);
    int64_t *timeout;
    struct timeval t;
    int v;

    if (!f)
        return file_error(h, fd);
    if ((timeout = timeout_of(f, level, name))) {
        if (value->iov_len < sizeof t)
            return -EINVAL;
        memcpy(&t, value->iov_base, sizeof t);
        *timeout = (int64_t)t.tv_sec * 1000000 + t.tv_usec;
        return 0;
    }
    v = weir_setsockopt(h->stack, f->sock, level, name, value->iov_base, value->iov_len);
    node_settle(h);
    return v;
}

int64_t node_getsockopt(struct node *h, int fd, int level, int name, struct iovec *value)
{
    struct file *f = socket_at(h, fd);
    int64_t *timeout;
    struct timeval t;
    size_t len = value->iov_len;
    int v;

    if (!f)
        return file_error(h, fd);
    if ((timeout = timeout_of(f, level, name))) {
        t = (struct timeval){.tv_sec = *timeout / 1000000, .tv_usec = *timeout % 1000000};
        value->iov_len = len < sizeof t ? len : sizeof t;
        memcpy(value->iov_base, &t, value->iov_len);
        return 0;
    }
    v = weir_getsockopt(h->stack, f->sock, level, name, value->iov_base, &len);
    if (v >= 0)
        value->iov_len = len;
    return v;
}

int64_t node_fcntl(struct node *h, int fd, int cmd, int arg)
{
    struct file *f = file_at(h, fd);

    if (!f)
        return -EBADF;
    switch (cmd) {
    case F_GETFL:
        return O_RDWR | (f->is_nonblocking ? O_NONBLOCK : 0);
    case F_SETFL:
        f->is_nonblocking = arg & O_NONBLOCK;
        return 0;
    case F_GETFD:
    case F_SETFD:
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t node_ioctl(struct node *h, int fd, unsigned long request, int *value)
{
    struct file *f = socket_at(h, fd);
    struct weir_sock_info i;

    if (!f)
        return file_error(h, fd);
    if (request == FIONBIO) {
        f->is_nonblocking = *value;
        return 0;
    }
    if (request != SIOCINQ && request != SIOCOUTQ)
        return -ENOTTY;
    if (weir_info(h->stack, f->sock, &i) < 0 || i.state == WEIR_LISTEN)
        return -EINVAL;
    *value = (int)(request == SIOCINQ ? i.recv_queue : i.send_queue);
    return 0;
}
