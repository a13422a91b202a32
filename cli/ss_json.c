/* `weir ss --json`: one object, for programs. Times in seconds; keys are never taken away.
 *
 * Knows: what is known of a socket. Shape: {"sockets": [...]}; "tcp" is null where there is no
 * connection. Units: seconds, bytes, segments where the key says so. Errors: none.
 * Cost: O(sockets). */
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#include "cli/ss.h"

static void set(json_t *to, const char *key, unsigned long long n)
{
    json_object_set_new(to, key, json_integer((json_int_t)n));
}

static void set_time(json_t *to, const char *key, double seconds)
{
    json_object_set_new(to, key, json_real(seconds));
}

static void put_sender(json_t *o, const struct weir_sock_info *i)
{
    set(o, "cwnd_bytes", i->cwnd);
    json_object_set_new(o, "ssthresh_bytes",
                        i->ssthresh == UINT32_MAX ? json_null() : json_integer(i->ssthresh));
    set_time(o, "srtt", i->srtt_us / 1e6);
    set_time(o, "rttvar", i->rttvar_us / 1e6);
    set_time(o, "min_rtt", i->min_rtt_us / 1e6);
    set_time(o, "rto", i->rto_us / 1e6);
    set(o, "backoff", i->backoff);
    set(o, "probes", i->probes);
    set(o, "mss", i->mss);
    set(o, "pmtu", i->pmtu);
    set(o, "in_flight", i->in_flight);
    set(o, "lost", i->lost);
    set(o, "unsent", i->unsent);
    set(o, "unacked_segs", i->unacked_segs);
    set(o, "sacked_segs", i->sacked_segs);
    set(o, "lost_segs", i->lost_segs);
    set(o, "retrans", i->retrans);
    set(o, "bytes_sent", i->bytes_sent);
    set(o, "bytes_acked", i->bytes_acked);
    set(o, "bytes_retrans", i->bytes_retrans);
    set(o, "segs_out", i->segs_out);
    set(o, "data_segs_out", i->data_segs_out);
    set(o, "snd_wnd", i->snd_wnd);
    set_time(o, "last_sent_ago", i->sent_ago_ms / 1e3);
}

static void put_receiver(json_t *o, const struct weir_sock_info *i)
{
    set(o, "bytes_received", i->bytes_received);
    set(o, "segs_in", i->segs_in);
    set(o, "data_segs_in", i->data_segs_in);
    set(o, "rcv_mss", i->rcv_mss);
    set(o, "advmss", i->advmss);
    set(o, "rcv_wnd", i->rcv_wnd);
    set(o, "rcv_wnd_max", i->rcv_wnd_max);
    set_time(o, "ack_delay", i->ato_us / 1e6);
    set_time(o, "last_received_ago", i->received_ago_ms / 1e3);
    set_time(o, "last_heard_ago", i->heard_ago_ms / 1e3);
}

static json_t *json_of_marks(const struct weir_sock_info *i)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "delivered_ce", (json_int_t)i->ce_told,
                     "delivered_ce_bytes", (json_int_t)i->ce_bytes_told, "received_ce",
                     (json_int_t)i->ce_in, "received_ce_bytes", (json_int_t)i->ce_bytes_in);
}

static json_t *json_of_tcp(const struct ss_sock *s)
{
    static const char *const phases[] = {"open", "disorder", "cwr", "recovery", "loss"};
    const struct weir_sock_info *i = &s->e.info;
    json_t *o = json_object();

    json_object_set_new(o, "congestion", json_string(s->e.congestion));
    json_object_set_new(o, "recovery", json_string(phases[i->ca_state < 5 ? i->ca_state : 0]));
    json_object_set_new(o, "timestamps", json_boolean(i->has_ts));
    json_object_set_new(o, "sack", json_boolean(i->has_sack));
    json_object_set_new(o, "ecn", json_boolean(i->has_ecn));
    json_object_set_new(o, "accurate_ecn", i->has_accecn ? json_of_marks(i) : json_null());
    json_object_set_new(o, "wscale",
                        i->has_wscale ? json_pack("[i, i]", i->snd_wscale, i->rcv_wscale)
                                      : json_null());
    put_sender(o, i);
    put_receiver(o, i);
    return o;
}

static json_t *json_of_timer(const struct ss_sock *s)
{
    if (!*s->e.timer)
        return json_null();
    return json_pack("{s:s, s:f, s:i}", "name", s->e.timer, "left",
                     (double)s->e.info.timer_left_us / 1e6, "n", s->e.info.timer_n);
}

static json_t *json_of(const struct ss_sock *s)
{
    const struct weir_sock_info *i = &s->e.info;
    bool has_tcp = i->protocol == IPPROTO_TCP && i->mss;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "netid", ss_netid(s), "state",
                          ss_state_name(i->state), "local_address", s->local, "local_port",
                          s->local_port, "peer_address", s->peer, "peer_port", s->peer_port, "run",
                          s->daemon ? s->daemon : "");

    set(o, "recv_q", i->recv_queue);
    set(o, "send_q", i->send_queue);
    set(o, "rcvbuf", i->rcvbuf);
    set(o, "sndbuf", i->sndbuf);
    set(o, "memory", (unsigned long long)i->rcv_mem + i->snd_mem);
    set(o, "drops", i->drops);
    json_object_set_new(o, "process",
                        s->e.pid ? json_pack("{s:s, s:i}", "name", s->process, "pid", s->e.pid)
                                 : json_null());
    json_object_set_new(o, "timer", json_of_timer(s));
    json_object_set_new(o, "tcp", has_tcp ? json_of_tcp(s) : json_null());
    return o;
}

void ss_print_json(const struct ss_sock *s, int n)
{
    json_t *list = json_array(), *all;

    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_of(&s[i]));
    all = json_pack("{s:o}", "sockets", list);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(all);
}
