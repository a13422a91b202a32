"""The manual page names every verb and every option of `weir run` that the command itself knows."""
import os
import re
import unittest

import tap

SOURCE = os.environ.get("WEIR_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as stream:
        return stream.read()


class Manual(unittest.TestCase):
    page = read("docs/man/weir.1")

    def test_every_verb(self):
        verbs = re.findall(r'^    \{"(\w+)", cmd_', read("cli/main.c"), re.M)
        self.assertGreater(len(verbs), 3)
        for verb in verbs:
            self.assertIn(f"\n.Cm {verb}\n", self.page)
            self.assertIn(f"\n.Ss weir {verb}\n", self.page)

    def test_every_option_of_run(self):
        options = set(re.findall(r'\{"([\w-]+)", (?:no|required)_argument', read("run/options.c"))) - {"help"}
        self.assertGreater(len(options), 8)
        listed = set(re.findall(r"^\.It .*?Fl -([\w-]+)", self.page, re.M))
        listed |= set(re.findall(r"^\.It Fl \w , Fl -([\w-]+)", self.page, re.M))
        self.assertEqual(options, listed)


class Links(unittest.TestCase):
    def test_every_file_that_a_document_links_is_there(self):
        documents = ["README.md"] + [f"docs/{name}" for name in os.listdir(os.path.join(SOURCE, "docs"))
                                     if name.endswith(".md")]
        for document in documents:
            for target in re.findall(r"\]\(([^)#:]+)\)", read(document)):
                path = os.path.join(SOURCE, os.path.dirname(document), target)
                self.assertTrue(os.path.exists(path), f"{document} links {target}")

    def test_every_file_that_a_document_names_is_there(self):
        """`src/tcp/x.c` in code marks; what holds a placeholder is an example."""
        for name in ["README.md"] + [f"docs/{n}" for n in os.listdir(os.path.join(SOURCE, "docs"))
                                     if n.endswith(".md")]:
            for path in re.findall(r"`((?:src|drivers|run|cli|tests|tools|docs|include|examples)/[\w./-]+)`",
                                   read(name)):
                if re.search(r"[A-Z]{3,}", path) or path.startswith(("tests/unit/tcp/", "tests/unit/base/")):
                    continue
                self.assertTrue(os.path.exists(os.path.join(SOURCE, path)), f"{name} names {path}")


if __name__ == "__main__":
    tap.main()
