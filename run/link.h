/* How a stack is joined to a network: the words of it, the kinds of links, who has which address.
 *
 * Knows: what is typed for --link, --ip, --gw, --dhcp and --no-offload. Not the stack's daemon.
 * Shape: words are read, then checked together, then the link is opened, then the stack is told.
 * Units: bits of prefix. Errors: 2 and a line on stderr for words; a line in `error` for links.
 * Cost: none that matters. */
#ifndef RUN_LINK_H
#define RUN_LINK_H

#include <stdbool.h>

#include <weir/weir.h>

struct link_options {
    const char *link; /* as typed: "host", "tap:NAME"; link_kinds.c has them all */
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

/* Who is who on a link of the stack's own. */
struct link_ends {
    const char *kind; /* "tap" */
    struct weir_addr ip, gateway;
    struct weir_addr ip6, gateway6;
    int prefix, prefix6; /* 0: no address of that family was asked for */
    bool has_gateway, has_gateway6;
    bool was_there;      /* tap: the device was made by somebody else: its addresses are theirs */
    bool is_kernels_end; /* tap: the kernel is the other end, and may be the gateway */
    bool kernel_has_gateway; /* tap: it is */
    bool is_up;
};

/* One kind of link: a row of the table in link_kinds.c. */
struct link_kind {
    const char *word;  /* what is typed before the colon */
    const char *takes; /* what is typed behind it, for help; NULL: there is no colon */
    /* Opens it and finds out the addresses. NULL with *error filled. NULL here: the host link,
     * which has the host's addresses and is opened by the daemon. `name` is what was typed behind
     * the colon. */
    struct weir_link *(*open)(const char *name, const struct link_options *o,
                              struct link_ends *ends, char *error, size_t error_size);
    /* Whether what stands behind the colon can be meant: exit status 2 and a line on stderr. */
    int (*check)(const char *name);
    bool needs_ip;    /* nothing can be guessed: --ip or --dhcp must be typed */
    const char *help; /* one line or more of 58 columns, for --help */
};

/* link_kinds.c */
const struct link_kind *link_kind_find(const char *link); /* NULL: there is no such kind */
const char *link_behind(const char *link);                /* behind the colon, or "" */
int link_unknown(const char *link); /* says which kinds there are; exit status 2 */
void link_help(void);               /* on stdout, a paragraph for each kind */
/* Opens the link that was typed, unless it is the host's. */
struct weir_link *link_open(const struct link_options *o, struct link_ends *ends, char *error,
                            size_t error_size);

/* link_words.c. Each 0, or exit status 2 and a line on stderr. */
int link_take(struct link_options *o, int option, const char *value);
int link_check(const struct link_options *o); /* whether all of it fits together */
int link_mistake(const char *what, const char *text, const char *hint); /* 2 */
bool link_is_own(const struct link_options *o); /* addresses of the stack's own, not the host's */

/* link_ends.c */
void link_ends_typed(struct link_ends *ends, const struct link_options *o); /* nothing guessed */
/* One MAC for one address on a network of this name, so that neighbours that know it go on when the
 * program is started again. False: nothing was typed (DHCP), and it is to be drawn, so that two
 * programs are two stations. */
bool link_ends_mac(const struct link_ends *ends, const char *network, uint8_t mac[6]);
int link_configure(struct weir_stack *stack, int ifindex, const struct link_ends *ends);
void link_say(const char *name, const struct link_ends *ends); /* on stderr: who is who */

/* tap.c: a device that it makes gets the gateway's address at the kernel's end. */
struct weir_link *tap_open(const char *name, const struct link_options *o, struct link_ends *ends,
                           char *error, size_t error_size);
int tap_check(const char *name);
/* station.c: beside an interface of the kernel's. */
struct weir_link *station_open(const char *name, const struct link_options *o,
                               struct link_ends *ends, char *error, size_t error_size);
int station_check(const char *name);
struct weir_link *xdp_open(const char *name, const struct link_options *o, struct link_ends *ends,
                           char *error, size_t error_size);
int xdp_check(const char *name);

/* wire.c */
struct weir_link *wire_open(const char *name, const struct link_options *o, struct link_ends *ends,
                            char *error, size_t error_size);
int wire_check(const char *name);

#endif
