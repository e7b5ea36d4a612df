"""What the recursion of a contracting system converges to: the piggyback set and the implicit set."""

from __future__ import annotations

from piggycheck.limits.contraction import Contraction, contracting, inner_product
from piggycheck.limits.points import Point, common_fixed_point, word_fixed_point

__all__ = ["Contraction", "Point", "common_fixed_point", "contracting", "inner_product", "word_fixed_point"]
