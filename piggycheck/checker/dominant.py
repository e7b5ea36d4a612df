"""The rate along a curved piece in several state variables, where a cone that iterates cannot leave shows it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .boxes import box, contracts, read_scaled
from .convergence import Region, exact, iterate
from .couplings import fractions
from .curved_rates import jacobian_of_one_piece, require_trapped
from .definite import semidefinite
from .intervals import Interval, monotone, square_root
from .matrices import Matrix, has_root_beyond, times, transpose
from .polynomials import (
    Polynomial,
    RealRoots,
    common_divisor,
    divided,
    largest_modulus,
    read_polynomial,
    sign_changes,
    squarefree,
    value,
)
from .rates import shared_limit
from .reading import Data, Refused, Unreadable, fields, integer, number
from .scaled import Scaled, combined, polynomial_of, product, scaled, symmetric, transposed
from .subject import FixedPoint, Subject
from .truncated import ALONG, expanded

MINUS = Fraction(-1)


def dominant_rate(
    claim: Data, subject: Subject, witness: Data, columns: Sequence[int] | None
) -> tuple[Fraction, Fraction, Polynomial]:
    """Bounds of the largest modulus of an eigenvalue of A, and a polynomial of which it is the root between them."""
    if not isinstance(subject, FixedPoint) or subject.map.start is None:
        raise Unreadable("the method is about a map with a start")
    derivatives = claim["quantity"] == "derivatives"
    if not {"matrix", "leading"} & set(witness) == ({"matrix", "leading"} if derivatives else set()):
        raise Unreadable("`matrix` and `leading` stand in the witness when the claim is about derivatives")
    subject.require_all_pieces()
    A, H = jacobian_of_one_piece(derivatives, subject), read_scaled(witness["form"], "form", subject.p, subject.p)
    t = number(witness["threshold"], "threshold")
    if t <= 0 or not symmetric(H):
        raise Refused("the threshold is not positive, or the form not symmetric")
    moved = product(product(transposed(A), H), A)
    if not semidefinite(combined([(Fraction(1), moved), (-t * t, H)]), definite=True):
        raise Refused("A does not expand the form")
    region = require_trapped(derivatives, subject, witness)
    if not contracts(box(jacobians(region)), combined([(MINUS, H)]), t * t):
        raise Refused("the cone is not proved to be invariant throughout the trap")
    if not size_of_error(subject, witness["trap"], H) > 0:
        raise Refused("the iterate is not proved to be in the cone")
    if derivatives:
        if "factor" in witness:
            raise Refused("several eigenvalues lead, which may be multiple")
        require_moving(subject, A, t, witness, range(subject.m) if columns is None else columns)
    return of_largest(A, positive_eigenvalues(H), t, witness)


def require_moving(subject: FixedPoint, A: Scaled, t: Fraction, witness: Data, columns: Sequence[int]) -> None:
    """Refuse unless the leading eigenvalues, which are roots of a factor, change with a parameter."""
    f, D = list(reversed(polynomial_of(A))), read_polynomial(witness["leading"], "leading")
    others, rest = divided(f, D)
    if rest or has_root_beyond([Interval(c / others[-1]) for c in reversed(others)], t):
        raise Refused("the factor does not divide the characteristic polynomial, or not all leading roots are its own")
    X, map_ = shared_limit(subject, witness), subject.map
    point = {name: Interval(c) for name, c in subject.point.items()}
    for j in columns:
        direction = {name: row[j].lo for name, row in zip(map_.state, X, strict=True)} | {
            map_.parameters[j]: Fraction(1)
        }
        outputs = expanded(map_.program, map_.next, point, map_.state, direction, 1)
        slopes = [[output.at(ALONG, i) for i in range(subject.p)] for output in outputs]
        if all(c.exact for row in slopes for c in row):
            moved = change_of_polynomial(A, scaled(fractions(slopes)))
            if moved and len(common_divisor(D, moved)) == 1:
                return
    raise Refused("the leading eigenvalues are not shown to change with a parameter")


def change_of_polynomial(A: Scaled, C: Scaled) -> Polynomial:
    """The derivative of det(z - A - s C) in s at 0: -tr(adj(z - A) C), the adjugate by Faddeev and LeVerrier."""
    n = len(A.rows)
    unit = Scaled([[int(i == j) for j in range(n)] for i in range(n)], 1)
    N, found = unit, []
    for c in polynomial_of(A)[1:]:
        moved = product(N, C)
        found.append(Fraction(-sum(moved.rows[i][i] for i in range(n)), moved.denominator))
        N = combined([(Fraction(1), product(A, N)), (c, unit)])
    found.reverse()
    while found and not found[-1]:
        found.pop()
    return found


def jacobians(region: Region) -> Matrix:
    """All Jacobians in the state, over the box around a region."""
    map_, point = region.map, {name: Interval(c) for name, c in region.subject.point.items()}
    for i, (name, c) in enumerate(region.subject.x.items()):
        r = monotone(square_root, region.level * region.inverse[i][i]).hi
        point[name] = Interval(c - r, c + r)
    outputs = expanded(map_.program, map_.next, point, map_.state, {}, 1)
    return [[output.at(i) for i in range(len(map_.state))] for output in outputs]


def size_of_error(subject: FixedPoint, data: Data, H: Scaled) -> Fraction:
    """A lower bound of the form at the iterate in the trap."""
    steps, bits = integer(data["iteration"], "iteration", 0, 10**6), integer(data["bits"], "bits", 0, 10_000)
    x = iterate(subject.map, subject.map.start or [], steps, bits)
    d = [[a - Interval(c)] for a, c in zip(x, subject.x.values(), strict=True)]
    return times(transpose(d), times(exact(H), d))[0][0].lo


def positive_eigenvalues(H: Scaled) -> int:
    """How many eigenvalues of a symmetric matrix are positive: all are real, so that Descartes' rule is exact."""
    return sign_changes(polynomial_of(H))


def of_largest(A: Scaled, count: int, t: Fraction, witness: Data) -> tuple[Fraction, Fraction, Polynomial]:
    """The modulus of the eigenvalues beyond the threshold, so many of them, when it is the same for all."""
    data = fields(witness["number"], "number", ("polynomial", "lower", "upper"))
    R = read_polynomial(data["polynomial"], "number.polynomial")
    lower, upper = number(data["lower"], "number.lower"), number(data["upper"], "number.upper")
    f = list(reversed(polynomial_of(A)))
    if not 0 < lower <= upper or not has_root(R, lower, upper):
        raise Refused("the polynomial of the rate is not shown to have a root between the bounds")
    largest_modulus(f, R, lower, upper)
    if "factor" in witness:
        require_one_modulus(f, read_polynomial(witness["factor"], "factor"), count, R, lower, upper)
    elif count != 1:
        h = squarefree(f)
        if count != 2 or RealRoots(h).above(t) or RealRoots([(-1) ** k * c for k, c in enumerate(h)]).above(t):
            raise Refused("there are several eigenvalues beyond the threshold, and not one pair that is not real")
    return lower, upper, R


def has_root(R: Polynomial, lower: Fraction, upper: Fraction) -> bool:
    """Whether a polynomial is shown to have a root between bounds."""
    return value(R, lower) * value(R, upper) <= 0


def require_one_modulus(
    f: Polynomial, D: Polynomial, count: int, R: Polynomial, lower: Fraction, upper: Fraction
) -> None:
    """Refuse unless a factor of f has so many roots, of the largest modulus: it is |D(0)|, to that root."""
    if divided(f, D)[1] or len(D) - 1 != count:
        raise Refused("the factor does not divide the characteristic polynomial, or has another degree")
    pure = [-abs(D[0] / D[-1]), *[Fraction(0)] * (count - 1), Fraction(1)]
    common = common_divisor(R, pure)
    if len(common) < 2 or not has_root(common, lower, upper):
        raise Refused("the roots of the factor are not shown to have one modulus")


METHODS = {  # with the keys of its witness
    "dominant": (
        ("method", "number", "rate", "P", "words", "trap", "form", "threshold"),
        ("factor", "leading", "matrix"),
    ),
}
