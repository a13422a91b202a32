/* Inbound packets: from the script to the stack.
 *
 * Knows: whose connection a packet is, and how the script's numbers become the wire's.
 * Shape: the other end's numbers count from its SYN; what names the stack's numbers is moved by
 * the flow's offset. Units: sequence numbers. Errors: none. Cost: O(bytes). */
#include <string.h>

#include "packetdrill/icmp_names.h"
#include "packetdrill/run.h"
#include "wire/wire.h"

static bool is_pure_syn(const struct segment *s)
{
    return s->kind == SEGMENT_TCP && (s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* A SYN to a listener that has had none begins a connection; anything else goes on with the last.
 */
static struct flow *choose_flow(struct run *r, const struct segment *s)
{
    enum segment_kind kind = s->kind == SEGMENT_ICMP ? s->quote.kind : s->kind;
    struct flow *f;

    if (s->has & HAS_PORTS)
        return flow_of(r, kind, s->dport, s->sport);
    if (r->current && r->current->kind == kind && !(is_pure_syn(s) && r->is_listener_fresh))
        return r->current;
    for (f = r->flows; f && kind == SEGMENT_UDP; f = f->next)
        if (f->kind == kind)
            return f;
    f = flow_of(r, kind, r->listen_port, r->next_port++);
    r->is_listener_fresh = false;
    return f;
}

static void note_syn(struct flow *f, const struct segment *s)
{
    if (s->kind != SEGMENT_TCP || !(s->flags & TCP_SYN) || s->flags & TCP_RST)
        return;
    f->wants_isn |= f->has_remote && is_pure_syn(s) && s->seq != f->remote_isn;
    f->has_syn = true; /* perhaps the next incarnation */
    f->syn = s->seq;
    f->syn_len = s->len + !!(s->flags & TCP_FIN);
    if (!f->has_remote)
        f->remote_isn = s->seq;
    f->has_remote = true;
}

/* The bytes of a stream: the first one is behind the SYN. */
static void fill_payload(const struct segment *s, uint8_t *out)
{
    uint32_t first = s->flags & TCP_SYN ? 0 : s->seq - 1;

    for (uint32_t i = 0; i < s->len; i++)
        out[i] = flow_byte(s->kind == SEGMENT_TCP ? first + i : i);
}

static void to_wire(const struct flow *f, struct segment *s)
{
    bool knows_stamp = f->has_ts && !is_pure_syn(s);

    s->sport = f->rport;
    s->dport = f->lport;
    s->seq += s->flags & TCP_SYN ? 0 : f->remote_isn;
    s->ack += s->flags & TCP_ACK ? f->local_offset : 0;
    for (int i = 0; i < s->options; i++) {
        struct option *o = &s->option[i];
        if (o->kind == OPTION_TS && knows_stamp)
            o->b += f->ts_offset;
        for (int k = 0; o->kind == OPTION_SACK && k < o->len; k++) {
            o->sack[k][0] += f->local_offset;
            o->sack[k][1] += f->local_offset;
        }
    }
}

/* What an ICMP error holds of our packet: its IP header and the first 20 bytes behind it. */
static size_t build_quote(const struct run *r, const struct flow *f, const struct segment *s,
                          uint8_t *out)
{
    static const uint8_t none[1];
    struct packet p = {.src = r->set.local,
                       .dst = r->set.remote,
                       .payload = none,
                       .more = s->quote.len,
                       .frag = IP4_DF};
    size_t len, head = packet_head(&p);

    p.s.kind = s->quote.kind;
    p.s.has = HAS_TTL;
    p.s.ttl = 63;
    p.s.sport = f->lport;
    p.s.dport = f->rport;
    p.s.seq = s->quote.seq + f->local_offset;
    p.s.flags = TCP_ACK;
    len = packet_build(out, &p);
    if (p.s.kind == SEGMENT_UDP) { /* the length field tells of all that was sent */
        out[head + 4] = (uint8_t)((UDP_LEN + s->quote.len) >> 8);
        out[head + 5] = (uint8_t)(UDP_LEN + s->quote.len);
    }
    return len;
}

bool step_in(struct run *r, const struct step *step)
{
    static uint8_t payload[PACKET_MAX], bytes[PACKET_MAX];
    struct packet p = {.s = *step->segment, .src = r->set.remote, .dst = r->set.local};
    bool is_echo = p.s.kind == SEGMENT_ICMP && !icmp_is_error(p.s.type);
    struct flow *f = is_echo ? NULL : choose_flow(r, &p.s);

    p.payload = payload;
    if (p.s.kind == SEGMENT_ICMP && !icmp_is_of(p.s.type, p.s.code, !weir_addr_is_v4(&p.src)))
        return problem_set(r->problem, PROBLEM_SYNTAX, step->at,
                           "there is no such ICMP message in IPv%d",
                           weir_addr_is_v4(&p.src) ? 4 : 6);
    if (is_echo) {
        for (uint32_t i = 0; i < p.s.len; i++)
            payload[i] = flow_byte(i);
    } else if (p.s.kind == SEGMENT_ICMP) {
        p.quote_len = (uint32_t)build_quote(r, f, &p.s, payload);
    } else {
        note_syn(f, &p.s);
        fill_payload(&p.s, payload);
        f->is_urgent |= p.s.flags & TCP_URG;
        to_wire(f, &p.s);
    }
    if (f)
        r->current = f;
    node_inject(r->node, bytes, packet_build(bytes, &p));
    return true;
}
