/* A wire with a hostile peer: whatever it writes to the memory that it shares, a member lives, and
 * the others' frames go on. */
#include "wire_rogue.h"

/* Two members that were there before get each other's frames still. */
static void the_others_go_on(struct weir_link **m)
{
    drain(m[0], NULL);
    drain(m[1], NULL);
    say(m[0], m[1]->iface.mac, 600, 1);
    assert_int_equal(drain(m[1], NULL), 1);
    say(m[1], m[0]->iface.mac, 600, 1);
    assert_int_equal(drain(m[0], NULL), 1);
}

static void a_well_behaved_rogue_is_a_peer(void **state)
{
    struct weir_link *a = member();
    struct rogue r = rogue_beside(a, "\2rogue");
    uint8_t bytes[60];
    struct weir_frame f = frame_to(bytes, sizeof bytes, a->iface.mac, (const uint8_t *)"\2rogue",
                                   3);

    (void)state;
    lane_put(&r.out, &f);
    lane_publish(&r.out);
    assert_int_equal(drain(a, NULL), 1); /* what the other tests break does work */
    assert_int_equal(stats_of(a).members, 1);
    rogue_ends(&r);
    drain(a, NULL);
    assert_int_equal(stats_of(a).members, 0);
    weir_link_close(a);
}

static void a_lie_cuts_its_peer_off_and_nobody_else(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct weir_link *m[] = {member(), member()};
        struct rogue r = rogue_beside(m[0], "\2rogue");
        settle(m, 2);
        if (kind == 0)
            atomic_store(&r.out.control->head, UINT32_MAX - 15);
        if (kind == 1)
            atomic_store(&r.out.control->head, 8);
        if (kind == 2) {
            memset(r.out.bytes, 0xff, 16);
            atomic_store(&r.out.control->head, 4096);
        }
        if (kind == 3) { /* as the reader of what we send */
            atomic_store(&r.in.control->tail, 0x80000000);
            for (int i = 0; i < 200; i++)
                say(m[0], "\2rogue", 1500, 1);
        }
        drain(m[0], NULL);
        assert_int_equal(stats_of(m[0]).liars, 1);
        assert_int_equal(stats_of(m[0]).members, 1);
        assert_true(is_cut_off(r.fd));
        the_others_go_on(m);
        rogue_ends(&r);
        weir_link_close(m[0]);
        weir_link_close(m[1]);
    }
}

static void spoil(struct rogue *r, struct dice *d)
{
    _Atomic uint32_t *field[] = {&r->out.control->head,      &r->out.control->tail,
                                 &r->out.control->is_asleep, &r->in.control->head,
                                 &r->in.control->tail,       &r->in.control->is_asleep};
    uint32_t value = (uint32_t)dice_u64(d);

    switch (dice_u64(d) % 4) {
    case 0:
        atomic_store(field[value % 6], (uint32_t)dice_u64(d));
        break;
    case 1:
        atomic_fetch_add(field[value % 6], (value >> 8) % 129 * 16 - 1024);
        break;
    case 2: { /* some words, which may begin a record */
        uint64_t word = dice_u64(d) % (1 << 17);
        memcpy(r->out.bytes + value % (LANE_BYTES_MIN / 16) * 16, &word, 8);
        break;
    }
    default:
        r->memory.base[value % (4096 + 2 * LANE_BYTES_MIN)] ^= (uint8_t)(value >> 24);
    }
}

/* Random fields, random frames, random words at the connection: members stay whole under ASan. */
static void a_peer_that_writes_anything_harms_nobody(void **state)
{
    uint64_t liars = 0, bad = 0, taken = 0;

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 60); dice_next(&d)) {
        struct weir_link *m[] = {member(), member()};
        struct rogue r = rogue_beside(m[0], "\2rogue");
        uint8_t bytes[2000];
        for (int i = 0; i < 150; i++) {
            struct weir_frame f = frame_to(bytes, 14 + dice_below(&d, 1980), EVERYBODY, bytes, 1);
            f.flags = (uint8_t)dice_below(&d, 2);
            f.csum_start = (uint16_t)dice_below(&d, 2100);
            if (lane_put(&r.out, &f) != LANE_OK) /* it believes itself */
                r.out.mine = r.out.theirs = atomic_load(&r.out.control->tail) & ~15u;
            lane_publish(&r.out);
            if (dice_below(&d, 10) == 0)
                spoil(&r, &d);
            meet_wake(r.fd);
            say(m[0], EVERYBODY, 60, 1);
            say(m[1], EVERYBODY, 60, 1);
            taken += (uint64_t)drain(m[0], NULL) + (uint64_t)drain(m[1], NULL);
        }
        liars += stats_of(m[0]).liars + stats_of(m[1]).liars;
        bad += stats_of(m[0]).bad_frames + stats_of(m[1]).bad_frames;
        the_others_go_on(m);
        rogue_ends(&r);
        weir_link_close(m[0]);
        weir_link_close(m[1]);
    }
    if (!getenv("WEIR_TEST_SEED"))
        assert_true(liars >= 30 && bad >= 100 && taken > 60 * 300);
}

/* A member that takes plain frames does not get others, whatever a peer thinks of that. */
static void what_was_not_agreed_is_dropped(void **state)
{
    struct weir_link *a = member_with((struct weir_wire_config){.no_offload = true});
    struct rogue r = rogue_beside(a, "\2rogue");
    uint8_t bytes[60];
    struct weir_frame f;

    (void)state;
    f = frame_to(bytes, sizeof bytes, EVERYBODY, (const uint8_t *)"\2rogue", 1);
    f.gso_size = 10;
    lane_put(&r.out, &f);
    f.gso_size = 0;
    f.flags = WEIR_CSUM_PARTIAL;
    lane_put(&r.out, &f);
    f.flags = 0;
    lane_put(&r.out, &f);
    lane_publish(&r.out);
    assert_int_equal(drain(a, NULL), 1);
    assert_int_equal(stats_of(a).bad_frames, 2);
    rogue_ends(&r);
    weir_link_close(a);
}

/* Not another's, though the rogue is looked at first; not ours; and nobody is a group. */
static void a_mac_cannot_be_stolen(void **state)
{
    struct weir_link *before = member(), *m[] = {member(), NULL};
    uint8_t bytes[60];
    struct weir_frame f;
    struct rogue r[3];

    (void)state;
    m[1] = member();
    weir_link_close(before);
    settle(m, 2);
    r[0] = rogue_beside(m[0], (const char *)m[1]->iface.mac);
    r[1] = rogue_beside(m[0], (const char *)m[0]->iface.mac);
    r[2] = rogue_beside(m[0], EVERYBODY);
    settle(m, 2);
    assert_int_equal(stats_of(m[0]).members, 4);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(((struct wire *)m[0])->peer[i ? i + 1 : 0].mac, 0);
        f = frame_to(bytes, sizeof bytes, EVERYBODY, i == 1 ? m[0]->iface.mac : m[1]->iface.mac, 1);
        lane_put(&r[i].out, &f);
        lane_publish(&r[i].out);
    }
    assert_int_equal(drain(m[0], NULL), 3);
    say(m[0], m[1]->iface.mac, 60, 2);
    assert_int_equal(drain(m[1], NULL), 1);
    assert_int_equal(stats_of(m[0]).flooded, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&r[i].in.control->head), 0);
        rogue_ends(&r[i]);
    }
    weir_link_close(m[0]);
    weir_link_close(m[1]);
}

/* It hangs up and goes on to write: what a ring holds is taken, and not more. */
static void who_left_cannot_go_on_for_ever(void **state)
{
    struct weir_link *a = member();
    struct rogue r = rogue_beside(a, "\2rogue");
    struct weir_frame burst[WEIR_BURST_MAX], f;
    uint8_t bytes[60];
    int taken = 0;

    (void)state;
    f = frame_to(bytes, sizeof bytes, EVERYBODY, (const uint8_t *)"\2rogue", 1);
    drain(a, NULL);
    close(r.fd);
    while (stats_of(a).members > 0 && taken < 10000) {
        while (lane_put(&r.out, &f) == LANE_OK)
            lane_publish(&r.out);
        taken += a->driver->recv(a, burst, WEIR_BURST_MAX, 0);
    }
    assert_in_range(taken, LANE_BYTES_MIN / 80,
                    LANE_BYTES_MIN / 80 + LOOK_EVERY * WEIR_BURST_MAX + 64);
    r.fd = dup(r.shared);
    rogue_ends(&r);
    weir_link_close(a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_well_behaved_rogue_is_a_peer),
        TEST(a_lie_cuts_its_peer_off_and_nobody_else),
        TEST(a_peer_that_writes_anything_harms_nobody),
        TEST(what_was_not_agreed_is_dropped),
        TEST(a_mac_cannot_be_stolen),
        TEST(who_left_cannot_go_on_for_ever),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_hostile", tests, NULL, NULL);
}
