/* How members of a wire find each other: a folder of sockets, and the words that are said there.
 *
 * Knows: AF_UNIX, the folder, who is the same user. Not what a member does with a frame. Shape:
 * each member listens at a file NAME.ID of the folder and connects to those that are there already;
 * so nobody is the server, and nobody has to take over when one leaves. A file whose member died is
 * removed by the next that comes by. The connection of two members stays: its end says that the
 * other is gone, and a byte on it wakes. (An eventfd would do the second, but who shares it can
 * make a write to it block; a send with MSG_DONTWAIT never does.) Units: none. Errors: -errno; a
 * line in `error` for what people can change. Cost: system calls. */
#ifndef DRIVERS_WIRE_MEET_H
#define DRIVERS_WIRE_MEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEET_NAME_MAX 15 /* as of a device */
#define MEET_ID 17       /* 12 digits of the MAC, 4 random ones, and the end */
#define MEET_ID_MAC 12

enum meet_kind {
    MEET_HELLO = 1, /* from who connects, with the memory's descriptor */
    MEET_WELCOME,
    MEET_REFUSAL,
};

enum meet_refusal { MEET_FULL = 1, MEET_VERSION, MEET_MEMORY, MEET_TWICE };

/* All that is ever said; only wake-ups, of one byte, are shorter. */
struct meet_word {
    char magic[8];
    uint32_t version;
    uint32_t kind;
    uint32_t refusal;
    uint32_t lane_bytes;
    uint8_t takes_super; /* superframes and partial checksums */
    uint8_t mac[6];
    char id[MEET_ID]; /* of who says it */
};

struct meet_word meet_word(enum meet_kind kind);

/* The folder, made if need be; `path` NULL: the user's own one. It is this user's alone. */
int meet_folder(const char *path, char *error, size_t error_size);
bool meet_name_fits(const char *name); /* 1 to MEET_NAME_MAX letters, digits, '-' and '_' */
/* Listens as a new member, fills in its id. */
int meet_listen(int folder, const char *name, const uint8_t mac[6], char id[MEET_ID]);
void meet_leave(int folder, const char *name, const char *id);
/* Calls `found` with a connection, which is then its own, to each other member and that one's id.
 * Ends at the first negative answer and returns it. */
int meet_others(int folder, const char *name, const char *id,
                int (*found)(void *arg, int fd, const char *id), void *arg);
/* The next one who connected, of the same user; -EAGAIN: nobody; -EPERM: somebody else, -EMFILE: no
 * descriptor is free; both were sent away. *reserve is any descriptor of ours, to be closed then.
 */
int meet_accept(int listener, int *reserve);

int meet_say(int fd, const struct meet_word *word, int memory); /* memory -1: none */
enum meet_heard {
    HEARD_NOTHING,
    HEARD_WAKE,
    HEARD_WORD,
    HEARD_NONSENSE, /* also a word of another version: word->version says which */
    HEARD_END,
};
/* *memory: the descriptor that came along, -1: none. memory NULL: none is taken. */
enum meet_heard meet_hear(int fd, struct meet_word *word, int *memory);
void meet_wake(int fd);

#endif
