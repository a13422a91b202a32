/* A struct link with one Ethernet interface, 10.0.0.1/24, and short words for ARP. */
#ifndef LINK_BENCH_H
#define LINK_BENCH_H

#include "unit.h"

#include "link/link.h"

#define SECOND INT64_C(1000000)
#define US v4(10, 0, 0, 1)
#define PEER v4(10, 0, 0, 2)

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static UNUSED const uint8_t evil_mac[6] = {2, 0, 0, 0, 0, 0x66};
static UNUSED const uint8_t every_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct bench {
    struct faulty faulty;
    struct mem mem;
    struct link l;
    int64_t now;
};

static UNUSED struct weir_addr v4(int a, int b, int c, int d)
{
    return weir_addr_v4((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | (uint32_t)d);
}

/* The address of an address: good until the eighth call after. */
static UNUSED const struct weir_addr *at(int a, int b, int c, int d)
{
    static struct weir_addr room[8];
    static unsigned next;
    struct weir_addr *p = &room[next++ % 8];

    *p = v4(a, b, c, d);
    return p;
}

static UNUSED void bench_open(struct bench *b, uint32_t flags)
{
    struct weir_iface_config c = {
        .name = "eth0", .type = WEIR_LINK_ETHER, .mtu = 1500, .flags = flags};
    struct rng seed;

    rng_init(&seed, 1, 2);
    faulty_mem(&b->mem, &b->faulty);
    b->now = 5 * SECOND;
    link_init(&b->l, &b->mem, &seed, b->now);
    memcpy(c.mac, our_mac, 6);
    assert_int_equal(iface_add(&b->l, &c), 1);
    assert_int_equal(iface_add_addr(&b->l, 1, at(10, 0, 0, 1), 24), 0);
}

static UNUSED void bench_close(struct bench *b)
{
    link_fini(&b->l);
    faulty_mem_end(&b->mem, &b->faulty);
}

static UNUSED enum drop arp_in(struct bench *b, uint16_t op, const uint8_t sha[6],
                               struct weir_addr spa, struct weir_addr tpa)
{
    struct arp a = {.op = op, .spa = weir_addr_to_v4(&spa), .tpa = weir_addr_to_v4(&tpa)};

    memcpy(a.sha, sha, 6);
    return neigh_input_arp(&b->l, 1, &a, b->now);
}

static UNUSED enum drop park_bytes(struct bench *b, struct weir_addr next_hop, uint8_t mark,
                                   uint32_t len)
{
    static uint8_t bytes[65536];
    struct link_packet p = {.part = {{bytes, len / 2}, {bytes + len / 2, len - len / 2}},
                            .parts = 2,
                            .hdr_len = 28,
                            .gso_size = 1000};

    memset(bytes, mark, len);
    return neigh_park(&b->l, 1, &next_hop, &p, b->now);
}

/* The next thing to send must be a request for `target` to this MAC. */
static UNUSED void expect_request(struct bench *b, struct weir_addr target, const uint8_t dst[6])
{
    struct neigh_out out;
    struct weir_addr us = US;

    assert_true(neigh_has_output(&b->l, 1));
    assert_true(neigh_pull(&b->l, 1, b->now, &out));
    assert_int_equal(out.kind, NEIGH_ARP);
    assert_int_equal(out.arp.op, ARP_REQUEST);
    assert_memory_equal(out.dst, dst, 6);
    assert_memory_equal(out.arp.sha, our_mac, 6);
    assert_int_equal(out.arp.spa, weir_addr_to_v4(&us));
    assert_int_equal(out.arp.tpa, weir_addr_to_v4(&target));
}

static UNUSED void expect_packet(struct bench *b, uint8_t mark, uint32_t len, const uint8_t dst[6])
{
    struct neigh_out out;

    assert_true(neigh_pull(&b->l, 1, b->now, &out));
    assert_int_equal(out.kind, NEIGH_IP);
    assert_memory_equal(out.dst, dst, 6);
    assert_int_equal(out.packet.parts, 1);
    assert_int_equal(out.packet.part[0].len, len);
    assert_int_equal(out.packet.part[0].data[0], mark);
    assert_int_equal(out.packet.part[0].data[len - 1], mark);
}

static UNUSED void expect_quiet(struct bench *b)
{
    struct neigh_out out;

    assert_false(neigh_pull(&b->l, 1, b->now, &out));
    assert_false(neigh_has_output(&b->l, 1));
}

/* To the next deadline, which must be `after` from now. */
static UNUSED void wait_for(struct bench *b, int64_t after)
{
    int64_t at = b->now + after;

    assert_int_equal(neigh_advance(&b->l, at - 1), 0);
    b->now = at;
    assert_true(neigh_deadline(&b->l) <= at);
    assert_int_equal(neigh_advance(&b->l, at), 1);
}

static UNUSED bool knows(struct bench *b, struct weir_addr next_hop, const uint8_t mac[6])
{
    uint8_t found[6];

    return neigh_lookup(&b->l, 1, &next_hop, b->now, found) && memcmp(found, mac, 6) == 0;
}

static UNUSED enum neigh_state state_of(struct bench *b, struct weir_addr addr)
{
    struct neigh_info i;
    uint32_t cursor = 0;

    while (neigh_next(&b->l, &cursor, b->now, &i))
        if (weir_addr_equal(&i.addr, &addr))
            return i.state;
    return (enum neigh_state)0;
}

/* PEER answered our request and is REACHABLE. */
static UNUSED void resolve_peer(struct bench *b)
{
    assert_int_equal(park_bytes(b, PEER, 1, 40), KEPT);
    expect_request(b, PEER, every_mac);
    assert_int_equal(arp_in(b, ARP_REPLY, peer_mac, PEER, US), PASS);
    expect_packet(b, 1, 40, peer_mac);
    assert_int_equal(state_of(b, PEER), NEIGH_REACHABLE);
    link_settle(&b->l);
}

#endif
