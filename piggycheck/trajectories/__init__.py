"""What iterates do away from the fixed point: where those of a whole box of parameters go, and their derivatives."""

from piggycheck.trajectories.funnel import Box, Escape, Funnel, find_funnel
from piggycheck.trajectories.growth import CommonDirection, common_direction
from piggycheck.trajectories.pieces import AffinePieces, affine_pieces

__all__ = [
    "AffinePieces",
    "Box",
    "CommonDirection",
    "Escape",
    "Funnel",
    "affine_pieces",
    "common_direction",
    "find_funnel",
]
