/* Network address translation at one port of a router: many inside, one address outside. 3022.
 *
 * Knows: where ports and checksums lie in IPv4, TCP, UDP and echo. Not links. Shape: a list of
 * mappings; who sends keeps one alive. Units: ns. Errors: what fits no mapping is left alone, and
 * the router judges it. Cost: O(mappings) a packet. */
#include <stdlib.h>
#include <string.h>

#include "lab/net.h"
#include "wire/wire.h"

#define PORT_FIRST 20000
#define PORT_LAST 29999

struct mapping {
    struct mapping *next;
    uint8_t proto;
    uint32_t inside;
    uint16_t inside_port, outside_port;
    int64_t used_at;
};

struct lab_nat {
    struct mapping *first;
    int64_t tcp_ns, udp_ns;
    uint16_t next_port;
};

struct lab_nat *lab_nat_new(int64_t tcp_ns, int64_t udp_ns)
{
    struct lab_nat *n = calloc(1, sizeof *n);

    if (!n)
        abort();
    *n = (struct lab_nat){.tcp_ns = tcp_ns, .udp_ns = udp_ns, .next_port = PORT_FIRST};
    return n;
}

void lab_nat_rebind(struct lab_nat *n)
{
    while (n->first) {
        struct mapping *m = n->first;
        n->first = m->next;
        free(m);
    }
}

void lab_nat_free(struct lab_nat *n)
{
    if (!n)
        return;
    lab_nat_rebind(n);
    free(n);
}

/* -- the packet -------------------------------------------------------------------------------- */

/* The transport header of a packet whose ports can be changed, or NULL. */
static uint8_t *transport_of(uint8_t *ip, size_t len)
{
    size_t head = (size_t)(ip[0] & 15) * 4;
    size_t need = ip[9] == PROTO_TCP ? TCP_LEN : ICMP_LEN;

    if (len < head + need || (ip[6] & 0x1f) || ip[7])
        return NULL;
    if (ip[9] != PROTO_TCP && ip[9] != PROTO_UDP && ip[9] != PROTO_ICMP)
        return NULL;
    if (ip[9] == PROTO_ICMP && ip[head] != ICMP4_ECHO && ip[head] != ICMP4_ECHO_REPLY)
        return NULL;
    return ip + head;
}

static uint8_t *sum_of(uint8_t proto, uint8_t *l4)
{
    return l4 + (proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : 2);
}

/* Changes n bytes at p, and the checksums that cover them. 1624 equation 3 */
static void change(uint8_t *p, const uint8_t *to, size_t n, uint8_t *sum)
{
    for (size_t i = 0; i < n; i += 2) {
        uint32_t old = (uint32_t)p[i] << 8 | p[i + 1], new = (uint32_t)to[i] << 8 | to[i + 1];
        uint32_t acc = (~((uint32_t)sum[0] << 8 | sum[1]) & 0xffff) + (~old & 0xffff) + new;
        acc = (acc & 0xffff) + (acc >> 16);
        acc = ~((acc & 0xffff) + (acc >> 16));
        sum[0] = (uint8_t)(acc >> 8);
        sum[1] = (uint8_t)acc;
    }
}

/* Writes address and port at their places. `at`: 12 for the source, 16 for the destination. */
static void rewrite(uint8_t *ip, uint8_t *l4, int at, uint32_t addr, uint16_t port)
{
    uint8_t a[4] = {(uint8_t)(addr >> 24), (uint8_t)(addr >> 16), (uint8_t)(addr >> 8),
                    (uint8_t)addr};
    uint8_t p[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    uint8_t *sum = sum_of(ip[9], l4), *port_at = l4 + (at == 12 ? 0 : 2);
    uint8_t copy[4];

    memcpy(copy, ip + at, 4);
    if (ip[9] == PROTO_ICMP)
        port_at = l4 + 4; /* the identifier, both ways */
    else
        change(copy, a, 4, sum); /* the pseudo header */
    change(port_at, p, 2, sum);
    memcpy(port_at, p, 2);
    change(ip + at, a, 4, ip + 10);
    memcpy(ip + at, a, 4);
}

static uint16_t port_at(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t addr_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* -- mappings ---------------------------------------------------------------------------------- */

static void expire(struct lab_nat *n, int64_t now)
{
    struct mapping **at = &n->first;

    while (*at) {
        struct mapping *m = *at;
        if (now - m->used_at < (m->proto == PROTO_TCP ? n->tcp_ns : n->udp_ns)) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        free(m);
    }
}

static struct mapping *map(struct lab_nat *n, uint8_t proto, uint32_t inside, uint16_t port)
{
    struct mapping *m = n->first;

    while (m && (m->proto != proto || m->inside != inside || m->inside_port != port))
        m = m->next;
    if (m)
        return m;
    m = calloc(1, sizeof *m);
    if (!m)
        abort();
    *m = (struct mapping){n->first, proto, inside, port, n->next_port, 0};
    n->next_port = n->next_port == PORT_LAST ? PORT_FIRST : n->next_port + 1;
    n->first = m;
    return m;
}

bool lab_nat_out(struct lab_nat *n, uint32_t outside, uint8_t *ip, size_t len, int64_t now)
{
    uint8_t *l4 = transport_of(ip, len);
    struct mapping *m;

    if (!l4 || addr_at(ip + 12) == outside)
        return false;
    expire(n, now);
    m = map(n, ip[9], addr_at(ip + 12), port_at(ip[9] == PROTO_ICMP ? l4 + 4 : l4));
    m->used_at = now;
    rewrite(ip, l4, 12, outside, m->outside_port);
    return true;
}

bool lab_nat_in(struct lab_nat *n, uint32_t outside, uint8_t *ip, size_t len, int64_t now)
{
    uint8_t *l4 = transport_of(ip, len);
    struct mapping *m = n->first;
    uint16_t port;

    if (!l4 || addr_at(ip + 16) != outside)
        return false;
    expire(n, now);
    m = n->first;
    port = port_at(ip[9] == PROTO_ICMP ? l4 + 4 : l4 + 2);
    while (m && (m->proto != ip[9] || m->outside_port != port))
        m = m->next;
    if (!m)
        return false;
    m->used_at = now;
    rewrite(ip, l4, 16, m->inside, m->inside_port);
    return true;
}
