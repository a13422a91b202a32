"""What `make install` leaves behind is what a stranger needs, and nothing of it points back here.

A build tree of its own (shipped flags, no sanitizer) is kept below the test tree, so that only the
first run is slow. DESTDIR is tried once; everything else uses a real prefix, as a user would.
"""
import glob
import os
import re
import shutil
import tempfile
import unittest

import tap
import trees
from trees import PREFIX, SOURCE, run

CC = os.environ.get("CC", "cc").split()
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
CPLUSPLUS = """
#include <weir/weir.h>
int main()
{
    struct weir_config config = {};
    struct weir_stack *stack = weir_new(&config);
    weir_free(stack);
    return stack ? 0 : 1;
}
"""


def files(root):
    return sorted(os.path.relpath(os.path.join(here, name), root)
                  for here, _, names in os.walk(root) for name in names)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(PREFIX, ignore_errors=True)
        trees.make("install")
        cls.scratch = tempfile.TemporaryDirectory()
        cls.headers = sorted(glob.glob(f"{PREFIX}/include/weir/*.h"))
        cls.library = os.path.dirname(glob.glob(f"{PREFIX}/lib*/**/libweir.a", recursive=True)[0])
        cls.pkg = {"PKG_CONFIG_PATH": f"{cls.library}/pkgconfig"}
        cls.version = run("pkg-config", "--modversion", "weir", env=cls.pkg).strip()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def flags(self, *what):
        return run("pkg-config", *what, "weir", env=self.pkg).split()

    def build(self, source, how, *compiler):
        """A program from one source, as a stranger would build it; its path."""
        target = os.path.join(self.scratch.name, os.path.basename(source) + "-" + how)
        flags = {"shared": self.flags("--cflags", "--libs"),
                 "archive": [*self.flags("--cflags"), f"{self.library}/libweir.a"],
                 "static": ["-static", *self.flags("--static", "--cflags", "--libs")]}
        run(*(compiler or [*CC, "-std=gnu11"]), *WARNINGS, "-o", target, source, *flags[how])
        return target

    def test_the_files(self):
        there = files(PREFIX)
        lib = os.path.relpath(self.library, PREFIX)
        for name in ("bin/weir", f"{lib}/libweir.so", f"{lib}/libweir.so.0", f"{lib}/libweir.a",
                     f"{lib}/libweir.so.{self.version}", f"{lib}/pkgconfig/weir.pc",
                     f"{lib}/weir/libweir-preload.so", "share/man/man1/weir.1"):
            self.assertIn(name, there)
        public = [os.path.basename(p) for p in glob.glob(f"{SOURCE}/include/weir/*.h")]
        self.assertEqual([os.path.basename(h) for h in self.headers], sorted(public))

    def test_destdir_is_put_before_the_prefix(self):
        with tempfile.TemporaryDirectory() as destdir:
            before = os.stat(f"{PREFIX}/bin/weir").st_mtime_ns
            trees.make("install", destdir)
            self.assertEqual(files(destdir + PREFIX), files(PREFIX))
            self.assertEqual(os.stat(f"{PREFIX}/bin/weir").st_mtime_ns, before)
            with open(f"{destdir}{self.library}/pkgconfig/weir.pc", encoding="utf-8") as pc:
                self.assertNotIn(destdir, pc.read())

    def test_headers_compile_alone_in_c11(self):
        for header in self.headers:
            with self.subTest(header):
                run(*CC, "-std=c11", *WARNINGS, "-fsyntax-only", f"-I{PREFIX}/include", "-x", "c", header)

    @unittest.skipUnless(shutil.which("g++"), "no g++")
    def test_headers_compile_alone_in_cplusplus(self):
        for header in self.headers:
            with self.subTest(header):
                run("g++", "-std=c++11", *WARNINGS, "-fsyntax-only", f"-I{PREFIX}/include",
                    "-x", "c++", header)

    @unittest.skipUnless(shutil.which("g++"), "no g++")
    def test_a_cplusplus_program_links(self):
        source = os.path.join(self.scratch.name, "user.cc")
        with open(source, "w", encoding="utf-8") as stream:
            stream.write(CPLUSPLUS)
        run(self.build(source, "archive", "g++", "-std=c++11"))

    def exported(self):
        names = run("nm", "-D", "--defined-only", f"{self.library}/libweir.so").split("\n")
        return {line.split()[-1] for line in names if line and line.split()[-2] != "A"}

    def test_exports_are_versioned_and_ours(self):
        strange = {n for n in self.exported() if not re.fullmatch(r"weir_\w+@@LIBWEIR_0", n)}
        self.assertEqual(strange, set())

    def test_the_archive_shows_our_names_only_and_no_lto(self):
        archive = f"{self.library}/libweir.a"
        shown = {line.split()[-1] for line in run("nm", "-g", "--defined-only", archive).split("\n")
                 if len(line.split()) == 3}
        self.assertEqual(shown, {n.partition("@")[0] for n in self.exported()})
        self.assertNotIn(".gnu.lto", run("objdump", "-h", archive))

    def test_every_declared_function_is_exported_and_none_else(self):
        declared = set()
        for header in self.headers:
            with open(header, encoding="utf-8") as stream:
                text = re.sub(r"/\*.*?\*/|static inline.*?\n}", "", stream.read(), flags=re.S)
            declared |= set(re.findall(r"^[a-z][\w \*]*?\b(weir_\w+)\(", text, flags=re.M))
        self.assertGreater(len(declared), 50)
        self.assertEqual(declared, {n.partition("@")[0] for n in self.exported()})

    def test_the_examples_run(self):
        for source, words in (("echo.c", "10.0.0.2 answers: hello, weir\n"), ("lossy.c", "none wrong")):
            for how in ("shared", "archive", "static"):
                with self.subTest(f"{source} {how}"):
                    program = self.build(f"{SOURCE}/examples/{source}", how)
                    self.assertIn(words, run(program, env={"LD_LIBRARY_PATH": self.library}))

    def test_the_same_seed_gives_the_same_output(self):
        program = self.build(f"{SOURCE}/examples/lossy.c", "archive")
        self.assertEqual(run(program, "5"), run(program, "5"))
        self.assertNotEqual(run(program, "5"), run(program, "6"))

    def test_the_library_needs_libc_only(self):
        needed = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", f"{self.library}/libweir.so"))
        self.assertEqual(needed, ["libc.so.6"])

    def test_the_command_says_its_version(self):
        self.assertEqual(run(f"{PREFIX}/bin/weir", "--version"), f"weir {self.version}\n")

    def test_the_installed_command_finds_its_preload_library(self):
        said = run(f"{PREFIX}/bin/weir", "run", "--", "cat", "/proc/self/maps")
        self.assertIn(f"{self.library}/weir/libweir-preload.so", said)


if __name__ == "__main__":
    tap.main()
