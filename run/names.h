/* Abstract names of carriers and of the daemon's sockets: see protocol.h.
 *
 * Knows: the layout of a name. Shape: "weir/DAEMON/REST" behind a zero byte. Units: none.
 * Errors: NULL or false for a foreign name. */
#ifndef RUN_NAMES_H
#define RUN_NAMES_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <weir/addr.h>

/* Fills in the name and returns its length for bind and connect. */
socklen_t name_set(struct sockaddr_un *un, const char *daemon, const char *rest);
/* What follows "weir/DAEMON/", zero terminated in `rest`; false: not a name of this daemon. */
bool name_rest(const struct sockaddr_un *un, socklen_t len, const char *daemon,
               char rest[sizeof(((struct sockaddr_un *)0)->sun_path)]);

struct name_accepted {
    unsigned number;
    struct weir_sockaddr peer, local;
};
void name_accepted_text(const struct name_accepted *a, char rest[100]);
bool name_accepted_parse(const char *rest, struct name_accepted *out);

#endif
