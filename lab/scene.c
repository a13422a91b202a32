/* Loading and running a scenario.
 *
 * Knows: Lua, the engine, apps. Shape: instants; at each, first the network, then the programs,
 * until both rest; then time jumps. Units: ns. Errors: in script->error. Cost: what the run costs.
 */
#include "lab/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/words.h"
#include "lab/embed.h"

#define UNTIL_PRESET_NS (7200 * 1000000000ll)
#define ROUNDS_MAX 100000 /* of one instant: then it never ends */

struct scene *scene_of(lua_State *L)
{
    return *(struct scene **)lua_getextraspace(L);
}

int64_t scene_ns(double seconds)
{
    return seconds >= 9e9 ? WEIR_NEVER : (int64_t)llround(seconds * 1e9);
}

void scene_claim(struct scene *s, bool holds, const char *text, int line)
{
    s->claim = realloc(s->claim, (size_t)(s->claims + 1) * sizeof *s->claim);
    if (!s->claim)
        abort();
    s->claim[s->claims++] = (struct scene_claim){strdup(text), holds, line, s->lab->now};
    s->claims_failed += !holds;
}

static void broken(struct scene *s)
{
    const char *text = lua_tostring(s->L, -1);

    s->is_broken = true;
    snprintf(s->error, sizeof s->error, "%s", text ? text : "an error without a text");
    lua_pop(s->L, 1);
}

/* -- loading ----------------------------------------------------------------------------------- */

/* Runs one of our own files with what it needs on the stack; leaves its result. */
static bool open_words(struct scene *s, const char *file, int args)
{
    const struct lab_file *f = lab_words(file);

    if (luaL_loadbuffer(s->L, f->text, f->size, file) != LUA_OK)
        return false;
    lua_insert(s->L, -1 - args);
    return lua_pcall(s->L, args, 1, 0) == LUA_OK;
}

/* Stack afterwards: env, core, lab. */
static bool open_all(struct scene *s)
{
    static const char *const files[] = {"link.lua", "host.lua", "sandbox.lua"};
    lua_State *L = s->L;

    lua_pushvalue(L, 2);
    lua_pushvalue(L, 1);
    if (!open_words(s, "words.lua", 2))
        return false;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 3);
        if (!open_words(s, files[i], 3))
            return false;
        lua_pop(L, 1);
    }
    return true;
}

static int load_all(lua_State *L)
{
    struct scene *s = scene_of(L);
    const char *name = lua_touserdata(L, 1), *text = lua_touserdata(L, 2);
    char source[256];

    snprintf(source, sizeof source, "@%s", name);
    lua_settop(L, 0);
    luaL_openlibs(L);
    lua_newtable(L); /* env */
    lua_newtable(L); /* core */
    lua_pushstring(L, source);
    lua_setfield(L, 2, "source");
    core_net_open(L);
    core_sock_open(L);
    core_data_open(L);
    core_see_open(L);
    if (!open_all(s) || luaL_loadbufferx(L, text, strlen(text), source, "t") != LUA_OK)
        return lua_error(L);
    lua_pushvalue(L, 1);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 0);
    return 0;
}

struct scene *scene_load(const char *name, const char *text, const struct scene_options *o)
{
    struct scene *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->options = o;
    s->lab = lab_new(o->seed);
    s->L = luaL_newstate();
    if (!s->lab || !s->L)
        abort();
    s->log = s->lab->log = lab_log_new(s->lab);
    if (o->is_watched)
        s->watch = watch_new(s->lab);
    s->show[0] = s->show[1] = -1;
    s->until_ns = UNTIL_PRESET_NS;
    *(struct scene **)lua_getextraspace(s->L) = s;
    lua_pushcfunction(s->L, load_all);
    lua_pushlightuserdata(s->L, (void *)name);
    lua_pushlightuserdata(s->L, (void *)text);
    if (lua_pcall(s->L, 2, 0, 0) != LUA_OK)
        broken(s);
    else if (!s->text[TEXT_TITLE]) {
        s->is_broken = true;
        snprintf(s->error, sizeof s->error, "%s:1: a scenario begins with its title: title \"...\"",
                 name);
    }
    return s;
}

/* -- running ----------------------------------------------------------------------------------- */

/* All that happens at this instant. */
static void settle(struct scene *s)
{
    for (int i = 0; i < ROUNDS_MAX && !s->is_broken; i++) {
        bool moved = lab_input(s->lab);
        if (!s->is_quick)
            moved |= lab_output(s->lab);
        if (moved && !s->is_quick)
            continue;
        moved |= app_round(s);
        for (int n = 0; n < s->lab->nodes; n++)
            lab_log_events(s->log, s->lab->node[n], false);
        moved |= lab_output(s->lab);
        if (!moved)
            return;
    }
    if (s->is_broken)
        return;
    s->is_broken = true;
    snprintf(s->error, sizeof s->error, "the programs do not rest: no time passes at %.6f s",
             (double)s->lab->now / 1e9);
}

static void let_pass(struct scene *s)
{
    while (!s->is_broken) {
        int64_t net, app;
        settle(s);
        if (s->watch)
            watch_look(s->watch);
        net = lab_deadline(s->lab);
        app = app_deadline(s);
        net = app < net ? app : net;
        if (net > s->until_ns)
            break;
        s->lab->now = net;
    }
}

/* frames in == delivered + answered + forwarded + parked + dropped, at each stack. */
static void check_conserved(struct scene *s)
{
    for (int i = 0; i < s->lab->nodes; i++) {
        struct lab_node *n = s->lab->node[i];
        struct weir_account a;
        char text[80];
        if (!n->stack)
            continue;
        weir_account(n->stack, &a);
        if (a.frames_in == a.delivered + a.answered + a.forwarded + a.parked + a.dropped)
            continue;
        snprintf(text, sizeof text, "no frame is lost inside the stack of %s", n->name);
        scene_claim(s, false, text, 0);
    }
}

/* The counters are kept and the stacks go; what they still hold then is a leak. */
static void halt(struct scene *s)
{
    for (int i = 0; i < s->lab->nodes; i++) {
        const struct weir_stack *k = s->lab->node[i]->stack;
        s->stat[i] = calloc((size_t)weir_stat_count(), sizeof **s->stat);
        s->drop[i] = calloc((size_t)weir_drop_count(), sizeof **s->drop);
        if (!s->stat[i] || !s->drop[i])
            abort();
        for (int j = 0; k && j < weir_stat_count(); j++)
            s->stat[i][j] = weir_stat(k, j);
        for (int j = 0; k && j < weir_drop_count(); j++)
            s->drop[i][j] = weir_drops(k, j);
    }
    if (lab_halt(s->lab) != 0)
        scene_claim(s, false, "no stack keeps memory when it ends", 0);
}

/* conclude may be a function, which is called when all is over and gives the text. */
static void run_at_ends(struct scene *s)
{
    for (int i = 0; i < s->at_ends && !s->is_broken; i++) {
        lua_rawgeti(s->L, LUA_REGISTRYINDEX, s->at_end[i]);
        if (lua_pcall(s->L, 0, 0, 0) != LUA_OK)
            broken(s);
    }
}

static const struct scene_knob *nearest_knob(const struct scene *s, const char *typed)
{
    const struct scene_knob *best = &s->knob[0];

    for (int i = 1; i < s->knobs; i++)
        if (word_distance(typed, s->knob[i].name) < word_distance(typed, best->name))
            best = &s->knob[i];
    return best;
}

/* A set that nobody took is a mistake of who typed it. */
static void check_sets(struct scene *s)
{
    for (const char *const *set = s->options->sets; set && *set && !s->is_broken; set++) {
        size_t len = strcspn(*set, "=");
        bool is_ours = false;
        char name[64];
        for (int i = 0; i < s->knobs; i++)
            is_ours |= strlen(s->knob[i].name) == len && !strncmp(s->knob[i].name, *set, len);
        if (is_ours || !strncmp(*set, "net.", 4))
            continue;
        s->is_broken = true;
        snprintf(name, sizeof name, "%.*s", (int)len, *set);
        if (s->knobs)
            snprintf(s->error, sizeof s->error, "--set %s: no such knob: did you mean '%s'?", *set,
                     nearest_knob(s, name)->name);
        else
            snprintf(s->error, sizeof s->error,
                     "--set %s: the scenario has no knobs, its hosts have net....", *set);
    }
}

/* The stacks' knobs of --set come last, so that they win. */
static void set_knobs(struct scene *s)
{
    for (const char *const *set = s->options->sets; set && *set && !s->is_broken; set++) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*set, "="), *set);
        for (int i = 0; i < s->lab->nodes && !strncmp(name, "net.", 4); i++) {
            if (s->lab->node[i]->kind == LAB_SWITCH ||
                lab_knob(s->lab->node[i], name, *set + strcspn(*set, "=") + 1) == 0)
                continue;
            s->is_broken = true;
            snprintf(s->error, sizeof s->error, "--set %s: not possible; the nearest knob is %s",
                     *set, weir_knob_nearest(name));
        }
    }
}

bool scene_run(struct scene *s)
{
    check_sets(s);
    set_knobs(s);
    if (!s->is_broken && s->options->pcapng && lab_capture_open(s->lab, s->options->pcapng) < 0) {
        s->is_broken = true;
        snprintf(s->error, sizeof s->error, "%s", s->lab->error);
    }
    if (s->options->until_ns)
        s->until_ns = s->options->until_ns;
    let_pass(s);
    if (!s->is_broken)
        run_at_ends(s);
    if (s->is_broken && s->claims_failed) { /* it stumbled over what a claim told already */
        scene_claim(s, false, s->error, 0);
        s->is_broken = false;
    }
    check_conserved(s);
    halt(s);
    if (lab_capture_close(s->lab) < 0)
        scene_claim(s, false, s->lab->error, 0);
    return !s->is_broken && !s->claims_failed;
}

void scene_free(struct scene *s)
{
    if (!s)
        return;
    app_free_all(s);
    lua_close(s->L);
    s->lab->log = NULL;
    lab_log_free(s->log);
    watch_free(s->watch);
    for (int i = 0; i < TEXTS; i++)
        free(s->text[i]);
    for (int i = 0; i < s->claims; i++)
        free(s->claim[i].text);
    for (int i = 0; i < s->knobs; i++)
        free(s->knob[i].doc);
    for (int i = 0; i < s->lab->nodes; i++) {
        free(s->stat[i]);
        free(s->drop[i]);
    }
    lab_free(s->lab);
    free(s->claim);
    free(s);
}
