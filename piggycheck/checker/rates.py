"""Bounds of errors in k: by evaluation for finitely many k, and for all k by a norm in which the map contracts."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

from .couplings import sends_to_itself
from .distances import Errors, Limit
from .enclosed import Enclosed
from .following import MOST_BITS
from .intervals import ONE, Interval
from .matrices import Matrix, combine, equal, identity, matrix, times
from .norms import NORMS
from .orbits import Setting
from .pieces import Patterns
from .rate_bounds import Bound
from .reading import Data, Refused, Unreadable, integer, say_point, text
from .scaled import inverse, scaled
from .subject import FixedPoint, Subject

MOST_STEPS = 100_000
WORDS = {"max": "max norm", "frobenius": "Frobenius norm", "spectral": "spectral norm"}


class Claimed:
    """The claim: of which error, in which norm, up to which index; None for all."""

    def __init__(self, claim: Data) -> None:
        self.quantity = text(claim.get("quantity"), "claim.quantity")
        self.norm = text(claim.get("norm"), "claim.norm")
        if self.quantity not in ("iterates", "derivatives"):
            raise Unreadable('`claim.quantity` is "iterates" or "derivatives"')
        if self.norm not in NORMS:
            raise Unreadable(f"`claim.norm` is one of {', '.join(NORMS)}")
        upto = text(claim.get("upto"), "claim.upto")
        self.upto = None if upto == "infinity" else integer(upto, "claim.upto", 0, MOST_STEPS)
        self.bound = Bound(claim.get("bound"))
        self.derivatives = self.quantity == "derivatives"


def errors_of(claimed: Claimed, subject: FixedPoint, witness: Data) -> Errors:
    """The errors that a claim is about."""
    setting = Setting(subject, claimed.derivatives)
    return Errors(setting, claimed.norm, claimed.bound, limit_of(setting, witness))


def limit_of(setting: Setting, witness: Data) -> Limit:
    """What the iterates, or their derivatives, are compared with."""
    subject = setting.subject
    if not setting.derivatives:
        if "matrix" in witness:
            raise Unreadable("`matrix` stands there for derivatives alone")
        return Limit([[c] for c in subject.x.values()], derivatives=False)
    if "matrix" in witness:
        return Limit([[c.lo for c in row] for row in shared_limit(subject, witness)], derivatives=True)
    return Enclosed(setting)


def shared_limit(subject: FixedPoint, witness: Data) -> Matrix:
    """The one matrix that all pieces at the fixed point send to itself."""
    if not subject.A or not subject.m:
        raise Unreadable("`pieces`, or parameters, are missing")
    subject.require_all_pieces()
    X = matrix(witness.get("matrix"), "matrix", subject.p, subject.m)
    map_ = subject.map
    for pattern in Patterns(interior=True).run(map_.program, map_.next, map_.jets(subject.point, map_.names)):
        if not sends_to_itself(subject, pattern, X):
            raise Refused("the matrix is not fixed by all pieces, or this is not decided exactly")
    for A, B in zip(subject.A, subject.B, strict=True):
        if is_exact(A) and is_exact(B) and not equal(combine(times(A, X), ONE, B), X):
            raise Refused("the matrix is not fixed by a listed piece")
    require_unique(subject)
    return X


def require_unique(subject: Subject) -> None:
    """Refuse unless I - A is invertible for a piece, proved."""
    for A in subject.A:
        rest = combine(identity(subject.p), Interval(Fraction(-1)), A)
        with suppress(Refused):
            if is_exact(A):
                inverse(scaled([[c.lo for c in row] for row in rest]))
                return
            if invertible(rest):
                return
    raise Refused("several matrices may be fixed by all pieces")


def is_exact(A: Matrix) -> bool:
    """Whether the entries are numbers."""
    return all(c.exact for row in A for c in row)


def invertible(M: Matrix) -> bool:
    """Whether all matrices between bounds are invertible, by elimination; otherwise not decided."""
    M = [list(row) for row in M]
    for k in range(len(M)):
        found = next((i for i in range(k, len(M)) if not M[i][k].lo <= 0 <= M[i][k].hi), None)
        if found is None:
            return False
        M[k], M[found] = M[found], M[k]
        back = M[k][k].reciprocal()
        for i in range(k + 1, len(M)):
            M[i] = [a - M[i][k] * back * b for a, b in zip(M[i], M[k], strict=True)]
    return True


def rate_proved(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The error is at most the bound at every index up to the last."""
    claimed, bits = Claimed(claim), read_bits(witness)
    if claimed.upto is None:
        raise Unreadable('`claim.upto` is "infinity", which takes another method')
    k = errors_of(claimed, subject, witness).first_violation(claimed.upto, bits)
    if k is not None:
        raise Refused(f"the error exceeds the bound at k = {k}")
    return say_bound(claim, claimed, subject, f"at most the bound for k = 0..{claimed.upto}:")


def rate_refuted(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The error exceeds the bound at an index, and not before."""
    claimed, bits = Claimed(claim), read_bits(witness)
    k = integer(witness["violation"], "violation", 0, MOST_STEPS if claimed.upto is None else claimed.upto)
    if not errors_of(claimed, subject, witness).violated(k, bits):
        raise Refused(f"the error does not exceed the bound first at k = {k}")
    return say_bound(claim, claimed, subject, f"larger than the bound at k = {k}:")


def read_bits(witness: Data) -> int:
    """The precision with which to begin."""
    return integer(witness["bits"], "bits", 0, MOST_BITS)


def say_bound(claim: Data, claimed: Claimed, subject: FixedPoint, what: str) -> str:
    """What is proved of the error."""
    error = "J_k - J" if claimed.derivatives else "x_k - x"
    bound = " ".join(claim["bound"].split())[:100]
    return f"the {WORDS[claimed.norm]} of {error} at the fixed point {say_point(subject.x)} is {what} {bound}"
