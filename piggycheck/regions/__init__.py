"""Certified maps of parameter space: on which cells of a box of two unknowns the derivatives converge or diverge."""

from piggycheck.regions.pieces import Pieces, pieces_of
from piggycheck.regions.run import ParameterMap, parameter_map

__all__ = ["ParameterMap", "Pieces", "parameter_map", "pieces_of"]
