"""The claim that after so many iterations iterates or derivatives are close to their limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.claims.about import About
from piggycheck.claims.base import Claim, rational_field
from piggycheck.claims.directions import read_directions
from piggycheck.claims.verdict import Verdict
from piggycheck.errors import InputError

__all__ = ["Converged"]

_MOST_ITERATIONS = 100_000
_QUANTITIES = ("iterates", "derivatives")


@dataclass(frozen=True)
class Converged(Claim):
    """After so many iterations the error of the iterates, or of their derivatives, is at most a tolerance.

    Parameters
    ----------
    iterations : positive integer
        At most 100 000.
    tolerance : positive exact number or text
        Of the Euclidean distance from the fixed point; of the Frobenius distance from the limit of the derivatives.
    quantity : "iterates" or "derivatives"
    directions : mapping, or list of mappings, optional
        For derivatives: see `piggycheck.claims.directions.read_directions`.

    Raises
    ------
    InputError
        When a field cannot be read.

    Notes
    -----
    The claim is about maps made of layers. Whoever stops an iteration has a number of iterations in mind; the verdict
    says what error is left then, with proved bounds on both sides.

    When this fails: where the limit is not enclosed, or the error is too close to the tolerance to tell.
    """

    iterations: Any
    tolerance: Any
    quantity: Any = "iterates"
    directions: Any = None
    kind = "converged"

    def __post_init__(self) -> None:
        object.__setattr__(self, "iterations", _count(self.iterations))
        tolerance = rational_field(self.tolerance, "tolerance of `converged`")
        if tolerance <= 0:
            raise InputError(f"tolerance of `converged`: {tolerance} is not positive; write a positive number")
        object.__setattr__(self, "tolerance", tolerance)
        if self.quantity not in _QUANTITIES:
            raise InputError(
                f'quantity of `converged`: `{self.quantity}` is unknown; write "iterates" or "derivatives"'
            )
        if self.directions is not None and self.quantity == "iterates":
            raise InputError('directions of `converged`: iterates have none; write quantity = "derivatives"')
        object.__setattr__(self, "directions", read_directions(self.directions, self.kind))

    def statement(self, subject: About) -> str:
        what = "iterates" if self.quantity == "iterates" else "derivatives along them"
        return f"after {self.iterations} iterations the error of the {what} is at most {self.tolerance}"

    def decide(self, subject: About) -> Verdict:
        raise InputError(
            f"claim `{self.kind}` is about maps made of layers; build the algorithm from functions such as "
            "least_squares(A, b), or ask for `converges`"
        )


def _count(value: Any) -> int:
    number = rational_field(value, "iterations of `converged`")
    if number.q != 1 or number < 1:
        raise InputError(f"iterations of `converged`: `{number}` is not a positive integer; write how many")
    if number > _MOST_ITERATIONS:
        raise InputError(f"iterations of `converged`: `{number}` is more than {_MOST_ITERATIONS}; write fewer")
    return int(number.p)
