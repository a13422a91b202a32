/* Flows through one drop-tail bottleneck. */
#include "bottleneck.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define MS 1000000ll
#define PORT 7
#define BUFFER (8 << 20)
#define FRAME 1500u /* of the link's rate, for TEXT bytes that arrive */
#define TEXT 1448u

static void set_int(struct lab_node *n, int sock, int name, int value)
{
    assert_int_equal(weir_setsockopt(n->stack, sock, SOL_SOCKET, name, &value, sizeof value), 0);
}

static void knob(struct bottleneck *b, const char *name, const char *value)
{
    if (!name)
        return;
    assert_int_equal(lab_knob(b->from, name, value), 0);
    assert_int_equal(lab_knob(b->to, name, value), 0);
}

static int family_of(const struct bottleneck *b)
{
    return b->scene->is_v6 ? AF_INET6 : AF_INET;
}

static struct weir_addr address_of(const struct bottleneck *b)
{
    uint32_t addr = lab_addr(b->to, b->from);

    return b->scene->is_v6 ? lab_addr6(addr) : weir_addr_v4(addr);
}

void bottleneck_begin(struct bottleneck *b, const struct bottleneck_scene *s)
{
    struct weir_impair impair;
    char error[128];
    struct weir_sockaddr here = {.port = PORT};

    *b = (struct bottleneck){.scene = s, .lab = lab_new(1)};
    b->lab->has_ip6 = s->is_v6;
    b->from = lab_node_add(b->lab, LAB_HOST, "from");
    b->to = lab_node_add(b->lab, LAB_HOST, "to");
    assert_int_equal(weir_impair_parse(&impair, s->link, error, sizeof error), 0);
    impair.down.rate_bps = 0; /* the ACKs' way is no bottleneck */
    b->link = lab_link_add(b->lab, b->from, b->to, &impair, LAB_LINK_PLAIN);
    assert_non_null(b->link);
    knob(b, "net.core.rmem_max", "67108864");
    knob(b, "net.core.wmem_max", "67108864");
    if (!s->has_own_buffers)
        knob(b, "net.ipv4.tcp_rmem", "4096 131072 67108864");
    knob(b, s->knob, s->value);
    knob(b, s->knob2, s->value2);
    b->listener = weir_socket(b->to->stack, family_of(b), SOCK_STREAM, 0);
    if (!s->has_own_buffers)
        set_int(b->to, b->listener, SO_RCVBUF, BUFFER);
    here.addr = address_of(b);
    assert_int_equal(weir_bind(b->to->stack, b->listener, &here), 0);
    assert_int_equal(weir_listen(b->to->stack, b->listener, FLOWS_MAX), 0);
    while (b->flows < FLOWS_MAX && s->algo[b->flows]) {
        b->client[b->flows] = b->server[b->flows] = -1;
        b->flows++;
    }
    lab_settle(b->lab);
}

static void start(struct bottleneck *b, int i)
{
    struct weir_sockaddr to = {.addr = address_of(b), .port = PORT};
    const char *algo = b->scene->algo[i];
    int64_t rate = b->scene->max_pacing_rate;
    int sock = b->client[i] = weir_socket(b->from->stack, family_of(b), SOCK_STREAM, 0);

    if (!b->scene->has_own_buffers)
        set_int(b->from, sock, SO_SNDBUF, BUFFER);
    assert_int_equal(
        weir_setsockopt(b->from->stack, sock, IPPROTO_TCP, TCP_CONGESTION, algo, strlen(algo)), 0);
    if (rate)
        assert_int_equal(weir_setsockopt(b->from->stack, sock, SOL_SOCKET, SO_MAX_PACING_RATE,
                                         &rate, sizeof rate),
                         0);
    assert_int_equal(weir_connect(b->from->stack, sock, &to), -EINPROGRESS);
}

/* Clients are accepted in the order in which they connected; the peer's port says which it is. */
static void take_new(struct bottleneck *b)
{
    int sock;
    struct weir_sock_info mine, theirs;

    while ((sock = weir_accept(b->to->stack, b->listener, NULL)) >= 0) {
        assert_int_equal(weir_info(b->to->stack, sock, &theirs), 0);
        for (int i = 0; i < b->flows; i++)
            if (b->client[i] >= 0 && weir_info(b->from->stack, b->client[i], &mine) == 0 &&
                mine.local.port == theirs.peer.port)
                b->server[i] = sock;
    }
}

/* How much a program of that rate may still write or read now, of `most`. */
static size_t due(const struct bottleneck *b, uint32_t rate, uint64_t done, size_t most)
{
    uint64_t by_now = (uint64_t)b->lab->now / MS * rate / 1000;

    if (!rate)
        return most;
    if (by_now <= done)
        return 0;
    return by_now - done < most ? (size_t)(by_now - done) : most;
}

static bool write_some(struct bottleneck *b, int i)
{
    static const uint8_t bytes[65536];
    size_t most = due(b, b->scene->write_rate, b->put[i], sizeof bytes);
    uint64_t left = b->scene->put_most ? b->scene->put_most - b->put[i] : sizeof bytes;
    ssize_t n;

    most = left < most ? (size_t)left : most;
    n = most ? weir_send(b->from->stack, b->client[i], bytes, most, 0) : 0;

    if (n > 0)
        b->put[i] += (uint64_t)n;
    return n > 0;
}

static bool read_some(struct bottleneck *b, int i)
{
    static uint8_t bytes[65536];
    size_t most = due(b, b->scene->read_rate, b->got[i], sizeof bytes);
    ssize_t n = most ? weir_recv(b->to->stack, b->server[i], bytes, most, 0) : 0;

    if (n > 0)
        b->got[i] += (uint64_t)n;
    return n > 0;
}

static bool work(struct bottleneck *b)
{
    bool did = false;

    take_new(b);
    for (int i = 0; i < b->flows; i++) {
        if (b->client[i] < 0 && b->lab->now >= b->scene->start_ms[i] * MS) {
            start(b, i);
            did = true;
        }
        if (b->client[i] < 0)
            continue;
        while (write_some(b, i))
            did = true;
        while (b->server[i] >= 0 && read_some(b, i))
            did = true;
    }
    return did;
}

uint32_t bottleneck_queue(const struct bottleneck *b)
{
    const struct line *l = &b->link->dir[0].line;
    uint32_t n = 0;

    for (uint32_t i = 0; i < l->depart_count; i++)
        n += l->departs[(l->depart_first + i) % l->set.queue_frames] > b->lab->now;
    return n;
}

static int64_t next_at(const struct bottleneck *b)
{
    int64_t at = lab_deadline(b->lab);

    for (int i = 0; i < b->flows; i++)
        if (b->client[i] < 0 && b->scene->start_ms[i] * MS < at)
            at = b->scene->start_ms[i] * MS;
    return at;
}

static void run_to(struct bottleneck *b, int64_t until)
{
    do {
        lab_settle(b->lab);
    } while (work(b));
    while (next_at(b) <= until) {
        b->lab->now = next_at(b);
        do {
            lab_settle(b->lab);
        } while (work(b));
    }
    b->lab->now = until;
}

/* The queue is looked at each millisecond. */
void bottleneck_run(struct bottleneck *b, int until_ms)
{
    while (b->lab->now < until_ms * MS) {
        uint32_t queue;
        run_to(b, b->lab->now + MS);
        queue = bottleneck_queue(b);
        b->queue_sum += queue;
        b->queue_samples++;
        if (queue > b->queue_max)
            b->queue_max = queue;
    }
}

void bottleneck_measure(struct bottleneck *b)
{
    memcpy(b->mark, b->got, sizeof b->mark);
    b->marked_at = b->lab->now;
    b->queue_max = 0;
    b->queue_sum = b->queue_samples = 0;
}

void bottleneck_end(struct bottleneck *b)
{
    assert_int_equal(lab_halt(b->lab), 0);
    lab_free(b->lab);
}

uint32_t bottleneck_use(const struct bottleneck *b)
{
    uint64_t sum = 0;
    uint64_t ms = (uint64_t)(b->lab->now - b->marked_at) / MS;

    for (int i = 0; i < b->flows; i++)
        sum += b->got[i] - b->mark[i];
    return (uint32_t)(sum * FRAME / TEXT * 8 * 1000 * 1000 / ms / b->scene->rate_bps);
}

uint32_t bottleneck_fairness(const struct bottleneck *b)
{
    uint64_t sum = 0, squares = 0;

    for (int i = 0; i < b->flows; i++) {
        uint64_t kb = (b->got[i] - b->mark[i]) / 1024;
        sum += kb;
        squares += kb * kb;
    }
    return squares ? (uint32_t)(sum * sum * 1000 / ((uint64_t)b->flows * squares)) : 0;
}

uint32_t bottleneck_queue_mean(const struct bottleneck *b)
{
    return b->queue_samples ? (uint32_t)(b->queue_sum / b->queue_samples) : 0;
}

struct weir_sock_info bottleneck_info(const struct bottleneck *b, int flow)
{
    struct weir_sock_info info = {.cwnd = 0};

    if (b->client[flow] >= 0)
        assert_int_equal(weir_info(b->from->stack, b->client[flow], &info), 0);
    return info;
}

struct weir_sock_info bottleneck_peer_info(const struct bottleneck *b, int flow)
{
    struct weir_sock_info info = {.cwnd = 0};

    if (b->server[flow] >= 0)
        assert_int_equal(weir_info(b->to->stack, b->server[flow], &info), 0);
    return info;
}
