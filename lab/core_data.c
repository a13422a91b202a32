/* The calls of scenarios that move bytes.
 *
 * Knows: libweir's sockets, Lua. Shape: as core_sock.c. A pattern is a function of a byte's place
 * in its stream, so that a wrong byte is found wherever it is. Units: bytes. Errors: nil and a
 * name. Cost: a copy, or a pass over the bytes. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <lauxlib.h>

#include "lab/scene.h"

#define RECV_MAX (1 << 20)
#define PATTERN 251 /* a prime: no power of two hides a shift */
#define PATTERN_RUN 65536

/* The pattern from any of its places on, PATTERN_RUN bytes long. */
static const uint8_t *pattern_from(uint64_t at)
{
    static uint8_t table[PATTERN + PATTERN_RUN];

    if (!table[1])
        for (uint32_t i = 0; i < sizeof table; i++)
            table[i] = (uint8_t)(i % PATTERN);
    return table + at % PATTERN;
}

static int fail(lua_State *L, int error)
{
    const char *name = strerrorname_np(-error);

    lua_pushnil(L);
    lua_pushstring(L, error == -EAGAIN ? "EAGAIN" : name ? name : "unknown error");
    return 2;
}

static struct weir_stack *stack_at(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);

    if (!n->stack)
        luaL_error(L, "%s is down: nothing runs there", n->name);
    return n->stack;
}

static int result(lua_State *L, ssize_t r)
{
    if (r < 0)
        return fail(L, (int)r);
    lua_pushinteger(L, r);
    return 1;
}

/* core.send(host, sock, data, flags): flags has "o" for MSG_OOB, "m" for MSG_MORE. */
static int call_send(lua_State *L)
{
    size_t len;
    const char *data = luaL_checklstring(L, 3, &len);
    const char *flags = luaL_checkstring(L, 4);
    int bits = (strchr(flags, 'o') ? MSG_OOB : 0) | (strchr(flags, 'm') ? MSG_MORE : 0);

    return result(L, weir_send(stack_at(L), (int)luaL_checkinteger(L, 2), data, len, bits));
}

static int call_recv(lua_State *L)
{
    static char data[RECV_MAX]; /* one call at a time, one thread */
    lua_Integer max = luaL_checkinteger(L, 3);
    ssize_t n;

    max = max < RECV_MAX ? max : RECV_MAX;
    n = weir_recv(stack_at(L), (int)luaL_checkinteger(L, 2), data, (size_t)max, 0);
    if (n < 0)
        return fail(L, (int)n);
    lua_pushlstring(L, data, (size_t)n);
    return 1;
}

/* core.send_pattern(host, sock, at, most): how many bytes of the stream from `at` on went in. */
static int call_send_pattern(lua_State *L)
{
    struct weir_stack *k = stack_at(L);
    int sock = (int)luaL_checkinteger(L, 2);
    uint64_t at = (uint64_t)luaL_checkinteger(L, 3);
    lua_Integer most = luaL_checkinteger(L, 4);
    struct weir_space space[2];
    uint32_t n = 0;
    int slices = weir_send_space(k, sock, most < RECV_MAX ? (uint32_t)most : RECV_MAX, space);

    if (slices < 0)
        return fail(L, slices);
    if (!slices)
        return fail(L, -EAGAIN);
    for (int i = 0; i < slices; i++)
        for (uint32_t j = 0; j < space[i].len; j += PATTERN_RUN) {
            uint32_t left = space[i].len - j, run = left < PATTERN_RUN ? left : PATTERN_RUN;
            memcpy(space[i].data + j, pattern_from(at + n), run);
            n += run;
        }
    slices = weir_send_commit(k, sock, n, 0);
    return slices < 0 ? fail(L, slices) : result(L, n);
}

static bool is_pattern(const uint8_t *p, uint32_t n, uint64_t at)
{
    for (uint32_t i = 0; i < n; i += PATTERN_RUN)
        if (memcmp(p + i, pattern_from(at + i), n - i < PATTERN_RUN ? n - i : PATTERN_RUN) != 0)
            return false;
    return true;
}

/* core.recv_pattern(host, sock, at, most): how many bytes came; 0 at the end of the stream. */
static int call_recv_pattern(lua_State *L)
{
    struct weir_stack *k = stack_at(L);
    int sock = (int)luaL_checkinteger(L, 2);
    uint64_t at = (uint64_t)luaL_checkinteger(L, 3);
    lua_Integer most = luaL_checkinteger(L, 4);
    struct weir_slice slice[2];
    bool has_ended = false;
    uint32_t n = 0;
    int slices = weir_recv_slices(k, sock, slice, &has_ended);

    if (slices < 0)
        return fail(L, slices);
    if (!slices)
        return has_ended ? result(L, 0) : fail(L, -EAGAIN);
    for (int i = 0; i < slices && n < most; i++) {
        uint32_t here = slice[i].len < most - n ? slice[i].len : (uint32_t)(most - n);
        if (!is_pattern(slice[i].data, here, at + n)) {
            lua_pushnil(L);
            lua_pushstring(L, "wrong byte");
            return 2;
        }
        n += here;
    }
    weir_recv_consume(k, sock, n);
    return result(L, n);
}

/* -- datagrams and echo ------------------------------------------------------------------------ */

static int call_sendto(lua_State *L)
{
    struct weir_sockaddr to = {.port = (uint16_t)luaL_checkinteger(L, 4)};
    size_t len;
    const char *data = luaL_checklstring(L, 5, &len);

    if (weir_addr_parse(&to.addr, luaL_checkstring(L, 3)) < 0)
        return fail(L, -EINVAL);
    return result(L, weir_sendto(stack_at(L), (int)luaL_checkinteger(L, 2), data, len, 0, &to));
}

static int call_recvfrom(lua_State *L)
{
    char data[65536], text[WEIR_ADDR_TEXT];
    struct weir_sockaddr from;
    ssize_t n = weir_recvfrom(stack_at(L), (int)luaL_checkinteger(L, 2), data, sizeof data, 0,
                              &from);

    if (n < 0)
        return fail(L, (int)n);
    lua_pushlstring(L, data, (size_t)n);
    lua_pushstring(L, weir_addr_text(&from.addr, text));
    lua_pushinteger(L, from.port);
    return 3;
}

/* core.ping(host, sock, address, bytes) */
static int call_ping(lua_State *L)
{
    uint8_t message[8 + 65507] = {8};
    struct weir_sockaddr to = {0};
    lua_Integer size = luaL_checkinteger(L, 4);
    int sock = (int)luaL_checkinteger(L, 2), r;

    if (weir_addr_parse(&to.addr, luaL_checkstring(L, 3)) < 0 || size < 0 || size > 65000)
        return fail(L, -EINVAL);
    if (!weir_addr_is_v4(&to.addr))
        message[0] = 128; /* an echo request of ICMPv6 */
    message[7] = 1;       /* the first of its sequence */
    r = weir_connect(stack_at(L), sock, &to);
    if (r < 0)
        return fail(L, r);
    return result(L, weir_send(stack_at(L), sock, message, 8 + (size_t)size, 0));
}

/* core.pong(host, sock): who answered; or nil, the error, and who told of it. */
static int call_pong(lua_State *L)
{
    uint8_t message[2048];
    struct weir_sockaddr from;
    char text[WEIR_ADDR_TEXT];
    uint32_t teller;
    ssize_t n = weir_recvfrom(stack_at(L), (int)luaL_checkinteger(L, 2), message, sizeof message, 0,
                              &from);

    if (n >= 0) {
        lua_pushstring(L, weir_addr_text(&from.addr, text));
        return 1;
    }
    fail(L, (int)n);
    teller = lab_log_told_by(scene_of(L)->log, scene_node(L, 1));
    from.addr = scene_of(L)->lab->has_ip6 ? lab_addr6(teller) : weir_addr_v4(teller);
    if (n == -EAGAIN || !teller)
        return 2;
    lua_pushstring(L, weir_addr_text(&from.addr, text));
    return 3;
}

void core_data_open(lua_State *L)
{
    static const luaL_Reg calls[] = {{"send", call_send},
                                     {"recv", call_recv},
                                     {"send_pattern", call_send_pattern},
                                     {"recv_pattern", call_recv_pattern},
                                     {"sendto", call_sendto},
                                     {"recvfrom", call_recvfrom},
                                     {"ping", call_ping},
                                     {"pong", call_pong},
                                     {NULL, NULL}};

    luaL_setfuncs(L, calls, 0);
}
