/* libc's resolver, led into weir: it calls the kernel without a door.
 *
 * Knows: the relay of port 53 of the program's namespace. Shape: what is sent there is sent on, by
 * the stack, to the address that it was meant for. A datagram's query is a socket of the stack
 * until its answer came or 256 younger ones did; a stream is a carrier whose program's end is TCP.
 * Units: bytes. Errors: an unreachable nameserver answers SERVFAIL, so that libc turns to the next
 * at once. Cost: two copies for each message. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define DNS_PORT 53
#define DNS_HEAD 12
#define DNS_SERVFAIL 2

static int family_of(const struct weir_sockaddr *server)
{
    return weir_addr_is_v4(&server->addr) ? AF_INET : AF_INET6;
}

/* Whom libc asks is what the host's resolv.conf says; what DHCP or a router said goes first. */
static struct weir_sockaddr server_of(const struct daemon *d, uint32_t address)
{
    struct weir_sockaddr server = {.addr = weir_addr_v4(ntohl(address)), .port = DNS_PORT};

    lease_nameserver(d, &server.addr);
    return server;
}

/* -- answers ----------------------------------------------------------------------------------- */

/* To the resolver, from the nameserver's address. */
static void send_answer(struct daemon *d, const struct query *q, void *data, size_t len)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = q->port};
    struct iovec iov = {data, len};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {.room = {0}};
    struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov, .msg_iovlen = 1};
    struct in_pktinfo from = {.ipi_spec_dst.s_addr = q->server};
    struct cmsghdr *c;

    to.sin_addr.s_addr = q->client;
    m.msg_control = control.room;
    m.msg_controllen = sizeof control.room;
    c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof from);
    memcpy(CMSG_DATA(c), &from, sizeof from);
    if (sendmsg(d->dns, &m, MSG_DONTWAIT) < 0)
        d->dgrams_dropped++;
}

static void end_query(struct daemon *d, struct query *q)
{
    if (q->carrier.sock >= 0) {
        weir_set_user(d->stack, q->carrier.sock, NULL);
        weir_close(d->stack, q->carrier.sock);
    }
    q->carrier.sock = -1;
    q->carrier.is_bound = false;
}

/* The question itself, marked as an answer: 1035#4.1.1 */
static void refuse(struct daemon *d, struct query *q)
{
    q->text[2] |= 0x80;
    q->text[3] = DNS_SERVFAIL;
    send_answer(d, q, q->text, q->len);
    end_query(d, q);
}

void dns_on_stack(struct daemon *d, struct carrier *c)
{
    static uint8_t answer[65536];
    struct query *q = (struct query *)c;
    ssize_t n = c->sock < 0 ? -EAGAIN /* it ended in this round */
                            : weir_recv(d->stack, c->sock, answer, sizeof answer, 0);

    if (n == -EAGAIN)
        return;
    if (n < 0) {
        refuse(d, q);
        return;
    }
    send_answer(d, q, answer, (size_t)n);
    end_query(d, q);
}

/* -- questions --------------------------------------------------------------------------------- */

static uint32_t addressed_to(struct msghdr *m)
{
    struct in_pktinfo info;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&info, CMSG_DATA(c), sizeof info);
            return info.ipi_addr.s_addr;
        }
    return 0;
}

static bool is_same(const struct query *a, const struct query *b)
{
    return a->len == b->len && a->carrier.sock >= 0 && a->port == b->port &&
           a->client == b->client && a->server == b->server &&
           memcmp(a->text, b->text, a->len) == 0;
}

/* The same question that was asked before and has no answer yet, or the oldest's place. */
static struct query *place(struct daemon *d, const struct query *fresh)
{
    struct query *q;

    for (q = d->query; q < d->query + QUERIES; q++)
        if (is_same(q, fresh))
            return q;
    q = &d->query[d->queries++ % QUERIES];
    if (q->len)
        end_query(d, q);
    *q = *fresh;
    return q;
}

static void ask_server(struct daemon *d, const struct query *fresh)
{
    struct query *q = place(d, fresh);
    struct weir_sockaddr server = server_of(d, q->server);
    int v = 0;

    q->carrier.family = family_of(&server);
    if (q->carrier.sock < 0)
        v = dgram_connect(d, &q->carrier, &server);
    if (v == 0)
        v = (int)weir_send(d->stack, q->carrier.sock, q->text, q->len, 0);
    if (v < 0)
        refuse(d, q);
}

static bool take_question(struct daemon *d)
{
    struct query q = {.carrier = {.kind = CARRIER_QUERY}};
    struct sockaddr_in client;
    struct iovec iov = {q.text, sizeof q.text};
    union {
        struct cmsghdr align;
        char room[256];
    } control;
    struct msghdr m = {.msg_name = &client, .msg_namelen = sizeof client, .msg_iov = &iov};
    ssize_t n;

    m.msg_iovlen = 1;
    m.msg_control = control.room;
    m.msg_controllen = sizeof control.room;
    n = recvmsg(d->dns, &m, MSG_DONTWAIT);
    if (n < 0)
        return false;
    q.carrier.fd = q.carrier.sock = q.carrier.waiter = q.carrier.publish = q.carrier.held = -1;
    q.client = client.sin_addr.s_addr;
    q.port = client.sin_port;
    q.server = addressed_to(&m);
    q.len = (size_t)n;
    if (n >= DNS_HEAD && !(m.msg_flags & MSG_TRUNC))
        ask_server(d, &q);
    return true;
}

static void on_questions(struct daemon *d, struct source *s, uint32_t events)
{
    (void)s;
    (void)events;
    for (int i = 0; i < BATCH && take_question(d); i++)
        ;
}

/* -- by stream --------------------------------------------------------------------------------- */

static void carry_stream(struct daemon *d, int fd)
{
    struct sockaddr_in to;
    struct weir_sockaddr server;
    socklen_t len = sizeof to;
    char id[48];
    struct carrier *c;
    int v;

    snprintf(id, sizeof id, "p/%u", d->next_number++);
    c = carrier_get(d, id);
    if (!c || getsockname(fd, (struct sockaddr *)&to, &len) < 0) {
        close(fd);
        return;
    }
    server = server_of(d, to.sin_addr.s_addr);
    c->family = family_of(&server);
    v = stream_connect(d, c, &server);
    stream_attach(d, c, fd);
    if (v < 0 && v != -EINPROGRESS)
        carrier_end(d, c);
}

static void on_stream_caller(struct daemon *d, struct source *s, uint32_t events)
{
    (void)s;
    (void)events;
    for (int i = 0; i < BATCH; i++) {
        int fd = accept4(d->dns_streams, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        carry_stream(d, fd);
    }
}

/* -- the sockets ------------------------------------------------------------------------------- */

static int bind_port(int fd)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};

    if (fd < 0)
        return fd;
    return bind(fd, (struct sockaddr *)&any, sizeof any) < 0 ? -errno : 0;
}

int dns_open(struct daemon *d)
{
    int on = 1, v;

    if (d->netns.maker < 0)
        return 0;
    d->dns = netns_socket(&d->netns, AF_INET, SOCK_DGRAM, 0);
    d->dns_streams = netns_socket(&d->netns, AF_INET, SOCK_STREAM, 0);
    if ((v = bind_port(d->dns)) < 0 || (v = bind_port(d->dns_streams)) < 0) {
        close(d->dns);
        close(d->dns_streams);
        return v;
    }
    if (listen(d->dns_streams, BATCH) < 0 ||
        setsockopt(d->dns, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) < 0)
        return -errno;
    d->dns_source.on = on_questions;
    d->dns_streams_source.on = on_stream_caller;
    if ((v = watch(d, d->dns, &d->dns_source, EPOLLIN)) < 0)
        return v;
    return watch(d, d->dns_streams, &d->dns_streams_source, EPOLLIN);
}
