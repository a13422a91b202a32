"""Runs a file's unittest classes and prints TAP, so that each case counts. At the end of a file:

    if __name__ == "__main__":
        tap.main()
"""
import sys
import unittest


class TapResult(unittest.TestResult):
    count = 0
    broken = None

    def line(self, word, test, remark=""):
        self.count += 1
        name = test.id().removeprefix("__main__.")
        print(f"{word} {self.count} - {name}{remark}", flush=True)

    def remarks(self, text):
        for line in text.rstrip().splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        self.line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("not ok", test)
        self.remarks(self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.line("not ok", test)
        self.remarks(self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        """A test whose part failed is one failed case: unittest then calls neither of the above."""
        super().addSubTest(test, subtest, err)
        if err:
            self.broken = test
            self.remarks((self.failures + self.errors)[-1][1])

    def stopTest(self, test):
        if self.broken is test:
            self.line("not ok", test)
            self.broken = None

    def addSkip(self, test, reason):
        self.line("ok", test, f" # SKIP {reason}")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    print(f"1..{suite.countTestCases()}", flush=True)
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
