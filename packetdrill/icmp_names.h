/* ICMP types and codes by name, RFC 792 and 1812.
 *
 * Knows: numbers and words. Shape: two small tables. Errors: false, or NULL. Cost: O(table). */
#ifndef PACKETDRILL_ICMP_NAMES_H
#define PACKETDRILL_ICMP_NAMES_H

#include <stdbool.h>
#include <stdint.h>

bool icmp_type_of(const char *word, uint8_t *type);
bool icmp_code_of(uint8_t type, const char *word, uint8_t *code);
const char *icmp_type_name(uint8_t type);               /* NULL: none */
const char *icmp_code_name(uint8_t type, uint8_t code); /* NULL: none */
bool icmp_is_error(uint8_t type);                       /* quotes a packet */

#endif
