/* Urgent bytes from the stack to the kernel and back: see weir/gateway.h.
 *
 * Knows: nothing else of the stream. Shape: the byte is looked at, sent, and only then taken.
 * Units: one byte. Errors: see there. Cost: a system call where there is a mark. */
#include "weir/gateway.h"
#include "weir/socket.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool weir_urgent_to_fd(struct weir_stack *stack, int sock, int fd)
{
    uint8_t byte;
    ssize_t n;

    if (weir_at_mark(stack, sock) != 1 || weir_recv(stack, sock, &byte, 1, MSG_OOB | MSG_PEEK) != 1)
        return true;
    n = send(fd, &byte, 1, MSG_OOB | MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EOPNOTSUPP)
        n = send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return false;
    weir_recv(stack, sock, &byte, 1, MSG_OOB);
    return true;
}

bool weir_urgent_at_fd(int fd)
{
    int is_at_mark = 0;

    return ioctl(fd, SIOCATMARK, &is_at_mark) == 0 && is_at_mark;
}
