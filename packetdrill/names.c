/* Names that scripts use for the numbers of the socket interface: see names.h.
 *
 * Knows: the host's headers. Shape: names.def is the table. Units: none. Errors: false.
 * Cost: O(table). */
#include "packetdrill/names.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#ifndef TIOCINQ
#define TIOCINQ FIONREAD
#endif

static const struct {
    const char *name;
    int64_t value;
    bool is_error;
} names[] = {
#define N(name) {#name, (int64_t)(uint32_t)(name), false},
#define E(name) {#name, name, true},
#include "packetdrill/names.def"
#undef N
#undef E
    /* Not in the headers, but in scripts that check TCP_INFO. */
    {"TCP_INFINITE_SSTHRESH", 0x7fffffff, false},
};
#define NAMES (sizeof names / sizeof names[0])

bool name_value(const char *name, int64_t *value)
{
    for (size_t i = 0; i < NAMES; i++)
        if (!names[i].is_error && strcmp(names[i].name, name) == 0) {
            *value = names[i].value;
            return true;
        }
    return false;
}

bool name_errno(const char *name, int *error)
{
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].is_error && strcmp(names[i].name, name) == 0) {
            *error = (int)names[i].value;
            return true;
        }
    return false;
}

const char *errno_name(int error)
{
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].is_error && names[i].value == error)
            return names[i].name;
    return "an errno without a name here";
}

/* Letters in common at both ends: enough to find a slip of the finger. */
static size_t likeness(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), head = 0, tail = 0, least = n < m ? n : m;

    while (head < least && a[head] == b[head])
        head++;
    while (tail < least - head && a[n - 1 - tail] == b[m - 1 - tail])
        tail++;
    return (head + tail) * 64 - (n > m ? n - m : m - n);
}

const char *name_nearest(const char *name)
{
    const char *best = names[0].name;
    size_t most = 0;

    for (size_t i = 0; i < NAMES; i++) {
        size_t alike = likeness(name, names[i].name);
        if (alike < SIZE_MAX / 2 && alike > most) {
            most = alike;
            best = names[i].name;
        }
    }
    return best;
}

char *bits_text(const char *prefix, uint32_t bits, char *text, size_t size)
{
    size_t len = 0;

    snprintf(text, size, "0");
    for (size_t i = 0; i < NAMES && bits; i++) {
        uint32_t value = (uint32_t)names[i].value;
        if (strncmp(names[i].name, prefix, strlen(prefix)) || !value || (bits & value) != value ||
            value & (value - 1))
            continue;
        len += (size_t)snprintf(text + len, size - len, "%s%s", len ? "|" : "", names[i].name);
        bits &= ~value;
        if (len >= size)
            return text;
    }
    if (bits)
        snprintf(text + len, size - len, "%s0x%x", len ? "|" : "", bits);
    return text;
}
