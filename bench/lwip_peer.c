/*
 * Knows:  lwIP's raw API and the two-host link; the same workloads weir is measured with.
 * Shape:  one thread, one loop (step): deliver frames, now and then run lwIP's timers. All else
 *         happens in callbacks. bench_measured is what is timed and what callgrind toggles on.
 * Units:  bulk bytes of user data, rr round trips, crr connections, idle bytes per connection end.
 * Errors: a dropped frame, a retransmission or a corrupt byte ends the program without a number.
 * Cost:   the bench's own share is one frame copy in the link and one user copy at each end.
 */
#include "bench.h"
#include "support/job.h"
#include "support/lwip_link.h"
#include "support/lwip_port.h"

#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/timeouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_PORT 80 /* the first of LISTENERS_MAX: more four-tuples for TIME-WAIT */
#define CLIENT_PORT_MIN 1024
#define LISTENERS_MAX 16
#define STEPS_PER_TICK 64 /* a clock read and a look at the timers every so many bursts */
#define TW_BATCH 64       /* TIME-WAITs above the wanted number before the oldest are culled */
#define USER_BUFFER (44u * TCP_MSS) /* whole segments: no short one, no Nagle pause */

static struct {
    struct bench_job job;
    bool stock, raw_ip;

    struct tcp_pcb *client;
    struct tcp_pcb *active_before; /* head of lwIP's list when only the idle ones are there */
    uint64_t connect_count;
    uint64_t established_count, accepted_count;
    uint64_t to_send, sent, received;
    uint64_t round_trips_left;
    uint64_t timewait_now;
    unsigned step_count;
    unsigned char user_out[USER_BUFFER], user_in[USER_BUFFER];
} b;

/* ---- the loop ---- */

static void tick(void)
{
    lwip_port_tick(b.job.fixed ? 1 : -1);
    sys_check_timeouts();
}

static bool step(void)
{
    if (++b.step_count % STEPS_PER_TICK == 0)
        tick();
    return lwip_link_poll();
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

/* ---- server: what it does depends on the workload alone ---- */

static void copy_to_user(const struct pbuf *p)
{
    uint16_t done = 0;

    while (done < p->tot_len) {
        size_t at = (b.received + done) % USER_BUFFER;
        size_t room = USER_BUFFER - at;
        size_t left = (size_t)(p->tot_len - done);

        done += pbuf_copy_partial(p, b.user_in + at, (u16_t)(left < room ? left : room), done);
    }
    b.received += p->tot_len;
}

static err_t server_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p == NULL)
        return tcp_close(pcb);
    tcp_recved(pcb, p->tot_len);
    copy_to_user(p);
    pbuf_free(p);
    if (b.job.workload == RR)
        return tcp_write(pcb, b.user_out, 1, TCP_WRITE_FLAG_COPY);
    return ERR_OK;
}

static err_t server_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    tcp_nagle_disable(pcb);
    tcp_recv(pcb, server_received);
    b.accepted_count++;
    return ERR_OK;
}

static void listen_all(void)
{
    for (u16_t i = 0; i < LISTENERS_MAX; i++) {
        struct tcp_pcb *pcb = tcp_new();

        tcp_bind_netif(pcb, lwip_link_netif(HOST_SERVER));
        if (tcp_bind(pcb, lwip_link_address(HOST_SERVER), (u16_t)(SERVER_PORT + i)) != ERR_OK)
            bench_die("cannot bind port %u", SERVER_PORT + i);
        tcp_accept(tcp_listen(pcb), server_accepted);
    }
}

/* ---- client ---- */

static err_t client_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p == NULL)
        return ERR_OK; /* the server closed second; lwIP is on its way to TIME-WAIT */
    tcp_recved(pcb, p->tot_len);
    copy_to_user(p);
    pbuf_free(p);
    if (--b.round_trips_left == 0)
        return ERR_OK;
    return tcp_write(pcb, b.user_out, 1, TCP_WRITE_FLAG_COPY);
}

/* Whole segments only, and only what the send buffer takes: tcp_write never fails here. */
static void client_fill(struct tcp_pcb *pcb)
{
    while (b.to_send > 0 && tcp_sndbuf(pcb) >= TCP_MSS &&
           tcp_sndqueuelen(pcb) + 4 < TCP_SND_QUEUELEN) {
        size_t at = (size_t)(b.sent % USER_BUFFER);
        size_t n = tcp_sndbuf(pcb) / TCP_MSS * TCP_MSS;

        if (n > USER_BUFFER - at)
            n = USER_BUFFER - at;
        if (n > b.to_send)
            n = (size_t)b.to_send;
        if (tcp_write(pcb, b.user_out + at, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
        b.to_send -= n;
        b.sent += n;
    }
}

static err_t client_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    (void)arg;
    (void)len;
    client_fill(pcb);
    return ERR_OK;
}

static err_t client_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)pcb;
    (void)err;
    b.established_count++;
    return ERR_OK;
}

/* Ports go round; SO_REUSEADDR lets a port serve again towards another listener while an older
 * connection of it is in TIME-WAIT. lwIP's own choice of ports ends at 16,384 of them. */
static struct tcp_pcb *connect_one(void)
{
    uint64_t ports = 65536 - CLIENT_PORT_MIN;
    u16_t local = (u16_t)(CLIENT_PORT_MIN + b.connect_count % ports);
    u16_t remote = (u16_t)(SERVER_PORT + b.connect_count / ports % LISTENERS_MAX);
    struct tcp_pcb *pcb = tcp_new();

    b.connect_count++;
    if (pcb == NULL)
        bench_die("lwIP has no pcb after %llu connections", (unsigned long long)b.connect_count);
    ip_set_option(pcb, SOF_REUSEADDR);
    tcp_nagle_disable(pcb);
    tcp_bind_netif(pcb, lwip_link_netif(HOST_CLIENT));
    tcp_recv(pcb, client_received);
    tcp_sent(pcb, client_sent);
    if (tcp_bind(pcb, lwip_link_address(HOST_CLIENT), local) != ERR_OK ||
        tcp_connect(pcb, lwip_link_address(HOST_SERVER), remote, client_connected) != ERR_OK)
        bench_die("lwIP refuses connection %llu", (unsigned long long)b.connect_count);
    return pcb;
}

static void connect_and_settle(void)
{
    uint64_t before = b.established_count;

    b.client = connect_one();
    settle();
    if (b.established_count != before + 1 || b.accepted_count != b.established_count)
        bench_die("connection %llu was not established", (unsigned long long)b.connect_count);
}

/* ---- workloads ---- */

static void run_bulk(uint64_t bytes)
{
    uint64_t goal = b.received + bytes;

    b.to_send = bytes;
    client_fill(b.client);
    tcp_output(b.client);
    while (b.received < goal)
        step_or_wait();
}

static void run_rr(uint64_t round_trips)
{
    b.round_trips_left = round_trips;
    tcp_write(b.client, b.user_out, 1, TCP_WRITE_FLAG_COPY);
    tcp_output(b.client);
    while (b.round_trips_left > 0)
        step_or_wait();
}

/* lwIP would let them die of age after two minutes, in one walk of the list. So do we, only by
 * number; otherwise a second of this workload would need more ports than there are. */
static void timewait_cull(void)
{
    struct tcp_pcb **at = &tcp_tw_pcbs;

    for (uint64_t i = 0; i < b.job.timewait_count && *at != NULL; i++)
        at = &(*at)->next;
    while (*at != NULL) {
        struct tcp_pcb *dead = *at;

        *at = dead->next;
        tcp_free(dead);
        b.timewait_now--;
    }
}

static void run_crr(uint64_t connections)
{
    for (uint64_t i = 0; i < connections; i++) {
        b.client = connect_one();
        settle();
        tcp_close(b.client);
        settle();
        if (tcp_active_pcbs != b.active_before || tcp_tw_pcbs != b.client)
            bench_die("connection %llu did not close", (unsigned long long)b.connect_count);
        if (++b.timewait_now >= b.job.timewait_count + TW_BATCH)
            timewait_cull();
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

/* Both ends of a connection are in lwIP's one table, so K/2 connections make the K entries that
 * a host with K connections would have to search. */
static void open_idle(uint64_t pcbs)
{
    for (uint64_t i = 0; i < pcbs / 2; i++)
        connect_and_settle();
}

static void prepare(void)
{
    for (size_t i = 0; i < USER_BUFFER; i++)
        b.user_out[i] = (unsigned char)(i * 7 + i / 251);
    lwip_linked_init(b.stock);
    lwip_port_tick(b.job.fixed ? 0 : -1);
    lwip_init();
    lwip_link_init(!b.raw_ip);
    listen_all();
    open_idle(b.job.idle_count);
    b.active_before = tcp_active_pcbs;
    if (b.job.workload == CRR)
        run_crr(b.job.timewait_count);
    else
        connect_and_settle();
}

/* ---- results ---- */

/* What the library was compiled with; its window cannot be changed from outside. */
static void describe(char *text, size_t size, struct lwip_link_stats seen)
{
    snprintf(text, size,
             "\"build\":\"%s\",\"link\":\"%s\",\"segments\":%llu,\"full_segments\":%llu,"
             "\"wire_bytes\":%llu,\"idle_pcbs\":%llu,\"timewait_pcbs\":%llu,"
             "\"lwip\":{\"version\":\"%s\",\"NO_SYS\":%d,\"TCP_MSS\":%d,\"TCP_WND\":%d,"
             "\"TCP_SND_BUF\":%d,\"TCP_SND_QUEUELEN\":%d,\"LWIP_WND_SCALE\":%d,"
             "\"TCP_RCV_SCALE\":%d,\"LWIP_TCP_SACK_OUT\":%d,\"LWIP_TCP_TIMESTAMPS\":%d,"
             "\"MEMP_MEM_MALLOC\":%d,\"MEMP_NUM_TCP_PCB\":\"%s\",\"CHECKSUM_GEN_TCP\":%d,"
             "\"CHECKSUM_CHECK_TCP\":%d,\"LWIP_CHECKSUM_ON_COPY\":%d,\"LWIP_IPV6\":%d,"
             "\"LWIP_STATS\":%d}",
             lwip_linked_name(), b.raw_ip ? "ip" : "ethernet", (unsigned long long)seen.frames,
             (unsigned long long)seen.full_frames, (unsigned long long)seen.bytes,
             (unsigned long long)b.job.idle_count, (unsigned long long)b.job.timewait_count,
             LWIP_VERSION_STRING, NO_SYS, TCP_MSS, TCP_WND, TCP_SND_BUF, TCP_SND_QUEUELEN,
             LWIP_WND_SCALE, TCP_RCV_SCALE, LWIP_TCP_SACK_OUT, LWIP_TCP_TIMESTAMPS, MEMP_MEM_MALLOC,
             MEMP_MEM_MALLOC ? "heap" : "pool", CHECKSUM_GEN_TCP, CHECKSUM_CHECK_TCP,
             LWIP_CHECKSUM_ON_COPY, LWIP_IPV6, LWIP_STATS);
}

static struct lwip_link_stats stats_since(struct lwip_link_stats before)
{
    struct lwip_link_stats now = *lwip_link_stats();

    now.frames -= before.frames;
    now.full_frames -= before.full_frames;
    now.bytes -= before.bytes;
    return now;
}

/* A link that loses nothing carries each whole segment once: one more is a retransmission. */
static void check_clean(const struct lwip_link_stats *seen)
{
    size_t whole = b.received < USER_BUFFER ? (size_t)b.received : USER_BUFFER;

    if (lwip_link_stats()->drops != 0)
        bench_die("the link dropped %llu frames", (unsigned long long)lwip_link_stats()->drops);
    if (b.job.workload == BULK && seen->full_frames > b.job.count / TCP_MSS)
        bench_die("lwIP retransmitted on a link that loses nothing");
    if (b.job.workload == BULK && memcmp(b.user_in, b.user_out, whole) != 0)
        bench_die("the stream arrived changed");
}

static void measure_idle(void)
{
    char extra[1024];
    size_t before;

    prepare();
    before = lwip_port_live_bytes();
    open_idle(2 * b.job.count);

    double per_end = (double)(lwip_port_live_bytes() - before) / (2.0 * (double)b.job.count);
    int n = snprintf(extra, sizeof extra, "\"sizeof_tcp_pcb\":%zu,", sizeof(struct tcp_pcb));
    describe(extra + n, sizeof extra - (size_t)n, *lwip_link_stats());
    job_print(&b.job, "lwip", per_end, 0, extra);
}

static void measure(void)
{
    char extra[1024];

    prepare();
    if (!b.job.fixed)
        bench_measured(job_warm_up(&b.job, USER_BUFFER));
    settle();

    struct lwip_link_stats before = *lwip_link_stats();
    int64_t start = bench_now_ns();
    bench_measured(b.job.count);
    double seconds = b.job.fixed ? 0 : (double)(bench_now_ns() - start) / 1e9;

    struct lwip_link_stats seen = stats_since(before);
    check_clean(&seen);
    describe(extra, sizeof extra, seen);
    job_print(&b.job, "lwip", bench_rate(b.job.count, seconds), seconds, extra);
}

static const char usage[] =
    "usage: lwip_peer [OPTIONS] bulk BYTES | rr COUNT | crr COUNT | idle CONNECTIONS\n"
    "  --idle K       K other connections in the table (bulk, rr, crr)\n"
    "  --timewait K   K connections in TIME-WAIT (crr)\n"
    "  --fixed        no clock, no warm-up: the same work in each run, for callgrind\n"
    "  --stock        the package's own locks, allocator and checksum loop\n"
    "  --raw-ip       no Ethernet header, no ARP\n";

int main(int argc, char **argv)
{
    const struct job_option own[] = {{"stock", &b.stock, NULL}, {"raw-ip", &b.raw_ip, NULL}, {0}};

    job_parse(&b.job, own, usage, argc, argv);
    if (b.job.workload == IDLE)
        measure_idle();
    else
        measure();
    return 0;
}
