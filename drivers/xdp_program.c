/* The program in the kernel that hands frames for one MAC to AF_XDP sockets, and leaves all others.
 *
 * Knows: bpf(2), the instructions of eBPF. No library: the program is a dozen instructions.
 * Shape: frames for the MAC go to the socket of their queue; what is for groups, for everybody and
 * for the kernel goes on its way. Attached by a BPF link, which ends with its descriptor.
 * Units: none. Errors: false with errno set. Cost: some system calls. */
#include "drivers/xdp_program.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof(a)[0])
#define CONTEXT(field) (int16_t) offsetof(struct xdp_md, field)

static int bpf(int command, union bpf_attr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

static struct bpf_insn load(uint8_t size, uint8_t to, uint8_t from, int16_t at)
{
    return (struct bpf_insn){
        .code = BPF_LDX | BPF_MEM | size, .dst_reg = to, .src_reg = from, .off = at};
}

static struct bpf_insn copy(uint8_t to, uint8_t from)
{
    return (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from};
}

static struct bpf_insn set(uint8_t to, int32_t value)
{
    return (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = value};
}

static struct bpf_insn unless_equal(uint8_t reg, uint32_t value, int16_t skip)
{
    return (struct bpf_insn){
        .code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = reg, .off = skip, .imm = (int32_t)value};
}

static int load_program(int map, const uint8_t mac[6])
{
    uint32_t first;
    uint16_t rest;
    memcpy(&first, mac, sizeof first);
    memcpy(&rest, mac + sizeof first, sizeof rest);
    struct bpf_insn code[] = {
        load(BPF_W, 2, 1, CONTEXT(data)),
        load(BPF_W, 3, 1, CONTEXT(data_end)),
        copy(4, 2),
        {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 4, .imm = 14},
        {.code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = 4, .src_reg = 3, .off = 10},
        load(BPF_W, 4, 2, 0),
        unless_equal(4, first, 8),
        load(BPF_H, 4, 2, 4),
        unless_equal(4, rest, 6),
        load(BPF_W, 2, 1, CONTEXT(rx_queue_index)),
        {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {.code = 0},      /* the second half of the instruction above */
        set(3, XDP_PASS), /* for a queue that has no socket */
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
        {.code = BPF_JMP | BPF_EXIT},
        set(0, XDP_PASS),
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr a = {.prog_type = BPF_PROG_TYPE_XDP};

    a.insns = (uintptr_t)code;
    a.insn_cnt = COUNT(code);
    a.license = (uintptr_t) "MIT";
    return bpf(BPF_PROG_LOAD, &a);
}

bool xdp_program_load(struct xdp_program *p, const uint8_t mac[6], uint32_t queues)
{
    union bpf_attr a;

    memset(&a, 0, sizeof a);
    a.map_type = BPF_MAP_TYPE_XSKMAP;
    a.key_size = a.value_size = 4;
    a.max_entries = queues;
    p->map = bpf(BPF_MAP_CREATE, &a);
    p->program = p->map < 0 ? -1 : load_program(p->map, mac);
    return p->program >= 0;
}

bool xdp_program_add(const struct xdp_program *p, uint32_t queue, int socket)
{
    union bpf_attr a;

    memset(&a, 0, sizeof a);
    a.map_fd = (uint32_t)p->map;
    a.key = (uintptr_t)&queue;
    a.value = (uintptr_t)&socket;
    return bpf(BPF_MAP_UPDATE_ELEM, &a) == 0;
}

static int attach(const struct xdp_program *p, int ifindex, uint32_t mode)
{
    union bpf_attr a;

    memset(&a, 0, sizeof a);
    a.link_create.prog_fd = (uint32_t)p->program;
    a.link_create.target_ifindex = (uint32_t)ifindex;
    a.link_create.attach_type = BPF_XDP;
    a.link_create.flags = mode;
    return bpf(BPF_LINK_CREATE, &a);
}

bool xdp_program_attach(struct xdp_program *p, int ifindex, bool wants_generic)
{
    if (!wants_generic)
        p->link = attach(p, ifindex, XDP_FLAGS_DRV_MODE);
    if (wants_generic || (p->link < 0 && errno == EOPNOTSUPP)) {
        p->is_generic = true;
        p->link = attach(p, ifindex, XDP_FLAGS_SKB_MODE);
    }
    return p->link >= 0;
}

void xdp_program_close(struct xdp_program *p)
{
    if (p->link >= 0)
        close(p->link);
    if (p->program >= 0)
        close(p->program);
    if (p->map >= 0)
        close(p->map);
}
