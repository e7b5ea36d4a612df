"""Certified maps of parameter space: on which cells of a box of two unknowns the derivatives converge or diverge."""
