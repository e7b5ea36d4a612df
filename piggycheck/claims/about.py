"""What claims are about, as far as it is the same for all of them: a time limit, and what reports say first."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from piggycheck.derivation import Derivation
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.stability.answers import Moment
from piggycheck.switched import SwitchedSystem

__all__ = ["About"]

Self = TypeVar("Self", bound="About")


class About(ABC):
    """An iteration at given parameters, or a switched system.

    Attributes
    ----------
    iteration : Iteration or None
    at : mapping or None
        A value for each parameter of the iteration.
    given : SwitchedSystem or None
        In place of an iteration.
    time_limit : float
        Seconds that each question may take.
    """

    iteration: Iteration | None
    at: Any
    given: SwitchedSystem | None = None
    time_limit: float
    deadline: float
    progress: Callable[[Moment | str], None] | None = None

    def with_time(self: Self, seconds: float) -> Self:
        """Return the same subject with a time limit that starts now."""
        self.time_limit = seconds
        self.deadline = time.monotonic() + seconds
        return self

    def reporting(self: Self, progress: Callable[[Moment | str], None] | None) -> Self:
        """Return the same subject; what is reached on the way is handed to `progress`, which may be None."""
        self.progress = progress
        return self

    def tell(self, what: str) -> None:
        """Report how far a long computation is."""
        if self.progress is not None:
            self.progress(what)

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def advice(self) -> str | None:
        """What users should know of steps outside the range where convergence is known."""
        return None if self.iteration is None else self.iteration.advice(self.at)

    def required_iteration(self, kind: str) -> Iteration:
        """Return the iteration, or say that this kind of claim needs one."""
        if self.iteration is None:
            raise InputError(f"claim `{kind}` is about a map; it has no meaning for a switched system")
        return self.iteration

    def require_parameters(self, kind: str) -> None:
        """Require that there is something to differentiate in."""
        if self.iteration is not None and not self.iteration.map.parameters:
            raise InputError(f"claim `{kind}`: the map has no parameters to differentiate in; declare [parameters]")

    @abstractmethod
    def opening(self, *, pieces: bool = True) -> Derivation:
        """Begin a derivation: what the claim is about, the fixed point, the pieces there."""

    @abstractmethod
    def listed_pieces(self) -> list[dict[str, Any]]:
        """Return the active pieces as text; empty when they are not known."""
