/* Who has which address on a link of the stack's own: what was typed, told to the stack and to the
 * user.
 *
 * Knows: struct link_ends. Not devices. Shape: opening a link fills it in, DHCP may change it.
 * Units: bits of prefix. Errors: those of the stack. Cost: none that matters. */
#include <stdio.h>
#include <string.h>

#include "base/siphash.h"
#include "run/link.h"

void link_ends_typed(struct link_ends *e, const struct link_options *o)
{
    e->ip = o->ip;
    e->prefix = o->prefix;
    e->gateway = o->gateway;
    e->has_gateway = o->has_gateway;
    e->ip6 = o->ip6;
    e->prefix6 = o->prefix6;
    e->gateway6 = o->gateway6;
    e->has_gateway6 = o->has_gateway6;
}

bool link_ends_mac(const struct link_ends *e, const char *network, uint8_t mac[6])
{
    static const struct sipkey key = {0x776569722d776972, 0x6d61632d6f662d69};
    uint8_t text[sizeof e->ip.b + sizeof e->ip6.b + 16] = {0};
    uint64_t hash;

    if (!e->prefix && !e->prefix6)
        return false;
    memcpy(text, e->ip.b, sizeof e->ip.b);
    memcpy(text + sizeof e->ip.b, e->ip6.b, sizeof e->ip6.b);
    memcpy(text + sizeof e->ip.b + sizeof e->ip6.b, network, strnlen(network, 16));
    hash = siphash24(&key, text, sizeof text);
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)(hash >> 8 * i);
    mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02); /* locally administered, not a group */
    return true;
}

int link_configure(struct weir_stack *stack, int ifindex, const struct link_ends *e)
{
    struct weir_addr any = weir_addr_v4(0);
    struct weir_addr any6 = {.w = {0}};
    int v = e->prefix ? weir_addr_add(stack, ifindex, &e->ip, e->prefix) : 0;

    if (v == 0 && e->prefix && e->has_gateway)
        v = weir_route_add(stack, &any, 0, &e->gateway, ifindex, 0);
    if (v == 0 && e->prefix6)
        v = weir_addr_add(stack, ifindex, &e->ip6, e->prefix6);
    if (v == 0 && e->has_gateway6)
        v = weir_route_add(stack, &any6, 0, &e->gateway6, ifindex, 0);
    return v;
}

static void say_one(const char *name, const struct link_ends *e, bool is_ip6)
{
    const struct weir_addr *gateway = is_ip6 ? &e->gateway6 : &e->gateway;
    char text[WEIR_ADDR_TEXT];

    fprintf(stderr, "weir: %s %s: weir is %s/%d", e->kind, name,
            weir_addr_text(is_ip6 ? &e->ip6 : &e->ip, text), is_ip6 ? e->prefix6 : e->prefix);
    if (is_ip6 ? e->has_gateway6 : e->has_gateway)
        fprintf(stderr, ", its gateway %s", weir_addr_text(gateway, text));
}

/* Behind the line of IPv4, or of IPv6 where there is no other. */
static void say_rest(const char *name, const struct link_ends *e)
{
    char gateway[WEIR_ADDR_TEXT];

    weir_addr_text(&e->gateway, gateway);
    if (!e->is_up)
        fprintf(stderr, "; %s is down, nothing passes: sudo ip link set %s up", name, name);
    else if (e->kernel_has_gateway)
        fprintf(stderr, " is the kernel");
    else if (e->is_kernels_end)
        fprintf(stderr, " is beyond %s; if it is to be the kernel: sudo ip addr add %s/%d dev %s",
                name, gateway, e->prefix, name);
}

void link_say(const char *name, const struct link_ends *e)
{
    if (e->prefix6)
        say_one(name, e, true);
    if (e->prefix6 && e->prefix)
        fputc('\n', stderr);
    if (e->prefix)
        say_one(name, e, false);
    say_rest(name, e);
    fputc('\n', stderr);
}
