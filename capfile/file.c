/* Opening a capture, and reading its bytes.
 *
 * Knows: the magic numbers. Shape: a buffered stream that is read once, front to back.
 * Units: bytes. Errors: trouble, with the place. Cost: O(file) in time, one block in memory. */
#include "capfile/capfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void cap_trouble(struct file *f, const char *what)
{
    if (!f->trouble[0])
        snprintf(f->trouble, sizeof f->trouble, "%s, %llu bytes into the file, behind packet %llu",
                 what, (unsigned long long)f->at, (unsigned long long)f->packets);
}

bool cap_read(struct file *f, void *to, uint32_t n)
{
    size_t got = fread(to, 1, n, f->stream);

    f->at += got;
    if (got == n)
        return true;
    cap_trouble(f, ferror(f->stream) ? "it can not be read further" : "it is cut short");
    return false;
}

bool cap_block(struct file *f, uint32_t n)
{
    if (n > FILE_BLOCK_MAX) {
        cap_trouble(f, "it is damaged: a record claims an impossible length");
        return false;
    }
    if (n > f->room) {
        uint8_t *more = realloc(f->block, n);
        if (!more) {
            cap_trouble(f, "no memory for a record");
            return false;
        }
        f->block = more;
        f->room = n;
    }
    return cap_read(f, f->block, n);
}

uint16_t cap16(const struct file *f, const uint8_t *p)
{
    uint16_t n;

    memcpy(&n, p, sizeof n);
    return f->is_swapped ? __builtin_bswap16(n) : n;
}

uint32_t cap32(const struct file *f, const uint8_t *p)
{
    uint32_t n;

    memcpy(&n, p, sizeof n);
    return f->is_swapped ? __builtin_bswap32(n) : n;
}

/* The stream stands behind the first four bytes. */
static bool begin(struct file *f, char *error, size_t error_size)
{
    static const uint8_t pcapng_magic[4] = {0x0a, 0x0d, 0x0d, 0x0a};
    uint8_t magic[4];
    size_t n = fread(magic, 1, 4, f->stream);

    f->at = n;
    if (n == 4 && memcmp(magic, pcapng_magic, 4) == 0) {
        f->is_pcapng = true;
        f->format = "pcapng";
        return true;
    }
    if (n == 4 && cap_pcap_begin(f, magic))
        return true;
    snprintf(error, error_size,
             n < 4 ? "it holds no capture: only %zu bytes"
                   : "neither pcap nor pcapng: it begins with other bytes (%zu read)",
             n);
    return false;
}

bool cap_open(struct file *f, const char *path, char *error, size_t error_size)
{
    *f = (struct file){.stream = strcmp(path, "-") ? fopen(path, "re") : stdin};
    if (!f->stream) {
        snprintf(error, error_size, "%s", strerror(errno));
        return false;
    }
    setvbuf(f->stream, NULL, _IOFBF, 1 << 20);
    if (begin(f, error, error_size))
        return true;
    cap_close(f);
    return false;
}

bool cap_next(struct file *f, struct packet *p)
{
    if (f->trouble[0])
        return false;
    if (!(f->is_pcapng ? cap_pcapng_next(f, p) : cap_pcap_next(f, p)))
        return false;
    p->number = ++f->packets;
    f->last_ns = p->at_ns;
    return true;
}

void cap_close(struct file *f)
{
    if (f->stream && f->stream != stdin)
        fclose(f->stream);
    free(f->block);
    f->stream = NULL;
    f->block = NULL;
}
