"""The claim that implicit differentiation returns more than the Clarke Jacobian of the solution map."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

from piggycheck.claims.base import Claim, certify, matrix_text
from piggycheck.claims.implicit_is_invertible import leaves
from piggycheck.claims.limit_sets import system_of, where
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Verdict
from piggycheck.derivation import ClarkeStep, ImplicitSetStep, InvertibleStep
from piggycheck.errors import UnknownError
from piggycheck.limits import exceeds_clarke, implicit_points, inner_product
from piggycheck.linalg import identity
from piggycheck.maps import Continuous, check_continuity

__all__ = ["ImplicitSetExceedsClarke"]

_LARGEST_SHOWN = 6


@dataclass(frozen=True)
class ImplicitSetExceedsClarke(Claim):
    """Implicit differentiation with a Clarke Jacobian can return a matrix outside the solution map's Clarke Jacobian.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> A = [[["1/2", 0], [0, "-1/2"]], [["-1/2", 0], [0, "1/2"]]]
    >>> pair = SwitchedSystem.from_rows(A, [[[1], [1]], [[1], [1]]])
    >>> prove(ImplicitSetExceedsClarke(), pair).name
    'proved'

    Notes
    -----
    Near a point where ``I - A`` is invertible for every pair of the convex hull, the solution is piecewise smooth, with
    derivatives ``(I - A_i)^{-1} B_i``, and its Clarke Jacobian lies in their convex hull. A mean of pairs may lead
    outside of that [BLPS21]. Of pairs without a map the claim says that it does.

    When this fails: it is never refuted; and it is undecided where the hypothesis is not proved.
    """

    kind = "implicit_set_exceeds_clarke"

    def statement(self, subject: Subject) -> str:
        if subject.given is not None:
            return (
                "a convex combination of the pairs has a fixed point outside the convex hull of the pairs' fixed points"
            )
        return f"implicit differentiation{where(subject)} can return a matrix outside the solution's Clarke Jacobian"

    def decide(self, subject: Subject) -> Verdict:
        system = system_of(subject, self.kind)
        _require_continuous(subject)
        found = exceeds_clarke(system, letters=subject.essential)
        derivation, statement = subject.opening(), self.statement(subject)
        C, points = found.direction, tuple(X for X in implicit_points(system) if X is not None)
        depths = list(leaves(found.invertible.tree))
        determinants: tuple[fmpq, ...] = tuple((identity(system.dimension) - A).det() for A in system.A)
        derivation.record(InvertibleStep(determinants, True, len(depths), max(depths)))
        derivation.record(ImplicitSetStep(points))
        largest = max(inner_product(C, X) for X in points)
        of_map = subject.given is None
        derivation.record(ClarkeStep(found.weights, found.matrix, C, inner_product(C, found.matrix), largest, of_map))
        shown = matrix_text(found.matrix)
        matrix = f" {shown}" if max(found.matrix.nrows(), found.matrix.ncols()) <= _LARGEST_SHOWN else " one"
        witness = {
            "sign": found.invertible.sign,
            "tree": found.invertible.tree,
            "weights": found.weights,
            "matrix": found.matrix,
            "direction": C,
        }
        return Proved(
            self.kind,
            statement,
            f"the weights ({', '.join(map(str, found.weights))}) of the pairs lead to{matrix}, which is outside",
            {
                "witness": {
                    "weights": list(map(str, found.weights)),
                    "matrix": shown,
                    "direction": matrix_text(C),
                }
            },
            "a direction separates it from the solutions of all pairs"
            + (", whose convex hull contains the Clarke Jacobian" if of_map else ""),
            derivation,
            certificate=certify(self, "proved", statement, subject.certificate_parts(), witness),
        )


def _require_continuous(subject: Subject) -> None:
    """Require that the map is continuous, as the theorem does.

    Raises
    ------
    UnknownError
        When it is not, or that is not decided.
    """
    if subject.iteration is not None and not isinstance(check_continuity(subject.iteration.map), Continuous):
        raise UnknownError("the map is not continuous, and the solution near the fixed point need not be either")
