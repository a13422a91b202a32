/* What tests of routers share: advertisements, and what station 0 of an Ethernet makes of them.
 * Everything is static: include it, link nothing. */
#ifndef SUPPORT_RA6_H
#define SUPPORT_RA6_H

#include "nd6.h"

#define PREFIX "2001:db8:1::"
#define FAR "2001:db8:ffff::1"

/* An advertisement of a router whose MAC ends in 9. */
static UNUSED struct ether_icmp6 ra(uint16_t lifetime_s)
{
    struct ether_icmp6 m = {
        .src = ROUTER, .dst = ALL_NODES, .from = 9, .message = {ND_RA}, .len = ND_RA_LEN};

    put16(m.message + 6, lifetime_s);
    mac_option(&m, ND_OPT_SOURCE, 9);
    return m;
}

static UNUSED void prefix(struct ether_icmp6 *m, const char *text, uint8_t flags, uint32_t valid_s,
                          uint32_t preferred_s)
{
    struct weir_addr a = ether_addr(text);
    uint8_t *p = m->message + m->len;

    memset(p, 0, 32);
    p[0] = ND_OPT_PREFIX;
    p[1] = 4;
    p[2] = 64;
    p[3] = flags;
    put32(p + 4, valid_s);
    put32(p + 8, preferred_s);
    memcpy(p + 16, &a, sizeof a);
    m->len += 32;
}

static UNUSED void say_prefix(struct ether *s, uint32_t valid_s, uint32_t preferred_s)
{
    struct ether_icmp6 m = ra(1800);

    prefix(&m, PREFIX, 0xc0, valid_s, preferred_s);
    ether_put_icmp6(s, &m);
    ether_run(s, 0);
}

/* A stack whose link-local address is usable. */
static UNUSED void begin_on_link(struct ether *s, struct log *log)
{
    begin(s, log, 1);
    assert_int_equal(weir_ip6_start(s->stack[0], 1), 0);
    ether_run(s, 3 * SECOND);
    assert_int_equal(addr_at(s, 0)->state, ADDR_USABLE);
}

/* The same with one more address, which is usable too. */
static UNUSED void begin_at(struct ether *s, struct log *log, const char *addr)
{
    begin_on_link(s, log);
    add(s, 0, addr);
    ether_run(s, 3 * SECOND);
}

static UNUSED int source_towards(struct ether *s, const char *dst, struct weir_addr *local)
{
    struct weir_sockaddr to = {.addr = ether_addr(dst), .port = 53}, at = {.port = 0};
    int sock = weir_socket(s->stack[0], AF_INET6, SOCK_DGRAM, 0);
    int v = weir_connect(s->stack[0], sock, &to);

    weir_getsockname(s->stack[0], sock, &at);
    weir_close(s->stack[0], sock);
    *local = at.addr;
    return v;
}

#endif
