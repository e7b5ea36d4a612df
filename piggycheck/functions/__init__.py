"""Functions that algorithms are built from: gradients and proximal maps as piecewise maps."""

from piggycheck.functions.base import ProximalFunction
from piggycheck.functions.box import box
from piggycheck.functions.l1 import l1
from piggycheck.functions.nonnegative import nonnegative
from piggycheck.functions.smooth import gradient

__all__ = ["CATALOGUE", "ProximalFunction", "box", "gradient", "l1", "nonnegative"]

CATALOGUE = {"box": box, "l1": l1, "nonnegative": nonnegative}
"""The functions that a case may name."""
