/* Wires of a test: a folder that goes away with it, members in one process, frames between them.
 *
 * Knows: weir_wire_open. Shape: all of it in one thread, so that nothing is waited for. Units:
 * bytes. Errors: a member that cannot be opened fails the test. Cost: none that matters. */
#ifndef TEST_DRIVERS_WIRE_FOLDER_H
#define TEST_DRIVERS_WIRE_FOLDER_H

#include "fake.h"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/wire.h"
#include "support/unit.h"

#define SECOND INT64_C(1000000000)

static char wire_folder[64];

static UNUSED int folder_make(void **state)
{
    (void)state;
    strcpy(wire_folder, "/tmp/weir-test-XXXXXX");
    return mkdtemp(wire_folder) ? 0 : -1;
}

/* How many files are in it. */
static UNUSED int files_there(void)
{
    DIR *d = opendir(wire_folder);
    int n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static UNUSED int folder_remove(void **state)
{
    DIR *d = opendir(wire_folder);

    (void)state;
    if (!d)
        return -1;
    for (struct dirent *e; (e = readdir(d));)
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    return rmdir(wire_folder);
}

static UNUSED int descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static UNUSED struct weir_link *member_with(struct weir_wire_config c)
{
    char error[300] = "";
    struct weir_link *link;

    c.name = c.name ? c.name : "lab";
    c.folder = wire_folder;
    link = weir_wire_open(&c, error, sizeof error);
    if (!link)
        fail_msg("%s", error);
    return link;
}

static UNUSED struct weir_link *member(void)
{
    return member_with((struct weir_wire_config){.ring_bytes = LANE_BYTES_MIN});
}

static UNUSED struct weir_wire_stats stats_of(struct weir_link *link)
{
    struct weir_wire_stats s;

    weir_wire_stats(link, &s);
    return s;
}

static UNUSED bool polls(struct weir_link *link)
{
    struct pollfd p = {weir_link_fd(link), POLLIN, 0};

    return poll(&p, 1, 0) == 1;
}

/* Takes what is there now and lies down; how many frames that were, the last of them in *last. */
static UNUSED int drain_at(struct weir_link *link, struct weir_frame *last, int64_t now_ns)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int total = 0;

    do {
        int n = link->driver->recv(link, burst, WEIR_BURST_MAX, now_ns);
        assert_in_range(n, 0, WEIR_BURST_MAX);
        if (n && last)
            *last = burst[n - 1];
        total += n;
    } while (link->driver->deadline(link) == 0 || polls(link));
    return total;
}

static UNUSED int drain(struct weir_link *link, struct weir_frame *last)
{
    return drain_at(link, last, 0);
}

/* Each hears what the others said of themselves. */
static UNUSED void settle(struct weir_link *const *link, int n)
{
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < n; i++)
            drain(link[i], NULL);
}

#define EVERYBODY "\xff\xff\xff\xff\xff\xff"

/* A frame of `len` bytes from `from` to `to`, with a number in its fifteenth byte. */
static UNUSED struct weir_frame frame_to(uint8_t *bytes, uint32_t len, const void *to,
                                         const uint8_t *from, uint8_t number)
{
    memset(bytes, number, len);
    memcpy(bytes, to, 6);
    memcpy(bytes + 6, from, 6);
    return (struct weir_frame){.part = {{bytes, len}}, .parts = 1};
}

static UNUSED void say(struct weir_link *from, const void *to, uint32_t len, uint8_t number)
{
    static uint8_t bytes[LANE_FRAME_MAX];
    struct weir_frame f = frame_to(bytes, len, to, from->iface.mac, number);

    assert_int_equal(from->driver->send(from, &f, 1, 0), 1);
}

#endif
