/* The memory that two members of a wire share: two lanes, one each way.
 *
 * Knows: memfd and seals. Shape: see wire_memory.h. A peer's descriptor may be anything. Its seals
 * say that its size stays; only a memfd can have them, so there is always a page behind it (not so
 * on huge pages, which can run out: no file on them can have the size that is asked for).
 * Units: bytes. Errors: -errno. Cost: a few system calls. */
#include "drivers/wire_memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL_BYTES 4096
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static_assert(2 * sizeof(struct lane_control) <= CONTROL_BYTES, "both controls lie in one page");

static size_t memory_bytes(uint32_t lane_bytes)
{
    return CONTROL_BYTES + 2 * (size_t)lane_bytes;
}

static int map(struct wire_memory *m, uint32_t lane_bytes, int fd)
{
    void *base = mmap(NULL, memory_bytes(lane_bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (base == MAP_FAILED)
        return -errno;
    *m = (struct wire_memory){.base = base, .lane_bytes = lane_bytes};
    return 0;
}

int wire_memory_make(struct wire_memory *m, uint32_t lane_bytes)
{
    int v = 0, fd = memfd_create("weir-wire", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)memory_bytes(lane_bytes)) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        v = -errno;
    if (v == 0)
        v = map(m, lane_bytes, fd);
    if (v < 0)
        close(fd);
    return v < 0 ? v : fd;
}

static bool is_safe(int fd, uint32_t lane_bytes)
{
    struct stat s;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS)
        return false;
    return fstat(fd, &s) == 0 && s.st_size == (off_t)memory_bytes(lane_bytes);
}

int wire_memory_take(struct wire_memory *m, uint32_t lane_bytes, int fd)
{
    if (!lane_size_fits(lane_bytes) || !is_safe(fd, lane_bytes))
        return -EBADF;
    return map(m, lane_bytes, fd);
}

static struct lane lane_of(const struct wire_memory *m, int which)
{
    struct lane_control *controls = (void *)m->base;

    return (struct lane){.control = &controls[which],
                         .bytes = m->base + CONTROL_BYTES + (size_t)which * m->lane_bytes,
                         .size = m->lane_bytes};
}

void wire_memory_lanes(const struct wire_memory *m, bool is_maker, struct lane *out,
                       struct lane *in)
{
    *out = lane_of(m, is_maker ? 0 : 1);
    *in = lane_of(m, is_maker ? 1 : 0);
}

void wire_memory_free(struct wire_memory *m)
{
    if (m->base)
        munmap(m->base, memory_bytes(m->lane_bytes));
    m->base = NULL;
}
