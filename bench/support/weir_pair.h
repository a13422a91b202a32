/*
 * Knows:  libweir's public interface and its mem link. Not what is sent.
 * Shape:  two stacks of one thread, `client` and `server`, and the link between them. A step moves
 *         what both have to say, once; what the programs do about it is the caller's, in between.
 * Units:  nanoseconds, frames, bytes of Ethernet frame without its checksum.
 * Errors: what cannot be set up, and any frame that is dropped, ends the program (bench_die).
 * Cost:   a few instructions per frame for the counts; the clock is the caller's.
 */
#ifndef WEIR_PAIR_H
#define WEIR_PAIR_H

#include <weir/weir.h>

struct weir_pair_config {
    bool gso;    /* superframes of up to 65,535 bytes, checksums left to the link */
    bool raw_ip; /* no Ethernet header, no ARP */
    bool ip6;    /* addresses of IPv6, and its headers of 20 bytes more */
    uint32_t mtu;
    uint16_t first_port, last_port; /* for connections that name none */
    uint32_t timewait_max;
    uint32_t buffer_bytes; /* of each send and receive ring */
    bool plain;            /* no timestamps, no SACK: what lwIP's package has */
};

struct weir_pair_stats {
    uint64_t frames;        /* through the link, both ways, ACKs too */
    uint64_t full_segments; /* MSS bytes of payload; a superframe counts as what it stands for */
    uint64_t bytes;
};

struct weir_pair {
    struct weir_stack *client, *server;
    struct weir_link *link;
    struct weir_pair_stats seen;
    int64_t now_ns;
    bool is_ip6;
    uint32_t buffer_bytes;
    uint32_t payload_max;    /* bytes of payload in a full segment */
    void (*on_client)(void); /* frames or time came: look at the sockets */
    void (*on_server)(void);
};

void weir_pair_open(struct weir_pair *p, const struct weir_pair_config *c);
void weir_pair_close(struct weir_pair *p);
/* JSON members: how the pair was set up, and what crossed the link since `before`. */
void weir_pair_describe(const struct weir_pair *p, const struct weir_pair_config *c,
                        struct weir_pair_stats before, char *text, size_t size);
/* Ports [first, first + n) of the server; `user` comes back with each event of a listener. */
void weir_pair_listen(struct weir_pair *p, uint16_t first, uint16_t n, void *user);
int weir_pair_connect(struct weir_pair *p, uint16_t port, bool nodelay);
void weir_pair_nodelay(struct weir_stack *stack, int sock, bool on);
void weir_pair_must(int result,
                    const char *call); /* >= 0 or -EINPROGRESS; else there is no number */

bool weir_pair_step(struct weir_pair *p); /* false: nothing moved */
/* The server's answers are lost: what its SYNs leave behind stays half-open. */
void weir_pair_step_deaf(struct weir_pair *p);
uint64_t weir_pair_mem(const struct weir_pair *p, bool is_server);
uint64_t weir_pair_stat(const struct weir_pair *p, const char *name); /* of both */
/* Nothing was dropped, nothing sent twice; else there is no number. */
void weir_pair_check(const struct weir_pair *p);

#endif
