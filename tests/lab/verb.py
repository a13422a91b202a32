"""weir lab: its words, exit statuses, mistakes; and that a run is the same each time, byte for byte."""
import json
import os
import subprocess
import tempfile
import unittest

import cpu
import tap

WEIR = os.environ["WEIR"]

SCENE = """title "A test"
local a, b = host "a", host "b"
local wire = link(a, b, "delay 5ms")
local n = knob("n", 1, "a number")
b:serve(80, function(conn) conn:send(conn:recv()) conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send("x")
    check(conn:recv_all() == "x", "it comes back")
    check(n < 5, "n is small")
    conn:close()
end)
"""


def lab(*words, env=None):
    return subprocess.run([WEIR, "lab", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, preexec_fn=cpu.bound, env={**os.environ, **(env or {})}, check=False)


def scene(text=SCENE, name="t.lua"):
    path = os.path.join(tempfile.mkdtemp(), name)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


class Verb(unittest.TestCase):
    def test_a_scenario_that_holds_ends_with_0(self):
        answer = lab("run", scene())
        assert answer.returncode == 0, answer.stderr
        assert "holds  it comes back" in answer.stdout

    def test_a_claim_that_fails_ends_with_1_and_names_the_command_that_repeats_it(self):
        path = scene()
        answer = lab("run", path, "--set", "n=7", "--seed", "3")
        assert answer.returncode == 1
        assert "FAILS  n is small" in answer.stdout and "line 10" in answer.stdout
        assert f"weir lab run {path} --seed 3 --set 'n=7'" in answer.stdout

    def test_typing_mistakes_name_the_line_and_the_nearest_word(self):
        for wrong, right, line in (("b:serve", "b:serv", 5), ("check(n", "chekc(n", 10), ("knob(", "nob(", 4),
                                   ("conn:recv_all", "conn:recval", 9)):
            answer = lab("run", scene(SCENE.replace(wrong, right)))
            assert answer.returncode == 2, answer.stdout
            assert f":{line}: " in answer.stderr and "did you mean" in answer.stderr, answer.stderr

    def test_an_error_of_the_scenario_ends_with_2(self):
        assert lab("run", scene("title 'x'\nlocal q = nil + 1\n")).returncode == 2
        assert ":1:" in lab("run", scene("local a = 1\n")).stderr
        assert "endless" in lab("run", scene(SCENE.replace("conn:close()\nend)\n", "while true do end end)\n"))).stderr

    def test_usage_mistakes_end_with_2_and_a_hint(self):
        for words in (["rum"], ["run"], ["run", "no-such-thing"], ["run", "--sed", "1"], ["show"],
                      ["run", scene(), "--set", "m=1"], ["run", scene(), "--set", "net.ipv4.tcp_fin_tmeout=1"],
                      ["run", scene(), "--seed", "x"], ["run", "--all", "--shard", "3/2"]):
            answer = lab(*words)
            assert answer.returncode == 2 and answer.stderr.startswith("weir lab:"), (words, answer)

    def test_no_files_and_no_programs_can_be_reached(self):
        for word in ("io", "os", "require", "dofile", "load", "debug", "coroutine"):
            answer = lab("run", scene(f"title 'x'\nlocal q = {word}.x\n"))
            assert answer.returncode == 2 and "no word" in answer.stderr, (word, answer)

    def test_json_is_one_object_for_each_run(self):
        answer = lab("run", "--json", scene(), scene())
        runs = [json.loads(line) for line in answer.stdout.splitlines()]
        assert len(runs) == 2 and runs[0]["holds"] is True
        assert runs[0]["claims"][0]["text"] == "it comes back"
        assert runs[0]["counters"]["a"]["TcpActiveOpens"] == 1

    def test_colour_comes_only_where_it_is_asked_for(self):
        path = scene()
        assert "\033" not in lab("run", path).stdout
        assert "\033" in lab("run", path, "--color=always").stdout

    def test_the_ladder_is_as_the_document_shows_it(self):
        """Times, states, arrows, losses, brackets: docs/lab.md shows the beginning of a real run."""
        with open(os.path.join(os.environ["WEIR_SOURCE"], "docs", "lab.md"), encoding="utf-8") as stream:
            block = stream.read().split("## Reading the ladder")[1].split("```")[1].strip("\n")
        assert len(block.splitlines()) > 5
        assert block + "\n" in lab("run", "lost-synack").stdout

    def test_one_seed_is_one_run_and_another_is_not(self):
        text = SCENE.replace("delay 5ms", "delay 5ms jitter 2ms loss 20%").replace('"x"', '("x"):rep(30000)')
        path, folder = scene(text), tempfile.mkdtemp()
        captures = []
        for number, seed in enumerate("112"):
            out = os.path.join(folder, str(number))
            lab("run", path, "--seed", seed, "--pcapng", out)
            with open(out, "rb") as stream:
                captures.append(stream.read())
        assert captures[0] == captures[1] and captures[0] != captures[2]
        assert len(captures[0]) > 30000

    def test_seeds_tell_how_many_hold(self):
        assert "5 of 5 seeds hold" in lab("run", "--seeds", "5", scene()).stdout
        flaky = SCENE.replace("n < 5", "random(4) > 0")
        answer = lab("run", "--seeds", "30", scene(flaky))
        assert answer.returncode == 1 and "--seed " in answer.stdout

    def test_the_shards_of_a_run_are_all_of_it_once(self):
        def names(*words):
            answer = lab("run", "--all", "--json", "--until", "1ms", *words)  # too soon for any to hold: it is about names
            return [json.loads(line)["name"] for line in answer.stdout.splitlines()]

        parts = [names("--shard", f"{i}/3") for i in (1, 2, 3)]
        assert sorted(sum(parts, [])) == sorted(names())
        assert all(len(part) > 10 for part in parts)

    def test_until_ends_a_run_early(self):
        run = json.loads(lab("run", "--json", "--until", "20ms", "lost-synack").stdout)
        assert run["seconds"] <= 0.02 and not run["holds"]

    def test_a_new_scenario_runs(self):
        folder = tempfile.mkdtemp()
        here = os.path.join(folder, "mine")
        assert lab("new", here).returncode == 0
        assert lab("run", here + ".lua").returncode == 0
        assert lab("new", here).returncode == 2

    def test_list_and_show_know_the_gallery(self):
        assert "lost-synack" in lab("list").stdout
        assert lab("show", "lost-synack").stdout.startswith("title ")


if __name__ == "__main__":
    tap.main()
