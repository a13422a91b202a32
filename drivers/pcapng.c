/* pcapng: section, interface and enhanced packet blocks, as in draft-ietf-opsawg-pcapng.
 *
 * Knows: the file format. Not who sends what.
 * Shape: blocks are built in one buffer, in host byte order, and leave it whole.
 * Units: bytes, nanoseconds (if_tsresol 9). Errors: the first one ends the writing and is kept.
 * Cost: one copy of each frame; one write for each 64 KiB. */
#include <weir/pcapng.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linear.h"

#define FLUSH_BYTES (64u << 10)
#define COMMENT_MAX 1024
/* A block that always fits behind FLUSH_BYTES: the largest frame, two comments, the rest. */
#define BLOCK_MAX (LINEAR_MAX + 2 * COMMENT_MAX + 256)

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_IFACE 1u
#define BLOCK_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define OPT_END 0
#define OPT_COMMENT 1
#define OPT_SHB_USERAPPL 4
#define OPT_IF_NAME 2
#define OPT_IF_TSRESOL 9
#define OPT_EPB_FLAGS 2
#define LINKTYPE_ETHERNET 1
/* Of IP without a link header: LINKTYPE_RAW would do, but libpcap 1.10 refuses a file with two such
 * interfaces, and with it tcpdump. So each packet has 4 bytes of its address family in front. */
#define LINKTYPE_NULL 0
#define FAMILY_INET 2u
#define FAMILY_INET6 24u
#define FAMILY_LEN 4u
#define IFACES_MAX 512
#define SNAPLEN 262144u

struct weir_pcapng {
    int fd;
    int error; /* 0, or the -errno that stopped us */
    int ifaces;
    bool has_family[IFACES_MAX]; /* this interface is LINKTYPE_NULL */
    size_t used;                 /* bytes in the buffer */
    size_t block;                /* where the open block begins */
    uint8_t buffer[FLUSH_BYTES + BLOCK_MAX];
};

/* -- building a block -------------------------------------------------------------------------- */

static void put_bytes(struct weir_pcapng *p, const void *data, size_t n)
{
    memcpy(p->buffer + p->used, data, n);
    p->used += n;
}

static void put_u16(struct weir_pcapng *p, unsigned v)
{
    uint16_t x = (uint16_t)v;

    put_bytes(p, &x, sizeof x);
}

static void put_u32(struct weir_pcapng *p, uint32_t v)
{
    put_bytes(p, &v, sizeof v);
}

/* Blocks and options are padded to 32 bits, counted from the block's begin. */
static void pad(struct weir_pcapng *p)
{
    while ((p->used - p->block) % 4)
        p->buffer[p->used++] = 0;
}

static void put_option(struct weir_pcapng *p, unsigned code, const void *data, size_t n)
{
    put_u16(p, code);
    put_u16(p, (unsigned)n);
    put_bytes(p, data, n);
    pad(p);
}

static void put_text(struct weir_pcapng *p, unsigned code, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n)
        put_option(p, code, text, n < COMMENT_MAX ? n : COMMENT_MAX);
}

static void block_begin(struct weir_pcapng *p, uint32_t type)
{
    if (p->used >= FLUSH_BYTES)
        weir_pcapng_flush(p);
    p->block = p->used;
    put_u32(p, type);
    put_u32(p, 0); /* the length, known at the end */
}

static void block_end(struct weir_pcapng *p)
{
    uint32_t len;

    put_u16(p, OPT_END);
    put_u16(p, 0);
    len = (uint32_t)(p->used - p->block) + 4;
    put_u32(p, len);
    memcpy(p->buffer + p->block + 4, &len, sizeof len);
}

/* -- the blocks -------------------------------------------------------------------------------- */

static void put_section(struct weir_pcapng *p)
{
    block_begin(p, BLOCK_SECTION);
    put_u32(p, BYTE_ORDER_MAGIC);
    put_u16(p, 1); /* version 1.0 */
    put_u16(p, 0);
    put_u32(p, UINT32_MAX); /* section length: unknown */
    put_u32(p, UINT32_MAX);
    put_text(p, OPT_SHB_USERAPPL, "weir");
    block_end(p);
}

int weir_pcapng_iface(struct weir_pcapng *p, const char *name, enum weir_link_type type)
{
    uint8_t nanoseconds = 9;

    if (p->ifaces == IFACES_MAX)
        return -ENOSPC;
    p->has_family[p->ifaces] = type != WEIR_LINK_ETHER;
    block_begin(p, BLOCK_IFACE);
    put_u16(p, p->has_family[p->ifaces] ? LINKTYPE_NULL : LINKTYPE_ETHERNET);
    put_u16(p, 0);
    put_u32(p, SNAPLEN);
    put_text(p, OPT_IF_NAME, name);
    put_option(p, OPT_IF_TSRESOL, &nanoseconds, 1);
    block_end(p);
    return p->ifaces++;
}

void weir_pcapng_frame(struct weir_pcapng *p, const struct weir_pcapng_packet *packet,
                       const struct weir_frame *frame)
{
    size_t len = weir_frame_len(frame);
    uint32_t flags = (uint32_t)packet->dir;
    uint32_t front;

    if (p->error || len > LINEAR_MAX || len == 0 || packet->iface < 0)
        return;
    front = p->has_family[packet->iface] ? FAMILY_LEN : 0;
    block_begin(p, BLOCK_PACKET);
    put_u32(p, (uint32_t)packet->iface);
    put_u32(p, (uint32_t)((uint64_t)packet->at_ns >> 32));
    put_u32(p, (uint32_t)packet->at_ns);
    put_u32(p, (uint32_t)len + front);
    put_u32(p, (uint32_t)len + front);
    if (front)
        put_u32(p, frame->part[0].data[0] >> 4 == 6 ? FAMILY_INET6 : FAMILY_INET);
    linear_gather(frame, p->buffer + p->used, len);
    linear_complete(p->buffer + p->used, len, frame);
    p->used += len;
    pad(p);
    put_option(p, OPT_EPB_FLAGS, &flags, sizeof flags);
    put_text(p, OPT_COMMENT, packet->comment);
    put_text(p, OPT_COMMENT, packet->comment2);
    block_end(p);
}

/* -- the file ---------------------------------------------------------------------------------- */

int weir_pcapng_flush(struct weir_pcapng *p)
{
    size_t done = 0;

    while (!p->error && done < p->used) {
        ssize_t n = write(p->fd, p->buffer + done, p->used - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            p->error = -errno;
        else
            done += (size_t)n;
    }
    p->used = p->block = 0;
    return p->error;
}

struct weir_pcapng *weir_pcapng_open(const char *path, char *error, size_t error_size)
{
    struct weir_pcapng *p = malloc(sizeof *p);

    if (!p) {
        snprintf(error, error_size, "no memory for the capture");
        return NULL;
    }
    p->error = p->ifaces = 0;
    p->used = p->block = 0;
    if (strcmp(path, "-") == 0)
        p->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    else
        p->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (p->fd < 0) {
        snprintf(error, error_size, "can not write the capture %s: %s", path, strerror(errno));
        free(p);
        return NULL;
    }
    put_section(p);
    return p;
}

int weir_pcapng_close(struct weir_pcapng *p)
{
    int error = weir_pcapng_flush(p);

    if (close(p->fd) < 0 && !error)
        error = -errno;
    free(p);
    return error;
}
