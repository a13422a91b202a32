/* The seccomp door: the process whose call is answered, its memory and its descriptors.
 *
 * Knows: pidfds, the listener's ioctls. Shape: a number of a process means this process only as
 * long as its call waits, so that is asked after each look: ENOENT is an everyday answer, a signal
 * took the caller away. Units: bytes. Errors: -errno. Cost: four system calls for a copy of a
 * descriptor, two for a piece of memory. */
#include "run/seccomp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static int listener = -1;
static struct call now;

void target_open(int fd)
{
    listener = fd;
}

void target_is(const struct call *c)
{
    now = *c;
}

const struct call *target_call(void)
{
    return &now;
}

bool target_waits(uint64_t id)
{
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* -- memory ------------------------------------------------------------------------------------ */

int user_read(void *to, const void *from, size_t len)
{
    struct iovec here = {to, len}, there = {(void *)(uintptr_t)from, len};

    if (len && process_vm_readv(now.thread, &here, 1, &there, 1, 0) != (ssize_t)len)
        return -EFAULT;
    return !len || target_waits(now.id) ? 0 : -EFAULT;
}

int user_write(void *to, const void *from, size_t len)
{
    struct iovec here = {(void *)(uintptr_t)from, len}, there = {to, len};

    if (!len)
        return 0;
    if (!target_waits(now.id))
        return -EFAULT;
    return process_vm_writev(now.thread, &here, 1, &there, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

/* -- descriptors ------------------------------------------------------------------------------- */

/* A number in a file of /proc behind `word`; -1: there is none. */
static long number_in(const char *path, const char *word, int base)
{
    char text[2048];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    const char *at;

    if (fd >= 0)
        close(fd);
    if (n < 0)
        return -1;
    text[n] = '\0';
    at = strstr(text, word);
    return at ? strtol(at + strlen(word), NULL, base) : -1;
}

static long process_of(pid_t thread)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    return number_in(path, "\nTgid:", 10);
}

/* Kernels before 6.9 know no pidfd of a thread. */
static int open_process(pid_t thread)
{
    long fd = syscall(SYS_pidfd_open, thread, PIDFD_THREAD);

    if (fd < 0 && errno == EINVAL)
        fd = syscall(SYS_pidfd_open, thread, 0);
    if (fd < 0)
        fd = syscall(SYS_pidfd_open, process_of(thread), 0);
    return (int)fd;
}

int target_fd(pid_t thread, int fd)
{
    int process = open_process(thread), copy;

    if (process < 0)
        return -ESRCH;
    copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
    if (copy < 0)
        copy = -errno;
    close(process);
    return copy;
}

static int flags_of(pid_t thread, int fd)
{
    char path[64];
    long flags;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)thread, fd);
    flags = number_in(path, "flags:", 8);
    return flags > 0 ? (int)flags : 0;
}

void door_replace(int fd, int with)
{
    struct seccomp_notif_addfd add = {
        .id = now.id,
        .flags = SECCOMP_ADDFD_FLAG_SETFD,
        .srcfd = (uint32_t)with,
        .newfd = (uint32_t)now.args[0],
        .newfd_flags = (uint32_t)(flags_of(now.thread, (int)now.args[0]) & O_CLOEXEC)};

    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    dup3(with, fd, O_CLOEXEC);
}

long target_give(const struct call *c, int fd, int flags)
{
    struct seccomp_notif_addfd add = {.id = c->id,
                                      .flags = SECCOMP_ADDFD_FLAG_SEND,
                                      .srcfd = (uint32_t)fd,
                                      .newfd_flags = flags & SOCK_CLOEXEC ? O_CLOEXEC : 0};

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
        return -errno;
    close(fd);
    return CALL_ANSWERED;
}

/* -- the answer -------------------------------------------------------------------------------- */

bool target_answer(const struct call *c, long result)
{
    struct seccomp_notif_resp r = {.id = c->id};

    if (result == CALL_CONTINUE)
        r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else if (result < 0)
        r.error = (int32_t)result;
    else
        r.val = result;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r) == 0;
}
