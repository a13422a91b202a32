/* Datagrams that come in pieces: what the other folders may know of reassembly.
 *
 * Knows: def, wire. Shape: a struct frags is part of struct ip. Units: bytes, microseconds
 * (`now_us`). Errors: verdicts. Cost: see frag.c. */
#ifndef IP_FRAG_H
#define IP_FRAG_H

#include "base/list.h"
#include "base/rng.h"
#include "base/table.h"
#include "weir/frame.h"
#include "wire/wire.h"

#define IP4_HDR_MAX 60
#define FRAG_QUOTE_MAX 1232 /* as ICMPv6 quotes at most, and ICMP less */

struct frags {
    struct mem *mem;
    struct sipkey key;
    struct pool datagrams, sources;
    struct table by_key, by_source;
    struct list order;    /* of beginning: the oldest first */
    uint32_t held_bytes;  /* as counted against ipfrag_high_thresh */
    uint8_t *whole;       /* lent by frag_input until frag_release */
    uint32_t whole_bytes; /* its room */
    uint64_t failed;      /* datagrams given up, for any reason; impossible fragments */
};

/* Limits, from struct ip_config. */
struct frag_limits {
    uint32_t high_thresh; /* bytes */
    uint32_t time_s, max_dist;
};

struct frag_in {
    struct weir_addr src, dst;
    int ifindex;
    uint32_t id;
    uint32_t start; /* byte of the datagram, behind its header */
    uint8_t proto;  /* part of the key in IPv4; 0 in IPv6 */
    uint8_t tos;    /* or traffic class */
    bool has_more;  /* fragments behind it */
    bool is_group;  /* its destination, or its link destination */
    bool is_v6;     /* the header is IPv6's, without others, and says what came in fragments */
    uint8_t hdr_len;
    const uint8_t *hdr;
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS]; /* what is behind the headers, no padding */
};
/* The datagram that a fragment completed: an IP header that says so, and all that is behind it. */
struct frag_whole {
    const uint8_t *data; /* good until frag_release */
    uint32_t len;
};
/* A datagram that was given up because its time is over. */
struct frag_expired {
    struct weir_addr src, dst;
    int ifindex;
    bool is_group;
    uint32_t len; /* of its first fragment, as far as ICMP quotes it; 0: that never came */
    uint8_t quote[FRAG_QUOTE_MAX];
};

void frag_init(struct frags *f, struct mem *mem, struct rng *seed);
void frag_fini(struct frags *f);
/* KEPT; PASS: *out is whole; ip_fragment_bad, _overlap, _duplicate, _full. */
enum drop frag_input(struct frags *f, const struct frag_limits *limit, const struct frag_in *in,
                     struct frag_whole *out, int64_t now_us);
void frag_release(struct frags *f);
/* Gives up the oldest datagram if its time is over. */
bool frag_expire(struct frags *f, const struct frag_limits *limit, struct frag_expired *out,
                 int64_t now_us);
int64_t frag_deadline(const struct frags *f, const struct frag_limits *limit); /* us */

#endif
