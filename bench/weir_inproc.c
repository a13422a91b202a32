/*
 * Knows:  weir's sockets; the workloads of lwip_peer.c, under the same rules.
 * Shape:  two stacks, one thread, one loop (step): frames move, then on_client and on_server look
 *         at the sockets that have news. bench_measured is timed, and callgrind toggles on it.
 * Units:  bulk bytes of user data, rr round trips, crr connections, idle bytes per connection end.
 * Errors: a dropped frame, a retransmission or a corrupt byte ends the program without a number.
 * Cost:   the bench's own share is one user copy at each end; the link passes frames by reference.
 */
#include "bench.h"
#include "support/job.h"
#include "support/weir_pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_PORT 80 /* the first of LISTENERS: 64 times 28,232 four-tuples */
#define LISTENERS 64
#define PORT_FIRST 32768
#define PORT_LAST 60999
#define STEPS_PER_TICK 64  /* a clock read every so many steps, as in lwip_peer */
#define TW_BATCH 64        /* as in lwip_peer: TIME-WAITs that stand beside the wanted number */
#define USER_BUFFER 64240u /* as in lwip_peer: 44 segments of 1460 */
#define EVENTS 64

static struct {
    struct bench_job job;
    struct weir_pair_config config;

    struct weir_pair pair;
    int client;
    uint64_t connect_count, accepted_count;
    uint64_t to_send, sent, received;
    uint64_t round_trips_left;
    unsigned step_count;
    int64_t ahead_ns; /* of the clock: time that was skipped */
    unsigned char user_out[USER_BUFFER], user_in[USER_BUFFER];
} b;

/* ---- the loop ---- */

static void tick(void)
{
    b.pair.now_ns = b.job.fixed ? b.pair.now_ns + 1000000 : bench_now_ns() + b.ahead_ns;
}

static bool step(void)
{
    if (++b.step_count % STEPS_PER_TICK == 0)
        tick();
    return weir_pair_step(&b.pair);
}

/* Nothing on the link and not done: only a timer can go on. */
static void step_or_wait(void)
{
    if (!step())
        tick();
}

static void settle(void)
{
    while (step())
        ;
}

/* ---- both ends ---- */

/* Bulk wants whole segments and therefore Nagle; a byte that waits for an answer does not. */
static bool nodelay(void)
{
    return b.job.workload != BULK;
}

/* Reads all there is; -EAGAIN, or 0 at the end of the stream. A short read left nothing behind,
 * unless the end was told too. */
static int read_all(struct weir_stack *stack, const struct weir_ready_event *event, uint64_t *bytes)
{
    ssize_t n;

    *bytes = 0;
    for (;;) {
        size_t at = (size_t)(b.received % USER_BUFFER);

        n = weir_recv(stack, event->sock, b.user_in + at, USER_BUFFER - at, 0);
        if (n <= 0)
            break;
        b.received += (uint64_t)n;
        *bytes += (uint64_t)n;
        if ((size_t)n < USER_BUFFER - at && !(event->ready & WEIR_READY_RDHUP))
            return -EAGAIN;
    }
    if (n < 0 && n != -EAGAIN)
        bench_die("recv: %s", strerror((int)-n));
    return (int)n;
}

static void send_byte(struct weir_stack *stack, int sock)
{
    if (weir_send(stack, sock, b.user_out, 1, 0) != 1)
        bench_die("no room for one byte");
}

/* ---- server: what it does depends on the workload alone ---- */

static char listener_tag;

static void accept_all(int listener)
{
    int sock;

    while ((sock = weir_accept(b.pair.server, listener, NULL)) >= 0) {
        weir_pair_nodelay(b.pair.server, sock, nodelay());
        b.accepted_count++;
    }
    if (sock != -EAGAIN)
        weir_pair_must(sock, "accept");
}

static void server_read(const struct weir_ready_event *event)
{
    uint64_t bytes;

    if (read_all(b.pair.server, event, &bytes) == 0)
        weir_pair_must(weir_close(b.pair.server, event->sock), "close");
    else if (bytes > 0 && b.job.workload != BULK)
        send_byte(b.pair.server, event->sock);
}

static void on_server(void)
{
    struct weir_ready_event events[EVENTS];
    int n;

    do {
        n = weir_ready(b.pair.server, events, EVENTS);
        for (int i = 0; i < n; i++) {
            if (events[i].user == &listener_tag)
                accept_all(events[i].sock);
            else if (events[i].ready & WEIR_READY_IN)
                server_read(&events[i]);
        }
    } while (n == EVENTS);
}

/* ---- client ---- */

static void client_fill(void)
{
    while (b.to_send > 0) {
        size_t at = (size_t)(b.sent % USER_BUFFER);
        size_t room = USER_BUFFER - at;
        ssize_t n = weir_send(b.pair.client, b.client, b.user_out + at,
                              b.to_send < room ? (size_t)b.to_send : room, 0);

        if (n == -EAGAIN)
            return;
        if (n <= 0)
            bench_die("send: %s", strerror((int)-n));
        b.to_send -= (uint64_t)n;
        b.sent += (uint64_t)n;
    }
}

static void client_read(const struct weir_ready_event *event)
{
    uint64_t bytes;

    if (read_all(b.pair.client, event, &bytes) != -EAGAIN || bytes == 0)
        return;
    if (b.round_trips_left > 0 && --b.round_trips_left > 0)
        send_byte(b.pair.client, event->sock);
}

static void on_client(void)
{
    struct weir_ready_event events[EVENTS];
    int n;

    do {
        n = weir_ready(b.pair.client, events, EVENTS);
        for (int i = 0; i < n; i++) {
            if (events[i].ready & WEIR_READY_IN)
                client_read(&events[i]);
            if (events[i].sock == b.client && events[i].ready & WEIR_READY_OUT)
                client_fill();
        }
    } while (n == EVENTS);
}

/* The stack chooses the port; all of one destination's are used before the next one's. */
static int connect_one(void)
{
    uint64_t ports = PORT_LAST - PORT_FIRST + 1;
    uint64_t to = b.connect_count++ / ports % LISTENERS;

    return weir_pair_connect(&b.pair, (uint16_t)(SERVER_PORT + to), nodelay());
}

static void connect_and_settle(void)
{
    b.client = connect_one();
    settle();
    if (b.accepted_count != b.connect_count)
        bench_die("connection %llu was not established", (unsigned long long)b.connect_count);
}

/* ---- workloads ---- */

static void run_bulk(uint64_t bytes)
{
    uint64_t goal = b.received + bytes;

    b.to_send = bytes;
    client_fill();
    while (b.received < goal)
        step_or_wait();
}

static void run_rr(uint64_t round_trips)
{
    b.round_trips_left = round_trips;
    send_byte(b.pair.client, b.client);
    while (b.round_trips_left > 0)
        step_or_wait();
}

static void run_crr(uint64_t connections)
{
    for (uint64_t i = 0; i < connections; i++) {
        b.client = connect_one();
        settle();
        weir_pair_must(weir_close(b.pair.client, b.client), "close");
        settle();
    }
}

/* noinline: callgrind names it in --toggle-collect. */
static __attribute__((noinline)) void bench_measured(uint64_t count)
{
    if (b.job.workload == BULK)
        run_bulk(count);
    else if (b.job.workload == RR)
        run_rr(count);
    else
        run_crr(count);
}

/* Each stack has its own table, so K connections make the K entries that each has to search. They
 * have been used: what was a ring's memory must have been given back. */
static void open_idle(uint64_t connections)
{
    for (uint64_t i = 0; i < connections; i++) {
        connect_and_settle();
        send_byte(b.pair.client, b.client);
        settle();
        tick();
    }
    for (int ms = 0; ms < 100; ms++) { /* the last ACKs are delayed ones */
        b.ahead_ns += 1000000;
        tick();
        settle();
    }
}

static void prepare(void)
{
    for (size_t i = 0; i < USER_BUFFER; i++)
        b.user_out[i] = (unsigned char)(i * 7 + i / 251);
    b.config.timewait_max = (uint32_t)b.job.timewait_count + TW_BATCH;
    b.config.first_port = PORT_FIRST;
    b.config.last_port = PORT_LAST;
    b.config.mtu = 1500;
    b.pair.on_client = on_client;
    b.pair.on_server = on_server;
    b.pair.now_ns = b.job.fixed ? 1000000000 : bench_now_ns();
    b.client = -1;
    weir_pair_open(&b.pair, &b.config);
    weir_pair_listen(&b.pair, SERVER_PORT, LISTENERS, &listener_tag);
}

static void prepare_run(void)
{
    enum workload wanted = b.job.workload;

    prepare();
    b.job.workload = RR; /* the idle ones carry a byte there and back */
    open_idle(b.job.idle_count);
    b.job.workload = wanted;
    if (b.job.workload == CRR)
        run_crr(b.job.timewait_count);
    else
        connect_and_settle();
    b.received = b.sent = 0;
}

/* ---- results ---- */

static void describe(char *text, size_t size, struct weir_pair_stats before)
{
    int n = snprintf(text, size, "\"idle\":%llu,\"timewait\":%llu,",
                     (unsigned long long)b.job.idle_count,
                     (unsigned long long)b.job.timewait_count);

    weir_pair_describe(&b.pair, &b.config, before, text + n, size - (size_t)n);
}

static void check_clean(void)
{
    size_t whole = b.received < USER_BUFFER ? (size_t)b.received : USER_BUFFER;

    weir_pair_check(&b.pair);
    if (b.job.workload == BULK && memcmp(b.user_in, b.user_out, whole) != 0)
        bench_die("the stream arrived changed");
    if (b.job.workload == CRR && b.accepted_count != b.connect_count)
        bench_die("not all connections were established");
    if (b.job.workload == CRR &&
        weir_pair_stat(&b.pair, "TcpExtTW") != b.connect_count - b.job.idle_count)
        bench_die("not all connections closed through TIME-WAIT");
}

/* ---- memory: what a stack holds for one more connection in each state ---- */

static double grown(uint64_t before, bool is_server)
{
    return ((double)weir_pair_mem(&b.pair, is_server) - (double)before) / (double)b.job.count;
}

/* K connections, used and now idle; the larger of the two ends. */
static double idle_bytes(void)
{
    uint64_t client = weir_pair_mem(&b.pair, false), server = weir_pair_mem(&b.pair, true);

    open_idle(b.job.count);
    double c = grown(client, false), s = grown(server, true);
    return c > s ? c : s;
}

static double timewait_bytes(void)
{
    uint64_t before = weir_pair_mem(&b.pair, false);

    run_crr(b.job.count);
    return grown(before, false);
}

/* The SYN/ACKs are lost and no time passes. */
static double syn_bytes(void)
{
    uint64_t before = weir_pair_mem(&b.pair, true);

    for (uint64_t i = 0; i < b.job.count; i++) {
        connect_one();
        weir_pair_step_deaf(&b.pair);
    }
    return grown(before, true);
}

static void measure_idle(void)
{
    char extra[1024];
    double (*const measures[])(void) = {idle_bytes, timewait_bytes, syn_bytes};
    double bytes[3];

    b.job.fixed = true;
    b.job.timewait_count = b.job.count;
    for (int i = 0; i < 3; i++) { /* each with stacks of its own; one connection warms them up */
        memset(&b.pair, 0, sizeof b.pair);
        b.connect_count = b.accepted_count = b.received = 0;
        prepare();
        run_crr(1);
        bytes[i] = measures[i]();
        check_clean();
        weir_pair_close(&b.pair);
    }
    snprintf(extra, sizeof extra, "\"timewait_bytes\":%.1f,\"syn_bytes\":%.1f", bytes[1], bytes[2]);
    job_print(&b.job, "weir", bytes[0], 0, extra);
}

static void measure(void)
{
    char extra[1024];

    prepare_run();
    if (!b.job.fixed)
        bench_measured(job_warm_up(&b.job, USER_BUFFER));
    settle();

    struct weir_pair_stats before = b.pair.seen;
    int64_t start = bench_now_ns();
    bench_measured(b.job.count);
    double seconds = b.job.fixed ? 0 : (double)(bench_now_ns() - start) / 1e9;

    check_clean();
    describe(extra, sizeof extra, before);
    job_print(&b.job, "weir", bench_rate(b.job.count, seconds), seconds, extra);
}

static const char usage[] =
    "usage: weir_inproc [OPTIONS] bulk BYTES | rr COUNT | crr COUNT | idle CONNECTIONS\n"
    "  --idle K       K other connections open (bulk, rr, crr)\n"
    "  --timewait K   K connections in TIME-WAIT (crr)\n"
    "  --buffer B     bytes of each send and receive buffer (64k)\n"
    "  --gso          superframes, and checksums left to the link\n"
    "  --plain        no timestamps, no SACK\n"
    "  --fixed        no clock, no warm-up: the same work in each run, for callgrind\n"
    "  --raw-ip       no Ethernet header, no ARP\n"
    "  --ip6          over IPv6\n";

int main(int argc, char **argv)
{
    uint64_t buffer_bytes = 65536;
    const struct job_option own[] = {
        {"buffer", NULL, &buffer_bytes},  {"gso", &b.config.gso, NULL},
        {"plain", &b.config.plain, NULL}, {"raw-ip", &b.config.raw_ip, NULL},
        {"ip6", &b.config.ip6, NULL},     {0}};

    job_parse(&b.job, own, usage, argc, argv);
    b.config.buffer_bytes = (uint32_t)buffer_bytes;
    if (b.job.workload == IDLE)
        measure_idle();
    else
        measure();
    return 0;
}
