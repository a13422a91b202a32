/* How a stack is joined to a network: the words of it, and the TAP device.
 *
 * Knows: what is typed for --link, --ip, --gw, --dhcp and --no-offload. Not the stack's daemon.
 * Shape: words are read, then checked together, then the device is opened, then the stack is told.
 * Units: bits of prefix. Errors: 2 and a line on stderr for words; a line in `error` for devices.
 */
#ifndef RUN_LINK_H
#define RUN_LINK_H

#include <stdbool.h>

#include <weir/weir.h>

struct link_options {
    const char *link; /* "host" or "tap:NAME" */
    struct weir_addr ip, gateway;
    struct weir_addr ip6, gateway6;
    int prefix, prefix6; /* 0: no --ip of that family */
    bool has_gateway, has_gateway6, no_offload, is_dhcp;
};

/* Values of the options of a link, for getopt_long. */
enum link_option {
    LINK_OPTION = 256, /* --link */
    LINK_OPTION_IP,
    LINK_OPTION_GW,
    LINK_OPTION_NO_OFFLOAD,
    LINK_OPTION_DHCP,
};

/* link_words.c. Each 0, or exit status 2 and a line on stderr. */
int link_take(struct link_options *o, int option, const char *value);
int link_check(const struct link_options *o); /* whether all of it fits together */
bool link_is_tap(const struct link_options *o);

/* Both ends of a TAP link. */
struct tap_ends {
    struct weir_addr ip, gateway;
    struct weir_addr ip6, gateway6;
    int prefix, prefix6; /* prefix6 0: no address of IPv6 was asked for */
    bool has_gateway, has_gateway6;
    bool was_there;          /* the device was made by somebody else: its addresses are theirs */
    bool kernel_has_gateway; /* the kernel's end has the gateway's address */
    bool is_up;
};

/* tap.c. Opens the device and finds out the addresses; a device that it makes gets the gateway's
 * address at the kernel's end. NULL with *error filled. */
struct weir_link *tap_open(const struct link_options *o, struct tap_ends *ends, char *error,
                           size_t error_size);
int tap_configure(struct weir_stack *stack, int ifindex, const struct tap_ends *ends);
/* Says on stderr who is who. */
void tap_say(const char *name, const struct tap_ends *ends);

#endif
