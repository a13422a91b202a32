/* The program in the kernel that hands frames for one MAC to AF_XDP sockets, and leaves all others.
 *
 * Knows: bpf(2). Shape: made, attached, given sockets; it ends with its descriptors, also when the
 * process is killed. Units: none. Errors: false with errno set. Cost: some system calls. */
#ifndef DRIVERS_XDP_PROGRAM_H
#define DRIVERS_XDP_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

struct xdp_program {
    int map, program, link; /* descriptors, or -1 */
    bool is_generic;        /* not in the driver: it runs late, and over copies */
};

bool xdp_program_load(struct xdp_program *p, const uint8_t mac[6], uint32_t queues);
bool xdp_program_add(const struct xdp_program *p, uint32_t queue, int socket);
/* In the driver if it can, else in the kernel's general place: there at once if `wants_generic`. */
bool xdp_program_attach(struct xdp_program *p, int ifindex, bool wants_generic);
void xdp_program_close(struct xdp_program *p);

#endif
