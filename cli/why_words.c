/* Why a socket is in its state, in a paragraph: who acted, what is awaited, what ends it and when,
 * and what the program did not do.
 *
 * Knows: what the daemon tells of a socket (endpoint.h). Not daemons, nor /proc. Shape: a function
 * for each state; each says nothing that the facts do not show. Units: as endpoint.h.
 * Errors: none. Cost: O(1). */
#include "cli/why.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

char *why_span(char text[24], int64_t us)
{
    long long s = us / 1000000;

    if (us < 0)
        us = s = 0;
    if (us < 1000000)
        snprintf(text, 24, "%lld ms", (long long)us / 1000);
    else if (us < 10000000)
        snprintf(text, 24, "%lld.%lld s", s, (long long)us / 100000 % 10);
    else if (s < 120)
        snprintf(text, 24, "%lld s", s);
    else if (s < 7200)
        snprintf(text, 24, "%lld min %lld s", s / 60, s % 60);
    else
        snprintf(text, 24, "%lld h %lld min", s / 3600, s / 60 % 60);
    return text;
}

#define SPAN(us) why_span((char[24]){0}, us)
#define SPAN_MS(ms) SPAN((int64_t)(ms)*1000)

static const char *holder(const struct why_sock *w, char text[32])
{
    if (w->fd >= 0)
        snprintf(text, 32, "fd %d", w->fd);
    else
        snprintf(text, 32, "the socket");
    return text;
}
#define HOLDER(w) holder(w, (char[32]){0})

/* -- sentences that several states share ------------------------------------------------------- */

static void put_knob(FILE *to, const struct endpoint *e)
{
    if (*e->knob)
        fprintf(to, " (%s = %lld)", e->knob, (long long)e->facts.knob_value);
}

/* What ends it if the peer keeps silent. */
static void put_end(FILE *to, const struct endpoint *e)
{
    const struct weir_facts *f = &e->facts;

    switch (f->end) {
    case WEIR_END_RETRIES:
        fprintf(to,
                " The next try is in %s; without an answer it ends in %s, after %d tries, with "
                "ETIMEDOUT",
                SPAN(e->info.timer_left_us), SPAN(f->end_left_us), f->tries_most);
        break;
    case WEIR_END_USER_TIMEOUT:
        fprintf(to, " The next try is in %s; without an answer TCP_USER_TIMEOUT ends it in %s",
                SPAN(e->info.timer_left_us), SPAN(f->end_left_us));
        break;
    case WEIR_END_PROBES:
        fprintf(to, " The next probe is in %s. %s; if the peer falls silent, ETIMEDOUT comes in %s",
                SPAN(e->info.timer_left_us),
                f->flags & WEIR_FACT_ORPHAN
                    ? "Nobody here holds the socket, so even a peer that answers is given up when "
                      "the wait is at its longest (net.ipv4.tcp_rto_max_ms)"
                    : "As long as the peer answers probes, nothing ends this",
                SPAN(f->end_left_us));
        break;
    case WEIR_END_KEEPALIVE:
        fprintf(to,
                " SO_KEEPALIVE is on: the peer is %s in %s, and if it stays silent ETIMEDOUT "
                "comes in %s",
                f->tries ? "asked again" : "asked", SPAN(e->info.timer_left_us),
                SPAN(f->end_left_us));
        break;
    default:
        return;
    }
    put_knob(to, e);
    fputc('.', to);
}

static bool is_held(const struct endpoint *e)
{
    return !(e->facts.flags & WEIR_FACT_ORPHAN) && e->info.sock >= 0;
}

/* Bytes that came and that the program did not take. */
static void put_unread(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;
    unsigned long long n = (unsigned long long)e->unread + e->info.recv_queue;

    if (!n)
        return;
    fprintf(to, " %llu bytes wait for the program to read them from %s", n, HOLDER(w));
    if (e->info.mss && e->info.rcv_wnd == 0)
        fprintf(to, ": it does not read, our window is closed, and the peer may send no more");
    else if (e->info.data_segs_in)
        fprintf(to, "; the last ones came %s ago", SPAN_MS(e->info.received_ago_ms));
    fputc('.', to);
}

static void put_repeating(FILE *to, const struct endpoint *e, const char *what)
{
    fprintf(to, " %s", what);
    if (e->facts.tries)
        fprintf(to, " was sent %d time%s again", e->facts.tries, e->facts.tries == 1 ? "" : "s");
    else
        fprintf(to, " left, and the answer is awaited");
    if (e->facts.stalled_ago_ms)
        fprintf(to, "; nothing got through for %s", SPAN_MS(e->facts.stalled_ago_ms));
    fprintf(to, ". The peer was heard %s ago.", SPAN_MS(e->info.heard_ago_ms));
}

static void put_closed_window(FILE *to, const struct endpoint *e)
{
    const struct weir_sock_info *i = &e->info;

    if (i->snd_wnd == 0)
        fprintf(to, " The peer's window has been closed for %s: the peer's program does not read.",
                SPAN_MS(e->facts.stalled_ago_ms));
    else
        fprintf(to, " The peer's window has room for %u bytes only, less than a segment, for %s.",
                i->snd_wnd, SPAN_MS(e->facts.stalled_ago_ms));
    fprintf(to, " %u bytes wait here", i->send_queue);
    if (i->probes)
        fprintf(to, "; %u probe%s asked", i->probes, i->probes == 1 ? "" : "s");
    fputc('.', to);
}

/* What our bytes wait for, if any do. */
static bool put_sender(FILE *to, const struct endpoint *e)
{
    const struct weir_sock_info *i = &e->info;
    bool is_stuck = e->facts.end == WEIR_END_PROBES;
    char what[64];

    if (is_stuck) {
        put_closed_window(to, e);
        put_end(to, e);
        return true;
    }
    if (i->in_flight) {
        snprintf(what, sizeof what, "%u bytes are unacknowledged; the oldest segment",
                 i->in_flight);
        put_repeating(to, e, what);
        if (i->unsent)
            fprintf(to, " %u bytes more wait for room (%s).", i->unsent,
                    i->snd_wnd < i->cwnd ? "the peer's window" : "the congestion window");
        put_end(to, e);
        return true;
    }
    if (i->unsent)
        fprintf(to, " %u bytes are held back (TCP_CORK, MSG_MORE or Nagle).", i->unsent);
    return i->unsent > 0;
}

/* -- states ------------------------------------------------------------------------------------ */

static void put_listen(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;
    unsigned waiting = e->info.recv_queue + e->accept_waiting + (e->ended_ago_ms > 0);
    uint32_t ms = e->ended_ago_ms ? e->ended_ago_ms - 1 : e->facts.waits_ago_ms;
    bool is_full = e->ended_ago_ms || e->info.recv_queue > e->info.send_queue;

    if (is_full)
        fprintf(to,
                " It listens but has accepted nothing for at least %s: its queue is full, %u "
                "connections wait, the backlog is %u. What more comes is dropped, and clients "
                "try again. Call accept(), or raise the backlog of listen() and "
                "net.core.somaxconn.",
                SPAN_MS(ms), waiting, e->info.send_queue);
    else if (waiting)
        fprintf(to, " It listens; %u of %u connections wait for accept().", waiting,
                e->info.send_queue);
    else
        fprintf(to, " It listens, and nothing waits for accept(): connections are what is awaited. "
                    "Nothing ends this but close().");
    if (e->facts.half_open)
        fprintf(to, " %u handshakes are under way (at most %u: net.ipv4.tcp_max_syn_backlog).",
                e->facts.half_open, e->facts.half_open_most);
    if (e->facts.refused)
        fprintf(to, " %llu times a handshake found the queue full (ListenOverflows).",
                (unsigned long long)e->facts.refused);
}

static void put_syn_sent(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;
    int sent = e->facts.tries + 1;

    fprintf(to,
            " Our program connects. The SYN was sent %d time%s, and no answer came: a closed "
            "port would have refused (RST), so nothing is there, or a firewall drops it.",
            sent, sent == 1 ? "" : "s");
    put_end(to, e);
}

static void put_syn_received(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;

    if (e->facts.flags & WEIR_FACT_RETRYING)
        fprintf(to, " The peer connects and its handshake is done, but the program's accept queue "
                    "is full (or TCP_DEFER_ACCEPT waits for data).");
    else
        fprintf(to, " The peer connects; our SYN/ACK was sent %d time%s, and its ACK is awaited.",
                e->facts.tries + 1, e->facts.tries ? "s" : "");
    if (e->facts.end == WEIR_END_RETRIES) {
        fprintf(to, " Without it the entry is forgotten in %s", SPAN(e->facts.end_left_us));
        put_knob(to, e);
        fputc('.', to);
    }
}

static void put_established(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;
    bool is_queued = e->facts.flags & WEIR_FACT_QUEUED || (e->info.sock >= 0 && !*e->carrier) ||
                     (e->carrier[0] == 'p' && e->pid && !e->inode && w->holders == 0);

    if (is_queued)
        fprintf(to, " The program has not accepted it yet.");
    put_unread(to, w);
    if (e->facts.flags & (WEIR_FACT_HOLE | WEIR_FACT_LATE_FIN))
        fprintf(to, " Something the peer sent is missing: what came after it waits for it.");
    if (put_sender(to, e))
        return;
    if (!e->unread && !e->info.recv_queue)
        fprintf(to, " Nothing is on its way: it waits until one of the programs writes or closes.");
    fprintf(to, " The peer was heard %s ago.", SPAN_MS(e->info.heard_ago_ms));
    if (e->facts.end == WEIR_END_KEEPALIVE)
        put_end(to, e);
    else
        fprintf(to, " No timer runs (SO_KEEPALIVE is off): a peer that vanished would not be "
                    "noticed before we write.");
}

static void put_fin_wait_1(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;

    fprintf(to, " We closed first.");
    if (e->facts.flags & WEIR_FACT_FIN_WAITS) {
        fprintf(to, " Our FIN waits behind %u bytes.", e->info.send_queue);
        put_sender(to, e);
        return;
    }
    put_repeating(to, e,
                  e->info.send_queue ? "Our FIN, with the last bytes before it," : "Our FIN");
    put_end(to, e);
}

static void put_fin_wait_2(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;

    fprintf(to, " We closed first and the peer acknowledged it; its own FIN is awaited: the peer's "
                "program has not closed its end.");
    if (e->facts.end == WEIR_END_FIN_WAIT_2) {
        fprintf(to, " Nobody here holds the socket any more, so it ends in %s",
                SPAN(e->facts.end_left_us));
        put_knob(to, e);
        fprintf(to, ", without a word to the peer.");
        return;
    }
    if (is_held(e))
        fprintf(to,
                " Our program said shutdown(SHUT_WR) and still has %s open, so no timer runs: "
                "the peer may go on sending.",
                HOLDER(w));
    put_unread(to, w);
    put_end(to, e);
}

static void put_closing(FILE *to, const struct why_sock *w)
{
    fprintf(to, " Both sides closed at the same time; the peer's FIN came before it acknowledged "
                "ours.");
    put_repeating(to, &w->s.e, "Our FIN");
    put_end(to, &w->s.e);
}

static void put_time_wait(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;

    fprintf(to,
            " We closed first, and both sides are done. It is kept so that a late segment does "
            "not reach the next connection of the same ports, and to answer a FIN that comes "
            "again: %s left",
            SPAN(e->facts.end_left_us));
    put_knob(to, e);
    fprintf(to, ". It holds no descriptor. bind() of port %u needs SO_REUSEADDR until then.",
            e->info.local.port);
}

static void put_close_wait(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;

    fprintf(to,
            " The peer closed first, %s ago; our side has not. What is awaited is close() of "
            "our program.",
            SPAN_MS(e->facts.state_ago_ms));
    put_unread(to, w);
    if (e->ended_ago_ms && !e->unread)
        fprintf(to,
                " %s is still open, and all that the peer sent was handed over, the end of the "
                "stream %s ago: since then a read returns 0. A program that forgets to close "
                "leaks it.",
                HOLDER(w), SPAN_MS(e->ended_ago_ms - 1));
    else if (w->fd >= 0)
        fprintf(to, " %s is still open.", HOLDER(w));
    if (!put_sender(to, e) && e->facts.end == WEIR_END_KEEPALIVE)
        put_end(to, e);
    else if (e->facts.end == WEIR_END_NONE)
        fprintf(to, " No timer ends this state, and no knob: only the program can.");
}

static void put_last_ack(FILE *to, const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;

    fprintf(to, " The peer closed first, then we; the ACK of our FIN is all that is missing.");
    if (e->facts.flags & WEIR_FACT_FIN_WAITS) {
        fprintf(to, " Our FIN waits behind %u bytes.", e->info.send_queue);
        put_sender(to, e);
        return;
    }
    put_repeating(to, e, "Our FIN");
    put_end(to, e);
}

static void put_closed(FILE *to, const struct why_sock *w)
{
    fprintf(to, " It is bound, and neither listens nor is connected: a SYN to port %u is refused.",
            w->s.e.info.local.port);
}

static void put_datagrams(FILE *to, const struct why_sock *w)
{
    const struct weir_sock_info *i = &w->s.e.info;

    fprintf(to, " Datagrams have no state: it takes what comes%s.",
            i->state == WEIR_ESTABLISHED ? " from its peer" : "");
    if (i->recv_queue || w->s.e.unread)
        fprintf(to, " %u bytes wait for the program to read them.", i->recv_queue + w->s.e.unread);
    if (i->drops)
        fprintf(to,
                " %llu datagrams were lost because SO_RCVBUF (%u bytes) was full: the program "
                "reads too slowly.",
                (unsigned long long)i->drops, i->rcvbuf);
}

void why_put_words(FILE *to, const struct why_sock *w)
{
    static void (*const put[])(FILE *, const struct why_sock *) = {
        [WEIR_LISTEN] = put_listen,         [WEIR_SYN_SENT] = put_syn_sent,
        [WEIR_SYN_RECV] = put_syn_received, [WEIR_ESTABLISHED] = put_established,
        [WEIR_FIN_WAIT_1] = put_fin_wait_1, [WEIR_FIN_WAIT_2] = put_fin_wait_2,
        [WEIR_CLOSING] = put_closing,       [WEIR_TIME_WAIT] = put_time_wait,
        [WEIR_CLOSE_WAIT] = put_close_wait, [WEIR_LAST_ACK] = put_last_ack,
        [WEIR_CLOSED] = put_closed,
    };
    unsigned state = (unsigned)w->s.e.info.state;

    if (w->s.e.info.protocol != IPPROTO_TCP)
        put_datagrams(to, w);
    else if (state < sizeof put / sizeof put[0] && put[state])
        put[state](to, w);
}

void why_put_title(FILE *to, const struct why_sock *w)
{
    const struct ss_sock *s = &w->s;

    fprintf(to, "%s %s:%s", ss_netid(s), s->local, s->local_port);
    if (s->e.info.peer.port)
        fprintf(to, " - %s:%s", s->peer, s->peer_port);
    if (s->e.pid && s->e.info.sock >= 0)
        fprintf(to, ", %s (pid %d)", s->process, (int)s->e.pid);
    if (w->fd >= 0)
        fprintf(to, " fd %d", w->fd);
    if (s->e.info.protocol == IPPROTO_TCP)
        fprintf(to, ": %s for %s.", weir_state_name(s->e.info.state),
                SPAN_MS(s->e.facts.state_ago_ms));
    else
        fputc(':', to);
}
