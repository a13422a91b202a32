/* What is said of connections: one verdict each, numbers, a summary; as text or JSON.
 *
 * Knows: conn.h. Shape: connections are handed in as they end. Units: s on the page.
 * Errors: none. */
#ifndef EXPLAIN_REPORT_H
#define EXPLAIN_REPORT_H

#include "explain/conn.h"

enum severity { FINE, SLOW, FAILED };

struct verdict {
    enum severity severity;
    char text[480];
};

/* verdict.c: `end_at`: the last packet of the capture. */
void verdict_of(struct verdict *v, const struct conn *c, int64_t end_at);
/* "it was reset by ..., ": why, in words. */
const char *cause_words(enum cause c);

struct summary {
    uint64_t connections, by_severity[3];
    uint64_t packets, segments, others, fragments, shorts, unknown_link;
    uint64_t bytes, rto, fast, early, spurious, keepalives, probes, out_of_order, dup_acks, zeros;
    uint64_t syns_again, refused, unanswered, resets, unseen;
    uint64_t elsewhere; /* segments at a second interface, not counted */
    int64_t zero_ns, first_at, last_at;
};

struct ask {
    const char *path;
    const char *html; /* the page to write; NULL: none */
    bool is_json;
    uint64_t ladder; /* 0: none */
    uint64_t top;    /* how many are shown, 0: all */
    bool has_host;
    struct weir_addr host;
    int port; /* 0: any */
};

struct report {
    const struct ask *ask;
    struct summary sum;
    struct conn **kept; /* worst first */
    uint64_t count, room;
    bool has_json; /* one is printed already */
    FILE *to;
};

void page_add(struct report *r, struct conn *c); /* owns c */
void summary_add(struct summary *s, const struct conn *c, enum severity severity);
void page_print(struct report *r, const struct file *f);
/* Its head as text, a few lines; the caller frees it. NULL: no memory. */
char *page_summary(const struct report *r, const struct file *f);
void page_free(struct report *r);

/* json.c */
void page_json_begin(struct report *r, const struct file *f);
void page_json_add(struct report *r, const struct conn *c);
void page_json_end(struct report *r, const struct file *f);

/* ladder.c: one line. `base`: what times and numbers count from. */
void rungs_head(FILE *to, const struct conn *c);
void rungs_line(FILE *to, const struct conn *c, const struct segment *s, unsigned remarks);
/* What is remarkable, in words; cause: of a RST. "": nothing. */
void remarks_text(char *text, size_t size, unsigned remarks, enum cause cause);
/* " accecn0 e0b 1 ceb 0 e1b 1", or nothing. */
void counters_text(char *text, size_t size, const struct tcp_opts *o);
const char *flags_text(char text[12], uint8_t flags);

/* "1.2 MB", "3.25 s" */
char *bytes_words(char text[24], uint64_t bytes);
char *time_words(char text[24], int64_t ns);
char *end_words(char text[WEIR_ADDR_TEXT], const struct end *e);

#endif
