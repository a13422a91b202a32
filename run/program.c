/* The program: found, looked at, put behind its door, started.
 *
 * Knows: PATH, ELF headers, LD_PRELOAD. Shape: checked before a daemon is started for it; started
 * in the forked child, which joins its namespace last. Units: none. Errors: 126 and 127 as a shell,
 * with one line on stderr. Cost: an exec. */
#include "run/program.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/protocol.h"
#include "run/seccomp.h"

enum kind { OTHER, DYNAMIC, STATIC, BITS_32 };

/* A statically linked program loads no library: the preload door can not carry it. */
static enum kind kind_of(const char *file)
{
    Elf64_Ehdr head;
    Elf64_Phdr part;
    FILE *f = fopen(file, "re");
    enum kind kind = OTHER;

    if (!f)
        return OTHER;
    if (fread(&head, sizeof head, 1, f) == 1 && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0)
        kind = head.e_ident[EI_CLASS] == ELFCLASS64 ? STATIC : BITS_32;
    if (kind == STATIC)
        fseek(f, (long)head.e_phoff, SEEK_SET);
    for (int i = 0; kind == STATIC && i < head.e_phnum && fread(&part, sizeof part, 1, f) == 1; i++)
        if (part.p_type == PT_INTERP)
            kind = DYNAMIC;
    fclose(f);
    return kind;
}

static bool find_program(const char *name, char *path, size_t size)
{
    const char *dirs = getenv("PATH");

    if (strchr(name, '/')) {
        snprintf(path, size, "%s", name);
        return access(path, F_OK) == 0;
    }
    for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += *dirs == ':') {
        int n = (int)strcspn(dirs, ":");
        snprintf(path, size, "%.*s/%s", n, dirs, name);
        if (access(path, X_OK) == 0)
            return true;
        dirs += n;
    }
    return false;
}

static int choose_door(struct run_options *o, const char *path)
{
    enum kind kind = kind_of(path);

    if (kind == BITS_32) {
        fprintf(stderr, "weir: %s is a program of 32 bits: neither door carries it\n", path);
        return 126;
    }
    if (kind == STATIC && o->via == RUN_VIA_PRELOAD) {
        fprintf(stderr,
                "weir: %s is statically linked: it loads no library, so the preload door can not "
                "carry it; leave --via out, or say --via seccomp\n",
                path);
        return 126;
    }
    if (o->via == RUN_VIA_FILE)
        o->via = kind == STATIC ? RUN_VIA_SECCOMP : RUN_VIA_PRELOAD;
    return 0;
}

int program_check(struct run_options *o)
{
    struct stat about;
    char path[4096];

    if (!find_program(o->program[0], path, sizeof path)) {
        fprintf(stderr, "weir: %s: no such program\n", o->program[0]);
        return 127;
    }
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        fprintf(stderr, "weir: %s: %s\n", path, strerror(EISDIR));
        return 126;
    }
    if (access(path, X_OK) < 0) {
        fprintf(stderr, "weir: %s: %s\n", path, strerror(errno));
        return 126;
    }
    return choose_door(o, path);
}

static int preload_path(char *path, size_t size)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n > 0) {
        self[n] = '\0';
        slash = strrchr(self, '/');
        snprintf(path, size, "%.*s/libweir-preload.so", (int)(slash - self), self);
        if (access(path, R_OK) == 0)
            return 0;
    }
    snprintf(path, size, "%s/libweir-preload.so", WEIR_PRELOAD_DIR);
    return access(path, R_OK);
}

static int preload(const char *daemon)
{
    char library[4200], all[8192];
    const char *before = getenv("LD_PRELOAD");

    if (preload_path(library, sizeof library) < 0) {
        fprintf(stderr, "weir: libweir-preload.so is missing beside the command: run make\n");
        return 126;
    }
    snprintf(all, sizeof all, "%s%s%s", library, before ? ":" : "", before ? before : "");
    setenv("LD_PRELOAD", all, 1);
    setenv(RUN_ENV, daemon, 1);
    return 0;
}

int program_exec(const struct run_options *o, const char *daemon, const struct netns *n,
                 int doorman)
{
    int v = 0;

    if (doorman >= 0)
        unsetenv(RUN_ENV); /* of another `weir run`: its library, if one comes, is not to act */
    else
        v = preload(daemon);
    if (v)
        return v;
    if ((v = netns_join(n)) < 0) {
        fprintf(stderr, "weir: can not enter the program's namespace: %s; say --no-isolation\n",
                strerror(-v));
        return 126;
    }
    if (doorman >= 0 && (v = seccomp_enter(doorman)))
        return v;
    execvp(o->program[0], o->program);
    fprintf(stderr, "weir: %s: %s\n", o->program[0], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}
