/* The way of one frame out, from whoever has something to send to the link. Read from bottom to top
 * of the layers, top to bottom of this file.
 *
 * Knows: all layers; the order in which they are asked. Shape: headers lie in the stack's buffers,
 * payload stays where it is, in the rings. A segment longer than the link's frame is cut here and
 * nowhere else. Units: bytes. Errors: what has no route or neighbour is dropped with its reason, or
 * parked. Cost: O(1) for each frame, and a pass over the payload where the link computes no
 * checksum. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "stack/burst.h"

void burst_drop(struct burst *b, enum drop why)
{
    b->k->drops[why - DROP_FIRST]++;
}

/* -- the link ---------------------------------------------------------------------------------- */

void burst_ether(const struct burst *b, const uint8_t dst[6], uint16_t type, uint32_t behind)
{
    bool is_llc = b->iface->flags & WEIR_IF_LLC;
    struct eth e = {.type = is_llc ? (uint16_t)(LLC_LEN + behind) : type};
    uint8_t *at = b->at;

    memcpy(e.src, b->iface->mac, sizeof e.src);
    memcpy(e.dst, dst, sizeof e.dst);
    eth_emit(at, &e);
    if (is_llc)
        llc_emit(at + ETH_LEN, type);
}

/* 894: zeros behind what is shorter than a frame may be. */
static uint32_t pad(const struct burst *b, struct weir_frame *f, uint32_t len)
{
    uint8_t *at = b->at;
    uint32_t n = f->part[0].len;

    for (int i = 1; i < f->parts; n += f->part[i++].len)
        memcpy(at + n, f->part[i].data, f->part[i].len);
    memset(at + len, 0, ETH_MIN - len);
    f->part[0].len = ETH_MIN;
    f->parts = 1;
    return ETH_MIN;
}

void burst_frame(struct burst *b, uint32_t len)
{
    struct weir_frame *f = &b->frame[b->n];

    if (len < ETH_MIN && b->iface->type == WEIR_LINK_ETHER)
        len = pad(b, f, len);
    b->k->account.frames_out++;
    b->k->account.bytes_out += len;
    burst_next(b, b->n + 1);
}

static void fill_frame(const struct burst *b, const struct packet *p, uint32_t head,
                       struct weir_frame *f)
{
    f->part[0] = (struct weir_slice){b->at, head};
    for (int i = 0; i < p->texts; i++)
        f->part[1 + i] = (struct weir_slice){p->text[i].data, p->text[i].len};
    f->parts = (uint8_t)(1 + p->texts);
    f->flags = p->is_partial ? WEIR_CSUM_PARTIAL : 0;
    f->gso_size = p->gso_size;
    f->csum_start = (uint16_t)(head - p->l4_head);
    f->csum_offset = p->sum_offset;
    f->hdr_len = (uint16_t)head;
    f->why = p->why;
}

static void park(struct burst *b, const struct packet *p, const struct weir_addr *next_hop)
{
    uint32_t head = p->ip_len + p->l4_head;
    struct link_packet l = {.parts = 1,
                            .gso_size = p->gso_size,
                            .csum_start = p->ip_len,
                            .csum_offset = p->sum_offset,
                            .hdr_len = (uint16_t)head,
                            .flags = p->is_partial ? WEIR_CSUM_PARTIAL : 0};
    enum drop v;

    l.part[0] = (struct weir_slice){b->at + b->link_head, head};
    for (int i = 0; i < p->texts; i++)
        l.part[l.parts++] = (struct weir_slice){p->text[i].data, p->text[i].len};
    b->is_parked = true;
    v = neigh_park(&b->k->link, b->ifindex, next_hop, &l, b->k->now_us);
    if (v >= DROP_FIRST)
        burst_drop(b, v);
}

/* The next hop to k->path; false: there is no way. */
static bool find_path(const struct burst *b, const struct weir_addr *dst)
{
    struct last_path *last = &b->k->path;
    struct route_result r;

    if (last->ifindex == b->ifindex && last->epoch == stack_epoch(b->k) &&
        weir_addr_equal(&last->dst, dst))
        return true;
    if (iface_is_multicast(dst) || iface_is_broadcast(&b->k->link, b->ifindex, dst))
        r.next_hop = *dst;
    else if (way_find_own(&(struct way){&b->k->ip, &b->k->link}, dst, b->ifindex, &r) < 0)
        return false;
    *last = (struct last_path){stack_epoch(b->k), b->ifindex, iface_has_addr(&b->k->link, dst),
                               *dst, r.next_hop};
    return true;
}

/* Where the packet goes next; false: it is parked or dropped. */
static bool put_link_header(struct burst *b, const struct packet *p)
{
    const struct weir_addr *next_hop = p->next_hop ? p->next_hop : &b->k->path.next_hop;
    uint8_t mac[6];

    if (b->iface->type != WEIR_LINK_ETHER)
        return true;
    if (!p->next_hop && !find_path(b, &p->dst)) {
        burst_drop(b, DROP_ip_no_route);
        return false;
    }
    b->is_own = !p->next_hop && b->k->path.is_own;
    if (b->is_own) {
        burst_ether(b, b->iface->mac, p->is_v6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4,
                    p->ip_len + p->l4_head + p->text_len);
        return true;
    }
    if (p->is_doubted)
        neigh_doubt(&b->k->link, b->ifindex, next_hop, b->k->now_us);
    if (!neigh_lookup(&b->k->link, b->ifindex, next_hop, b->k->now_us, mac)) {
        park(b, p, next_hop);
        return false;
    }
    burst_ether(b, mac, p->is_v6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4,
                p->ip_len + p->l4_head + p->text_len);
    return true;
}

/* -- IP ---------------------------------------------------------------------------------------- */

/* Behind the 20 bytes of a header, which then says so. */
static void put_options(uint8_t *header, const struct packet *p)
{
    uint32_t len = IP4_LEN + p->options_len;
    uint16_t sum;

    memcpy(header + IP4_LEN, p->options, p->options_len);
    header[0] = (uint8_t)(0x40 | len / 4);
    put16(header + 10, 0);
    sum = sum_finish(sum_add(0, header, len));
    memcpy(header + 10, &sum, sizeof sum);
}

/* A fragment behind the first. */
static bool is_later(const struct packet *p)
{
    return p->frag & (p->is_v6 ? IP6_FRAG_OFFSET : IP4_OFFSET);
}

static void put_ip6_header(struct burst *b, const struct packet *p)
{
    struct ip6 h = {.tclass = p->tos,
                    .next = p->options_len ? p->options_type : p->proto,
                    .hop_limit = p->ttl,
                    .payload_len = (uint16_t)(p->ip_len - IP6_LEN + p->l4_head + p->text_len),
                    .flow = p->label,
                    .src = p->src,
                    .dst = p->dst};
    uint8_t *at = b->at + b->link_head;

    ip6_emit(at, &h);
    if (!p->options_len)
        return;
    memcpy(at + IP6_LEN, p->options, p->options_len);
    at[IP6_LEN] = p->proto;
}

static void put_ip4_header(struct burst *b, const struct packet *p)
{
    struct ip4 h = {.tos = p->tos,
                    .ttl = p->ttl,
                    .proto = p->proto,
                    .frag = p->is_df ? IP4_DF : p->frag,
                    .src = weir_addr_to_v4(&p->src),
                    .dst = weir_addr_to_v4(&p->dst)};
    uint8_t *at = b->at + b->link_head;

    h.hdr_len = IP4_LEN;
    h.total_len = (uint16_t)(p->ip_len + p->l4_head + p->text_len);
    h.id = (uint16_t)p->id;
    if (!p->frag && !p->is_transit)
        h.id = ip_next_id(&b->k->ip, &p->src, &p->dst, p->proto, p->is_df);
    ip4_emit(at, &h);
    if (p->options_len)
        put_options(at, p);
}

void burst_send(struct burst *b, const struct packet *p)
{
    uint32_t head = b->link_head + p->ip_len + p->l4_head;
    bool is_request = !is_later(p) && !p->is_transit;

    if (p->is_v6) {
        b->k->stats.Ip6OutRequests += is_request;
        put_ip6_header(b, p);
    } else {
        b->k->stats.IpOutRequests += is_request;
        put_ip4_header(b, p);
    }
    if (!put_link_header(b, p))
        return;
    fill_frame(b, p, head, &b->frame[b->n]);
    if (b->is_own)
        burst_loop(b, &b->frame[b->n]);
    else
        burst_frame(b, head + p->text_len);
}

/* -- TCP --------------------------------------------------------------------------------------- */

/* `n` bytes of the segment's text from `off` on, as slices. */
static uint8_t text_at(const struct seg_out *s, uint32_t off, uint32_t n, struct ring_slice out[2])
{
    uint8_t slices = 0;

    for (int i = 0; i < s->texts && n; i++) {
        uint32_t have = s->text[i].len, take;
        if (off >= have) {
            off -= have;
            continue;
        }
        take = have - off < n ? have - off : n;
        out[slices++] = (struct ring_slice){s->text[i].data + off, take};
        n -= take;
        off = 0;
    }
    return slices;
}

static void seal_tcp(const struct burst *b, const struct packet *p, uint8_t *at)
{
    uint32_t len = p->l4_head + p->text_len;
    uint32_t acc = pseudo_sum(&p->src, &p->dst, PROTO_TCP, len);
    size_t off = p->l4_head;
    uint16_t sum;

    (void)b;
    if (p->is_partial) {
        sum = sum_fold(acc);
    } else {
        acc = sum_add(acc, at, p->l4_head);
        for (int i = 0; i < p->texts; i++) {
            acc = sum_add_at(acc, p->text[i].data, p->text[i].len, off);
            off += p->text[i].len;
        }
        sum = sum_finish(acc);
    }
    memcpy(at + 16, &sum, sizeof sum);
}

/* Why the segment goes out, where there is more to say than that it does. */
static void note_sent(struct weir_stack *k, const struct seg_out *s)
{
    struct weir_event e = {.at_ns = k->now_us * 1000,
                           .local = {.addr = s->flow.local, .port = s->flow.lport},
                           .peer = {.addr = s->flow.remote, .port = s->flow.rport},
                           .why = s->why};

    if (s->why.event != EVENT_none && s->why.event != EVENT_state &&
        trace_wants(&k->trace, &s->why))
        trace_add(&k->trace, &e);
}

/* 6437: the same for each segment of a connection. */
static uint32_t tcp_label(const struct burst *b, const struct flow *f)
{
    uint64_t word[5] = {(uint64_t)f->lport << 16 | f->rport};

    if (!b->k->knobs.auto_flowlabels)
        return 0;
    memcpy(word + 1, &f->local, sizeof f->local);
    memcpy(word + 3, &f->remote, sizeof f->remote);
    return ip6_flow_label(&b->k->ip, word, 5);
}

static uint8_t preset_ttl(const struct burst *b, const struct weir_addr *dst)
{
    return is_v6(dst) ? b->k->ip.config.hop_limit : b->k->ip.config.ip_default_ttl;
}

/* Where a router wants less than we go down to, what is as small as that may be fragmented. What is
 * bigger may not: its connection still has to hear of it. */
static bool may_be_cut(struct burst *b, const struct packet *p)
{
    return !p->is_v6 && pmtu_is_narrow(&b->k->ip, &p->dst, b->k->now_us) &&
           p->ip_len + p->l4_head + (p->gso_size ? p->gso_size : p->text_len) <=
               b->k->ip.config.min_pmtu;
}

static void note_parked(struct burst *b, const struct seg_out *s, bool was_parked)
{
    if (b->is_parked && s->hdr.flags & TCP_SYN)
        tcp_syn_parked(&b->k->tcp, &s->flow);
    b->is_parked |= was_parked;
}

/* The header of a frame that carries `n` bytes of the segment's text from `off` on. */
static struct tcp_hdr header_of_piece(const struct seg_out *s, uint32_t off, uint32_t n)
{
    struct tcp_hdr h = s->hdr;

    h.seq = seq_add(h.seq, off);
    if (off + n < s->len)
        h.flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (h.flags & TCP_URG && off) {
        h.urg = (uint16_t)(h.urg > off ? h.urg - off : 0);
        h.flags = h.urg ? h.flags : h.flags & (uint8_t)~TCP_URG; /* the urgent text lies before */
    }
    return h;
}

static size_t put_tcp_header(uint8_t *at, const struct seg_out *s, uint32_t off, uint32_t n)
{
    struct tcp_hdr h;

    if (n == s->len)
        return tcp_emit(at, &s->hdr);
    h = header_of_piece(s, off, n);
    return tcp_emit(at, &h);
}

/* One frame of the segment: `n` bytes of text from `off` on. */
static void send_piece(struct burst *b, const struct seg_out *s, uint32_t off, uint32_t n)
{
    struct packet p;
    uint8_t *at;

    p.src = s->flow.local;
    p.dst = s->flow.remote;
    p.proto = PROTO_TCP;
    p.tos = s->tos;
    p.ttl = s->ttl ? s->ttl : preset_ttl(b, &p.dst);
    p.frag = 0;
    p.is_transit = false;
    p.options_len = 0;
    p.is_v6 = is_v6(&p.dst);
    p.ip_len = p.is_v6 ? IP6_LEN : IP4_LEN;
    p.label = p.is_v6 ? tcp_label(b, &s->flow) : 0;
    p.next_hop = NULL;
    p.why = s->why;
    p.is_doubted = s->is_first_hop_doubted;
    p.text_len = n;
    p.texts = n ? text_at(s, off, n, p.text) : 0;
    p.gso_size = n > s->mss ? s->mss : 0;
    p.is_partial = b->iface->flags & WEIR_IF_CSUM_TX;
    p.sum_offset = 16;
    if (off == 0 && trace_is_on(&b->k->trace))
        note_sent(b->k, s);
    at = l4_of(b, p.ip_len);
    p.l4_head = (uint32_t)put_tcp_header(at, s, off, n);
    p.is_df = !may_be_cut(b, &p);
    seal_tcp(b, &p, at);
    burst_send(b, &p);
}

static void output_tcp(struct burst *b)
{
    struct seg_out s;
    struct pull_limit limit = {.gso_max = b->iface->gso_max};

    while (b->n < b->max) {
        bool was_parked = b->is_parked;
        uint32_t step, off = 0;
        limit.segs = (uint32_t)(b->max - b->n);
        if (!tcp_pull(&b->k->tcp, b->ifindex, &limit, &s))
            break;
        b->is_parked = false;
        step = b->iface->gso_max ? s.len : s.mss;
        do {
            uint32_t n = s.len - off < step ? s.len - off : step;
            send_piece(b, &s, off, n);
            off += n;
        } while (off < s.len);
        note_parked(b, &s, was_parked);
    }
}

/* -- the verb ---------------------------------------------------------------------------------- */

int weir_output(struct weir_stack *k, int ifindex, struct weir_frame *frame, int max,
                int64_t now_ns)
{
    struct burst b = {.k = k, .ifindex = ifindex, .frame = frame};
    bool has_ip;

    stack_enter(k, now_ns);
    b.iface = iface_at(&k->link, ifindex);
    if (!b.iface || !b.iface->is_up)
        return 0;
    b.max = max < WEIR_BURST_MAX ? max : WEIR_BURST_MAX;
    b.link_head = (uint8_t)(b.iface->type != WEIR_LINK_ETHER ? 0
                            : b.iface->flags & WEIR_IF_LLC   ? ETH_LEN + LLC_LEN
                                                             : ETH_LEN);
    burst_next(&b, 0);
    has_ip = ip_has_output(&k->ip, ifindex);
    if (has_ip)
        burst_mld(&b); /* before an address is asked for: 4862#5.4.2 */
    if (neigh_has_output(&k->link, ifindex))
        burst_link(&b);
    if (stack_dhcp_has_output(k, ifindex))
        burst_dhcp(&b);
    if (has_ip) {
        burst_icmp(&b);
        burst_igmp(&b);
        burst_transit(&b);
    }
    if (udp_has_output(&k->udp, ifindex)) /* each gets its half */
        burst_udp(&b, tcp_has_output(&k->tcp, ifindex) ? b.n + (b.max - b.n) / 2 : b.max);
    if (tcp_has_output(&k->tcp, ifindex))
        output_tcp(&b);
    if (udp_has_output(&k->udp, ifindex))
        burst_udp(&b, b.max);
    if (b.is_parked)
        burst_link(&b);
    return b.n;
}

bool weir_has_output(const struct weir_stack *k)
{
    if (k->link.has_changes || k->link.has_ra_changes)
        return true; /* resets may follow from it */
    for (int i = 1; i <= k->link.ifaces; i++)
        if (tcp_has_output(&k->tcp, i) || udp_has_output(&k->udp, i) || ip_has_output(&k->ip, i) ||
            neigh_has_output(&k->link, i) || stack_dhcp_has_output(k, i))
            return true;
    return false;
}
