/* TCP_INFO: what is known of a connection, in the layout of Linux's struct tcp_info.
 *
 * Knows: struct weir_sock_info, the layout. Not the control block. Shape: one struct that grows at
 * its end only; who asks for less gets less. A field that the stack does not keep is 0 (pacing and
 * delivery rates, busy times, receive buffer tuning). Units: Linux's: windows in segments, times in
 * us or ms. Errors: none. Cost: O(records in flight). */
#include <string.h>

#include "sock/sock.h"

struct linux_tcp_info {
    uint8_t state, ca_state, retransmits, probes, backoff, options;
    unsigned snd_wscale : 4, rcv_wscale : 4, is_app_limited : 1, fastopen_client_fail : 2;
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt, rcv_space, total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
    uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    uint32_t delivered, delivered_ce;
    uint64_t bytes_sent, bytes_retrans;
    uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
    uint16_t total_rto, total_rto_recoveries;
    uint32_t total_rto_time;
    uint32_t received_ce, delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes;
    uint32_t received_e1_bytes, received_e0_bytes, received_ce_bytes;
    unsigned ecn_mode : 2, accecn_opt_seen : 2, accecn_fail_mode : 4, options2 : 24;
};
_Static_assert(offsetof(struct linux_tcp_info, rto) == 8, "the bits take two bytes");
_Static_assert(offsetof(struct linux_tcp_info, total_retrans) == 100, "the first struct's end");
_Static_assert(sizeof(struct linux_tcp_info) == 280, "as Linux 7.0");

enum { OPT_TIMESTAMPS = 1, OPT_SACK = 2, OPT_WSCALE = 4, OPT_ECN = 8 };
enum { ECN_MODE_3168 = 1, ECN_MODE_ACCURATE = 2 };
#define SSTHRESH_NONE 0x7fffffff

void sock_tcp_info(struct socks *k, uint32_t endpoint, struct weir_sock_info *info)
{
    const struct iface *i;

    tcp_info(k->tcp, endpoint, info);
    i = info->local.ifindex ? iface_at(k->link, info->local.ifindex) : NULL;
    if (i && info->mss)
        info->pmtu = pmtu_of(k->ip, &info->peer.addr, i->mtu, k->now_us);
}

static void put_counts(struct linux_tcp_info *l, const struct weir_sock_info *i)
{
    l->total_retrans = i->retrans;
    l->bytes_acked = i->bytes_acked;
    l->bytes_received = i->bytes_received;
    l->bytes_sent = i->bytes_sent;
    l->bytes_retrans = i->bytes_retrans;
    l->segs_out = i->segs_out;
    l->segs_in = i->segs_in;
    l->data_segs_out = i->data_segs_out;
    l->data_segs_in = i->data_segs_in;
    l->notsent_bytes = i->unsent;
    l->last_data_sent = i->sent_ago_ms;
    l->last_data_recv = i->received_ago_ms;
    l->last_ack_recv = i->heard_ago_ms;
}

static void put_sender(struct linux_tcp_info *l, const struct weir_sock_info *i)
{
    l->ca_state = i->ca_state;
    l->retransmits = l->backoff = i->backoff;
    l->probes = i->probes;
    l->rto = i->rto_us;
    l->rtt = i->srtt_us;
    l->rttvar = i->rttvar_us;
    l->min_rtt = i->min_rtt_us;
    l->unacked = i->unacked_segs;
    l->sacked = i->sacked_segs;
    l->lost = i->lost_segs;
    l->retrans = i->again_segs;
    l->snd_mss = i->mss;
    l->snd_cwnd = i->cwnd / i->mss;
    l->snd_ssthresh = i->ssthresh == UINT32_MAX ? SSTHRESH_NONE : i->ssthresh / i->mss;
    l->snd_wnd = i->snd_wnd;
    l->snd_wscale = i->snd_wscale & 15u;
    l->pmtu = i->pmtu;
}

static void put_ecn(struct linux_tcp_info *l, const struct weir_sock_info *i)
{
    l->ecn_mode = i->has_accecn ? ECN_MODE_ACCURATE : i->has_ecn ? ECN_MODE_3168 : 0;
    l->delivered_ce = i->ce_told;
    l->received_ce = i->ce_in;
    l->delivered_e0_bytes = (uint32_t)i->ect0_bytes_told;
    l->delivered_ce_bytes = (uint32_t)i->ce_bytes_told;
    l->delivered_e1_bytes = (uint32_t)i->ect1_bytes_told;
    l->received_e0_bytes = (uint32_t)i->ect0_bytes_in;
    l->received_ce_bytes = (uint32_t)i->ce_bytes_in;
    l->received_e1_bytes = (uint32_t)i->ect1_bytes_in;
}

static void put_receiver(struct linux_tcp_info *l, const struct weir_sock_info *i)
{
    l->ato = i->ato_us;
    l->rcv_mss = i->rcv_mss;
    l->advmss = i->advmss;
    l->rcv_ssthresh = i->rcv_wnd_max;
    l->rcv_wnd = i->rcv_wnd;
    l->rcv_wscale = i->rcv_wscale & 15u;
}

size_t sock_get_tcp_info(struct socks *k, uint32_t endpoint, void *out, size_t room)
{
    struct weir_sock_info i = {.sock = 0};
    struct linux_tcp_info l = {.state = 0};

    sock_tcp_info(k, endpoint, &i);
    l.state = (uint8_t)i.state;
    if (i.state == WEIR_LISTEN) {
        l.unacked = i.recv_queue;
        l.sacked = i.send_queue;
    }
    if (i.mss) {
        l.options = (uint8_t)((i.has_ts ? OPT_TIMESTAMPS : 0) | (i.has_sack ? OPT_SACK : 0) |
                              (i.has_wscale ? OPT_WSCALE : 0) | (i.has_ecn ? OPT_ECN : 0));
        l.reordering = i.reordering;
        put_sender(&l, &i);
        put_receiver(&l, &i);
        put_counts(&l, &i);
        put_ecn(&l, &i);
    }
    if (room > sizeof l)
        room = sizeof l;
    memcpy(out, &l, room);
    return room;
}
