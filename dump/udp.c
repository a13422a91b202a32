/* UDP datagrams.
 *
 * Knows: RFC 768; DNS and DHCP by their ports. Shape: one line. Units: bytes.
 * Errors: " [|udp]", "truncated-udplength", "bad length". Cost: O(header), the checksum O(bytes).
 */
#include <stdio.h>

#include "dump/print.h"

#define HEAD 8u
#define BOOTP_SERVER 67
#define BOOTP_CLIENT 68
#define DNS 53
#define MDNS 5353

static void print_sum(struct dump *d, const struct inet *in, struct view v)
{
    uint16_t sum, has = get16(v.p + 6);

    if (d->verbose < (in->is_v6 ? 1 : 2) || d->trusts_sums || in->is_fragment)
        return;
    if (!in->is_v6 && has == 0) {
        fputs("[no cksum] ", d->to);
        return;
    }
    if (v.n < v.wire)
        return;
    sum = transport_sum(in, v);
    if (sum)
        fprintf(d->to, "[bad udp cksum 0x%04x -> 0x%04x!] ", has, sum_mended(has, sum));
    else
        fputs("[udp sum ok] ", d->to);
}

static void print_bootp(struct dump *d, struct view v)
{
    bool is_ether = v.n >= 3 && v.p[0] == 1 && v.p[1] == 1 && v.p[2] == 6;

    if (v.n)
        fprintf(d->to, "BOOTP/DHCP, %s",
                v.p[0] == 1   ? "Request"
                : v.p[0] == 2 ? "Reply"
                              : "unknown");
    if (v.n < (is_ether ? 34 : 3)) {
        print_cut(d, "bootp");
        return;
    }
    if (is_ether) {
        fputs(" from ", d->to);
        print_mac(d, v.p + 28);
    }
    fprintf(d->to, ", length %u", v.wire);
}

static bool has_port(const struct view *v, uint16_t port)
{
    return get16(v->p) == port || get16(v->p + 2) == port;
}

static void print_datagram(struct dump *d, struct view v, uint32_t len)
{
    struct view text = view_from(view_to(v, len), HEAD);
    bool is_bootp = has_port(&v, BOOTP_SERVER) || has_port(&v, BOOTP_CLIENT);

    if (!d->is_brief && (has_port(&v, DNS) || has_port(&v, MDNS)))
        print_dns(d, text, false);
    else if (!d->is_brief && is_bootp)
        print_bootp(d, text);
    else if (len - HEAD > v.wire - HEAD)
        fprintf(d->to, "UDP, bad length %u > %u", len - HEAD, v.wire - HEAD);
    else
        fprintf(d->to, "UDP, length %u", len - HEAD);
}

void print_udp(struct dump *d, const struct inet *in, struct view v)
{
    uint32_t len;

    if (v.n < 4) {
        print_ends(d, in, -1, -1);
        print_cut(d, "udp");
        return;
    }
    print_ends(d, in, get16(v.p), get16(v.p + 2));
    len = v.n < 6 ? HEAD : get16(v.p + 4);
    if (len < HEAD) {
        fprintf(d->to, "truncated-udplength %u", len);
        return;
    }
    if (v.n < HEAD) {
        print_cut(d, "udp");
        return;
    }
    print_sum(d, in, len < v.wire ? view_to(v, len) : v);
    if (in->is_fragment) /* the rest comes later */
        v.wire = len;
    print_datagram(d, v, len);
}
