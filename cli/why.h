/* What `weir why` knows of one socket and of its past, and what it was asked.
 *
 * Knows: ss.h, past.h. Not how daemons are asked, nor /proc. Shape: plain values.
 * Units: as endpoint.h and past.h. Errors: none. Cost: none. */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "cli/ss.h"
#include "run/run.h"

struct why_sock {
    struct ss_sock s;
    int fd;      /* of the process, -1: not known */
    int holders; /* processes that have it open, 0: not known */
};

struct why_past {
    struct past p;
    const char *daemon;
};

struct why_view {
    struct why_sock *sock;
    int socks, sock_room;
    struct why_past *past; /* oldest first */
    int pasts, past_room;
    int port_first, port_last; /* net.ipv4.ip_local_port_range */
    int host_listener;         /* the host's own TCP listens at the port that was asked for */
};

struct why_ask {
    bool all, json, help;
    int port; /* of either end; 0: any */
    bool has_addr;
    struct weir_addr addr; /* of either end */
    int fd, pid;           /* -1: not asked by descriptor */
    const char *run;
};

/* why_gather.c. 0, or the exit status, with a word on stderr. */
int why_gather(const struct why_ask *ask, struct why_view *v);

/* why_words.c: the paragraph of one socket, without its title, without an end of line. */
void why_put_words(FILE *to, const struct why_sock *w);
void why_put_title(FILE *to, const struct why_sock *w);
/* "41 s", "2 min 5 s", "0.25 s" */
char *why_span(char text[24], int64_t us);

/* why_past.c: how connections at this port (0: any) ended or were refused lately; `to` gets lines,
 * newest last, at most `most`. How many. */
int why_put_past(FILE *to, const struct why_view *v, int port, int most);
/* What ended it, in words, "" if that event ends nothing. */
void why_past_words(char *text, size_t size, const struct past *p);

/* why_ports.c: why the port can or can not be bound; why none are left. */
void why_put_bind(FILE *to, const struct why_view *v, int port);
void why_put_ports(FILE *to, const struct why_view *v);

/* why_json.c */
void why_put_json(const struct why_view *v, const struct why_ask *ask);

#endif
