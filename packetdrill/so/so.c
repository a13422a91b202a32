/* The shared object: its life, the clock, the wire, and waiting.
 *
 * Knows: which thread moves the clock. Shape: see so.h. Each look at the clock gains a microsecond,
 * for the original turns on the spot until its time has come. Units: microseconds. Errors: errno.
 * Cost: a lock for each call. */
#include "packetdrill/so/so.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define LOOK_AHEAD_US 600000000 /* how long packet_out waits for a packet, of the virtual clock */
#define EXPORT __attribute__((visibility("default")))

int64_t so_result(int64_t v)
{
    if (v >= 0)
        return v;
    errno = (int)-v;
    return -1;
}

/* -- waiting ----------------------------------------------------------------------------------- */

void so_moved(struct so *s)
{
    if (!s->waiting)
        return;
    s->turn++;
    s->trying = s->waiting;
    s->first_until = INT64_MAX;
    pthread_cond_broadcast(&s->moved);
    while (s->trying)
        pthread_cond_wait(&s->tried, &s->lock);
}

static int64_t wait_until_over(struct so *s, struct so_call *c)
{
    int64_t v;

    s->waiting++;
    do {
        unsigned turn = s->turn;
        if (c->wait.until_us < s->first_until)
            s->first_until = c->wait.until_us;
        while (turn == s->turn)
            pthread_cond_wait(&s->moved, &s->lock);
        v = c->attempt(s, c);
        if (v == NODE_BLOCKS && c->wait.until_us < s->first_until)
            s->first_until = c->wait.until_us;
        if (v != NODE_BLOCKS)
            s->waiting--;
        if (--s->trying == 0)
            pthread_cond_signal(&s->tried);
    } while (v == NODE_BLOCKS);
    s->over_thread = pthread_self();
    s->over_us = node_now(s->node);
    s->is_over = true;
    return v;
}

int64_t so_call(struct so *s, struct so_call *c)
{
    int64_t v;

    pthread_mutex_lock(&s->lock);
    v = c->attempt(s, c);
    if (v == NODE_BLOCKS)
        v = wait_until_over(s, c);
    else
        so_moved(s);
    pthread_mutex_unlock(&s->lock);
    return so_result(v);
}

/* -- the clock and the wire -------------------------------------------------------------------- */

void so_run(struct so *s, int64_t us, bool stops_at_packet)
{
    while (node_now(s->node) < us && !(stops_at_packet && node_sent_first(s->node))) {
        int64_t at = node_deadline(s->node);
        if (s->waiting && s->first_until < at)
            at = s->first_until;
        if (at <= node_now(s->node))
            at = node_now(s->node) + 1;
        node_move(s->node, at < us ? at : us);
        if (at <= us)
            so_moved(s);
    }
}

static int so_now(void *self, struct timeval *tv, struct timezone *tz)
{
    struct so *s = self;
    int64_t us;

    (void)tz;
    pthread_mutex_lock(&s->lock);
    if (s->is_over && pthread_equal(s->over_thread, pthread_self())) {
        us = s->over_us;
        s->is_over = false;
    } else {
        so_run(s, node_now(s->node) + 1, false);
        us = node_now(s->node);
    }
    pthread_mutex_unlock(&s->lock);
    *tv = (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    return 0;
}

static int so_sleep(void *self, useconds_t us)
{
    struct so *s = self;

    pthread_mutex_lock(&s->lock);
    so_run(s, node_now(s->node) + us, false);
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int so_packet_in(void *self, const void *packet, size_t n)
{
    struct so *s = self;

    pthread_mutex_lock(&s->lock);
    node_inject(s->node, packet, n);
    so_moved(s);
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int so_packet_out(void *self, void *packet, size_t *n, long long *sent_us)
{
    struct so *s = self;
    const struct node_sent *first;
    size_t room = *n;

    pthread_mutex_lock(&s->lock);
    if (!s->is_ending)
        so_run(s, node_now(s->node) + LOOK_AHEAD_US, true);
    first = node_sent_first(s->node);
    *n = 0;
    if (first && first->len <= room) {
        memcpy(packet, first->bytes, first->len);
        *n = first->len;
        *sent_us = first->at_us;
        node_sent_drop(s->node);
    }
    pthread_mutex_unlock(&s->lock);
    return 0;
}

/* -- life -------------------------------------------------------------------------------------- */

/* Descriptors are real ones: the original closes what a script leaves open by close(2). */
static int take_number(void *ctx)
{
    (void)ctx;
    return eventfd(0, EFD_CLOEXEC);
}

static void drop_number(void *ctx, int fd)
{
    const struct so *s = ctx;

    if (!s->is_ending)
        close(fd);
}

static void so_destroy(void *self)
{
    struct so *s = self;

    s->is_ending = true;
    node_free(s->node);
    pthread_cond_destroy(&s->moved);
    pthread_cond_destroy(&s->tried);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void stop(const char *what, const char *of)
{
    fprintf(stderr, "libweir-packetdrill: %s '%s'\n", what, of);
    exit(2);
}

static void take_config(struct node_config *c, const char *name, const char *value)
{
    struct weir_addr a;

    if (strcmp(name, "mtu") == 0) {
        c->mtu = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "seed") == 0) {
        c->seed = strtoull(value, NULL, 10);
    } else if (strcmp(name, "local") == 0) {
        if (weir_addr_parse(&a, value) < 0)
            stop("--so_flags: no address:", value);
        c->local = a;
        c->prefix = weir_addr_is_v4(&a) ? 16 : 64;
    }
}

/* Twice over the flags: first what the node is born with, then its knobs. */
static void take_flags(const char *flags, struct node_config *config, struct so *s)
{
    char *text = flags ? strdup(flags) : NULL, *rest = NULL;

    for (char *w = text ? strtok_r(text, " ,", &rest) : NULL; w; w = strtok_r(NULL, " ,", &rest)) {
        char *value = strchr(w, '=');
        if (!value)
            stop("--so_flags: expected name=value, got", w);
        *value++ = '\0';
        if (!s)
            take_config(config, w, value);
        else if (strchr(w, '.') && weir_knob_set(node_stack(s->node), w, value) < 0)
            stop("--so_flags: no such knob or value:", w);
    }
    free(text);
}

EXPORT void packetdrill_interface_init(const char *flags, struct so_table *table)
{
    struct so *s = calloc(1, sizeof *s);
    struct node_config config = {.local = weir_addr_v4(0xc0a80001),
                                 .prefix = 16,
                                 .mtu = 1500,
                                 .seed = 1,
                                 .take_number = take_number,
                                 .drop_number = drop_number,
                                 .ctx = s};

    take_flags(flags, &config, NULL);
    if (!s || !(s->node = node_new(&config)))
        stop("no stack with", flags ? flags : "no flags");
    take_flags(flags, &config, s);
    s->first_until = INT64_MAX;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->moved, NULL);
    pthread_cond_init(&s->tried, NULL);
    table->self = s;
    table->destroy = so_destroy;
    table->now = so_now;
    table->sleep_us = so_sleep;
    table->packet_in = so_packet_in;
    table->packet_out = so_packet_out;
    so_fill_calls(table);
    so_fill_data(table);
}
