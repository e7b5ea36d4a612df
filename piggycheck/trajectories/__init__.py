"""What iterates do away from the fixed point: funnels that hold the iterates of a whole box of parameters."""

from piggycheck.trajectories.funnel import Box, Escape, Funnel, find_funnel
from piggycheck.trajectories.pieces import AffinePieces, affine_pieces

__all__ = ["AffinePieces", "Box", "Escape", "Funnel", "affine_pieces", "find_funnel"]
