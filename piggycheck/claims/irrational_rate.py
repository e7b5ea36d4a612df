"""What exact rates are made of where the numbers are square roots of rational ones, and sums and products of those."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from piggycheck.arithmetic import SURDS, Surd, rational
from piggycheck.claims.subject import Subject
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.rates.irrational import ExcitedSurdRate, excited_surd_rate, surd_errors, surd_powers
from piggycheck.rates.limit import Limit
from piggycheck.rates.surd_algebra import SurdMatrix

__all__ = ["Irrational", "has_irrational_numbers"]

_MOST_BITS = 200_000
_LARGEST = 8


def has_irrational_numbers(subject: Subject) -> bool:
    """Whether the pieces at the fixed point, their derivatives beside it, or the start are not rational."""
    map_, numbers = subject.iteration.map, [c for piece in subject.active for c in (*piece.A, *piece.B)]
    for piece in subject.active:
        beside = map_.piece(piece.signature).jacobian.subs(subject.at)
        numbers += [c for c in beside.atoms(sp.Pow, sp.NumberSymbol, sp.Function) if c.is_number]
    if subject.iteration.start is not None:
        numbers += subject.iteration.start_at(subject.at).values()
    try:
        for c in numbers:
            if not c.is_Rational:
                rational(c)
    except IrrationalError:
        return True
    return False


class Irrational:
    """Errors in exact irrational numbers.

    Parameters
    ----------
    subject : Subject
        Whose time limit holds.

    Raises
    ------
    UnknownError
        By its methods: where a number is not made of square roots of rational ones.
    """

    def __init__(self, subject: Subject):
        self.subject = subject

    @staticmethod
    def matrix(M: sp.Matrix, where: str) -> SurdMatrix:
        """Convert a matrix."""
        if M.rows > _LARGEST:
            raise UnknownError(f"{where} is irrational and has more than {_LARGEST} rows")
        try:
            return SurdMatrix.of(M)
        except IrrationalError as error:
            raise UnknownError(f"{where}: {error}") from None

    @staticmethod
    def has_eigenvalue_one(A: SurdMatrix) -> bool:
        """Whether ``I - A`` is singular."""
        return not sum(A.charpoly().coeffs(), Surd({}))

    @staticmethod
    def powers(A: SurdMatrix) -> ExcitedSurdRate:
        """Return the rate of almost every error."""
        return excited_surd_rate(surd_powers(A))

    @staticmethod
    def excited(
        A: SurdMatrix, first: int, d: SurdMatrix, G: SurdMatrix | None = None, couplings: Sequence[SurdMatrix] = ()
    ) -> ExcitedSurdRate:
        """Return the rate of errors from an index on."""
        return excited_surd_rate(surd_errors(A, first, d, G, couplings))

    @staticmethod
    def chosen(G: SurdMatrix | None, columns: Sequence[int] | None) -> SurdMatrix | None:
        """Some columns of a matrix."""
        return G if G is None or columns is None else G.columns(columns)

    def limit(self, limit: Limit) -> SurdMatrix:
        """The matrix that the derivatives tend to."""
        return self.matrix(limit.matrix, "the limit of the derivatives")

    def errors(self, limit: Limit, count: int, derivatives: bool) -> tuple[SurdMatrix, SurdMatrix | None]:
        """Follow the iteration exactly; return the error of an iterate, and that of its derivative if it is asked for.

        Raises
        ------
        UnknownError
            When numbers grow too long, the time is over, or a guard vanishes at an iterate whose derivative is needed.
        """
        iteration, at = limit.iteration, {v: _number(c) for v, c in limit.at.items()}
        map_, start = iteration.map, iteration.start_at(limit.at)
        p, x = len(map_.state), [_number(c) for c in start.values()]
        J = None
        if derivatives:
            found = iteration.start_jacobians(limit.at)
            if len(found) != 1:
                raise UnknownError("the start has a kink at these parameters, so J_0 is not one matrix")
            J = self.matrix(found[0], "the derivative of the start")
        for k in range(count):
            if self.subject.remaining <= 0:
                raise UnknownError(f"the time was over at iterate {k} of {count} in exact irrational numbers")
            values = {**dict(zip(map_.state, x, strict=True)), **at}
            try:
                seen = map_.evaluate(values, SURDS)
                if J is not None and 0 in seen.signature:
                    raise UnknownError(f"a guard vanishes at the irrational iterate {k}, and J_k may not be one matrix")
                if J is not None:
                    pair = SurdMatrix(tuple(map(tuple, map_.jacobian(seen.signature, values, SURDS))))
                    J = pair.columns(range(p)) * J + pair.columns(range(p, p + len(map_.parameters)))
            except IrrationalError as error:
                raise UnknownError(f"after iterate {k}: {error}") from None
            x = list(seen.value)
            if sum(int(c.q).bit_length() for entry in x for c in entry.terms.values()) > _MOST_BITS:
                raise UnknownError(f"the exact iterate x_{k + 1} has more than {_MOST_BITS} bits, before {count} steps")
        centre = [rational(c, "the fixed point") for c in limit.coordinates]
        d = SurdMatrix(tuple((a - c,) for a, c in zip(x, centre, strict=True)))
        return d, None if J is None else J - self.limit(limit)


def _number(value: sp.Expr) -> Surd:
    try:
        return Surd.of(value)
    except IrrationalError as error:
        raise UnknownError(str(error)) from None
