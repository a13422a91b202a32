/* IP between the link and the transports: routes, path MTU, ICMP, what a packet may look like.
 *
 * Knows: base, def, wire. Not interfaces or sockets: what it must know of them is passed in.
 * Shape: one struct ip for each stack. Answers (echo replies, errors) are queued by interface and
 * pulled. Units: bytes, microseconds (`now_us`). Errors: -errno, or a verdict.
 * Cost: a packet O(1); a route lookup O(prefix lengths in use * log routes). */
#ifndef IP_IP_H
#define IP_IP_H

#include "base/list.h"
#include "base/ring.h"
#include "base/rng.h"
#include "base/table.h"
#include "ip/frag.h"
#include "ip/igmp.h"
#include "weir/frame.h"
#include "weir/stack.h"
#include "wire/wire.h"

#define IP_IFACES 17    /* ifindex 1 to 16 */
#define IP_IDS 1024     /* counters of the identification field */
#define IP_PREFIXES 129 /* prefix lengths 0 to 128 */

/* Limits and habits, by the names of Linux's knobs; the stack may change them at any time. */
struct ip_config {
    uint32_t route_max;                  /* routes, 4,096 */
    uint32_t icmp_queue_bytes;           /* answers that wait, all interfaces together, 131,072 */
    uint32_t icmp_msgs_per_sec;          /* errors, 1,000 */
    uint32_t icmp_msgs_burst;            /* 50 */
    uint32_t pmtu_max;                   /* destinations with a path MTU of their own, 1,024 */
    uint32_t redirects_max;              /* destinations with a next hop of their own, 1,024 */
    uint32_t min_pmtu;                   /* 552 */
    uint32_t mtu_expires_s;              /* 600 */
    uint32_t forward_queue_bytes;        /* of packets for others, 1 MiB */
    struct frag_limits frag;             /* 4 MiB, 30 s, 64 datagrams of one source */
    struct frag_limits frag6;            /* 4 MiB, 60 s, 64 */
    uint8_t ip_default_ttl;              /* 64 */
    uint8_t hop_limit;                   /* of IPv6, 64 */
    uint8_t icmp6_echo_ignore_all;       /* 0 */
    uint8_t icmp6_echo_ignore_multicast; /* 0 */
    uint8_t icmp_echo_ignore_all;        /* 0 */
    uint8_t icmp_echo_ignore_broadcasts; /* 1 */
};

struct route {
    uint64_t net[2], mask[2]; /* network order, as they lie in an address */
    struct weir_addr gateway; /* where has_gateway */
    uint32_t metric;
    uint8_t prefix; /* bits of 128; IPv4's lie behind 96 */
    uint8_t ifindex;
    bool has_gateway;
};

/* Routes of one prefix length lie together. */
struct route_group {
    uint32_t first;
    uint32_t prefix;
};

struct ip {
    struct mem *mem;
    struct ip_config config;
    struct rng rng;
    struct sipkey id_key, dst_key, label_key;

    struct route *route; /* longest prefix first, then by network, then by metric */
    uint32_t routes, routes_room;
    uint32_t epoch; /* moves when a route or a redirect comes or goes */
    uint32_t groups;
    struct route_group group[IP_PREFIXES];

    struct ring answer[IP_IFACES];  /* struct icmp_record and bytes */
    uint32_t answer_bytes;          /* in all rings */
    struct ring transit[IP_IFACES]; /* struct transit_record and bytes */
    uint32_t transit_bytes;
    uint32_t emptied; /* bit by ifindex: pulled dry, buffer given back by ip_settle */
    int64_t credit;   /* ICMP errors that may be sent now */
    int64_t credit_at_us;

    uint16_t id[IP_IDS];

    struct frags frags, frags6;
    struct members members;

    struct pool pmtus;
    struct table pmtu_table;
    struct list pmtu_order; /* the first to expire first */

    struct pool redirects;
    struct table redirect_table;
    struct list redirect_order; /* the oldest first */
};

void ip_config_default(struct ip_config *config);
void ip_init(struct ip *ip, struct mem *mem, struct rng *seed, int64_t now_us);
void ip_fini(struct ip *ip);
/* Gives back buffers whose bytes were pulled before. At the beginning of each call on the stack. */
void ip_settle(struct ip *ip);

/* -- what may come in: ip.c -------------------------------------------------------------------- */

/* What the stack knows of a source address. */
enum ip_source_fact { IP_SOURCE_OWN = 1, IP_SOURCE_BROADCAST = 2 };
/* PASS or DROP_ip_martian_source. iface_flags: enum weir_iface_flag of where it came in; facts:
 * enum ip_source_fact. */
enum drop ip_judge_source(const struct weir_addr *src, uint32_t iface_flags, unsigned facts);
/* 127/8 from outside, 0/8 and class E are nobody's: DROP_ip_not_local. */
enum drop ip_judge_dest(const struct weir_addr *dst, uint32_t iface_flags);
/* Walks n bytes of options: PASS, DROP_ip_source_route, or DROP_ip_option and at which byte.
 * Unknown ones pass. */
enum drop ip_judge_options(const uint8_t *options, size_t n, size_t *fault);
/* A piece of a datagram: frag_input takes it. */
bool ip_is_fragment(const struct ip4 *h);

/* ip6.c: the same of IPv6. Addresses that are no IPv6 addresses are refused too. */
enum drop ip6_judge_source(const struct weir_addr *src, uint32_t iface_flags);
enum drop ip6_judge_dest(const struct weir_addr *dst, uint32_t iface_flags);
bool ip6_is_link_local(const struct weir_addr *a); /* fe80::/10 */
bool ip6_is_loopback(const struct weir_addr *a);
/* 20 bits for the packets of a flow, which is `words` words. */
uint32_t ip6_flow_label(const struct ip *ip, const uint64_t *flow, int words);

/* The identification field: 0 where DF makes it meaningless, else unique for (src, dst, proto) and
 * of no use to observers. 6864#4.1 4.3 */
uint16_t ip_next_id(struct ip *ip, const struct weir_addr *src, const struct weir_addr *dst,
                    uint8_t proto, bool is_df);

/* -- routes: route.c --------------------------------------------------------------------------- */

struct route_result {
    int ifindex;
    struct weir_addr next_hop; /* the gateway, or dst itself */
    bool has_gateway;
    uint8_t prefix; /* bits of 128 that matched */
    uint32_t at;    /* for route_next */
};
/* prefix: bits of the family of dst; gateway NULL: on link. 0, -EINVAL, -EEXIST, -ENOSPC,
 * -ENOMEM. */
struct route_spec {
    struct weir_addr dst;
    int prefix;
    const struct weir_addr *gateway;
    int ifindex;
    uint32_t metric;
};
int route_add(struct ip *ip, const struct route_spec *spec);
/* The route with this dst, prefix, gateway, ifindex and metric. -ESRCH, -EINVAL. */
int route_remove(struct ip *ip, const struct route_spec *spec);
/* ifindex 0: any. 0 or -ENETUNREACH. */
int route_lookup(const struct ip *ip, const struct weir_addr *dst, int ifindex,
                 struct route_result *out);
/* The next best route to the same network with the same prefix length, behind the one in *r. */
int route_next(const struct ip *ip, const struct weir_addr *dst, int ifindex,
               struct route_result *r);

/* -- redirects: redirect.c -----------------------------------------------------------------------
 */

/* The next hop that a router named for dst; false: none did. */
bool redirect_of(const struct ip *ip, const struct weir_addr *dst, int ifindex,
                 struct weir_addr *next_hop);
void redirect_set(struct ip *ip, const struct weir_addr *dst, int ifindex,
                  const struct weir_addr *next_hop);
void redirect_forget(struct ip *ip, const struct weir_addr *dst, int ifindex);
void redirect_forget_all(struct ip *ip);
/* All that lead by it: 4861#6.3.5. O(redirects). */
void redirect_forget_via(struct ip *ip, int ifindex, const struct weir_addr *next_hop);

/* -- path MTU: pmtu.c -------------------------------------------------------------------------- */

/* The MTU towards dst where the first link has link_mtu. */
uint32_t pmtu_of(struct ip *ip, const struct weir_addr *dst, uint32_t link_mtu, int64_t now_us);
/* A router on the way has a link below min_pmtu: what goes there must not bear DF, or it would be
 * dropped for ever. Linux: such a path is "locked". */
bool pmtu_is_narrow(struct ip *ip, const struct weir_addr *dst, int64_t now_us);
/* An ICMP "packet too big" whose quote a transport has confirmed. Lowers only; never below
 * min_pmtu. Returns the MTU that is now in force, or 0 if there was no room. */
uint32_t pmtu_update(struct ip *ip, const struct weir_addr *dst, uint32_t mtu, int64_t now_us);

/* -- ICMP: icmp.c icmp_out.c ----------------------------------------------------------------- */

/* An ICMP message that came in, from its ICMP header on. */
struct icmp_view {
    struct weir_addr src, dst;
    struct weir_addr local; /* our address to answer from: dst where that is no group */
    int ifindex;
    bool is_group; /* dst is a broadcast or multicast address */
    uint8_t ttl, tos;
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS];
};

enum icmp_event_kind {
    ICMP_EVENT_NONE,
    ICMP_EVENT_ERROR,    /* `error` is for the transport that the quote names */
    ICMP_EVENT_REDIRECT, /* `gateway` is said to be better for the packet that `error` names */
    ICMP_EVENT_REPLY,    /* the message is for ping sockets with identifier `id` */
};
/* An ICMP error, with what can be read from its quote. */
struct icmp_error {
    uint8_t type, code;
    bool is_hard;          /* as Linux sees it: protocol or port unreachable and the like */
    int error;             /* errno */
    uint32_t mtu;          /* of the next hop where packets are too big for it, else 0 */
    uint16_t quoted_len;   /* where `mtu` is guessed from it, else 0 */
    struct weir_addr from; /* who says so */
    struct weir_addr local, remote; /* source and destination of our packet */
    uint8_t proto;
    uint16_t lport, rport; /* ports of our packet; ICMP: lport is the identifier */
    uint32_t seq;          /* TCP: its sequence number */
    uint32_t text_at;      /* where its payload begins in the message: behind ports or identifier */
};
struct icmp_event {
    enum icmp_event_kind kind;
    uint16_t id;
    struct icmp_error error;
    struct weir_addr gateway;
};
/* PASS, or why it was dropped. An echo request is answered in the queue. */
enum drop icmp_input(struct ip *ip, const struct icmp_view *in, struct icmp_event *out);

/* Reads who sent a packet of ours from the `n` bytes that came back of it: its IP header and 8
 * bytes at least. Fills the ends, proto and seq. */
enum drop icmp_read_quote(const uint8_t *p, uint32_t n, struct icmp_error *out);

/* 1191#7.1: the next lower plateau below what a router did not take that names no MTU. */
uint32_t icmp_plateau_below(uint32_t len);

/* The same of ICMPv6, icmp6.c; the checksum was judged before. */
enum drop icmp6_input(struct ip *ip, const struct icmp_view *in, struct icmp_event *out);
/* Fills text_at too, from the quote's beginning. */
enum drop icmp6_read_quote(const uint8_t *p, uint32_t n, struct icmp_error *out);

/* A packet that deserves an ICMP error. */
struct icmp_offence {
    uint8_t type, code;
    uint32_t rest;          /* second word: next-hop MTU, or the pointer in its upper byte */
    struct weir_addr local; /* our address to send from */
    int ifindex;            /* where it came in */
    uint32_t iface_flags;   /* enum weir_iface_flag */
    bool is_group;          /* its destination, or its link destination, was a group */
    bool is_source_bad;     /* its source is a broadcast address of the link */
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS]; /* from its IP header on */
};
/* PASS: queued. Else why not: icmp_ignored (1122#3.2.2 forbids it), icmp_rate, ip_no_route,
 * reply_queue. */
enum drop icmp_error_send(struct ip *ip, const struct icmp_offence *o, int64_t now_us);
/* Whether src, dst and first bytes allow an error about a packet at all; icmp_error_send asks
 * too. */
bool icmp_error_may_send(const struct icmp_offence *o);
/* The same about an IPv6 packet, icmp6_out.c: 4443#2.4 (e). */
enum drop icmp6_error_send(struct ip *ip, const struct icmp_offence *o, int64_t now_us);
bool icmp6_error_may_send(const struct icmp_offence *o);

struct icmp_out {
    struct weir_addr src, dst; /* the family says which ICMP it is */
    uint8_t ttl, tos;
    uint8_t hdr[ICMP_LEN];     /* the message's first bytes, checksum included */
    struct ring_slice text[2]; /* the rest; good until ip_settle */
    uint8_t texts;
    uint32_t len; /* bytes of hdr and text */
};
/* The first answer that waits; it stays until icmp_sent. */
bool icmp_first(struct ip *ip, int ifindex, struct icmp_out *out);
void icmp_sent(struct ip *ip, int ifindex);
bool ip_has_output(const struct ip *ip, int ifindex);

/* -- packets for others: transit.c ---------------------------------------------------------------
 */

struct transit_in {
    const struct ip4 *ip;   /* as it is to leave */
    const struct ip6 *ip6;  /* the same of IPv6; the other is NULL */
    const uint8_t *options; /* ip->hdr_len - 20 bytes */
    struct weir_addr next_hop;
    uint32_t sum_at; /* as WEIR_CSUM_PARTIAL has it, behind the header; 0: nothing to complete */
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS]; /* behind its header */
};
/* PASS or forward_queue. */
enum drop transit_queue(struct ip *ip, int ifindex, const struct transit_in *in);

struct transit_out {
    bool is_v6; /* then ip6, else ip */
    struct ip4 ip;
    struct ip6 ip6;
    uint8_t options[IP4_HDR_MAX - IP4_LEN];
    uint8_t options_len;
    uint8_t texts;
    struct weir_addr next_hop;
    struct ring_slice text[2]; /* good until ip_settle */
    uint32_t len;              /* bytes behind the header */
};
/* The first packet that waits; it stays until transit_sent. */
bool transit_first(const struct ip *ip, int ifindex, struct transit_out *out);
void transit_sent(struct ip *ip, int ifindex);

#endif
