/* The caller's memory, which may be anywhere: EFAULT, not a crash, as from the kernel.
 *
 * Knows: that it is our own. Shape: the kernel copies, within this process; where it is not allowed
 * to (a sandbox), memcpy does. Units: bytes. Errors: -EFAULT. Cost: a system call for each piece.
 */
#include "run/door.h"

#include <sys/uio.h>
#include <unistd.h>

int user_read(void *to, const void *from, size_t len)
{
    struct iovec here = {to, len}, there = {(void *)(uintptr_t)from, len};
    int saved = errno;
    ssize_t n;

    if (!len)
        return 0;
    if (!from)
        return -EFAULT;
    n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    if (n < 0 && errno != EFAULT) {
        memcpy(to, from, len);
        n = (ssize_t)len;
    }
    errno = saved;
    return n == (ssize_t)len ? 0 : -EFAULT;
}

int user_write(void *to, const void *from, size_t len)
{
    struct iovec here = {(void *)(uintptr_t)from, len}, there = {to, len};
    int saved = errno;
    ssize_t n;

    if (!len)
        return 0;
    if (!to)
        return -EFAULT;
    n = process_vm_writev(getpid(), &here, 1, &there, 1, 0);
    if (n < 0 && errno != EFAULT) {
        memcpy(to, from, len);
        n = (ssize_t)len;
    }
    errno = saved;
    return n == (ssize_t)len ? 0 : -EFAULT;
}
