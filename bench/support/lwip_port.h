/*
 * Knows:  what a port owes lwIP (clock, memory, checksum), and which lwIP was linked.
 * Shape:  lwip_port.c is the port. lwip_package.c pushes it into the packaged library;
 *         lwip_source/ compiles it into lwIP. Exactly one of the two defines lwip_linked_*.
 * Units:  the clock counts milliseconds, as sys_now does.
 * Errors: see lwip_port.c.
 * Cost:   see lwip_port.c.
 */
#ifndef BENCH_LWIP_PORT_H
#define BENCH_LWIP_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `stock`: the library as the distribution built it. Dies where there is no such thing. */
void lwip_linked_init(bool stock);
const char *lwip_linked_name(void);

/* The clock stands still between two calls. `virtual_ms` >= 0 adds that much; -1 reads the real
 * clock. lwIP asks for the time far more often than it needs it. */
void lwip_port_tick(int virtual_ms);
void lwip_port_use_heap(void); /* malloc and free instead of the free lists */

void *lwip_port_malloc(size_t wanted);
void *lwip_port_calloc(size_t count, size_t size);
void lwip_port_free(void *memory);
size_t lwip_port_live_bytes(void); /* asked for and not given back */
uint16_t lwip_port_chksum(const void *data, int len);

#endif
