/* What scenarios call to make a network and to hurt it.
 *
 * Knows: the engine, Lua. Shape: functions of the table `core`; nodes and links are numbers there,
 * from 0. Units: ns. Errors: nil and a text, or a text. Cost: that of the engine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lab/scene.h"
#include "wire/wire.h"

struct lab_node *scene_node(lua_State *L, int arg)
{
    struct lab *lab = scene_of(L)->lab;
    lua_Integer i = luaL_checkinteger(L, arg);

    luaL_argcheck(L, i >= 0 && i < lab->nodes, arg, "no such node");
    return lab->node[i];
}

static struct lab_link *link_at(lua_State *L, int arg)
{
    struct lab *lab = scene_of(L)->lab;
    lua_Integer i = luaL_checkinteger(L, arg);

    luaL_argcheck(L, i >= 0 && i < lab->links, arg, "no such link");
    return lab->link[i];
}

static int fail(lua_State *L, const char *text)
{
    lua_pushnil(L);
    lua_pushstring(L, text);
    return 2;
}

/* -- nodes ------------------------------------------------------------------------------------- */

static int call_node(lua_State *L)
{
    static const char *const kinds[] = {"host", "router", "switch", NULL};
    struct lab *lab = scene_of(L)->lab;
    enum lab_kind kind = (enum lab_kind)luaL_checkoption(L, 1, NULL, kinds);
    struct lab_node *n = lab_node_add(lab, kind, luaL_checkstring(L, 2));

    if (!n)
        return fail(L, lab->error);
    lua_pushinteger(L, n->index);
    return 1;
}

static int call_node_names(lua_State *L)
{
    struct lab *lab = scene_of(L)->lab;

    lua_newtable(L);
    for (int i = 0; i < lab->nodes; i++) {
        lua_pushstring(L, lab->node[i]->name);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int call_node_id(lua_State *L)
{
    struct lab *lab = scene_of(L)->lab;
    const char *name = luaL_checkstring(L, 1);

    for (int i = 0; i < lab->nodes; i++)
        if (!strcmp(lab->node[i]->name, name)) {
            lua_pushinteger(L, i);
            return 1;
        }
    return 0;
}

static int call_addr(lua_State *L)
{
    struct lab_node *to = scene_node(L, 1);
    struct lab_node *from = luaL_checkinteger(L, 2) >= 0 ? scene_node(L, 2) : NULL;
    bool is_v6 = scene_of(L)->lab->has_ip6 && !lua_toboolean(L, 3);
    uint32_t v4 = lab_addr(to, from);
    struct weir_addr a = is_v6 ? lab_addr6(v4) : weir_addr_v4(v4);
    char text[WEIR_ADDR_TEXT];

    lua_pushstring(L, weir_addr_text(&a, text));
    return 1;
}

/* Before the first node is made. */
static int call_ip6(lua_State *L)
{
    struct lab *lab = scene_of(L)->lab;

    if (lab->nodes)
        return luaL_error(L, "ip6() comes before the first host");
    lab->has_ip6 = true;
    return 0;
}

static int call_crash(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);

    if (!n->stack)
        return luaL_error(L, "%s is down already", n->name);
    app_kill(scene_of(L), n->index);
    lab_crash(n);
    return 0;
}

static int call_boot(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);

    if (n->stack)
        return luaL_error(L, "%s is up already", n->name);
    (lua_toboolean(L, 2) ? lab_boot_again : lab_boot)(n);
    return 0;
}

static int call_clock(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    int64_t was = lab_clock(n);

    n->skew_ppm = luaL_checkinteger(L, 2);
    n->offset_ns += was - lab_clock(n); /* it goes on from where it is */
    return 0;
}

static int call_mute(lua_State *L)
{
    scene_node(L, 1)->is_mute = lua_toboolean(L, 2);
    return 0;
}

/* A text that says what is wrong, or nothing. */
static int call_knob(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    const char *name = luaL_checkstring(L, 2), *value = luaL_checkstring(L, 3);
    int r = lab_knob(n, name, value);

    if (r == 0)
        return 0;
    if (r == -ENOENT)
        lua_pushfstring(L, "no knob '%s': did you mean '%s'?", name, weir_knob_nearest(name));
    else
        lua_pushfstring(L, "%s = %s is not possible", name, value);
    return 1;
}

/* core.knob_set(name, preset, doc): the text that --set gives for it, or nil. */
static int call_knob_set(lua_State *L)
{
    struct scene *s = scene_of(L);
    const char *name = luaL_checkstring(L, 1);
    struct scene_knob *k = &s->knob[s->knobs];
    size_t len = strlen(name);

    if (s->knobs == SCENE_SETS_MAX)
        return luaL_error(L, "too many knobs");
    s->knobs++;
    lua_pushvalue(L, 2);
    for (const char *const *set = s->options->sets; set && *set; set++)
        if (!strncmp(*set, name, len) && (*set)[len] == '=') {
            lua_pop(L, 1);
            lua_pushstring(L, *set + len + 1);
            k->is_set = true;
        }
    strncpy(k->name, name, sizeof k->name - 1);
    strncpy(k->preset, luaL_checkstring(L, 2), sizeof k->preset - 1);
    strncpy(k->value, lua_tostring(L, -1), sizeof k->value - 1);
    k->doc = strdup(luaL_checkstring(L, 3));
    return k->is_set ? 1 : 0;
}

/* -- links ------------------------------------------------------------------------------------- */

static int call_link(lua_State *L)
{
    struct lab *lab = scene_of(L)->lab;
    struct lab_node *a = scene_node(L, 1), *b = scene_node(L, 2);
    static const char *const kinds[] = {"plain", "ether", "fcs", "bulk", NULL};
    struct weir_impair impair;
    enum lab_link_kind kind;
    struct lab_link *l;
    char error[160];

    if (weir_impair_parse(&impair, luaL_checkstring(L, 3), error, sizeof error) < 0)
        return fail(L, error);
    kind = (enum lab_link_kind)luaL_checkoption(L, 4, "plain", kinds);
    l = lab_link_add(lab, a, b, &impair, kind);
    if (!l)
        return fail(L, lab->error);
    lua_pushinteger(L, l->index);
    return 1;
}

static int call_link_set(lua_State *L)
{
    struct lab_link *l = link_at(L, 1);
    struct weir_impair impair;
    char error[160];

    if (weir_impair_parse(&impair, luaL_checkstring(L, 2), error, sizeof error) < 0)
        return fail(L, error);
    lab_link_set(l, &impair);
    lua_pushboolean(L, true);
    return 1;
}

static int call_link_down(lua_State *L)
{
    link_at(L, 1)->dir[luaL_checkinteger(L, 2) & 1].is_down = lua_toboolean(L, 3);
    return 0;
}

/* core.wire(link, dir): what a link with FCS carried, as a table. */
static int call_wire(lua_State *L)
{
    const struct lab_link *l = link_at(L, 1);
    const struct lab_wire *w = &l->dir[luaL_checkinteger(L, 2) & 1].wire;

    if (!l->has_fcs)
        return fail(L, "only a link of the kind \"fcs\" counts what the cable carries");
    lua_newtable(L);
    lua_pushinteger(L, (lua_Integer)w->frames);
    lua_setfield(L, -2, "frames");
    lua_pushinteger(L, (lua_Integer)w->bytes);
    lua_setfield(L, -2, "bytes");
    lua_pushinteger(L, (lua_Integer)w->fcs_errors);
    lua_setfield(L, -2, "fcs_errors");
    lua_pushinteger(L, w->shortest);
    lua_setfield(L, -2, "shortest");
    lua_pushinteger(L, w->longest);
    lua_setfield(L, -2, "longest");
    return 1;
}

static int call_bursts(lua_State *L)
{
    struct lab_dir *d = &link_at(L, 1)->dir[luaL_checkinteger(L, 2) & 1];

    d->enter_ppb = (uint32_t)(luaL_checknumber(L, 3) * 1e9);
    d->leave_ppb = (uint32_t)(luaL_checknumber(L, 4) * 1e9);
    return 0;
}

static lua_Integer field(lua_State *L, int table, const char *name, lua_Integer preset)
{
    lua_Integer v;

    lua_getfield(L, table, name);
    v = luaL_optinteger(L, -1, preset);
    lua_pop(L, 1);
    return v;
}

static const char *text_field(lua_State *L, int table, const char *name)
{
    const char *v;

    lua_getfield(L, table, name);
    v = lua_tostring(L, -1);
    lua_pop(L, 1);
    return v;
}

static bool flag_field(lua_State *L, int table, const char *name)
{
    bool v;

    lua_getfield(L, table, name);
    v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static int kind_of(const char *name)
{
    static const struct {
        const char *name;
        int kind;
    } kinds[] = {{"TCP", LAB_TCP}, {"UDP", LAB_UDP}, {"ICMP", LAB_ICMP}, {"ARP", LAB_ARP}};

    for (int i = 0; name && i < 4; i++)
        if (!strcmp(kinds[i].name, name))
            return kinds[i].kind;
    return -1;
}

static int call_fault(lua_State *L)
{
    static const char *const actions[] = {"lose", "hold", "copy", "corrupt"};
    struct lab_link *l = link_at(L, 1);
    struct lab_fault *f = lab_fault_add(l);
    lua_Integer from = field(L, 2, "from", -1);
    const char *action = text_field(L, 2, "action");

    if (!f)
        return fail(L, "too many faults on one link");
    *f = (struct lab_fault){.kind = kind_of(text_field(L, 2, "kind")),
                            .flags_on = (uint8_t)field(L, 2, "on", 0),
                            .flags_off = (uint8_t)field(L, 2, "off", 0),
                            .is_pure_ack = flag_field(L, 2, "pure"),
                            .has_data = flag_field(L, 2, "data"),
                            .from = from >= 0 ? scene_of(L)->lab->node[from] : NULL,
                            .port = (uint16_t)field(L, 2, "port", 0),
                            .first = (uint64_t)field(L, 2, "first", 1),
                            .last = (uint64_t)field(L, 2, "last", 1),
                            .by_ns = field(L, 2, "by", 0)};
    for (int i = 0; i < 4; i++)
        if (!strcmp(actions[i], action))
            f->action = (enum lab_action)i;
    strncpy(f->text, text_field(L, 2, "text"), sizeof f->text - 1);
    lua_pushinteger(L, l->faults - 1);
    return 1;
}

static int call_fault_counts(lua_State *L)
{
    const struct lab_fault *f = &link_at(L, 1)->fault[luaL_checkinteger(L, 2)];

    lua_pushinteger(L, (lua_Integer)f->seen);
    lua_pushinteger(L, (lua_Integer)f->hit);
    return 2;
}

/* -- NAT --------------------------------------------------------------------------------------- */

/* core.nat(router, link, tcp_ns, udp_ns) */
static int call_nat(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);
    struct lab_link *l = link_at(L, 2);

    for (int i = 0; i < n->ports; i++)
        if (n->port[i].link == l && !n->port[i].nat) {
            n->port[i].nat = lab_nat_new(luaL_checkinteger(L, 3), luaL_checkinteger(L, 4));
            lua_pushboolean(L, true);
            return 1;
        }
    return fail(L, "nat wants a link of this router's, once");
}

static int call_rebind(lua_State *L)
{
    struct lab_node *n = scene_node(L, 1);

    for (int i = 0; i < n->ports; i++)
        if (n->port[i].nat)
            lab_nat_rebind(n->port[i].nat);
    return 0;
}

/* -- segments out of nowhere ------------------------------------------------------------------- */

static size_t build_segment(lua_State *L, uint8_t *p, int flags)
{
    const char *from = text_field(L, 3, "from"), *to = text_field(L, 3, "to");
    const char *data = text_field(L, 3, "data");
    struct weir_addr src, dst;
    struct tcp_hdr h = {.flags = (uint8_t)flags};
    struct ip4 ip = {.hdr_len = IP4_LEN, .ttl = 64, .proto = PROTO_TCP, .frag = IP4_DF};
    size_t len = data ? strlen(data) : 0, head;

    if (!from || !to || weir_addr_parse(&src, from) < 0 || weir_addr_parse(&dst, to) < 0 ||
        len > 1000)
        return 0;
    h.sport = (uint16_t)field(L, 3, "sport", 0);
    h.dport = (uint16_t)field(L, 3, "dport", 0);
    h.seq = seq_of((uint32_t)field(L, 3, "seq", 0));
    h.ack = seq_of((uint32_t)field(L, 3, "ack", 0));
    h.wnd = (uint16_t)field(L, 3, "window", 65535);
    h.opt.tsval = (uint32_t)field(L, 3, "tsval", 0);
    h.opt.tsecr = (uint32_t)field(L, 3, "tsecr", 0);
    h.opt.has = h.opt.tsval ? TCP_OPT_TS : 0;
    head = tcp_emit(p + IP4_LEN, &h);
    if (len)
        memcpy(p + IP4_LEN + head, data, len);
    ip.total_len = (uint16_t)(IP4_LEN + head + len);
    ip.src = weir_addr_to_v4(&src);
    ip.dst = weir_addr_to_v4(&dst);
    ip4_emit(p, &ip);
    return ip.total_len;
}

/* core.inject(link, dir, segment, flags): out of the link at the end that dir sends from. */
static int call_inject(lua_State *L)
{
    struct lab_link *l = link_at(L, 1);
    int end = (int)luaL_checkinteger(L, 2);
    uint8_t bytes[1200];
    struct weir_frame f = {.parts = 1, .flags = WEIR_CSUM_VALID};

    f.part[0].data = bytes;
    f.part[0].len = (uint32_t)build_segment(L, bytes, (int)luaL_checkinteger(L, 4));
    if (!f.part[0].len || l->type != WEIR_LINK_IP)
        return fail(L, "inject wants a plain link, addresses `from` and `to`, little data");
    lab_arrive(l, end, &f, 1);
    lua_pushboolean(L, true);
    return 1;
}

static int call_show(lua_State *L)
{
    struct scene *s = scene_of(L);

    s->show[0] = scene_node(L, 1)->index;
    s->show[1] = scene_node(L, 2)->index;
    return 0;
}

void core_net_open(lua_State *L)
{
    static const luaL_Reg calls[] = {{"node", call_node},
                                     {"node_names", call_node_names},
                                     {"node_id", call_node_id},
                                     {"addr", call_addr},
                                     {"crash", call_crash},
                                     {"ip6", call_ip6},
                                     {"boot", call_boot},
                                     {"clock", call_clock},
                                     {"mute", call_mute},
                                     {"knob", call_knob},
                                     {"knob_set", call_knob_set},
                                     {"link", call_link},
                                     {"link_set", call_link_set},
                                     {"link_down", call_link_down},
                                     {"bursts", call_bursts},
                                     {"wire", call_wire},
                                     {"fault", call_fault},
                                     {"fault_counts", call_fault_counts},
                                     {"nat", call_nat},
                                     {"rebind", call_rebind},
                                     {"inject", call_inject},
                                     {"show", call_show},
                                     {NULL, NULL}};

    luaL_setfuncs(L, calls, 0);
}
