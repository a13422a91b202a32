/* What tests of neighbour discovery share: what station 0 of an Ethernet sent of ICMPv6, its
 * addresses and neighbours, and messages to it. Everything is static: include it, link nothing. */
#ifndef SUPPORT_ND6_H
#define SUPPORT_ND6_H

#include "ether.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "link/neigh.h"
#include "stack/stack.h"

#define UNUSED __attribute__((unused))
#define SECOND 1000000ll
#define ALL_NODES "ff02::1"
#define ROUTER "fe80::1"
#define NEIGHBOUR "fe80::2"

/* What station 0 sent. */
struct log {
    struct sent {
        int64_t at_ns;
        struct weir_addr src, dst;
        uint8_t mac[6];
        uint8_t hop_limit;
        uint32_t len;
        uint8_t m[200];
    } sent[64];
    int n;
};

static UNUSED bool on_frame(struct ether *s, int from, const uint8_t *bytes, uint32_t len)
{
    struct log *log = s->user;
    struct sent *e = &log->sent[log->n % 64];
    struct ip6 h;

    if (from != 0 || get16(bytes + 12) != ETH_TYPE_IP6)
        return false;
    assert_int_equal(ip6_parse(&h, bytes + ETH_LEN, len - ETH_LEN), IP6_LEN);
    if (h.next != PROTO_ICMP6)
        return false;
    *e = (struct sent){s->now_ns, h.src, h.dst, {0}, h.hop_limit, h.payload_len, {0}};
    memcpy(e->mac, bytes, 6);
    memcpy(e->m, bytes + ETH_LEN + IP6_LEN, h.payload_len);
    assert_true(icmp6_is_good(e->m, e->len, &h.src, &h.dst));
    log->n++;
    return false;
}

static UNUSED void begin(struct ether *s, struct log *log, int stations)
{
    *log = (struct log){.n = 0};
    ether_open(s, stations);
    s->on_frame = on_frame;
    s->user = log;
}

/* The next message that was sent must be of this type; messages of other types are left out. */
static UNUSED struct sent *next_of(struct log *log, int *at, uint8_t type)
{
    while (*at < log->n)
        if (log->sent[(*at)++ % 64].m[0] == type)
            return &log->sent[(*at - 1) % 64];
    return NULL;
}

static UNUSED int count_of(struct log *log, uint8_t type)
{
    int at = 0, n = 0;

    while (next_of(log, &at, type))
        n++;
    return n;
}

static UNUSED const struct iface_addr *addr_at(struct ether *s, int i)
{
    return &s->stack[0]->link.iface[1].addr[i];
}

static UNUSED int addrs(struct ether *s)
{
    return s->stack[0]->link.iface[1].addrs;
}

static UNUSED void knob(struct ether *s, const char *name, const char *value)
{
    assert_int_equal(weir_knob_set(s->stack[0], name, value), 0);
}

/* IPv6 begins; its identifiers come from the MAC, 02:00:00:00:00:01. */
static UNUSED void begin_by_mac(struct ether *s, struct log *log)
{
    begin(s, log, 1);
    knob(s, "net.ipv6.conf.all.addr_gen_mode", "0");
    assert_int_equal(weir_ip6_start(s->stack[0], 1), 0);
}

static UNUSED bool is_at(const uint8_t *p, const struct weir_addr *a)
{
    return memcmp(p, a, sizeof *a) == 0;
}

static UNUSED void mac_option(struct ether_icmp6 *m, uint8_t type, uint8_t last)
{
    const uint8_t option[8] = {type, 1, 2, 0, 0, 0, 0, last};

    memcpy(m->message + m->len, option, sizeof option);
    m->len += sizeof option;
}

/* A message about `target`. */
static UNUSED struct ether_icmp6 about(uint8_t type, const char *src, const char *dst,
                                       const struct weir_addr *target)
{
    struct ether_icmp6 m = {.src = src, .dst = dst, .from = 9, .message = {type}, .len = 24};

    memcpy(m.message + 8, target, sizeof *target);
    return m;
}

static UNUSED void add(struct ether *s, int station, const char *text)
{
    struct weir_addr a = ether_addr(text);

    assert_int_equal(weir_addr_add(s->stack[station], 1, &a, 64), 0);
}

static UNUSED enum neigh_state state_of(struct ether *s, const char *text, uint8_t *last_of_mac)
{
    struct weir_addr a = ether_addr(text);
    struct neigh_info i;
    uint32_t cursor = 0;

    while (neigh_next(&s->stack[0]->link, &cursor, s->now_ns / 1000, &i)) {
        if (!weir_addr_equal(&i.addr, &a))
            continue;
        *last_of_mac = i.mac[5];
        return i.state;
    }
    return (enum neigh_state)0;
}

static UNUSED int udp_from(struct ether *s, int station, const char *text)
{
    struct weir_sockaddr at = {.addr = ether_addr(text), .port = 500};
    int sock = weir_socket(s->stack[station], AF_INET6, SOCK_DGRAM, 0);

    assert_int_equal(weir_bind(s->stack[station], sock, &at), 0);
    return sock;
}

static UNUSED void send_udp(struct ether *s, int sock, const char *to)
{
    struct weir_sockaddr at = {.addr = ether_addr(to), .port = 500};

    assert_int_equal(weir_sendto(s->stack[0], sock, "hello", 5, 0, &at), 5);
}

#endif
