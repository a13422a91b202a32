/* The words of a link: --link, --ip, --gw, --dhcp, --no-offload.
 *
 * Knows: what may be typed, and which of it fits together. Not devices. Shape: each mistake is one
 * line on stderr that says what to type instead. Units: bits of prefix. Errors: exit status 2.
 * Cost: none that matters. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/link.h"
#include "run/run.h"

int link_mistake(const char *what, const char *text, const char *hint)
{
    fprintf(stderr, "weir: %s '%s': %s\n", what, text, hint);
    return 2;
}

static int take_link(struct link_options *o, const char *text)
{
    const struct link_kind *kind = link_kind_find(text);

    o->link = text;
    if (!kind)
        return link_unknown(text);
    return kind->check ? kind->check(link_behind(text)) : 0;
}

static bool is_host(const struct weir_addr *a)
{
    return !weir_addr_is_any(a) && (weir_addr_is_v4(a) || a->b[0] != 0xff);
}

/* ADDR/BITS; ADDR alone means /24, of IPv6 /64. Once for each family. */
static int take_ip(struct link_options *o, const char *text)
{
    char copy[64], *slash, *end = "";
    struct weir_addr addr;
    long bits;
    bool is_v4;

    snprintf(copy, sizeof copy, "%s", text);
    slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    is_v4 = weir_addr_parse(&addr, copy) < 0 || weir_addr_is_v4(&addr);
    bits = is_v4 ? 24 : 64;
    if (slash)
        bits = isdigit((unsigned char)*slash) ? strtol(slash, &end, 10) : 0;
    if (weir_addr_parse(&addr, copy) < 0 || !is_host(&addr) || *end || bits < 1 ||
        bits > (is_v4 ? 31 : 127))
        return link_mistake("not an address", text,
                            "with a prefix, as in --ip 10.77.0.2/24 --ip fd00:77::2/64");
    *(is_v4 ? &o->ip : &o->ip6) = addr;
    *(is_v4 ? &o->prefix : &o->prefix6) = (int)bits;
    return 0;
}

static int take_gateway(struct link_options *o, const char *text)
{
    struct weir_addr addr;
    bool is_v4;

    if (weir_addr_parse(&addr, text) < 0 || !is_host(&addr))
        return link_mistake("not an address", text, "as in --gw 10.77.0.1 --gw fd00:77::1");
    is_v4 = weir_addr_is_v4(&addr);
    *(is_v4 ? &o->gateway : &o->gateway6) = addr;
    *(is_v4 ? &o->has_gateway : &o->has_gateway6) = true;
    return 0;
}

int link_take(struct link_options *o, int option, const char *value)
{
    switch (option) {
    case LINK_OPTION:
        return take_link(o, value);
    case LINK_OPTION_IP:
        return take_ip(o, value);
    case LINK_OPTION_GW:
        return take_gateway(o, value);
    case LINK_OPTION_DHCP:
        o->is_dhcp = true;
        return 0;
    default:
        o->no_offload = true;
        return 0;
    }
}

bool link_is_own(const struct link_options *o)
{
    const struct link_kind *kind = o->link ? link_kind_find(o->link) : NULL;

    return kind && kind->open;
}

static int check_own4(const struct link_options *o)
{
    uint32_t ip = weir_addr_to_v4(&o->ip), mask = ~0u << (32 - o->prefix);
    uint32_t gateway = o->has_gateway ? weir_addr_to_v4(&o->gateway) : 0;
    char text[WEIR_ADDR_TEXT];

    weir_addr_text(&o->ip, text);
    if (o->prefix < 31 && ((ip & ~mask) == 0 || (ip | mask) == ~0u))
        return link_mistake("not a host's address, but its subnet's own:", text,
                            "as in --ip 10.77.0.2/24");
    if (!o->has_gateway)
        return 0;
    weir_addr_text(&o->gateway, text);
    if (gateway == ip)
        return link_mistake("the same address in --ip and --gw:", text,
                            "the gateway is another host's address");
    if ((gateway & mask) != (ip & mask))
        return link_mistake("--gw is outside the subnet of --ip:", text,
                            "as in --ip 10.77.0.2/24 --gw 10.77.0.1");
    return 0;
}

/* A link of the stack's own: its addresses go together, and there is one where it needs it. */
static int check_own(const struct link_options *o)
{
    if (o->has_gateway6 && !o->prefix6)
        return link_mistake("--gw of IPv6 without an --ip of it:", o->link,
                            "as in --ip fd00:77::2/64 --gw fd00:77::1");
    if (link_kind_find(o->link)->needs_ip && !o->prefix && !o->prefix6 && !o->is_dhcp)
        return link_mistake("which address has the stack on", o->link,
                            "say --dhcp, or as in --ip 192.0.2.7/24 --gw 192.0.2.1");
    if (link_kind_find(o->link)->needs_ip && !o->prefix && o->has_gateway)
        return link_mistake("--gw without an --ip:", o->link,
                            "as in --ip 192.0.2.7/24 --gw 192.0.2.1");
    return o->prefix ? check_own4(o) : 0;
}

int link_check(const struct link_options *o)
{
    if (o->is_dhcp && (o->prefix || o->has_gateway)) {
        fprintf(stderr,
                "weir: --dhcp asks for what --ip and --gw say: leave out one or the other\n");
        return 2;
    }
    if (link_is_own(o))
        return check_own(o);
    if (o->prefix || o->prefix6 || o->has_gateway || o->has_gateway6 || o->no_offload ||
        o->is_dhcp) {
        fprintf(stderr,
                "weir: --ip, --gw, --dhcp and --no-offload are for a tap link; the host link has "
                "the host's own addresses: add --link tap:weir0, or leave them out\n");
        return 2;
    }
    return 0;
}
