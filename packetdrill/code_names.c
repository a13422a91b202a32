/* Names in %{ }%: TCP_INFO, counters, drop reasons, states, variables, constants.
 *
 * Knows: where each comes from. Besides TCP_INFO: weir_stat(TcpRetransSegs), weir_drops(tcp_paws),
 * weir_count(TCP_TIME_WAIT), which see what no socket shows. Shape: tables. Units: as the source's.
 * Errors: an unknown name. Cost: O(names). */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "packetdrill/code.h"
#include "packetdrill/names.h"

#define FIELD(name)                                                                  \
    {                                                                                \
#name, offsetof(struct tcp_info, name), sizeof(((struct tcp_info *)0)->name) \
    }
static const struct {
    const char *name;
    size_t at, size;
} fields[] = {
    FIELD(tcpi_state),
    FIELD(tcpi_ca_state),
    FIELD(tcpi_retransmits),
    FIELD(tcpi_probes),
    FIELD(tcpi_backoff),
    FIELD(tcpi_options),
    FIELD(tcpi_rto),
    FIELD(tcpi_ato),
    FIELD(tcpi_snd_mss),
    FIELD(tcpi_rcv_mss),
    FIELD(tcpi_unacked),
    FIELD(tcpi_sacked),
    FIELD(tcpi_lost),
    FIELD(tcpi_retrans),
    FIELD(tcpi_fackets),
    FIELD(tcpi_last_data_sent),
    FIELD(tcpi_last_data_recv),
    FIELD(tcpi_last_ack_recv),
    FIELD(tcpi_pmtu),
    FIELD(tcpi_rcv_ssthresh),
    FIELD(tcpi_rtt),
    FIELD(tcpi_rttvar),
    FIELD(tcpi_snd_ssthresh),
    FIELD(tcpi_snd_cwnd),
    FIELD(tcpi_advmss),
    FIELD(tcpi_reordering),
    FIELD(tcpi_rcv_rtt),
    FIELD(tcpi_rcv_space),
    FIELD(tcpi_total_retrans),
    FIELD(tcpi_pacing_rate),
    FIELD(tcpi_max_pacing_rate),
    FIELD(tcpi_bytes_acked),
    FIELD(tcpi_bytes_received),
    FIELD(tcpi_segs_out),
    FIELD(tcpi_segs_in),
    FIELD(tcpi_notsent_bytes),
    FIELD(tcpi_min_rtt),
    FIELD(tcpi_data_segs_in),
    FIELD(tcpi_data_segs_out),
    FIELD(tcpi_delivery_rate),
    FIELD(tcpi_busy_time),
    FIELD(tcpi_rwnd_limited),
    FIELD(tcpi_sndbuf_limited),
    FIELD(tcpi_delivered),
    FIELD(tcpi_delivered_ce),
    FIELD(tcpi_bytes_sent),
    FIELD(tcpi_bytes_retrans),
    FIELD(tcpi_dsack_dups),
    FIELD(tcpi_reord_seen),
    FIELD(tcpi_rcv_ooopack),
    FIELD(tcpi_snd_wnd),
};
#undef FIELD

void code_look(struct code *c)
{
    struct iovec value = {.iov_base = &c->info, .iov_len = sizeof c->info};

    c->has_info = c->r->last_fd >= 0 &&
                  node_getsockopt(c->r->node, c->r->last_fd, IPPROTO_TCP, TCP_INFO, &value) == 0;
}

static void say(struct code *c, const char *name, double v)
{
    size_t room = sizeof c->said - c->said_len;
    int n = snprintf(c->said + c->said_len, room, "%s%s is %.10g", c->said_len ? ", " : "", name,
                     v);

    c->said_len += (size_t)n < room ? (size_t)n : room - 1;
}

static bool of_info(struct code *c, const char *name, double *out)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        uint64_t n = 0;
        if (strcmp(fields[i].name, name) != 0)
            continue;
        memcpy(&n, (const char *)&c->info + fields[i].at, fields[i].size); /* little endian */
        *out = (double)n;
        return true;
    }
    *out = strcmp(name, "tcpi_snd_wscale") == 0 ? c->info.tcpi_snd_wscale : c->info.tcpi_rcv_wscale;
    return strcmp(name, "tcpi_snd_wscale") == 0 || strcmp(name, "tcpi_rcv_wscale") == 0;
}

static double endpoints_in(struct run *r, int state)
{
    struct weir_sock_info i;
    uint64_t cursor = 0;
    int n = 0;

    while (weir_info_next(node_stack(r->node), &cursor, &i))
        n += i.protocol == IPPROTO_TCP && i.state == state;
    return n;
}

static bool of_stack(struct code *c, const char *name, double *out)
{
    const struct weir_stack *stack = node_stack(c->r->node);
    int64_t state;
    char arg[48];

    if (!code_take(c, "(") || !code_name(c, arg, sizeof arg) || !code_take(c, ")"))
        return code_fail(c, "expected a name in parentheses");
    if (strcmp(name, "weir_count") == 0 && name_value(arg, &state)) {
        *out = endpoints_in(c->r, (int)state);
        return true;
    }
    for (int i = 0; i < weir_stat_count() && strcmp(name, "weir_stat") == 0; i++)
        if (strcmp(weir_stat_name(i), arg) == 0) {
            *out = (double)weir_stat(stack, i);
            return true;
        }
    for (int i = 0; i < weir_drop_count() && strcmp(name, "weir_drops") == 0; i++)
        if (strcmp(weir_drop_name(i), arg) == 0) {
            *out = (double)weir_drops(stack, i);
            return true;
        }
    return code_fail(c, "expected weir_stat(COUNTER), weir_drops(REASON) or weir_count(STATE)");
}

static bool of_function(struct code *c, const char *name, double *out)
{
    double a, b = 0;
    bool is_two = false;

    code_take(c, "(");
    if (!code_value(c, &a))
        return false;
    if (code_take(c, ",")) {
        is_two = true;
        if (!code_value(c, &b))
            return false;
    }
    if (!code_take(c, ")"))
        return code_fail(c, "expected ')'");
    if (strcmp(name, "abs") == 0)
        *out = a < 0 ? -a : a;
    else
        *out = (strcmp(name, "min") == 0) == (a < b) ? a : b;
    return is_two != (strcmp(name, "abs") == 0) ||
           code_fail(c, "abs takes one number, min and max two");
}

static bool is_variable(struct code *c, const char *name, double *out)
{
    for (int i = 0; i < c->r->variables; i++)
        if (strcmp(c->r->variable[i].name, name) == 0) {
            *out = c->r->variable[i].value;
            return true;
        }
    return false;
}

bool code_named(struct code *c, const char *name, double *out)
{
    int64_t constant;
    char what[128];

    if (strncmp(name, "weir_", 5) == 0) {
        if (!of_stack(c, name, out))
            return false;
        say(c, name, *out);
        return true;
    }
    if (strcmp(name, "abs") == 0 || strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
        return of_function(c, name, out);
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0) {
        *out = *name == 'T';
        return true;
    }
    if (name_value(name, &constant)) {
        *out = (double)constant;
        return true;
    }
    if (strncmp(name, "tcpi_", 5) == 0 && !c->has_info)
        return code_fail(c, "there is no socket whose TCP_INFO could be asked");
    if (is_variable(c, name, out) || of_info(c, name, out)) {
        say(c, name, *out);
        return true;
    }
    snprintf(what, sizeof what, "unknown name '%s'", name);
    return code_fail(c, what);
}
