"""The claim that no quadratic form is contracted by every matrix: the simplest proofs of convergence do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.claims.base import Claim, certify, matrix_text, rational_field, word_text
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ContractionStep, Derivation, DualFormStep, WordStep
from piggycheck.errors import InputError, IrrationalError
from piggycheck.linalg import zeros
from piggycheck.stability import Expansive, WordTree, decide
from piggycheck.switched import SwitchedSystem

__all__ = ["NoCommonQuadraticForm"]

_SHORTEST_TIME = 0.1
_LARGEST_SHOWN = 6


@dataclass(frozen=True)
class NoCommonQuadraticForm(Claim):
    """No positive definite P has ``A_i^T P A_i <= rate^2 P`` for every matrix of the selection set.

    Parameters
    ----------
    rate : exact rational number or text, optional
        Positive; 1 when absent.

    Raises
    ------
    InputError
        When the rate is not positive, or irrational.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> pair = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
    >>> prove(NoCommonQuadraticForm(rate="7/5"), pair).name, prove(NoCommonQuadraticForm(rate="3/2"), pair).name
    ('proved', 'refuted')

    Notes
    -----
    It does not say that derivatives diverge: proofs of other kinds may show that they converge. Where a graph
    constrains the words there is one form for each node, and an inequality for each edge.

    When this fails: a rate within about 1e-7 of the least one that a form proves; forms that only Jordan blocks forbid.
    """

    rate: Any = None
    kind = "no_common_quadratic_form"

    def __post_init__(self) -> None:
        if self.rate is not None:
            rate = rational_field(self.rate, f"rate of `{self.kind}`")
            if rate <= 0:
                raise InputError(f"rate of `{self.kind}`: {rate} is not positive; write a positive number such as 1")
            object.__setattr__(self, "rate", rate)

    def fields(self) -> dict[str, Any]:
        return {"rate": self.rate}

    def statement(self, subject: Subject) -> str:
        square = "" if self._rate == 1 else f"({self._rate})^2 "
        if subject.given is not None and subject.given.graph:
            return f"no positive definite P_u have A_i^T P_v A_i <= {square}P_u for every edge (u, i, v) of the graph"
        where = "" if subject.given is not None else f"at {subject.named_point} "
        which = "" if subject.given is not None else " of the selection set"
        return f"{where}no positive definite P has A^T P A <= {square}P for every matrix A{which}"

    @property
    def _rate(self) -> fmpq:
        return fmpq(1) if self.rate is None else self.rate

    def decide(self, subject: Subject) -> Verdict:
        system = _matrices(subject)
        Q = self._dual(subject, system)
        if Q is not None:
            return self._proved(subject, system, Q)
        tree = self._form(subject, system)
        if tree is not None:
            return self._refuted(subject, tree)
        found = self._word(subject, system)
        return self._open(subject) if found is None else self._proved_by_word(subject, found)

    def _dual(self, subject: Subject, system: SwitchedSystem) -> tuple[fmpq_mat, ...] | None:
        """Matrices that exclude a form, nonzero only for letters proved essentially active."""
        from piggycheck.stability.no_quadratic_form import prove_no_common_form

        sure = range(len(system)) if subject.given is not None else subject.essential
        seconds = max(subject.remaining / 2, _SHORTEST_TIME)
        found = prove_no_common_form([system.A[i] for i in sure], self._rate, time_limit=seconds) if sure else None
        if found is None:
            return None
        Q = [zeros(system.dimension, system.dimension)] * len(system)
        for letter, matrix in zip(sure, found, strict=True):
            Q[letter] = matrix
        return tuple(Q)

    def _form(self, subject: Subject, system: SwitchedSystem) -> WordTree | None:
        """A form that every matrix contracts at the rate."""
        from piggycheck.stability.attained import prove_attained_rate
        from piggycheck.stability.path_complete import prove_path_complete

        seconds = max(subject.remaining, _SHORTEST_TIME)
        single = prove_path_complete(system.A, self._rate, memory=0, time_limit=seconds)
        if single is not None:
            return WordTree(single.forms[0], self._rate, tuple((i,) for i in range(len(system))), fmpq(1))
        tree = prove_attained_rate(system.A, self._rate, time_limit=max(subject.remaining, _SHORTEST_TIME))
        return tree if tree is not None and tree.is_quadratic else None

    def _word(self, subject: Subject, system: SwitchedSystem) -> Expansive | None:
        """A word of letters proved essentially active that grows faster than any form of the rate allows."""
        sure = range(len(system)) if subject.given is not None else subject.essential
        if not sure:
            return None
        seconds = max(subject.remaining, _SHORTEST_TIME)
        answer = decide(SwitchedSystem.from_rows([system.A[i] for i in sure]), self._rate, time_limit=seconds)
        return answer if isinstance(answer, Expansive) else None

    def _proved_by_word(self, subject: Subject, found: Expansive) -> Verdict:
        word, derivation, statement = subject.in_system(found.word), _opening(subject), self.statement(subject)
        if subject.given is not None or not subject.is_irrational:
            A, B = subject.system.product(word)
            poly = A.charpoly() if isinstance(A, fmpq_mat) else None
            derivation.record(WordStep(word, A, B, poly, found.modulus_lower, found.rate_lower))
        path = found.word if subject.given is not None else word
        witness = {"method": "word", "word": path, "modulus_lower": found.modulus_lower}
        reason = f"products along the word {word_text(word)} grow faster than a form of the rate {self._rate} allows"
        return Proved(
            self.kind,
            statement,
            "there is no such form",
            {"word": list(word), "eigenvalue_modulus_lower": str(found.modulus_lower)},
            reason,
            derivation,
            certificate=certify(self, "proved", statement, subject.certificate_parts(), witness),
        )

    def _proved(self, subject: Subject, system: SwitchedSystem, Q: tuple[fmpq_mat, ...]) -> Verdict:
        from piggycheck.stability.no_quadratic_form import least_gain

        derivation, statement = _opening(subject), self.statement(subject)
        if system.is_certain:
            derivation.record(DualFormStep(Q, least_gain(system.A, self._rate, Q), self._rate))
        witness = {"method": "dual", "Q": list(Q)}
        return Proved(
            self.kind,
            statement,
            f"there is no such form: dual matrices exclude it at the rate {self._rate}",
            {"Q": [matrix_text(M) for M in Q]},
            "positive semidefinite Q_i make the sum of A_i Q_i A_i^T - rate^2 Q_i positive semidefinite and not zero",
            derivation,
            certificate=certify(self, "proved", statement, subject.certificate_parts(), witness),
        )

    def _refuted(self, subject: Subject, tree: WordTree) -> Verdict:
        P, derivation, statement = tree.P, _opening(subject), self.statement(subject)
        per_node = subject.given is not None and subject.given.graph
        found = "there are such forms, the diagonal blocks of P" if per_node else "there is such a form"
        derivation.record(ContractionStep(tree))
        witness = {"method": "quadratic", "P": P}
        return Refuted(
            self.kind,
            statement,
            found + (f": P = {matrix_text(P)}" if P.nrows() <= _LARGEST_SHOWN else ""),
            {"P": matrix_text(P)},
            f"every matrix contracts the form P at the rate {self._rate}",
            derivation,
            certificate=certify(self, "refuted", statement, subject.certificate_parts(), witness),
        )

    def _open(self, subject: Subject) -> Verdict:
        reason = "neither such a form nor a proof that there is none was found"
        return Undecided(
            self.kind,
            self.statement(subject),
            reason,
            {},
            reason,
            _opening(subject),
            tried=("dual matrices", "a form", "a form on the boundary", "a word that grows faster"),
            would_help="a rate further from the least one that a quadratic form proves",
        )


def _matrices(subject: Subject) -> SwitchedSystem:
    """The matrices that the claim is about; irrational ones between bounds, and one for each edge of a graph."""
    try:
        return subject.system.unfolded()
    except IrrationalError:
        return subject.enclosed(subject.selection.pieces)


def _opening(subject: Subject) -> Derivation:
    return subject.opening(pieces=subject.given is not None or not subject.is_irrational)
