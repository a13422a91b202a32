/* The option of accurate ECN: how many bytes of text came as ECT(0), CE and ECT(1), 24 bits each.
 *
 * Knows: net.ipv4.tcp_ecn_option, and when an option does not get through. What it means for the
 * window is accecn.c's. Shape: a plan is made before the segment, for it makes its text shorter; no
 * option goes with what is sent again, so what was lost for it does not need it.
 * Units: bytes. Errors: what is not to be believed is left aside; ACE stays. Cost: O(1). 9768#3.2.3
 */
#include <string.h>

#include "tcp/more.h"
#include "weir/socket.h"

enum { E0B, CEB, E1B };
enum { HAS_E0B = 1, HAS_CEB = 2, HAS_E1B = 4 };
enum { SENDS_NONE, SENDS_LEAST, SENDS_NEWS, SENDS_ALL }; /* of net.ipv4.tcp_ecn_option */

#define FIELD 0xffffffu
#define FIELD_HALF 0x800000u /* further ahead than this: behind */
#define MOVED_MOST (1u << 22)
#define ACKS_MOST 8 /* the same counter goes on: said in each eighth */
#define REPEATS_MOST 3
#define REPEATS_FAR 64 /* segments of text behind which a repetition is forgotten */

/* 9768#3.2.1: nothing begins with zero but what is marked. */
static const uint8_t first_value[3] = {1, 0, 1};

void accecn_option_begin(struct acc_ecn *a)
{
    for (int i = 0; i < 3; i++)
        a->bytes[i] = a->said[i] = a->heard_bytes[i] = first_value[i];
    a->last_counter = -1;
}

static bool is_let_through(const struct tcp *p, const struct acc_ecn *a)
{
    return p->knobs->tcp_ecn_option == SENDS_ALL || (p->knobs->tcp_ecn_option && !a->is_lost);
}

/* -- received ---------------------------------------------------------------------------------- */

/* Text of any segment that is acceptable, also what comes again. */
void accecn_count(struct acc_ecn *a, const struct seg *s)
{
    static const int8_t counter[4] = {-1, E1B, E0B, CEB};
    int8_t i = counter[s->ip_ecn & 3];

    if (!s->len || i < 0)
        return;
    a->bytes[i] += s->len;
    if (++a->since_repeat >= REPEATS_FAR)
        a->repeats = a->since_repeat = 0;
    if (i != a->last_counter)
        a->asked = 2; /* 9768#3.2.3.3: this change, and that it lasts */
    a->last_counter = i;
}

/* 9768#3.2.3.2.2: what we acknowledged with the option comes again. Where that goes on, the option
 * is why our ACKs are lost. */
void accecn_on_repeat(struct tcp *p, struct tcb *t)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;

    if (!a->has_acked)
        return;
    a->has_acked = false;
    a->since_repeat = 0;
    a->is_lost |= ++a->repeats >= REPEATS_MOST;
}

/* -- sent -------------------------------------------------------------------------------------- */

static uint32_t moved_by(const struct acc_ecn *a, int i)
{
    return ((uint32_t)a->bytes[i] - a->said[i]) & FIELD;
}

/* Counters that moved since an option said them. */
static uint8_t moved_of(const struct acc_ecn *a)
{
    return (uint8_t)((moved_by(a, E0B) ? HAS_E0B : 0) | (moved_by(a, CEB) ? HAS_CEB : 0) |
                     (moved_by(a, E1B) ? HAS_E1B : 0));
}

/* Those that ever did. */
static uint8_t used_of(const struct acc_ecn *a)
{
    uint8_t used = 0;

    for (int i = 0; i < 3; i++)
        used |= (uint8_t)((a->bytes[i] != first_value[i]) << i);
    return used;
}

/* 9768#3.2.3.3 */
static bool is_due(const struct tcp *p, const struct acc_ecn *a, uint8_t moved)
{
    bool is_far = false;

    if (a->says_hello || p->knobs->tcp_ecn_option == SENDS_ALL)
        return true;
    if (!moved || p->knobs->tcp_ecn_option == SENDS_NEWS)
        return moved;
    for (int i = 0; i < 3; i++)
        is_far |= moved_by(a, i) >= MOVED_MOST;
    return moved & HAS_CEB || a->asked || is_far || a->silent >= ACKS_MOST;
}

/* CE's bytes are in the middle, so the last of three is left out by turning the order round. */
static struct acc_plan layout(uint8_t has)
{
    struct acc_plan plan = {.is_on = true, .is_1 = (has & (HAS_E0B | HAS_E1B)) == HAS_E1B};

    if (has & HAS_CEB)
        plan.n = 2;
    else
        plan.n = has ? 1 : 0;
    if (has & HAS_E0B && has & HAS_E1B)
        plan.n = 3;
    plan.bytes = (uint8_t)((2u + 3u * plan.n + 3u) & ~3u);
    return plan;
}

/* What a new segment says in `room` bytes: all that ever moved, else what moved, else nothing. */
struct acc_plan accecn_plan(const struct tcp *p, const struct tcb *t, uint32_t room)
{
    const struct acc_ecn *a = &more_of(p, t)->ecn;
    uint8_t moved = moved_of(a);
    struct acc_plan plan = {0};

    if (!is_let_through(p, a) || !is_due(p, a, moved))
        return plan;
    if (a->says_hello || p->knobs->tcp_ecn_option == SENDS_ALL)
        plan = layout(HAS_E0B | HAS_CEB | HAS_E1B);
    else
        plan = layout(used_of(a));
    if (plan.bytes > room)
        plan = layout(moved);
    if (plan.bytes > room)
        memset(&plan, 0, sizeof plan);
    return plan;
}

static void put(struct tcp_opts *o, const struct acc_plan *plan, const uint64_t bytes[3])
{
    o->has |= TCP_OPT_ACC;
    o->is_acc_1 = plan->is_1;
    o->accs = plan->n;
    for (int i = 0; i < plan->n; i++)
        o->acc[i] = (uint32_t)bytes[plan->is_1 ? 2 - i : i] & FIELD;
}

void accecn_option_on_out(struct acc_ecn *a, struct tcp_opts *o, const struct acc_plan *plan)
{
    if (a->silent < ACKS_MOST)
        a->silent++;
    a->has_acked = plan->is_on;
    if (!plan->is_on)
        return;
    put(o, plan, a->bytes);
    for (int i = 0; i < plan->n; i++)
        a->said[plan->is_1 ? 2 - i : i] = o->acc[i];
    if (a->asked)
        a->asked--;
    a->silent = 0;
}

/* 9768#3.2.3.2.1: the SYN/ACK tries whether an option gets through, where `o` leaves room. */
void accecn_put_first(const struct tcp *p, struct tcp_opts *o)
{
    static const uint64_t bytes[3] = {1, 0, 1};
    uint32_t room = TCP_HDR_MAX - TCP_LEN - (uint32_t)tcp_opts_len(o);
    struct acc_plan plan = layout(HAS_E0B | HAS_CEB | HAS_E1B);

    if (!p->knobs->tcp_ecn_option)
        return;
    while (plan.n && plan.bytes > room)
        plan = layout((uint8_t)((1u << (plan.n - 1)) - 1));
    if (plan.bytes <= room)
        put(o, &plan, bytes);
}

/* The first text of a client goes with an option, too: the ACK before it may be lost unseen. */
void accecn_on_text(struct tcp *p, struct tcb *t, const struct seg_out *out)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;

    if (a->says_hello && out->hdr.opt.has & TCP_OPT_ACC) {
        a->hello_end = seq_add(out->hdr.seq, out->len);
        a->is_hello_out = true;
    }
    a->says_hello = false;
}

/* 9768#3.2.3.2.2: it was lost. Once is enough to go on without. */
void accecn_on_lost(struct tcp *p, struct tcb *t, struct seq start)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;

    a->is_lost |= a->is_hello_out && seq_lt(start, a->hello_end);
}

void accecn_option_on_ack(const struct tcb *t, struct acc_ecn *a)
{
    if (a->is_hello_out && seq_ge(t->snd.una, a->hello_end))
        a->is_hello_out = false;
}

/* -- told by the peer -------------------------------------------------------------------------- */

/* 9768#3.2.3.2.4: of the handshake's option. Where ECT's counts are zero somebody cleared them, and
 * none is read; else they may begin with any value. */
void accecn_take_first(struct acc_ecn *a, const struct tcp_opts *o)
{
    if (!(o->has & TCP_OPT_ACC))
        return;
    for (int i = 0; i < o->accs; i++) {
        a->is_ignored |= i != CEB && !o->acc[i];
        a->heard_bytes[o->is_acc_1 ? 2 - i : i] = o->acc[i];
    }
}

struct acc_told accecn_take(struct acc_ecn *a, const struct tcp_opts *o, uint32_t mss)
{
    struct acc_told told = {0};

    if (!(o->has & TCP_OPT_ACC) || a->is_ignored)
        return told;
    told.is_known = o->accs > CEB;
    for (int i = 0; i < o->accs; i++) {
        int which = o->is_acc_1 ? 2 - i : i;
        uint32_t ahead = (o->acc[i] - a->heard_bytes[which]) & FIELD;

        if (ahead >= FIELD_HALF) {
            told.is_known = false;
            continue;
        }
        a->heard_bytes[which] = o->acc[i];
        a->told_bytes[which] += ahead;
        told.bytes += which == CEB ? ahead : 0;
    }
    told.packets = (told.bytes + mss - 1) / mss;
    return told;
}

void accecn_guess(struct acc_ecn *a, uint32_t bytes)
{
    a->told_bytes[CEB] += bytes;
}

void accecn_info(const struct acc_ecn *a, struct weir_sock_info *info)
{
    info->ce_in = a->received - ACC_FIRST;
    info->ce_told = a->told;
    info->ect0_bytes_in = a->bytes[E0B] - first_value[E0B];
    info->ce_bytes_in = a->bytes[CEB];
    info->ect1_bytes_in = a->bytes[E1B] - first_value[E1B];
    info->ect0_bytes_told = a->told_bytes[E0B];
    info->ce_bytes_told = a->told_bytes[CEB];
    info->ect1_bytes_told = a->told_bytes[E1B];
}
