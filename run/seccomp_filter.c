/* The seccomp door's filter: which system calls are told of.
 *
 * Knows: numbers of system calls. Shape: what names a socket, an address or an option is told of;
 * what only moves bytes is not, so that it costs nothing: sendto and recvfrom without an address,
 * read, write, poll. io_uring would pass by, and is said to be missing. Units: none. Errors: an
 * exit status and a line on stderr. Cost: some twenty comparisons for each system call. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/seccomp.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define OWN_ARCH AUDIT_ARCH_RISCV64
#else
#define OWN_ARCH 0 /* none: the filter is refused */
#endif

#define X32 0x40000000u /* a bit of x86-64's numbers: pointers of 32 bits */
#define I386_SOCKETCALL 102
#define I386_SOCKET 359

static const int told[] = {
    SYS_socket,      SYS_bind,        SYS_listen,     SYS_connect,    SYS_accept,   SYS_accept4,
    SYS_getsockname, SYS_getpeername, SYS_setsockopt, SYS_getsockopt, SYS_shutdown,
};
static const int told_with_address[] = {SYS_sendto, SYS_recvfrom};

struct filter {
    struct sock_filter code[64];
    unsigned short len;
};

static void put(struct filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    f->code[f->len++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct filter *f, size_t at)
{
    put(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

static void give(struct filter *f, uint32_t verdict)
{
    put(f, BPF_RET | BPF_K, verdict, 0, 0);
}

/* If the number that was loaded is this, the verdict. */
static void if_is(struct filter *f, uint32_t number, uint32_t verdict)
{
    put(f, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    give(f, verdict);
}

/* The fifth argument, in two halves. Nothing is loaded behind it but for the calls it names. */
static void if_has_address(struct filter *f, uint32_t number)
{
    size_t at = offsetof(struct seccomp_data, args) + 4 * sizeof(uint64_t);

    put(f, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 6);
    load(f, at);
    put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(f, at + 4);
    put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    give(f, SECCOMP_RET_ALLOW);
    give(f, SECCOMP_RET_USER_NOTIF);
}

static void build(struct filter *f)
{
    load(f, offsetof(struct seccomp_data, arch));
    put(f, BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 6, 0);
    load(f, offsetof(struct seccomp_data, nr)); /* of 32 bits: no sockets, it is said at once */
    if_is(f, I386_SOCKETCALL, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    if_is(f, I386_SOCKET, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    give(f, SECCOMP_RET_ALLOW);
    load(f, offsetof(struct seccomp_data, nr));
    put(f, BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1);
    give(f, SECCOMP_RET_ERRNO | ENOSYS);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if_is(f, (uint32_t)told[i], SECCOMP_RET_USER_NOTIF);
    if_is(f, SYS_io_uring_setup, SECCOMP_RET_ERRNO | ENOSYS);
    for (size_t i = 0; i < sizeof told_with_address / sizeof told_with_address[0]; i++)
        if_has_address(f, (uint32_t)told_with_address[i]);
    give(f, SECCOMP_RET_ALLOW);
}

/* The listener, or -errno. Who lacks the privilege gives up what setuid programs would gain. */
static int install(void)
{
    struct filter f = {.len = 0};
    struct sock_fprog program = {.filter = f.code};
    long fd;

    if (!OWN_ARCH)
        return -ENOSYS;
    build(&f);
    program.len = f.len;
    fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (fd < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                     &program);
    return fd < 0 ? -errno : (int)fd;
}

static const char *what_to_do(int error)
{
    if (error == -EBUSY)
        return "a process can have one such filter only: it runs under another one already";
    if (error == -EPERM || error == -EACCES)
        return "this sandbox forbids it (docker run --security-opt seccomp=unconfined)";
    return "it needs Linux 5.14 with CONFIG_SECCOMP_FILTER";
}

int seccomp_enter(int doorman)
{
    int listener = install();
    char ok = 0;

    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    if (listener < 0)
        fprintf(stderr, "weir: no seccomp door (%s): %s\n", strerror(-listener),
                what_to_do(listener));
    /* No message with the descriptor in it: such calls are told of, and nobody hears yet. */
    if (write(doorman, &listener, sizeof listener) != (ssize_t)sizeof listener || listener < 0 ||
        read(doorman, &ok, 1) != 1)
        return 126;
    close(listener);
    return 0;
}
