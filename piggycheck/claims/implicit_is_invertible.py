"""The claim that the equation of implicit differentiation has one solution, also for pairs of the convex hull."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.claims.base import Claim, certify
from piggycheck.claims.limit_sets import all_pairs, on_all_pieces, read_hull, system_of, where
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import InvertibleStep, SingularStep, Step
from piggycheck.limits import Invertible, Singular, invertible_on_hull
from piggycheck.linalg import identity

__all__ = ["ImplicitIsInvertible", "leaves"]


@dataclass(frozen=True)
class ImplicitIsInvertible(Claim):
    """``I - A`` is invertible for every pair of the convex hull of the selection set: implicit differentiation works.

    Parameters
    ----------
    hull : bool
        Whether all pairs of the convex hull count, or the pairs of the selection set alone; true when absent.

    Raises
    ------
    InputError
        When `hull` is neither true nor false.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> pair = SwitchedSystem.from_rows([[[0]], [[2]]])
    >>> prove(ImplicitIsInvertible(), pair).value["witness"]
    {'weights': ['1', '0'], 'other': ['0', '1']}
    >>> prove(ImplicitIsInvertible(hull=False), pair).name
    'proved'

    Notes
    -----
    On the hull it is the hypothesis of the nonsmooth implicit function theorem: the solution is then a Lipschitz
    function of the parameters. It does not need a joint spectral radius below 1, but follows from that.

    When this fails: a determinant that is zero without changing its sign, at irrational weights only; many pairs of
    large matrices.
    """

    hull: Any = True
    kind = "implicit_is_invertible"

    def __post_init__(self) -> None:
        read_hull(self.hull, self.kind)

    def fields(self) -> dict[str, Any]:
        return {"hull": self.hull}

    def statement(self, subject: Subject) -> str:
        which = "pair of the convex hull of the pairs" if self.hull else "pair"
        return f"I - A is invertible for every {which}{where(subject)}"

    def decide(self, subject: Subject) -> Verdict:
        system = system_of(subject, self.kind)
        matrices = [identity(system.dimension) - A for A in system.A]
        if not self.hull:
            return self._of_pairs(subject, matrices)
        found = invertible_on_hull(matrices)
        if isinstance(found, Invertible):
            return self._proved(subject, matrices, found)
        if not system.exact and subject.essential:
            among = invertible_on_hull([matrices[i] for i in subject.essential])
            if isinstance(among, Invertible):
                all_pairs(subject, "without them `I - A` is invertible on the hull")
            other = None if among.other is None else on_all_pieces(subject, among.other)
            found = Singular(on_all_pieces(subject, among.weights), other)
        return self._refuted(subject, matrices, [found.weights, *([] if found.other is None else [found.other])])

    def _of_pairs(self, subject: Subject, matrices: Sequence[fmpq_mat]) -> Verdict:
        singular = [i for i, M in enumerate(matrices) if M.det() == 0]
        if not singular:
            return self._proved(subject, matrices, None)
        known = [i for i in singular if i in subject.essential]
        if not known:
            all_pairs(subject, "`I - A` is singular for some of these only")
        weights = tuple(fmpq(int(i == known[0])) for i in range(len(matrices)))
        return self._refuted(subject, matrices, [weights])

    def _proved(self, subject: Subject, matrices: Sequence[fmpq_mat], found: Invertible | None) -> Verdict:
        determinants = tuple(M.det() for M in matrices)
        if found is None:
            step: Step = InvertibleStep(determinants, False)
            return self._certified(subject, Proved, "no determinant is zero", {}, step, {})
        depths = list(leaves(found.tree))
        step = InvertibleStep(determinants, True, len(depths), max(depths))
        sign = "positive" if found.sign > 0 else "negative"
        said = f"the determinant of I - A is {sign} on the whole convex hull"
        return self._certified(subject, Proved, said, {}, step, {"sign": found.sign, "tree": found.tree})

    def _refuted(self, subject: Subject, matrices: Sequence[fmpq_mat], weights: Sequence[Sequence[fmpq]]) -> Verdict:
        values = [_combined(matrices, one).det() for one in weights]
        if len(weights) == 1:
            said = "it is singular for one of the pairs" if not self.hull else "it is singular for some weights"
        else:
            said = "its determinant has both signs on the convex hull, and is zero in between"
        step = SingularStep(tuple(map(tuple, weights)), tuple(values), self.hull)
        parts = dict(zip(("weights", "other"), weights, strict=False))
        value = {"witness": {name: list(map(str, one)) for name, one in parts.items()}}
        return self._certified(subject, Refuted, said, value, step, parts)

    def _certified(
        self,
        subject: Subject,
        kind: type[Proved] | type[Refuted],
        found: str,
        value: dict[str, Any],
        step: Step,
        witness: dict[str, Any],
    ) -> Verdict:
        derivation, statement = subject.opening(), self.statement(subject)
        derivation.record(step)
        certificate = certify(self, kind.name, statement, subject.certificate_parts(), witness)
        return kind(self.kind, statement, found, value, "", derivation, certificate=certificate)


def leaves(tree: tuple[Any, ...], depth: int = 0) -> Iterator[int]:
    """Yield how often each simplex of a subdivision was halved.

    Examples
    --------
    >>> list(leaves((0, 1, (), (0, 1, (), ()))))
    [1, 2, 2]
    """
    if not tree:
        yield depth
        return
    for half in tree[2:]:
        yield from leaves(half, depth + 1)


def _combined(matrices: Sequence[fmpq_mat], weights: Sequence[fmpq]) -> fmpq_mat:
    terms = [M * weight for M, weight in zip(matrices, weights, strict=True)]
    return sum(terms[1:], terms[0])
