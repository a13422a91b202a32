/* A capture file, packet by packet: pcap in both byte orders and resolutions, and pcapng.
 *
 * Knows: the two formats. Not what is in a packet. Shape: one packet in memory at a time.
 * Units: ns since 1970 (or whatever the file counts from). Errors: what is cut short or damaged
 * ends the reading, and `trouble` says where and why. */
#ifndef CAPFILE_CAPFILE_H
#define CAPFILE_CAPFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FILE_IFACES 256
#define FILE_NOTES 2               /* comments kept of a packet */
#define FILE_BLOCK_MAX (16u << 20) /* larger than any packet: it is damage */

struct file_iface {
    uint16_t link;  /* LINKTYPE_ */
    uint64_t per_s; /* units of a time stamp in a second */
    int64_t offset_s;
};

struct file {
    FILE *stream;
    const char *format; /* "pcap", "pcap (ns)", "pcapng" */
    bool is_pcapng, is_swapped;
    uint64_t frac_ns; /* pcap: of one unit of the fraction */
    struct file_iface iface[FILE_IFACES];
    unsigned ifaces;
    uint8_t *block;
    uint32_t room;
    uint64_t at;      /* bytes read */
    uint64_t packets; /* so far */
    int64_t last_ns;
    char trouble[160]; /* "": none */
};

struct packet {
    int64_t at_ns;
    uint64_t number; /* from 1 */
    uint32_t iface;  /* where it was captured */
    uint16_t link;
    const uint8_t *data;
    uint32_t len, wire_len; /* captured; as it was */
    /* What the file says of it (pcapng), not ended by a zero byte: weir's reasons. */
    const char *note[FILE_NOTES];
    uint16_t note_len[FILE_NOTES];
    unsigned notes;
};

/* "-": standard input. False with *error filled: it is no capture. */
bool cap_open(struct file *f, const char *path, char *error, size_t error_size);
bool cap_next(struct file *f, struct packet *p); /* false: the end, see trouble */
void cap_close(struct file *f);

/* For the two formats. */
bool cap_read(struct file *f, void *to, uint32_t n); /* all of it, else false and trouble */
bool cap_block(struct file *f, uint32_t n);          /* into block */
uint16_t cap16(const struct file *f, const uint8_t *p);
uint32_t cap32(const struct file *f, const uint8_t *p);
void cap_trouble(struct file *f, const char *what);
bool cap_pcap_begin(struct file *f, const uint8_t magic[4]);
bool cap_pcap_next(struct file *f, struct packet *p);
bool cap_pcapng_next(struct file *f, struct packet *p);

#endif
