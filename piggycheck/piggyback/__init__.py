"""The piggyback recursion: a value and its derivative, propagated together along the iteration.

Written once over `piggycheck.arrays`: exact, in balls, in mpmath, in float64; for symbolic and for structured maps.
Forward in directions of the parameters, in reverse for a weighted sum of the last iterate, as sets where pieces meet,
and as a parallel prefix along a stored trajectory.
"""

from piggycheck.piggyback.forward import Step, identification, propagate, steps
from piggycheck.piggyback.policies import ByConvention, FixedBranch, RandomBranch, RepeatedWord, SelectionPolicy
from piggycheck.piggyback.prefix import derivatives_along, pairs_along, prefix
from piggycheck.piggyback.reverse import Gradient, reverse
from piggycheck.piggyback.sets import SetStep, propagate_set

__all__ = [
    "ByConvention",
    "FixedBranch",
    "Gradient",
    "RandomBranch",
    "RepeatedWord",
    "SelectionPolicy",
    "SetStep",
    "Step",
    "derivatives_along",
    "identification",
    "pairs_along",
    "prefix",
    "propagate",
    "propagate_set",
    "reverse",
    "steps",
]
