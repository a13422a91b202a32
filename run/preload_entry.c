/* Other ways into the same calls: syscall() by number, and what _FORTIFY_SOURCE makes of a read.
 *
 * Knows: numbers and argument order. Shape: each is led to the wrapped call of that name; any other
 * number goes to the kernel as it came, without dlsym (allocators call syscall() while they begin).
 * libc's resolver calls neither: it cannot be led here. Units: as libc. Errors: errno.
 * Cost: one switch. */
#include "run/door.h"

#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct args {
    long a, b, c, d, e, f;
};

#if defined(__x86_64__)
static long kernel(long number, const struct args *g)
{
    register long r10 __asm__("r10") = g->d;
    register long r8 __asm__("r8") = g->e;
    register long r9 __asm__("r9") = g->f;
    long v;

    __asm__ volatile("syscall"
                     : "=a"(v)
                     : "a"(number), "D"(g->a), "S"(g->b), "d"(g->c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    if ((unsigned long)v < -4095UL)
        return v;
    errno = (int)-v;
    return -1;
}
#else
static long kernel(long number, const struct args *g)
{
    return REAL(syscall)(number, g->a, g->b, g->c, g->d, g->e, g->f);
}
#endif

static long control_call(long number, const struct args *g)
{
    int fd = (int)g->a;

    switch (number) {
    case SYS_socket:
        return socket(fd, (int)g->b, (int)g->c);
    case SYS_bind:
        return bind(fd, (void *)g->b, (socklen_t)g->c);
    case SYS_listen:
        return listen(fd, (int)g->b);
    case SYS_connect:
        return connect(fd, (void *)g->b, (socklen_t)g->c);
    case SYS_accept:
        return accept(fd, (void *)g->b, (void *)g->c);
    case SYS_accept4:
        return accept4(fd, (void *)g->b, (void *)g->c, (int)g->d);
    case SYS_getsockname:
        return getsockname(fd, (void *)g->b, (void *)g->c);
    case SYS_getpeername:
        return getpeername(fd, (void *)g->b, (void *)g->c);
    case SYS_setsockopt:
        return setsockopt(fd, (int)g->b, (int)g->c, (void *)g->d, (socklen_t)g->e);
    case SYS_getsockopt:
        return getsockopt(fd, (int)g->b, (int)g->c, (void *)g->d, (void *)g->e);
    default:
        return kernel(number, g);
    }
}

static long data_call(long number, const struct args *g)
{
    int fd = (int)g->a, flags = (int)g->d;

    switch (number) {
    case SYS_read:
        return read(fd, (void *)g->b, (size_t)g->c);
    case SYS_write:
        return write(fd, (void *)g->b, (size_t)g->c);
    case SYS_readv:
        return readv(fd, (void *)g->b, (int)g->c);
    case SYS_writev:
        return writev(fd, (void *)g->b, (int)g->c);
    case SYS_recvfrom:
        return recvfrom(fd, (void *)g->b, (size_t)g->c, flags, (void *)g->e, (void *)g->f);
    case SYS_sendto:
        return sendto(fd, (void *)g->b, (size_t)g->c, flags, (void *)g->e, (socklen_t)g->f);
    case SYS_recvmsg:
        return recvmsg(fd, (void *)g->b, (int)g->c);
    case SYS_sendmsg:
        return sendmsg(fd, (void *)g->b, (int)g->c);
    case SYS_recvmmsg:
        return recvmmsg(fd, (void *)g->b, (unsigned)g->c, flags, (void *)g->e);
    case SYS_sendmmsg:
        return sendmmsg(fd, (void *)g->b, (unsigned)g->c, flags);
    default:
        return control_call(number, g);
    }
}

/* Six arguments are taken whatever the call has: libc's own syscall() does the same. */
EXPORT long syscall(long number, ...)
{
    struct args g;
    va_list list;

    va_start(list, number);
    g.a = va_arg(list, long);
    g.b = va_arg(list, long);
    g.c = va_arg(list, long);
    g.d = va_arg(list, long);
    g.e = va_arg(list, long);
    g.f = va_arg(list, long);
    va_end(list);
    return door_daemon ? data_call(number, &g) : kernel(number, &g);
}

/* -- _FORTIFY_SOURCE: the length is checked against the room, then it is the same call --------- */

extern void __chk_fail(void) __attribute__((noreturn));
ssize_t __read_chk(int fd, void *data, size_t len, size_t room);
ssize_t __recv_chk(int fd, void *data, size_t len, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *data, size_t len, size_t room, int flags, struct sockaddr *sa,
                       socklen_t *sa_len);

EXPORT ssize_t __read_chk(int fd, void *data, size_t len, size_t room)
{
    if (len > room)
        __chk_fail();
    return read(fd, data, len);
}

EXPORT ssize_t __recv_chk(int fd, void *data, size_t len, size_t room, int flags)
{
    if (len > room)
        __chk_fail();
    return recv(fd, data, len, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *data, size_t len, size_t room, int flags,
                              struct sockaddr *sa, socklen_t *sa_len)
{
    if (len > room)
        __chk_fail();
    return recvfrom(fd, data, len, flags, sa, sa_len);
}
