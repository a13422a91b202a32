/*
 * Knows:  libweir's wire, or the kernel's loopback with --kernel, between two processes.
 * Shape:  a child serves, the parent asks. bulk: bytes one way, one byte back at the end; rr: one
 *         byte there and back. Both ways send and receive through a buffer of their own.
 * Units:  bytes of user data, round trips.
 * Errors: what cannot be set up ends the program without a number, and so does a wrong length.
 * Cost:   weir: poll when nothing moves, as a program would; the kernel: blocking calls.
 */
#include "bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/weir.h>

#define PORT 7
#define SERVER 0x0a000002u
#define CLIENT 0x0a000001u
#define BUFFER 65536

/* One end of the connection, whoever's stack it is on. */
struct end {
    struct weir_stack *stack; /* NULL: the kernel's */
    struct weir_link *link;
    int sock;
};

static unsigned char buffer[BUFFER];

static int must(int v, const char *what)
{
    if (v < 0)
        bench_die("%s: %s", what, strerror(-v));
    return v;
}

/* -- on weir ----------------------------------------------------------------------------------- */

static void turn(struct end *e)
{
    struct pollfd p = {.fd = weir_link_fd(e->link), .events = POLLIN};

    poll(&p, 1, weir_poll_ms(weir_link_deadline(e->link, e->stack), weir_clock_ns()));
    must(weir_link_pump(e->link, e->stack, 1, weir_clock_ns(), 8), "link");
}

static void open_weir(struct end *e, const char *folder, uint32_t address)
{
    struct weir_wire_config wire = {.name = "bench", .folder = folder};
    struct weir_config config = {.seed = {1, address}, .now_ns = weir_clock_ns()};
    struct weir_addr addr = weir_addr_v4(address);
    char error[300];

    e->link = weir_wire_open(&wire, error, sizeof error);
    if (!e->link)
        bench_die("%s", error);
    e->stack = weir_new(&config);
    must(e->stack ? weir_iface_add(e->stack, &e->link->iface) : -ENOMEM, "interface");
    must(weir_addr_add(e->stack, 1, &addr, 24), "address");
    e->sock = must(weir_socket(e->stack, AF_INET, SOCK_STREAM, 0), "socket");
}

static void serve_weir(struct end *e, const char *folder, int ready)
{
    struct weir_sockaddr at = {.addr = weir_addr_v4(SERVER), .port = PORT};
    int listener, v;

    open_weir(e, folder, SERVER);
    listener = e->sock;
    must(weir_bind(e->stack, listener, &at), "bind");
    must(weir_listen(e->stack, listener, 1), "listen");
    if (write(ready, "", 1) != 1)
        bench_die("the client is gone");
    while ((v = weir_accept(e->stack, listener, NULL)) == -EAGAIN)
        turn(e);
    e->sock = must(v, "accept");
}

static void connect_weir(struct end *e, const char *folder)
{
    struct weir_sockaddr at = {.addr = weir_addr_v4(SERVER), .port = PORT};

    open_weir(e, folder, CLIENT);
    weir_connect(e->stack, e->sock, &at);
    while (!(weir_readiness(e->stack, e->sock) & WEIR_READY_OUT))
        turn(e);
}

/* -- on the kernel ----------------------------------------------------------------------------- */

static const struct sockaddr_in loopback = {.sin_family = AF_INET};

static void listen_kernel(struct end *e, struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;

    *at = loopback;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    e->sock = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(e->sock, (struct sockaddr *)at, sizeof *at) < 0 || listen(e->sock, 1) < 0 ||
        getsockname(e->sock, (struct sockaddr *)at, &len) < 0)
        bench_die("the kernel's listener: %s", strerror(errno));
}

static void connect_kernel(struct end *e, const struct sockaddr_in *at)
{
    e->sock = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(e->sock, (const struct sockaddr *)at, sizeof *at) < 0)
        bench_die("connect: %s", strerror(errno));
}

/* -- both -------------------------------------------------------------------------------------- */

static void nodelay(const struct end *e)
{
    int on = 1;

    if (e->stack)
        must(weir_setsockopt(e->stack, e->sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on),
             "TCP_NODELAY");
    else if (setsockopt(e->sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        bench_die("TCP_NODELAY: %s", strerror(errno));
}

static void put(struct end *e, uint64_t bytes)
{
    while (bytes > 0) {
        size_t some = bytes < BUFFER ? (size_t)bytes : BUFFER;
        ssize_t n = e->stack ? weir_send(e->stack, e->sock, buffer, some, 0)
                             : send(e->sock, buffer, some, 0);
        if (n == -EAGAIN && e->stack)
            turn(e);
        else if (n <= 0)
            bench_die("send: %s", strerror(e->stack ? (int)-n : errno));
        else
            bytes -= (uint64_t)n;
    }
}

static void get(struct end *e, uint64_t bytes)
{
    while (bytes > 0) {
        ssize_t n = e->stack ? weir_recv(e->stack, e->sock, buffer, BUFFER, 0)
                             : recv(e->sock, buffer, BUFFER, 0);
        if (n == -EAGAIN && e->stack)
            turn(e);
        else if (n <= 0 || (uint64_t)n > bytes)
            bench_die("recv: %s", strerror(e->stack ? (int)-n : errno));
        else
            bytes -= (uint64_t)n;
    }
}

/* What was put is on its way once the stack had a turn. */
static void push(struct end *e)
{
    if (e->stack)
        must(weir_link_pump(e->link, e->stack, 1, weir_clock_ns(), 1), "link");
}

static void serve(struct end *e, bool is_bulk, uint64_t count)
{
    for (uint64_t i = 0; i < (is_bulk ? 1 : count); i++) {
        get(e, is_bulk ? count : 1);
        put(e, 1);
        push(e);
    }
}

static int members(const struct end *e)
{
    struct weir_wire_stats s;

    weir_wire_stats(e->link, &s);
    return s.members;
}

/* The client has all of it once it is gone. */
static void leave(struct end *e)
{
    if (!e->stack)
        return;
    while (members(e) > 0)
        turn(e);
    weir_link_close(e->link);
}

static void ask(struct end *e, bool is_bulk, uint64_t count)
{
    for (uint64_t i = 0; i < (is_bulk ? 1 : count); i++) {
        put(e, is_bulk ? count : 1);
        push(e);
        get(e, 1);
    }
}

static pid_t start_server(bool is_kernel, const char *folder, struct sockaddr_in *at, bool is_bulk,
                          uint64_t count)
{
    struct end e = {.sock = -1};
    int ready[2];
    char byte;
    pid_t pid;

    if (is_kernel)
        listen_kernel(&e, at);
    if (pipe(ready) < 0)
        bench_die("pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (is_kernel)
            e.sock = accept(e.sock, NULL, NULL);
        else
            serve_weir(&e, folder, ready[1]);
        nodelay(&e);
        serve(&e, is_bulk, count);
        leave(&e);
        _exit(0);
    }
    close(ready[1]);
    if (!is_kernel && read(ready[0], &byte, 1) != 1)
        bench_die("the server did not begin");
    return pid;
}

static void describe(const struct end *e, char *text, size_t size)
{
    struct weir_wire_stats s;

    text[0] = '\0';
    if (!e->stack)
        return;
    weir_wire_stats(e->link, &s);
    snprintf(text, size, "\"frames\":%llu,\"ring_full\":%llu,\"retransmits\":%llu",
             (unsigned long long)s.frames_out, (unsigned long long)s.ring_full,
             (unsigned long long)weir_stat_by_name(e->stack, "TcpRetransSegs"));
}

int main(int argc, char **argv)
{
    bool is_kernel = argc > 1 && strcmp(argv[1], "--kernel") == 0;
    char **word = argv + 1 + is_kernel, folder[] = "/tmp/weir-bench-XXXXXX";
    struct sockaddr_in at;
    struct end e = {.sock = -1};
    char extra[200];
    double seconds;
    uint64_t count;
    bool is_bulk;
    int64_t start;
    pid_t server;

    if (argc - is_kernel != 3 || (strcmp(word[0], "bulk") != 0 && strcmp(word[0], "rr") != 0))
        bench_die("usage: weir_wire [--kernel] bulk BYTES | rr COUNT");
    is_bulk = strcmp(word[0], "bulk") == 0;
    count = bench_number(word[1]);
    if (!mkdtemp(folder))
        bench_die("%s: %s", folder, strerror(errno));
    server = start_server(is_kernel, folder, &at, is_bulk, count);
    if (is_kernel)
        connect_kernel(&e, &at);
    else
        connect_weir(&e, folder);
    nodelay(&e);
    start = bench_now_ns();
    ask(&e, is_bulk, count);
    seconds = (double)(bench_now_ns() - start) / 1e9;
    describe(&e, extra, sizeof extra);
    weir_link_close(e.link);
    waitpid(server, NULL, 0);
    rmdir(folder);
    bench_print(&(struct bench_result){.stack = is_kernel ? "kernel" : "weir",
                                       .workload = word[0],
                                       .value = bench_rate(count, seconds),
                                       .unit = is_bulk ? "bytes/s" : "roundtrips/s",
                                       .count = count,
                                       .seconds = seconds,
                                       .extra = *extra ? extra : NULL});
    return 0;
}
