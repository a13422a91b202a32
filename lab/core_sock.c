/* The socket calls of scenarios: libweir's, one by one, none of which waits.
 *
 * Knows: libweir's sockets, Lua. Shape: a host's number, a socket, arguments. Units: as libweir.
 * Errors: nil and the name of the error, such as "ECONNRESET". Cost: that of the call. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <lauxlib.h>

#include "lab/scene.h"

static int fail(lua_State *L, int error)
{
    const char *name = strerrorname_np(-error);

    lua_pushnil(L);
    lua_pushstring(L, name ? !strcmp(name, "EWOULDBLOCK") ? "EAGAIN" : name : "unknown error");
    return 2;
}

static int result(lua_State *L, ssize_t r)
{
    if (r < 0)
        return fail(L, (int)r);
    lua_pushinteger(L, r);
    return 1;
}

/* The stack of the host in argument 1; a Lua error if it is down. */
static struct weir_stack *stack_at(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);

    if (!n->stack)
        luaL_error(L, "%s is down: nothing runs there", n->name);
    return n->stack;
}

static int sock_at(lua_State *L)
{
    return (int)luaL_checkinteger(L, 2);
}

static bool get_addr(lua_State *L, int arg, struct weir_sockaddr *out)
{
    *out = (struct weir_sockaddr){.port = 0};
    if (!scene_of(L)->lab->has_ip6)
        out->addr = weir_addr_v4(0);
    out->port = (uint16_t)luaL_checkinteger(L, arg + 1);
    return lua_isnil(L, arg) || weir_addr_parse(&out->addr, luaL_checkstring(L, arg)) == 0;
}

static void push_addr(lua_State *L, const struct weir_sockaddr *a)
{
    char text[WEIR_ADDR_TEXT];

    lua_pushstring(L, weir_addr_text(&a->addr, text));
    lua_pushinteger(L, a->port);
}

static int call_socket(lua_State *L)
{
    const char *kind = luaL_checkstring(L, 2);
    bool is_tcp = !strcmp(kind, "tcp"), is_ping = !strcmp(kind, "ping");

    bool is_v6 = scene_of(L)->lab->has_ip6; /* one socket for both */
    int icmp = is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;

    return result(L, weir_socket(stack_at(L), is_v6 ? AF_INET6 : AF_INET,
                                 is_tcp ? SOCK_STREAM : SOCK_DGRAM, is_ping ? icmp : 0));
}

static int call_bind(lua_State *L)
{
    struct weir_sockaddr a;

    if (!get_addr(L, 3, &a))
        return fail(L, -EINVAL);
    return result(L, weir_bind(stack_at(L), sock_at(L), &a));
}

static int call_listen(lua_State *L)
{
    struct scene *s = scene_of(L);
    struct weir_sockaddr local;
    int r = weir_listen(stack_at(L), sock_at(L), (int)luaL_checkinteger(L, 3));

    if (r == 0 && weir_getsockname(stack_at(L), sock_at(L), &local) == 0)
        lab_log_listens(s->log, scene_node(L, 1), local.port);
    return result(L, r);
}

static int call_accept(lua_State *L)
{
    return result(L, weir_accept(stack_at(L), sock_at(L), NULL));
}

static int call_connect(lua_State *L)
{
    struct weir_sockaddr a;

    if (!get_addr(L, 3, &a))
        return fail(L, -EINVAL);
    return result(L, weir_connect(stack_at(L), sock_at(L), &a));
}

/* core.ends(host, sock): local address and port, the peer's address and port. */
static int call_ends(lua_State *L)
{
    struct weir_sockaddr local = {0}, peer = {0};

    weir_getsockname(stack_at(L), sock_at(L), &local);
    weir_getpeername(stack_at(L), sock_at(L), &peer);
    push_addr(L, &local);
    push_addr(L, &peer);
    return 4;
}

static int call_shutdown(lua_State *L)
{
    return result(L, weir_shutdown(stack_at(L), sock_at(L), (int)luaL_checkinteger(L, 3)));
}

static int call_close(lua_State *L)
{
    return result(L, weir_close(stack_at(L), sock_at(L)));
}

static int call_abort(lua_State *L)
{
    return result(L, weir_abort(stack_at(L), sock_at(L)));
}

/* The name of SO_ERROR, or nothing. */
static int call_sock_error(lua_State *L)
{
    int error = 0;
    size_t len = sizeof error;
    int r = weir_getsockopt(stack_at(L), sock_at(L), SOL_SOCKET, SO_ERROR, &error, &len);

    if (r < 0 || !error)
        return 0;
    fail(L, -error);
    return 1;
}

/* -- options ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int level, option;
} options[] = {
    {"nodelay", IPPROTO_TCP, TCP_NODELAY},
    {"cork", IPPROTO_TCP, TCP_CORK},
    {"keepalive", SOL_SOCKET, SO_KEEPALIVE},
    {"keepidle", IPPROTO_TCP, TCP_KEEPIDLE},
    {"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL},
    {"keepcnt", IPPROTO_TCP, TCP_KEEPCNT},
    {"rcvbuf", SOL_SOCKET, SO_RCVBUF},
    {"sndbuf", SOL_SOCKET, SO_SNDBUF},
    {"reuseaddr", SOL_SOCKET, SO_REUSEADDR},
    {"reuseport", SOL_SOCKET, SO_REUSEPORT},
    {"maxseg", IPPROTO_TCP, TCP_MAXSEG},
    {"user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT},
    {"defer_accept", IPPROTO_TCP, TCP_DEFER_ACCEPT},
    {"quickack", IPPROTO_TCP, TCP_QUICKACK},
    {"broadcast", SOL_SOCKET, SO_BROADCAST},
    {"ttl", IPPROTO_IP, IP_TTL},
    {"recverr", IPPROTO_IP, IP_RECVERR},
};

static int call_setopt(lua_State *L)
{
    const char *name = luaL_checkstring(L, 3);
    int value;
    struct linger linger = {.l_onoff = 1};

    if (!strcmp(name, "congestion")) {
        size_t len;
        const char *algorithm = luaL_checklstring(L, 4, &len);
        return result(L, weir_setsockopt(stack_at(L), sock_at(L), IPPROTO_TCP, TCP_CONGESTION,
                                         algorithm, len));
    }
    value = (int)luaL_checkinteger(L, 4);
    linger.l_linger = value;
    if (!strcmp(name, "linger"))
        return result(L, weir_setsockopt(stack_at(L), sock_at(L), SOL_SOCKET, SO_LINGER, &linger,
                                         sizeof linger));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (!strcmp(options[i].name, name))
            return result(L, weir_setsockopt(stack_at(L), sock_at(L), options[i].level,
                                             options[i].option, &value, sizeof value));
    return fail(L, -ENOPROTOOPT);
}

void core_sock_open(lua_State *L)
{
    static const luaL_Reg calls[] = {{"socket", call_socket},     {"bind", call_bind},
                                     {"listen", call_listen},     {"accept", call_accept},
                                     {"connect", call_connect},   {"ends", call_ends},
                                     {"shutdown", call_shutdown}, {"close", call_close},
                                     {"abort", call_abort},       {"sock_error", call_sock_error},
                                     {"setopt", call_setopt},     {"wait", app_wait},
                                     {"spawn", app_spawn_call},   {NULL, NULL}};

    luaL_setfuncs(L, calls, 0);
}
