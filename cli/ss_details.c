/* What `weir ss` writes behind the columns: timers, owners, memory, and the life of a connection.
 *
 * Knows: ss(8)'s words and their order. Not columns. Shape: each item begins with a blank; what is
 * 0 is left out, as ss does. Units: ms, segments, bits per second, as ss has them. Errors: none.
 * Cost: O(1). */
#include <netinet/in.h>
#include <string.h>

#include "cli/ss.h"

static void put_span(FILE *to, long long ms)
{
    long long minutes = ms / 60000, seconds = ms / 1000 % 60;

    if (minutes > 9 || (minutes && !seconds))
        fprintf(to, "%lldmin", minutes);
    else if (minutes)
        fprintf(to, "%lldmin%lldsec", minutes, seconds);
    else if (seconds > 9 || (seconds && ms % 1000 == 0))
        fprintf(to, "%lldsec", seconds);
    else if (seconds)
        fprintf(to, "%lld.%03lldsec", seconds, ms % 1000);
    else
        fprintf(to, "%lldms", ms < 0 ? 0 : ms);
}

void ss_put_timer(FILE *to, const struct ss_sock *s)
{
    static const char *const words[][2] = {{"retransmit", "on"},   {"tail loss probe", "on"},
                                           {"reordering", "on"},   {"2MSL", "timewait"},
                                           {"close", "keepalive"}, {"delayed ack", "delack"}};
    const char *name = s->e.timer;

    if (!*name)
        return;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(name, words[i][0]) == 0)
            name = words[i][1];
    fprintf(to, " timer:(%s,", name);
    put_span(to, s->e.info.timer_left_us / 1000);
    fprintf(to, ",%u)", s->e.info.timer_n);
}

void ss_put_details(FILE *to, const struct ss_sock *s)
{
    if (s->uid)
        fprintf(to, " uid:%u", s->uid);
    if (s->e.info.sock >= 0)
        fprintf(to, " sk:%x run:%s", (unsigned)s->e.info.sock, s->daemon ? s->daemon : "-");
    if (s->e.info.state != WEIR_TIME_WAIT && s->e.info.state != WEIR_SYN_RECV)
        fprintf(to, " %c-%c", s->e.info.shut & 1 ? '-' : '<', s->e.info.shut & 2 ? '-' : '>');
}

void ss_put_memory(FILE *to, const struct ss_sock *s)
{
    const struct weir_sock_info *i = &s->e.info;
    uint32_t used = i->state == WEIR_LISTEN ? 0 : i->recv_queue + i->send_queue;
    uint32_t held = i->rcv_mem + i->snd_mem;

    if (!i->rcvbuf)
        return;
    fprintf(to, " skmem:(r%u,rb%u,t%u,tb%u,f%u,w%u,o0,bl0,d%llu)",
            i->state == WEIR_LISTEN ? 0 : i->recv_queue, i->rcvbuf, i->in_flight, i->sndbuf,
            held > used ? held - used : 0, i->state == WEIR_LISTEN ? 0 : i->send_queue,
            (unsigned long long)i->drops);
}

/* -- the life of a connection ------------------------------------------------------------------ */

static void put_number(FILE *to, const char *name, unsigned long long n)
{
    if (n)
        fprintf(to, " %s:%llu", name, n);
}

static void put_rate(FILE *to, const char *name, double bits, bool is_exact)
{
    if (is_exact || bits < 1000)
        fprintf(to, " %s %.0fbps", name, bits);
    else if (bits < 1e6)
        fprintf(to, " %s %.1fKbps", name, bits / 1e3);
    else
        fprintf(to, " %s %.1fMbps", name, bits / 1e6);
}

static void put_agreed(FILE *to, const struct ss_sock *s)
{
    const struct weir_sock_info *i = &s->e.info;

    if (i->has_ts)
        fputs(" ts", to);
    if (i->has_sack)
        fputs(" sack", to);
    if (i->has_ecn || i->has_accecn)
        fputs(i->has_accecn ? " accecn" : " ecn", to);
    if (*s->e.congestion)
        fprintf(to, " %s", s->e.congestion);
    if (i->has_wscale)
        fprintf(to, " wscale:%u,%u", i->snd_wscale, i->rcv_wscale);
}

static void put_times(FILE *to, const struct weir_sock_info *i)
{
    fprintf(to, " rto:%g", i->rto_us / 1000.0);
    put_number(to, "backoff", i->backoff);
    if (i->srtt_us)
        fprintf(to, " rtt:%g/%g", i->srtt_us / 1000.0, i->rttvar_us / 1000.0);
    if (i->ato_us)
        fprintf(to, " ato:%g", i->ato_us / 1000.0);
}

static void put_counts(FILE *to, const struct weir_sock_info *i)
{
    put_number(to, "bytes_sent", i->bytes_sent);
    put_number(to, "bytes_retrans", i->bytes_retrans);
    put_number(to, "bytes_acked", i->bytes_acked);
    put_number(to, "bytes_received", i->bytes_received);
    put_number(to, "segs_out", i->segs_out);
    put_number(to, "segs_in", i->segs_in);
    put_number(to, "data_segs_out", i->data_segs_out);
    put_number(to, "data_segs_in", i->data_segs_in);
    put_number(to, "delivered_ce", i->ce_told);
    put_number(to, "delivered_ce_bytes", i->ce_bytes_told);
    put_number(to, "received_ce", i->ce_in);
    put_number(to, "received_ce_bytes", i->ce_bytes_in);
}

static void put_flight(FILE *to, const struct weir_sock_info *i)
{
    put_number(to, "unacked", i->unacked_segs);
    if (i->again_segs || i->retrans)
        fprintf(to, " retrans:%u/%u", i->again_segs, i->retrans);
    put_number(to, "lost", i->lost_segs);
    put_number(to, "sacked", i->sacked_segs);
    if (i->reordering != 3)
        put_number(to, "reordering", i->reordering);
    put_number(to, "rcv_ssthresh", i->rcv_wnd_max);
    put_number(to, "notsent", i->unsent);
    if (i->min_rtt_us)
        fprintf(to, " minrtt:%g", i->min_rtt_us / 1000.0);
    put_number(to, "snd_wnd", i->snd_wnd);
    put_number(to, "rcv_wnd", i->rcv_wnd);
}

void ss_put_info(FILE *to, const struct ss_ask *ask, const struct ss_sock *s)
{
    const struct weir_sock_info *i = &s->e.info;

    put_agreed(to, s);
    if (!i->mss)
        return;
    put_times(to, i);
    fprintf(to, " mss:%u", i->mss);
    put_number(to, "pmtu", i->pmtu);
    put_number(to, "rcvmss", i->rcv_mss);
    put_number(to, "advmss", i->advmss);
    put_number(to, "cwnd", i->cwnd / i->mss);
    if (i->ssthresh != UINT32_MAX)
        put_number(to, "ssthresh", i->ssthresh / i->mss);
    put_counts(to, i);
    if (i->srtt_us)
        put_rate(to, "send", (double)(i->cwnd / i->mss) * i->mss * 8e6 / i->srtt_us, ask->is_exact);
    put_number(to, "lastsnd", i->sent_ago_ms);
    put_number(to, "lastrcv", i->received_ago_ms);
    put_number(to, "lastack", i->heard_ago_ms);
    put_flight(to, i);
}
