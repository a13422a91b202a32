/*
 * Knows:  the lab's engine; how much faster than the clock on the wall its time passes.
 * Shape:  a sender, a receiver, one link of 100 Mbit/s and 10 ms, full all the time. --bulk: in
 *         superframes; --log: with rows for a ladder; --bytes: a program copies each byte.
 * Units:  value: seconds of the lab's time in one second of a core; count: the former.
 * Errors: a link that was not full ends the program without a number.
 * Cost:   the programs' own share is one copy at each end, only with --bytes.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lab/log.h"
#include "lab/net.h"

#define PORT 7
#define RATE_BPS 100000000ull
#define S 1000000000ll
#define BUFFER 1000000

static struct {
    struct lab *lab;
    struct lab_node *a, *b;
    int client, listener, server;
    uint64_t got;
    bool is_bulk, has_log, has_bytes;
    int64_t seconds;
} b = {.client = -1, .server = -1, .seconds = 60};

static uint8_t bytes[65536];

/* Of this process: a busy machine makes it little slower. */
static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * S + t.tv_nsec;
}

static void build(void)
{
    struct weir_impair impair;
    char error[128];

    if (weir_impair_parse(&impair, "delay 10ms rate 100mbit queue 400", error, sizeof error) < 0)
        bench_die("%s", error);
    b.lab = lab_new(1);
    b.a = lab_node_add(b.lab, LAB_HOST, "a");
    b.b = lab_node_add(b.lab, LAB_HOST, "b");
    lab_link_add(b.lab, b.a, b.b, &impair, b.is_bulk ? LAB_LINK_BULK : LAB_LINK_PLAIN);
    if (b.has_log)
        b.lab->log = lab_log_new(b.lab);
}

static void open_sockets(void)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(lab_addr(b.b, b.a)), .port = PORT};
    int room = BUFFER;

    b.listener = weir_socket(b.b->stack, AF_INET, SOCK_STREAM, 0);
    weir_setsockopt(b.b->stack, b.listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    weir_bind(b.b->stack, b.listener, &to);
    weir_listen(b.b->stack, b.listener, 1);
    b.client = weir_socket(b.a->stack, AF_INET, SOCK_STREAM, 0);
    weir_setsockopt(b.a->stack, b.client, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    lab_settle(b.lab);
    weir_connect(b.a->stack, b.client, &to);
}

/* Fills what there is room for; what is in it nobody reads, unless --bytes. */
static bool write_all(void)
{
    struct weir_space space[2];
    bool did = false;
    int n;

    if (b.has_bytes) {
        while (weir_send(b.a->stack, b.client, bytes, sizeof bytes, 0) > 0)
            did = true;
        return did;
    }
    while ((n = weir_send_space(b.a->stack, b.client, BUFFER, space)) > 0) {
        uint32_t len = space[0].len + (n > 1 ? space[1].len : 0);
        weir_send_commit(b.a->stack, b.client, len, 0);
        did = true;
    }
    return did;
}

static bool read_all(void)
{
    struct weir_slice slice[2];
    bool did = false, ended = false;
    ssize_t n;

    if (b.server < 0)
        b.server = weir_accept(b.b->stack, b.listener, NULL);
    while (b.server >= 0 && b.has_bytes &&
           (n = weir_recv(b.b->stack, b.server, bytes, sizeof bytes, 0)) > 0) {
        b.got += (uint64_t)n;
        did = true;
    }
    while (b.server >= 0 && !b.has_bytes &&
           (n = weir_recv_slices(b.b->stack, b.server, slice, &ended)) > 0) {
        uint32_t len = slice[0].len + (n > 1 ? slice[1].len : 0);
        weir_recv_consume(b.b->stack, b.server, len);
        b.got += len;
        did = true;
    }
    return did;
}

static void programs(void)
{
    struct weir_ready_event e[8];
    bool did = true;

    while (did) {
        did = false;
        while (weir_ready(b.a->stack, e, 8) > 0)
            did |= write_all();
        while (weir_ready(b.b->stack, e, 8) > 0)
            did |= read_all();
        if (did)
            lab_settle(b.lab);
    }
}

static void run_to(int64_t until)
{
    while (b.lab->now < until) {
        lab_settle(b.lab);
        programs();
        b.lab->now = lab_deadline(b.lab);
    }
}

int main(int argc, char **argv)
{
    char extra[64];
    int64_t began;
    double took, full;

    for (int i = 1; i < argc; i++) {
        b.is_bulk |= !strcmp(argv[i], "--bulk");
        b.has_log |= !strcmp(argv[i], "--log");
        b.has_bytes |= !strcmp(argv[i], "--bytes");
        if (argv[i][0] >= '0' && argv[i][0] <= '9')
            b.seconds = (int64_t)bench_number(argv[i]);
    }
    build();
    open_sockets();
    run_to(5 * S); /* the window has grown */
    b.got = 0;
    began = cpu_ns();
    run_to((5 + b.seconds) * S);
    took = (double)(cpu_ns() - began) / 1e9;
    full = (double)b.got * 8 / (double)RATE_BPS / (double)b.seconds;
    if (full < 0.94)
        bench_die("the link was used to %.1f %% only", full * 100);
    snprintf(extra, sizeof extra, "\"frames\":\"%s\",\"full\":%.3f", b.is_bulk ? "bulk" : "plain",
             full);
    bench_print(&(struct bench_result){.stack = "weir",
                                       .workload = "lab",
                                       .value = (double)b.seconds / took,
                                       .unit = "seconds/s",
                                       .count = (uint64_t)b.seconds,
                                       .seconds = took,
                                       .extra = extra});
    lab_log_free(b.lab->log);
    b.lab->log = NULL;
    return 0;
}
