/* Fast Open, RFC 7413: what its files say to each other.
 *
 * Knows: more.h. Shape: fastopen.c connects, fastopen_listen.c accepts, fastopen_cookie.c makes and
 * keeps cookies. Units: bytes. Errors: none. */
#ifndef TCP_FASTOPEN_H
#define TCP_FASTOPEN_H

#include <string.h>

#include "tcp/more.h"

#define OPEN_COOKIE_LEN 8u

enum { OPEN_NONE, OPEN_ASK, OPEN_COOKIE, OPEN_BARE };

/* net.ipv4.tcp_fastopen, as Linux */
enum {
    OPEN_CLIENT = 1,
    OPEN_SERVER = 2,
    OPEN_CLIENT_BARE = 4,
    OPEN_SERVER_BARE = 0x200,
    OPEN_SERVER_ALL = 0x400
};

/* fastopen_cookie.c: of ours, for the two addresses of a flow. */
void fastopen_cookie(const struct sipkey *key, const struct flow *f,
                     uint8_t cookie[OPEN_COOKIE_LEN]);
/* The keys of a listener: its own, or the stack's. The first makes cookies, the other may still
 * have made one. */
int fastopen_keys(const struct tcp *p, const struct tcb *listener, const struct sipkey **key);
/* Which of them made the cookie; -1: none. */
int fastopen_which(const struct tcp *p, const struct tcb *listener, const struct seg *s);
/* What is known of the other end. False: it lost our SYNs, so nothing new is tried. */
bool fastopen_recall(const struct tcp *p, const struct tcb *t, struct fast_open *f);
void fastopen_remember(struct tcp *p, const struct tcb *t, const struct seg *s, bool is_lost);

/* fastopen_listen.c */
void fastopen_on_syn_ack_out(struct tcp *p, struct tcb *t, struct tcp_opts *o);

#endif
