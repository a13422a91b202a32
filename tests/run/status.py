"""What a program under `weir run` can not notice: its exit status, its pipes, its arguments."""
import os
import signal
import subprocess

import rig
import tap


class Status(rig.Case):
    def test_exit_0(self):
        self.end_well(self.weir("true"), 0)

    def test_exit_7(self):
        self.end_well(self.weir("sh", "-c", "exit 7"), 7)

    def test_exit_255(self):
        self.end_well(self.weir("sh", "-c", "exit 255"), 255)

    def test_signal_is_128_and_its_number(self):
        self.end_well(self.weir("sh", "-c", "kill -9 $$"), 128 + signal.SIGKILL)

    def test_term_is_passed_on(self):
        program = self.weir("sh", "-c", "echo ready; exec sleep 60")
        program.wait_for("ready")
        program.signal(signal.SIGTERM)
        self.end_well(program, 128 + signal.SIGTERM)

    def test_a_signal_the_program_takes(self):
        program = self.weir("sh", "-c", "trap 'echo took; exit 3' USR1; echo ready; while :; do sleep 0.05; done")
        program.wait_for("ready")
        program.signal(signal.SIGUSR1)
        self.end_well(program, 3)
        self.assertIn("took", program.out)

    def test_not_found_is_127(self):
        program = self.weir("no-such-program-here")
        self.assertEqual(program.exit(), 127)
        self.assertEqual(program.err, "weir: no-such-program-here: no such program\n")

    def test_not_executable_is_126(self):
        with open(self.path("plain"), "w", encoding="ascii") as stream:
            stream.write("#!/bin/sh\n")
        program = self.weir(self.path("plain"))
        self.assertEqual(program.exit(), 126)
        self.assertRegex(program.err, r"\Aweir: .*/plain: Permission denied\n\Z")

    def test_a_folder_is_126(self):
        program = self.weir(self.folder)
        self.assertEqual(program.exit(), 126)
        self.assertRegex(program.err, r"\Aweir: .*: Is a directory\n\Z")


class Streams(rig.Case):
    def test_binary_pipe(self):
        data = os.urandom(3_000_000)
        program = self.weir("cat", stdin=subprocess.PIPE)
        program.child.stdin.write(data)
        program.child.stdin.close()
        self.end_well(program)
        self.assertTrue(program.bytes["out"] == data, "the pipe changed what went through it")

    def test_stdout_is_the_program_s_alone(self):
        program = self.weir("sh", "-c", "printf 'a\\0b'; echo words >&2")
        self.end_well(program)
        self.assertEqual(program.bytes["out"], b"a\0b")
        others = [line for line in program.err.splitlines() if not line.startswith("weir: ")]
        self.assertEqual(others, ["words"])

    def test_arguments_and_environment(self):
        program = self.weir("sh", "-c", 'printf "%s|" "$0" "$@" "$MARK"', "a b", "", "*", "--net",
                            env={"MARK": "m n"})
        self.end_well(program)
        self.assertEqual(program.out, "a b||*|--net|m n|")

    def test_the_program_sees_end_of_stdin(self):
        program = self.weir("sh", "-c", "read x; echo over")
        self.end_well(program)
        self.assertEqual(program.out, "over\n")


if __name__ == "__main__":
    tap.main()
