/* The reader's side of RUN_DUMP.
 *
 * Knows: run/protocol.h. Shape: see live.h. Units: ns, bytes. Errors: a sentence. Cost: a copy a
 * packet. */
#include "dump/live.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/run.h"

#define LINKTYPE_ETHERNET 1
#define LINKTYPE_RAW 101
#define MESSAGE_MAX (sizeof(struct run_frame) + 256 + RUN_FRAME_MAX)

static int connect_to(const char *name)
{
    struct run_ask ask = {.op = RUN_DUMP};
    struct sockaddr_un un;
    socklen_t len = name_set(&un, name, "ctl");
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), room = 4 << 20;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(fd, (struct sockaddr *)&un, len) == 0 &&
        send(fd, &ask, sizeof ask, MSG_NOSIGNAL) == (ssize_t)sizeof ask)
        return fd;
    close(fd);
    return -errno;
}

static const char *refusal(int error)
{
    switch (error) {
    case EPERM:
        return "it is another user's; ask with sudo";
    case ENOBUFS:
        return "eight others watch it; end one of them";
    default:
        return strerror(error);
    }
}

int live_open(const char *name, struct live_end *end)
{
    struct run_answer a = {.result = -EPROTO};
    int fd = connect_to(name);
    ssize_t n = fd < 0 ? fd : recv(fd, &a, sizeof a, 0);

    *end = (struct live_end){.packets = 0};
    if (n == (ssize_t)sizeof(struct run_frame)) /* the empty one */
        return fd;
    snprintf(end->error, sizeof end->error, "the stack %s can not be watched: %s", name,
             refusal(fd < 0 ? -fd : -a.result));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* False: no frame. */
static bool open_message(const uint8_t *message, size_t n, struct packet *p, struct live_end *end)
{
    struct run_frame h;

    if (n < sizeof h)
        return false;
    memcpy(&h, message, sizeof h);
    if (n != sizeof h + h.why_len + h.len || h.len == 0)
        return false;
    *p = (struct packet){.at_ns = h.at_ns,
                         .number = ++end->packets,
                         .link = h.type == WEIR_LINK_ETHER ? LINKTYPE_ETHERNET : LINKTYPE_RAW,
                         .data = message + sizeof h + h.why_len,
                         .len = h.len,
                         .wire_len = h.len,
                         .note = {(const char *)message + sizeof h},
                         .note_len = {h.why_len},
                         .notes = h.why_len > 0};
    end->dropped = h.dropped;
    return true;
}

int live_packets(int fd, bool (*on)(const struct packet *p, void *arg), void *arg,
                 const volatile sig_atomic_t *is_over, struct live_end *end)
{
    uint8_t *message = malloc(MESSAGE_MAX);
    struct packet p;
    bool goes_on = message != NULL;

    if (!message)
        snprintf(end->error, sizeof end->error, "no memory");
    while (goes_on && !*is_over) {
        ssize_t n = recv(fd, message, MESSAGE_MAX, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (open_message(message, (size_t)n, &p, end))
            goes_on = on(&p, arg);
    }
    close(fd);
    free(message);
    return message ? 0 : -1;
}
