"""Functions that algorithms are built from: gradients and proximal maps, as expressions and as nodes of maps."""

from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.box import box
from piggycheck.functions.difference import difference
from piggycheck.functions.group_l2 import group_l2
from piggycheck.functions.l1 import l1
from piggycheck.functions.least_squares import least_squares
from piggycheck.functions.log_det import log_det
from piggycheck.functions.nonnegative import nonnegative
from piggycheck.functions.nuclear_norm import nuclear_norm
from piggycheck.functions.positive_semidefinite import positive_semidefinite
from piggycheck.functions.quadratic import quadratic
from piggycheck.functions.requirements import Recommendation, Requirement, required
from piggycheck.functions.second_order_cone import second_order_cone
from piggycheck.functions.smooth import gradient
from piggycheck.functions.smooth_quadratic import QuadraticFunction, QuadraticTerms, SumOfQuadratics
from piggycheck.functions.squared_norm import squared_norm
from piggycheck.functions.weighted_l1 import weighted_l1
from piggycheck.functions.zero import zero

__all__ = [
    "CATALOGUE",
    "Naming",
    "ProximalFunction",
    "QuadraticFunction",
    "QuadraticTerms",
    "Recommendation",
    "Requirement",
    "SumOfQuadratics",
    "box",
    "difference",
    "gradient",
    "group_l2",
    "l1",
    "least_squares",
    "log_det",
    "nonnegative",
    "nuclear_norm",
    "positive_semidefinite",
    "quadratic",
    "required",
    "second_order_cone",
    "squared_norm",
    "weighted_l1",
    "zero",
]

CATALOGUE = {
    "box": box,
    "difference": difference,
    "group_l2": group_l2,
    "l1": l1,
    "least_squares": least_squares,
    "log_det": log_det,
    "nonnegative": nonnegative,
    "nuclear_norm": nuclear_norm,
    "positive_semidefinite": positive_semidefinite,
    "quadratic": quadratic,
    "second_order_cone": second_order_cone,
    "squared_norm": squared_norm,
    "weighted_l1": weighted_l1,
    "zero": zero,
}
"""The functions that a case may name."""
