/* Which segment began the timer that sent another.
 *
 * Knows: rows of the log. Shape: none. Units: none. Errors: none. Cost: O(1). */
#include "def/state.h"
#include "lab/ladder.h"
#include "wire/wire.h"

bool ladder_is_timed(int event)
{
    return event == EVENT_rto || event == EVENT_syn_retry || event == EVENT_synack_retry ||
           event == EVENT_window_probe || event == EVENT_keepalive_probe ||
           event == EVENT_delayed_ack;
}

static bool is_same_flow(const struct lab_seg *a, const struct lab_seg *b)
{
    return a->src == b->src && a->dst == b->dst && a->sport == b->sport && a->dport == b->dport;
}

static bool is_reverse_flow(const struct lab_seg *a, const struct lab_seg *b)
{
    return a->src == b->dst && a->dst == b->src && a->sport == b->dport && a->dport == b->sport;
}

bool ladder_began_timer(const struct lab_row *was, const struct lab_row *row)
{
    if (was->kind != LAB_ROW_SEG)
        return false;
    if (row->why.event == EVENT_delayed_ack)
        return is_reverse_flow(&was->seg, &row->seg) && was->seg.len &&
               was->seg.seq + was->seg.len == row->seg.ack;
    if (row->why.event == EVENT_window_probe || row->why.event == EVENT_keepalive_probe)
        return is_same_flow(&was->seg, &row->seg) || is_reverse_flow(&was->seg, &row->seg);
    return is_same_flow(&was->seg, &row->seg) && was->seg.seq == row->seg.seq &&
           (was->seg.len || was->seg.flags & (TCP_SYN | TCP_FIN));
}
