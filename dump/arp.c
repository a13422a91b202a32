/* ARP and RARP.
 *
 * Knows: RFC 826, 903, 2390. Shape: one line. Units: bytes. Errors: " [|arp]". Cost: O(1). */
#include <stdio.h>

#include "dump/print.h"

enum { REQUEST = 1, REPLY, REV_REQUEST, REV_REPLY, INV_REQUEST = 8, INV_REPLY };
#define HEAD 8u
#define MAC 6u
#define IP 4u
#define WHOLE (HEAD + 2 * (MAC + IP))

static bool is_zero(const uint8_t *p, uint32_t n)
{
    while (n && *p == 0) {
        p++;
        n--;
    }
    return n == 0;
}

static void print_request(struct dump *d, const uint8_t *sha, const uint8_t *tha)
{
    const uint8_t *spa = sha + MAC, *tpa = tha + MAC;

    fputs("Request who-has ", d->to);
    print_addr(d, tpa, false);
    if (!is_zero(tha, MAC)) {
        fputs(" (", d->to);
        print_mac(d, tha);
        fputc(')', d->to);
    }
    fputs(" tell ", d->to);
    print_addr(d, spa, false);
}

static void print_mac_at(struct dump *d, const char *before, const uint8_t *mac,
                         const char *between, const uint8_t *ip)
{
    fputs(before, d->to);
    print_mac(d, mac);
    fputs(between, d->to);
    print_addr(d, ip, false);
}

static void print_operation(struct dump *d, uint16_t op, const uint8_t *sha)
{
    const uint8_t *tha = sha + MAC + IP;

    switch (op) {
    case REQUEST:
        print_request(d, sha, tha);
        break;
    case REPLY:
        fputs("Reply ", d->to);
        print_addr(d, sha + MAC, false);
        fputs(" is-at ", d->to);
        print_mac(d, sha);
        break;
    case REV_REQUEST:
        fputs("Reverse Request who-is ", d->to);
        print_mac(d, tha);
        fputs(" tell ", d->to);
        print_mac(d, sha);
        break;
    case REV_REPLY:
        print_mac_at(d, "Reverse Reply ", tha, " at ", tha + MAC);
        break;
    case INV_REQUEST:
        fputs("Inverse Request who-is ", d->to);
        print_mac(d, tha);
        fputs(" tell ", d->to);
        print_mac(d, sha);
        break;
    case INV_REPLY:
        print_mac_at(d, "Inverse Reply ", sha, " at ", sha + MAC);
        break;
    default:
        fprintf(d->to, "Unknown (%u)", op);
    }
}

void print_arp(struct dump *d, struct view v)
{
    const uint8_t *p = v.p;
    bool is_known;

    if (v.n < HEAD) {
        print_cut(d, "arp");
        return;
    }
    is_known = get16(p) == 1 && get16(p + 2) == 0x800 && p[4] == MAC && p[5] == IP;
    if (is_known && v.n < WHOLE) {
        print_cut(d, "arp");
        return;
    }
    if (!d->shows_link)
        fputs("ARP, ", d->to);
    if (!is_known) {
        fprintf(d->to, "Unknown Hardware (%u) (len %u), Unknown Protocol (0x%04x) (len %u)",
                get16(p), p[4], get16(p + 2), p[5]);
        return;
    }
    if (d->verbose)
        fputs("Ethernet (len 6), IPv4 (len 4), ", d->to);
    print_operation(d, get16(p + 6), p + HEAD);
    fprintf(d->to, ", length %u", v.wire);
}
