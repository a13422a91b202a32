/* ICMP types and codes by name, RFC 792, 1812 and 4443.
 *
 * Knows: numbers and words. Shape: two small tables; inside the program a type and a code are those
 * of ICMPv4, and numbers that it has not for what only ICMPv6 has. Errors: false, or NULL. Cost:
 * O(table). */
#ifndef PACKETDRILL_ICMP_NAMES_H
#define PACKETDRILL_ICMP_NAMES_H

#include <stdbool.h>
#include <stdint.h>

bool icmp_type_of(const char *word, uint8_t *type);
bool icmp_code_of(uint8_t type, const char *word, uint8_t *code);
const char *icmp_type_name(uint8_t type);               /* NULL: none */
const char *icmp_code_name(uint8_t type, uint8_t code); /* NULL: none */
bool icmp_is_error(uint8_t type);                       /* quotes a packet */
bool icmp_has_mtu(uint8_t type, uint8_t code);

/* As on the wire. */
struct icmp_number {
    uint8_t type, code;
};
bool icmp_is_of(uint8_t type, uint8_t code, bool is_v6); /* that version has it */
struct icmp_number icmp_number_of(uint8_t type, uint8_t code, bool is_v6);
void icmp_read_number(struct icmp_number n, bool is_v6, uint8_t *type, uint8_t *code);

#endif
