"""The verified limit of an iteration: its fixed point and the derivative of the limit, enclosed with proved errors."""

from piggycheck.limits.contraction import Contraction
from piggycheck.limits.enclosure import LimitEnclosure
from piggycheck.limits.exact import Tie
from piggycheck.limits.output import OutputEnclosure, enclosed_output
from piggycheck.limits.problem import LimitProblem
from piggycheck.limits.verified import enclose_limit, verified_limit

__all__ = [
    "Contraction",
    "LimitEnclosure",
    "LimitProblem",
    "OutputEnclosure",
    "Tie",
    "enclose_limit",
    "enclosed_output",
    "verified_limit",
]
