"""What the recursion of a contracting system converges to: the piggyback set and the implicit set."""

from __future__ import annotations

from piggycheck.limits.approximation import Approximation, approximate
from piggycheck.limits.clarke import Exceeds, exceeds_clarke
from piggycheck.limits.contraction import Contraction, contracting, inner_product
from piggycheck.limits.determinant import Invertible, Singular, invertible_on_hull
from piggycheck.limits.distance import Distance, distance_to_set
from piggycheck.limits.implicit import (
    Equal,
    ImplicitIn,
    ImplicitOut,
    Strict,
    implicit_hull_interval,
    implicit_points,
    implicit_weights,
    strictness,
)
from piggycheck.limits.interval import HullInterval, hull_interval
from piggycheck.limits.membership import Inside, Outside, Unsettled, membership
from piggycheck.limits.points import Point, common_fixed_point, word_fixed_point
from piggycheck.limits.sequences import attractor_points, sample_attractor, set_sequence
from piggycheck.limits.singular import SingularLimit, group_inverse, pseudo_inverse, singular_limit
from piggycheck.limits.support import Bound, Box, outer_box, outer_polytope, support

__all__ = [
    "Approximation",
    "Bound",
    "Box",
    "Contraction",
    "Distance",
    "Equal",
    "Exceeds",
    "HullInterval",
    "ImplicitIn",
    "ImplicitOut",
    "Inside",
    "Invertible",
    "Outside",
    "Point",
    "Singular",
    "SingularLimit",
    "Strict",
    "Unsettled",
    "approximate",
    "attractor_points",
    "common_fixed_point",
    "contracting",
    "distance_to_set",
    "exceeds_clarke",
    "group_inverse",
    "hull_interval",
    "implicit_hull_interval",
    "implicit_points",
    "implicit_weights",
    "inner_product",
    "invertible_on_hull",
    "membership",
    "outer_box",
    "outer_polytope",
    "pseudo_inverse",
    "sample_attractor",
    "set_sequence",
    "singular_limit",
    "strictness",
    "support",
    "word_fixed_point",
]
