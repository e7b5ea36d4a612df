"""piggycheck: proofs about the derivatives that automatic differentiation propagates along iterative algorithms.

Names are imported when they are used, so that ``import piggycheck`` and the command line start at once.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_ROOMS = (
    "algorithms",
    "arithmetic",
    "case",
    "checker",
    "claims",
    "enclosures",
    "errors",
    "expression",
    "functions",
    "limits",
    "maps",
    "piggyback",
    "rates",
    "render",
    "search",
    "stability",
    "trajectories",
)
_NAMES = {
    "ArrayParameter": "maps",
    "BallArrays": "arrays",
    "Certificate": "certificates",
    "EXACT": "arrays",
    "FLOAT64": "arrays",
    "FixedPoint": "fixed_points",
    "Family": "search",
    "FormalGradient": "trajectories",
    "Iteration": "iteration",
    "MpmathArrays": "arrays",
    "Proved": "claims",
    "Refuted": "claims",
    "StructuredMap": "maps",
    "SwitchedSystem": "switched",
    "SymbolicMap": "maps",
    "Undecided": "claims",
    "approximate": "limits",
    "asymptotic_rate": "claims.asymptotic_rate",
    "attractor_points": "limits",
    "chain_rule_against_clarke": "maps",
    "compare": "claims.in_practice",
    "contracting": "limits",
    "cycles": "cycles",
    "draw_attractor": "claims",
    "error_sequence": "rates",
    "exceeds_clarke": "limits",
    "fixed_points": "fixed_points",
    "hull_interval": "limits",
    "implicit_points": "limits",
    "implicit_weights": "limits",
    "invertible_on_hull": "limits",
    "joint_spectral_radius": "stability",
    "linearise": "fixed_points",
    "load_case": "case",
    "load_family": "search",
    "membership": "limits",
    "order_changes": "rates",
    "outer_box": "limits",
    "practice": "claims.in_practice",
    "propagate": "piggyback",
    "prove": "claims",
    "reverse": "piggyback",
    "singular_limit": "limits",
    "smallest_constant": "rates",
    "smallest_rate": "rates",
    "strictness": "limits",
    "verified_limit": "enclosures",
}

__all__ = ["__version__", *_NAMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(f"piggycheck.{_NAMES[name]}"), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"piggycheck.{name}")
    else:
        raise AttributeError(f"module `piggycheck` has no attribute `{name}`")
    globals()[name] = value
    return value


class _Package(ModuleType):
    """A package whose function `fixed_points` is not hidden by the module of the same name once that is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _NAMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(__all__)
