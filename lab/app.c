/* The programs of a run: coroutines, resumed when what they wait for has come.
 *
 * Knows: Lua, readiness. Not what the programs do. Shape: in the order of their beginning, so that
 * a run is the same each time. A program dies with the host that it began on. Units: ns. Errors: an
 * error in a program breaks the scenario. Cost: O(programs) an instant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lab/scene.h"

#define STEPS_MAX 100000000 /* instructions between two waits: then it is an endless loop */

static void on_endless(lua_State *L, lua_Debug *d)
{
    int line = 0;

    for (int level = 0; lua_getstack(L, level, d); level++) {
        lua_getinfo(L, "Sl", d);
        line = d->source[0] == '@' ? d->currentline : line;
    }
    lua_pushfstring(L, "line %d: an endless loop: a program must wait for something now and then",
                    line);
    lua_error(L);
}

void app_spawn(struct scene *s, int node, int function_index)
{
    struct scene_app *a = calloc(1, sizeof *a);

    if (s->apps == s->apps_room) {
        s->apps_room = s->apps_room ? 2 * s->apps_room : 64;
        s->app = realloc(s->app, (size_t)s->apps_room * sizeof *s->app);
    }
    if (!a || !s->app)
        abort();
    *a = (struct scene_app){.node = node, .is_due = true, .sock = -1, .wait_node = -1};
    a->boot = node >= 0 ? s->lab->node[node]->boots : 0;
    lua_pushvalue(s->L, function_index);
    a->co = lua_newthread(s->L);
    a->ref = luaL_ref(s->L, LUA_REGISTRYINDEX);
    lua_xmove(s->L, a->co, 1);
    s->app[s->apps++] = a;
}

/* core.spawn(node, name, function) */
int app_spawn_call(lua_State *L)
{
    struct scene *s = scene_of(L);
    int node = (int)luaL_checkinteger(L, 1);

    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    if (L != s->L)
        lua_xmove(L, s->L, 1);
    app_spawn(s, node, lua_gettop(s->L));
    lua_pop(s->L, 1);
    return 0;
}

static struct scene_app *running(struct scene *s, const lua_State *co)
{
    for (int i = s->apps - 1; i >= 0; i--)
        if (s->app[i]->co == co)
            return s->app[i];
    return NULL;
}

/* core.wait(node, sock, mask, deadline): true when ready, false when it is late. */
int app_wait(lua_State *L)
{
    struct scene_app *a = running(scene_of(L), L);

    if (!a)
        return luaL_error(L, "only a program can wait");
    a->wait_node = (int)luaL_checkinteger(L, 1);
    a->sock = (int)luaL_checkinteger(L, 2);
    a->mask = (int)luaL_checkinteger(L, 3);
    a->deadline = lua_isnoneornil(L, 4) ? WEIR_NEVER : luaL_checkinteger(L, 4);
    return lua_yield(L, 0);
}

static bool is_ready(const struct scene *s, const struct scene_app *a)
{
    struct lab_node *n = a->wait_node >= 0 ? s->lab->node[a->wait_node] : NULL;
    int ready;

    if (!n || !n->stack)
        return false;
    if (a->mask < 0)
        return n->has_news;
    if (a->sock < 0)
        return false;
    ready = weir_readiness(n->stack, a->sock);
    return ready < 0 || ready & (a->mask | WEIR_READY_ERR | WEIR_READY_HUP);
}

static void app_end(struct scene *s, struct scene_app *a)
{
    a->is_done = true;
    luaL_unref(s->L, LUA_REGISTRYINDEX, a->ref);
    a->co = NULL;
}

static void resume(struct scene *s, struct scene_app *a, bool is_ready)
{
    int given = 0, got, r;

    if (!a->is_due) {
        lua_pushboolean(a->co, is_ready);
        given = 1;
    }
    a->is_due = false;
    a->wait_node = a->sock = -1;
    a->deadline = WEIR_NEVER;
    lua_sethook(a->co, on_endless, LUA_MASKCOUNT, STEPS_MAX);
    r = lua_resume(a->co, s->L, given, &got);
    if (r == LUA_YIELD) {
        lua_pop(a->co, got);
        return;
    }
    if (r != LUA_OK && !a->is_done && !s->is_broken) {
        const char *text = lua_tostring(a->co, -1);
        s->is_broken = true;
        snprintf(s->error, sizeof s->error, "%s", text ? text : "an error without a text");
    }
    if (!a->is_done)
        app_end(s, a);
}

static void sweep(struct scene *s)
{
    int kept = 0;

    for (int i = 0; i < s->apps; i++) {
        if (s->app[i]->is_done)
            free(s->app[i]);
        else
            s->app[kept++] = s->app[i];
    }
    s->apps = kept;
}

bool app_round(struct scene *s)
{
    int count = s->apps;
    bool did = false;

    for (int i = 0; i < count && !s->is_broken; i++) {
        struct scene_app *a = s->app[i];
        bool ready;
        if (a->is_done)
            continue;
        ready = !a->is_due && is_ready(s, a);
        if (!ready && !a->is_due && a->deadline > s->lab->now)
            continue;
        did = true;
        resume(s, a, ready);
    }
    for (int i = 0; i < s->lab->nodes; i++)
        s->lab->node[i]->has_news = false;
    if (s->apps != count)
        return true;
    sweep(s);
    return did;
}

int64_t app_deadline(const struct scene *s)
{
    int64_t at = WEIR_NEVER;

    for (int i = 0; i < s->apps; i++) {
        const struct scene_app *a = s->app[i];
        if (a->is_due)
            return s->lab->now;
        if (!a->is_done && a->deadline < at)
            at = a->deadline;
    }
    return at;
}

void app_kill(struct scene *s, int node)
{
    for (int i = 0; i < s->apps; i++)
        if (s->app[i]->node == node && !s->app[i]->is_done &&
            s->app[i]->boot == s->lab->node[node]->boots)
            app_end(s, s->app[i]);
}

void app_free_all(struct scene *s)
{
    for (int i = 0; i < s->apps; i++)
        free(s->app[i]);
    free(s->app);
}
