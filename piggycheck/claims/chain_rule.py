"""The claim that automatic differentiation can return more than the selection set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.claims.base import Claim, certify, matrix_text
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import AgainstClarkeStep, ChainRuleStep, Derivation
from piggycheck.errors import UnknownError
from piggycheck.expression import to_text
from piggycheck.maps import ChainRuleAgainstClarke, Extra, Pick, SymbolicMap, chain_rule_against_clarke
from piggycheck.maps.switch import NONSMOOTH, translate
from piggycheck.switched import Pair

__all__ = ["ChainRuleSetIsLarger"]

_SIGNS = {1: ">", -1: "<", 0: "=="}


@dataclass(frozen=True)
class ChainRuleSetIsLarger(Claim):
    """At the fixed point, some product of independent picks at the kinks is no element of the selection set.

    Notes
    -----
    A pair that no piece has may still be in the Clarke Jacobian, the convex hull of the selection set; an answer says
    which are, with weights, which are not, with a direction, and which kinks are responsible.

    When this fails: pieces whose activity is undecided, or a tie of too many kinks, leave it undecided.
    """

    kind = "chain_rule_set_is_larger"

    def statement(self, subject: Subject) -> str:
        return f"at {subject.named_point} automatic differentiation can return a pair that is not in the selection set"

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        found = chain_rule_against_clarke(iteration.map, subject.point.point)
        pairs, certain = found.chain_rule, [subject.system.pairs[i] for i in subject.essential]
        extra = next((e for e in found.extra if e.direction is not None), next(iter(found.extra), None))
        derivation, statement = subject.opening(), self.statement(subject)
        derivation.record(ChainRuleStep(pairs, None if extra is None else extra.pair))
        parts = subject.certificate_parts()
        if extra is not None:
            return self._proved(statement, found, extra, derivation, parts)
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

    def _proved(
        self,
        statement: str,
        found: ChainRuleAgainstClarke,
        extra: Extra,
        derivation: Derivation,
        parts: dict[str, Any],
    ) -> Verdict:
        A, B = extra.pair
        derivation.record(AgainstClarkeStep.of(found))
        witness: dict[str, Any] = {"A": A, "B": B}
        outside = ""
        if extra.direction is not None:
            witness["direction"] = dict(zip("AB", extra.direction, strict=True))
            outside = ", nor in its convex hull"
        elif extra.weights is not None:
            witness["weights"] = extra.weights
            outside = ", but in its convex hull"
        value = {
            "witness": _pair_text(extra.pair),
            "selection": list({str(pair): _pair_text(pair) for pair in found.selection}.values()),
            "chain_rule": list(map(_pair_text, found.chain_rule)),
            "extra": list(map(_extra_value, found.extra)),
        }
        return Proved(
            self.kind,
            statement,
            f"A = {matrix_text(A)}, B = {matrix_text(B)} can be returned and is not in the selection set{outside}",
            value,
            f"the chain-rule set has {len(found.chain_rule)} pairs, the selection set {len(value['selection'])}",
            derivation,
            certificate=certify(self, "proved", statement, parts, witness),
        )


def _pair_text(pair: Pair) -> dict[str, Any]:
    return dict(zip("AB", map(matrix_text, pair), strict=True))


def _extra_value(extra: Extra) -> dict[str, Any]:
    """What an answer says of a pair that no piece has."""
    value = {**_pair_text(extra.pair), "clarke": "undecided", "kinks": [_pick_text(pick) for pick in extra.picks]}
    if extra.weights is not None:
        value |= {"clarke": "inside", "weights": list(map(str, extra.weights))}
    elif extra.direction is not None:
        value |= {"clarke": "outside", "direction": _pair_text(extra.direction)}
    return value


def _pick_text(pick: Pick) -> str:
    return f"{to_text(pick.kink)} at {to_text(pick.guard)} {_SIGNS[pick.sign]} 0"


def _some_kinks_are_one(map_: SymbolicMap) -> bool:
    """Whether kinks such as Abs(x) and Max(x, -x), which pick on their own, have become one switch."""
    kinks = set().union(*(expression.atoms(*NONSMOOTH) for expression in map_.next))
    return len({translate(kink, {}) for kink in kinks}) < len(kinks)
