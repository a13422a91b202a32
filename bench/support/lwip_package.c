/*
 * Knows:  that the dynamic linker lets a program replace a library's exported functions.
 * Shape:  Debian's liblwip is built for threads: a mutex around every allocation, a core lock
 *         check in every call, a checksum loop over 16-bit words. A port to one thread would have
 *         none of them, so a comparison with them would be unfair. The functions below carry the
 *         library's own names and win over it.
 * Units:  bytes.
 * Errors: a library without one of the replaced symbols ends the program before any measurement.
 * Cost:   one indirect call more than the library alone when stock.
 */
#include "lwip_port.h"

#include "../bench.h"

#include "lwip/inet_chksum.h"
#include "lwip/mem.h"
#include "lwip/sys.h"

#include <dlfcn.h>
#include <string.h>

static struct {
    bool stock;
    sys_prot_t (*protect)(void);
    void (*unprotect)(sys_prot_t);
    void (*check_locking)(void);
    u16_t (*chksum)(const void *, int);
} package;

/* ISO C has no cast from object to function pointer; copying the bits is what POSIX asks for. */
static void resolve(const char *name, void *function_pointer)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        bench_die("this liblwip has no %s", name);
    memcpy(function_pointer, &found, sizeof found);
}

void lwip_linked_init(bool stock)
{
    resolve("sys_arch_protect", &package.protect);
    resolve("sys_arch_unprotect", &package.unprotect);
    resolve("sys_check_core_locking", &package.check_locking);
    resolve("lwip_standard_chksum", &package.chksum);
    package.stock = stock;
    if (stock)
        lwip_port_use_heap();
}

const char *lwip_linked_name(void)
{
    return package.stock ? "package-stock" : "package-tuned";
}

/* ---- from here on: the library's own names ---- */

sys_prot_t sys_arch_protect(void)
{
    return package.stock ? package.protect() : 0;
}

void sys_arch_unprotect(sys_prot_t was)
{
    if (package.stock)
        package.unprotect(was);
}

void sys_check_core_locking(void)
{
    if (package.stock)
        package.check_locking();
}

u16_t lwip_standard_chksum(const void *data, int len); /* exported, yet in no header */

u16_t lwip_standard_chksum(const void *data, int len)
{
    return package.stock ? package.chksum(data, len) : lwip_port_chksum(data, len);
}

void *mem_malloc(mem_size_t wanted)
{
    return lwip_port_malloc(wanted);
}

void mem_free(void *memory)
{
    lwip_port_free(memory);
}

void *mem_calloc(mem_size_t count, mem_size_t size)
{
    return lwip_port_calloc(count, size);
}

void *mem_trim(void *memory, mem_size_t size)
{
    (void)size; /* as with MEM_LIBC_MALLOC */
    return memory;
}
