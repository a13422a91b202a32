/* The capture: its file read back block by block. */
#include "fake.h"

#include <sys/socket.h>

#include <unistd.h>

#define BLOCKS_MAX 2000

struct block {
    uint32_t type, len;
    const uint8_t *body;
};
struct packet {
    uint32_t iface, len, flags;
    uint64_t at_ns;
    const uint8_t *data;
    char comment[2][300];
    int comments;
};
struct file {
    uint8_t *bytes;
    struct block block[BLOCKS_MAX];
    int blocks;
};

static char path[64];
static struct fake *inner;

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

static uint16_t u16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, 2);
    return v;
}

static void read_back(struct file *f)
{
    FILE *in = fopen(path, "rb");
    size_t size;

    assert_non_null(in);
    f->bytes = malloc(8 << 20);
    size = fread(f->bytes, 1, 8 << 20, in);
    fclose(in);
    f->blocks = 0;
    for (size_t at = 0; at < size;) {
        struct block *b = &f->block[f->blocks++];
        assert_true(f->blocks < BLOCKS_MAX && at + 12 <= size);
        b->type = u32(f->bytes + at);
        b->len = u32(f->bytes + at + 4);
        b->body = f->bytes + at + 8;
        assert_true(b->len >= 12 && b->len % 4 == 0 && at + b->len <= size);
        assert_int_equal(u32(f->bytes + at + b->len - 4), b->len);
        at += b->len;
    }
}

static struct packet packet_of(const struct block *b)
{
    struct packet p = {.iface = u32(b->body), .len = u32(b->body + 12), .data = b->body + 20};
    const uint8_t *option = p.data + (p.len + 3) / 4 * 4;

    assert_int_equal(b->type, 6);
    assert_int_equal(u32(b->body + 16), p.len); /* nothing was cut off */
    p.at_ns = (uint64_t)u32(b->body + 4) << 32 | u32(b->body + 8);
    while (u16(option)) {
        if (u16(option) == 2)
            p.flags = u32(option + 4);
        if (u16(option) == 1)
            memcpy(p.comment[p.comments++], option + 4, u16(option + 2));
        option += 4 + (u16(option + 2) + 3) / 4 * 4;
    }
    assert_ptr_equal(option + 4, b->body - 8 + b->len - 4);
    return p;
}

static struct weir_link *opened(enum weir_link_type type)
{
    char error[200] = "";
    struct weir_link *link;

    inner = fake_open(type);
    link = weir_capture_open(&inner->link, path, error, sizeof error);
    if (!link)
        fail_msg("%s", error);
    return link;
}

static void the_head_names_link_and_resolution(void **state)
{
    static struct file f;

    (void)state;
    weir_link_close(opened(WEIR_LINK_ETHER));
    read_back(&f);
    assert_int_equal(f.blocks, 2);
    assert_int_equal(f.block[0].type, 0x0a0d0d0a);
    assert_int_equal(u32(f.block[0].body), 0x1a2b3c4d);
    assert_int_equal(f.block[1].type, 1);
    assert_int_equal(u16(f.block[1].body), 1);
    assert_int_equal(u32(f.block[1].body + 4), 262144);
    assert_int_equal(u16(f.block[1].body + 8), 2);
    assert_memory_equal(f.block[1].body + 12, "fake0", 5);
    assert_int_equal(u16(f.block[1].body + 20), 9);
    assert_int_equal(f.block[1].body[24], 9);
    free(f.bytes);
    weir_link_close(opened(WEIR_LINK_IP));
    read_back(&f);
    assert_int_equal(u16(f.block[1].body), 0); /* LINKTYPE_NULL */
    free(f.bytes);
}

static void a_sent_frame_bears_its_reason(void **state)
{
    static struct file f;
    struct weir_link *link = opened(WEIR_LINK_ETHER);
    uint8_t bytes[101];
    struct weir_frame frame = numbered(bytes, sizeof bytes, 1);
    char text[300];
    struct packet p;

    (void)state;
    frame.why = (struct weir_why){.event = 1, .n = 2, .of = 15};
    assert_true(weir_why_text(&frame.why, text, sizeof text) > 0);
    assert_int_equal(link->driver->send(link, &frame, 1, 5000000123), 1);
    assert_int_equal(inner->out_count, 1);
    weir_link_close(link);
    read_back(&f);
    assert_int_equal(f.blocks, 3);
    p = packet_of(&f.block[2]);
    assert_int_equal(p.len, 101);
    assert_int_equal(p.at_ns, 5000000123);
    assert_int_equal(p.flags, 2);
    assert_int_equal(p.comments, 1);
    assert_string_equal(p.comment[0], text);
    assert_memory_equal(p.data, bytes, sizeof bytes);
    free(f.bytes);
}

static void a_received_frame_bears_its_verdict_and_the_senders_reason(void **state)
{
    static struct file f;
    struct weir_link *link = opened(WEIR_LINK_ETHER);
    struct weir_frame burst[WEIR_BURST_MAX];
    struct weir_why verdict = {.verdict = 3};
    struct weir_why reason = {.event = 1, .n = 1, .of = 5};
    uint8_t bytes[60];
    char text[2][300];
    struct packet p;

    (void)state;
    burst[0] = numbered(bytes, sizeof bytes, 7);
    burst[0].why = reason;
    fake_arrive(inner, &burst[0]);
    weir_capture_epoch(link, 1000);
    assert_int_equal(link->driver->recv(link, burst, WEIR_BURST_MAX, 10), 1);
    assert_int_equal(burst[0].why.event, 0);
    burst[0].why = verdict; /* as weir_input does */
    assert_int_equal(link->driver->send(link, burst, 0, 20), 0);
    memset(burst, 0xee, sizeof burst); /* the caller lets go of it */
    assert_int_equal(weir_capture_flush(link), 0);
    read_back(&f);
    weir_why_text(&verdict, text[0], sizeof text[0]);
    weir_why_text(&reason, text[1], sizeof text[1]);
    p = packet_of(&f.block[2]);
    assert_int_equal(p.at_ns, 1010); /* when it came, not when it was judged */
    assert_int_equal(p.flags, 1);
    assert_int_equal(p.comments, 2);
    assert_string_equal(p.comment[0], text[0]);
    assert_string_equal(p.comment[1], text[1]);
    free(f.bytes);
    weir_link_close(link);
}

static void a_partial_checksum_is_completed_in_the_copy_only(void **state)
{
    static struct file f;
    static uint8_t bytes[60000];
    static uint8_t before[60000];
    uint32_t len = build_tcp4(bytes, 50001);
    struct weir_frame frame = {.part = {{bytes, 40}, {bytes + 40, 333}, {bytes + 373, len - 373}},
                               .parts = 3,
                               .flags = WEIR_CSUM_PARTIAL,
                               .gso_size = 1460,
                               .csum_start = 20,
                               .csum_offset = 16};
    struct weir_link *link = opened(WEIR_LINK_IP);
    struct packet p;

    (void)state;
    memcpy(before, bytes, len);
    link->driver->send(link, &frame, 1, 0);
    assert_memory_equal(bytes, before, len);
    weir_link_close(link);
    read_back(&f);
    p = packet_of(&f.block[2]);
    assert_int_equal(p.len, 4 + len);
    assert_int_equal(u32(p.data), AF_INET);
    assert_true(tcp4_is_sound(p.data + 4, len));
    assert_memory_equal(p.data + 44, bytes + 40, len - 40);
    free(f.bytes);
}

static void many_frames_cross_the_buffer_in_order(void **state)
{
    static struct file f;
    struct weir_link *link = opened(WEIR_LINK_ETHER);
    uint8_t bytes[1501];

    (void)state;
    for (uint32_t i = 0; i < 1500; i++) {
        struct weir_frame frame = numbered(bytes, 60 + i % 1441, i);
        link->driver->send(link, &frame, 1, i);
    }
    weir_link_close(link);
    read_back(&f);
    assert_int_equal(f.blocks, 1502);
    for (uint32_t i = 0; i < 1500; i++) {
        struct packet p = packet_of(&f.block[2 + i]);
        struct weir_frame frame = {.part = {{p.data, p.len}}, .parts = 1};
        assert_int_equal(p.at_ns, i);
        assert_int_equal(number_of(&frame), i);
    }
    free(f.bytes);
}

static void an_idle_link_brings_the_file_up_to_date(void **state)
{
    static struct file f;
    struct weir_link *link = opened(WEIR_LINK_ETHER);
    struct weir_frame burst[WEIR_BURST_MAX];
    uint8_t bytes[60];
    struct weir_frame frame = numbered(bytes, sizeof bytes, 1);

    (void)state;
    link->driver->send(link, &frame, 1, 0);
    link->driver->recv(link, burst, WEIR_BURST_MAX, 2000 * MS);
    read_back(&f);
    assert_int_equal(f.blocks, 3);
    free(f.bytes);
    weir_link_close(link);
}

static void a_full_disk_is_told_and_does_not_stop_the_link(void **state)
{
    char error[200];
    uint8_t bytes[1000];
    struct weir_frame frame = numbered(bytes, sizeof bytes, 1);
    struct weir_link *link;

    (void)state;
    inner = fake_open(WEIR_LINK_ETHER);
    link = weir_capture_open(&inner->link, "/dev/full", error, sizeof error);
    if (!link) {
        weir_link_close(&inner->link);
        print_message("skipped: %s\n", error);
        skip();
    }
    for (int i = 0; i < 200; i++)
        assert_int_equal(link->driver->send(link, &frame, 1, 0), 1);
    assert_int_equal(weir_capture_flush(link), -ENOSPC);
    assert_int_equal(inner->out_count, 200);
    weir_link_close(link);
}

static void a_path_that_can_not_be_opened_is_named(void **state)
{
    char error[200] = "";

    (void)state;
    inner = fake_open(WEIR_LINK_ETHER);
    assert_null(weir_capture_open(&inner->link, "/nowhere/x.pcapng", error, sizeof error));
    assert_string_equal(error,
                        "can not write the capture /nowhere/x.pcapng: No such file or directory");
    weir_link_close(&inner->link); /* still the caller's */
}

static int make_path(void **state)
{
    int fd;

    (void)state;
    strcpy(path, "/tmp/weir-capture-XXXXXX");
    fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static int drop_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_names_link_and_resolution),
        cmocka_unit_test(a_sent_frame_bears_its_reason),
        cmocka_unit_test(a_received_frame_bears_its_verdict_and_the_senders_reason),
        cmocka_unit_test(a_partial_checksum_is_completed_in_the_copy_only),
        cmocka_unit_test(many_frames_cross_the_buffer_in_order),
        cmocka_unit_test(an_idle_link_brings_the_file_up_to_date),
        cmocka_unit_test(a_full_disk_is_told_and_does_not_stop_the_link),
        cmocka_unit_test(a_path_that_can_not_be_opened_is_named),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("capture", tests, make_path, drop_path);
}
