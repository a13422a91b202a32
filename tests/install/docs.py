"""What the documents say is there: links lead somewhere, files that are named exist, and each command line
of README.md and docs/ has a verb, options and a make target that there are."""
import functools
import glob
import os
import re
import subprocess
import unittest

import tap

WEIR, SOURCE = os.environ["WEIR"], os.environ["WEIR_SOURCE"]
PAGES = ["README.md", *sorted(glob.glob("docs/*.md", root_dir=SOURCE)), "bench/README.md"]
FOLDERS = "bench|capfile|cli|docs|drivers|dump|examples|explain|include|lab|packetdrill|page|run|scenarios|scripts|src|tests|tools"
FILE = re.compile(rf"`((?:{FOLDERS})/[\w./-]+)`")
PLACEHOLDER = re.compile(r"[A-Z]{3,}(?!\.md)")  # cmd_NAME.c
BLOCK = re.compile(r"^ *```.*?^ *```|(?:^    \S.*\n)+", re.M | re.S)
COMMAND = re.compile(r"^(?:`| *(?:\$ |sudo |[A-Z_]+=\S+ )*)(?:build/)?weir ([a-z]+)((?: [^\n`|#>&;]*)?)", re.M)


def text_of(page):
    with open(os.path.join(SOURCE, page), encoding="utf-8") as stream:
        return stream.read()


def anchors(page):
    heads = re.findall(r"^#+ (.*)", text_of(page), re.M)
    return {re.sub(r"[^\w -]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def exists(path):
    return any(os.path.exists(os.path.join(SOURCE, root, path)) for root in ("", "tests"))


@functools.cache
def help_of(verb):
    answer = subprocess.run([WEIR, verb, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return answer.stdout if answer.returncode == 0 else None


def commands(page):
    """[(verb, words)] of its code; what follows `--` is another program's."""
    text = text_of(page)
    code = BLOCK.findall(text) + re.findall(r"`[^`\n]+`", text)
    return [(verb, words.split(" -- ")[0]) for part in code for verb, words in COMMAND.findall(part)]


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in PAGES:
            for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text_of(page), flags=re.S)):
                path, _, anchor = link.partition("#")
                there = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                with self.subTest(page=page, link=link):
                    self.assertTrue(os.path.exists(os.path.join(SOURCE, there)))
                    self.assertTrue(not anchor or anchor in anchors(there))

    def test_files_that_are_named_exist(self):
        for page in PAGES:
            named = {path for path in FILE.findall(text_of(page)) if not PLACEHOLDER.search(path)}
            self.assertEqual([path for path in sorted(named) if not exists(path)], [], page)

    def test_verbs_and_options_are_those_of_help(self):
        count = 0
        for page in PAGES:
            for verb, words in commands(page):
                with self.subTest(page=page, command=f"weir {verb}{words}"):
                    said = help_of(verb)
                    self.assertIsNotNone(said, "no such verb")
                    for option in re.findall(r"(?<!\S)\[?(--[a-z][a-z-]+)", words):
                        self.assertIn(option, said)
                    count += 1
        self.assertGreater(count, 50)

    def test_make_knows_its_targets(self):
        known = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
        for page in PAGES:
            named = re.findall(r"^\s*(?:[A-Z]+=\S+ )*make ([a-z-]+)", text_of(page), re.M) + re.findall(r"`make ([a-z-]+)", text_of(page))
            self.assertEqual(set(named) - known, set(), page)


if __name__ == "__main__":
    tap.main()
