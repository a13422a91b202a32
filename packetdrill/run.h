/* One script being played: what its files share.
 *
 * Knows: the script, the node, and which numbers of the script stand for which of the wire.
 * Shape: steps in order; calls that wait are kept in a list and tried again whenever something
 * happened. Units: microseconds since the script began. Errors: one problem. Cost: none. */
#ifndef PACKETDRILL_RUN_H
#define PACKETDRILL_RUN_H

#include <stdio.h>

#include "packetdrill/node.h"
#include "packetdrill/segment.h"

#define NUMBERS_MAX 1024 /* descriptors as scripts count them */
#define VARIABLES_MAX 64

struct run;

struct settings {                   /* what options of the command and of the script say */
    struct weir_addr local, remote; /* both of IPv4 or both of IPv6: packets are of that */
    int prefix, family;
    uint32_t mtu;
    uint16_t bind_port, connect_port;
    int64_t tolerance_us;
    bool is_verbose, is_strict, is_dry, is_quiet;
    FILE *out; /* of verbose lines and notes */
    const char *note_prefix;
    const struct setting *words; /* -D NAME=VALUE */
};

/* One connection (or pair of UDP ports) between the stack and the script's other end. A SYN of the
 * script bears its number as on the wire; all other numbers of that end count from it. The stack's
 * differ by local_offset. A later SYN counts once the stack has acknowledged it. */
struct flow {
    struct flow *next;
    enum segment_kind kind;
    uint16_t lport, rport;
    bool has_local, wants_isn; /* the next SYN of the stack says where its numbers begin */
    uint32_t local_offset, local_isn;
    bool has_remote, has_syn;
    uint32_t remote_isn; /* 0 until there is a SYN */
    uint32_t syn, syn_len;
    bool has_ts;
    uint32_t ts_offset;
    bool is_urgent; /* a byte left the stream: what is read is not compared any more */
    uint8_t *written;
    size_t written_len, written_room, read_len;
};

struct playing { /* one call */
    struct playing *next;
    const struct step *step;
    struct node_wait wait;
    int64_t from_us, end_us; /* when it was to begin and to end */
    int64_t result;          /* NODE_BLOCKS: not yet */
    uint8_t *buffer;
    size_t buffer_len;
    struct node_io io;
    struct iovec iov[8];
    /* After a result that is the expected one: what else the script says of it. May be NULL. */
    bool (*check)(struct run *r, struct playing *c);
    int out_value;
};

struct variable {
    char name[32];
    double value;
};

struct run {
    const struct script *script;
    struct settings set;
    struct arena arena;
    struct node *node;
    struct problem *problem;
    int64_t base_us; /* what "+" counts from */
    struct flow *flows, *current;
    uint16_t next_port;                /* of the script's other end */
    uint16_t listen_port;              /* of the last listen */
    bool is_listener_fresh;            /* no SYN was sent to it yet */
    int number[NUMBERS_MAX];           /* script descriptor to node descriptor, -1: none */
    int last_fd;                       /* the socket that checks look at; a node descriptor */
    struct flow *flow_at[NUMBERS_MAX]; /* by node descriptor: found once, for names die early */
    struct playing *waiting;
    struct variable variable[VARIABLES_MAX];
    int variables;
};

/* Plays a script from its first step to its last. */
bool run_script(const struct script *script, const struct settings *settings,
                struct problem *problem);
/* Are all calls known and their arguments the right number? */
bool run_check(const struct script *script, struct problem *problem);
void settings_preset(struct settings *out); /* the two ends' addresses */
bool settings_apply(struct settings *out, const struct setting *list, struct problem *problem);
void run_note(struct run *r, const struct step *s, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* clock.c: time passes, waiting calls end. */
bool clock_run_to(struct run *r, int64_t us);
/* Until the stack has sent a packet, or `us`. */
bool clock_run_to_packet(struct run *r, int64_t us);
bool call_try_all(struct run *r); /* those that wait */
char *time_text(int64_t us, char *text, size_t size);

/* flow.c: NULL of flow_of_socket: it is not connected. */
struct flow *flow_find(struct run *r, enum segment_kind kind, uint16_t lport, uint16_t rport);
struct flow *flow_of(struct run *r, enum segment_kind kind, uint16_t lport, uint16_t rport);
struct flow *flow_of_socket(struct run *r, int fd);
void flow_forget(struct run *r, int fd);
void flow_connects(struct run *r, int fd, const struct node_io *peer);
void flow_written(struct run *r, int fd, const struct node_io *io, size_t len);
/* Is what was read what the script's other end sent? -1, or the first wrong byte. */
int64_t flow_read(struct run *r, int fd, const struct node_io *io, size_t len);
uint8_t flow_byte(uint32_t index); /* of the streams that scripts write as "..." */

bool step_in(struct run *r, const struct step *s);
bool step_out(struct run *r, const struct step *s, int64_t from_us, int64_t to_us);
bool step_call(struct run *r, const struct step *s, int64_t from_us);
bool step_shell(struct run *r, const struct step *s);
bool step_code(struct run *r, const struct step *s);

#endif
