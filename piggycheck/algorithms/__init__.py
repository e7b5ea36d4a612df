"""Algorithms, each built into an `Iteration` from functions."""

from piggycheck.algorithms.admm import admm
from piggycheck.algorithms.douglas_rachford import douglas_rachford
from piggycheck.algorithms.forward_backward import forward_backward
from piggycheck.algorithms.gradient_descent import gradient_descent
from piggycheck.algorithms.heavy_ball import heavy_ball
from piggycheck.algorithms.nesterov import nesterov

__all__ = ["CATALOGUE", "admm", "douglas_rachford", "forward_backward", "gradient_descent", "heavy_ball", "nesterov"]

CATALOGUE = {
    "admm": admm,
    "douglas_rachford": douglas_rachford,
    "forward_backward": forward_backward,
    "gradient_descent": gradient_descent,
    "heavy_ball": heavy_ball,
    "nesterov": nesterov,
}
"""The algorithms that a case may name."""
