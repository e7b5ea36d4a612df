"""From sympy to the text that the reader reads."""

from __future__ import annotations

import sympy as sp

from piggycheck.errors import ExpressionError
from piggycheck.expression.limits import LONGEST_TEXT
from piggycheck.expression.nodes import base_and_exponent, relu
from piggycheck.expression.tokens import declared_names

__all__ = ["Writer"]

SYMBOLS = {
    sp.StrictLessThan: "<",
    sp.LessThan: "<=",
    sp.StrictGreaterThan: ">",
    sp.GreaterThan: ">=",
    sp.Equality: "==",
    sp.Unequality: "!=",
}
OR, AND, NOT, COMPARISON, SUM, PRODUCT, POWER, ATOM = range(1, 9)
LONGEST_CHAIN = 500


class Writer:
    """Texts of the nodes of one expression; a node that occurs twice is written once."""

    def __init__(self) -> None:
        self._known: dict[sp.Basic, tuple[str, int]] = {}

    def text(self, node: sp.Basic, level: int) -> str:
        """Return the text of a node, in parentheses when it binds less tightly than `level`."""
        if node not in self._known:
            written = self._write(node)
            if len(written[0]) > LONGEST_TEXT:
                raise ExpressionError(f"the text has more than {LONGEST_TEXT} characters; name a part of it")
            self._known[node] = written
        text, own = self._known[node]
        return f"({text})" if own < level else text

    def _write(self, node: sp.Basic) -> tuple[str, int]:
        match node:
            case sp.Integer():
                return str(node), SUM if node < 0 else ATOM
            case sp.Rational():
                return str(node), SUM if node < 0 else PRODUCT
            case sp.Symbol():
                declared_names([node], "expression")
                return node.name, ATOM
            case sp.Add():
                return self._sum(node), SUM
            case sp.Mul() | sp.Pow():
                return self._product(node)
            case sp.Piecewise():
                pairs = [f"({self.text(value, 0)}, {self.text(condition, 0)})" for value, condition in node.args]
                return f"Piecewise({', '.join(pairs)})", ATOM
            case sp.Abs() | sp.Max() | sp.Min() | sp.sign() | relu() | sp.exp() | sp.log():
                return f"{type(node).__name__}({', '.join(self.text(part, 0) for part in node.args)})", ATOM
            case sp.And() | sp.Or():
                word, level = (" and ", AND) if isinstance(node, sp.And) else (" or ", OR)
                return word.join(self.text(part, level + 1) for part in node.args), level
            case sp.Not():
                return "not " + self.text(node.args[0], ATOM), NOT
        if type(node) in SYMBOLS:
            left, right = (self.text(side, SUM) for side in node.args)
            return f"{left} {SYMBOLS[type(node)]} {right}", COMPARISON
        if node in (sp.true, sp.false):
            return str(node), ATOM
        if node is sp.S.Exp1:
            return "exp(1)", ATOM
        what = "a float is not exact; write a rational number" if isinstance(node, sp.Float) else "not in the grammar"
        raise ExpressionError(what, fragment=str(node)[:40])

    def _sum(self, node: sp.Add) -> str:
        terms = sorted(node.args, key=lambda term: isinstance(term, sp.Rational))
        texts = [self.text(term, SUM) for term in terms]
        first = next((i for i, text in enumerate(texts) if not text.startswith("-")), 0)
        texts.insert(0, texts.pop(first))
        groups = [joined_terms(texts[i : i + LONGEST_CHAIN]) for i in range(0, len(texts), LONGEST_CHAIN)]
        return groups[0] if len(groups) == 1 else " + ".join(f"({group})" for group in groups)

    def _product(self, node: sp.Expr) -> tuple[str, int]:
        coefficient, above, below = sp.S.One, [], []
        for factor in sorted(sp.Mul.make_args(node), key=lambda factor: not factor.is_number):
            if isinstance(factor, sp.Rational):
                coefficient *= factor
                continue
            base, exponent = base_and_exponent(factor)
            if isinstance(exponent, sp.Rational) and exponent < 0:
                below.append(self._power(base, -exponent))
            else:
                above.append(self._power(base, exponent))
        if coefficient == 1 and len(above) == 1 and not below:
            return above[0]
        if abs(coefficient.p) != 1 or not above:
            above.insert(0, (str(abs(coefficient.p)), ATOM))
        if coefficient.q != 1:
            below.insert(0, (str(coefficient.q), ATOM))
        text = "*".join(in_brackets(*part, PRODUCT) for part in above)
        text += "".join("/" + in_brackets(*part, POWER) for part in below)
        return ("-" + text, SUM) if coefficient < 0 else (text, PRODUCT)

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        if exponent == 1:
            return self._known[base] if base in self._known else (self.text(base, 0), self._known[base][1])
        if not isinstance(exponent, sp.Rational) or not is_power_of_two(exponent.q):
            raise ExpressionError(
                "an exponent is an integer or half of one; write `exp(y*log(x))`", fragment=str(base**exponent)[:40]
            )
        text, roots = self.text(base, ATOM), exponent.q.bit_length() - 1
        if roots == 1 and exponent.p != 1:
            return f"{text}**({exponent})", POWER
        if roots:
            text = "sqrt(" * roots + self.text(base, 0) + ")" * roots
        return (text, ATOM) if exponent.p == 1 else (f"{text}**{exponent.p}", POWER)


def is_power_of_two(number: int) -> bool:
    """Whether a positive integer is a power of 2."""
    return number & (number - 1) == 0


def in_brackets(text: str, own: int, level: int) -> str:
    """Put brackets around a text that binds less tightly than its place asks for."""
    return f"({text})" if own < level else text


def joined_terms(texts: list[str]) -> str:
    """Join terms to a sum; a term with a minus sign is subtracted."""
    joined = texts[0]
    for text in texts[1:]:
        joined += " - " + text[1:] if text.startswith("-") else " + " + text
    return joined
