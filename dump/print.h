/* Printing packets: one struct for what the user asked for, one view for what is left of a packet.
 *
 * Knows: nothing of files and of stacks. Shape: print_packet goes down the layers; each layer is a
 * file and hands the rest to the next. Where a packet is cut short the layer that misses bytes says
 * " [|name]", as tcpdump does. Units: bytes. Errors: none: whatever comes is printed.
 * Cost: O(bytes printed); a connection is remembered, so that numbers can count from its start. */
#ifndef DUMP_PRINT_H
#define DUMP_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "capfile/capfile.h"

enum stamp_kind {
    STAMP_TIME,  /* 10:00:00.000000 */
    STAMP_NONE,  /* -t */
    STAMP_UNIX,  /* -tt */
    STAMP_DELTA, /* -ttt: since the packet before */
    STAMP_DATE,  /* -tttt */
    STAMP_SINCE, /* -ttttt: since the first packet */
};

enum hex_kind { HEX_NONE, HEX_BYTES, HEX_TEXT, ASCII_TEXT }; /* none, -x, -X, -A */

struct flows; /* flow.c: the first numbers of connections */

struct dump {
    FILE *to;
    int verbose;       /* -v, -vv */
    bool is_brief;     /* -q */
    bool shows_link;   /* -e */
    bool is_absolute;  /* -S */
    bool trusts_sums;  /* -K */
    bool shows_number; /* -# */
    bool is_nano;      /* --nano */
    bool is_layered;   /* -L */
    bool says_why;     /* --why */
    bool is_hex_whole; /* -xx, -XX: with the link header */
    enum hex_kind hex;
    enum stamp_kind stamp;
    int64_t first_ns, before_ns; /* of the first packet, of the last one */
    uint64_t packets;
    struct flows *flows;
};

/* What is left of a packet: n bytes of it were captured, wire bytes it has. */
struct view {
    const uint8_t *p;
    uint32_t n, wire;
};
/* Without its first k bytes; k may be more than there is. */
struct view view_from(struct view v, uint32_t k);
/* No more than its first k bytes. */
struct view view_to(struct view v, uint32_t k);

/* What a transport must know of its IP header. */
struct inet {
    bool is_v6, is_fragment;
    bool is_said;             /* the addresses stand on the line already */
    const uint8_t *src, *dst; /* 4 or 16 bytes */
    uint8_t proto;
    uint8_t ttl;
};

void print_cut(struct dump *d, const char *name); /* " [|name]" */
void print_addr(struct dump *d, const uint8_t *p, bool is_v6);
void print_mac(struct dump *d, const uint8_t mac[6]);
/* "src.port > dst.port: ", and without ports "src > dst: ". */
void print_ends(struct dump *d, const struct inet *in, int sport, int dport);
/* A list of them ends with text NULL. */
struct word {
    uint32_t value;
    const char *text;
};
const char *word_of(const struct word *words, uint32_t value); /* NULL: none */
extern const struct word ip_protocols[];                       /* of both families */
/* What the checksum field lacks, with the pseudo-header of its IP; 0: it is right. */
uint16_t transport_sum(const struct inet *in, struct view v);
uint16_t bytes_sum(const uint8_t *p, uint32_t n);  /* without a pseudo-header */
uint16_t sum_mended(uint16_t has, uint16_t lacks); /* what it should be */

/* The whole line, or lines. */
void print_packet(struct dump *d, const struct packet *p);
void print_stamp(struct dump *d, int64_t at_ns);
void print_hex(struct dump *d, const uint8_t *p, uint32_t n, bool has_text);
/* Each line of it behind `before`, which begins with the line's end. */
void print_hex_below(struct dump *d, const char *before, const uint8_t *p, uint32_t n);
void print_ascii(struct dump *d, const uint8_t *p, uint32_t n);

/* Each prints what is behind "IP " and the like, without the line's end. */
void print_link(struct dump *d, const struct packet *p);
/* Where the IP packet lies in the frame of p: what -x shows. */
uint32_t link_len(const struct packet *p);
void print_arp(struct dump *d, struct view v);
void print_ip(struct dump *d, struct view v); /* by its version */
void print_ip4(struct dump *d, struct view v);
void print_ip6(struct dump *d, struct view v);
/* Behind the addresses' line; v: from the transport header on. */
void print_transport(struct dump *d, const struct inet *in, struct view v);
void print_icmp4(struct dump *d, const struct inet *in, struct view v);
void print_icmp6(struct dump *d, const struct inet *in, struct view v);
/* Types 133 to 137 of it; false: it is cut short. Type and code are there. */
bool print_nd(struct dump *d, struct view v);
void print_igmp(struct dump *d, struct view v);
void print_tcp(struct dump *d, const struct inet *in, struct view v);
/* False: they are broken or cut short. */
bool print_tcp_options(struct dump *d, struct view v, uint32_t sack_base);
void print_udp(struct dump *d, const struct inet *in, struct view v);
/* Text in what programs say, where the port tells which: "HTTP: GET / HTTP/1.1". */
void print_tcp_text(struct dump *d, struct view v, uint16_t sport, uint16_t dport);
void print_dns(struct dump *d, struct view v, bool is_tcp);

/* The same packet opened layer by layer: layers.c. */
void print_layers(struct dump *d, const struct packet *p);

/* flow.c */
struct flow {
    uint32_t seq, ack; /* what to subtract */
};
/* Numbers from which this segment's count, 0 where they are absolute; *is_reverse: which end. */
struct flow flow_base(struct dump *d, const struct inet *in, const uint8_t *tcp, bool *is_reverse);
void flows_free(struct flows *f);

#endif
