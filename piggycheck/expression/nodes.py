"""Sympy nodes built without sympy's restructuring: what was written stays a node of its own."""

from __future__ import annotations

import sympy as sp
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean

from piggycheck.expression.limits import LARGEST_EXP_ARGUMENT

OPPOSITE = {
    sp.StrictLessThan: sp.GreaterThan,
    sp.LessThan: sp.StrictGreaterThan,
    sp.StrictGreaterThan: sp.LessThan,
    sp.GreaterThan: sp.StrictLessThan,
    sp.Equality: sp.Unequality,
    sp.Unequality: sp.Equality,
}


class relu(sp.Function):
    """The larger of 0 and its argument, as one operation: frameworks differentiate it otherwise than ``Max(x, 0)``."""

    nargs = 1

    @classmethod
    def eval(cls, argument: sp.Expr) -> sp.Expr | None:
        return max(argument, sp.S.Zero) if isinstance(argument, sp.Rational) else None

    def _eval_is_real(self) -> bool | None:
        return self.args[0].is_real

    def _eval_is_nonnegative(self) -> bool | None:
        return self.args[0].is_real


KINKS = (sp.Piecewise, sp.Abs, sp.sign, sp.Max, sp.Min, relu)


def bits(expression: sp.Basic) -> int:
    """Bound the length of the rational number that an expression is, or hides under a root; 0 when it is neither."""
    if isinstance(expression, sp.Rational):
        return int(expression.p).bit_length() + int(expression.q).bit_length()
    if isinstance(expression, sp.Pow) and isinstance(expression.base, sp.Rational) and expression.exp.is_Rational:
        return bits(expression.base) * int(sp.ceiling(abs(expression.exp)))
    return 0


def leading(expression: sp.Expr) -> sp.Rational:
    """Return the rational factor of a product, with its roots of rationals squared in."""
    if isinstance(expression, sp.Rational):
        return expression
    if not isinstance(expression, sp.Mul | sp.Pow):
        return sp.S.One
    number = sp.S.One
    for factor in sp.Mul.make_args(expression):
        if isinstance(factor, sp.Rational):
            number *= factor
        elif isinstance(factor, sp.Pow) and isinstance(factor.base, sp.Rational):
            number *= factor.base
    return number


def is_condition(expression: sp.Basic) -> bool:
    """Say whether this is true or false at a point; sympy counts symbols among its Booleans."""
    return isinstance(expression, Boolean) and not isinstance(expression, sp.Expr)


def is_opaque(expression: sp.Basic) -> bool:
    """Say whether a kink is inside, so that sympy must not rewrite a power of this."""
    return bool(expression.has(*KINKS))


def is_kinked_exponential(expression: sp.Basic) -> bool:
    """Whether it is an exponential of something with a kink."""
    return isinstance(expression, sp.exp) and is_opaque(expression)


def base_and_exponent(factor: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Take a factor apart; what is no power has the exponent 1."""
    return (factor.base, factor.exp) if isinstance(factor, sp.Pow) else (factor, sp.S.One)


def is_kinked_power(factor: sp.Expr) -> bool:
    """Whether it is a power, or an exponential, of something with a kink."""
    return (isinstance(factor, sp.Pow) and is_opaque(factor.base)) or is_kinked_exponential(factor)


def smooth_function(function: type[sp.exp | sp.log], argument: sp.Expr) -> sp.Expr:
    """Apply exp or log; around a kink without sympy's rewriting, which takes the kink apart."""
    return function(argument, evaluate=not is_opaque(argument))


def total(terms: list[sp.Expr]) -> sp.Expr:
    """Add; powers of nodes with a kink stay powers of these nodes, where sympy's `Add` would rebuild them."""
    flat = [part for term in terms for part in sp.Add.make_args(term)]
    plain: list[sp.Expr] = []
    coefficients: dict[sp.Expr, sp.Rational] = {}
    for part in flat:
        factors = sp.Mul.make_args(part)
        if not any(is_kinked_power(factor) for factor in factors):
            plain.append(part)
            continue
        number = factors[0] if isinstance(factors[0], sp.Rational) else sp.S.One
        monomial = product([factor for factor in factors if not isinstance(factor, sp.Rational)])
        coefficients[monomial] = coefficients.get(monomial, sp.S.Zero) + number
    rest = sp.Add(*plain)
    kinked = [product([number, monomial]) for monomial, number in coefficients.items() if number != 0]
    if not kinked:
        return rest
    others = [term for term in sp.Add.make_args(rest) if term != 0]
    return sp.Add(*sp.ordered(others + kinked), evaluate=False)


def product(factors: list[sp.Expr]) -> sp.Expr:
    """Multiply; powers of nodes with a kink stay powers of these nodes, where sympy's `Mul` would rebuild them."""
    flat = [part for factor in factors for part in flat_factors(factor)]
    if any(part == 0 for part in flat):
        return sp.S.Zero
    plain: list[sp.Expr] = []
    exponents: dict[sp.Expr, sp.Rational] = {}
    for part in flat:
        base, exponent = base_and_exponent(part)
        if is_opaque(base):
            exponents[base] = exponents.get(base, sp.S.Zero) + exponent
        else:
            plain.append(part)
    if not exponents:
        return scaled_sum(plain) or sp.Mul(*plain)
    if all(exponent == 1 and not is_kinked_exponential(base) for base, exponent in exponents.items()):
        return scaled_sum([*plain, *exponents]) or sp.Mul(*plain, *exponents)
    rest = product(plain)
    kinks = [power(base, exponent) for base, exponent in exponents.items() if exponent != 0]
    if rest == 0 or not kinks:
        return rest
    numbers = [factor for factor in sp.Mul.make_args(rest) if isinstance(factor, sp.Rational) and factor != 1]
    others = [factor for factor in sp.Mul.make_args(rest) if not isinstance(factor, sp.Rational)]
    return sp.Mul(*numbers, *sp.ordered(others + kinks), evaluate=False)


def flat_factors(expression: sp.Expr) -> list[sp.Expr]:
    """List the factors of a product, those of factors that are products too."""
    if not isinstance(expression, sp.Mul):
        return [expression]
    return [part for factor in expression.args for part in flat_factors(factor)]


def scaled_sum(factors: list[sp.Expr]) -> sp.Expr | None:
    """Distribute a rational number over a sum, as sympy does; None when this is another kind of product."""
    sums = [factor for factor in factors if isinstance(factor, sp.Add)]
    numbers = [factor for factor in factors if isinstance(factor, sp.Rational)]
    if len(sums) != 1 or len(numbers) + 1 != len(factors):
        return None
    number = sp.Mul(*numbers)
    return sums[0] if number == 1 else total([product([number, term]) for term in sums[0].args])


def power(base: sp.Expr, exponent: sp.Rational | int) -> sp.Expr:
    """Raise to a power; powers of nodes with a kink stay powers of these nodes."""
    exponent = sp.Rational(exponent)
    if exponent == 0 or exponent == 1:
        return base**exponent
    inner, inner_exponent = base_and_exponent(base)
    if not is_opaque(inner):
        result = sp.Pow(base, exponent)
        return product([result]) if isinstance(result, sp.Mul) else result
    if exponent.q == 1 and inner_exponent != 1:
        return power(inner, exponent * inner_exponent)
    if isinstance(base, sp.Mul) and exponent.q == 1:
        return product([power(factor, exponent) for factor in base.args])
    return sp.Pow(base, exponent, evaluate=False)


def relation(kind: type[Relational], left: sp.Expr, right: sp.Expr) -> Boolean:
    """Build a relation as it is written; between two numbers, its truth."""
    if isinstance(left, sp.Rational) and isinstance(right, sp.Rational):
        return sp.sympify(bool(kind(left, right)))
    return kind(left, right, evaluate=False)


def negation(condition: Boolean) -> Boolean:
    """Negate a condition; a relation becomes the opposite one."""
    if type(condition) in OPPOSITE:
        return OPPOSITE[type(condition)](*condition.args, evaluate=False)
    if isinstance(condition, sp.Not) or condition in (sp.true, sp.false):
        return sp.Not(condition)
    return sp.Not(condition, evaluate=False)


def junction(kind: type[sp.And | sp.Or], conditions: list[Boolean]) -> Boolean:
    """Join conditions in the order written, in which a first one may protect a second from dividing by zero.

    Sympy's constructors sort them, and drop guards that contradict or repeat each other.
    """
    neutral, decisive = (sp.true, sp.false) if kind is sp.And else (sp.false, sp.true)
    flat = dict.fromkeys(part for condition in conditions for part in _operands(kind, condition) if part != neutral)
    if decisive in flat:
        return decisive
    if len(flat) < 2:
        return next(iter(flat), neutral)
    joined = sp.Basic.__new__(kind, *flat)
    joined._argset = frozenset(flat)
    return joined


def _operands(kind: type[sp.And | sp.Or], condition: Boolean) -> tuple[Boolean, ...]:
    return condition.args if isinstance(condition, kind) else (condition,)


def piecewise(pairs: list[tuple[sp.Expr, Boolean]]) -> sp.Expr:
    """Build a Piecewise as written; sympy's constructors fold conditions that contain a Piecewise."""
    kept: list[tuple[sp.Expr, Boolean]] = []
    for value, condition in pairs:
        if condition != sp.false:
            kept.append((value, condition))
        if condition == sp.true:
            break
    if kept[0][1] == sp.true:
        return kept[0][0]
    return sp.Basic.__new__(sp.Piecewise, *[sp.Tuple.__new__(ExprCondPair, *pair) for pair in kept])


def constant_sign(constant: sp.Expr) -> int | None:
    """Return the sign of a nonzero real constant, or None when numerical evaluation does not show it."""
    if isinstance(constant, sp.Rational):
        return int(sp.sign(constant)) or None
    try:
        value = constant.evalf(15, maxn=300)
    except (ArithmeticError, ValueError, TypeError, NotImplementedError):
        return None
    if not isinstance(value, sp.Float | sp.Rational) or abs(value) < sp.Rational(1, 10**60):
        return None
    return 1 if value > 0 else -1


def is_moderate(constant: sp.Expr) -> bool:
    """Whether the exponential of a constant can be computed."""
    if isinstance(constant, sp.Rational):
        return bool(abs(constant) <= LARGEST_EXP_ARGUMENT)
    value = abs(constant.evalf(15, maxn=300))
    return isinstance(value, sp.Float) and bool(value <= LARGEST_EXP_ARGUMENT)
