"""What Lipschitz constants of functions of one variable rest on: that they do not jump, and slopes between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from flint import arb, fmpq

from piggycheck.arithmetic import Balls
from piggycheck.errors import MapError, UnknownError
from piggycheck.maps.nodes import Context, Node
from piggycheck.maps.scalar_function import Leaf, ScalarFunction, compile_expression

__all__ = ["require_continuous", "require_lipschitz", "require_slopes"]

_BITS = 128
_HALF = sp.Rational(1, 2)
_SINE = sp.Dummy("s", real=True)


def require_continuous(name: str, function: ScalarFunction) -> None:
    """Refuse a function that may jump.

    Raises
    ------
    UnknownError

    Examples
    --------
    >>> v = sp.Symbol("v", real=True)
    >>> require_continuous("y", ScalarFunction(sp.sign(v), v))
    Traceback (most recent call last):
    piggycheck.errors.UnknownError: layer `y`: `sign(v)` may jump; write it with Max, Min and Abs alone
    """
    if function.expression.has(sp.Piecewise, sp.sign):
        raise UnknownError(f"layer `{name}`: `{function.expression}` may jump; write it with Max, Min and Abs alone")


def require_slopes(name: str, function: ScalarFunction, arguments: Sequence[arb]) -> None:
    """Show that all slopes in the variable are between 0 and 1, as those of a proximal map are.

    Parameters
    ----------
    name : str
        Of the layer.
    function : ScalarFunction
    arguments : sequence of arb
        Each encloses all values of an argument.

    Raises
    ------
    UnknownError
        When that is not shown.

    Examples
    --------
    >>> v = sp.Symbol("v", real=True)
    >>> require_slopes("y", ScalarFunction(sp.Max(v, 0), v), [])
    >>> require_slopes("y", ScalarFunction(sp.Max(2 * v, 0), v), [])
    Traceback (most recent call last):
    piggycheck.errors.UnknownError: layer `y`: slopes of `Max(0, 2*v)` are not shown to be between 0 and 1, ...

    Notes
    -----
    When this fails: slopes are known that do not depend on the variable, or are affine in the quotients
    ``v/sqrt(v**2 + c)`` with ``c >= 0``, which are between -1 and 1.
    """
    try:
        shown = all(_is_between(leaf, function, arguments) for leaf in function.leaves)
    except (MapError, UnknownError):
        shown = False
    if not shown:
        raise UnknownError(
            f"layer `{name}`: slopes of `{function.expression}` are not shown to be between 0 and 1, as those of a "
            "proximal map are; leave `proximal=True` out"
        )


def _is_between(leaf: Leaf, function: ScalarFunction, arguments: Sequence[arb]) -> bool:
    v, arithmetic = function.variable, Balls(_BITS)

    def at(expression: sp.Expr) -> arb:
        return compile_expression(expression, function.arguments, arithmetic)(*arguments)

    slope = sp.diff(leaf.expression, v)
    with arithmetic.precision():
        for root in slope.atoms(sp.Pow):
            rest = sp.expand(root.base - v**2)
            if root.exp == -_HALF and not rest.has(v) and at(rest) >= 0:
                slope = sp.expand(slope.xreplace({root: _SINE / v}))
        if slope.has(v) or sp.diff(slope, _SINE).has(_SINE):
            return False
        ends = [at(slope.subs(_SINE, end)) for end in ((-1, 1) if slope.has(_SINE) else (0,))]
        return all(end >= 0 and end <= fmpq(1) for end in ends)


def require_lipschitz(nodes: Sequence[Node], context: Context) -> None:
    """Refuse layers that may jump, or that are called proximal and are not shown to be.

    Parameters
    ----------
    nodes : sequence of Node
    context : Context
        Over balls: the parameters at which arguments are looked at.

    Raises
    ------
    UnknownError
    """
    for node in nodes:
        function = getattr(node, "function", None)
        if isinstance(function, ScalarFunction):
            require_continuous(node.name, function)
            if node.proximal:
                arguments = [context.arrays.entries(_value(read, context)) for read in node.inputs[1:]]
                require_slopes(node.name, function, [_hull(entries) for entries in arguments])


def _value(node: Node, context: Context) -> Any:
    """The value of a node that does not depend on the state."""
    return node.over(context)([_value(read, context) for read in node.inputs], [0] * len(node.inputs)).value


def _hull(entries: Sequence[arb]) -> arb:
    """One ball for all."""
    low, high = min(e.lower() for e in entries), max(e.upper() for e in entries)
    return low if low == high else low.union(high)
