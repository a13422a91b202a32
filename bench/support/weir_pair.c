/*
 * Knows:  see weir_pair.h; 10.0.0.1 (fd00::1) connects, 10.0.0.2 (fd00::2) listens.
 * Shape:  the client pumps: it takes what the server has to send, then gives its own.
 * Units:  see weir_pair.h.
 * Errors: see weir_pair.h.
 * Cost:   frames cross by reference; a superframe is taken whole.
 */
#include "weir_pair.h"

#include "../bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_CLIENT 1
#define HOST_SERVER 2

static struct weir_addr address_of(int host, bool is_ip6)
{
    if (is_ip6)
        return (struct weir_addr){.b = {[0] = 0xfd, [15] = (uint8_t)host}};
    return weir_addr_v4(0x0a000000u + (uint32_t)host);
}

static void set(struct weir_stack *s, const char *knob, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    if (weir_knob_set(s, knob, text) < 0)
        bench_die("the stack does not take %s = %s", knob, text);
}

static void set_buffers(struct weir_stack *s, const char *knob, uint32_t bytes)
{
    char text[64];

    snprintf(text, sizeof text, "4096 %u %u", bytes, bytes);
    if (weir_knob_set(s, knob, text) < 0)
        bench_die("the stack does not take %s = %s", knob, text);
}

static void set_knobs(struct weir_stack *s, const struct weir_pair_config *c)
{
    char ports[32];

    snprintf(ports, sizeof ports, "%u %u", (unsigned)c->first_port, (unsigned)c->last_port);
    if (weir_knob_set(s, "net.ipv4.ip_local_port_range", ports) < 0)
        bench_die("the stack does not take ports %s", ports);
    set(s, "net.ipv4.tcp_max_tw_buckets", c->timewait_max);
    set(s, "net.ipv4.tcp_max_syn_backlog", 16777216);
    set(s, "net.core.somaxconn", 65535);
    set_buffers(s, "net.ipv4.tcp_wmem", c->buffer_bytes);
    set_buffers(s, "net.ipv4.tcp_rmem", c->buffer_bytes);
    if (c->plain) {
        set(s, "net.ipv4.tcp_timestamps", 0);
        set(s, "net.ipv4.tcp_sack", 0);
    }
}

static struct weir_stack *host_new(int host, const struct weir_iface_config *iface,
                                   const struct weir_pair *p)
{
    struct weir_config config = {.seed = {(uint64_t)host, 7}, .now_ns = p->now_ns};
    struct weir_stack *s = weir_new(&config);
    struct weir_addr a = address_of(host, p->is_ip6);

    if (s == NULL || weir_iface_add(s, iface) != 1 ||
        weir_addr_add(s, 1, &a, p->is_ip6 ? 64 : 24) < 0)
        bench_die("cannot make a stack with an interface");
    return s;
}

void weir_pair_open(struct weir_pair *p, const struct weir_pair_config *c)
{
    struct weir_iface_config client = {.name = "client",
                                       .type = c->raw_ip ? WEIR_LINK_IP : WEIR_LINK_ETHER,
                                       .mac = {2, 0, 0, 0, 0, 1},
                                       .mtu = c->mtu,
                                       .gso_max = c->gso ? 65535 : 0,
                                       .flags = c->gso ? WEIR_IF_CSUM_TX : 0};
    struct weir_iface_config server = client;

    server.name = "server";
    server.mac[5] = 2;
    p->is_ip6 = c->ip6;
    p->client = host_new(HOST_CLIENT, &client, p);
    p->server = host_new(HOST_SERVER, &server, p);
    set_knobs(p->client, c);
    set_knobs(p->server, c);
    p->link = weir_mem_open(p->server, 1, &client);
    if (p->link == NULL)
        bench_die("no memory for a link");
    p->payload_max = c->mtu - (c->ip6 ? 60 : 40) - (c->plain ? 0 : 12);
}

void weir_pair_close(struct weir_pair *p)
{
    weir_link_close(p->link);
    weir_free(p->client);
    weir_free(p->server);
}

void weir_pair_describe(const struct weir_pair *p, const struct weir_pair_config *c,
                        struct weir_pair_stats before, char *text, size_t size)
{
    snprintf(text, size,
             "\"build\":\"weir %s\",\"link\":\"%s\",\"ip\":%d,\"gso\":%s,\"segments\":%llu,"
             "\"full_segments\":%llu,\"wire_bytes\":%llu,\"buffer\":%u,\"mss\":%u,"
             "\"timestamps_and_sack\":%s",
             WEIR_VERSION, c->raw_ip ? "ip" : "ethernet", c->ip6 ? 6 : 4, c->gso ? "true" : "false",
             (unsigned long long)(p->seen.frames - before.frames),
             (unsigned long long)(p->seen.full_segments - before.full_segments),
             (unsigned long long)(p->seen.bytes - before.bytes), c->buffer_bytes, p->payload_max,
             c->plain ? "false" : "true");
}

void weir_pair_must(int result, const char *call)
{
    if (result < 0 && result != -EINPROGRESS)
        bench_die("%s: %s", call, strerror(-result));
}

void weir_pair_nodelay(struct weir_stack *stack, int sock, bool on)
{
    int value = on;

    weir_pair_must(weir_setsockopt(stack, sock, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value),
                   "TCP_NODELAY");
}

void weir_pair_listen(struct weir_pair *p, uint16_t first, uint16_t n, void *user)
{
    const struct weir_addr any6 = {.w = {0}};

    for (uint16_t i = 0; i < n; i++) {
        struct weir_sockaddr at = {.addr = p->is_ip6 ? any6 : weir_addr_v4(0),
                                   .port = (uint16_t)(first + i)};
        int sock = weir_socket(p->server, p->is_ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

        weir_pair_must(sock, "socket");
        weir_pair_must(weir_bind(p->server, sock, &at), "bind");
        weir_pair_must(weir_listen(p->server, sock, 65535), "listen");
        weir_pair_must(weir_set_user(p->server, sock, user), "set_user");
    }
}

int weir_pair_connect(struct weir_pair *p, uint16_t port, bool nodelay)
{
    struct weir_sockaddr to = {.addr = address_of(HOST_SERVER, p->is_ip6), .port = port};
    int sock = weir_socket(p->client, p->is_ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

    weir_pair_must(sock, "socket");
    weir_pair_nodelay(p->client, sock, nodelay);
    weir_pair_must(weir_connect(p->client, sock, &to), "connect");
    return sock;
}

static void count(struct weir_pair *p, const struct weir_frame *burst, int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t len = (uint32_t)weir_frame_len(&burst[i]);

        p->seen.bytes += len;
        p->seen.full_segments += (len - burst[i].hdr_len) / p->payload_max;
    }
    p->seen.frames += (uint64_t)n;
}

/* Until a burst is not full: a stack is to be asked until then. */
static int server_to_client(struct weir_pair *p)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int total = 0, n;

    do {
        n = p->link->driver->recv(p->link, burst, WEIR_BURST_MAX, p->now_ns);
        count(p, burst, n);
        if (n > 0)
            weir_input(p->client, 1, burst, n, p->now_ns);
        total += n;
    } while (n == WEIR_BURST_MAX);
    weir_advance(p->client, p->now_ns);
    p->on_client();
    return total;
}

static int client_to_server(struct weir_pair *p)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int total = 0, n;

    do {
        n = weir_output(p->client, 1, burst, WEIR_BURST_MAX, p->now_ns);
        count(p, burst, n);
        if (n > 0)
            p->link->driver->send(p->link, burst, n, p->now_ns);
        total += n;
    } while (n == WEIR_BURST_MAX);
    p->on_server();
    return total;
}

bool weir_pair_step(struct weir_pair *p)
{
    int moved = server_to_client(p);

    return client_to_server(p) + moved > 0;
}

void weir_pair_step_deaf(struct weir_pair *p)
{
    struct weir_frame burst[WEIR_BURST_MAX];

    client_to_server(p);
    while (p->link->driver->recv(p->link, burst, WEIR_BURST_MAX, p->now_ns) > 0)
        ;
}

uint64_t weir_pair_mem(const struct weir_pair *p, bool is_server)
{
    struct weir_account a;

    weir_account(is_server ? p->server : p->client, &a);
    return a.mem_bytes;
}

uint64_t weir_pair_stat(const struct weir_pair *p, const char *name)
{
    return weir_stat_by_name(p->client, name) + weir_stat_by_name(p->server, name);
}

/* Who has an address of IPv6 tells routers of its groups (3810), and no router is here. */
static bool is_expected(const struct weir_pair *p, int why)
{
    return p->is_ip6 && strcmp(weir_drop_name(why), "not_ours") == 0;
}

void weir_pair_check(const struct weir_pair *p)
{
    struct weir_stack *const stacks[] = {p->client, p->server};

    for (int i = 0; i < 2; i++)
        for (int why = 0; why < weir_drop_count(); why++)
            if (weir_drops(stacks[i], why) > 0 && !is_expected(p, why))
                bench_die("%llu frames were dropped: %s",
                          (unsigned long long)weir_drops(stacks[i], why), weir_drop_name(why));
    if (weir_pair_stat(p, "TcpRetransSegs") > 0)
        bench_die("weir retransmitted on a link that loses nothing");
}
