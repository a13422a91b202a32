/* A script as it was read: options, shell lines, and steps in the order of the file.
 *
 * Knows: the language's shape, not how a step is done. Shape: everything lies in one arena and is
 * freed with it. Units: microseconds of script time, bytes. Errors: one struct problem, the first.
 * Cost: none. */
#ifndef PACKETDRILL_SCRIPT_H
#define PACKETDRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- memory of one script ---------------------------------------------------------------------- */

struct arena {
    struct arena_chunk *chunks;
};
void *arena_alloc(struct arena *a, size_t bytes); /* zeroed; ends the program without memory */
char *arena_text(struct arena *a, const char *from, size_t len);
void arena_free(struct arena *a);

/* -- places and problems ----------------------------------------------------------------------- */

struct place {
    int line, col; /* from 1 */
};

enum problem_kind { PROBLEM_NONE, PROBLEM_SYNTAX, PROBLEM_FAILED };
struct problem {
    enum problem_kind kind;
    struct place at;
    char what[512];     /* one line */
    char expected[640]; /* the whole segment or result, where two can be compared */
    char actual[640];
    int caret, caret_len; /* column of `actual` at which they part, from 0; caret_len 0: none */
};
/* Keeps the first problem of a script. Always false, so that a caller can return it. */
bool problem_set(struct problem *p, enum problem_kind kind, struct place at, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

/* -- time -------------------------------------------------------------------------------------- */

enum when_kind { WHEN_ABSOLUTE, WHEN_RELATIVE, WHEN_ANY };
struct when {
    enum when_kind kind;
    bool has_end;     /* "a~b": somewhere in it; with is_blocking "a...b": begins and ends there */
    bool is_blocking; /* a call that waits */
    int64_t us, end_us;
};

/* -- segments ---------------------------------------------------------------------------------- */

enum segment_kind { SEGMENT_TCP, SEGMENT_UDP, SEGMENT_ICMP };

enum segment_has {
    HAS_ACK = 1,
    HAS_WIN = 2,
    HAS_URG = 4,
    HAS_ECN = 8,
    HAS_TTL = 16,
    HAS_TOS = 32,
    HAS_PORTS = 64,
    HAS_OPTIONS = 128, /* the list below is all there is; without: any options */
    HAS_MTU = 256,
    HAS_QUOTE = 512
};

#define OPTIONS_MAX 20
#define OPTION_DATA_MAX 38
#define SACKS_MAX 4

struct option {
    uint8_t kind;
    uint8_t len;   /* bytes of data, or SACK blocks */
    uint32_t a, b; /* MSS, shift count, TSval and TSecr */
    uint32_t sack[SACKS_MAX][2];
    uint8_t data[OPTION_DATA_MAX];
};
enum {
    OPTION_EOL = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WSCALE = 3,
    OPTION_SACK_OK = 4,
    OPTION_SACK = 5,
    OPTION_TS = 8,
    OPTION_MD5 = 19,
    OPTION_FASTOPEN = 34,
    OPTION_ACC_0 = 172, /* accurate ECN, by the order of its counters */
    OPTION_ACC_1 = 174,
    OPTION_EXPERIMENT = 254
};

struct quote { /* what an ICMP error holds of the packet that caused it */
    enum segment_kind kind;
    uint32_t seq, len;
};

struct segment {
    enum segment_kind kind;
    uint32_t has; /* enum segment_has */
    uint8_t tos, ttl, ecn;
    uint16_t sport, dport;
    uint8_t flags; /* TCP_FIN to TCP_CWR */
    bool ae;
    uint32_t seq, ack, len; /* relative numbers; bytes of payload */
    uint16_t win, urg;
    struct option option[OPTIONS_MAX];
    int options;
    uint8_t type, code; /* ICMP */
    uint16_t id, number;
    uint32_t mtu;
    struct quote quote;
};

/* -- values and calls -------------------------------------------------------------------------- */

enum value_kind { VALUE_NUMBER, VALUE_TEXT, VALUE_ANY, VALUE_LIST };
struct value {
    enum value_kind kind;
    struct place at;
    int64_t number;
    const char *text;
    size_t len;
    struct value **item; /* "[1, 2]", "{fd = 3, events = POLLIN}", "{..., 1000}" */
    const char **name;   /* name[i] NULL: item i has none */
    int items;
};

#define ARGS_MAX 8
struct call {
    const char *name;
    struct value *arg[ARGS_MAX];
    int args;
    struct value *result; /* VALUE_ANY: any */
    int error;            /* errno, where result is -1 */
    char shown[160];      /* the call as it stands in the script, one line */
};

/* -- steps ------------------------------------------------------------------------------------- */

enum step_kind { STEP_IN, STEP_OUT, STEP_CALL, STEP_SHELL, STEP_CODE };
struct step {
    struct step *next;
    enum step_kind kind;
    struct place at;
    struct when when;
    struct segment *segment;
    struct call *call;
    const char *text; /* of a shell line or a code block */
};

struct setting { /* "--name=value"; value "" when there is none */
    struct setting *next;
    struct place at;
    const char *name, *value;
};

struct script {
    struct arena arena;
    struct setting *settings;
    struct step *steps;
};

/* Reads a script. `words` replace names in it (-D NAME=VALUE). False with *problem filled. */
bool script_parse(struct script *s, const char *text, const struct setting *words,
                  struct problem *problem);
void script_free(struct script *s);

#endif
