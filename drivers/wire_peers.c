/* How peers of a wire come and go.
 *
 * Knows: words and descriptors. Shape: whoever comes makes the memory, connects, says hello, and
 * may send at once; the other one answers what it is. Of two that found each other at the same time
 * and both connected, the one with the lower id keeps its connection: who has it refuses the
 * other's. Units: ns. Errors: a peer that says what it should not is ended. Cost: a few words a
 * peer, ever; a look at the sockets is one epoll_wait. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "drivers/wire.h"

#define PATIENCE_NS INT64_C(2000000000) /* with a guest that says nothing */
#define EVENTS 64
#define WORDS_AT_ONCE 16

bool wire_watch(struct wire *w, int fd, uint64_t what)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = what};

    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

void peer_cut_off(struct wire *w, struct wire_peer *p)
{
    macs_forget(&w->macs, (int)(p - w->peer));
    close(p->fd);
    wire_memory_free(&p->memory);
    *p = (struct wire_peer){.fd = -1};
    w->stats.members--;
    while (w->top > 0 && w->peer[w->top - 1].fd < 0)
        w->top--;
}

/* The peer at the other end of `fd`, whose memory this is; NULL: there is no place. */
static struct wire_peer *peer_new(struct wire *w, int fd, const struct wire_memory *m,
                                  bool is_maker)
{
    for (int i = 0; i < w->peers_max; i++) {
        struct wire_peer *p = &w->peer[i];
        if (p->fd >= 0)
            continue;
        if (!wire_watch(w, fd, (uint64_t)i))
            return NULL;
        *p = (struct wire_peer){.fd = fd, .memory = *m};
        wire_memory_lanes(m, is_maker, &p->out, &p->in);
        w->stats.members++;
        w->top = w->top > i ? w->top : i + 1;
        return p;
    }
    return NULL;
}

/* What it says of itself. A MAC that is ours or another peer's already is not believed. */
static void note(struct wire *w, struct wire_peer *p, const struct meet_word *word)
{
    uint64_t mac = mac_number(word->mac);
    bool is_taken = mac == w->mac || mac_is_group(mac);

    for (int i = 0; i < w->top; i++)
        is_taken |= w->peer[i].fd >= 0 && w->peer[i].mac == mac;
    p->mac = is_taken ? 0 : mac;
    p->takes_super = word->takes_super != 0;
}

static struct meet_word word_of(const struct wire *w, enum meet_kind kind)
{
    struct meet_word word = meet_word(kind);

    word.lane_bytes = w->ring_bytes;
    word.takes_super = w->takes_super;
    memcpy(word.mac, w->link.iface.mac, sizeof word.mac);
    memcpy(word.id, w->id, sizeof word.id);
    return word;
}

/* -- we come ----------------------------------------------------------------------------------- */

static int found(void *arg, int fd, const char *id)
{
    struct wire *w = arg;
    struct meet_word hello = word_of(w, MEET_HELLO);
    struct wire_memory m;
    struct wire_peer *p;
    bool is_twin = memcmp(id, w->id, MEET_ID_MAC) == 0;
    int memory = is_twin ? -EADDRINUSE : wire_memory_make(&m, w->ring_bytes);

    if (memory < 0) {
        close(fd);
        return memory;
    }
    p = peer_new(w, fd, &m, true);
    if (!p) {
        wire_memory_free(&m);
        close(fd);
        close(memory);
        return -ENOSPC;
    }
    memcpy(p->id, id, sizeof p->id);
    if (meet_say(fd, &hello, memory) < 0)
        peer_cut_off(w, p);
    close(memory);
    return 0;
}

int peers_join(struct wire *w)
{
    return meet_others(w->folder, w->name, w->id, found, w);
}

/* -- others come ------------------------------------------------------------------------------- */

static void refuse(struct wire *w, int fd, enum meet_refusal why)
{
    struct meet_word word = word_of(w, MEET_REFUSAL);

    word.refusal = why;
    meet_say(fd, &word, -1);
    close(fd);
    w->stats.refused += why != MEET_TWICE;
}

static bool is_kept_instead(const struct wire *w, const char *id)
{
    for (int i = 0; i < w->top; i++)
        if (w->peer[i].fd >= 0 && strcmp(w->peer[i].id, id) == 0)
            return strcmp(w->id, id) < 0;
    return false;
}

static void welcome(struct wire *w, int fd, const struct meet_word *hello, int memory)
{
    struct meet_word word = word_of(w, MEET_WELCOME);
    struct wire_memory m;
    struct wire_peer *p;

    if (*hello->id && is_kept_instead(w, hello->id)) {
        refuse(w, fd, MEET_TWICE);
        return;
    }
    if (memory < 0 || wire_memory_take(&m, hello->lane_bytes, memory) < 0) {
        refuse(w, fd, MEET_MEMORY);
        return;
    }
    p = peer_new(w, fd, &m, false);
    if (!p) {
        wire_memory_free(&m);
        refuse(w, fd, MEET_FULL);
        return;
    }
    note(w, p, hello);
    meet_say(fd, &word, -1);
}

/* Its first word, which has to be a hello. */
static void hear_guest(struct wire *w, struct wire_guest *g)
{
    struct meet_word word;
    int memory, fd = g->fd;
    enum meet_heard heard = meet_hear(fd, &word, &memory);

    if (heard == HEARD_NOTHING)
        return;
    g->fd = -1;
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL);
    if (heard == HEARD_WORD && word.kind == MEET_HELLO)
        welcome(w, fd, &word, memory);
    else
        refuse(w, fd, MEET_VERSION);
    if (memory >= 0)
        close(memory);
}

static void guest_end(struct wire *w, struct wire_guest *g)
{
    close(g->fd);
    g->fd = -1;
    w->stats.refused++;
}

/* The one who was silent longest makes room: who has something to say says it at once. */
static struct wire_guest *place_for_guest(struct wire *w)
{
    struct wire_guest *oldest = &w->guest[0];

    for (int i = 0; i < WIRE_GUESTS; i++) {
        if (w->guest[i].fd < 0)
            return &w->guest[i];
        if (w->guest[i].until < oldest->until)
            oldest = &w->guest[i];
    }
    guest_end(w, oldest);
    return oldest;
}

static void take_guest(struct wire *w, int64_t now_ns)
{
    int fd = meet_accept(w->listener, &w->reserve);
    struct wire_guest *g;

    w->stats.refused += fd < 0 && fd != -EAGAIN;
    if (fd < 0)
        return;
    g = place_for_guest(w);
    if (!wire_watch(w, fd, WATCH_GUEST | (uint64_t)(g - w->guest))) {
        close(fd);
        return;
    }
    *g = (struct wire_guest){fd, now_ns + PATIENCE_NS};
    hear_guest(w, g); /* as a rule its hello is there already */
}

int64_t guests_deadline(const struct wire *w)
{
    int64_t at = WEIR_NEVER;

    for (int i = 0; i < WIRE_GUESTS; i++)
        if (w->guest[i].fd >= 0 && w->guest[i].until < at)
            at = w->guest[i].until;
    return at;
}

/* -- what peers say ---------------------------------------------------------------------------- */

/* What it has published is still taken: a FIN, say, that it sent before it went. */
static void let_go(struct wire *w, struct wire_peer *p)
{
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, p->fd, NULL);
    p->is_ending = true;
    p->left = p->in.size;
    p->mac = 0;
    macs_forget(&w->macs, (int)(p - w->peer));
}

static void hear_peer(struct wire *w, struct wire_peer *p)
{
    struct meet_word word;

    for (int i = 0; i < WORDS_AT_ONCE; i++) {
        enum meet_heard heard = meet_hear(p->fd, &word, NULL);
        if (heard == HEARD_NOTHING)
            return;
        if (heard == HEARD_WAKE)
            continue;
        if (heard == HEARD_WORD && word.kind == MEET_WELCOME && *p->id && !p->mac) {
            note(w, p, &word);
            continue;
        }
        if (heard == HEARD_WORD && word.kind == MEET_REFUSAL)
            w->stats.refused += word.refusal != MEET_TWICE;
        else if (heard != HEARD_END)
            w->stats.liars++;
        let_go(w, p);
        return;
    }
}

static void look_at(struct wire *w, uint64_t what, int64_t now_ns)
{
    if (what == WATCH_LISTENER)
        take_guest(w, now_ns);
    else if (what >= WATCH_GUEST && w->guest[what - WATCH_GUEST].fd >= 0)
        hear_guest(w, &w->guest[what - WATCH_GUEST]);
    else if (what < WATCH_GUEST && w->peer[what].fd >= 0 && !w->peer[what].is_ending)
        hear_peer(w, &w->peer[what]);
}

void peers_look(struct wire *w, int64_t now_ns)
{
    struct epoll_event e[EVENTS];
    int n = epoll_wait(w->epoll, e, EVENTS, 0);

    for (int i = 0; i < n; i++)
        look_at(w, e[i].data.u64, now_ns);
    for (int i = 0; i < WIRE_GUESTS; i++)
        if (w->guest[i].fd >= 0 && w->guest[i].until <= now_ns)
            guest_end(w, &w->guest[i]);
}
