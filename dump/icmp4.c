/* ICMP.
 *
 * Knows: RFC 792, 950, 1256, 1812. Shape: one line; with -v an error's packet on the next ones.
 * Units: bytes. Errors: " [|icmp]". Cost: O(message). */
#include <stdio.h>

#include "dump/print.h"

enum {
    ECHO_REPLY = 0,
    UNREACH = 3,
    QUENCH = 4,
    REDIRECT = 5,
    ECHO = 8,
    ROUTER_ADVERT = 9,
    EXCEEDED = 11,
    PROBLEM = 12,
    STAMP = 13,
    STAMP_REPLY = 14,
    MASK_REPLY = 18
};
#define HEAD 8u
#define QUOTE (HEAD + 20u)

static const struct word plain[] = {
    {QUENCH, "source quench"}, {10, "router solicitation"},  {15, "information request"},
    {16, "information reply"}, {17, "address mask request"}, {0, NULL},
};

/* With the address where %s stands, as in every code that names nothing else. */
static const struct word unreach[] = {
    {0, "net %s unreachable"},
    {1, "host %s unreachable"},
    {5, "%s unreachable - source route failed"},
    {6, "net %s unreachable - unknown"},
    {7, "host %s unreachable - unknown"},
    {8, "%s unreachable - source host isolated"},
    {9, "net %s unreachable - admin prohibited"},
    {10, "host %s unreachable - admin prohibited"},
    {11, "net %s unreachable - tos prohibited"},
    {12, "host %s unreachable - tos prohibited"},
    {13, "host %s unreachable - admin prohibited filter"},
    {14, "host %s unreachable - host precedence violation"},
    {15, "host %s unreachable - precedence cutoff"},
    {0, NULL},
};

/* The word up to its %s, the address, the rest. */
static void print_with(struct dump *d, const char *text, const uint8_t *addr)
{
    for (; *text; text++) {
        if (*text != '%') {
            fputc(*text, d->to);
            continue;
        }
        print_addr(d, addr, false);
        text++;
    }
}

/* The port that the quoted packet was for. */
static void print_port_unreachable(struct dump *d, struct view v)
{
    uint32_t head = (v.p[HEAD] & 15) * 4u;
    uint8_t proto = v.p[HEAD + 9];
    uint16_t port = get16(v.p + HEAD + head + 2);

    print_addr(d, v.p + HEAD + 16, false);
    if (proto == 6 || proto == 17)
        fprintf(d->to, " %s port %u unreachable", proto == 6 ? "tcp" : "udp", port);
    else
        fprintf(d->to, " protocol %u port %u unreachable", proto, port);
}

static void print_unreachable(struct dump *d, struct view v)
{
    uint8_t code = v.p[1];
    const char *text = word_of(unreach, code);

    if (text) {
        print_with(d, text, v.p + HEAD + 16);
    } else if (code == 3) {
        print_port_unreachable(d, v);
    } else {
        print_addr(d, v.p + HEAD + 16, false);
        if (code == 2)
            fprintf(d->to, " protocol %u unreachable", v.p[HEAD + 9]);
        else if (code == 4 && get16(v.p + 6))
            fprintf(d->to, " unreachable - need to frag (mtu %u)", get16(v.p + 6));
        else if (code == 4)
            fputs(" unreachable - need to frag", d->to);
        else
            fprintf(d->to, " unreachable - #%u", code);
    }
}

static void print_redirect(struct dump *d, struct view v)
{
    static const char *const what[] = {"redirect ", "redirect ", "redirect-tos ", "redirect-tos "};
    static const char *const to[] = {" to net ", " to host ", " to net ", " to host "};
    uint8_t code = v.p[1];

    if (code < 4)
        fputs(what[code], d->to);
    else
        fprintf(d->to, "redirect-#%u ", code);
    print_addr(d, v.p + HEAD + 16, false);
    fputs(code < 4 ? to[code] : " to ", d->to);
    print_addr(d, v.p + 4, false);
}

static void print_clock(struct dump *d, const char *name, uint32_t ms)
{
    fprintf(d->to, "%s%02u:%02u:%02u.%03u", name, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
            ms % 1000);
}

static void print_stamps(struct dump *d, struct view v)
{
    fprintf(d->to, "time stamp %s id %u seq %u", v.p[0] == STAMP ? "query" : "reply",
            get16(v.p + 4), get16(v.p + 6));
    if (v.p[0] == STAMP)
        return;
    print_clock(d, ": org ", get32(v.p + 8));
    print_clock(d, ", recv ", get32(v.p + 12));
    print_clock(d, ", xmit ", get32(v.p + 16));
}

static void print_router_advert(struct dump *d, struct view v)
{
    fprintf(d->to, "router advertisement lifetime %u %u:", get16(v.p + 6), v.p[4]);
    if (v.p[5] != 2) {
        fprintf(d->to, " [size %u]", v.p[5]);
        return;
    }
    for (uint32_t i = 0, at = HEAD; i < v.p[4] && at + 8 <= v.n; i++, at += 8) {
        fputs(" {", d->to);
        print_addr(d, v.p + at, false);
        fprintf(d->to, " %u}", get32(v.p + at + 4));
    }
}

static void print_message(struct dump *d, struct view v)
{
    uint8_t type = v.p[0], code = v.p[1];

    switch (type) {
    case ECHO:
    case ECHO_REPLY:
        fprintf(d->to, "echo %s, id %u, seq %u", type == ECHO ? "request" : "reply", get16(v.p + 4),
                get16(v.p + 6));
        break;
    case UNREACH:
        print_unreachable(d, v);
        break;
    case REDIRECT:
        print_redirect(d, v);
        break;
    case ROUTER_ADVERT:
        print_router_advert(d, v);
        break;
    case EXCEEDED:
        if (code < 2)
            fputs(code ? "ip reassembly time exceeded" : "time exceeded in-transit", d->to);
        else
            fprintf(d->to, "time exceeded-#%u", code);
        break;
    case PROBLEM:
        fprintf(d->to, "parameter problem - %s %u", code ? "code" : "octet", code ? code : v.p[4]);
        break;
    case STAMP:
    case STAMP_REPLY:
        print_stamps(d, v);
        break;
    case MASK_REPLY:
        fprintf(d->to, "address mask is 0x%08x", get32(v.p + 8));
        break;
    default:
        if (word_of(plain, type))
            fputs(word_of(plain, type), d->to);
        else
            fprintf(d->to, "type-#%u", type);
    }
}

static bool is_error(uint8_t type)
{
    return type == UNREACH || type == QUENCH || type == REDIRECT || type == EXCEEDED ||
           type == PROBLEM;
}

/* How much of a message its words are made of. */
static uint32_t need_of(struct view v)
{
    if (v.n < 2)
        return 2;
    switch (v.p[0]) {
    case ECHO:
    case ECHO_REPLY:
    case STAMP:
    case ROUTER_ADVERT:
        return HEAD;
    case UNREACH:
        return v.p[1] == 3 && v.n >= QUOTE ? HEAD + (v.p[HEAD] & 15) * 4u + 4 : QUOTE;
    case REDIRECT:
    case EXCEEDED:
        return QUOTE;
    case PROBLEM:
        return v.p[1] ? 2 : 5;
    case STAMP_REPLY:
        return HEAD + 12;
    case MASK_REPLY:
        return HEAD + 4;
    default:
        return 2;
    }
}

void print_icmp4(struct dump *d, const struct inet *in, struct view v)
{
    uint16_t sum;

    if (v.n < need_of(v)) {
        print_cut(d, "icmp");
        return;
    }
    fputs("ICMP ", d->to);
    print_message(d, v);
    fprintf(d->to, ", length %u", v.wire);
    sum = bytes_sum(v.p, v.n);
    if (d->verbose && !in->is_fragment && v.n >= v.wire && sum)
        fprintf(d->to, " (wrong icmp cksum %x (->%x)!)", get16(v.p + 2),
                sum_mended(get16(v.p + 2), sum));
    if (d->verbose && is_error(v.p[0])) {
        v = view_from(v, HEAD);
        if (v.n >= 4 && get16(v.p + 2) > v.wire) /* an error quotes only the beginning */
            v.wire = get16(v.p + 2);
        fputs("\n\t", d->to);
        print_ip4(d, v);
    }
}
