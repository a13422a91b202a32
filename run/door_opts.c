/* Both doors: socket options. Those of the stack are the daemon's, the rest stays with the
 * carrier.
 *
 * Knows: which options a kernel socket answers itself, which follow from what the carrier is.
 * Shape: as libc. Units: those of the option. Errors: errno. Cost: a question to the daemon. */
#include "run/door.h"

/* Options of the carrier itself: waiting, credentials, what a kernel socket does anyway. */
bool opts_is_native(int level, int name)
{
    if (level != SOL_SOCKET)
        return false;
    switch (name) {
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
    case SO_ACCEPTCONN:
    case SO_OOBINLINE:
    case SO_PASSCRED:
    case SO_PEERCRED:
    case SO_RCVLOWAT:
    case SO_TIMESTAMP_OLD: /* of the datagram's arrival in the carrier */
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_OLD:
    case SO_TIMESTAMPNS_NEW:
    case SO_COOKIE:
        return true;
    default:
        return false;
    }
}

static bool is_constant(const struct fd_id *id, int level, int name, int *value)
{
    if (level != SOL_SOCKET)
        return false;
    switch (name) {
    case SO_TYPE:
        *value = id->kind == FD_DGRAM ? SOCK_DGRAM : SOCK_STREAM;
        return true;
    case SO_DOMAIN:
        *value = id->family;
        return true;
    case SO_PROTOCOL:
        *value = id->kind == FD_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
        return true;
    default:
        return false;
    }
}

static bool is_errors(int level, int name)
{
    return (level == IPPROTO_IP && name == IP_RECVERR) ||
           (level == IPPROTO_IPV6 && name == IPV6_RECVERR);
}

/* What is written there says what is to be read. */
static bool is_question(int level, int name)
{
    return (level == IPPROTO_IP || level == IPPROTO_IPV6) &&
           (name == MCAST_MSFILTER || (level == IPPROTO_IP && name == IP_MSFILTER));
}

EXPORT int DOOR(setsockopt)(int fd, int level, int name, const void *value, socklen_t len)
{
    struct run_ask ask = {.op = RUN_SETSOCKOPT, .level = level, .name = name, .value_len = len};
    struct run_answer answer;
    struct fd_id id;
    int v;

    if (opts_is_native(level, name) || door_id(fd, &id) == FD_FOREIGN)
        return REAL(setsockopt)(fd, level, name, value, len);
    if ((int)len < 0)
        return door_result(-EINVAL);
    if (len > sizeof ask.value) /* what is longer has nothing to say behind */
        ask.value_len = sizeof ask.value;
    if ((v = user_read(ask.value, value, ask.value_len)) < 0)
        return door_result(v);
    v = door_ask_about(&id, &ask, &answer);
    door_reads_errors |= v == 0 && is_errors(level, name);
    return door_result(v);
}

EXPORT int DOOR(getsockopt)(int fd, int level, int name, void *value, socklen_t *len)
{
    struct run_ask ask = {.op = RUN_GETSOCKOPT, .level = level, .name = name};
    struct run_answer answer;
    struct fd_id id;
    socklen_t room;
    int constant, v;

    if (opts_is_native(level, name) || door_id(fd, &id) == FD_FOREIGN)
        return REAL(getsockopt)(fd, level, name, value, len);
    if ((v = user_read(&room, len, sizeof room)) < 0)
        return door_result(v);
    if ((int)room < 0)
        return door_result(-EINVAL);
    if (is_constant(&id, level, name, &constant)) {
        answer.value_len = sizeof constant;
        memcpy(answer.value, &constant, sizeof constant);
    } else {
        ask.value_len = room < sizeof answer.value ? room : sizeof answer.value;
        if (is_question(level, name) &&
            (v = user_read(ask.value, value, room < sizeof ask.value ? room : sizeof ask.value)) <
                0)
            return door_result(v);
        if ((v = door_ask_about(&id, &ask, &answer)) < 0)
            return door_result(v);
    }
    if (answer.value_len < room)
        room = answer.value_len;
    if ((v = user_write(value, answer.value, room)) == 0)
        v = user_write(len, &room, sizeof room);
    return door_result(v);
}
