/* A peer that does what it should not: a member's other end, driven by the test itself.
 *
 * Knows: the words and the memory of a wire. Shape: a stranger has only connected; a rogue has said
 * hello and shares memory. Units: bytes. Errors: what does not stand fails the test. Cost: none
 * that matters. */
#ifndef TEST_DRIVERS_WIRE_ROGUE_H
#define TEST_DRIVERS_WIRE_ROGUE_H

#include "wire_folder.h"

/* A peer whose driver is this test. */
struct rogue {
    int fd;
    struct wire_memory memory;
    struct lane out, in;
    int shared; /* the descriptor of its memory */
};

struct search {
    const char *id;
    int fd;
};

static UNUSED int keep_wanted(void *arg, int fd, const char *id)
{
    struct search *s = arg;

    if (strcmp(id, s->id) == 0)
        s->fd = fd;
    else
        close(fd);
    return 0;
}

/* A connection to this member, and nothing is said yet. */
static UNUSED int stranger_to(struct weir_link *link)
{
    char error[300];
    struct search s = {((struct wire *)link)->id, -1};
    int folder = meet_folder(wire_folder, error, sizeof error);

    assert_true(folder >= 0);
    assert_int_equal(meet_others(folder, "lab", "", keep_wanted, &s), 0);
    close(folder);
    assert_true(s.fd >= 0);
    return s.fd;
}

static UNUSED struct meet_word hello_of(const char *mac)
{
    struct meet_word hello = meet_word(MEET_HELLO);

    hello.lane_bytes = LANE_BYTES_MIN;
    hello.takes_super = 1;
    memcpy(hello.mac, mac, 6);
    return hello;
}

static UNUSED struct rogue rogue_beside(struct weir_link *link, const char *mac)
{
    struct rogue r = {.fd = stranger_to(link)};
    struct meet_word hello = hello_of(mac);

    r.shared = wire_memory_make(&r.memory, LANE_BYTES_MIN);
    assert_true(r.shared >= 0);
    wire_memory_lanes(&r.memory, true, &r.out, &r.in);
    assert_int_equal(meet_say(r.fd, &hello, r.shared), 0);
    return r;
}

static UNUSED void rogue_ends(struct rogue *r)
{
    close(r->fd);
    close(r->shared);
    wire_memory_free(&r->memory);
}

/* Whether the member at the other end has hung up, after what else it said. */
static UNUSED bool is_cut_off(int fd)
{
    struct meet_word word;
    enum meet_heard heard;

    do
        heard = meet_hear(fd, &word, NULL);
    while (heard == HEARD_WORD || heard == HEARD_WAKE);
    return heard == HEARD_END;
}

static UNUSED uint32_t refusal(int fd)
{
    struct meet_word word;

    assert_int_equal(meet_hear(fd, &word, NULL), HEARD_WORD);
    assert_int_equal(word.kind, MEET_REFUSAL);
    return word.refusal;
}

#endif
