"""Each rule of tools/tidy.py fires on a bad snippet, at the right line, and not on its good twin."""
import os
import subprocess
import sys
import tempfile
import unittest

import tap

SOURCE = os.environ.get("WEIR_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
TIDY = os.path.join(SOURCE, "tools", "tidy.py")
HEAD = "/* Sums.\n * Knows: bytes. Shape: none. Units: bytes. Errors: none.\n * Cost (each): O(n). */\n"


def tidy(files, *arguments):
    """[(file:line, rule)] of a tree made of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as stream:
                stream.write(text)
        answer = subprocess.run([sys.executable, TIDY, "--root", root, *arguments],
                                stdout=subprocess.PIPE, text=True, check=False)
        found = [tuple(line.split(": ")[:2]) for line in answer.stdout.splitlines()]
        assert (answer.returncode != 0) == bool(found), answer
        return found


def function(body, signature="int f(int a)"):
    return HEAD + signature + "\n{\n" + body + "}\n"


def built(code, *flags, archive=False):
    """Compiles a snippet; the caller removes the folder."""
    folder = tempfile.TemporaryDirectory()
    source, target = folder.name + "/x.c", folder.name + ("/libx.a" if archive else "/libx.so")
    with open(source, "w", encoding="utf-8") as stream:
        stream.write(code)
    how = ["-c", "-o", folder.name + "/x.o"] if archive else ["-shared", "-o", target]
    subprocess.run(["gcc", "-fPIC", *flags, *how, source], check=True)
    if archive:
        subprocess.run(["ar", "rc", target, folder.name + "/x.o"], check=True)
    return folder, target


class Includes(unittest.TestCase):
    def layer(self, path, include, target):
        return tidy({path: HEAD + f'#include "{include}"\n', target: "\n"})

    def test_siblings_do_not_see_each_other(self):
        self.assertEqual(self.layer("src/tcp/a.c", "udp/udp.h", "src/udp/udp.h"),
                         [("src/tcp/a.c:4", "layer")])

    def test_lower_does_not_see_higher(self):
        for low, high in (("base", "wire"), ("wire", "tcp"), ("tcp", "sock"), ("sock", "stack")):
            with self.subTest(low):
                self.assertEqual(self.layer(f"src/{low}/a.c", f"{high}/{high}.h",
                                            f"src/{high}/{high}.h"), [(f"src/{low}/a.c:4", "layer")])

    def test_higher_sees_lower(self):
        for high, low in (("tcp", "wire"), ("sock", "tcp"), ("stack", "sock"), ("wire", "base")):
            with self.subTest(high):
                self.assertEqual(self.layer(f"src/{high}/a.c", f"{low}/{low}.h",
                                            f"src/{low}/{low}.h"), [])

    def test_outside_does_not_see_the_core(self):
        for path in ("drivers/a.c", "run/a.c", "lab/a.c", "cli/a.c", "bench/a.c", "examples/a.c"):
            with self.subTest(path):
                self.assertEqual(self.layer(path, "tcp/tcp.h", "src/tcp/tcp.h"),
                                 [(path + ":4", "layer")])

    def test_drivers_and_run_see_base_and_examples_do_not(self):
        self.assertEqual(self.layer("drivers/a.c", "base/ring.h", "src/base/ring.h"), [])
        self.assertEqual(self.layer("run/a.c", "base/ring.h", "src/base/ring.h"), [])
        self.assertEqual(self.layer("examples/a.c", "base/ring.h", "src/base/ring.h"),
                         [("examples/a.c:4", "layer")])

    def test_cli_sees_drivers_and_examples_do_not(self):
        self.assertEqual(self.layer("cli/a.c", "drivers/host.h", "drivers/host.h"), [])
        self.assertEqual(self.layer("examples/a.c", "drivers/host.h", "drivers/host.h"),
                         [("examples/a.c:4", "layer")])

    def test_tests_see_everything(self):
        self.assertEqual(self.layer("tests/unit/a.c", "tcp/tcb.h", "src/tcp/tcb.h"), [])

    def test_a_folder_shows_one_header(self):
        self.assertEqual(self.layer("src/sock/a.c", "tcp/tcb.h", "src/tcp/tcb.h"),
                         [("src/sock/a.c:4", "layer")])

    def test_public_headers_see_only_public_headers(self):
        self.assertEqual(self.layer("include/weir/a.h", "base/ring.h", "src/base/ring.h"),
                         [("include/weir/a.h:4", "layer")])

    def test_header_that_needs_another(self):
        self.assertEqual(tidy({"src/base/a.h": "\nuint32_t a(void);\n"}),
                         [("src/base/a.h:2", "header-alone")])

    def test_include_depth(self):
        chain = {"src/stack/stack.h": '#include "sock/sock.h"\n',
                 "src/sock/sock.h": '#include "tcp/tcp.h"\n',
                 "src/tcp/tcp.h": '#include "wire/wire.h"\n',
                 "src/wire/wire.h": '#include "base/seq.h"\n', "src/base/seq.h": "\n"}
        self.assertEqual(tidy(chain), [])
        chain["lab/lab.h"] = '#include "drivers/x.h"\n'
        chain["drivers/x.h"] = '#include "stack/stack.h"\n'
        self.assertIn(("lab/lab.h:1", "include-depth"), tidy(chain))


class Functions(unittest.TestCase):
    def one(self, text, path="src/base/a.c"):
        return tidy({path: text})

    def test_sixty_lines_and_no_more(self):
        self.assertEqual(self.one(function("    a++;\n" * 57)), [])
        self.assertEqual(self.one(function("    a++;\n" * 58)), [("src/base/a.c:4", "function-size")])

    def test_five_parameters_and_no_more(self):
        self.assertEqual(self.one(function("", "int f(int a, int b, int c, int d, int e)")), [])
        self.assertEqual(self.one(function("", "int f(int a, int (*b)(int, int), int c, int d, int e)")),
                         [])
        self.assertEqual(self.one(function("", "static int f(int a, int b, int c,\n"
                                           "    int d, int e, int g)")),
                         [("src/base/a.c:4", "parameters")])

    def test_nesting(self):
        deep = "    for (;;)\n        while (a)\n            if (a)\n"
        self.assertEqual(self.one(function(deep + "                a++;\n")), [])
        self.assertEqual(self.one(function(deep + "                do {\n a++;\n } while (0);\n")),
                         [("src/base/a.c:9", "nesting")])

    def test_else_if_does_not_nest(self):
        self.assertEqual(self.one(function("    if (a) {\n        a++;\n    } else if (a > 1) {\n"
                                           "        a--;\n    } else if (a > 2)\n        a = 4;\n"
                                           "    else\n        a = 5;\n" * 3)), [])

    def test_case_and_label_do_not_nest(self):
        self.assertEqual(self.one(function(
            "    switch (a) {\n    case 1:\n        if (a)\n            for (;;)\n"
            "                goto out;\n        break;\n    default:\n        break;\n    }\n"
            "out:\n    return a ? 1 : 2;\n")), [])

    def test_loop_macro_nests(self):
        self.assertEqual(self.one(function("    EACH (x, y) {\n" * 4 + "    a++;\n" + "}\n" * 4)),
                         [("src/base/a.c:9", "nesting")])

    def test_braces_in_text_and_comments_do_not_count(self):
        self.assertEqual(self.one(function("    g(\"}{\\\"{\", '{'); /* { */ // {\n" * 3) +
                                  "struct s x = {.a = {1, 2}};\n" + "int g(void)\n{\n" +
                                  "    a++;\n" * 58 + "}\n"), [("src/base/a.c:11", "function-size")])

    def test_tables_and_structs_are_no_functions(self):
        self.assertEqual(self.one(HEAD + "const struct s t[] = {\n" + "    X(1) {2},\n" * 80 +
                                  "};\nstruct u {\n" + "    int a;\n" * 80 + "};\n"), [])

    def test_branches_of_if_keep_braces_in_balance(self):
        self.assertEqual(self.one(HEAD + "#ifdef A\nint f(void) {\n#else\nint f(int a) {\n#endif\n}\n"
                                  "int g(void)\n{\n" + "    a++;\n" * 58 + "}\n"),
                         [("src/base/a.c:10", "function-size")])

    def test_goto(self):
        self.assertEqual(self.one(function("    goto out;\n    goto fail;\n")), [])
        self.assertEqual(self.one(function("    goto again;\n")), [("src/base/a.c:6", "goto")])

    def test_condition_inside_a_function(self):
        self.assertEqual(self.one(function("#ifdef X\n    a++;\n#endif\n")),
                         [("src/base/a.c:6", "if-in-function")])
        self.assertEqual(self.one(HEAD + "#if X\nint f(void)\n{\n}\n#endif\n"), [])


class Tables(unittest.TestCase):
    def rows(self, name, text, code="    a++;\n"):
        return tidy({f"src/def/{name}.def": text, "src/tcp/a.c": function(code)})

    def test_row_that_no_code_uses(self):
        for name, row, use in (("knobs", 'KNOB(fin, "net.ipv4.fin", 1)', "k->fin"),
                               ("stats", 'STAT(TcpOut, "sent")', "s->TcpOut++"),
                               ("drops", 'DROP(short, tcp, "short")', "return DROP_short"),
                               ("events", 'EVENT(rto, "timeout")', "e = EVENT_rto")):
            with self.subTest(name):
                self.assertEqual(self.rows(name, f"\n{row}\n"), [(f"src/def/{name}.def:2", "unused-row")])
                self.assertEqual(self.rows(name, f"\n{row}\n", f"    /* {use} */\n"),
                                 [(f"src/def/{name}.def:2", "unused-row")])
                self.assertEqual(self.rows(name, f"\n{row}\n", f"    {use};\n"), [])

    def test_a_counter_that_is_a_sum_of_drops(self):
        files = {"src/def/stats.def": "STAT(Bad, 1)\n", "src/def/counted.def": "COUNTED(Bad, short)\n"}
        self.assertEqual(tidy(files), [])

    def test_text_that_names_a_knob(self):
        knob = 'KNOB(fin, "net.ipv4.fin", 1)\n'
        use = "    k->fin = DROP_a;\n"
        self.assertEqual(self.rows("x", knob + 'DROP(a, tcp, "see net.ipv4.fin.")\n', use), [])
        self.assertEqual(self.rows("x", knob + 'DROP(a, tcp, "see net.ipv4.fan.")\n', use),
                         [("src/def/x.def:2", "knob-named")])


class Files(unittest.TestCase):
    def test_five_hundred_lines(self):
        self.assertEqual(tidy({"tests/a.c": "\n" * 500}), [])
        self.assertEqual(tidy({"tests/a.c": "\n" * 501}), [("tests/a.c:501", "file-size")])

    def test_a_hundred_columns(self):
        self.assertEqual(tidy({"tests/a.c": "/" * 2 + "é" * 98 + "\n"}), [])
        self.assertEqual(tidy({"tests/a.c": "/" * 101 + "\n"}), [("tests/a.c:1", "line-length")])

    def test_todo(self):
        self.assertEqual(tidy({"tests/a.c": "/* TODO(#12): later */\n"}), [])
        self.assertEqual(tidy({"tests/a.c": "\n/* TO" "DO: later */\n"}), [("tests/a.c:2", "todo")])

    def test_head(self):
        for folder in ("src/tcp", "drivers", "run", "cli"):
            self.assertEqual(tidy({f"{folder}/a.c": HEAD}), [])
            self.assertEqual(tidy({f"{folder}/a.c": "int a;\n"}), [(f"{folder}/a.c:1", "head")])
        self.assertEqual(tidy({"tests/unit/a.c": "int a;\n"}), [])
        self.assertEqual(tidy({"src/tcp/a.c": "int a;\n" + HEAD}), [("src/tcp/a.c:1", "head")])
        self.assertEqual(tidy({"src/tcp/a.c": HEAD.replace("Units:", "units")}),
                         [("src/tcp/a.c:1", "head")])

    def test_machine_path(self):
        self.assertEqual(tidy({"docs/a.md": "see /usr/include and ~/home/x and $X/home/y\n"}), [])
        self.assertEqual(tidy({"docs/a.md": "see /home/" "ann/weir\n"}), [("docs/a.md:1", "machine-path")])


class Core(unittest.TestCase):
    def test_forbidden_headers(self):
        self.assertEqual(tidy({"src/tcp/a.c": HEAD + "#include <errno.h>\n#include <stdint.h>\n"}), [])
        for name in ("stdio.h", "time.h", "pthread.h", "stdatomic.h", "unistd.h"):
            with self.subTest(name):
                self.assertEqual(tidy({"src/tcp/a.c": HEAD + f"#include <{name}>\n"}),
                                 [("src/tcp/a.c:4", "core-pure")])
                self.assertEqual(tidy({"drivers/a.c": HEAD + f"#include <{name}>\n"}), [])

    def test_forbidden_calls(self):
        for use in ("errno = 1", "printf(0)", "time(0)", "clock_gettime(0, 0)", "rand()"):
            with self.subTest(use):
                self.assertEqual(tidy({"src/tcp/a.c": function(f"    {use};\n")}),
                                 [("src/tcp/a.c:6", "core-pure")])

    def test_names_that_only_look_like_them(self):
        self.assertEqual(tidy({"src/tcp/a.c": function(
            "    t->time = time; /* errno printf() */\n    p->random(p);\n    return -EAGAIN;\n")}), [])


class Built(unittest.TestCase):
    def test_exports(self):
        folder, library = built("int weir_a(void) { return 1; }\nint other(void) { return 2; }\n")
        with folder:
            self.assertEqual(tidy({}, "--library", library), [("libx.so:0", "exports")])

    def test_globals(self):
        folder, archive = built("static int n; int f(void) { static int k = 1; return n++ + k++; }\n"
                                "int shown;\n", archive=True)
        with folder:
            self.assertEqual(tidy({}, "--core", archive), [("x.o:0", "globals")] * 3)

    def test_constant_tables_are_no_globals(self):
        for flags in ([], ["-fsanitize=address,undefined"], ["-O3"]):
            with self.subTest(flags):
                folder, archive = built(
                    'static const char *const names[] = {"a", "b"};\nconst int n = 1;\n'
                    "const char *f(int i) { return names[i + 1]; }\n", *flags, archive=True)
                with folder:
                    self.assertEqual(tidy({}, "--core", archive), [])


if __name__ == "__main__":
    tap.main()
