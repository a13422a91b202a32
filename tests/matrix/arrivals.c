/* SEGMENT ARRIVES, RFC 9293 section 3.10.7, as a table: every state, every set of SYN ACK FIN RST,
 * every place in the sequence space, with text and without, every kind of ACK, and what comes of
 * it.
 *
 * The table is tests/golden/tcp-arrivals/STATE.txt, one line for each segment. A difference is told
 * in words. If the new behaviour is right, WEIR_GOLDEN=write in front of the test's command writes
 * the table anew; read the diff before you commit it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "def/drop.h"
#include "def/state.h"
#include "support/peer.h"

#define TEXT 10u      /* bytes of text, where there is text */
#define LINE_MAX_ 256 /* characters of one line */
#define TOLD_MAX 12   /* differences told for each state */

/* Where a segment stands in the peer's sequence space. */
enum place { OLD, LAST, NEXT, GAP, EDGE, PAST, PLACES };
static const char *const place_names[PLACES] = {"old", "last", "next", "gap", "edge", "past"};
static const char *const place_words[PLACES] = {
    "before RCV.NXT",
    "at RCV.NXT - 1",
    "at RCV.NXT",
    "behind a gap",
    "at the right edge of the window",
    "beyond the window",
};

enum claim { NONE, ANCIENT, BEFORE, UNA, NXT, FUTURE, CLAIMS };
static const char *const claim_names[CLAIMS] = {"-", "ancient", "old", "una", "nxt", "future"};
static const char *const claim_words[CLAIMS] = {
    "",
    ", ACK far below SND.UNA",
    ", ACK below SND.UNA",
    ", ACK of SND.UNA",
    ", ACK of SND.NXT",
    ", ACK beyond SND.NXT",
};

struct scene {
    const char *name;
    struct peer (*arrange)(void);
    uint32_t una, nxt, rcv_nxt; /* relative, as arrange() leaves them */
    uint32_t window;            /* 0: the state has none, so one place stands for all */
};

struct arrival {
    uint8_t flags;
    enum place place;
    enum claim claim;
    bool has_text;
};

/* -- the states -------------------------------------------------------------------------------- */

static struct peer closed(void)
{
    return begin(0);
}

static struct peer listen_(void)
{
    return listening(0);
}

static struct peer syn_sent(void)
{
    return connecting(0);
}

static struct peer syn_received(void)
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    return p;
}

static struct peer syn_received_active(void)
{
    struct peer p = connecting(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    return p;
}

/* 100 bytes came and were read; 200 were sent, of which 100 are acknowledged. */
static struct peer established_(void)
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 200);
    expect(&p, .flags = ACK, .seq = 1, .len = 200);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .len = 100);
    expect_after(&p, 40, .flags = ACK, .seq = 201, .ack = 101);
    app_read(&p, 100);
    return p;
}

/* All is acknowledged but our FIN. */
static struct peer fin_wait_1(void)
{
    struct peer p = established_();

    inject(&p, .flags = ACK, .seq = 101, .ack = 201);
    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 201, .ack = 101);
    return p;
}

static struct peer fin_wait_2(void)
{
    struct peer p = fin_wait_1();

    inject(&p, .flags = ACK, .seq = 101, .ack = 202);
    return p;
}

static struct peer close_wait(void)
{
    struct peer p = established_();

    inject(&p, .flags = FIN | ACK, .seq = 101, .ack = 101);
    expect(&p, .flags = ACK, .seq = 201, .ack = 102);
    return p;
}

static struct peer closing(void)
{
    struct peer p = fin_wait_1();

    inject(&p, .flags = FIN | ACK, .seq = 101, .ack = 201);
    expect(&p, .flags = ACK, .seq = 202, .ack = 102);
    return p;
}

static struct peer last_ack(void)
{
    struct peer p = close_wait();

    inject(&p, .flags = ACK, .seq = 102, .ack = 201);
    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 201, .ack = 102);
    return p;
}

static struct peer time_wait(void)
{
    struct peer p = fin_wait_2();

    inject(&p, .flags = FIN | ACK, .seq = 101, .ack = 202);
    expect(&p, .flags = ACK, .seq = 202, .ack = 102);
    return p;
}

/* -- what comes of a segment ------------------------------------------------------------------- */

static const char *event_name(int event)
{
    static const char *const names[EVENT_END] = {
#define EVENT(name, text) [EVENT_##name] = #name,
#include "def/events.def"
#undef EVENT
    };

    return event > EVENT_none && event < EVENT_END && event != EVENT_state ? names[event] : "ack";
}

struct line {
    char text[LINE_MAX_];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(l->text + l->len, sizeof l->text - l->len, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof l->text - l->len);
    l->len += (size_t)n;
}

static void put_flags(struct line *l, uint8_t flags)
{
    put(l, "%c%c%c%c%s%s", flags & SYN ? 'S' : '.', flags & ACK ? 'A' : '.',
        flags & FIN ? 'F' : '.', flags & RST ? 'R' : '.', flags & PSH ? "P" : "",
        flags & URG ? "U" : "");
}

static void put_sent(struct line *l, struct peer *p, const char *when)
{
    struct got g;
    struct segment s;

    while (peer_next(p, &g)) {
        peer_relative(p, &g, &s);
        put(l, "%s%s", l->len ? ", " : "", when);
        put_flags(l, s.flags & (uint8_t)~PSH);
        put(l, " %d", (int32_t)s.seq);
        if (s.flags & ACK)
            put(l, "<%d", (int32_t)s.ack);
        if (s.len)
            put(l, " +%u", s.len);
        put(l, " %s", event_name(g.why.event));
    }
}

/* What the program sees of its connection. */
static struct line user_sees(struct peer *p)
{
    struct line l = {.len = 0};
    char data[100];
    ssize_t n;
    int error;

    if (p->sock < 0 && p->listener >= 0 &&
        (p->sock = weir_accept(p->stack, p->listener, NULL)) >= 0)
        put(&l, " accepted");
    if (p->sock < 0)
        return l;
    if (weir_readiness(p->stack, p->sock) & WEIR_READY_PRI)
        put(&l, " urgent");
    n = weir_recv(p->stack, p->sock, data, sizeof data, 0);
    if (n > 0)
        put(&l, " reads %d", (int)n);
    else if (n == 0)
        put(&l, " end");
    else if (n != -EAGAIN)
        put(&l, " %s", strerrorname_np((int)-n));
    if ((error = app_error(p)))
        put(&l, " %s", strerrorname_np(error));
    return l;
}

static struct segment segment_of(const struct scene *c, const struct arrival *a)
{
    const uint32_t seqs[PLACES] = {c->rcv_nxt - 50,  c->rcv_nxt - 1,         c->rcv_nxt,
                                   c->rcv_nxt + 100, c->rcv_nxt + c->window, c->rcv_nxt + 100000};
    const uint32_t acks[CLAIMS] = {0, c->una - 100000, c->una - 50, c->una, c->nxt, c->nxt + 50};

    return (struct segment){.flags = a->flags,
                            .seq = seqs[a->place],
                            .ack = acks[a->claim],
                            .len = a->has_text ? TEXT : 0,
                            .urg = a->flags & URG ? 5 : 0};
}

static void try_one(const struct scene *c, const struct arrival *a, struct line *out)
{
    struct peer p = c->arrange();
    struct segment s = segment_of(c, a);
    struct line before = user_sees(&p), sent = {.len = 0}, after;
    int state = peer_state(&p), now;
    uint16_t verdict = inject_and_judge(&p, &s);

    put_sent(&sent, &p, "");
    now = peer_state(&p);
    after = user_sees(&p);
    advance_ms(&p, 40);
    put_sent(&sent, &p, "late ");
    put_flags(out, a->flags);
    while (out->len < 6)
        put(out, " ");
    put(out, "%-4s %-4s %-7s | %-17s | ", place_names[a->place], a->has_text ? "text" : "-",
        claim_names[a->claim], verdict == PASS ? "-" : weir_drop_name(verdict - DROP_FIRST));
    put(out, "%-12s | %s |%s",
        now == state ? "-"
        : now        ? weir_state_name(now)
                     : "gone",
        sent.len ? sent.text : "-", strcmp(before.text, after.text) ? after.text : " -");
    peer_forget();
}

/* -- all segments of one state ----------------------------------------------------------------- */

typedef void visit(const struct scene *c, const struct arrival *a, void *ctx);

static void each_claim(const struct scene *c, struct arrival a, visit *f, void *ctx)
{
    if (!(a.flags & ACK)) {
        a.claim = NONE;
        f(c, &a, ctx);
        return;
    }
    for (a.claim = BEFORE; a.claim < CLAIMS; a.claim++)
        if (a.claim != UNA || c->una != c->nxt)
            f(c, &a, ctx);
}

static void each_place(const struct scene *c, uint8_t flags, visit *f, void *ctx)
{
    for (int place = OLD; place < PLACES; place++)
        for (int text = 0; text < 2; text++)
            if (place != EDGE && (c->window || place == NEXT))
                each_claim(c, (struct arrival){flags, (enum place)place, NONE, text}, f, ctx);
}

static void each_arrival(const struct scene *c, visit *f, void *ctx)
{
    static const uint8_t sets[] = {
        ACK,
        SYN,
        SYN | ACK,
        FIN,
        FIN | ACK,
        RST,
        RST | ACK,
        0,
        SYN | FIN,
        SYN | FIN | ACK,
        SYN | RST,
        SYN | RST | ACK,
        FIN | RST,
        FIN | RST | ACK,
        SYN | FIN | RST,
        SYN | FIN | RST | ACK,
    };
    static const struct arrival more[] = {
        {ACK | URG, OLD, NXT, true},   {ACK | URG, NEXT, NXT, true}, {ACK | URG, NEXT, NXT, false},
        {ACK | URG, GAP, NXT, true},   {ACK | URG, PAST, NXT, true}, {ACK | PSH, NEXT, NXT, true},
        {ACK, NEXT, ANCIENT, false},   {ACK, NEXT, ANCIENT, true},   {ACK, EDGE, NXT, false},
        {ACK, EDGE, NXT, true},        {RST, EDGE, NONE, false},     {RST | ACK, EDGE, NXT, false},
        {FIN | ACK, EDGE, NXT, false},
    };

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        each_place(c, sets[i], f, ctx);
    for (size_t i = 0; c->window && i < sizeof more / sizeof more[0]; i++)
        f(c, &more[i], ctx);
}

/* -- the golden text --------------------------------------------------------------------------- */

struct table {
    FILE *file;
    int wrong, told;
    bool writes;
};

static FILE *open_table(const struct scene *c, const char *mode)
{
    const char *root = getenv("WEIR_SOURCE");
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/tests/golden/tcp-arrivals/%s.txt", root ? root : ".", c->name);
    f = fopen(path, mode);
    if (!f)
        fail_msg("%s: %s; run from the project's root, or set WEIR_SOURCE to it", path,
                 strerror(errno));
    return f;
}

static void put_head(const struct scene *c, FILE *f)
{
    fprintf(f, "# A segment arrives in %s: see tests/matrix/arrivals.c.\n", c->name);
    if (c->window)
        fprintf(f, "# SND.UNA %u, SND.NXT %u, RCV.NXT %u, RCV.WND %u. `last` is RCV.NXT - 1.\n",
                c->una, c->nxt, c->rcv_nxt, c->window);
    fprintf(f, "# What is sent: flags, sequence number, <acknowledgment, +text, why. `late`: after "
               "40 ms.\n");
    fprintf(f, "# SAFR, where, text, ack   | dropped as        | state after  | sent | the program "
               "sees\n");
}

static void write_line(const struct scene *c, const struct arrival *a, void *ctx)
{
    struct line l = {.len = 0};

    try_one(c, a, &l);
    fprintf(((struct table *)ctx)->file, "%s\n", l.text);
}

static void tell(const struct scene *c, const struct arrival *a, const char *was, const char *is)
{
    struct line flags = {.len = 0};

    put(&flags, "%s%s%s%s%s%s", a->flags & SYN ? "SYN " : "", a->flags & FIN ? "FIN " : "",
        a->flags & RST ? "RST " : "", a->flags & ACK ? "ACK " : "", a->flags & PSH ? "PSH " : "",
        a->flags & URG ? "URG " : "");
    print_error("%s: %s%s, %s%s\n  was %s\n  is  %s\n", c->name,
                flags.len ? flags.text : "no flag ", place_words[a->place],
                a->has_text ? "with text" : "empty", claim_words[a->claim], was, is);
}

static void compare_line(const struct scene *c, const struct arrival *a, void *ctx)
{
    struct table *t = ctx;
    struct line l = {.len = 0};
    char was[LINE_MAX_ + 2] = "";

    do {
        if (!fgets(was, sizeof was, t->file))
            strcpy(was, "(no such line)");
    } while (was[0] == '#');
    was[strcspn(was, "\n")] = '\0';
    try_one(c, a, &l);
    if (strcmp(was, l.text) == 0)
        return;
    if (t->wrong++ < TOLD_MAX)
        tell(c, a, was, l.text);
}

static void compare(const struct scene *c)
{
    const char *wish = getenv("WEIR_GOLDEN");
    struct table t = {.writes = wish && strcmp(wish, "write") == 0};
    char rest[LINE_MAX_ + 2];

    t.file = open_table(c, t.writes ? "w" : "r");
    if (t.writes)
        put_head(c, t.file);
    each_arrival(c, t.writes ? write_line : compare_line, &t);
    if (!t.writes && fgets(rest, sizeof rest, t.file))
        t.wrong++, print_error("%s: lines too many, from: %s", c->name, rest);
    fclose(t.file);
    if (t.wrong)
        fail_msg("%s: %d lines differ. If all of them are right: WEIR_GOLDEN=write WEIR_SOURCE=%s "
                 "%s, and read the diff",
                 c->name, t.wrong, getenv("WEIR_SOURCE") ? getenv("WEIR_SOURCE") : ".",
                 program_invocation_name);
}

#define STATE_TEST(function, ...)                                         \
    TEST(in_##function)                                                   \
    {                                                                     \
        static const struct scene c = {.arrange = function, __VA_ARGS__}; \
        compare(&c);                                                      \
    }

STATE_TEST(closed, .name = "CLOSED")
STATE_TEST(listen_, .name = "LISTEN")
STATE_TEST(syn_sent, .name = "SYN-SENT", .nxt = 1)
STATE_TEST(syn_received, .name = "SYN-RECEIVED", .nxt = 1, .rcv_nxt = 1, .window = 65535)
STATE_TEST(syn_received_active, .name = "SYN-RECEIVED-active", .nxt = 1, .rcv_nxt = 1,
           .window = 65535)
STATE_TEST(established_, .name = "ESTABLISHED", .una = 101, .nxt = 201, .rcv_nxt = 101,
           .window = 65535)
STATE_TEST(fin_wait_1, .name = "FIN-WAIT-1", .una = 201, .nxt = 202, .rcv_nxt = 101,
           .window = 65535)
STATE_TEST(fin_wait_2, .name = "FIN-WAIT-2", .una = 202, .nxt = 202, .rcv_nxt = 101,
           .window = 65535)
STATE_TEST(close_wait, .name = "CLOSE-WAIT", .una = 101, .nxt = 201, .rcv_nxt = 102,
           .window = 65535)
STATE_TEST(closing, .name = "CLOSING", .una = 201, .nxt = 202, .rcv_nxt = 102, .window = 65535)
STATE_TEST(last_ack, .name = "LAST-ACK", .una = 201, .nxt = 202, .rcv_nxt = 102, .window = 65535)
STATE_TEST(time_wait, .name = "TIME-WAIT", .una = 202, .nxt = 202, .rcv_nxt = 102, .window = 65535)

int main(void)
{
    return peer_tests_run("arrivals");
}
