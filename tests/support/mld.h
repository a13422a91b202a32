/* What tests of MLD share: what station 0 of an Ethernet tells routers, and what they ask. A
 * message of ours is compared as text: its type, where it went, and its records as "type group
 * sources"; version 1 has a group only. Everything is static: include it, link nothing. */
#ifndef SUPPORT_MLD_H
#define SUPPORT_MLD_H

#include <netinet/in.h>
#include <stdio.h>

#include "base/sum.h"
#include "nd6.h"
#include "peer.h"

#define US6 "fe80::11"
#define QUERIER "fe80::99"
#define GROUP "ff05::5"
#define OTHER "ff05::6"
#define MESSAGES 256

struct heard {
    struct message {
        int64_t at_ns;
        struct weir_addr src;
        char text[400];
    } message[MESSAGES];
    int n, at;
    int64_t first_solicitation_ns;
    int told_before; /* messages that left before it */
};

static UNUSED const char *text_of(const uint8_t *p)
{
    static char text[WEIR_ADDR_TEXT];
    struct weir_addr a;

    memcpy(&a, p, sizeof a);
    return weir_addr_text(&a, text);
}

static UNUSED void write_records(char *out, size_t room, const uint8_t *m, uint32_t len)
{
    uint32_t at = 8;

    for (int r = 0; r < get16(m + 6); r++) {
        int sources = get16(m + at + 2);

        out += snprintf(out, room, "%s%d %s", r ? "; " : "", m[at], text_of(m + at + 4));
        at += 20;
        for (; sources--; at += 16)
            out += snprintf(out, room, " %s", text_of(m + at));
        assert_true(at <= len);
    }
    assert_int_equal(at, len);
}

/* 3810#5: hop limit 1, a router alert for MLD in front, link-local or nobody. */
static UNUSED bool hear(struct ether *s, int from, const uint8_t *bytes, uint32_t len)
{
    static const uint8_t alert[8] = {PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0};
    struct heard *h = s->user;
    struct message *e = &h->message[h->n];
    const uint8_t *m = bytes + ETH_LEN + IP6_LEN + 8;
    uint32_t n = len - ETH_LEN - IP6_LEN - 8;
    struct ip6 ip;
    char *at;

    if (from != 0 || get16(bytes + 12) != ETH_TYPE_IP6)
        return false;
    ip6_parse(&ip, bytes + ETH_LEN, len - ETH_LEN);
    if (ip.next == PROTO_ICMP6 && bytes[ETH_LEN + IP6_LEN] == ND_NS && !h->first_solicitation_ns) {
        h->first_solicitation_ns = s->now_ns;
        h->told_before = h->n;
    }
    if (ip.next != NEXT_HOP_BY_HOP)
        return false;
    assert_true(h->n < MESSAGES);
    assert_memory_equal(bytes + ETH_LEN + IP6_LEN, alert, sizeof alert);
    assert_int_equal(ip.hop_limit, 1);
    assert_true(ip6_is_link_local(&ip.src) || weir_addr_is_any(&ip.src));
    assert_true(icmp6_is_good(m, n, &ip.src, &ip.dst));
    assert_memory_equal(
        bytes, ((uint8_t[]){0x33, 0x33, ip.dst.b[12], ip.dst.b[13], ip.dst.b[14], ip.dst.b[15]}),
        6);
    *e = (struct message){.at_ns = s->now_ns, .src = ip.src};
    at = e->text + snprintf(e->text, sizeof e->text, "%d to %s: ", m[0], text_of(ip.dst.b));
    if (m[0] == ICMP6_MLD2_REPORT) {
        write_records(at, 200, m, n);
    } else {
        assert_int_equal(n, 24);
        snprintf(at, 200, "%s", text_of(m + 8));
    }
    h->n++;
    return false;
}

/* One station, which has us6 and told of it already. */
static UNUSED void open_link(struct ether *s, struct heard *h)
{
    *h = (struct heard){.n = 0};
    ether_open(s, 1);
    s->on_frame = hear;
    s->user = h;
    add(s, 0, US6);
    ether_run(s, 10 * SECOND);
    h->at = h->n;
}

static UNUSED struct message *next(struct heard *h)
{
    return h->at < h->n ? &h->message[h->at++] : NULL;
}

static UNUSED void told(struct heard *h, const char *text)
{
    struct message *e = next(h);

    assert_non_null(e);
    assert_string_equal(e->text, text);
}

static UNUSED void quiet(struct ether *s, struct heard *h, int64_t us)
{
    ether_run(s, us);
    assert_null(next(h));
}

/* Told twice, the second time within a second. */
static UNUSED void told_twice(struct ether *s, struct heard *h, const char *text)
{
    ether_run(s, 0);
    told(h, text);
    assert_int_equal(h->message[h->at - 1].at_ns, s->now_ns);
    ether_run(s, SECOND);
    told(h, text);
    quiet(s, h, 100 * SECOND);
}

static UNUSED int group_opt(struct ether *s, int sock, int name, const char *group)
{
    struct ipv6_mreq m = {.ipv6mr_interface = 1};
    struct weir_addr a = ether_addr(group);

    memcpy(&m.ipv6mr_multiaddr, &a, sizeof a);
    return weir_setsockopt(s->stack[0], sock, IPPROTO_IPV6, name, &m, sizeof m);
}

static UNUSED void put_sockaddr(struct sockaddr_storage *out, const char *text)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct weir_addr a = ether_addr(text);

    memcpy(&six.sin6_addr, &a, sizeof a);
    memcpy(out, &six, sizeof six);
}

static UNUSED int source_opt(struct ether *s, int sock, int name, const char *source)
{
    struct group_source_req r = {.gsr_interface = 1};

    put_sockaddr(&r.gsr_group, GROUP);
    put_sockaddr(&r.gsr_source, source);
    return weir_setsockopt(s->stack[0], sock, IPPROTO_IPV6, name, &r, sizeof r);
}

static UNUSED int open_udp(struct ether *s)
{
    struct weir_sockaddr any = {.port = 500};
    int sock = weir_socket(s->stack[0], AF_INET6, SOCK_DGRAM, 0), one = 1;

    weir_setsockopt(s->stack[0], sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(weir_bind(s->stack[0], sock, &any), 0);
    return sock;
}

/* The same with a socket that is in GROUP and has told of it. */
static UNUSED int open_member(struct ether *s, struct heard *h)
{
    int sock;

    open_link(s, h);
    sock = open_udp(s);
    assert_int_equal(group_opt(s, sock, IPV6_JOIN_GROUP, GROUP), 0);
    ether_run(s, 10 * SECOND);
    h->at = h->n;
    return sock;
}

/* -- what comes in ----------------------------------------------------------------------------- */

struct from_router {
    uint8_t type, hops; /* hops 0: 1 */
    const char *src;    /* NULL: the querier */
    const char *group;  /* NULL: :: */
    uint16_t code;
    uint8_t robustness, interval; /* version 2 */
    const char *source[2];
    uint32_t len; /* 0: as it is right */
    bool is_v1, has_no_alert, is_to_all;
};

static UNUSED void put_message(struct ether *s, const struct from_router *q)
{
    struct weir_addr src = ether_addr(q->src ? q->src : QUERIER), a;
    struct weir_addr dst = ether_addr(q->group && !q->is_to_all ? q->group : ALL_NODES);
    uint8_t frame[200] = {0x33, 0x33, dst.b[12], dst.b[13], dst.b[14], dst.b[15], 2,
                          0,    0,    0,         0,         9,         0x86,      0xdd};
    uint32_t head = q->has_no_alert ? 0 : 8, len = q->is_v1 ? 24 : 28;
    uint8_t *m = frame + ETH_LEN + IP6_LEN + head;
    struct ip6 h = {.next = q->has_no_alert ? PROTO_ICMP6 : NEXT_HOP_BY_HOP,
                    .hop_limit = q->hops ? q->hops : 1,
                    .src = src,
                    .dst = dst};

    m[0] = q->type;
    put16(m + 4, q->code);
    if (q->group) {
        a = ether_addr(q->group);
        memcpy(m + 8, &a, sizeof a);
    }
    m[24] = q->robustness;
    m[25] = q->interval;
    for (int i = 0; i < 2 && q->source[i]; i++, len += 16) {
        a = ether_addr(q->source[i]);
        memcpy(m + len, &a, sizeof a);
        m[27]++;
    }
    len = q->len ? q->len : len;
    memcpy(frame + ETH_LEN + IP6_LEN, ((uint8_t[]){PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0}), head);
    m[0] = q->type;
    h.payload_len = (uint16_t)(head + len);
    ip6_emit(frame + ETH_LEN, &h);
    icmp6_seal(m, len, &src, &dst);
    ether_put(s, frame, ETH_LEN + IP6_LEN + head + len);
}
#define put_query(s, ...) \
    put_message(s, &(struct from_router){.type = ICMP6_MLD_QUERY, __VA_ARGS__})

#endif
