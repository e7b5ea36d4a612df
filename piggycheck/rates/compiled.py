"""Expressions in k, made into functions that evaluate them in balls, or over the rationals.

Every such function takes k; what stands for sequences is read from a mapping that is filled before.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy as sp
from flint import arb, fmpq

from piggycheck.arithmetic import Balls, rational
from piggycheck.errors import IrrationalError, MapError, UnknownError
from piggycheck.expression.nodes import relu

__all__ = ["K", "in_balls", "over_rationals", "square_over_rationals"]

K = sp.Symbol("k", integer=True, nonnegative=True)

Values = Mapping[sp.Symbol, Any]

_RELATIONS = {
    sp.Gt: operator.gt,
    sp.Ge: operator.ge,
    sp.Lt: operator.lt,
    sp.Le: operator.le,
    sp.Eq: operator.eq,
    sp.Ne: operator.ne,
}


def _sum(parts: Sequence[Any]) -> Any:
    return sum(parts[1:], start=parts[0])


def _product(parts: Sequence[Any]) -> Any:
    found = parts[0]
    for part in parts[1:]:
        found = found * part
    return found


def _none(parts: Iterable[bool]) -> bool:
    return not any(parts)


_CONNECTIVES: Mapping[Any, Callable[[Iterable[bool]], bool]] = {sp.And: all, sp.Or: any, sp.Not: _none}


def _line(exponent: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Slope and offset of an exponent."""
    return sp.diff(exponent, K), exponent.subs(K, 0)


# -- over the rationals ---------------------------------------------------------------------------------------------


def over_rationals(node: sp.Expr, values: Values) -> Callable[[int], fmpq]:
    """Return an expression as a function with rational values.

    Raises
    ------
    IrrationalError
        When it is not seen to be one.
    MapError or ZeroDivisionError
        By the function, where it has no value.

    Examples
    --------
    >>> over_rationals(sp.Max(K, 3) / 2, {})(2)
    3/2
    """
    if node == K:
        return fmpq
    if node.is_Symbol:
        return lambda k: values[node]
    if node.is_number:
        constant = rational(node)
        return lambda k: constant
    if node.is_Pow and node.exp.has(K):
        return _exponential(node.base, *_line(node.exp))
    if node.is_Pow and node.exp.is_Integer:
        inner, power = over_rationals(node.base, values), int(node.exp)
        return lambda k: inner(k) ** power
    if isinstance(node, sp.Piecewise):
        branches = [over_rationals(branch, values) for branch, _ in node.args]
        conditions = [_condition(condition, values) for _, condition in node.args]
        return lambda k: _first_branch(zip(branches, conditions, strict=True), k)
    combine, parts = _combination(node), [over_rationals(part, values) for part in node.args]
    return lambda k: combine([part(k) for part in parts])


def _exponential(base: sp.Expr, slope: sp.Expr, offset: sp.Expr) -> Callable[[int], fmpq]:
    if not (slope.is_Integer and offset.is_Integer):
        raise IrrationalError(f"`{base}` has no integer as exponent")
    number, factor, start = rational(base), int(slope), int(offset)
    return lambda k: number ** (factor * k + start)


def _combination(node: sp.Expr) -> Callable[[Sequence[Any]], Any]:
    """What a node does with the values of its parts."""
    if node.is_Add:
        return _sum
    if node.is_Mul:
        return _product
    if isinstance(node, sp.Max):
        return max
    if isinstance(node, sp.Min):
        return min
    if isinstance(node, sp.Abs):
        return lambda parts: abs(parts[0])
    if isinstance(node, relu):
        return lambda parts: max(parts[0], fmpq(0))
    if isinstance(node, sp.sign):
        return lambda parts: fmpq((parts[0] > 0) - (parts[0] < 0))
    raise IrrationalError(f"`{node}` is not made of rational functions")


def _condition(node: Any, values: Values) -> Callable[[int], bool]:
    if node in (sp.true, sp.false):
        return lambda k: node == sp.true
    relation = _RELATIONS.get(type(node))
    if relation is not None:
        left, right = (over_rationals(side, values) for side in node.args)
        return lambda k: relation(left(k), right(k))
    parts, connective = [_condition(part, values) for part in node.args], _CONNECTIVES[type(node)]
    return lambda k: connective(part(k) for part in parts)


def _first_branch(pairs: Iterable[tuple[Callable[[int], Any], Callable[[int], bool]]], k: int) -> Any:
    for branch, condition in pairs:
        if condition(k):
            return branch(k)
    raise MapError("no branch of the Piecewise applies; add a last case with the condition True")


def square_over_rationals(node: sp.Expr, values: Values) -> Callable[[int], fmpq]:
    """Return the square of an expression as a function with rational values.

    Raises
    ------
    IrrationalError
        When it is not seen to be one.
    MapError or ZeroDivisionError
        By the function, where it has no value.

    Examples
    --------
    >>> square_over_rationals(3 * sp.sqrt(K + 1), {})(1)
    18
    """
    if node.is_Mul:
        parts = [square_over_rationals(part, values) for part in node.args]
        return lambda k: _product([part(k) for part in parts])
    if node.is_Pow and node.exp.has(K):
        slope, offset = _line(node.exp)
        if (node.base**2).is_Rational and slope.is_Integer and offset.is_Integer:
            return _exponential(node.base**2, slope, offset)
        return _exponential(node.base, 2 * slope, 2 * offset)
    if node.is_Pow and node.exp.q == 2:
        inner, power = over_rationals(node.base, values), int(node.exp.p)
        return lambda k: _not_negative(inner(k)) ** power
    whole = over_rationals(node, values)
    return lambda k: whole(k) ** 2


def _not_negative(value: fmpq) -> fmpq:
    if value < 0:
        raise MapError(f"the square root of {value}")
    return value


# -- in balls -------------------------------------------------------------------------------------------------------


def in_balls(node: sp.Expr, balls: Balls, values: Values) -> Callable[[int], arb]:
    """Return an expression as a function with values in balls.

    Raises
    ------
    MapError
        By the function, where there is no real value.
    UnknownError
        By the function, where it cannot be told whether there is one.

    Examples
    --------
    >>> in_balls(sp.sqrt(K), Balls(64), {})(4)
    2.00000000000000
    """
    if not node.free_symbols:
        constant = balls.evaluate(node)
        return lambda k: constant
    if node == K:
        return arb
    if node.is_Symbol:
        return lambda k: values[node]
    if node.is_Add or node.is_Mul:
        parts, combine = [in_balls(part, balls, values) for part in node.args], _sum if node.is_Add else _product
        return lambda k: combine([part(k) for part in parts])
    if node.is_Pow or isinstance(node, sp.exp):
        return _power_in_balls(node, balls, values)
    if isinstance(node, sp.log):
        inner = in_balls(node.args[0], balls, values)
        return lambda k: _logarithm(inner(k), balls)
    if isinstance(node, (sp.Max, sp.Min)):
        parts, largest = [in_balls(part, balls, values) for part in node.args], isinstance(node, sp.Max)
        return lambda k: _extreme([part(k) for part in parts], largest)
    if isinstance(node, sp.Abs):
        inner = in_balls(node.args[0], balls, values)
        return lambda k: abs(inner(k))
    if isinstance(node, relu):
        inner = in_balls(node.args[0], balls, values)
        return lambda k: _extreme([inner(k), arb(0)], True)
    if isinstance(node, sp.sign):
        inner = in_balls(node.args[0], balls, values)
        return lambda k: arb(balls.sign(inner(k)))
    if isinstance(node, sp.Piecewise):
        branches = [in_balls(branch, balls, values) for branch, _ in node.args]
        conditions = [_condition_in_balls(condition) for _, condition in node.args]
        return lambda k: _first_branch(zip(branches, conditions, strict=True), k)
    raise MapError(f"`{node}`: `{type(node).__name__}` is not a function that piggycheck knows")


def _power_in_balls(node: sp.Expr, balls: Balls, values: Values) -> Callable[[int], arb]:
    base, exponent = node.as_base_exp()
    if base is sp.E:
        inner = in_balls(exponent, balls, values)
        return lambda k: balls.exp(inner(k))
    if not exponent.has(K):
        inner, power, root = in_balls(base, balls, values), int(exponent.p), exponent.q == 2
        return lambda k: _raised(inner(k), power, root, balls)
    ratio, factor = (_power_of_constant(base, part, balls) for part in _line(exponent))
    return lambda k: factor * ratio**k


def _power_of_constant(base: sp.Expr, exponent: sp.Expr, balls: Balls) -> arb:
    if exponent.is_Integer or (base.is_Rational and exponent.is_Rational and exponent.q == 2):
        return balls.evaluate(base**exponent)
    return balls.exp(balls.log(balls.evaluate(base)) * balls.evaluate(exponent))


def _raised(value: arb, power: int, root: bool, balls: Balls) -> arb:
    if root:
        if value < 0:
            raise MapError(f"the square root of {value.str(6, radius=False)}")
        value = value.sqrt() if value > 0 else arb(0).union(value.upper().sqrt())
    if power < 0 and value.is_zero():
        raise MapError("division by zero")
    result = balls.power(value, abs(power))
    return balls.reciprocal(result) if power < 0 else result


def _logarithm(value: arb, balls: Balls) -> arb:
    if value <= 0:
        raise MapError(f"the logarithm of {value.str(6, radius=False)}")
    return balls.log(value)


def _extreme(values: list[arb], largest: bool) -> arb:
    found = values[0]
    for value in values[1:]:
        found = found.max(value) if largest else found.min(value)
    return found


def _condition_in_balls(condition: Any) -> Callable[[int], bool]:
    try:
        return _condition(condition, {})
    except IrrationalError:
        return lambda k: _substituted(condition, k)


def _substituted(condition: Any, k: int) -> bool:
    found = condition.subs(K, k)
    if found not in (sp.true, sp.false):
        raise UnknownError(f"whether `{condition}` holds at k = {k} is not decided")
    return bool(found)
