"""The gradient of a loss through the solution of an inner iteration, as formal implicit differentiation gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import RATIONAL, Evaluator, rational
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.linalg import identity, pseudo_inverse
from piggycheck.maps import SymbolicMap

__all__ = ["FormalGradient"]


class FormalGradient:
    """The formal gradient of a loss ``L(s(x), x)``, where s(x) is what an inner iteration with parameters x reaches.

    With the Jacobian pair [A B] of the inner map F at its solution, implicit differentiation solves
    ``(I - A) ds/dx = B``, and where ``I - A`` is singular a solver that returns the solution of least norm gives
    ``ds/dx = (I - A)^+ B``. The formal gradient is ``dL/dx + (ds/dx)^T dL/ds``.

    Parameters
    ----------
    loss : sympy expression
        In the state and the parameters of the inner iteration; smooth.
    inner : Iteration
        Without kinks, and with a start.
    steps : int
        How many inner steps are made from the start before its state is taken for the solution.

    Raises
    ------
    InputError
        When the loss or the inner map has a kink, or a name in the loss is not one of theirs.

    Examples
    --------
    The solution is s(x) = x, the loss is 0, and its formal gradient is the first factor:

    >>> s, x = sp.symbols("s x", real=True)
    >>> inner = Iteration(SymbolicMap([s], [s - (s - x) ** 3], [x]), [x])
    >>> FormalGradient((x**2 + 1) * (x - s), inner).exact({x: 2})
    (5,)

    With a solver that does see the solution, it is the gradient, which is 0:

    >>> seen = Iteration(SymbolicMap([s], [s - (s - x) / 2], [x]), [x])
    >>> FormalGradient((x**2 + 1) * (x - s), seen).exact({x: 2})
    (0,)

    Notes
    -----
    When this fails: nothing says that a formal gradient is a derivative of anything. It is one where ``I - A`` is
    invertible and the inner state solves its equation.
    """

    def __init__(self, loss: sp.Expr, inner: Iteration, steps: int = 0) -> None:
        self.loss, self.inner, self.steps = sp.sympify(loss), inner, steps
        map_ = inner.map
        foreign = sorted(map(str, self.loss.free_symbols - set(map_.variables)))
        if foreign:
            known = ", ".join(map(str, map_.variables))
            raise InputError(f"loss: `{foreign[0]}` is not known; write it in {known}")
        if (
            map_.guards
            or inner.start_map.guards
            or SymbolicMap([sp.Dummy(real=True)], [self.loss], map_.variables).guards
        ):
            raise InputError("a formal gradient needs a loss, an inner map and a start without kinks")

    @cached_property
    def _pieces(self) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix, sp.Matrix]:
        """A, B and the gradients of the loss in state and parameters, symbolically."""
        map_ = self.inner.map
        next_ = sp.Matrix(map_.next)
        gradients = [sp.Matrix([sp.diff(self.loss, v) for v in names]) for names in (map_.state, map_.parameters)]
        return next_.jacobian(map_.state), next_.jacobian(map_.parameters), *gradients

    def exact(self, at: Mapping[Any, Any]) -> tuple[fmpq, ...]:
        """Return the formal gradient at rational parameters, exactly.

        Parameters
        ----------
        at : mapping
            A number for each parameter, by symbol or name.

        Raises
        ------
        UnknownError
            When something is irrational.
        """
        map_ = self.inner.map
        values = map_.parameter_values(at)
        numbers = {v: rational(c) for v, c in values.items()}
        s = {v: rational(c) for v, c in self.inner.start_at(values).items()}
        for _ in range(self.steps):
            s = dict(zip(map_.state, map_.evaluate({**s, **numbers}, RATIONAL).value, strict=True))
        evaluator = Evaluator(RATIONAL, {**s, **numbers})
        A, B, in_state, in_parameters = (
            fmpq_mat([[RATIONAL.normal(evaluator(entry)) for entry in row] for row in part.tolist()])
            for part in self._pieces
        )
        derivative = pseudo_inverse(identity(len(map_.state)) - A) * B
        return tuple((in_parameters + derivative.transpose() * in_state).entries())

    @cached_property
    def _compiled(self) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
        map_ = self.inner.map
        start = sp.lambdify([map_.parameters], list(self.inner.start), "numpy")
        step = sp.lambdify([map_.state, map_.parameters], list(map_.next), "numpy")
        parts = sp.lambdify([map_.state, map_.parameters], [part.tolist() for part in self._pieces], "numpy")
        return start, step, parts

    def __call__(self, at: Sequence[float]) -> np.ndarray:
        """Return the formal gradient at parameters, in floating point with NumPy's pseudo-inverse.

        Parameters
        ----------
        at : sequence of float
            The parameters, in their order.
        """
        start, step, parts = self._compiled
        s = start(at)
        for _ in range(self.steps):
            s = step(s, at)
        A, B, in_state, in_parameters = (np.array(part, dtype=float) for part in parts(s, at))
        derivative = np.linalg.pinv(np.eye(len(s)) - A) @ B
        return (in_parameters + derivative.T @ in_state)[:, 0]

    def descend(self, start: Sequence[float], step: float, count: int) -> np.ndarray:
        """Follow gradient descent ``x <- x - step * gradient``, in floating point.

        Parameters
        ----------
        start : sequence of float
            The first parameters.
        step : float
        count : int
            How many steps.

        Returns
        -------
        array of count + 1 rows
            One for each point, the start first.

        Examples
        --------
        >>> s, x = sp.symbols("s x", real=True)
        >>> identity = Iteration(SymbolicMap([s], [s - (s - x) ** 3], [x]), [x])
        >>> FormalGradient(x * (x - s), identity).descend([1.0], 0.5, 2).tolist()
        [[1.0], [0.5], [0.25]]
        """
        points = [np.array(start, dtype=float)]
        for _ in range(count):
            points.append(points[-1] - step * self(points[-1]))
            if not np.all(np.isfinite(points[-1])):
                raise UnknownError(f"gradient descent left the range of floats after {len(points) - 1} steps")
        return np.array(points)
