"""Which steps of a derivation are told, and who tells them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render import (
    asymptotic,
    comparisons,
    curved,
    cycles,
    enclosures,
    everywhere,
    limit_sets,
    near_fixed_point,
    practice,
    rates,
    setting,
    trajectories,
)
from piggycheck.render.bounds import bounds
from piggycheck.render.formula import Section
from piggycheck.render.layers import structured_map
from piggycheck.render.proofs import contraction, dual_form
from piggycheck.render.singular import pseudo_inverse
from piggycheck.render.words import word

__all__ = ["HEADINGS", "names_of", "own_steps", "shared_steps", "tell"]

HEADINGS = {
    "asymptotic_rate": "At which rate, exactly?",
    "chain_rule_set_is_larger": "Is the chain-rule set larger?",
    "continuous": "Is the map continuous?",
    "converged": "Are they close to the limit?",
    "converges": "Do the derivatives converge?",
    "cycle": "Do the iterates run in a cycle?",
    "derivative": "What do the derivatives converge to?",
    "derivatives_diverge_everywhere": "Do the derivatives diverge at every parameter?",
    "diverges": "Do the derivatives diverge?",
    "error_comparison": "Is one error at most the other?",
    "flow_cycle": "Does the flow run into a cycle?",
    "fixed_point": "Where is the fixed point?",
    "implicit_is_invertible": "Can implicit differentiation be done?",
    "implicit_is_strict": "Does implicit differentiation miss elements?",
    "implicit_set_exceeds_clarke": "Does implicit differentiation return too much?",
    "in_piggyback_set": "Is this matrix in the piggyback set?",
    "iterates_converge": "Do all iterates converge?",
    "iterates_converge_uniformly": "Do the iterates converge uniformly?",
    "joint_spectral_radius": "What is the joint spectral radius?",
    "no_common_quadratic_form": "Is there no common quadratic form?",
    "pseudo_inverse_agrees": "Is the limit what the pseudo-inverse gives?",
    "practice_agrees": "Is what practice returns in the piggyback set?",
    "piggyback_bounds": "How large is the piggyback set?",
    "piggyback_interval": "What is the hull of the piggyback set?",
    "rate_bound": "Are the errors below the bound?",
    "rate_comparison": "Which is faster in the end?",
}
"""The question behind each kind of claim."""

_REST_ON_CONTRACTION = (
    *("derivative", "diverges"),
    *("implicit_is_strict", "in_piggyback_set", "piggyback_bounds", "piggyback_interval"),
)


def shared_steps(verdicts: Sequence[Any]) -> list[d.Step]:
    """Return the steps of what the verdicts are about, each once: the map, the fixed point, the pieces there.

    Parameters
    ----------
    verdicts : sequence of verdicts
        About one subject.

    Returns
    -------
    list of Step
    """
    setting = (
        *(d.MapStep, d.StructuredMapStep, d.SwitchedStep),
        *(d.FixedPointStep, d.EnclosedPointStep, d.TieStep, d.PiecesStep),
    )
    kept: list[d.Step] = []
    for step in itertools.chain.from_iterable(verdict.derivation for verdict in verdicts):
        if isinstance(step, setting) and step not in kept:
            kept.append(step)
    return sorted(_without_repeated_points(kept), key=lambda step: setting.index(type(step)))


def _without_repeated_points(steps: list[d.Step]) -> list[d.Step]:
    """Of several steps about one fixed point keep the one that says most."""
    points = [step for step in steps if isinstance(step, d.FixedPointStep)]
    said_more = [
        step
        for step in points
        if not step.start_is_fixed
        and any(p.start_is_fixed and (p.state, p.at) == (step.state, step.at) for p in points)
    ]
    return [step for step in steps if step not in said_more]


def own_steps(verdict: Any, told: Sequence[d.Step]) -> list[d.Step]:
    """Return the steps of a verdict that were not told before, in order; that all pairs contract is proved once.

    A ball is one in the norm of a certain proof, so that this one must have been told. Which of two rates is
    larger is told again, as their names may stand for others.
    """
    along_a_graph = any(isinstance(step, d.TransitionsStep) for step in (*told, *verdict.derivation))
    rests = verdict.kind in _REST_ON_CONTRACTION and not along_a_graph
    needs_its_own = verdict.derivation.first(d.BallStep) is not None
    proofs = [step.proof for step in told if _says_that_all_contract(step)]

    def is_known(step: d.Step) -> bool:
        return _says_that_all_contract(step) and bool(proofs) and (not needs_its_own or step.proof in proofs)

    return [
        step
        for step in verdict.derivation
        if (step not in told or isinstance(step, d.RatesComparedStep))
        and not (isinstance(step, d.FixedPointStep) or (rests and is_known(step)))
    ]


def _says_that_all_contract(step: d.Step) -> bool:
    return isinstance(step, d.ContractionStep) and bool(step.proof.rate < 1)


def tell(step: d.Step, steps: Sequence[d.Step] = ()) -> Section:
    """Tell one step; `steps` are those around it, which may name the letters that it uses."""
    return _TELLERS[type(step)](step, steps)


def names_of(verdicts: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of state and parameters that the verdicts' derivations declare."""
    for verdict in verdicts:
        step = verdict.derivation.first(d.MapStep)
        if step is not None:
            return tuple(str(v) for v in (*step.state, *step.parameters))
        layered = verdict.derivation.first(d.StructuredMapStep)
        if layered is not None:
            return tuple(name for name, *_ in (*layered.layers["state"], *layered.layers["parameters"]))
    return ()


_TELLERS: dict[type, Callable[[Any, Sequence[d.Step]], Section]] = {
    d.MapStep: setting.map_,
    d.RealisedStep: near_fixed_point.realised,
    d.SwitchedStep: setting.switched,
    d.ContinuityStep: setting.continuity,
    d.DiscontinuityStep: setting.discontinuity,
    d.FixedPointStep: setting.fixed_point,
    d.PiecesStep: setting.pieces,
    d.WordStep: word,
    d.PolynomialGrowthStep: word,
    d.PseudoInverseStep: pseudo_inverse,
    d.BoundsStep: bounds,
    d.ContractionStep: contraction,
    d.DualFormStep: dual_form,
    d.TransitionsStep: near_fixed_point.transitions,
    d.TrapStep: near_fixed_point.trap,
    d.LimitStep: near_fixed_point.limit,
    d.WordFixedPointsStep: limit_sets.word_fixed_points,
    d.ChainRuleStep: setting.chain_rule,
    d.AsymptoticRateStep: asymptotic.rate,
    d.TransientStep: asymptotic.transient,
    d.CurvedRateStep: curved.rate,
    d.CurvedTailStep: curved.tail,
    d.SequenceStep: asymptotic.sequence,
    d.RatesComparedStep: asymptotic.rates_compared,
    d.ComparedStep: rates.compared,
    d.SidesStep: comparisons.sides,
    d.TailStep: rates.tail,
    d.LowerTailStep: rates.lower_tail,
    d.PracticeStep: practice.told,
    d.AgainstClarkeStep: practice.against_clarke,
    d.StructuredMapStep: structured_map,
    d.EnclosedPointStep: enclosures.point,
    d.EnclosedOutputStep: enclosures.output,
    d.EnclosedRateStep: enclosures.rate,
    d.EnclosedDerivativeStep: enclosures.derivative,
    d.ErrorStep: enclosures.error,
    d.FromStartStep: enclosures.from_start,
    d.LeadingEigenvalueStep: asymptotic.leading,
    d.ObservedStep: enclosures.observed,
    d.TieStep: enclosures.tie,
    d.FunnelStep: trajectories.funnel,
    d.EscapeStep: trajectories.escape,
    d.CommonDirectionStep: trajectories.common_direction,
    d.FlowStep: trajectories.flow,
    d.FlowCycleStep: trajectories.flow_cycle,
    d.PeriodicOrbitStep: trajectories.periodic_orbit,
    d.EnergyStep: everywhere.energy,
    d.PiecesEverywhereStep: everywhere.pieces,
    d.HomogeneousStep: everywhere.homogeneous,
    d.StarPolygonStep: everywhere.polygon,
    d.ReturnStep: everywhere.returning,
    d.CyclesStep: cycles.cycles,
    d.BasinStep: cycles.basin,
    d.FollowedStep: cycles.followed,
    d.ImplicitSetStep: limit_sets.implicit_set,
    d.IntervalStep: limit_sets.interval,
    d.OutsideImplicitStep: limit_sets.outside_implicit,
    d.InvariantPointsStep: limit_sets.invariant_points,
    d.InsideStep: limit_sets.inside,
    d.InsideIntervalStep: limit_sets.inside_interval,
    d.BallStep: limit_sets.ball,
    d.BeyondBoundStep: limit_sets.beyond_bound,
    d.SeparationStep: limit_sets.separation,
    d.DirectionBoundsStep: limit_sets.direction_bounds,
    d.InvertibleStep: limit_sets.invertible,
    d.SingularStep: limit_sets.singular,
    d.ClarkeStep: limit_sets.clarke,
}
