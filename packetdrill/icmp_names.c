/* ICMP types and codes by name: see icmp_names.h.
 *
 * Knows: numbers and words. Shape: two tables. Units: none. Errors: false, or NULL.
 * Cost: O(table). */
#include "packetdrill/icmp_names.h"

#include <stddef.h>
#include <string.h>

#include "wire/wire.h"

static const struct {
    const char *name;
    uint8_t type;
} types[] = {{"echo_reply", ICMP4_ECHO_REPLY},  {"unreachable", ICMP4_UNREACH},
             {"source_quench", ICMP4_QUENCH},   {"redirect", ICMP4_REDIRECT},
             {"echo_request", ICMP4_ECHO},      {"time_exceeded", ICMP4_TIME},
             {"parameter_problem", ICMP4_PARAM}};
#define TYPES (sizeof types / sizeof types[0])

static const struct {
    uint8_t type, code;
    const char *name;
} codes[] = {{ICMP4_UNREACH, 0, "net_unreachable"},
             {ICMP4_UNREACH, 1, "host_unreachable"},
             {ICMP4_UNREACH, 2, "protocol_unreachable"},
             {ICMP4_UNREACH, 3, "port_unreachable"},
             {ICMP4_UNREACH, 4, "frag_needed"},
             {ICMP4_UNREACH, 5, "source_route_failed"},
             {ICMP4_UNREACH, 6, "net_unknown"},
             {ICMP4_UNREACH, 7, "host_unknown"},
             {ICMP4_UNREACH, 8, "source_host_isolated"},
             {ICMP4_UNREACH, 9, "net_prohibited"},
             {ICMP4_UNREACH, 10, "host_prohibited"},
             {ICMP4_UNREACH, 11, "net_unreachable_for_tos"},
             {ICMP4_UNREACH, 12, "host_unreachable_for_tos"},
             {ICMP4_UNREACH, 13, "packet_filtered"},
             {ICMP4_UNREACH, 14, "precedence_violation"},
             {ICMP4_UNREACH, 15, "precedence_cutoff"},
             {ICMP4_REDIRECT, 0, "redirect_net"},
             {ICMP4_REDIRECT, 1, "redirect_host"},
             {ICMP4_TIME, 0, "ttl_exceeded"},
             {ICMP4_TIME, 1, "fragment_time_exceeded"},
             {ICMP4_PARAM, 0, "bad_header"},
             {ICMP4_PARAM, 1, "option_absent"}};
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
