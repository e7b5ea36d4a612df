"""The one nonsmooth node: a switch looks at the sign of its guard and picks a branch.

``Abs``, ``Max``, ``Min``, ``relu``, ``sign`` and every relation in a ``Piecewise`` condition become switches, once,
when a map is built. What is left between the switches is smooth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import sympy as sp
from sympy.core.relational import Equality, GreaterThan, LessThan, StrictGreaterThan, StrictLessThan, Unequality
from sympy.logic.boolalg import ITE, And, BooleanFalse, BooleanTrue, Not, Or

from piggycheck.arithmetic import sign
from piggycheck.errors import GapError, MapError, UnknownError
from piggycheck.expression import relu

__all__ = ["GAP", "NONSMOOTH", "TRUE_ON", "Switch", "as_piecewise", "collect_switches", "hoist", "resolve", "translate"]

_MOST_LEAVES = 1024

GAP = sp.nan
"""The branch that a point takes when no condition of a ``Piecewise`` holds."""

NONSMOOTH = (sp.Abs, sp.Max, sp.Min, sp.sign, relu, sp.Piecewise)

TRUE_ON = {
    GreaterThan: (0, 1),
    StrictGreaterThan: (1,),
    LessThan: (-1, 0),
    StrictLessThan: (-1,),
    Equality: (0,),
    Unequality: (-1, 1),
}


class Switch(sp.Function):
    """``Switch(guard, negative, zero, positive)``: the branch that the sign of the guard picks.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> Switch(x, -x, x, x)
    Switch(x, -x, x, x)
    """

    nargs = 4

    @classmethod
    def eval(cls, guard: sp.Expr, negative: sp.Expr, zero: sp.Expr, positive: sp.Expr) -> sp.Expr | None:
        if negative == zero == positive:
            return zero
        return None

    @property
    def guard(self) -> sp.Expr:
        return self.args[0]

    def branch(self, sign: int) -> sp.Expr:
        """Return the branch taken when the guard has this sign."""
        return self.args[sign + 2]

    @property
    def outcomes(self) -> tuple[int, ...]:
        """One sign for each distinct branch; 0 is listed only when its branch is neither of the others."""
        zero = () if self.branch(0) in (self.branch(1), self.branch(-1)) else (0,)
        return (1, -1, *zero)


def make_switch(guard: sp.Expr, negative: sp.Expr, zero: sp.Expr, positive: sp.Expr) -> sp.Expr:
    """Build a switch whose guard is scaled so that proportional guards are one guard; none for a constant guard."""
    known = _constant_sign(guard)
    if known is not None:
        return (zero, positive, negative)[known]
    guard, orientation = _normalised(guard)
    return Switch(guard, negative, zero, positive) if orientation > 0 else Switch(guard, positive, zero, negative)


def _constant_sign(guard: sp.Expr) -> int | None:
    """The sign of a guard that is a number; none for others, and where it is not decided."""
    try:
        return sign(guard) if guard.is_number else None
    except UnknownError:
        return None


def _normalised(guard: sp.Expr) -> tuple[sp.Expr, int]:
    """Divide a guard by a constant; return it with the sign of that constant."""
    _, guard = guard.as_content_primitive(radical=True)
    constant, rest = guard.as_independent(*guard.free_symbols, as_Add=False)
    orientation = 1
    if constant.is_positive or constant.is_negative:
        guard, orientation = rest, 1 if constant.is_positive else -1
    return (-guard, -orientation) if guard.could_extract_minus_sign() else (guard, orientation)


def translate(expression: sp.Expr, known: dict[sp.Basic, sp.Basic]) -> sp.Expr:
    """Rewrite an expression so that switches are its only nonsmooth nodes.

    Parameters
    ----------
    expression : sympy.Expr
    known : dict
        What was translated already; equal subexpressions become one node. A value for a symbol takes its place.

    Raises
    ------
    MapError
        When a condition is not built from relations between real expressions.
    """
    if expression in known:
        return known[expression]
    if isinstance(expression, sp.Piecewise):
        result = _Cases(expression, known).from_case(0, {})
    elif not expression.args or not expression.has(*NONSMOOTH):
        result = expression.xreplace(known)
    else:
        result = _translate_node(expression, [translate(argument, known) for argument in expression.args])
    known[expression] = result
    return result


def _translate_node(expression: sp.Expr, arguments: list[sp.Expr]) -> sp.Expr:
    head = arguments[0]
    if isinstance(expression, sp.Abs):
        return make_switch(head, -head, head, head)
    if isinstance(expression, sp.sign):
        return make_switch(head, sp.Integer(-1), sp.Integer(0), sp.Integer(1))
    if isinstance(expression, relu):
        return make_switch(-head, head, sp.Integer(0), sp.Integer(0))
    if isinstance(expression, (sp.Max, sp.Min)):
        largest = isinstance(expression, sp.Max)
        for other in arguments[1:]:
            low, high = (other, head) if largest else (head, other)
            head = make_switch(head - other, low, high, high)
        return head
    return expression.func(*arguments)


class _Cases:
    """Translates the cases of one ``Piecewise``.

    A guard that occurs in several conditions has one sign in all of them, so the signs already seen are handed on;
    a guard that occurs once need not be remembered, which keeps a chain of n cases n switches long.
    """

    def __init__(self, cases: sp.Piecewise, known: dict[sp.Basic, sp.Basic]):
        self.cases, self.known = cases.args, known
        self.guards: dict[sp.Basic, tuple[sp.Expr, int]] = {}
        occurrences: Counter[sp.Expr] = Counter()
        for _, condition in self.cases:
            for relation in condition.atoms(sp.core.relational.Relational):
                difference = translate(relation.lhs, known) - translate(relation.rhs, known)
                self.guards[relation] = _normalised(difference)
                occurrences[self.guards[relation][0]] += 1
        self.repeated = {guard for guard, count in occurrences.items() if count > 1}
        self.translated: dict[tuple, sp.Expr] = {}

    def from_case(self, index: int, signs: Mapping[sp.Expr, int]) -> sp.Expr:
        """Translate the cases from `index` on; `signs` holds what the earlier conditions saw."""
        if index == len(self.cases):
            return GAP
        key = (index, frozenset(signs.items()))
        if key not in self.translated:
            value, condition = self.cases[index]
            self.translated[key] = self._decide(
                condition,
                signs,
                lambda seen: translate(value, self.known),
                lambda seen: self.from_case(index + 1, seen),
            )
        return self.translated[key]

    def _decide(self, condition: sp.Basic, signs: Mapping, yes: _Continuation, no: _Continuation) -> sp.Expr:
        """Branch on a condition, short-circuiting as a program does."""
        if isinstance(condition, BooleanTrue):
            return yes(signs)
        if isinstance(condition, BooleanFalse):
            return no(signs)
        if isinstance(condition, Not):
            return self._decide(condition.args[0], signs, no, yes)
        if isinstance(condition, ITE):
            which, if_true, if_false = condition.args
            return self._decide(
                which,
                signs,
                lambda seen: self._decide(if_true, seen, yes, no),
                lambda seen: self._decide(if_false, seen, yes, no),
            )
        if isinstance(condition, (And, Or)):
            return self._chain(condition.args, isinstance(condition, And), signs, yes, no)
        if type(condition) not in TRUE_ON:
            raise MapError(f"`{condition}` is not a condition; write relations joined by `and`, `or`, `not`")
        return self._relation(condition, signs, yes, no)

    def _chain(
        self, conditions: Sequence[sp.Basic], all_: bool, signs: Mapping, yes: _Continuation, no: _Continuation
    ) -> sp.Expr:
        """Branch on conditions joined by `and` (all_) or `or`, in the order in which they stand."""
        head, *rest = conditions
        if not rest:
            return self._decide(head, signs, yes, no)

        def further(seen: Mapping) -> sp.Expr:
            return self._chain(rest, all_, seen, yes, no)

        return self._decide(head, signs, further, no) if all_ else self._decide(head, signs, yes, further)

    def _relation(self, relation: sp.Basic, signs: Mapping, yes: _Continuation, no: _Continuation) -> sp.Expr:
        guard, orientation = self.guards[relation]
        true_on = {orientation * sign for sign in TRUE_ON[type(relation)]}
        known = _constant_sign(guard)
        if known is not None:
            return yes(signs) if known in true_on else no(signs)
        if guard in signs:
            return yes(signs) if signs[guard] in true_on else no(signs)
        if guard in self.repeated:
            branches = [(yes if sign in true_on else no)({**signs, guard: sign}) for sign in (-1, 0, 1)]
        else:
            branch = {True: yes(signs), False: no(signs)}
            branches = [branch[sign in true_on] for sign in (-1, 0, 1)]
        return Switch(guard, *branches)


_Continuation = Callable[[Mapping[sp.Expr, int]], sp.Expr]


def collect_switches(expressions: Iterable[sp.Expr]) -> list[Switch]:
    """List the switches of a program, inner ones first, each once."""
    found: dict[Switch, None] = {}
    seen: set[sp.Basic] = set()

    def visit(node: sp.Basic) -> None:
        if node in seen or not node.args:
            return
        seen.add(node)
        for argument in node.args:
            visit(argument)
        if isinstance(node, Switch):
            found[node] = None

    for expression in expressions:
        visit(expression)
    return list(found)


def resolve(expression: sp.Expr, choose: Callable[[Switch, sp.Expr], int], known: dict | None = None) -> sp.Expr:
    """Replace every switch that is met by the branch of the sign that ``choose(switch, guard)`` returns.

    The guard is handed over already resolved, so it is smooth. Branches that are not taken are not looked at.

    Raises
    ------
    GapError
        When a gap is reached.
    """
    known = {} if known is None else known
    if expression in known:
        return known[expression]
    if isinstance(expression, Switch):
        guard = resolve(expression.guard, choose, known)
        result = resolve(expression.branch(choose(expression, guard)), choose, known)
    elif expression is GAP:
        raise GapError("no branch of a Piecewise applies here; add a last case with the condition True")
    elif not expression.args or not expression.has(Switch):
        result = expression
    else:
        result = expression.func(*[resolve(argument, choose, known) for argument in expression.args])
    known[expression] = result
    return result


def hoist(expression: sp.Expr) -> sp.Expr:
    """Bring all switches of a program to the top, so that what they choose between is smooth.

    Parameters
    ----------
    expression : sympy.Expr
        A program, from `translate`.

    Raises
    ------
    MapError
        When there would be more than 1024 smooth leaves.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> hoist(translate(sp.Max(x, 0) ** 2, {}))
    Switch(x, 0, 0, x**2)
    """
    left = _MOST_LEAVES

    def visit(signs: Mapping[Switch, int]) -> sp.Expr:
        nonlocal left

        def choose(switch: Switch, guard: sp.Expr) -> int:
            if switch not in signs:
                raise _Unchosen(switch, guard)
            return signs[switch]

        try:
            leaf = GAP if expression is GAP else resolve(expression, choose)
        except _Unchosen as open_:
            switch, guard = open_.switch, open_.guard
            zero_is = next((s for s in (1, -1) if switch.branch(s) == switch.branch(0)), 0)
            branch = {s: visit({**signs, switch: s}) for s in switch.outcomes}
            return Switch(guard, branch[-1], branch[zero_is], branch[1])
        except GapError:
            leaf = GAP
        left -= 1
        if left < 0:
            raise MapError(f"`{as_piecewise(expression)}` has more than {_MOST_LEAVES} pieces; split it into a sum")
        return leaf

    return visit({})


class _Unchosen(Exception):
    def __init__(self, switch: Switch, guard: sp.Expr):
        self.switch, self.guard = switch, guard


def as_piecewise(expression: sp.Expr) -> sp.Expr:
    """Write the switches of a program as ``Piecewise`` again, for people and files to read.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> as_piecewise(Switch(x, x / 4, x, x))
    Piecewise((x, x >= 0), (x/4, True))
    """
    if isinstance(expression, Switch):
        guard, negative, zero, positive = (as_piecewise(argument) for argument in expression.args)
        if zero == positive:
            cases = [(positive, sp.Ge(guard, 0, evaluate=False)), (negative, True)]
        elif zero == negative:
            cases = [(positive, sp.Gt(guard, 0, evaluate=False)), (negative, True)]
        elif positive == negative:
            cases = [(zero, sp.Eq(guard, 0, evaluate=False)), (positive, True)]
        else:
            cases = [
                (positive, sp.Gt(guard, 0, evaluate=False)),
                (zero, sp.Eq(guard, 0, evaluate=False)),
                (negative, True),
            ]
        return sp.Piecewise(*[case for case in cases if case[0] is not GAP], evaluate=False)
    if not expression.args or not expression.has(Switch):
        return expression
    return expression.func(*[as_piecewise(argument) for argument in expression.args])
