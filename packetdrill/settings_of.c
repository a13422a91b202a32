/* Options by name, of the command line and of a script's head.
 *
 * Knows: which change what is played. Shape: a row each; those of the original's network set-up are
 * taken and mean nothing here. Units: as named. Errors: an unknown name or a bad value. Cost:
 * O(rows). */
#include <stdlib.h>
#include <string.h>

#include "packetdrill/run.h"

#define LOCAL6 "fd3d:a0b:17d6::1" /* as scripts that are about know them */
#define REMOTE6 "fd3d:fa7b:d17d::1"
#define PREFIX6 48

enum setting_what {
    SET_IGNORED, /* taken, means nothing here */
    SET_LOCAL,
    SET_REMOTE,
    SET_NETMASK,
    SET_MTU,
    SET_BIND_PORT,
    SET_CONNECT_PORT,
    SET_TOLERANCE,
    SET_VERSION,
    SET_VERBOSE,
    SET_DRY,
    SET_STRICT,
    SET_REFUSED
};

static const struct {
    const char *name;
    enum setting_what what;
} rows[] = {
    {"local_ip", SET_LOCAL},
    {"remote_ip", SET_REMOTE},
    {"netmask_ip", SET_NETMASK},
    {"mtu", SET_MTU},
    {"bind_port", SET_BIND_PORT},
    {"connect_port", SET_CONNECT_PORT},
    {"tolerance_usecs", SET_TOLERANCE},
    {"tolerance", SET_TOLERANCE},
    {"ip_version", SET_VERSION},
    {"verbose", SET_VERBOSE},
    {"dry_run", SET_DRY},
    {"strict", SET_STRICT},
    {"gateway_ip", SET_IGNORED},
    {"speed", SET_IGNORED},
    {"init_scripts", SET_IGNORED},
    {"tcp_ts_tick_usecs", SET_IGNORED},
    {"non_fatal", SET_IGNORED},
    {"send_omit_free", SET_IGNORED},
    {"code_command", SET_IGNORED},
    {"code_format", SET_IGNORED},
    {"code_sockopt", SET_IGNORED},
    {"wire_client", SET_REFUSED},
    {"wire_server", SET_REFUSED},
    {"so_filename", SET_REFUSED},
};

static bool number(const struct setting *s, int64_t most, int64_t *out, struct problem *problem)
{
    char *end;

    *out = strtoll(s->value, &end, 10);
    if (*s->value && !*end && *out >= 0 && *out <= most)
        return true;
    return problem_set(problem, PROBLEM_SYNTAX, s->at, "--%s=%s: expected a number from 0 to %lld",
                       s->name, s->value, (long long)most);
}

/* Of the version that is played, as `out` has it. */
static bool address(const struct setting *s, struct weir_addr *out, struct problem *problem)
{
    bool is_v4 = weir_addr_is_v4(out);
    struct weir_addr a;

    if (weir_addr_parse(&a, s->value) < 0 || weir_addr_is_v4(&a) != is_v4)
        return problem_set(problem, PROBLEM_SYNTAX, s->at, "--%s=%s: expected an %s", s->name,
                           s->value,
                           is_v4 ? "IPv4 address; one of IPv6 comes behind --ip_version=ipv6"
                                 : "IPv6 address; one of IPv4 is for --ip_version=ipv4");
    *out = a;
    return true;
}

/* Addresses that are of the other version are those of the preset. */
static bool version(struct settings *out, const struct setting *s, struct problem *problem)
{
    bool is_v6 = strcmp(s->value, "ipv6") == 0, is_mapped = !strcmp(s->value, "ipv4-mapped-ipv6");

    if (!is_v6 && !is_mapped && strcmp(s->value, "ipv4") != 0)
        return problem_set(problem, PROBLEM_SYNTAX, s->at,
                           "--ip_version=%s: expected ipv4, ipv6 or ipv4-mapped-ipv6", s->value);
    out->family = is_v6 || is_mapped ? AF_INET6 : AF_INET;
    if (is_v6 && weir_addr_is_v4(&out->local)) {
        weir_addr_parse(&out->local, LOCAL6);
        weir_addr_parse(&out->remote, REMOTE6);
        out->prefix = PREFIX6;
    } else if (!is_v6 && !weir_addr_is_v4(&out->local)) {
        settings_preset(out);
    }
    return true;
}

/* As the command begins. */
void settings_preset(struct settings *out)
{
    out->local = weir_addr_v4(0xc0a80001);  /* 192.168.0.1 */
    out->remote = weir_addr_v4(0xc0000201); /* 192.0.2.1 */
    out->prefix = 16;
}

static bool netmask(struct settings *out, const struct setting *s, struct problem *problem)
{
    struct weir_addr given = weir_addr_v4(0);
    uint32_t mask;

    if (!address(s, &given, problem))
        return false;
    mask = weir_addr_to_v4(&given);
    out->prefix = 0;
    while (out->prefix < 32 && mask & 0x80000000u >> out->prefix)
        out->prefix++;
    return true;
}

static bool apply_number(struct settings *out, const struct setting *s, enum setting_what what,
                         struct problem *problem)
{
    int64_t n;

    if (!number(s, what == SET_TOLERANCE ? INT32_MAX : 65535, &n, problem))
        return false;
    switch (what) {
    case SET_MTU:
        out->mtu = (uint32_t)n;
        break;
    case SET_BIND_PORT:
        out->bind_port = (uint16_t)n;
        break;
    case SET_CONNECT_PORT:
        out->connect_port = (uint16_t)n;
        break;
    default:
        out->tolerance_us = n;
    }
    return true;
}

static bool apply(struct settings *out, const struct setting *s, enum setting_what what,
                  struct problem *problem)
{
    switch (what) {
    case SET_LOCAL:
        return address(s, &out->local, problem);
    case SET_REMOTE:
        return address(s, &out->remote, problem);
    case SET_NETMASK:
        return netmask(out, s, problem);
    case SET_VERSION:
        return version(out, s, problem);
    case SET_VERBOSE:
        out->is_verbose = true;
        return true;
    case SET_DRY:
        out->is_dry = true;
        return true;
    case SET_STRICT:
        out->is_strict = true;
        return true;
    case SET_IGNORED:
        return true;
    case SET_REFUSED:
        return problem_set(problem, PROBLEM_SYNTAX, s->at,
                           "--%s: scripts are played against weir's own stack, in this process",
                           s->name);
    default:
        return apply_number(out, s, what, problem);
    }
}

bool settings_apply(struct settings *out, const struct setting *list, struct problem *problem)
{
    for (const struct setting *s = list; s; s = s->next) {
        size_t i = 0;
        while (i < sizeof rows / sizeof rows[0] && strcmp(rows[i].name, s->name) != 0)
            i++;
        if (i == sizeof rows / sizeof rows[0])
            return problem_set(problem, PROBLEM_SYNTAX, s->at, "unknown option --%s", s->name);
        if (!apply(out, s, rows[i].what, problem))
            return false;
    }
    return true;
}
