"""What the recursion of a contracting system converges to: the piggyback set and the implicit set."""

from __future__ import annotations

from piggycheck.limits.contraction import Contraction, contracting, inner_product
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
from piggycheck.limits.points import Point, common_fixed_point, word_fixed_point

__all__ = [
    "Contraction",
    "Equal",
    "HullInterval",
    "ImplicitIn",
    "ImplicitOut",
    "Point",
    "Strict",
    "common_fixed_point",
    "contracting",
    "hull_interval",
    "implicit_hull_interval",
    "implicit_points",
    "implicit_weights",
    "inner_product",
    "strictness",
    "word_fixed_point",
]
