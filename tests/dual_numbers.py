"""Texts of the grammar evaluated by Python on dual numbers, with what a framework takes for the derivative at ties."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["dual_pair"]


class Dual:
    """A number and its derivatives."""

    def __init__(self, value, slopes):
        self.value, self.slopes = Fraction(value), [Fraction(s) for s in slopes]

    def of(self, other):
        return other if isinstance(other, Dual) else Dual(other, [0] * len(self.slopes))

    def __add__(self, other):
        other = self.of(other)
        return Dual(self.value + other.value, [a + b for a, b in zip(self.slopes, other.slopes, strict=True)])

    def __neg__(self):
        return Dual(-self.value, [-a for a in self.slopes])

    def __sub__(self, other):
        return self + -self.of(other)

    def __rsub__(self, other):
        return self.of(other) - self

    def __mul__(self, other):
        other = self.of(other)
        pairs = zip(self.slopes, other.slopes, strict=True)
        return Dual(self.value * other.value, [a * other.value + self.value * b for a, b in pairs])

    def __truediv__(self, other):
        other = self.of(other)
        pairs = zip(self.slopes, other.slopes, strict=True)
        return Dual(self.value / other.value, [(a * other.value - self.value * b) / other.value**2 for a, b in pairs])

    def __rtruediv__(self, other):
        return self.of(other) / self

    def __pow__(self, n):
        n = int(n)
        return Dual(self.value**n, [n * self.value ** (n - 1) * a for a in self.slopes])

    def compared(self, other):
        return self.value - self.of(other).value

    __radd__, __rmul__ = __add__, __mul__
    __hash__ = None

    def __lt__(self, other):
        return self.compared(other) < 0

    def __le__(self, other):
        return self.compared(other) <= 0

    def __gt__(self, other):
        return self.compared(other) > 0

    def __ge__(self, other):
        return self.compared(other) >= 0

    def __eq__(self, other):
        return self.compared(other) == 0

    def __ne__(self, other):
        return self.compared(other) != 0


def dual_pair(texts, state, parameters, point, absolute):
    """Return A and B as rows; `absolute` is the derivative of Abs at 0."""
    names = [*state, *parameters]
    values = {name: Dual(point[name], [int(i == j) for j in range(len(names))]) for i, name in enumerate(names)}
    zero = Dual(0, [0] * len(names))

    def extreme(best, arguments):
        arguments = [zero.of(a) for a in arguments]
        largest = best(a.value for a in arguments)
        tied = [a for a in arguments if a.value == largest]
        return sum(tied, zero) / len(tied)

    def cases(*pairs):
        return zero.of(next(value for value, condition in pairs if condition))

    def sloped(a, at_zero, below):
        a = zero.of(a)
        return a * (1 if a.value > 0 else at_zero if a.value == 0 else below)

    scope = {
        "Number": Fraction,
        "Max": lambda *arguments: extreme(max, arguments),
        "Min": lambda *arguments: extreme(min, arguments),
        "Abs": lambda a: sloped(a, absolute, -1),
        "relu": lambda a: sloped(a, 0, 0),
        "sign": lambda a: zero + ((zero.of(a).value > 0) - (zero.of(a).value < 0)),
        "Piecewise": cases,
        **values,
    }
    rows = [zero.of(eval(re.sub(r"(?<![\w*])\d+(?!\w)", r"Number(\g<0>)", text), scope)).slopes for text in texts]
    return [row[: len(state)] for row in rows], [row[len(state) :] for row in rows]
