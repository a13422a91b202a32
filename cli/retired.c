/* Knobs of Linux that weir has not: those that Linux dropped, and those that have no meaning here.
 *
 * Knows: their names and histories. Shape: one table; a name that is a knob of weir is never looked
 * up here. Units: none. Errors: NULL for a name that nobody had. Cost: O(rows). */
#include <string.h>

#include "cli/sysctl.h"

static const struct {
    const char *name, *text;
} gone[] = {
    /* Linux had them. */
    {"net.ipv4.tcp_fack", "without effect in Linux since 4.15; here SACK decides (RFC 6675)"},
    {"net.ipv4.tcp_low_latency",
     "without effect in Linux since 4.14; there is no prequeue to switch off"},
    {"net.ipv4.tcp_thin_dupack", "Linux dropped it in 4.15"},
    {"net.ipv4.tcp_abc", "Linux dropped it in 3.9; bytes are counted here always (RFC 3465)"},
    {"net.ipv4.tcp_max_ssthresh", "Linux dropped it; slow start ends at ssthresh"},
    {"net.ipv4.tcp_frto_response", "Linux dropped it with its first F-RTO"},
    {"net.ipv4.tcp_dma_copybreak", "Linux dropped it with its DMA receive offload"},
    {"net.ipv4.tcp_cookie_size", "Linux dropped TCP cookie transactions in 3.10"},
    {"net.ipv4.tcp_vegas_cong_avoid", "an algorithm is a module of its own in Linux since 2.6.13"},
    {"net.ipv4.tcp_westwood", "an algorithm is a module of its own in Linux since 2.6.13"},
    {"net.ipv4.tcp_bic", "an algorithm is a module of its own in Linux since 2.6.13"},
    {"net.ipv4.ip_conntrack_max", "Linux calls it net.netfilter.nf_conntrack_max; here nothing is "
                                  "tracked"},
    {"net.ipv4.ip_autoconfig", "Linux dropped it"},
    {"net.ipv4.inet_peer_gc_mintime", "Linux dropped it"},
    /* Linux has them. */
    {"net.ipv4.tcp_retrans_collapse", "segments are cut anew from the send buffer here always"},
    {"net.ipv4.tcp_no_metrics_save", "nothing is remembered of past connections here"},
    {"net.ipv4.tcp_adv_win_scale",
     "a buffer holds nothing but text here, so all of it is offered as window"},
    {"net.ipv4.tcp_limit_output_bytes",
     "no queue lies between TCP and the driver: a segment is made when the driver takes it"},
    {"net.ipv4.tcp_mtu_probing", "the path MTU is learned from ICMP here"},
    {"net.ipv4.ip_no_pmtu_disc", "the path MTU is always discovered here"},
    {"net.ipv4.tcp_fastopen", "weir has no TCP Fast Open"},
    {"net.ipv4.tcp_frto", "weir has no F-RTO"},
    {"net.ipv4.tcp_dsack", "weir sends no DSACK"},
    {"net.ipv4.tcp_stdurg", "the urgent pointer is read as RFC 6093 and Linux read it"},
    {"net.ipv4.ipfrag_low_thresh",
     "over net.ipv4.ipfrag_high_thresh the oldest datagram goes; there is no lower mark"},
    {"net.core.netdev_max_backlog", "no queue of packets lies between the link and the stack here"},
    {"net.core.default_qdisc", "queues and delays are options here: weir run --net"},
    {"net.core.optmem_max", "ancillary data is not charged to a socket here"},
};

const char *sysctl_gone(const char *name)
{
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        const char *last = strrchr(gone[i].name, '.') + 1;
        if (strcmp(strchr(name, '.') ? gone[i].name : last, name) == 0)
            return gone[i].text;
    }
    return NULL;
}
