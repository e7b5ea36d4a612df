"""The verified limit of an iteration: its fixed point and the derivative of the limit, enclosed with proved errors."""

from piggycheck.enclosures.after import DistanceToLimit, distance_after
from piggycheck.enclosures.contraction import Contraction
from piggycheck.enclosures.enclosure import LimitEnclosure
from piggycheck.enclosures.exact import Tie
from piggycheck.enclosures.output import OutputEnclosure, enclose_output
from piggycheck.enclosures.problem import LimitProblem
from piggycheck.enclosures.rate import Rate, rate_at
from piggycheck.enclosures.verified import enclose_limit, verified_limit
from piggycheck.enclosures.whole import ConvergenceFromStart, convergence_from_start, whole_contraction

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
