"""Piecewise maps: what they are made of, their pieces, and the Jacobian pairs at a point."""

from piggycheck.maps.base import Activity, Evaluation, Piece, PiecewiseMap, SelectionSet, Signature
from piggycheck.maps.checks import Continuous, Gap, Jump, check_continuity
from piggycheck.maps.symbolic import SmoothPiece, SymbolicMap

__all__ = [
    "Activity",
    "Continuous",
    "Evaluation",
    "Gap",
    "Jump",
    "Piece",
    "PiecewiseMap",
    "SelectionSet",
    "Signature",
    "SmoothPiece",
    "SymbolicMap",
    "check_continuity",
]
