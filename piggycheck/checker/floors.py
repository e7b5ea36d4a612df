"""What errors are at least, from an index on: by a row that all pieces multiply by one number.

With w A = l w for every piece, w (x_k - xbar) is multiplied by l in every step; and w g for a column g of J_k - Jbar
changes to l w g + m w (x_k - xbar), where column j of B moves with the state by D, w D = m w.
"""

from __future__ import annotations

from fractions import Fraction

from .couplings import moving_pieces, require_affine, require_no_guard
from .intervals import ONE, ZERO, Interval, monotone, square_root
from .matrices import Matrix, matrix
from .proofs import KINDS
from .reading import Data, Refused, Unreadable, array, fields, number, text
from .scaled import Scaled
from .sequences import ErrorSequence
from .tails import Floor, Tail, trapped

FREE = ("method", "vector", "eigenvalue")
TREE = (*FREE, "rate", *KINDS["word_tree"][1], "trap")


def floor(sequence: ErrorSequence, limit: Data, data: Data, first: int, bits: int) -> Floor:
    """What an error is at least from an index on, as a witness says."""
    affine = isinstance(data, dict) and data.get("method") == "affine"
    fields(data, "lower", FREE if affine else TREE, ("column",))
    subject = sequence.subject
    if not sequence.plain or (sequence.quantity == "derivatives") != ("column" in data):
        raise Unreadable("a bound from below is for iterates, or for a column of all derivatives")
    w = [number(c, "vector") for c in array(data["vector"], "vector", subject.p)]
    modulus = number(data["eigenvalue"], "eigenvalue")
    if not any(w) or not modulus:
        raise Refused("the vector or the eigenvalue is zero")
    region = None
    if not affine:
        region, least = trapped(subject, {key: data[key] for key in data if key in TREE})
        if first < least:
            raise Refused("the trap begins later")
    for pattern in require_affine(subject):
        if region is None:
            require_no_guard(pattern)
        A, _ = subject.pair([*subject.require_fixed(pattern.outputs)])
        require_multiple(w, A, modulus)
    n = range(subject.p)
    tail = Tail(sequence.setting, first, bits, Scaled([[int(i == j) for j in n] for i in n], 1))
    t = image(w, tail.columns(tail.fixed_point)[0])
    norm = size(w, sequence.norm)
    if sequence.quantity == "iterates":
        return Floor(absolute(t) * norm, ZERO, Interval(abs(modulus)))
    j = column(sequence, data)
    X = matrix(limit.get("matrix"), "matrix", subject.p, subject.m)
    s, changes = image(w, tail.columns(sequence.limit)[j]), list[Interval]()
    for A, moved in moving_pieces(subject, X, region):
        require_multiple(w, A, modulus)
        change = Interval(multiple(w, moved[j]) / modulus) * t
        if any((change * other).lo < 0 for other in (s, *changes)):
            raise Refused("the iterates work against the errors of the derivatives, or one piece against another")
        changes.append(change)
    slope = min(absolute(change).lo for change in changes)
    return Floor(absolute(s) * norm, Interval(slope) * norm, Interval(abs(modulus)))


def column(sequence: ErrorSequence, data: Data) -> int:
    """The column of the derivatives, one that counts."""
    name, names = text(data["column"], "lower.column"), sequence.subject.map.parameters
    if name not in names or names.index(name) not in sequence.columns:
        raise Unreadable("`lower.column` is a parameter by which the sequence is differentiated")
    return names.index(name)


def image(w: list[Fraction], v: list[Interval]) -> Interval:
    """The inner product."""
    return sum((Interval(a) * b for a, b in zip(w, v, strict=True)), ZERO)


def multiple(w: list[Fraction], M: Matrix) -> Fraction:
    """The number m with w M = m w."""
    row = [image(w, [entry[i] for entry in M]) for i in range(len(w))]
    i = next(i for i, c in enumerate(w) if c)
    m = row[i].lo / w[i]
    if not all(found.exact and found.lo == m * c for found, c in zip(row, w, strict=True)):
        raise Refused("a piece does not multiply the vector")
    return m


def require_multiple(w: list[Fraction], A: Matrix, modulus: Fraction) -> None:
    """Refuse a piece that does not multiply a row by a number."""
    if multiple(w, A) != modulus:
        raise Refused("a piece multiplies the vector by another number")


def absolute(x: Interval) -> Interval:
    """What the absolute value is at least."""
    return Interval(max(x.lo, -x.hi, Fraction(0)))


def size(w: list[Fraction], norm: str) -> Interval:
    """The number by which |w v| is multiplied to be at most the norm of v."""
    if norm == "max":
        return Interval(1 / sum(map(abs, w), Fraction(0)))
    return monotone(square_root, Interval(sum((c * c for c in w), Fraction(0)))).reciprocal() * ONE
