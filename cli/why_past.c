/* What happened lately at a port: how connections ended, which were refused, and by whom.
 *
 * Knows: the daemon's trace of events. Shape: events that end or refuse something have words, the
 * rest have none; the same again is counted. Units: us before the question. Errors: none.
 * Cost: O(events). */
#include "cli/why.h"

#include <errno.h>
#include <string.h>

/* The state went to CLOSED. */
static const char *ending(const struct weir_why *w)
{
    bool is_opening = w->from == WEIR_SYN_SENT || w->from == WEIR_SYN_RECV;

    switch (w->n) {
    case ECONNREFUSED:
        return "refused: the peer answered our SYN with RST, so nobody listens there";
    case ECONNRESET:
        return is_opening ? "the peer reset it (RST) before it was established"
                          : "the peer reset it (RST)";
    case ETIMEDOUT:
        return w->from == WEIR_SYN_SENT ? "given up: nobody answered our SYN (ETIMEDOUT)"
                                        : "given up: the peer answered no more (ETIMEDOUT)";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "given up: a router said that the peer can not be reached (ICMP)";
    case 0:
        break;
    default:
        return "ended with an error";
    }
    switch (w->from) {
    case WEIR_LAST_ACK:
        return "closed in good order, by the peer first";
    case WEIR_FIN_WAIT_2:
        return "forgotten: we closed, and the peer's FIN did not come (net.ipv4.tcp_fin_timeout)";
    case WEIR_SYN_SENT:
        return "our program gave up connecting";
    default:
        return "";
    }
}

static const char *words_of_event(const struct weir_why *w)
{
    const char *name = weir_event_name(w->event);
    static const struct {
        const char *name, *words;
    } table[] = {
        {"reset_no_socket", "answered by RST: there was no connection and no listener here"},
        {"reset_abort", "our program ended it at once (RST): SO_LINGER 0, or it died"},
        {"reset_unread", "our program closed it with bytes unread, which makes a RST"},
        {"reset_after_close", "data came after our program had closed: answered by RST"},
        {"reset_bad_ack", "answered by RST: it acknowledged what was never sent"},
        {"reset_refused", "refused (RST): the accept queue was full, or a gateway said no"},
    };

    if (strcmp(name, "state") == 0) {
        if (w->to == WEIR_TIME_WAIT)
            return "closed in good order, by us first: TIME-WAIT began";
        return w->to == WEIR_CLOSED ? ending(w) : "";
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].words;
    return "";
}

static const char *words_of_drop(const char *name)
{
    static const struct {
        const char *name, *words;
    } table[] = {
        {"tcp_accept_queue", "a handshake was dropped: the accept queue was full"},
        {"tcp_syn_queue", "a SYN was dropped: the SYN queue was full"},
        {"tcp_recycle", "a SYN was dropped by tcp_tw_recycle: its timestamp was old"},
        {"tcp_limit", "a connection was refused: net.weir.tcp_max_connections is reached"},
        {"tcp_no_memory", "bytes were dropped: net.weir.mem_max is reached"},
        {"tcp_rst_window", "a RST was not believed: its number was not the expected one"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].words;
    return "";
}

void why_past_words(char *text, size_t size, const struct past *p)
{
    const char *words = p->why.verdict >= 2 ? words_of_drop(weir_drop_name(p->why.verdict - 2))
                                            : words_of_event(&p->why);

    snprintf(text, size, "%s", words);
}

/* -- lines ------------------------------------------------------------------------------------- */

struct line {
    const struct past *p;
    char words[120];
    int times;
};

static bool is_same(const struct line *a, const struct line *b)
{
    return a->p->local.port == b->p->local.port &&
           weir_addr_equal(&a->p->peer.addr, &b->p->peer.addr) && strcmp(a->words, b->words) == 0;
}

static void put_line(FILE *to, const struct line *l)
{
    char local[WEIR_ADDR_TEXT], peer[WEIR_ADDR_TEXT], span[24];

    fprintf(to, "  %8s ago  %s - %s: %s", why_span(span, l->p->ago_us),
            weir_sockaddr_text(&l->p->local, local), weir_sockaddr_text(&l->p->peer, peer),
            l->words);
    if (l->times > 1)
        fprintf(to, " (%d times)", l->times);
    fputc('\n', to);
}

static bool is_about(const struct past *p, int port)
{
    return !port || p->local.port == port || p->peer.port == port;
}

#define LINES_MAX 64

int why_put_past(FILE *to, const struct why_view *v, int port, int most)
{
    struct line line[LINES_MAX];
    int n = 0;

    if (most > LINES_MAX)
        most = LINES_MAX;
    for (int i = v->pasts - 1; i >= 0 && n < most; i--) {
        struct line *l = &line[n];
        l->p = &v->past[i].p;
        l->times = 1;
        why_past_words(l->words, sizeof l->words, l->p);
        if (!*l->words || !is_about(l->p, port))
            continue;
        if (n && is_same(l, l - 1))
            l[-1].times++;
        else
            n++;
    }
    for (int i = n - 1; i >= 0; i--)
        put_line(to, &line[i]);
    return n;
}
