"""The pieces of a family at a fixed point that all its members share, as matrices of polynomials in two unknowns."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import rational, to_sympy
from piggycheck.case import Case, read_table
from piggycheck.errors import InputError, IrrationalError, MapError, UnknownError
from piggycheck.expression import parse_number, to_text
from piggycheck.fixed_points import fixed_points
from piggycheck.maps import Signature, SmoothPiece, SymbolicMap
from piggycheck.regions.polynomials import Bounds, Polynomial, coefficients, polynomial
from piggycheck.search.family import Choices, Family, Range

__all__ = ["Pieces", "pieces_of"]

_MOST_PIECES, _MOST_TIES = 16, 6


@dataclass(frozen=True)
class Pieces:
    """The matrices of the pieces at a fixed point, for every member of a family.

    Parameters
    ----------
    map : SymbolicMap
        With the two unknowns among its parameters.
    axes : two symbols
        The unknowns.
    box : Bounds
        Their ranges.
    at : mapping from symbols to sympy numbers
        The other parameters.
    fixed_point : mapping from symbols to sympy numbers
        It is fixed for all values of the unknowns.
    formulas : tuple of sympy matrices
        The distinct matrices A of the pieces, all of which are essentially active for all values of the unknowns.
    """

    map: SymbolicMap
    axes: tuple[sp.Symbol, sp.Symbol]
    box: Bounds
    at: Mapping[sp.Symbol, sp.Expr]
    fixed_point: Mapping[sp.Symbol, sp.Expr]
    formulas: tuple[sp.ImmutableMatrix, ...]

    @cached_property
    def letters(self) -> tuple[tuple[tuple[Polynomial, ...], ...], ...]:
        """The matrices as polynomials."""
        return tuple(
            tuple(tuple(polynomial(e, self.axes, "a Jacobian") for e in row) for row in A.tolist())
            for A in self.formulas
        )

    @property
    def place(self) -> str:
        """The fixed point, as text."""
        return ", ".join(f"{v} = {value}" for v, value in self.fixed_point.items())

    @property
    def area(self) -> fmpq:
        """The area of the box."""
        (a, b), (c, d) = self.box
        return (b - a) * (d - c)

    def certificate_parts(self) -> dict[str, Any]:
        """Return what a certificate states of the map, the box and the pieces."""
        return {
            "map": {
                "state": [str(v) for v in self.map.state],
                "parameters": [str(v) for v in self.map.parameters],
                "next": [to_text(e) for e in self.map.next],
            },
            "at": {str(v): rational(value) for v, value in self.at.items()},
            "unknowns": [str(v) for v in self.axes],
            "box": self.box,
            "fixed_point": {str(v): rational(value) for v, value in self.fixed_point.items()},
            "pieces": [[[to_text(sp.expand(e)) for e in row] for row in A.tolist()] for A in self.formulas],
        }


def pieces_of(family: Family, axes: Sequence[str] = (), values: Mapping[str, str] | None = None) -> Pieces:
    """Find the pieces at a fixed point that all members of a family share.

    Parameters
    ----------
    family : Family
    axes : two names, optional
        The unknowns of the map of parameter space. Without them there must be exactly two ranges.
    values : mapping from names to exact numbers as text, optional
        For the other unknowns, unless they have one choice only.

    Returns
    -------
    Pieces

    Raises
    ------
    InputError
        When the axes are no two ranges, something else is open, the members share no fixed point, or several and start
        at none of them, or their pieces there are not the same for all values of the unknowns, or no polynomials.

    Examples
    --------
    >>> family = Family({
    ...     "algorithm": {"name": "heavy_ball", "variables": ["x"], "step": {"range": [0, 2]},
    ...         "objective": "Piecewise((x**2/2, x >= 0), (x**2/8, True))", "momentum": {"range": [0, 1]}},
    ... })
    >>> [A[0, 0] for A in pieces_of(family).formulas]
    [momentum - step + 1, momentum - step/4 + 1]

    Notes
    -----
    The guards that vanish at the fixed point must do so for all values of the unknowns, and have independent gradients
    in the state: then all combinations of their signs occur in every neighbourhood. Where the members share several
    fixed points, the start says which is meant. When this fails: a fixed point that moves with the unknowns, or guards
    that are products of affine ones.
    """
    if "switched" in family.table:
        raise InputError(f"{family.file}: a map of parameter space needs an [algorithm] or a [map], not [switched]")
    given = dict(values or {})
    names = _axes(family, axes, given)
    case = _case(family, names, given)
    box = tuple((r.low, r.high) for r in (family.unknowns[name] for name in names) if isinstance(r, Range))
    iteration = case.iteration
    if iteration is None or not isinstance(iteration.map, SymbolicMap):
        raise InputError(
            f"{family.file}: a map of parameter space needs an [algorithm] or [map] written as expressions"
        )
    map_ = iteration.map
    symbols = {str(v): v for v in map_.parameters}
    unknowns = symbols[names[0]], symbols[names[1]]
    at = {v: sp.sympify(case.at[str(v)]) for v in map_.parameters if v not in unknowns}
    for v, value in at.items():
        if not value.is_Rational:
            raise InputError(f"{family.file}: `{v}` is {value}; a map of parameter space needs rational parameters")
    started = () if iteration.start is None else (iteration.start_at(case.at),)
    for candidates in (started, [point.state for point in fixed_points(iteration, case.at)]):
        found, reasons = [], []
        for state in candidates:
            try:
                found.append(_Point(map_, unknowns, (box[0], box[1]), at, state).pieces())
            except (InputError, MapError, UnknownError, IrrationalError) as error:
                reasons.append(str(error))
        if len(found) > 1:
            raise InputError(
                f"{family.file}: all members fix {'; '.join(p.place for p in found[:4])}; "
                "say which is meant, by a [start] there"
            )
        if found:
            return found[0]
    raise InputError(f"{family.file}: {'; '.join(reasons) or 'no fixed point was found'}")


def _axes(family: Family, axes: Sequence[str], given: Mapping[str, str]) -> tuple[str, str]:
    unknowns = family.unknowns
    listed = ", ".join(unknowns)
    for name in (*axes, *given):
        if name not in unknowns:
            raise InputError(f"`{name}` is no unknown of the family; its unknowns are {listed}")
    chosen = list(axes) or [n for n, unknown in unknowns.items() if isinstance(unknown, Range) and n not in given]
    if len(chosen) != 2 or chosen[0] == chosen[1]:
        read = f" (`{', '.join(chosen)}`)" if chosen else ""
        raise InputError(f"a map has two different axes, not {len(chosen)}{read}; choose two with --axes from {listed}")
    for name in chosen:
        unknown = unknowns[name]
        if not isinstance(unknown, Range):
            raise InputError(f"`{name}` has choices, and no range; an axis needs {name} = {{range = [...]}}")
        if unknown.low == unknown.high:
            raise InputError(f"the range of `{name}` is one number; an axis needs one of positive length")
        if name in given:
            raise InputError(f"`{name}` is an axis, and has a value as well; leave one of them out")
    for name, unknown in unknowns.items():
        single = isinstance(unknown, Choices) and len(unknown.values) == 1
        if name not in (*chosen, *given) and not single:
            raise InputError(f"`{name}` is open as well; give it a value, as in --set {name}=1/2")
    return chosen[0], chosen[1]


def _inside(unknown: Range | Choices, name: str, text: str) -> str:
    """A value as the case's reader takes it, if it is one of a member."""
    number = parse_number(text, where=f"the value of `{name}`")
    if isinstance(unknown, Range) and not to_sympy(unknown.low) <= number <= to_sympy(unknown.high):
        raise InputError(f"the value {text} of `{name}` is outside its range from {unknown.low} to {unknown.high}")
    if isinstance(unknown, Choices) and to_text(number) not in unknown.values:
        raise InputError(f"the value {text} of `{name}` is none of its choices {', '.join(unknown.values)}")
    return to_text(number)


def _case(family: Family, names: tuple[str, str], given: Mapping[str, str]) -> Case:
    """The case in which the two unknowns are parameters."""
    values = {name: unknown.values[0] for name, unknown in family.unknowns.items() if isinstance(unknown, Choices)}
    values |= {name: _inside(family.unknowns[name], name, text) for name, text in given.items()}
    middle = {}
    for name in names:
        unknown = family.unknowns[name]
        assert isinstance(unknown, Range)
        middle[name] = str((unknown.low + unknown.high) / 2)
    family.member({**values, **middle})  # an expression may name an unknown that is none of the members' names
    table = family.member_table({**values, **{name: name for name in names}})
    table = {**table, "parameters": {**table.get("parameters", {}), **middle}, "title": family.title}
    table.pop("claim", None)
    return read_table(table, family.lines, name=family.name, file=family.file, folder=family.folder)


class _Point:
    """A point, if all members fix it, and the pieces there."""

    def __init__(
        self,
        map_: SymbolicMap,
        unknowns: tuple[sp.Symbol, sp.Symbol],
        box: Bounds,
        at: Mapping[sp.Symbol, sp.Expr],
        state: Mapping[sp.Symbol, sp.Expr],
    ) -> None:
        self.map, self.unknowns, self.box, self.at = map_, unknowns, box, at
        self.state = {v: to_sympy(rational(state[v])) for v in map_.state}
        self.name = ", ".join(f"{v} = {value}" for v, value in self.state.items())
        self.tied: dict[sp.Expr, list[sp.Expr]] = {}

    def pieces(self) -> Pieces:
        """The pieces that meet, all of which leave the point where it is."""
        for signature, _ in self.map.signatures(lambda guard, outcomes: (self.sign(guard),), gaps=False):
            self.fixing(signature)  # the value itself, which may be that of no piece around
        formulas: list[sp.ImmutableMatrix] = []
        for signature, _ in self.map.signatures(self.signs_nearby, interior=True, gaps=False):
            A = self.here(self.fixing(signature).jacobian[:, : len(self.state)])
            if A not in formulas:
                formulas.append(sp.ImmutableMatrix(A))
            if len(formulas) > _MOST_PIECES or len(self.tied) > _MOST_TIES:
                raise InputError(
                    f"more than {_MOST_PIECES} pieces meet at {self.name}, or more than {_MOST_TIES} guards vanish "
                    "there; a map of parameter space takes no more"
                )
        if not _independent(list(self.tied.values()), self.unknowns, self.box):
            raise InputError(
                f"the guards that vanish at {self.name} are not proved to have independent gradients for all members"
            )
        return Pieces(self.map, self.unknowns, self.box, self.at, self.state, tuple(formulas))

    def here(self, expressions: Any) -> Any:
        """Expressions at the point, expanded."""
        return sp.expand(expressions.subs({**self.at, **self.state}))

    def sign(self, guard: sp.Expr) -> int:
        """The sign that a guard has at the point for all members."""
        self.require_polynomial(guard, "a guard")
        sign = polynomial(self.here(guard), self.unknowns, "a guard at the fixed point").sign_on(self.box)
        if sign is None:
            raise InputError(
                f"the sign of the guard `{guard}` at {self.name} is not the same for all values of the unknowns"
            )
        return sign

    def signs_nearby(self, guard: sp.Expr, outcomes: Sequence[int]) -> Sequence[int]:
        """Those that it has on open sets in every neighbourhood."""
        sign = self.sign(guard)
        if sign != 0 or sp.expand(guard).is_zero:
            return (sign,)
        self.tied[_normal(guard)] = [self.here(sp.diff(guard, v)) for v in self.map.state]
        return (1, -1)

    def fixing(self, signature: Signature) -> SmoothPiece:
        """A piece, which must leave the point where it is."""
        piece = self.map.piece(signature)
        for (v, value), e in zip(self.state.items(), piece.expressions, strict=True):
            self.require_polynomial(e, f"next value of `{v}`")
            if self.here(e) != value:
                names = " and ".join(map(str, self.unknowns))
                raise InputError(f"{self.name} is not a fixed point for all values of {names}")
        return piece

    def require_polynomial(self, expression: sp.Expr, where: str) -> None:
        """Refuse what is no polynomial in the state and the unknowns."""
        coefficients(expression.subs(self.at), (*self.map.state, *self.unknowns), where)


def _normal(guard: sp.Expr) -> sp.Expr:
    """The same for guards that are equal up to a number."""
    expanded = sp.expand(guard)
    leading = min(expanded.as_coefficients_dict().items(), key=lambda term: sp.default_sort_key(term[0]))[1]
    return sp.expand(expanded / leading)


def _independent(gradients: list[list[sp.Expr]], unknowns: Sequence[sp.Symbol], box: Bounds) -> bool:
    """Whether some minor of the gradients is nonzero on the whole box."""
    if not gradients:
        return True
    M = sp.Matrix(gradients)
    for columns in itertools.combinations(range(M.cols), M.rows):
        minor = polynomial(M[:, list(columns)].det(), unknowns, "a minor")
        if minor.sign_on(box) in (1, -1):
            return True
    return False
