/* ICMP types and codes by name: see icmp_names.h.
 *
 * Knows: numbers and words. Shape: two tables. Units: none. Errors: false, or NULL.
 * Cost: O(table). */
#include "packetdrill/icmp_names.h"

#include <stddef.h>
#include <string.h>

#include "wire/wire.h"

#define NONE 255             /* that version has no such message */
#define TOO_BIG 2            /* no type of ICMPv4 */
#define ONLY_6(n) (64 + (n)) /* no code of ICMPv4 */

static const struct {
    const char *name;
    uint8_t type, six;
} types[] = {{"echo_reply", ICMP4_ECHO_REPLY, ICMP6_ECHO_REPLY},
             {"unreachable", ICMP4_UNREACH, ICMP6_UNREACH},
             {"packet_too_big", TOO_BIG, ICMP6_TOO_BIG},
             {"source_quench", ICMP4_QUENCH, NONE},
             {"redirect", ICMP4_REDIRECT, NONE},
             {"echo_request", ICMP4_ECHO, ICMP6_ECHO},
             {"time_exceeded", ICMP4_TIME, ICMP6_TIME},
             {"parameter_problem", ICMP4_PARAM, ICMP6_PARAM}};
#define TYPES (sizeof types / sizeof types[0])

static const struct {
    uint8_t type, code, six;
    const char *name;
} codes[] = {{ICMP4_UNREACH, 0, NONE, "net_unreachable"},
             {ICMP4_UNREACH, 1, NONE, "host_unreachable"},
             {ICMP4_UNREACH, 2, NONE, "protocol_unreachable"},
             {ICMP4_UNREACH, 3, UNREACH6_PORT, "port_unreachable"},
             {ICMP4_UNREACH, 4, NONE, "frag_needed"},
             {ICMP4_UNREACH, 5, NONE, "source_route_failed"},
             {ICMP4_UNREACH, 6, NONE, "net_unknown"},
             {ICMP4_UNREACH, 7, NONE, "host_unknown"},
             {ICMP4_UNREACH, 8, NONE, "source_host_isolated"},
             {ICMP4_UNREACH, 9, NONE, "net_prohibited"},
             {ICMP4_UNREACH, 10, NONE, "host_prohibited"},
             {ICMP4_UNREACH, 11, NONE, "net_unreachable_for_tos"},
             {ICMP4_UNREACH, 12, NONE, "host_unreachable_for_tos"},
             {ICMP4_UNREACH, 13, NONE, "packet_filtered"},
             {ICMP4_UNREACH, 14, NONE, "precedence_violation"},
             {ICMP4_UNREACH, 15, NONE, "precedence_cutoff"},
             {ICMP4_UNREACH, ONLY_6(0), UNREACH6_ROUTE, "no_route"},
             {ICMP4_UNREACH, ONLY_6(1), UNREACH6_ADMIN, "admin_prohibited"},
             {ICMP4_UNREACH, ONLY_6(2), UNREACH6_SCOPE, "beyond_scope"},
             {ICMP4_UNREACH, ONLY_6(3), UNREACH6_ADDR, "address_unreachable"},
             {ICMP4_UNREACH, ONLY_6(5), UNREACH6_POLICY, "source_policy"},
             {ICMP4_UNREACH, ONLY_6(6), UNREACH6_REJECT, "reject_route"},
             {TOO_BIG, 0, 0, "too_big"},
             {ICMP4_REDIRECT, 0, NONE, "redirect_net"},
             {ICMP4_REDIRECT, 1, NONE, "redirect_host"},
             {ICMP4_TIME, 0, 0, "ttl_exceeded"},
             {ICMP4_TIME, 1, 1, "fragment_time_exceeded"},
             {ICMP4_PARAM, 0, 0, "bad_header"},
             {ICMP4_PARAM, 1, NONE, "option_absent"},
             {ICMP4_PARAM, ONLY_6(1), 1, "unknown_header"},
             {ICMP4_PARAM, ONLY_6(2), 2, "unknown_option"}};
#define CODES (sizeof codes / sizeof codes[0])

bool icmp_type_of(const char *word, uint8_t *type)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(types[i].name, word) == 0) {
            *type = types[i].type;
            return true;
        }
    return false;
}

bool icmp_code_of(uint8_t type, const char *word, uint8_t *code)
{
    for (size_t i = 0; i < CODES; i++)
        if (codes[i].type == type && strcmp(codes[i].name, word) == 0) {
            *code = codes[i].code;
            return true;
        }
    return false;
}

const char *icmp_type_name(uint8_t type)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].type == type)
            return types[i].name;
    return NULL;
}

const char *icmp_code_name(uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < CODES; i++)
        if (codes[i].type == type && codes[i].code == code)
            return codes[i].name;
    return NULL;
}

bool icmp_is_error(uint8_t type)
{
    return type != ICMP4_ECHO && type != ICMP4_ECHO_REPLY;
}

bool icmp_has_mtu(uint8_t type, uint8_t code)
{
    return type == TOO_BIG || (type == ICMP4_UNREACH && code == UNREACH_FRAG);
}

/* -- the wire ---------------------------------------------------------------------------------- */

struct icmp_number icmp_number_of(uint8_t type, uint8_t code, bool is_v6)
{
    struct icmp_number n = {type, code};

    for (size_t i = 0; is_v6 && i < TYPES; i++)
        if (types[i].type == type)
            n.type = types[i].six;
    for (size_t i = 0; is_v6 && i < CODES; i++)
        if (codes[i].type == type && codes[i].code == code)
            n.code = codes[i].six;
    return n;
}

bool icmp_is_of(uint8_t type, uint8_t code, bool is_v6)
{
    struct icmp_number n = icmp_number_of(type, code, true);

    return is_v6 ? n.type != NONE && n.code != NONE : type != TOO_BIG && code < ONLY_6(0);
}

/* What has no name keeps its number, above those that have one. */
void icmp_read_number(struct icmp_number n, bool is_v6, uint8_t *type, uint8_t *code)
{
    *type = n.type;
    *code = n.code;
    if (!is_v6)
        return;
    *type = NONE;
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].six == n.type)
            *type = types[i].type;
    for (size_t i = 0; i < CODES; i++)
        if (codes[i].type == *type && codes[i].six == n.code)
            *code = codes[i].code;
}
