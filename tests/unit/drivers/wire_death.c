/* Members of a wire that die: killed at any point of a write, what they published is whole, what
 * they did not is not seen, and a third member's frames never stop. */
#include "wire_folder.h"

#include <signal.h>
#include <sys/wait.h>

#define KILLS 60
#define LENGTH 60000

/* Writes long frames as fast as it can, each with its number at both ends, until it is killed:
 * that happens in the middle of one as a rule. */
static void be_the_victim(void)
{
    static uint8_t bytes[LENGTH];
    struct weir_link *link = member_with((struct weir_wire_config){.ring_bytes = 1 << 20});
    struct weir_frame f = frame_to(bytes, LENGTH, EVERYBODY, link->iface.mac, 0x5a);

    f.gso_size = 1448;
    for (uint32_t number = 1;; number++) {
        memcpy(bytes + 14, &number, 4);
        memcpy(bytes + LENGTH - 4, &number, 4);
        link->driver->send(link, &f, 1, 0);
        if (number % 64 == 0)
            drain(link, NULL);
    }
}

/* Newer than the last, and as it was written. Returns its number. */
static uint32_t check_frame(const struct weir_frame *f, uint32_t last)
{
    const uint8_t *p = f->part[0].data;
    uint32_t number, end;

    assert_int_equal(f->part[0].len, LENGTH);
    memcpy(&number, p + 14, 4);
    memcpy(&end, p + LENGTH - 4, 4);
    assert_true(number > last);
    assert_int_equal(number, end);
    assert_int_equal(p[LENGTH / 2], 0x5a);
    return number;
}

/* What is there now; how many frames of the victim these were. */
static int take_some(struct weir_link *link, const uint8_t *other, uint32_t *last)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int n = link->driver->recv(link, burst, WEIR_BURST_MAX, 0), of_victim = 0;

    for (int i = 0; i < n; i++) {
        if (memcmp(burst[i].part[0].data + 6, other, 6) == 0)
            continue;
        *last = check_frame(&burst[i], *last);
        of_victim++;
    }
    return of_victim;
}

static void killed_at_any_point_it_leaves_whole_frames_only(void **state)
{
    struct weir_link *m[] = {member(), member()};
    int before;

    (void)state;
    settle(m, 2);
    before = descriptors();
    for (struct dice d = dice_first(1); dice_more(&d, KILLS); dice_next(&d)) {
        int wanted = 1 + (int)dice_below(&d, 100), seen = 0, status;
        uint32_t last = 0;
        pid_t pid = fork();
        if (pid == 0)
            be_the_victim();
        while (seen < wanted) {
            struct pollfd p = {weir_link_fd(m[0]), POLLIN, 0};
            poll(&p, 1, m[0]->driver->deadline(m[0]) == 0 ? 0 : 20000);
            seen += take_some(m[0], m[1]->iface.mac, &last);
            drain(m[1], NULL);
        }
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        do
            take_some(m[0], m[1]->iface.mac, &last);
        while (m[0]->driver->deadline(m[0]) == 0 || polls(m[0]));
        drain(m[1], NULL);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(stats_of(m[i]).members, 1);
            assert_int_equal(stats_of(m[i]).liars + stats_of(m[i]).bad_frames, 0);
            say(m[i], m[!i]->iface.mac, 100, 1);
            assert_int_equal(drain(m[!i], NULL), 1);
        }
    }
    assert_int_equal(descriptors(), before);
    weir_link_close(m[0]);
    weir_link_close(m[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(killed_at_any_point_it_leaves_whole_frames_only),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_death", tests, NULL, NULL);
}
