/* pcapng: capture files with a comment on each packet. One writer may serve many link ends. */
#ifndef WEIR_PCAPNG_H
#define WEIR_PCAPNG_H

#include <weir/frame.h>
#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_pcapng;

enum weir_pcapng_dir { WEIR_PCAPNG_IN = 1, WEIR_PCAPNG_OUT = 2 };

struct weir_pcapng_packet {
    int iface; /* from weir_pcapng_iface */
    int dir;   /* enum weir_pcapng_dir */
    int64_t at_ns;
    const char *comment;  /* NULL or "": none */
    const char *comment2; /* a second one, after the first */
};

/* path "-": standard output. An existing file is written anew. NULL with *error filled (one line).
 */
struct weir_pcapng *weir_pcapng_open(const char *path, char *error, size_t error_size);
/* One interface block; returns its number, from 0, or -ENOSPC at the 513th. An Ethernet's packets
 * are frames; those of WEIR_LINK_IP have LINKTYPE_NULL's address family in front. */
int weir_pcapng_iface(struct weir_pcapng *p, const char *name, enum weir_link_type type);
/* Gathers the frame's parts and completes a partial checksum in the copy. */
void weir_pcapng_frame(struct weir_pcapng *p, const struct weir_pcapng_packet *packet,
                       const struct weir_frame *frame);
/* 0, or the -errno that stopped the writing; after it nothing more is written. */
int weir_pcapng_flush(struct weir_pcapng *p);
int weir_pcapng_close(struct weir_pcapng *p);

#ifdef __cplusplus
}
#endif

#endif
