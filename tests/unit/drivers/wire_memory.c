/* Memory that a peer hands over: used only if nothing that the peer can do makes an access fault.
 */
#include "fake.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/wire_memory.h"
#include "support/unit.h"

#define LANE LANE_BYTES_MIN
#define WHOLE (4096 + 2 * (off_t)LANE)
#define ALL (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static void refused(int fd, uint32_t lane_bytes)
{
    struct wire_memory m = {.base = NULL};

    assert_true(fd >= 0);
    assert_int_equal(wire_memory_take(&m, lane_bytes, fd), -EBADF);
    assert_null(m.base);
    close(fd);
}

static int memory(off_t bytes, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return fd;
    assert_int_equal(ftruncate(fd, bytes), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void what_one_maps_the_other_sees(void **state)
{
    struct wire_memory made, taken;
    struct lane out, in, other_out, other_in;
    int fd = wire_memory_make(&made, LANE);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(wire_memory_take(&taken, LANE, fd), 0);
    close(fd);
    wire_memory_lanes(&made, true, &out, &in);
    wire_memory_lanes(&taken, false, &other_out, &other_in);
    for (uint32_t i = 0; i < LANE; i++) {
        out.bytes[i] = (uint8_t)i;
        in.bytes[i] = (uint8_t)(i / 256);
    }
    assert_memory_equal(out.bytes, other_in.bytes, LANE);
    assert_memory_equal(in.bytes, other_out.bytes, LANE);
    assert_memory_not_equal(out.bytes, in.bytes, LANE);
    assert_int_equal(lane_publish(&out), false);
    assert_true(lane_sleep(&other_in));
    assert_true(lane_publish(&out));
    wire_memory_free(&made);
    wire_memory_free(&taken);
}

static void its_size_stays_as_it_is(void **state)
{
    struct wire_memory m;
    int fd = wire_memory_make(&m, LANE);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, WHOLE + 4096), -1);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    close(fd);
    wire_memory_free(&m);
}

static void memory_that_is_not_safe_is_refused(void **state)
{
    char path[] = "/tmp/weir-test-XXXXXX";
    int fd, ends[2];

    (void)state;
    refused(memory(WHOLE, F_SEAL_GROW | F_SEAL_SEAL), LANE); /* could shrink under us */
    refused(memory(WHOLE, F_SEAL_SHRINK | F_SEAL_SEAL), LANE);
    refused(memory(WHOLE, F_SEAL_SHRINK | F_SEAL_GROW), LANE);
    refused(memory(WHOLE - 1, ALL), LANE);
    refused(memory(WHOLE, ALL), LANE * 2); /* smaller than it says */
    refused(memory(WHOLE, ALL), LANE - 1);
    refused(memory(4096, ALL), 0);
    fd = mkstemp(path);
    assert_int_equal(ftruncate(fd, WHOLE), 0);
    unlink(path);
    refused(fd, LANE);
    assert_int_equal(pipe(ends), 0);
    refused(ends[0], LANE);
    refused(ends[1], LANE);
}

static void memory_that_cannot_be_written_is_refused(void **state)
{
    struct wire_memory m = {.base = NULL};
    int fd = memory(WHOLE, ALL | F_SEAL_WRITE);

    (void)state;
    assert_true(wire_memory_take(&m, LANE, fd) < 0);
    close(fd);
}

static void a_peer_that_makes_holes_gets_zeros(void **state)
{
    struct wire_memory m;
    struct lane out, in;
    int fd = wire_memory_make(&m, LANE);

    (void)state;
    wire_memory_lanes(&m, true, &out, &in);
    memset(out.bytes, 1, LANE);
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, WHOLE), 0);
    for (uint32_t i = 0; i < LANE; i++)
        assert_int_equal(out.bytes[i], 0);
    close(fd);
    wire_memory_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_maps_the_other_sees),
        cmocka_unit_test(its_size_stays_as_it_is),
        cmocka_unit_test(memory_that_is_not_safe_is_refused),
        cmocka_unit_test(memory_that_cannot_be_written_is_refused),
        cmocka_unit_test(a_peer_that_makes_holes_gets_zeros),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_memory", tests, NULL, NULL);
}
