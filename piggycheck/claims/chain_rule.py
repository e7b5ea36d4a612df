"""The claim that automatic differentiation can return more than the selection set."""

from __future__ import annotations

from dataclasses import dataclass

from piggycheck.claims.base import Claim, certify, matrix_text
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import ChainRuleStep
from piggycheck.errors import UnknownError
from piggycheck.fixed_points import rational_matrix
from piggycheck.maps import SymbolicMap
from piggycheck.maps.switch import NONSMOOTH, translate

__all__ = ["ChainRuleSetIsLarger"]


@dataclass(frozen=True)
class ChainRuleSetIsLarger(Claim):
    """At the fixed point, some product of independent picks at the kinks is no element of the selection set.

    Notes
    -----
    When this fails: pieces whose activity is undecided, or a tie of too many kinks, leave it undecided.
    """

    kind = "chain_rule_set_is_larger"

    def statement(self, subject: Subject) -> str:
        return f"at {subject.named_point} automatic differentiation can return a pair that is not in the selection set"

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        pairs = [(rational_matrix(p.A), rational_matrix(p.B)) for p in iteration.map.chain_rule(subject.point.point)]
        possible = [(rational_matrix(p.A), rational_matrix(p.B)) for p in subject.selection.pieces]
        certain = [subject.system.pairs[i] for i in subject.essential]
        extra = next((pair for pair in pairs if pair not in possible), None)
        derivation, statement = subject.opening(), self.statement(subject)
        derivation.record(ChainRuleStep(tuple(pairs), extra))
        parts = subject.certificate_parts()
        if extra is not None:
            A, B = extra
            return Proved(
                self.kind,
                statement,
                f"A = {matrix_text(A)}, B = {matrix_text(B)} can be returned and is not in the selection set",
                {"witness": {"A": matrix_text(A), "B": matrix_text(B)}},
                f"the chain-rule set has {len(pairs)} pairs, the selection set {len(set(map(str, possible)))}",
                derivation,
                certificate=certify(self, "proved", statement, parts, {"A": A, "B": B}),
            )
        if any(pair not in certain for pair in pairs):
            raise UnknownError("a pair of the chain-rule set belongs to a piece whose activity is undecided")
        if _some_kinks_are_one(iteration.map):
            raise UnknownError("kinks written differently are the same switch, and were not picked apart")
        return Refuted(
            self.kind,
            statement,
            "every pair of the chain-rule set is in the selection set",
            {},
            f"each pair of the chain-rule set ({len(pairs)} in all) belongs to an essentially active piece",
            derivation,
            certificate=certify(self, "refuted", statement, parts, {}),
        )


def _some_kinks_are_one(map_: SymbolicMap) -> bool:
    """Whether kinks such as Abs(x) and Max(x, -x), which pick on their own, have become one switch."""
    kinks = set().union(*(expression.atoms(*NONSMOOTH) for expression in map_.next))
    return len({translate(kink, {}) for kink in kinks}) < len(kinks)
