"""What iterates and flows do away from the fixed point: funnels, growing derivatives, cycles, formal gradients."""

from piggycheck.trajectories.energy import Energy, find_energy, full_matrices
from piggycheck.trajectories.flow import CycleOfFlow, Field, find_cycle, read_field
from piggycheck.trajectories.formal_gradient import FormalGradient
from piggycheck.trajectories.funnel import Box, Escape, Funnel, find_funnel
from piggycheck.trajectories.growth import CommonDirection, common_direction
from piggycheck.trajectories.orbits import PeriodicOrbit, periodic_orbit
from piggycheck.trajectories.pieces import AffinePieces, affine_pieces

__all__ = [
    "AffinePieces",
    "Box",
    "CommonDirection",
    "CycleOfFlow",
    "Energy",
    "Escape",
    "Field",
    "FormalGradient",
    "Funnel",
    "PeriodicOrbit",
    "affine_pieces",
    "common_direction",
    "find_cycle",
    "find_energy",
    "find_funnel",
    "full_matrices",
    "periodic_orbit",
    "read_field",
]
