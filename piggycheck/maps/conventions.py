"""What frameworks return where a kink ties, and the Jacobian pair that their convention gives.

A framework differentiates the program as it is written, one function after the other. At a tie each function has a
derivative fixed by convention: that of a branch, or an average of branches, which belongs to no piece. The chain rule
does the rest. `CONVENTIONS` is what is computed with; `CONVENTION_TABLE` documents it, function by function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import ITE, And, BooleanFalse, BooleanTrue, Not, Or

from piggycheck.errors import GapError, InputError, MapError
from piggycheck.expression import relu
from piggycheck.maps.evaluation import SignsAt
from piggycheck.maps.structured import StructuredMap
from piggycheck.maps.switch import NONSMOOTH, TRUE_ON
from piggycheck.maps.symbolic import SymbolicMap
from piggycheck.maps.values import by_symbol

__all__ = ["CONVENTIONS", "CONVENTION_TABLE", "Convention", "ConventionRow", "convention_named", "convention_pair"]


@dataclass(frozen=True)
class Convention:
    """What a framework returns at ties.

    Parameters
    ----------
    name : str
    relu, absolute : sympy.Rational
        The derivatives of ``relu`` and ``Abs`` at 0.

    Notes
    -----
    The same for all: arguments of one ``Max`` or ``Min`` that tie share the derivative equally, ``sign`` has the
    derivative 0, and ``Piecewise`` that of the branch which the condition takes.
    """

    name: str
    relu: sp.Rational
    absolute: sp.Rational


CONVENTIONS = {
    "jax": Convention("jax", relu=sp.S.Zero, absolute=sp.S.One),
    "torch": Convention("torch", relu=sp.S.Zero, absolute=sp.S.Zero),
}
"""The conventions of frameworks, by name."""


class ConventionRow(NamedTuple):
    """A function of x that is tied at a point, as it is written, and its derivative there."""

    written: str
    """In the grammar of expressions; empty for what it does not have."""
    jax: str
    torch: str
    tie: sp.Rational
    jax_slope: sp.Rational
    torch_slope: sp.Rational


_ZERO, _HALF, _ONE, _TWO, _THREE, _FIVE = (sp.Rational(n) for n in ("0", "1/2", "1", "2", "3", "5"))

CONVENTION_TABLE = (
    ConventionRow("relu(x)", "jax.nn.relu(x)", "torch.relu(x)", _ZERO, _ZERO, _ZERO),
    ConventionRow("Abs(x)", "jnp.abs(x)", "torch.abs(x)", _ZERO, _ONE, _ZERO),
    ConventionRow("Max(x, 0)", "jnp.maximum(x, 0)", "torch.maximum(x, 0*one)", _ZERO, _HALF, _HALF),
    ConventionRow("Min(x, 0)", "jnp.minimum(x, 0)", "torch.minimum(x, 0*one)", _ZERO, _HALF, _HALF),
    ConventionRow(
        "Max(x, 2*x, 3*x)",
        "jnp.max(jnp.stack([x, 2*x, 3*x]))",
        "torch.amax(torch.stack([x, 2*x, 3*x]), 0)",
        _ZERO,
        _TWO,
        _TWO,
    ),
    ConventionRow(
        "Max(Max(x, 2*x), 3*x)",
        "jnp.maximum(jnp.maximum(x, 2*x), 3*x)",
        "torch.maximum(torch.maximum(x, 2*x), 3*x)",
        _ZERO,
        sp.Rational(9, 4),
        sp.Rational(9, 4),
    ),
    ConventionRow("sign(x)", "jnp.sign(x)", "torch.sign(x)", _ZERO, _ZERO, _ZERO),
    ConventionRow(
        "Piecewise((3*x, x >= 0), (5*x, True))",
        "jnp.where(x >= 0, 3*x, 5*x)",
        "torch.where(x >= 0, 3*x, 5*x)",
        _ZERO,
        _THREE,
        _THREE,
    ),
    ConventionRow(
        "Piecewise((3*x, x > 0), (5*x, True))",
        "jnp.where(x > 0, 3*x, 5*x)",
        "torch.where(x > 0, 3*x, 5*x)",
        _ZERO,
        _FIVE,
        _FIVE,
    ),
    ConventionRow(
        "Max(-1, Min(1, x))",
        "jnp.maximum(-1, jnp.minimum(1, x))",
        "torch.maximum(-one, torch.minimum(one, x))",
        _ONE,
        _HALF,
        _HALF,
    ),
    ConventionRow("", "jnp.clip(x, -1, 1)", "torch.clamp(x, -1, 1)", _ONE, _HALF, _ONE),
    ConventionRow(
        "sign(x)*relu(Abs(x) - 1)",
        "jnp.sign(x)*jax.nn.relu(jnp.abs(x) - 1)",
        "torch.sign(x)*torch.relu(torch.abs(x) - 1)",
        _ONE,
        _ZERO,
        _ZERO,
    ),
    ConventionRow(
        "sign(x)*Max(Abs(x) - 1, 0)",
        "jnp.sign(x)*jnp.maximum(jnp.abs(x) - 1, 0)",
        "torch.sign(x)*torch.maximum(torch.abs(x) - 1, 0*one)",
        _ONE,
        _HALF,
        _HALF,
    ),
    ConventionRow(
        "relu(x - 1) - relu(-x - 1)",
        "jax.nn.relu(x - 1) - jax.nn.relu(-x - 1)",
        "torch.relu(x - 1) - torch.relu(-x - 1)",
        _ONE,
        _ZERO,
        _ZERO,
    ),
    ConventionRow(
        "x - Max(-1, Min(1, x))",
        "x - jnp.maximum(-1, jnp.minimum(1, x))",
        "x - torch.maximum(-one, torch.minimum(one, x))",
        _ONE,
        _HALF,
        _HALF,
    ),
    ConventionRow("", "x - jnp.clip(x, -1, 1)", "x - torch.clamp(x, -1, 1)", _ONE, _HALF, _ZERO),
)
"""Derivatives at ties in JAX and PyTorch; ``one`` stands for a constant array of that value."""


def convention_named(name: str) -> Convention:
    """Return the convention of a framework.

    Raises
    ------
    InputError
        When none has this name.

    Examples
    --------
    >>> convention_named("torch").absolute
    0
    """
    if name not in CONVENTIONS:
        raise InputError(f"`{name}`: no such convention; write one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


def convention_pair(
    map_: SymbolicMap | StructuredMap, point: Mapping[Any, Any], convention: Convention
) -> tuple[sp.ImmutableMatrix, sp.ImmutableMatrix]:
    """Return the Jacobian pair that a framework returns at a point: by the chain rule on the program as written.

    Parameters
    ----------
    map_ : SymbolicMap or StructuredMap
        A map made of layers is written out.
    point : mapping
        Exact numbers for all variables.
    convention : Convention

    Returns
    -------
    A, B : sympy.ImmutableMatrix
        p × p and p × m. Away from ties they are the derivatives.

    Raises
    ------
    MapError
        When the map is not defined at the point.
    UnknownError
        When a sign is not decided, or a map made of layers is too large to be written out.

    Examples
    --------
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> map_ = SymbolicMap([x], [x / 3 + sp.Max(theta, 0) + sp.Abs(theta)], [theta])
    >>> [convention_pair(map_, {x: 0, theta: 0}, convention)[1][0] for convention in CONVENTIONS.values()]
    [3/2, 1/2]

    Notes
    -----
    Docs: docs/theory/conventions.md. Near the point the program is replaced by a smooth one with the same value there
    and the derivatives of the convention: a tied ``Max`` by the mean of the arguments that tie, for instance.

    When this fails: the program is that which was read, with sums and products in normal form. In a framework, the
    branch of a ``where`` that is not taken can still spoil the derivative, when it is infinite there.
    """
    if isinstance(map_, StructuredMap):
        return convention_pair(map_.symbolic(), by_symbol(point, (*map_.blocks, *map_.array_parameters)), convention)
    exact = map_.point(point)
    smooth = _Smooth(exact, convention)
    return map_.piece_at(tuple(map(smooth, map_.next)), exact).pair


class _Smooth:
    """Replaces kinks by smooth expressions with the value at a point and the derivative of a convention."""

    def __init__(self, point: Mapping[sp.Symbol, sp.Expr], convention: Convention):
        self.sign, self.convention = SignsAt(point), convention
        self.known: dict[sp.Basic, sp.Expr] = {}

    def __call__(self, node: sp.Expr) -> sp.Expr:
        if node not in self.known:
            self.known[node] = self._replaced(node)
        return self.known[node]

    def _replaced(self, node: sp.Expr) -> sp.Expr:
        match node:
            case sp.Piecewise():
                return self._taken(node)
            case sp.Abs():
                return self._slopes(self(node.args[0]), -1, self.convention.absolute)
            case relu():
                return self._slopes(self(node.args[0]), 0, self.convention.relu)
            case sp.sign():
                return sp.Integer(self.sign(self(node.args[0])))
            case sp.Max() | sp.Min():
                return self._mean([self(argument) for argument in node.args], 1 if isinstance(node, sp.Max) else -1)
        if not node.args or not node.has(*NONSMOOTH):
            return node
        return node.func(*map(self, node.args))

    def _slopes(self, argument: sp.Expr, negative: int, tied: sp.Rational) -> sp.Expr:
        sign = self.sign(argument)
        return argument * (tied if sign == 0 else 1 if sign > 0 else negative)

    def _mean(self, arguments: list[sp.Expr], side: int) -> sp.Expr:
        best = arguments[:1]
        for argument in arguments[1:]:
            order = side * self.sign(argument - best[0])
            best = [argument] if order > 0 else [*best, argument] if order == 0 else best
        return sp.Add(*best) / len(best)

    def _taken(self, node: sp.Piecewise) -> sp.Expr:
        for value, condition in node.args:
            if self._holds(condition):
                return self(value)
        raise GapError("no branch of a Piecewise applies at this point; add a last case with the condition True")

    def _holds(self, condition: sp.Basic) -> bool:
        match condition:
            case BooleanTrue() | BooleanFalse():
                return bool(condition)
            case Not():
                return not self._holds(condition.args[0])
            case And():
                return all(map(self._holds, condition.args))
            case Or():
                return any(map(self._holds, condition.args))
            case ITE():
                which, if_true, if_false = condition.args
                return self._holds(if_true if self._holds(which) else if_false)
            case Relational() if type(condition) in TRUE_ON:
                return self.sign(self(condition.lhs) - self(condition.rhs)) in TRUE_ON[type(condition)]
        raise MapError(f"`{condition}` is not a condition; write relations joined by `and`, `or`, `not`")
