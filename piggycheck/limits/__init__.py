"""The verified limit of an iteration: its fixed point and the derivative of the limit, enclosed with proved errors."""

from piggycheck.limits.after import DistanceToLimit, distance_after
from piggycheck.limits.contraction import Contraction
from piggycheck.limits.enclosure import LimitEnclosure
from piggycheck.limits.exact import Tie
from piggycheck.limits.output import OutputEnclosure, enclose_output
from piggycheck.limits.problem import LimitProblem
from piggycheck.limits.rate import Rate, rate_at
from piggycheck.limits.verified import enclose_limit, verified_limit
from piggycheck.limits.whole import ConvergenceFromStart, convergence_from_start, whole_contraction

__all__ = [
    "Contraction",
    "ConvergenceFromStart",
    "DistanceToLimit",
    "LimitEnclosure",
    "LimitProblem",
    "OutputEnclosure",
    "Rate",
    "Tie",
    "convergence_from_start",
    "distance_after",
    "enclose_limit",
    "enclose_output",
    "rate_at",
    "verified_limit",
    "whole_contraction",
]
