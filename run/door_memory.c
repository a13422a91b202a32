/* Addresses of the program, in and out.
 *
 * Knows: struct sockaddr of both families. Shape: through user_read and user_write, which each door
 * has its own of. Units: bytes. Errors: -EFAULT, -EINVAL, -EAFNOSUPPORT. Cost: a system call for
 * each piece. */
#include "run/door.h"

#define LEAST_IN6 24 /* without the scope: RFC 2133 */

/* -- addresses in ------------------------------------------------------------------------------ */

static void take_v4(const struct sockaddr_in *in, struct run_addr *out)
{
    out->family = 4;
    out->port = ntohs(in->sin_port);
    out->addr.b[10] = out->addr.b[11] = 0xff;
    memcpy(out->addr.b + 12, &in->sin_addr, 4);
}

static void take_v6(const struct sockaddr_in6 *in, struct run_addr *out)
{
    out->family = 6;
    out->port = ntohs(in->sin6_port);
    memcpy(out->addr.b, &in->sin6_addr, 16);
}

/* A datagram socket of IPv6 speaks to IPv4 addresses too. bind takes AF_UNSPEC for 0.0.0.0. */
int addr_from_user(const struct fd_id *id, enum addr_use use, const struct sockaddr *sa,
                   socklen_t len, struct run_addr *out)
{
    struct sockaddr_in6 copy = {.sin6_family = AF_UNSPEC};
    struct sockaddr_in four;
    size_t size = len < sizeof copy ? len : sizeof copy;
    bool is_six = id->family == AF_INET6, may_be_four = id->kind == FD_DGRAM && use != ADDR_BIND;
    int v;

    memset(out, 0, sizeof *out);
    if ((int)len < 0 || len > sizeof(struct sockaddr_storage))
        return -EINVAL;
    if ((v = user_read(&copy, sa, size)) < 0)
        return v;
    if (use == ADDR_CONNECT && len < sizeof sa->sa_family)
        return -EINVAL;
    if (use == ADDR_CONNECT && copy.sin6_family == AF_UNSPEC)
        return 0;
    memcpy(&four, &copy, sizeof four);
    if (is_six && may_be_four && copy.sin6_family == AF_INET)
        is_six = false;
    if (len < (is_six ? LEAST_IN6 : sizeof four))
        return -EINVAL;
    if (is_six && copy.sin6_family == AF_INET6) {
        take_v6(&copy, out);
        return 0;
    }
    if (is_six)
        return -EAFNOSUPPORT;
    if (four.sin_family != AF_INET &&
        (four.sin_family != AF_UNSPEC || (use == ADDR_BIND && four.sin_addr.s_addr)))
        return -EAFNOSUPPORT;
    take_v4(&four, out);
    return 0;
}

/* -- addresses out ----------------------------------------------------------------------------- */

/* As much as there is room for; the length says how long it is. */
int bytes_to_user(const void *from, size_t size, void *to, socklen_t *len)
{
    socklen_t room, is = (socklen_t)size;
    int v = user_read(&room, len, sizeof room);

    if (v < 0)
        return v;
    if ((int)room < 0)
        return -EINVAL;
    if ((v = user_write(to, from, room < size ? room : size)) < 0)
        return v;
    return user_write(len, &is, sizeof is);
}

/* Link-local addresses are on the one interface that there is. */
static uint32_t scope_of(const struct weir_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80 ? RUN_IFINDEX : 0;
}

int addr_to_user(const struct run_addr *a, int family, struct sockaddr *sa, socklen_t *len)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = scope_of(&a->addr)};

    memcpy(&in.sin_addr, a->addr.b + 12, 4);
    memcpy(&in6.sin6_addr, a->addr.b, 16);
    if (family == AF_INET)
        return bytes_to_user(&in, sizeof in, sa, len);
    return bytes_to_user(&in6, sizeof in6, sa, len);
}
