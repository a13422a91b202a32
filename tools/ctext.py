"""Just enough C to measure it: comments, directives, functions, nesting. No preprocessing.

    text = CText(source)
    text.code         the source with comments, literals and directives blanked; lines stay in place
    text.comments     [(line, text)]
    text.directives   [(line, name, rest)]
    text.functions    [Function]
"""
import re
from collections import namedtuple

Token = namedtuple("Token", "text line")
Function = namedtuple("Function", "name line end params nesting nesting_line tokens")

LEXEMES = re.compile(r"""(?P<comment>/\*.*?(?:\*/|\Z)|//(?:\\\n|[^\n])*)
    |(?P<literal>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.S | re.X)
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w*)((?:\\\n|[^\n])*)", re.M)
TOKENS = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[^\s\w]")
OPENS = {"(": ")", "[": "]", "{": "}"}
BEFORE_BODY = {"__attribute__", "__attribute", "__asm__", "asm"}


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def spaces(text):
    return re.sub(r"[^\n]", " ", text)


class CText:
    def __init__(self, source):
        self.comments = []
        self.plain = LEXEMES.sub(self._lexeme, source)  # literals blanked, directives still there
        self.directives = [(line_at(self.plain, m.start()), m[1], m[2].replace("\\\n", " ").strip())
                           for m in DIRECTIVE.finditer(self.plain)]
        self.code = first_branches(self.plain)
        self.tokens = tokenize(self.code)
        self.functions = list(find_functions(self.tokens))

    def _lexeme(self, match):
        if match["comment"] is not None:
            self.comments.append((line_at(match.string, match.start()), match["comment"]))
            return spaces(match["comment"])
        literal = match["literal"]
        return literal[0] + "_" * (len(literal) - 2) + literal[-1] if "\n" not in literal else \
            spaces(literal)


def tokenize(code):
    tokens, line, seen = [], 1, 0
    for match in TOKENS.finditer(re.sub(r'"_*"|\'_*\'', lambda m: "0" * len(m[0]), code)):
        line += code.count("\n", seen, match.start())
        seen = match.start()
        tokens.append(Token(match[0], line))
    return tokens


def first_branches(text):
    """Blanks directives and all but the first branch of each #if, so that braces balance."""
    out, last, hidden = [], 0, []

    def keep(upto):
        piece = text[last:upto]
        out.append(spaces(piece) if any(hidden) else piece)

    for match in DIRECTIVE.finditer(text):
        keep(match.start())
        out.append(spaces(match[0]))
        last = match.end()
        name = match[1]
        if name in ("if", "ifdef", "ifndef"):
            hidden.append("__cplusplus" in match[2] or match[2].strip() == "0")
        elif name in ("else", "elif") and hidden:
            hidden[-1] = True
        elif name == "endif" and hidden:
            hidden.pop()
    keep(len(text))
    return "".join(out)


def close_of(tokens, at):
    """The index of the bracket that closes the one at `at` (or the end of the text)."""
    depth = 0
    for i in range(at, len(tokens)):
        if tokens[i].text in OPENS:
            depth += 1
        elif tokens[i].text in ")]}":
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def open_of(tokens, at):
    depth = 0
    for i in range(at, -1, -1):
        if tokens[i].text in ")]}":
            depth += 1
        elif tokens[i].text in OPENS:
            depth -= 1
            if depth == 0:
                return i
    return 0


def find_functions(tokens):
    i, start = 0, 0
    while i < len(tokens):
        text = tokens[i].text
        if text == ";":
            start = i + 1
        elif text in ("(", "["):
            i = close_of(tokens, i)
        elif text == "{":
            end = close_of(tokens, i)
            opening = parameters_before(tokens, start, i)
            if opening is not None:
                yield make_function(tokens, start, opening, i, end)
                start = end + 1
            elif i == start or tokens[start].text == "}":
                start = end + 1
            i = end
        i += 1


def parameters_before(tokens, start, brace):
    """The "(" of the parameters if the brace opens a function's body, else None."""
    at = brace - 1
    while at > start and tokens[at].text == ")":
        opening = open_of(tokens, at)
        if opening <= start:
            return None
        before = tokens[opening - 1].text
        if before in BEFORE_BODY:
            at = opening - 2
        elif before == ")":  # a function that returns a pointer to a function
            inner = open_of(tokens, opening - 1)
            for k in range(inner + 1, opening):
                if tokens[k].text == "(":
                    return k
            return None
        elif re.match(r"[A-Za-z_]", before):
            if any(t.text == "=" for t in tokens[start:opening]):
                return None
            return opening
        else:
            return None
    return None


def make_function(tokens, start, opening, brace, end):
    inside = tokens[opening + 1:close_of(tokens, opening)]
    body = tokens[brace:end + 1]
    depth, line = Nesting(body).deepest
    name = tokens[opening - 1].text
    if name.isupper() and inside:  # TEST(name)
        name = f"{name}({inside[0].text})"
    return Function(name, tokens[start].line, tokens[end].line, count_parameters(inside), depth,
                    line, body)


def count_parameters(inside):
    texts = [t.text for t in inside]
    if not texts or texts == ["void"]:
        return 0
    depth, count = 0, 1
    for text in texts:
        depth += (text in OPENS) - (text in ")]}")
        count += text == "," and depth == 0
    return count


class Nesting:
    """Walks statements; `deepest` is (control structures around the innermost statement, line)."""

    def __init__(self, body):
        self.t = body
        self.deepest = (0, body[0].line)
        self.i = 0
        self.statement(0)

    def peek(self, ahead=0):
        return self.t[self.i + ahead].text if self.i + ahead < len(self.t) else ""

    def skip_brackets(self):
        if self.peek() in OPENS:
            self.i = close_of(self.t, self.i) + 1

    def inner(self, depth):
        line = self.t[min(self.i, len(self.t) - 1)].line
        if depth + 1 > self.deepest[0]:
            self.deepest = (depth + 1, line)
        self.statement(depth + 1)

    def statement(self, depth):
        word = self.peek()
        if word == "{":
            self.i += 1
            while self.i < len(self.t) and self.peek() != "}":
                self.statement(depth)
            self.i += 1
        elif word == "if":
            self.if_chain(depth)
        elif word in ("for", "while", "switch"):
            self.i += 1
            self.skip_brackets()
            self.inner(depth)
        elif word == "do":
            self.i += 1
            self.inner(depth)
            self.to_semicolon()
        elif word in ("case", "default"):
            self.to_colon()
        elif re.match(r"[A-Za-z_]", word) and self.peek(1) == ":":  # a label
            self.i += 2
        elif self.is_loop_macro():
            self.i += 1
            self.skip_brackets()
            self.inner(depth)
        else:
            self.to_semicolon()

    def if_chain(self, depth):
        while True:
            self.i += 1
            self.skip_brackets()
            self.inner(depth)
            if self.peek() != "else":
                return
            self.i += 1
            if self.peek() != "if":
                self.inner(depth)
                return

    def is_loop_macro(self):
        if not re.match(r"[A-Za-z_]", self.peek()) or self.peek(1) != "(":
            return False
        end = close_of(self.t, self.i + 1)
        return end + 1 < len(self.t) and self.t[end + 1].text == "{"

    def to_semicolon(self):
        while self.i < len(self.t) and self.peek() not in (";", "}"):
            if self.peek() in OPENS:
                self.skip_brackets()
            else:
                self.i += 1
        if self.peek() == ";":
            self.i += 1

    def to_colon(self):
        while self.i < len(self.t) and self.peek() != ":":
            self.i += 1
        self.i += 1
