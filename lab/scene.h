/* A scenario that is being run: its Lua state, its programs, what it claims.
 *
 * Knows: the engine, Lua. Not the command line, nor how a run is printed.
 * Shape: load runs the file, which makes nodes and says what will happen; run lets time pass.
 * Units: ns. Errors: one line in `error`, which names the scenario's line. */
#ifndef LAB_SCENE_H
#define LAB_SCENE_H

#include "lab/log.h"
#include "lab/net.h"
#include "lab/watch.h"

#define SCENE_SETS_MAX 32

enum scene_text { TEXT_TITLE, TEXT_ASKS, TEXT_WATCH, TEXT_CONCLUDE, TEXTS };

struct scene_claim {
    char *text;
    bool holds;
    int line;
    int64_t at;
};

struct scene_knob { /* of the scenario's own */
    char name[64], value[64], preset[64];
    char *doc;
    bool is_set;
};

/* A program on a host, or something that is due: a coroutine and what it waits for. */
struct scene_app {
    struct lua_State *co;
    int ref;       /* keeps the coroutine alive */
    int node;      /* -1: of no host */
    uint32_t boot; /* of the host it began on */
    bool is_due;   /* not yet begun */
    bool is_done;
    int sock;         /* -1: none */
    int wait_node;    /* -1: none */
    int mask;         /* enum weir_ready; -1: any news of the node */
    int64_t deadline; /* WEIR_NEVER: none */
};

/* What --set says, NULL ended: NAME=VALUE. */
struct scene_options {
    uint64_t seed;
    const char *const *sets;
    int64_t until_ns;   /* 0: as the scenario says */
    const char *pcapng; /* NULL: none */
    bool is_watched;    /* curves are kept */
};

struct scene {
    struct lab *lab;
    struct lab_log *log;
    struct watch *watch; /* NULL: nobody wants curves */
    struct lua_State *L;
    const struct scene_options *options;
    char *text[TEXTS];
    struct scene_claim *claim;
    int claims, claims_failed;
    struct scene_knob knob[SCENE_SETS_MAX];
    int knobs;
    struct scene_app **app;
    int apps, apps_room;
    int at_end[8]; /* references of functions */
    int at_ends;
    int show[2]; /* nodes left and right in the ladder, -1: the first two hosts */
    int64_t until_ns;
    uint64_t *stat[LAB_NODES_MAX], *drop[LAB_NODES_MAX]; /* as they stood at the end */
    bool is_quick;                                       /* programs answer before the stack does */
    bool is_broken;                                      /* an error of the scenario itself */
    char error[400];
};

/* NULL: no memory. `error` is filled, and is_broken set, where the text is wrong. */
struct scene *scene_load(const char *name, const char *text, const struct scene_options *o);
/* Lets all happen. False: broken, or a claim failed. */
bool scene_run(struct scene *s);
void scene_free(struct scene *s);

/* -- for the core's files ---------------------------------------------------------------------- */

struct scene *scene_of(struct lua_State *L);
struct lab_node *scene_node(struct lua_State *L, int arg); /* a Lua error if there is none */
void scene_claim(struct scene *s, bool holds, const char *text, int line);
int64_t scene_ns(double seconds);

/* app.c */
void app_spawn(struct scene *s, int node, int function_index);
bool app_round(struct scene *s); /* true: something ran */
int64_t app_deadline(const struct scene *s);
void app_kill(struct scene *s, int node);
void app_free_all(struct scene *s);
int app_wait(struct lua_State *L);
int app_spawn_call(struct lua_State *L);

void core_net_open(struct lua_State *L);
void core_sock_open(struct lua_State *L);
void core_data_open(struct lua_State *L);
void core_see_open(struct lua_State *L);

#endif
