"""The exact rate of iterates along a curved piece in several state variables, by a cone that they cannot leave.

A form H that is positive where the leading eigenvalues of A act, and negative where the others do, is expanded by all
Jacobians near the fixed point: an error in the cone ``H > 0`` stays there, and excites the leading eigenvalues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp
from flint import arb, ctx, fmpq, fmpq_mat, fmpq_poly

from piggycheck.arithmetic import Balls, bounds, rational, to_sympy
from piggycheck.claims.subject import Subject
from piggycheck.claims.trap import Trap, enter_trap, find_trap
from piggycheck.definite import is_positive_definite
from piggycheck.errors import MapError, UnknownError
from piggycheck.fixed_points import rational_matrix
from piggycheck.intervals import IntervalMatrix, contracts
from piggycheck.linalg import identity, root_upper, simplest_between
from piggycheck.rates.algebraic import AlgebraicNumber
from piggycheck.rates.errors import ErrorSequence
from piggycheck.rates.limit import Limit
from piggycheck.rates.modulus import largest_modulus
from piggycheck.stability import WordTree

__all__ = ["Cone", "find_cone", "moving_factor"]

_BITS, _ORBIT_BITS, _DIGITS = 128, 512, 20
_BALLS = Balls(_BITS)
_WEIGHTS = (0.55, 0.4, 0.7, 0.25)
_UNITS = (2**8, 2**16, 2**30)
_SAME = 1e-6
_MOST_TRIES, _SMALLER = 40, fmpq(1, 16)
_ROOM = 2


@dataclass(frozen=True)
class Cone:
    """A cone that errors cannot leave once they are in it.

    Attributes
    ----------
    form : fmpq_mat
        H; the cone is where it is positive.
    threshold : fmpq
        Jacobians near the fixed point expand H by its square, at least.
    leading : int
        How many eigenvalues of A are beyond the threshold, all of one modulus.
    rate : AlgebraicNumber
        This modulus.
    factor : fmpq_poly or None
        The factor of the characteristic polynomial that has them as its roots, unless they are one or a pair.
    excited : int
        How many of them the minimal polynomial of A has as roots.
    is_defective : bool
        Whether one of them is a multiple root of it.
    proof : WordTree
    trap : Trap
        The iterate there is in the cone.
    """

    form: fmpq_mat
    threshold: fmpq
    leading: int
    rate: AlgebraicNumber
    factor: fmpq_poly | None
    excited: int
    is_defective: bool
    proof: WordTree
    trap: Trap


def find_cone(subject: Subject, limit: Limit, A: fmpq_mat) -> Cone:
    """Find a cone that holds the errors of the iterates from some index on.

    Parameters
    ----------
    subject : Subject
        With a start, and one piece at the fixed point.
    limit : Limit
    A : fmpq_mat
        The Jacobian there.

    Raises
    ------
    UnknownError
        When the leading eigenvalues of A are not below 1 in modulus, or no cone is found.

    Notes
    -----
    Source: docs/theory/curved-rates.md. When this fails: see Raises.
    """
    leading, pair, ends = _gap(A)
    (form, threshold), found = _expanded(A, *ends), largest_modulus(A.charpoly())
    factor = None if leading == 1 or pair else _factor(A.charpoly(), found.dominant, leading)
    rate, minimal = found.modulus, A.minpoly()
    excited = leading if factor is None else factor.gcd(minimal).degree()
    defective = any((minimal % (g * g)).degree() < 0 for g in found.dominant)
    trap, proof = find_trap(subject, _shrinking(A, rate), (1 + rate.upper) / 2)
    sequence, level = ErrorSequence(limit), trap.level
    for _ in range(_MOST_TRIES):
        if _is_invariant(subject, limit, proof.P, level, form, threshold):
            iteration, bits = enter_trap(subject, proof.P, level)
            if _is_inside(sequence, iteration, form):
                inside = replace(trap, iteration=iteration, level=level, bits=bits and max(bits, _ORBIT_BITS))
                return Cone(form, threshold, leading, rate.narrowed(_DIGITS), factor, excited, defective, proof, inside)
        if subject.remaining <= 0:
            break
        level *= _SMALLER
    raise UnknownError("no cone was found that holds the errors and shows what they excite")


def moving_factor(subject: Subject, A: fmpq_mat, X: fmpq_mat, columns: Sequence[int] | None) -> fmpq_poly:
    """Return a polynomial with the leading eigenvalues of A as roots, which change with a parameter.

    Parameters
    ----------
    subject : Subject
    A, X : fmpq_mat
        The Jacobian, and the limit of the derivatives.
    columns : sequence of int, optional
        Which parameters count; by default all.

    Raises
    ------
    UnknownError
        When that is not seen.

    Notes
    -----
    How ``det(z - A - s C)`` changes with s is ``-tr(adj(z - A) C)``, where C is how A changes along ``(X_j, e_j)``.
    """
    map_, dominant = subject.iteration.map, largest_modulus(A.charpoly()).dominant
    p, jacobian = A.nrows(), map_.piece(subject.active[0].signature).jacobian
    for j in range(X.ncols()) if columns is None else columns:
        along = sp.Matrix([to_sympy(X[i, j]) for i in range(p)])
        drift = jacobian[:, :p] * along + jacobian[:, p + j]
        moved = drift.jacobian(list(map_.state)).subs(subject.point.point)
        change = _change_of_polynomial(A, rational_matrix(sp.ImmutableMatrix(moved), "the second derivative"))
        if len(dominant) == 1 and change.degree() >= 0 and dominant[0].gcd(change).degree() == 0:
            return dominant[0]
    raise UnknownError("the leading eigenvalues of A are not seen to change with a parameter")


def _change_of_polynomial(A: fmpq_mat, C: fmpq_mat) -> fmpq_poly:
    """The derivative of ``det(z - A - s C)`` in s at 0, the adjugate by Faddeev and LeVerrier."""
    n, poly, N, found = A.nrows(), A.charpoly(), identity(A.nrows()), []
    for k in range(1, n + 1):
        moved = N * C
        found.append(-sum((moved[i, i] for i in range(n)), fmpq(0)))
        N = A * N + identity(n) * poly[n - k]
    return fmpq_poly(found[::-1])


def _gap(A: fmpq_mat) -> tuple[int, bool, tuple[float, float]]:
    """How many eigenvalues lead, as floats tell; whether as a conjugate pair; the moduli of the others and theirs."""
    import numpy as np

    eigenvalues = np.linalg.eigvals(_floats(A))
    moduli = sorted(map(float, abs(eigenvalues)), reverse=True)
    largest = moduli[0]
    leading = [value for value in eigenvalues if abs(value) > largest * (1 - _SAME)]
    if not largest < 1:
        raise UnknownError("an eigenvalue of A has the modulus 1, or a larger one")
    other = moduli[len(leading)] if len(leading) < len(moduli) else 0.0
    pair = len(leading) == 2 and abs(leading[0].imag) > _SAME * largest
    return len(leading), pair, (max(other, largest / 4), largest)


def _factor(poly: fmpq_poly, dominant: Sequence[fmpq_poly], leading: int) -> fmpq_poly:
    """The factor that has the leading eigenvalues as its roots, and no others."""
    found, rest = fmpq_poly([1]), poly
    for g in dominant:
        while (rest % g).degree() < 0:
            found, rest = found * g, rest // g
    if found.degree() != leading:
        raise UnknownError(f"{leading} eigenvalues of A lead, and they are not all roots of one factor")
    return found


def _near(value: float, room: float) -> fmpq:
    """A simple number near a float, with room on both sides."""
    low, high = (fmpq(*(value + side * room / 8).as_integer_ratio()) for side in (-1, 1))
    return simplest_between(low, high)


def _expanded(A: fmpq_mat, low: float, high: float) -> tuple[fmpq_mat, fmpq]:
    """A form H and a number t between two others, with ``A^T H A - t^2 H`` positive definite."""
    for weight in _WEIGHTS:  # no product of two eigenvalues may be t^2
        between = low ** (1 - weight) * high**weight
        t = _near(between, min(high - between, between - low) or between)
        for unit in _UNITS:
            H = _solution(A * (1 / t), -1, unit)
            if H is not None and is_positive_definite(A.transpose() * H * A - H * t**2):
                return H, t
    raise UnknownError("no form was found that separates the leading eigenvalues of A from the others")


def _shrinking(A: fmpq_mat, rate: AlgebraicNumber) -> WordTree:
    """A quadratic form that A shrinks in one step."""
    g = simplest_between((1 + 5 * rate.upper) / 6, (1 + 3 * rate.upper) / 4)
    for unit in _UNITS:
        P = _solution(A * (1 / g), 1, unit)
        if P is not None and is_positive_definite(P) and WordTree(P, g, ((0,),), fmpq(1)).verify([A]):
            return WordTree(P, g, ((0,),), fmpq(1))
    raise UnknownError("no quadratic form was found that A shrinks")


def _solution(B: fmpq_mat, sign: int, unit: int) -> fmpq_mat | None:
    """About the symmetric X with ``X - B^T X B = sign I``, times a number, in units; None where it is far from one."""
    import numpy as np

    b, n = _floats(B), B.nrows()
    try:
        flat = np.linalg.solve(np.eye(n * n) - np.kron(b.T, b.T), sign * np.eye(n).ravel())
    except np.linalg.LinAlgError:
        return None
    X = flat.reshape(n, n) / max(abs(flat)) * unit
    return fmpq_mat([[fmpq(round(float(X[i, j] + X[j, i]) / 2)) for j in range(n)] for i in range(n)])


def _floats(M: fmpq_mat) -> object:
    import numpy as np

    return np.array([float(e.p) / float(e.q) for e in M.entries()]).reshape(M.nrows(), M.ncols())


def _is_invariant(subject: Subject, limit: Limit, P: fmpq_mat, level: fmpq, form: fmpq_mat, threshold: fmpq) -> bool:
    """Whether all Jacobians in a box around the trap expand the form."""
    map_, inverse = subject.iteration.map, P.inv()
    jacobian = map_.piece(subject.active[0].signature).jacobian[:, : len(map_.state)].subs(limit.at)
    box = {}
    for j, (v, c) in enumerate(zip(map_.state, limit.coordinates, strict=True)):
        radius = _ROOM * root_upper(level * inverse[j, j], 2)
        box[v] = _BALLS.between(rational(c) - radius, rational(c) + radius)
    try:
        ends = [[bounds(_BALLS.evaluate(e, box)) for e in row] for row in jacobian.tolist()]
    except (UnknownError, MapError):
        return False
    lower, upper = (fmpq_mat([[entry[end] for entry in row] for row in ends]) for end in (0, 1))
    return contracts(IntervalMatrix.between(lower, upper), -form, threshold**2)


def _is_inside(sequence: ErrorSequence, k: int, form: fmpq_mat) -> bool:
    """Whether the error at k is in the cone."""
    run = sequence.run(_ORBIT_BITS)
    run.go_to(k)
    with ctx.workprec(_ORBIT_BITS):
        d, _ = run.both()
        H = type(d)(form.nrows(), form.ncols(), [arb(entry) for entry in form.entries()])
        return bool((d.transpose() * H * d)[0, 0] > 0)
