/* What scenarios ask and say: counters, states, time, claims, texts.
 *
 * Knows: libweir's info and counters, Lua. Shape: as core_sock.c. Units: ns, seconds for now().
 * Errors: nil, or the nearest name. Cost: info of one socket O(1), of all O(connections). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/words.h"
#include "lab/scene.h"
#include "wire/wire.h"

/* -- time, claims, texts ----------------------------------------------------------------------- */

static int call_now(lua_State *L)
{
    lua_pushnumber(L, (double)scene_of(L)->lab->now / 1e9);
    return 1;
}

static int call_now_ns(lua_State *L)
{
    lua_pushinteger(L, scene_of(L)->lab->now);
    return 1;
}

static int call_ns(lua_State *L)
{
    lua_pushinteger(L, scene_ns(luaL_checknumber(L, 1)));
    return 1;
}

static int call_lasts(lua_State *L)
{
    scene_of(L)->until_ns = luaL_checkinteger(L, 1);
    return 0;
}

static int call_quick(lua_State *L)
{
    scene_of(L)->is_quick = true;
    return 0;
}

static int call_random(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);

    luaL_argcheck(L, n > 0, 1, "above 0");
    lua_pushinteger(L, (lua_Integer)(lab_random(scene_of(L)->lab) % (uint64_t)n));
    return 1;
}

static int call_check(lua_State *L)
{
    scene_claim(scene_of(L), lua_toboolean(L, 1), luaL_checkstring(L, 2),
                (int)luaL_checkinteger(L, 3));
    return 0;
}

static int call_text(lua_State *L)
{
    static const char *const names[] = {"title", "asks", "watch", "conclude", NULL};
    struct scene *s = scene_of(L);
    int which = luaL_checkoption(L, 1, NULL, names);

    free(s->text[which]);
    s->text[which] = strdup(luaL_checkstring(L, 2));
    return 0;
}

static int call_at_end(lua_State *L)
{
    struct scene *s = scene_of(L);

    if (s->at_ends == 8)
        return luaL_error(L, "at_end: at most 8 times");
    lua_settop(L, 1);
    s->at_end[s->at_ends++] = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* core.log(host or -1, "call" or "note", text) */
static int call_log(lua_State *L)
{
    struct scene *s = scene_of(L);
    struct lab_node *n = luaL_checkinteger(L, 1) < 0 ? NULL : scene_node(L, 1);
    bool is_call = !strcmp(luaL_checkstring(L, 2), "call");

    if (n)
        lab_log_events(s->log, n, false);
    lab_log_text(s->log, is_call ? LAB_ROW_CALL : LAB_ROW_NOTE, n, luaL_checkstring(L, 3));
    return 0;
}

/* -- counters ---------------------------------------------------------------------------------- */

/* core.distance(typed, word): see base/words.h. */
static int call_distance(lua_State *L)
{
    lua_pushinteger(L, word_distance(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
    return 1;
}

static int nearest(lua_State *L, const char *(*name_at)(int), int count, const char *name)
{
    const char *best = name_at(0);

    for (int i = 1; i < count; i++)
        if (word_distance(name, name_at(i)) < word_distance(name, best))
            best = name_at(i);
    lua_pushnil(L);
    lua_pushstring(L, best);
    return 2;
}

static int call_stat(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    const char *name = luaL_checkstring(L, 2);

    for (int i = 0; i < weir_stat_count(); i++)
        if (!strcmp(weir_stat_name(i), name)) {
            lua_pushinteger(L, n->stack ? (lua_Integer)weir_stat(n->stack, i) : 0);
            return 1;
        }
    return nearest(L, weir_stat_name, weir_stat_count(), name);
}

static int call_drops(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    const char *name = luaL_optstring(L, 2, NULL);
    lua_Integer sum = 0;
    bool is_known = !name;

    for (int i = 0; i < weir_drop_count(); i++) {
        if (name && strcmp(weir_drop_name(i), name) != 0)
            continue;
        is_known = true;
        sum += n->stack ? (lua_Integer)weir_drops(n->stack, i) : 0;
    }
    if (!is_known)
        return nearest(L, weir_drop_name, weir_drop_count(), name);
    lua_pushinteger(L, sum);
    return 1;
}

static int call_memory(lua_State *L)
{
    struct weir_account a = {0};

    if (scene_node(L, 1)->stack)
        weir_account(scene_node(L, 1)->stack, &a);
    lua_pushinteger(L, (lua_Integer)a.mem_bytes);
    return 1;
}

/* -- connections ------------------------------------------------------------------------------- */

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static int push_info(lua_State *L, const struct weir_sock_info *i)
{
    lua_createtable(L, 0, 32);
    lua_pushstring(L, weir_state_name(i->state));
    lua_setfield(L, -2, "state");
    set_number(L, "recv_queue", i->recv_queue);
    set_number(L, "send_queue", i->send_queue);
    set_number(L, "cwnd", i->cwnd);
    set_number(L, "ssthresh", i->ssthresh);
    set_number(L, "srtt_us", i->srtt_us);
    set_number(L, "rto_us", i->rto_us);
    set_number(L, "min_rtt_us", i->min_rtt_us);
    set_number(L, "mss", i->mss);
    set_number(L, "pmtu", i->pmtu);
    set_number(L, "snd_wnd", i->snd_wnd);
    set_number(L, "rcv_wnd", i->rcv_wnd);
    set_number(L, "in_flight", i->in_flight);
    set_number(L, "unsent", i->unsent);
    set_number(L, "retrans", i->retrans);
    set_number(L, "segs_out", i->segs_out);
    set_number(L, "segs_in", i->segs_in);
    set_number(L, "data_segs_out", i->data_segs_out);
    set_number(L, "bytes_acked", i->bytes_acked);
    set_number(L, "bytes_received", i->bytes_received);
    set_number(L, "probes", i->probes);
    set_number(L, "backoff", i->backoff);
    set_number(L, "reordering", i->reordering);
    lua_pushstring(L, i->timer ? i->timer : "none");
    lua_setfield(L, -2, "timer");
    lua_pushnumber(L, (double)i->timer_left_us / 1e6);
    lua_setfield(L, -2, "timer_left");
    return 1;
}

static int call_info(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    struct weir_sock_info info;

    if (!n->stack || weir_info(n->stack, (int)luaL_checkinteger(L, 2), &info) < 0)
        return 0;
    return push_info(L, &info);
}

static bool is_end(const struct weir_sockaddr *a, const char *addr, lua_Integer port)
{
    char text[WEIR_ADDR_TEXT];

    return a->port == port && !strcmp(weir_addr_text(&a->addr, text), addr);
}

/* core.find(host, address, port, peer's address, peer's port): the state, or nothing. */
static int call_find(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    struct weir_sock_info info;
    uint64_t cursor = 0;

    while (n->stack && weir_info_next(n->stack, &cursor, &info)) {
        if (info.protocol != IPPROTO_TCP || info.state == WEIR_CLOSED ||
            !is_end(&info.local, luaL_checkstring(L, 2), luaL_checkinteger(L, 3)) ||
            !is_end(&info.peer, luaL_checkstring(L, 4), luaL_checkinteger(L, 5)))
            continue;
        lua_pushstring(L, weir_state_name(info.state));
        return 1;
    }
    return 0;
}

/* core.count(host, state or nil) */
static int call_count(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    const char *state = luaL_optstring(L, 2, NULL);
    struct weir_sock_info info;
    uint64_t cursor = 0;
    lua_Integer count = 0;

    while (n->stack && weir_info_next(n->stack, &cursor, &info)) {
        if (info.protocol != IPPROTO_TCP)
            continue;
        if (state ? !strcmp(weir_state_name(info.state), state)
                  : info.state != WEIR_LISTEN && info.state != WEIR_CLOSED)
            count++;
    }
    lua_pushinteger(L, count);
    return 1;
}

/* -- sequence numbers, as a spy on the wire knows them -------------------------------------------
 */

static uint32_t end_of(const struct lab_seg *s)
{
    return s->seq + s->len + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
}

/* The newest segment from one end to the other that was sent, or has arrived; NULL: none. */
static const struct lab_seg *newest(const struct scene *s, const struct weir_sockaddr *from,
                                    const struct weir_sockaddr *to, bool has_arrived)
{
    for (uint32_t i = lab_log_count(s->log); i-- > 0;) {
        const struct lab_row *r = lab_log_row(s->log, i);
        if (r->kind == LAB_ROW_SEG && r->seg.proto == LAB_TCP && r->seg.sport == from->port &&
            r->seg.dport == to->port && r->seg.src == weir_addr_to_v4(&from->addr) &&
            r->seg.dst == weir_addr_to_v4(&to->addr) && (!has_arrived || r->fate == LAB_ARRIVED))
            return &r->seg;
    }
    return NULL;
}

/* core.numbers(address, port, peer's address, peer's port): a table, or nothing. */
static int call_numbers(lua_State *L)
{
    struct weir_sockaddr local = {.port = (uint16_t)luaL_checkinteger(L, 2)};
    struct weir_sockaddr peer = {.port = (uint16_t)luaL_checkinteger(L, 4)};
    const struct lab_seg *in, *out;

    weir_addr_parse(&local.addr, luaL_checkstring(L, 1));
    weir_addr_parse(&peer.addr, luaL_checkstring(L, 3));
    in = newest(scene_of(L), &peer, &local, true);
    out = newest(scene_of(L), &local, &peer, false);
    if (!in || !out)
        return 0;
    lua_createtable(L, 0, 4);
    set_number(L, "rcv_nxt", end_of(in));
    set_number(L, "snd_nxt", end_of(out));
    set_number(L, "tsval", in->tsval);
    set_number(L, "tsecr", out->tsval);
    return 1;
}

void core_see_open(lua_State *L)
{
    static const luaL_Reg calls[] = {{"distance", call_distance},
                                     {"now", call_now},
                                     {"now_ns", call_now_ns},
                                     {"ns", call_ns},
                                     {"lasts", call_lasts},
                                     {"quick", call_quick},
                                     {"random", call_random},
                                     {"check", call_check},
                                     {"text", call_text},
                                     {"at_end", call_at_end},
                                     {"log", call_log},
                                     {"stat", call_stat},
                                     {"drops", call_drops},
                                     {"memory", call_memory},
                                     {"info", call_info},
                                     {"find", call_find},
                                     {"numbers", call_numbers},
                                     {"count", call_count},
                                     {NULL, NULL}};

    luaL_setfuncs(L, calls, 0);
}
