"""Cycles of maps that are polynomials on each piece: fixed points of the compositions along words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from flint import arb, ctx, fmpq, fmpq_poly

from piggycheck.arithmetic import bounds, rational
from piggycheck.cycles.answers import Cycle, Cycles, Point
from piggycheck.cycles.orbit import cycle_from, orbit_of, rotated, same, signature_at
from piggycheck.cycles.words import largest_divisors
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.fixed_points import fixed_points
from piggycheck.iteration import Iteration
from piggycheck.maps import SmoothPiece, SymbolicMap
from piggycheck.switched import Word

__all__ = ["polynomial_cycles"]

_MOST_PIECES = 64
_MOST_DEGREE = 128
_MOST_SOLUTIONS = 64
_PRECISIONS = (128, 512, 2048, 8192)


def polynomial_cycles(local: SymbolicMap, period: int, most_words: int) -> Cycles:
    """Find the cycles of a map whose pieces are polynomials with rational coefficients.

    Parameters
    ----------
    local : SymbolicMap
        Of the state alone.
    period : int
    most_words : int

    Returns
    -------
    Cycles

    Raises
    ------
    UnknownError
        When a piece or a guard is no such polynomial, or the degree is too large.

    Notes
    -----
    In one variable everything is decided: the composition along a word minus x is factored over the rationals, the real
    roots of each irreducible factor are isolated by balls, and a polynomial vanishes at a root exactly when the factor
    divides it. When this fails: in several variables irrational points are returned, but whether they attract is
    undecided, and systems of more than 64 solutions are not solved.
    """
    pieces = [(local.piece(s), conditions) for s, conditions in itertools.islice(_signatures(local), _MOST_PIECES + 1)]
    if len(pieces) ** period > most_words:
        raise UnknownError(f"there are too many itineraries of length {period}")
    if len(local.state) > 1:
        return _in_several_variables(local, [piece for piece, _ in pieces], period)
    return _Line(local, pieces, period).cycles()


def _signatures(local: SymbolicMap):
    return local.signatures(lambda guard, outcomes: outcomes, gaps=False)


# -- one variable -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Root:
    """A real root of an irreducible monic polynomial, counted from the smallest."""

    coefficients: tuple[fmpq, ...]
    index: int

    @property
    def factor(self) -> fmpq_poly:
        return fmpq_poly(list(self.coefficients))

    def ball(self) -> arb:
        return _real_roots(self.factor)[self.index]

    def exact(self) -> sp.Expr:
        x = sp.Symbol("x", real=True)
        if self.factor.degree() == 1:
            root = -self.factor[0] / self.factor[1]
            return sp.Rational(int(root.p), int(root.q))
        coefficients = [sp.Rational(int(c.p), int(c.q)) for c in reversed(self.factor.coeffs())]
        return sp.rootof(sp.Poly(coefficients, x), self.index, radicals=self.factor.degree() == 2)


def _monic(factor: fmpq_poly) -> tuple[fmpq, ...]:
    return tuple(c / factor[factor.degree()] for c in factor.coeffs())


def _real_roots(factor: fmpq_poly) -> list[arb]:
    """Balls around the real roots, disjoint, from the smallest on."""
    return sorted((root.real for root, _ in factor.complex_roots() if root.imag == 0), key=lambda b: float(b.mid()))


class _Line:
    """The cycles of a map of one variable."""

    def __init__(self, local: SymbolicMap, pieces: Sequence[tuple[SmoothPiece, Sequence]], period: int):
        self.local, self.period, self.symbol = local, period, local.state[0]
        self.maps = [self._polynomial(piece.expressions[0]) for piece, _ in pieces]
        self.guards = [[(sign, self._polynomial(guard)) for sign, guard in conditions] for _, conditions in pieces]
        self.signatures = [piece.signature for piece, _ in pieces]
        self.found: dict[tuple[_Root, ...], Cycle] = {}
        self.reasons: dict[str, None] = {}

    def _polynomial(self, expression: sp.Expr) -> fmpq_poly:
        try:
            coefficients = sp.Poly(expression, self.symbol).all_coeffs()
            return fmpq_poly([rational(c) for c in reversed(coefficients)])
        except (sp.PolynomialError, IrrationalError):
            raise UnknownError(f"`{expression}` is no polynomial with rational coefficients") from None

    def cycles(self) -> Cycles:
        """Solve along every word, up to rotation."""
        words = [w for w in itertools.product(range(len(self.maps)), repeat=self.period) if w == _smallest(w)]
        for word in words:
            try:
                self._solve(word)
            except UnknownError as error:
                self.reasons[str(error)] = None
        found = sorted(self.found.values(), key=lambda cycle: sp.N(cycle.points[0][0]))
        return Cycles(tuple(found), not self.reasons, "; ".join(self.reasons), len(words))

    def _solve(self, word: Word) -> None:
        """Find the cycles along a word."""
        images = self._images(word)
        moved = images[-1] - images[0]
        if moved == 0:
            raise UnknownError("every point of an interval returns")
        for factor, _ in moved.factor()[1]:
            with ctx.workprec(_PRECISIONS[0]):
                count = len(_real_roots(factor))
            if not any((images[d] - images[0]) % factor == 0 for d in largest_divisors(self.period)):
                for index in range(count):
                    self._examine(word, images, _Root(_monic(factor), index))

    def _images(self, word: Word) -> list[fmpq_poly]:
        """The iterates along a word, as polynomials in the first one."""
        images = [fmpq_poly([0, 1])]
        for letter in word:
            images.append(self.maps[letter](images[-1]))
            if images[-1].degree() > _MOST_DEGREE:
                raise UnknownError(f"a composition has a degree above {_MOST_DEGREE}")
        return images

    def _examine(self, word: Word, images: Sequence[fmpq_poly], root: _Root) -> None:
        """Keep a root if its iterates follow the word."""
        if any(root in roots for roots in self.found):
            return
        signs = [
            (sign, _sign_at(root, guard(images[j])))
            for j, letter in enumerate(word)
            for sign, guard in self.guards[letter]
        ]
        if any(seen not in (sign, 0) for sign, seen in signs):
            return
        if root.factor.degree() == 1:
            points = orbit_of(self.local, (root.exact(),), self.period)
            if points is not None:
                self.found.setdefault((root,), cycle_from(self.local, points))
                self._mark(rotated(points))
            return
        if any(seen == 0 for _, seen in signs):
            raise UnknownError("an irrational solution meets a guard")
        roots = tuple(self._image(word, images, root, j) for j in range(self.period))
        first = min(range(self.period), key=lambda j: float(roots[j].ball().mid()))
        roots = (*roots[first:], *roots[:first])
        self.found[roots] = self._described(word, first, roots, images[-1].derivative(), root)

    def _mark(self, points: Sequence[Point]) -> None:
        """Know the other rational points of a cycle, too."""
        (cycle,) = [self.found.pop(key) for key in list(self.found) if self.found[key].points == points]
        values = [rational(x) for (x,) in points]
        self.found[tuple(_Root((-c, fmpq(1)), 0) for c in values)] = cycle

    def _image(self, word: Word, images: Sequence[fmpq_poly], root: _Root, j: int) -> _Root:
        """The j-th iterate, as a root of the equation along the word that begins there."""
        if j == 0:
            return root
        turned = self._images((*word[j:], *word[:j]))
        factors = [factor for factor, _ in (turned[-1] - turned[0]).factor()[1]]
        for precision in _PRECISIONS:
            with ctx.workprec(precision):
                value = _at_ball(images[j], root.ball())
                near = [
                    _Root(_monic(factor), index)
                    for factor in factors
                    for index, ball in enumerate(_real_roots(factor))
                    if ball.overlaps(value)
                ]
            if len(near) == 1:
                return near[0]
        raise UnknownError("two solutions are too close to be told apart")

    def _described(self, word: Word, first: int, roots: Sequence[_Root], slope: fmpq_poly, root: _Root) -> Cycle:
        itinerary = tuple(str(self.signatures[letter]) for letter in (*word[first:], *word[:first]))
        lower, upper = _modulus(root, slope)
        attracting = None if lower == upper == 1 else bool(upper < 1)
        reason = "its multiplier has modulus 1" if attracting is None else ""
        repelling = None if attracting is None else not attracting
        points = tuple((each.exact(),) for each in roots)
        return Cycle(points, itinerary, None, (lower, upper), attracting, repelling, reason)


def _at_ball(polynomial: fmpq_poly, x: arb) -> arb:
    value = arb(0)
    for c in reversed(polynomial.coeffs()):
        value = value * x + arb(c)
    return value


def _sign_at(root: _Root, polynomial: fmpq_poly) -> int:
    """The sign of a polynomial at a root; 0 exactly when the irreducible factor divides it."""
    if polynomial % root.factor == 0:
        return 0
    for precision in _PRECISIONS:
        with ctx.workprec(precision):
            value = _at_ball(polynomial, root.ball())
            if value > 0:
                return 1
            if value < 0:
                return -1
    raise UnknownError("the sign of a guard was not decided")


def _modulus(root: _Root, slope: fmpq_poly) -> tuple[fmpq, fmpq]:
    """Bounds on the modulus of a polynomial at a root, equal where it is rational, otherwise on one side of 1."""
    rest = slope % root.factor
    if rest.degree() < 1:
        return abs(rest[0]), abs(rest[0])
    for precision in _PRECISIONS:
        with ctx.workprec(precision):
            value = abs(_at_ball(slope, root.ball()))
            if value > 1 or value < 1:
                return bounds(value)
    raise UnknownError("whether the multiplier is below 1 was not decided")


def _smallest(word: Word) -> Word:
    return min(word[i:] + word[:i] for i in range(len(word)))


# -- several variables ------------------------------------------------------------------------------------------------


def _in_several_variables(local: SymbolicMap, pieces: Sequence[SmoothPiece], period: int) -> Cycles:
    """Find the fixed points of every composition, and follow them exactly."""
    state, reasons = local.state, {}
    found: dict[tuple[Point, ...], bool] = {}
    words = [w for w in itertools.product(range(len(pieces)), repeat=period) if w == _smallest(w)]
    for word in words:
        composed = _composed([pieces[letter] for letter in word], state)
        solutions = fixed_points(Iteration(SymbolicMap(state, composed)))
        if not solutions.exhaustive:
            reasons[solutions.reason] = None
        for solution in solutions:
            points = orbit_of(local, tuple(solution.state.values()), period)
            if points is not None and not any(same(points[0], x) for known in found for x in known):
                found[rotated(points)] = solution.isolated
            if not solution.isolated:
                reasons["a composition has a continuum of fixed points"] = None
    described = [_described(local, points, isolated) for points, isolated in found.items()]
    return Cycles(tuple(described), not reasons, "; ".join(reasons), len(words))


def _composed(pieces: Sequence[SmoothPiece], state: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
    try:
        degrees = [max(sp.Poly(e, *state).total_degree() for e in piece.expressions) for piece in pieces]
    except sp.PolynomialError:
        raise UnknownError("a piece is no polynomial") from None
    if sp.prod(degrees) > _MOST_SOLUTIONS:
        raise UnknownError(f"a composition has a degree above {_MOST_SOLUTIONS}")
    composed: tuple[sp.Expr, ...] = tuple(state)
    for piece in pieces:
        values = dict(zip(state, composed, strict=True))
        composed = tuple(sp.expand(e.subs(values, simultaneous=True)) for e in piece.expressions)
    return composed


def _described(local: SymbolicMap, points: tuple[Point, ...], isolated: bool) -> Cycle:
    if all(c.is_Rational for point in points for c in point):
        return cycle_from(local, points, isolated)
    itinerary = tuple(str(signature_at(local, x)) for x in points)
    return Cycle(points, itinerary, None, None, None, None, "the multipliers of irrational points are not enclosed")
