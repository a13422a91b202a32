/* Wire formats: bytes to structs in host order and back. The only place that knows network order.
 *
 * Knows: base, and the drop reasons. Shape: pure functions. parse returns the header's length, or
 * minus the drop reason (enum drop) and then *out is undefined; emit returns the bytes written and
 * leaves checksum fields that cover payload at zero. Units: bytes. Cost: O(header). */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seq.h"
#include "def/drop.h"
#include "weir/addr.h"

/* -- Ethernet II, RFC 894 ---------------------------------------------------------------------- */

#define ETH_LEN 14
#define ETH_TYPE_IP4 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_TYPE_IP6 0x86dd
#define ETH_TYPE_VLAN 0x8100
#define ETH_TYPE_RARP 0x8035

struct eth {
    uint8_t dst[6], src[6];
    uint16_t type; /* below 1536: an 802.3 length */
};
int eth_parse(struct eth *out, const uint8_t *p, size_t n);
size_t eth_emit(uint8_t *p, const struct eth *e);

/* -- IEEE 802.3 with LLC and SNAP, RFC 1042: behind the Ethernet header, whose type is a length -
 */

#define LLC_LEN 8
#define LLC_DATA_MAX 1492 /* bytes of IP in a frame of 1,500 */
#define ETH_MIN 60        /* bytes of a frame, shorter ones are padded; without the FCS */
#define ETH_TYPE_MIN 1536 /* below: a length */

/* The EtherType to *type. */
int llc_parse(uint16_t *type, const uint8_t *p, size_t n);
size_t llc_emit(uint8_t *p, uint16_t type);

/* -- ARP, RFC 826, for IPv4 over Ethernet ------------------------------------------------------ */

#define ARP_LEN 28
enum { ARP_REQUEST = 1, ARP_REPLY = 2, RARP_REQUEST = 3, RARP_REPLY = 4 }; /* 903: the latter */

struct arp {
    uint16_t op;
    uint8_t sha[6], tha[6];
    bool is_802;       /* in a frame of IEEE 802.3: 1042 gives that hardware another number */
    uint32_t spa, tpa; /* host order */
};
int arp_parse(struct arp *out, const uint8_t *p, size_t n);
size_t arp_emit(uint8_t *p, const struct arp *a);

/* -- IPv4, RFC 791 ----------------------------------------------------------------------------- */

#define IP4_LEN 20
#define IP4_DF 0x4000
#define IP4_MF 0x2000
#define IP4_OFFSET 0x1fff /* of a fragment, in 8 bytes */

enum { PROTO_ICMP = 1, PROTO_IGMP = 2, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

struct ip4 {
    uint8_t hdr_len; /* bytes, 20 to 60 */
    uint8_t tos, ttl, proto;
    uint16_t total_len; /* bytes, header and payload */
    uint16_t id, frag;  /* frag: flags and offset in 8-byte units, as in the header */
    uint32_t src, dst;  /* host order */
};
/* Judges version, lengths against n (n may exceed total_len: padding) and the header checksum. */
int ip4_parse(struct ip4 *out, const uint8_t *p, size_t n);
size_t ip4_emit(uint8_t *p, const struct ip4 *h); /* without options; with the header checksum */

/* -- ICMP, RFC 792 ----------------------------------------------------------------------------- */

#define ICMP_LEN 8
enum {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACH = 3,
    ICMP4_QUENCH = 4,
    ICMP4_REDIRECT = 5,
    ICMP4_ECHO = 8,
    ICMP4_TIME = 11,
    ICMP4_PARAM = 12
};
enum {
    UNREACH_NET = 0,
    UNREACH_HOST = 1,
    UNREACH_PROTO = 2,
    UNREACH_PORT = 3,
    UNREACH_FRAG = 4,
    UNREACH_SRCRT = 5,
    UNREACH_ADMIN = 13
};

struct icmp4 {
    uint8_t type, code;
    uint32_t rest; /* the second word, host order: id and seq, or unused and next-hop MTU */
};
/* Judges the checksum over n bytes. */
int icmp4_parse(struct icmp4 *out, const uint8_t *p, size_t n);
size_t icmp4_emit(uint8_t *p, const struct icmp4 *h);
/* Fills in the checksum of a whole message of n bytes whose field is zero. */
void icmp4_seal(uint8_t *p, size_t n);

/* -- IPv6, RFC 8200 ---------------------------------------------------------------------------- */

#define IP6_LEN 40
#define IP6_MTU_MIN 1280
#define IP6_FRAG_LEN 8
#define IP6_FRAG_OFFSET 0xfff8 /* of struct ip6_chain.frag: bytes */
#define IP6_FRAG_MORE 1

enum { NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_NONE = 59, NEXT_OPTS = 60 };

struct ip6 {
    uint8_t tclass, next, hop_limit;
    uint16_t payload_len; /* bytes behind the header */
    uint32_t flow;        /* label, 20 bits */
    struct weir_addr src, dst;
};
/* Judges version and payload length against n (n may exceed it: padding). */
int ip6_parse(struct ip6 *out, const uint8_t *p, size_t n);
size_t ip6_emit(uint8_t *p, const struct ip6 *h);

/* The extension headers of a packet, from behind its IPv6 header to the transport header. The walk
 * stops behind a fragment header; what follows lies in the first fragment only. */
struct ip6_chain {
    uint8_t proto;  /* the transport; NEXT_FRAGMENT: `frag`, `id`, `inner` are set */
    uint8_t inner;  /* the next header in the fragment header */
    bool has_alert; /* a router alert, 2711 */
    uint16_t len;   /* bytes of headers, a fragment header included */
    uint16_t
        named_at;  /* where the next header field lies that says `proto`, from the IPv6 header */
    uint16_t frag; /* offset in 8-byte units, shifted by 3, and M in the lowest bit */
    uint32_t id;
    /* Where the walk was refused: what the sender is told. */
    bool is_told;       /* by an ICMPv6 parameter problem */
    bool is_told_group; /* even where the packet went to a group */
    uint8_t code;       /* enum icmp6_param */
    uint32_t pointer;   /* bytes from the IPv6 header on */
};
/* Walks the headers behind `at` bytes of a packet (IP6_LEN, or more behind a fragment header).
 * In: `proto` and `named_at` say what the first is, the rest is 0. p: the packet; n: its bytes that
 * lie in one piece. PASS, or why it must go: ip6_header, ip6_option, ip6_routing, ip6_none. */
enum drop ip6_walk(struct ip6_chain *c, const uint8_t *p, size_t at, size_t n);
bool ip6_is_extension(uint8_t next); /* of those that the walk knows */
size_t ip6_frag_emit(uint8_t *p, uint8_t next, uint16_t frag, uint32_t id);

/* -- ICMPv6, RFC 4443: header as in ICMP ------------------------------------------------------- */

enum {
    ICMP6_UNREACH = 1,
    ICMP6_TOO_BIG = 2,
    ICMP6_TIME = 3,
    ICMP6_PARAM = 4,
    ICMP6_INFO = 128, /* from here on no errors */
    ICMP6_ECHO = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_MLD_QUERY = 130,
    ICMP6_MLD_REPORT = 131,
    ICMP6_MLD_DONE = 132,
    ICMP6_ND_FIRST = 133, /* router solicitation, advertisement, neighbour's, redirect */
    ICMP6_ND_LAST = 137,
    ICMP6_MLD2_REPORT = 143
};
enum icmp6_unreach {
    UNREACH6_ROUTE = 0,
    UNREACH6_ADMIN = 1,
    UNREACH6_SCOPE = 2,
    UNREACH6_ADDR = 3,
    UNREACH6_PORT = 4,
    UNREACH6_POLICY = 5,
    UNREACH6_REJECT = 6
};
enum icmp6_param { PARAM6_FIELD = 0, PARAM6_NEXT = 1, PARAM6_OPTION = 2, PARAM6_CHAIN = 3 };

/* Neighbour discovery, 4861#4: its options, by units of 8 bytes, follow a fixed part. */
enum { ND_RS = 133, ND_RA = 134, ND_NS = 135, ND_NA = 136, ND_REDIRECT = 137 };
enum { ND_RS_LEN = 8, ND_RA_LEN = 16, ND_NS_LEN = 24, ND_NA_LEN = 24, ND_REDIRECT_LEN = 40 };
enum { ND_NA_ROUTER = 0x80, ND_NA_SOLICITED = 0x40, ND_NA_OVERRIDE = 0x20 }; /* byte 4 */
enum nd_option_type {
    ND_OPT_SOURCE = 1, /* a link-layer address */
    ND_OPT_TARGET = 2,
    ND_OPT_PREFIX = 3,
    ND_OPT_MTU = 5,
    ND_OPT_NONCE = 14, /* 3971, 7527 */
    ND_OPT_ROUTE = 24, /* 4191 */
    ND_OPT_RDNSS = 25, /* 8106 */
};
struct nd_option {
    uint8_t type;
    const uint8_t *p; /* of its first byte */
    uint32_t len;     /* bytes, a multiple of 8 */
};
/* The option at *at, which moves behind it; false: there are no more, or *at is at a bad one. */
bool nd_option_next(struct nd_option *o, const uint8_t *p, size_t n, uint32_t *at);
/* No option is empty or leads out of the message: 4861#4.6. */
bool nd_options_are_good(const uint8_t *p, size_t n, uint32_t fixed);
/* The first option of this type that holds a MAC; NULL: none. */
const uint8_t *nd_mac_option(const uint8_t *p, size_t n, uint32_t fixed, uint8_t type);

/* Fills in the checksum of a whole message of n bytes. */
void icmp6_seal(uint8_t *p, size_t n, const struct weir_addr *src, const struct weir_addr *dst);
bool icmp6_is_good(const uint8_t *p, size_t n, const struct weir_addr *src,
                   const struct weir_addr *dst);

/* -- UDP, RFC 768 ------------------------------------------------------------------------------ */

#define UDP_LEN 8

struct udp {
    uint16_t sport, dport;
    uint16_t len; /* header and payload */
    bool has_sum; /* the checksum field was not zero */
};
int udp_parse(struct udp *out, const uint8_t *p, size_t n);
size_t udp_emit(uint8_t *p, const struct udp *u);

/* -- DHCP, RFC 2131, and the options that a client reads or writes, RFC 2132 --------------------
 */

#define DHCP_ROUTES_MAX 16
#define DHCP_DNS_MAX 3
#define DHCP_DOMAIN_MAX 64
#define DHCP_SEND_MAX 320 /* bytes of a message that dhcp_emit writes */
#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_FOR_EVER 0xffffffff /* a lease without an end */

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE
};
struct dhcp_route {
    uint32_t dst, gateway; /* gateway 0: on link */
    uint8_t prefix;
};
/* 0 where an option is not there, or makes no sense. Addresses in host order. */
struct dhcp_msg {
    uint32_t xid, ciaddr, yiaddr;
    uint8_t type; /* enum dhcp_type */
    uint8_t mac[6];
    uint16_t secs;
    bool is_reply, is_broadcast;
    uint32_t server, requested; /* options 54 and 50 */
    uint8_t prefix;             /* of option 1 */
    uint8_t dnss, routes;
    uint16_t mtu;
    uint32_t router, dns[DHCP_DNS_MAX];
    uint32_t lease_s, t1_s, t2_s;
    struct dhcp_route route[DHCP_ROUTES_MAX]; /* option 121, RFC 3442 */
    char domain[DHCP_DOMAIN_MAX];
};
/* Judges all lengths; 0, or -DROP_dhcp_malformed. */
int dhcp_parse(struct dhcp_msg *out, const uint8_t *p, size_t n);
/* A client's message: type, xid, ciaddr, mac, secs, is_broadcast, requested and server are used.
 * The bytes written, at most DHCP_SEND_MAX. */
size_t dhcp_emit(uint8_t *p, const struct dhcp_msg *m);

/* -- TCP, RFC 9293 section 3.1, and its options ------------------------------------------------ */

#define TCP_LEN 20
#define TCP_HDR_MAX 60
enum {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
    TCP_ECE = 64,
    TCP_CWR = 128
};
#define TCP_SACK_MAX 4

enum tcp_opt_flag {
    TCP_OPT_MSS = 1,
    TCP_OPT_WSCALE = 2,
    TCP_OPT_SACK_OK = 4,
    TCP_OPT_TS = 8,
    TCP_OPT_SACK = 16,
    TCP_OPT_FASTOPEN = 32,
    TCP_OPT_BAD = 64, /* the list was malformed; what came before is here */
    TCP_OPT_ACC = 128 /* counters of accurate ECN */
};
#define TCP_ACC_MAX 3 /* the counters of one option */
struct tcp_sack {
    struct seq start, end;
};
struct tcp_opts {
    uint8_t has; /* enum tcp_opt_flag */
    uint8_t wscale;
    uint8_t sacks;
    uint8_t cookie_len; /* Fast Open cookie, 0: asked for */
    bool is_old_cookie; /* as an experiment, which is how it was before it had a number */
    uint16_t mss;
    uint32_t tsval, tsecr;
    struct tcp_sack sack[TCP_SACK_MAX];
    uint8_t cookie[16];
    uint8_t accs;              /* how many counters there are */
    bool is_acc_1;             /* they begin with ECT(1)'s bytes, not ECT(0)'s; CE's are second */
    uint32_t acc[TCP_ACC_MAX]; /* 24 bits */
};
struct tcp_hdr {
    uint16_t sport, dport;
    struct seq seq, ack;
    uint8_t hdr_len; /* bytes, 20 to 60 */
    uint8_t flags;   /* FIN to CWR */
    bool ae;         /* the accurate ECN bit */
    uint16_t wnd;    /* as on the wire, not scaled */
    uint16_t urg;
    struct tcp_opts opt;
};
/* Judges the data offset against n (the bytes of header that are there at least); no checksum. */
int tcp_parse(struct tcp_hdr *out, const uint8_t *p, size_t n);
/* Bytes of options that emit will write for these, a multiple of 4, at most 40. */
size_t tcp_opts_len(const struct tcp_opts *o);
/* hdr_len is computed. The layout is Linux's: on a SYN mss, sackOK, TS, nop, wscale; elsewhere nop,
 * nop, TS, nop, nop, SACK. */
size_t tcp_emit(uint8_t *p, const struct tcp_hdr *h);

/* -- the pseudo header ------------------------------------------------------------------------- */

/* The sum of addresses, protocol and length, to begin a transport checksum with. `len` in bytes. */
uint32_t pseudo_sum(const struct weir_addr *src, const struct weir_addr *dst, uint8_t proto,
                    uint32_t len);

#endif
