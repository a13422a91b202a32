/* Fast Open cookies: those that we give, and those that we were given.
 *
 * Knows: keys and addresses. Shape: ours is a keyed hash of both addresses, as Linux makes it, so
 * that a farm with one key shares them; no memory. Those of other hosts have OPEN_HOSTS places by
 * keyed hash, a newer host takes an older one's place; made when the first is kept. Units: bytes.
 * Errors: without memory nothing is kept. Cost: one hash. 7413#4.1.2, #4.1.3 */
#include "tcp/fastopen.h"

#define OPEN_HOSTS 1024u
#define LOSS_MS 60000u /* after two lost SYNs, and then it doubles: Linux */
#define LOSSES_MAX 6

struct open_host {
    struct weir_addr addr, own; /* a cookie is of both ends: 7413#4.1.3 */
    uint32_t lost_at_ms;
    uint16_t mss;
    uint8_t losses; /* SYNs in a row */
    uint8_t old;    /* OLD_* */
    bool is_old_cookie;
    uint8_t cookie_len;
    uint8_t cookie[16];
};

/* Who answers the option by nothing is asked once by the experimental one: Linux. */
enum { OLD_UNTRIED, OLD_NEXT, OLD_TRIED };

/* -- ours -------------------------------------------------------------------------------------- */

void fastopen_cookie(const struct sipkey *key, const struct flow *f,
                     uint8_t cookie[OPEN_COOKIE_LEN])
{
    bool is_v4 = weir_addr_is_v4(&f->remote);
    size_t skip = is_v4 ? 12 : 0, len = sizeof f->remote - skip;
    uint8_t both[2 * sizeof f->remote];
    uint64_t hash;

    memcpy(both, f->remote.b + skip, len);
    memcpy(both + len, f->local.b + skip, len);
    hash = siphash24(key, both, 2 * len);
    for (unsigned i = 0; i < OPEN_COOKIE_LEN; i++)
        cookie[i] = (uint8_t)(hash >> 8 * i);
}

int fastopen_keys(const struct tcp *p, const struct tcb *listener, const struct sipkey **key)
{
    const struct more *more = more_of(p, listener);

    if (more && more->open.keys) {
        *key = more->open.key;
        return more->open.keys;
    }
    *key = p->open_key;
    return p->open_keys;
}

int fastopen_which(const struct tcp *p, const struct tcb *listener, const struct seg *s)
{
    const struct tcp_opts *o = s->opt;
    uint8_t ours[OPEN_COOKIE_LEN];
    const struct sipkey *key;
    int n = fastopen_keys(p, listener, &key);

    for (int i = 0; i < n; i++) {
        fastopen_cookie(&key[i], &s->flow, ours);
        if (o->cookie_len == OPEN_COOKIE_LEN && memcmp(ours, o->cookie, OPEN_COOKIE_LEN) == 0)
            return i;
    }
    return -1;
}

/* Of one listener, whose cookies then are no others'. */
int tcp_fastopen_set_own_keys(struct tcp *p, uint32_t index, const struct sipkey *key, int n)
{
    struct tcb *t = tcb_at(p, index);
    struct more *more;

    if (t->state != CLOSED && t->state != LISTEN)
        return -EINVAL;
    if (!(more = more_need(p, t)))
        return -ENOBUFS;
    memcpy(more->open.key, key, (size_t)n * sizeof *key);
    more->open.keys = (uint8_t)n;
    return 0;
}

int tcp_fastopen_get_keys(const struct tcp *p, uint32_t index, const struct sipkey **key)
{
    return fastopen_keys(p, tcb_at(p, index), key);
}

void tcp_fastopen_set_keys(struct tcp *p, const struct sipkey *key, int n)
{
    for (int i = 0; i < n; i++)
        p->open_key[i] = key[i];
    p->open_keys = n;
}

/* -- theirs ------------------------------------------------------------------------------------ */

static struct open_host *place_of(const struct tcp *p, const struct flow *f)
{
    uint64_t word[4];

    memcpy(word, &f->remote, sizeof f->remote);
    memcpy(word + 2, &f->local, sizeof f->local);
    return &p->open_hosts[siphash13_words(&p->flow_key, word, 4) % OPEN_HOSTS];
}

static bool is_of(const struct open_host *h, const struct flow *f)
{
    return weir_addr_equal(&h->addr, &f->remote) && weir_addr_equal(&h->own, &f->local);
}

void tcp_fastopen_fini(struct tcp *p)
{
    mem_free(p->mem, p->open_hosts, OPEN_HOSTS * sizeof *p->open_hosts);
    p->open_hosts = NULL;
}

static bool is_lossy(const struct tcp *p, const struct open_host *h)
{
    uint32_t shift = h->losses < LOSSES_MAX ? h->losses : LOSSES_MAX;

    return h->losses > 1 && now_ms(p) - h->lost_at_ms < LOSS_MS << shift;
}

bool fastopen_recall(const struct tcp *p, const struct tcb *t, struct fast_open *f)
{
    const struct open_host *h = p->open_hosts ? place_of(p, &t->flow) : NULL;

    f->cookie_len = 0;
    f->is_old = false;
    if (!h || !is_of(h, &t->flow))
        return true;
    if (is_lossy(p, h))
        return false;
    f->cookie_len = h->cookie_len;
    f->is_old = h->cookie_len ? h->is_old_cookie : h->old == OLD_NEXT;
    memcpy(f->cookie, h->cookie, sizeof f->cookie);
    if (h->mss)
        f->room = h->mss;
    return true;
}

/* What a SYN/ACK says: a cookie, the MSS; `is_lost`: it answers a SYN without text, the one with it
 * was not answered. */
void fastopen_remember(struct tcp *p, const struct tcb *t, const struct seg *s, bool is_lost)
{
    const struct tcp_opts *o = s->opt;
    const struct fast_open *f = &more_of(p, t)->open;
    bool has_cookie = o->has & TCP_OPT_FASTOPEN && o->cookie_len;
    bool is_mute = f->mode == OPEN_ASK && !has_cookie && !(t->flags & T_SYN_AGAIN);
    struct open_host *h;

    if (!has_cookie && !is_lost && !is_mute && !p->open_hosts)
        return;
    if (!p->open_hosts)
        p->open_hosts = mem_zalloc(p->mem, OPEN_HOSTS * sizeof *p->open_hosts);
    if (!p->open_hosts)
        return;
    h = place_of(p, &t->flow);
    if (!is_of(h, &t->flow)) {
        if (!has_cookie && !is_lost && !is_mute)
            return;
        *h = (struct open_host){.addr = t->flow.remote, .own = t->flow.local};
    }
    h->losses = (uint8_t)(is_lost && h->losses < UINT8_MAX ? h->losses + 1 : 0);
    h->lost_at_ms = now_ms(p);
    if (o->has & TCP_OPT_MSS)
        h->mss = o->mss;
    if (is_mute && h->old != OLD_TRIED)
        h->old = f->is_old ? OLD_TRIED : OLD_NEXT;
    if (has_cookie) {
        h->is_old_cookie = o->is_old_cookie;
        h->cookie_len = o->cookie_len;
        memcpy(h->cookie, o->cookie, o->cookie_len);
    }
}
