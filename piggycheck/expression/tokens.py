"""The words of the grammar: what a text may be made of, and what to write in place of what it may not."""

from __future__ import annotations

import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NoReturn

import sympy as sp

from piggycheck.errors import ExpressionError
from piggycheck.expression.limits import DEEPEST_NESTING, LONGEST_NUMBER, LONGEST_TEXT

__all__ = ["FUNCTIONS", "Source", "check_tokens", "declared_names"]

FUNCTIONS = ("Piecewise", "Abs", "Max", "Min", "sign", "relu", "sqrt", "exp", "log")
WORDS = ("and", "or", "not", "True", "False")

FUNCTION_HINTS = {
    "ln": "log",
    "maximum": "Max",
    "minimum": "Min",
    "sgn": "sign",
    "signum": "sign",
    "fabs": "Abs",
    "absolute": "Abs",
}
NAME_HINTS = {
    "if": "write `Piecewise((a, condition), (b, True))`",
    "else": "write `Piecewise((a, condition), (b, True))`",
    "where": "write `Piecewise((a, condition), (b, True))`",
    "Heaviside": "write `Piecewise((1, x > 0), (0, True))`",
    "pow": "write `a**b`",
    "square": "write `x**2`",
    "is": "write `==`",
    "lambda": "this word belongs to Python; call it `lam`",
    "true": "write `True`",
    "false": "write `False`",
    "E": "write `exp(1)`",
    "pi": "the grammar has no such number; write a rational one",
}
SIGN_HINTS = {
    "^": "**",
    "&&": "and",
    "||": "or",
    "=": "==",
    "!": "not",
    "<>": "!=",
    "=>": ">=",
    "=<": "<=",
    "===": "==",
    "//": "/",
    "−": "-",
    "–": "-",
    "×": "*",
    "·": "*",
    "⋅": "*",
    "÷": "/",
    "²": "**2",
    "³": "**3",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "∧": "and",
    "∨": "or",
    "¬": "not",
    "√": "sqrt(...)",
    "[": "(",
    "]": ")",
    "{": "(",
    "}": ")",
}

TOKEN = re.compile(
    r"(?P<space>[ \t\r\n\f]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W0-9]\w*)"
    r"|(?P<wrong>===|//|&&|\|\||<>|=>|=<)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/(),<>&|~])"
)


def declared_names(names: Mapping[str, sp.Symbol] | Iterable[sp.Symbol], where: str) -> dict[str, sp.Symbol]:
    """Return the table of names, once each is known to be a name and no word of the grammar."""
    table = dict(names) if isinstance(names, Mapping) else {symbol.name: symbol for symbol in names}
    for name in table:
        if not isinstance(name, str) or not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
            raise ExpressionError("not a name; use letters, digits and `_`", where, fragment=str(name))
        if name in FUNCTIONS:
            raise ExpressionError("a function of the grammar has this name; choose another", where, fragment=name)
        if keyword.iskeyword(name):
            raise ExpressionError("this word belongs to Python; choose another name", where, fragment=name)
    return table


class Source:
    """A text, the names it may use, and how to point at a place in it."""

    def __init__(self, text: str, names: dict[str, sp.Symbol], where: str):
        self.text, self.names, self.where = text, names, where
        if not isinstance(text, str):
            raise ExpressionError(f'an expression is text; write "{text}" with quotes', where, fragment=repr(text)[:40])
        if len(text) > LONGEST_TEXT:
            raise ExpressionError(f"{len(text)} characters; at most {LONGEST_TEXT} are read", where)

    def fail(self, message: str, start: int, end: int) -> NoReturn:
        before = self.text[:start].replace("\r\n", "\n").replace("\r", "\n")
        fragment = " ".join(self.text[start:end].split())
        if len(fragment) > 40:
            fragment = fragment[:37] + "..."
        fragment = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in fragment)
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise ExpressionError(message, self.where, line, column, fragment)


def check_tokens(source: Source) -> None:
    """Refuse every character, word and neighbourhood that the grammar has no use for, before Python's parser runs."""
    text, position, open_brackets, previous = source.text, 0, [], ""
    if not text.strip(" \t\r\n\f"):
        source.fail("nothing is written; write an expression", 0, 0)
    while position < len(text):
        token = TOKEN.match(text, position)
        if token is None or token.lastgroup == "wrong":
            refuse_character(source, position, token.group() if token else text[position])
        kind, word, start, position = token.lastgroup, token.group(), token.start(), token.end()
        if kind == "space":
            continue
        if kind == "number":
            check_number(source, word, start)
        elif kind == "name":
            check_name(source, word, start)
        if word == "(":
            open_brackets.append(start)
            if len(open_brackets) > 2 * DEEPEST_NESTING:
                source.fail(f"nested more than {DEEPEST_NESTING} deep; name a part of it", start, start + 1)
        elif word == ")":
            if not open_brackets:
                source.fail("this bracket was never opened", start, start + 1)
            open_brackets.pop()
        starts_value = kind == "number" or word == "(" or (kind == "name" and word not in ("and", "or"))
        if starts_value and previous == "value":
            source.fail("an operator is missing before this; write `*` for a product", start, position)
        ends_value = kind == "number" or word == ")" or (kind == "name" and word not in (*WORDS[:3], *FUNCTIONS))
        previous = "value" if ends_value else ""
    if open_brackets:
        source.fail("this bracket is never closed", open_brackets[-1], open_brackets[-1] + 1)


def refuse_character(source: Source, start: int, found: str) -> NoReturn:
    """Refuse a character that has no place in the grammar."""
    message = "this character is not part of the grammar"
    if found in SIGN_HINTS:
        message = f"not part of the grammar; write `{SIGN_HINTS[found]}`"
    elif found == ".":
        message = "attributes are not part of the grammar"
    elif found in "\"'":
        message = "quotes are not part of the grammar"
    source.fail(message, start, start + len(found))


def check_number(source: Source, word: str, start: int) -> None:
    """Refuse a number that is too long, or written in another way."""
    end = start + len(word)
    mantissa, _, exponent = word.lower().partition("e")
    if len(mantissa) > LONGEST_NUMBER or len(exponent) > 5 or abs(int(exponent or 0)) > LONGEST_NUMBER:
        source.fail(f"a number of more than {LONGEST_NUMBER} digits; write a shorter one", start, end)
    if mantissa.isdigit() and not exponent and len(mantissa) > 1 and mantissa[0] == "0":
        source.fail(f"a number with zeros in front; write `{mantissa.lstrip('0') or 0}`", start, end)
    following = re.compile(r"\w+").match(source.text, end)
    if following and re.fullmatch(r"_[0-9_]+|[xob][0-9a-fA-F_]+", following.group()):
        source.fail("a number is written with decimal digits alone", start, following.end())
    if following:
        advice = f"write `{word}*{following.group()}` for a product"
        source.fail(f"a number runs into a word; {advice}", start, following.end())


def check_name(source: Source, word: str, start: int) -> None:
    """Refuse a name that is not declared, or a function without its arguments."""
    end = start + len(word)
    strange = next((i for i, character in enumerate(word) if not ("a" + character).isidentifier()), None)
    if strange is not None:
        refuse_character(source, start + strange, word[strange])
    called = re.compile(r"[ \t\r\n\f]*\(").match(source.text, end) is not None
    if word in WORDS or (word in FUNCTIONS and called):
        return
    if word in FUNCTIONS:
        source.fail(f"this is a function; write `{word}(...)`", start, end)
    if word in source.names:
        if called:
            source.fail(f"a declared name, not a function; write `{word}*(...)`", start, end)
        return
    source.fail(name_hint(word, called, source.names), start, end)


def name_hint(word: str, called: bool, names: Mapping[str, sp.Symbol]) -> str:
    """Say what to write in place of an unknown name."""
    what = "no such function" if called else "an undeclared name"
    folded = {function.lower(): function for function in FUNCTIONS}
    if word in NAME_HINTS:
        return f"{what}; {NAME_HINTS[word]}"
    listed = f"the functions are {', '.join(FUNCTIONS)}"
    function = FUNCTION_HINTS.get(word.lower()) or folded.get(word.lower())
    if function and (called or word.lower() in folded):
        return f"{what}; write `{function}`"
    candidates = {**folded} if called else {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), candidates, n=1)
    if close:
        return f"{what}; did you mean `{candidates[close[0]]}`?" + (f" {listed}" if called else "")
    if called:
        return f"{what}; {listed}"
    shown = ", ".join(f"`{name}`" for name in list(names)[:12]) + (", ..." if len(names) > 12 else "")
    return f"{what}; declared are {shown}" if names else f"{what}; no names are declared here, write a number"
