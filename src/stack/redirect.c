/* A router says that another one, or the destination itself, is the better next hop. 1122#3.2.2.2,
 * 4861#8.3.
 *
 * Knows: routes, interfaces, who sent what. Shape: heard by hosts alone, from the first hop of now,
 * and only a neighbour can be better; of IPv4 the packet that it quotes must be one that we sent,
 * or anybody could lead us astray who guesses the router's address. Units: none. Errors: verdicts.
 * Cost: two route lookups. */
#include "stack/arrival.h"

/* On the link that the message came by, and a host that is not us. Of IPv6 that is a matter of the
 * message alone: its target is link-local, or what is on the link though no prefix says so
 * (4861#8.1). */
static bool is_neighbour(struct weir_stack *k, int ifindex, const struct weir_addr *a)
{
    struct route_result r;

    if (ip_judge_source(a, 0, iface_has_addr(&k->link, a) ? IP_SOURCE_OWN : 0) != PASS ||
        iface_is_broadcast(&k->link, ifindex, a))
        return false;
    return !weir_addr_is_v4(a) || (route_lookup(&k->ip, a, ifindex, &r) == 0 && !r.has_gateway);
}

enum drop stack_redirect(struct weir_stack *k, const struct redirect_told *t)
{
    struct way way = {&k->ip, &k->link};
    struct route_result r;

    if (way_find_own(&way, &t->dst, t->ifindex, &r) < 0 ||
        !weir_addr_equal(&r.next_hop, &t->from) || !is_neighbour(k, t->ifindex, &t->next_hop))
        return DROP_icmp_ignored;
    redirect_set(&k->ip, &t->dst, t->ifindex, &t->next_hop);
    return PASS;
}

/* 5927: only what a transport confirms. */
static enum drop confirm(struct weir_stack *k, const struct icmp_error *e)
{
    struct tcp_icmp about = {
        .flow = {.local = e->local, .remote = e->remote, .lport = e->lport, .rport = e->rport},
        .seq = seq_of(e->seq),
        .is_question = true};
    struct udp_fault fault = stack_fault(e);

    if (!iface_has_addr(&k->link, &e->local))
        return DROP_icmp_unmatched; /* who is bound to all addresses would seem to have sent it */
    if (e->proto == PROTO_TCP)
        return tcp_icmp(&k->tcp, &about);
    return udp_is_sender(&k->udp, &fault) ? PASS : DROP_icmp_unmatched;
}

enum drop input_redirect(struct arrival *a, const struct icmp_event *event)
{
    struct weir_stack *k = a->k;
    struct redirect_told t = {.ifindex = a->ifindex,
                              .from = a->src,
                              .dst = event->error.remote,
                              .next_hop = event->gateway};
    enum drop v;

    if (!k->knobs.accept_redirects || k->knobs.ip_forward)
        return DROP_icmp_ignored;
    if ((v = confirm(k, &event->error)) != PASS)
        return v;
    a->is_answer = true;
    return stack_redirect(k, &t);
}

/* That it comes from a neighbour its hop limit shows; that we asked for it nothing does, so it is
 * the first hop's word alone. */
enum drop input_redirect6(struct arrival *a, const struct nd_in *in)
{
    struct weir_stack *k = a->k;
    struct redirect_told t = {.ifindex = a->ifindex, .from = a->src};
    struct nd_redirect r;
    enum drop v;

    if (!k->knobs.accept_redirects6 || k->knobs.ip6_forwarding)
        return DROP_nd_ignored;
    if ((v = nd_read_redirect(in, &r)) != PASS)
        return v;
    t.dst = r.dst;
    t.next_hop = r.next_hop;
    if (stack_redirect(k, &t) != PASS)
        return DROP_nd_invalid;
    nd_heed_redirect(&k->link, in, k->now_us);
    return PASS;
}
