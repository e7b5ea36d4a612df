"""What to know of steps and relaxations that are not proved to do harm: ranges in which algorithms converge.

Floating point says what it says here; nothing is decided by it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.arrays import FLOAT64
from piggycheck.errors import MapError
from piggycheck.maps import ArrayParameter, Term
from piggycheck.maps.nodes import Context
from piggycheck.maps.switch import Switch, hoist, translate

__all__ = ["Curvature", "ExpressionCurvature", "RelaxationRange", "StepRange", "TermCurvature"]

_CLOSE = 1e-9
_MANY = 64


class Curvature(ABC):
    """What is known of the Hessian of a function."""

    @abstractmethod
    def largest(self, values: Mapping[Any, Any]) -> float | None:
        """Guess the Lipschitz constant of the gradient at values of the parameters.

        None when it is not known: where the function is not piecewise quadratic, or has many pieces.
        """

    def is_below(self, bound: float, values: Mapping[Any, Any]) -> bool:
        """Guess whether the Lipschitz constant of the gradient is below a bound."""
        L = self.largest(values)
        return L is not None and L < bound


@dataclass(frozen=True)
class TermCurvature(Curvature):
    """A Hessian that is a sum of terms.

    Attributes
    ----------
    hessian : sequence of Term
    size : int
        Number of variables.
    """

    hessian: Sequence[Term]
    size: int

    def largest(self, values: Mapping[Any, Any]) -> float:
        return _spectral_norm(self._matrix(values))

    def is_below(self, bound: float, values: Mapping[Any, Any]) -> bool:
        import numpy as np

        try:  # a factorisation, which for hundreds of variables is much faster than eigenvalues
            np.linalg.cholesky(bound * np.eye(self.size) - self._matrix(values))
        except np.linalg.LinAlgError:
            return False
        return True

    def _matrix(self, values: Mapping[Any, Any]) -> Any:
        scalars = {p: value for p, value in values.items() if isinstance(p, sp.Symbol)}
        arrays = {p.name: value for p, value in values.items() if isinstance(p, ArrayParameter)}
        context = Context(FLOAT64, scalars, arrays)
        plain = sum(float(context.number(term.scale)) for term in self.hessian if not term.factors)
        total = FLOAT64.scaled(plain, FLOAT64.identity(self.size))
        for term in self.hessian:
            if term.factors:
                total = total + term.matrix(context, self.size)
        return total


@dataclass(frozen=True)
class ExpressionCurvature(Curvature):
    """The Hessians of the pieces of an expression.

    Attributes
    ----------
    objective : sympy.Expr
    variables : sequence of sympy.Symbol

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> ExpressionCurvature(sp.Piecewise((x**2, x >= 0), (x**2 / 4, True)), [x]).largest({})
    2.0
    >>> ExpressionCurvature(x**4, [x]).largest({}) is None
    True
    """

    objective: sp.Expr
    variables: Sequence[sp.Symbol]

    def largest(self, values: Mapping[Any, Any]) -> float | None:
        import numpy as np

        try:
            leaves = _leaves(hoist(translate(self.objective, {})))
        except MapError:
            return None
        hessians = [sp.hessian(leaf, list(self.variables)).subs(dict(values)) for leaf in leaves[:_MANY]]
        if len(leaves) > _MANY or any(H.free_symbols for H in hessians):
            return None
        return max(_spectral_norm(np.array(H.evalf().tolist(), dtype=float)) for H in hessians)


def _leaves(tree: sp.Expr) -> list[sp.Expr]:
    """The branches of a tree that are taken where no guard is zero."""
    if not isinstance(tree, Switch):
        return [tree]
    return [leaf for sign in (-1, 1) for leaf in _leaves(tree.branch(sign))]


def _spectral_norm(H: Any) -> float:
    import numpy as np

    return float(np.abs(np.linalg.eigvalsh((H + H.T) / 2)).max(initial=0.0))


@dataclass(frozen=True)
class StepRange:
    """Gradient steps: they converge for steps in (0, 2/L), and relaxations in (0, 2 - step*L/2).

    Attributes
    ----------
    curvature : Curvature
    step, relaxation : sympy.Expr

    Notes
    -----
    Source: Bauschke, Combettes, Convex Analysis and Monotone Operator Theory in Hilbert Spaces, 2017, Corollary 28.9.
    """

    curvature: Curvature
    step: sp.Expr
    relaxation: sp.Expr = sp.S.One

    def advice(self, values: Mapping[Any, Any]) -> str | None:
        """Say what range the step or the relaxation is outside of, if it is."""
        step, relaxation = _float(self.step, values), _float(self.relaxation, values)
        if relaxation == 1 and step > 0 and self.curvature.is_below(2 / step * (1 - _CLOSE), values):
            return None
        L = self.curvature.largest(values)
        if L is None:
            return None
        longest = 2 / L if L > 0 else float("inf")
        if not 0 < step < longest * (1 - _CLOSE):
            return (
                f"step: {_shown(self.step, values)} is outside (0, {longest:.6g}), where convergence is known; "
                f"the bound is 2/L, and L = {L:.6g} the largest eigenvalue of the Hessian"
            )
        return _relaxation_advice(self.relaxation, relaxation, 2 - step * L / 2, values)


@dataclass(frozen=True)
class RelaxationRange:
    """Relaxations of averaged operators: they converge in (0, 2).

    Attributes
    ----------
    relaxation : sympy.Expr

    Notes
    -----
    Source: Bauschke, Combettes, Convex Analysis and Monotone Operator Theory in Hilbert Spaces, 2017, Corollary 28.3.
    """

    relaxation: sp.Expr

    def advice(self, values: Mapping[Any, Any]) -> str | None:
        """Say what range the relaxation is outside of, if it is."""
        return _relaxation_advice(self.relaxation, _float(self.relaxation, values), 2, values)


def _relaxation_advice(relaxation: sp.Expr, value: float, most: float, values: Mapping[Any, Any]) -> str | None:
    if 0 < value < most * (1 - _CLOSE):
        return None
    shown = _shown(relaxation, values)
    return f"relaxation: {shown} is outside (0, {most:.6g}), where convergence is known"


def _float(expression: sp.Expr, values: Mapping[Any, Any]) -> float:
    return float(expression.subs({v: values[v] for v in expression.free_symbols}))


def _shown(expression: sp.Expr, values: Mapping[Any, Any]) -> str:
    return f"`{expression.subs({v: values[v] for v in expression.free_symbols})}`"
