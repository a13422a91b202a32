/* A program that seccomp.py links statically: the system calls of clients and servers, in the order
 * in which libc's programs and Go's make them, and what came of each.
 *
 * Knows: sockets. Shape: `seccomp_program VERB [PORT]`; a line for each thing seen. It prints the
 * same on the kernel's stack. Units: none. Errors: errno's name in a line. Cost: none. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int said(const char *what, long v)
{
    int error = errno;

    if (v < 0)
        printf("%s: %s\n", what, strerrorname_np(error));
    else
        printf("%s: %s\n", what, v ? "some" : "0");
    errno = error;
    return (int)v;
}

static struct sockaddr_in local(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void say_name(const char *what, int v, const struct sockaddr_in *a, socklen_t len)
{
    said(what, v);
    printf("  %s family %d length %u\n", inet_ntoa(a->sin_addr), a->sin_family, len);
}

static void say_names(int fd)
{
    struct sockaddr_in a = local(0);
    socklen_t len = sizeof a;
    int v = getsockname(fd, (void *)&a, &len);

    say_name("getsockname", v, &a, len);
    len = sizeof a;
    v = getpeername(fd, (void *)&a, &len);
    say_name("getpeername", v, &a, len);
}

static void say_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    said("getsockopt", getsockopt(fd, level, name, &value, &len));
    printf("  %d:%d is %d of %u\n", level, name, value, len);
}

/* What comes until the end. */
static void say_rest(int fd)
{
    char data[65536];
    size_t sum = 0;
    ssize_t n;

    while ((n = read(fd, data, sizeof data)) > 0 || (n < 0 && errno == EAGAIN))
        sum += n > 0 ? (size_t)n : 0;
    said("read", n);
    printf("  %zu bytes\n", sum);
}

static void client(int port)
{
    static char data[300000];
    struct sockaddr_in a = local(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    said("cloexec", fcntl(fd, F_GETFD));
    said("connect", connect(fd, (void *)&a, sizeof a));
    say_names(fd);
    said("setsockopt", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    say_option(fd, IPPROTO_TCP, TCP_NODELAY);
    say_option(fd, SOL_SOCKET, SO_TYPE);
    said("connect again", connect(fd, (void *)&a, sizeof a));
    said("bad pointer", connect(fd, (void *)1, sizeof a));
    said("bad descriptor", connect(999, (void *)&a, sizeof a));
    said("write", write(fd, data, sizeof data));
    said("shutdown", shutdown(fd, SHUT_WR));
    say_rest(fd);
    close(fd);
}

/* A try that failed leaves a socket that can try again. */
static void refused(int port)
{
    struct sockaddr_in a = local(1), b = local(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    said("connect", connect(fd, (void *)&a, sizeof a));
    said("connect", connect(fd, (void *)&b, sizeof b));
    said("cloexec", fcntl(fd, F_GETFD));
    said("write", write(fd, "question", 8));
    shutdown(fd, SHUT_WR);
    say_rest(fd);
}

/* As Go connects: in epoll, edge triggered, before connect. */
static void nonblocking(int port)
{
    struct sockaddr_in a = local(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};

    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    while (epoll_wait(poller, &e, 1, 0) == 1) /* an unconnected socket has hung up */
        ;
    said("connect", connect(fd, (void *)&a, sizeof a));
    for (int i = 0; i < 10; i++) {
        epoll_wait(poller, &e, 1, -1);
        if (e.events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
            break;
    }
    printf("out %d\n", !!(e.events & EPOLLOUT));
    say_option(fd, SOL_SOCKET, SO_ERROR);
    if (port == 1)
        return;
    say_names(fd);
    said("write", write(fd, "question", 8));
    shutdown(fd, SHUT_WR);
    say_rest(fd);
    close(fd);
}

static void refused_later(int port)
{
    (void)port;
    nonblocking(1);
}

static int listener(int flags)
{
    struct sockaddr_in a = local(0);
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0), on = 1;

    said("setsockopt", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    said("bind", bind(fd, (void *)&a, sizeof a));
    said("listen", listen(fd, 10));
    said("getsockname", getsockname(fd, (void *)&a, &len));
    printf("port %d\n", ntohs(a.sin_port));
    return fd;
}

static void echo(int fd)
{
    char data[65536];
    ssize_t n;

    while ((n = read(fd, data, sizeof data)) > 0)
        if (write(fd, data, (size_t)n) != n)
            break;
    close(fd);
}

/* One after the other, the third in a child. */
static void server(int port)
{
    int l = listener(SOCK_CLOEXEC), fd;
    struct sockaddr_in a = {.sin_port = 0};
    socklen_t len = sizeof a;

    (void)port;
    fd = accept(l, (void *)&a, &len);
    say_name("accept", fd, &a, len);
    say_names(fd);
    echo(fd);
    fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    said("accept4", fd);
    said("cloexec", fcntl(fd, F_GETFD));
    printf("non-blocking %d\n", !!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    fcntl(fd, F_SETFL, 0);
    echo(fd);
    if (fork() == 0) {
        fd = accept(l, NULL, NULL);
        said("accept in the child", fd);
        echo(fd);
        _exit(0);
    }
    wait(NULL);
}

static void take_all(int l, int poller)
{
    int fd;

    while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    }
}

/* True: it has ended. */
static int echo_some(int fd)
{
    char data[4096];
    ssize_t n;

    while ((n = read(fd, data, sizeof data)) > 0) {
        fcntl(fd, F_SETFL, 0);
        n = write(fd, data, (size_t)n);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    if (n == 0)
        close(fd);
    return n == 0;
}

/* Edge triggered, until two connections have ended. */
static void epolled(int port)
{
    int l = listener(SOCK_NONBLOCK | SOCK_CLOEXEC), poller = epoll_create1(0), ended = 0;
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = l};

    (void)port;
    epoll_ctl(poller, EPOLL_CTL_ADD, l, &e);
    said("none yet", accept(l, NULL, NULL));
    while (ended < 2 && epoll_wait(poller, &e, 1, -1) == 1)
        if (e.data.fd == l)
            take_all(l, poller);
        else
            ended += echo_some(e.data.fd);
}

static void on_signal(int number)
{
    (void)number;
}

static volatile int is_over;

static void *interrupt(void *thread)
{
    while (!is_over) { /* it may come before the call that it is to end */
        usleep(10000);
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
    }
    return NULL;
}

/* A signal ends accept, and what comes later is not lost. */
static void signals(int port)
{
    struct sigaction action = {.sa_handler = on_signal};
    pthread_t self = pthread_self(), other;
    int l = listener(0);

    (void)port;
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&other, NULL, interrupt, &self);
    said("accept", accept(l, NULL, NULL));
    is_over = 1;
    pthread_join(other, NULL);
    printf("interrupted\n");
    echo(said("accept", accept(l, NULL, NULL)));
}

static void *disturb(void *thread)
{
    while (!is_over) {
        usleep(3000); /* a busy machine must be able to answer in between */
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
    }
    return NULL;
}

/* Go's threads get signals all the time, and what they interrupt begins anew: nothing is done
 * twice, and no connection is lost. */
static void storm(int port)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    pthread_t self = pthread_self(), other;
    int failed = 0;

    (void)port;
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&other, NULL, disturb, &self);
    for (int i = 0; i < 150; i++) {
        struct sockaddr_in a = local(0);
        socklen_t len = sizeof a;
        int l = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), got;
        failed += bind(l, (void *)&a, sizeof a) < 0 || listen(l, 5) < 0;
        getsockname(l, (void *)&a, &len);
        failed += connect(fd, (void *)&a, sizeof a) < 0;
        got = accept(l, (void *)&a, &len);
        failed += got < 0 || write(got, "x", 1) != 1;
        close(got);
        close(fd);
        close(l);
    }
    is_over = 1;
    pthread_join(other, NULL);
    printf("failed %d\n", failed);
}

static void *accept_in_thread(void *l)
{
    said("accept in a thread", accept(*(int *)l, NULL, NULL) < 0 ? -1 : 0);
    return NULL;
}

/* One thread waits in accept; the others go on. */
static void threads(int port)
{
    int l = listener(0);
    pthread_t other;

    pthread_create(&other, NULL, accept_in_thread, &l);
    client(port);
    printf("others go on\n");
    pthread_join(other, NULL);
}

/* After exec a listener is where it was. */
static void inherited(int port)
{
    char number[16];
    int l;

    if (port == 0) {
        l = listener(0);
        snprintf(number, sizeof number, "%d", -l);
        execl("/proc/self/exe", "program", "inherited", number, (char *)NULL);
    }
    said("accept", port = accept(-port, NULL, NULL));
    echo(port);
}

/* Sockets of other kinds are the kernel's. */
static void foreign(int port)
{
    int pair[2], value = 0;
    socklen_t len = sizeof value;

    (void)port;
    said("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    said("getsockopt", getsockopt(pair[0], SOL_SOCKET, SO_DOMAIN, &value, &len));
    printf("domain %d\n", value);
    said("shutdown", shutdown(pair[0], SHUT_WR));
    said("netlink", socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? -1 : 0);
    said("not a socket", getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &len));
}

static void say_datagram(int fd, int with_name)
{
    char data[4096] = "";
    struct sockaddr_in from = {.sin_port = 0};
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, data, sizeof data, 0, with_name ? (void *)&from : NULL,
                         with_name ? &len : NULL);

    said("recvfrom", n);
    printf("  %zd: %.20s from family %d\n", n, data, with_name ? from.sin_family : 0);
}

/* As libc's resolver: connected, then with and without names. */
static void datagrams(int port)
{
    struct sockaddr_in a = local(port), none = {.sin_family = AF_UNSPEC};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), waiting = 0;
    char data[100] = "";
    struct pollfd p = {.fd = fd, .events = POLLIN};

    said("nowhere", recv(fd, data, sizeof data, MSG_DONTWAIT));
    said("connect", connect(fd, (void *)&a, sizeof a));
    say_names(fd);
    said("write", write(fd, "one", 3));
    said("poll", poll(&p, 1, -1));
    said("ioctl", ioctl(fd, FIONREAD, &waiting));
    printf("waiting %d\n", waiting);
    said("read", read(fd, data, sizeof data));
    printf("  %s\n", data);
    said("send", send(fd, "two", 3, 0));
    say_datagram(fd, 1);
    said("sendto", sendto(fd, "three", 5, 0, (void *)&a, sizeof a));
    say_datagram(fd, 0);
    said("empty", recvfrom(fd, data, sizeof data, MSG_DONTWAIT, (void *)&a, &(socklen_t){16}));
    said("disconnect", connect(fd, (void *)&none, sizeof none));
    a = local(port);
    said("sendto", sendto(fd, "four", 4, 0, (void *)&a, sizeof a));
    say_datagram(fd, 1);
    said("too long", sendto(fd, data, 70000, 0, (void *)&a, sizeof a));
    said("bad pointer", sendto(fd, (void *)1, 9, 0, (void *)&a, sizeof a));
    close(fd);
}

/* Answers whoever asks, three times: one is read without a name first. */
static void datagram_server(int port)
{
    struct sockaddr_in a = local(0), from;
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char data[2000];
    ssize_t n;

    (void)port;
    said("bind", bind(fd, (void *)&a, sizeof a));
    getsockname(fd, (void *)&a, &len);
    printf("port %d\n", ntohs(a.sin_port));
    for (int i = 0; i < 3; i++) {
        len = sizeof from;
        n = recvfrom(fd, data, sizeof data, 0, (void *)&from, &len);
        say_name("recvfrom", (int)n, &from, len);
        said("sendto", sendto(fd, data, (size_t)n, 0, (void *)&from, len));
    }
    n = read(fd, data, sizeof data);
    printf("read %zd: %.*s\n", n, (int)n, data);
}

/* What would pass the door by. */
static void around(int port)
{
    char params[256] = {0};

    (void)port;
    said("io_uring", syscall(SYS_io_uring_setup, 8, params));
    said("multipath", socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
}

static const struct {
    const char *name;
    void (*run)(int port);
} verbs[] = {
    {"client", client},           {"refused", refused},
    {"nonblocking", nonblocking}, {"refused_later", refused_later},
    {"server", server},           {"epolled", epolled},
    {"signals", signals},         {"storm", storm},
    {"threads", threads},         {"inherited", inherited},
    {"datagrams", datagrams},     {"datagram_server", datagram_server},
    {"foreign", foreign},         {"around", around},
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) {
            verbs[i].run(argc > 2 ? atoi(argv[2]) : 0);
            return 0;
        }
    return 2;
}
