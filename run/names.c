/* Abstract names of carriers and of the daemon's sockets.
 *
 * Knows: the layout of protocol.h. Shape: text only; used by the daemon and by the preload door.
 * Units: none. Errors: false for a foreign name. Cost: O(name). */
#include "run/names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "run/protocol.h"

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

socklen_t name_set(struct sockaddr_un *un, const char *daemon, const char *rest)
{
    size_t n, room = sizeof un->sun_path - 1;

    memset(un, 0, sizeof *un);
    un->sun_family = AF_UNIX;
    n = (size_t)snprintf(un->sun_path + 1, room, RUN_PREFIX "%s/%s", daemon, rest);
    return (socklen_t)(PATH_AT + 1 + (n < room ? n : room - 1)); /* cut: a name that nobody has */
}

bool name_rest(const struct sockaddr_un *un, socklen_t len, const char *daemon,
               char rest[sizeof(((struct sockaddr_un *)0)->sun_path)])
{
    size_t prefix = strlen(RUN_PREFIX), id = strlen(daemon);
    size_t n = len > PATH_AT + 1 ? len - PATH_AT - 1 : 0;
    const char *name = un->sun_path + 1;

    if (un->sun_family != AF_UNIX || n < prefix + id + 2 || un->sun_path[0] != '\0')
        return false;
    if (memcmp(name, RUN_PREFIX, prefix) || memcmp(name + prefix, daemon, id) ||
        name[prefix + id] != '/')
        return false;
    n -= prefix + id + 1;
    memcpy(rest, name + prefix + id + 1, n);
    rest[n] = '\0';
    return true;
}

static void hex_of(const struct weir_addr *a, char text[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", a->b[i]);
}

static bool addr_of(const char *text, struct weir_addr *a)
{
    if (strlen(text) != 32)
        return false;
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        a->b[i] = (uint8_t)byte;
    }
    return true;
}

void name_accepted_text(const struct name_accepted *a, char rest[100])
{
    char peer[33], local[33];

    hex_of(&a->peer.addr, peer);
    hex_of(&a->local.addr, local);
    snprintf(rest, 100, "p/%u/%s/%u/%s/%u", a->number, peer, a->peer.port, local, a->local.port);
}

bool name_accepted_parse(const char *rest, struct name_accepted *out)
{
    char peer[33], local[33];
    unsigned peer_port, local_port;

    if (sscanf(rest, "p/%u/%32[0-9a-f]/%u/%32[0-9a-f]/%u", &out->number, peer, &peer_port, local,
               &local_port) != 5 ||
        peer_port > UINT16_MAX || local_port > UINT16_MAX)
        return false;
    out->peer.port = (uint16_t)peer_port;
    out->local.port = (uint16_t)local_port;
    out->peer.ifindex = out->local.ifindex = 0;
    return addr_of(peer, &out->peer.addr) && addr_of(local, &out->local.addr);
}
