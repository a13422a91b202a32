/* The link header: Ethernet, 802.3, loopback, Linux cooked, none.
 *
 * Knows: LINKTYPE_ numbers, EtherTypes, LLC/SNAP. Shape: begins the line. Units: bytes.
 * Errors: " [|ether]" and the like. Cost: O(1). */
#include <stdio.h>

#include "dump/print.h"
#include "wire/wire.h"

enum {
    LINK_NULL = 0,
    LINK_ETHER = 1,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_SLL2 = 276
};
#define SNAP_LEN 8u
#define VLAN_LEN 4u

static const struct word types[] = {
    {ETH_TYPE_IP4, "IPv4"},
    {ETH_TYPE_ARP, "ARP"},
    {ETH_TYPE_RARP, "Reverse ARP"},
    {ETH_TYPE_IP6, "IPv6"},
    {ETH_TYPE_VLAN, "802.1Q"},
    {0x88a8, "802.1Q-QinQ"},
    {0x88cc, "LLDP"},
    {0, NULL},
};

static void print_type(struct dump *d, const struct word *names, uint16_t type)
{
    const char *name = word_of(names, type);

    fprintf(d->to, "ethertype %s (0x%04x)", name ? name : "Unknown", type);
}

/* What an EtherType says is there; false: nothing we print. */
static bool print_by_type(struct dump *d, uint16_t type, struct view v)
{
    switch (type) {
    case ETH_TYPE_IP4:
        print_ip4(d, v);
        return true;
    case ETH_TYPE_IP6:
        print_ip6(d, v);
        return true;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        print_arp(d, v);
        return true;
    default:
        return false;
    }
}

/* The tag's own words, where the user asked for the link. */
static void print_tag(struct dump *d, uint16_t tag)
{
    fprintf(d->to, "vlan %u, p %u", tag & 0xfff, tag >> 13);
    if (tag & 0x1000)
        fputs(", DEI", d->to);
    fputs(", ", d->to);
}

static void print_llc(struct dump *d, struct view v, uint16_t length)
{
    v = view_to(v, length);
    if (v.n < 3) {
        print_cut(d, "llc");
        return;
    }
    if (v.n >= SNAP_LEN && get16(v.p) == 0xaaaa && v.p[2] == 3 && !get16(v.p + 3) && !v.p[5]) {
        if (d->shows_link) {
            fputs("LLC, dsap SNAP (0xaa) Individual, ssap SNAP (0xaa) Command, ctrl 0x03: oui "
                  "Ethernet (0x000000), ",
                  d->to);
            print_type(d, types, get16(v.p + 6));
            fprintf(d->to, ", length %u: ", v.wire - SNAP_LEN);
        }
        if (print_by_type(d, get16(v.p + 6), view_from(v, SNAP_LEN)))
            return;
    }
    fprintf(d->to, "LLC, dsap 0x%02x, ssap 0x%02x, ctrl 0x%02x, length %u", v.p[0], v.p[1], v.p[2],
            v.wire);
}

static void print_unknown(struct dump *d, const struct view *whole, uint16_t type)
{
    if (!d->shows_link) {
        print_mac(d, whole->p + 6);
        fputs(" > ", d->to);
        print_mac(d, whole->p);
        fputs(", ", d->to);
        print_type(d, types, type);
        fprintf(d->to, ", length %u: ", whole->wire);
    }
    if (d->hex == HEX_NONE)
        print_hex(d, whole->p + ETH_LEN, whole->n - ETH_LEN, true);
}

static void print_ether(struct dump *d, struct view whole)
{
    struct view v = whole;
    uint16_t type;

    if (v.n < ETH_LEN) {
        print_cut(d, "ether");
        return;
    }
    type = get16(v.p + 12);
    if (d->shows_link) {
        print_mac(d, v.p + 6);
        fputs(" > ", d->to);
        print_mac(d, v.p);
        fputs(", ", d->to);
        if (type < ETH_TYPE_MIN)
            fputs("802.3", d->to);
        else
            print_type(d, types, type);
        fprintf(d->to, ", length %u: ", type < ETH_TYPE_MIN ? type : v.wire);
    }
    v = view_from(v, ETH_LEN);
    while (type == ETH_TYPE_VLAN || type == 0x88a8) {
        if (v.n < VLAN_LEN) {
            print_cut(d, "vlan");
            return;
        }
        type = get16(v.p + 2);
        if (d->shows_link) {
            print_tag(d, get16(v.p));
            print_type(d, types, type);
            fputs(", ", d->to);
        }
        v = view_from(v, VLAN_LEN);
    }
    if (type < ETH_TYPE_MIN)
        print_llc(d, v, type);
    else if (!print_by_type(d, type, v))
        print_unknown(d, &whole, type);
}

static void print_null(struct dump *d, struct view v)
{
    uint32_t family;

    if (v.n < 4) {
        print_cut(d, "null");
        return;
    }
    family = get32(v.p);
    if (family & 0xffff0000u)
        family = __builtin_bswap32(family);
    if (!d->shows_link) {
        print_ip(d, view_from(v, 4));
        return;
    }
    fprintf(d->to, "AF %s (%u), length %u: ", family == 2 ? "IPv4" : "IPv6", family, v.wire);
    if (family == 2)
        print_ip4(d, view_from(v, 4));
    else
        print_ip6(d, view_from(v, 4));
}

static void print_raw(struct dump *d, struct view v)
{
    if (!d->shows_link) {
        print_ip(d, v);
        return;
    }
    fputs("ip: ", d->to);
    if (v.n && v.p[0] >> 4 == 6)
        print_ip6(d, v);
    else
        print_ip4(d, v);
}

/* Version 1 has the type last, version 2 first. */
static void print_cooked(struct dump *d, struct view v, bool is_v2)
{
    static const struct word directions[] = {{0, "In"}, {1, "B"},   {2, "M"},
                                             {3, "P"},  {4, "Out"}, {9, NULL}};
    uint32_t head = is_v2 ? 20 : 16;
    const char *way;

    if (v.n < head) {
        print_cut(d, is_v2 ? "sll2" : "sll");
        return;
    }
    if (d->shows_link && !is_v2) {
        way = word_of(directions, get16(v.p));
        fprintf(d->to, "%3s ", way ? way : "?");
        print_mac(d, v.p + 6);
        fputc(' ', d->to);
        print_type(d, types, get16(v.p + 14));
        fprintf(d->to, ", length %u: ", v.wire);
    }
    if (!print_by_type(d, get16(v.p + (is_v2 ? 0 : 14)), view_from(v, head)))
        fprintf(d->to, "ethertype 0x%04x", get16(v.p + (is_v2 ? 0 : 14)));
}

uint32_t link_len(const struct packet *p)
{
    switch (p->link) {
    case LINK_NULL:
    case LINK_LOOP:
        return 4;
    case LINK_ETHER:
        return ETH_LEN;
    case LINK_SLL:
        return 16;
    case LINK_SLL2:
        return 20;
    default:
        return 0;
    }
}

void print_link(struct dump *d, const struct packet *p)
{
    struct view v = {p->data, p->len, p->wire_len};

    switch (p->link) {
    case LINK_NULL:
    case LINK_LOOP:
        print_null(d, v);
        break;
    case LINK_ETHER:
        print_ether(d, v);
        break;
    case LINK_SLL:
    case LINK_SLL2:
        print_cooked(d, v, p->link == LINK_SLL2);
        break;
    default:
        print_raw(d, v);
    }
}
