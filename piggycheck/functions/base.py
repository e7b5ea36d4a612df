"""What a function offers an algorithm: its value and its proximal map, as expressions and as nodes of a map."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp

from piggycheck.errors import InputError
from piggycheck.functions.requirements import Recommendation, Requirement
from piggycheck.maps import Node

__all__ = ["Naming", "ProximalFunction"]


class Naming:
    """Hands out the names of the nodes and matrices of one map, each once.

    Parameters
    ----------
    taken : iterable of str
        Names that are not to be given.

    Examples
    --------
    >>> naming = Naming(["b"])
    >>> naming("A"), naming("A"), naming("b")
    ('A', 'A_2', 'b_2')
    """

    def __init__(self, taken: Iterable[str] = ()):
        self.taken = set(taken)

    def __call__(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name)
        return name


class ProximalFunction(ABC):
    """A convex function g whose proximal map is known.

    Attributes
    ----------
    dimension : int or None
        Number of variables; None for any.
    symmetric_size : int or None
        n, for a function of symmetric n × n matrices, written row by row.
    requirements : tuple of Requirement
        What must hold of the parameters, because it was not known when the function was made.
    advisers : tuple of Recommendation
        What is told of parameters that are unusual.
    """

    dimension: int | None = None
    symmetric_size: int | None = None
    requirements: tuple[Requirement, ...] = ()
    advisers: tuple[Recommendation, ...] = ()

    @property
    def name(self) -> str:
        """What messages call it."""
        return type(self).__name__

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        """Return g at a point; a constraint is 0 on its set and is not written down outside.

        Raises
        ------
        InputError
            When g has no expression in its variables.
        """
        raise InputError(f"`{self.name}` is not written as an expression in its variables; leave `variables` out")

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        """Return the minimiser of ``step*g(z) + |z - point|**2/2``, as piecewise expressions.

        Raises
        ------
        InputError
            When it has no expression in the variables.
        """
        raise InputError(f"the proximal map of `{self.name}` is not written as an expression; leave `variables` out")

    @abstractmethod
    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        """Return the minimiser of ``step*g(z) + |z - of|**2/2`` as a node.

        Parameters
        ----------
        of : Node
        step : sympy.Expr
            Positive, in the scalar parameters.
        naming : Naming
            Names the nodes that are made.
        """

    def keeps_symmetric(self, n: int) -> bool:
        """Whether the proximal map takes symmetric n × n matrices, written row by row, to such; as far as is seen."""
        return self.symmetric_size == n

    def _keep(self, **attributes: Any) -> None:
        """Set attributes of a frozen dataclass while it is made."""
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def __add__(self, other: object) -> ProximalFunction:
        shown = getattr(other, "name", other)
        raise InputError(
            f"`{self.name}` and `{shown}` cannot be added; sums are of quadratic, least_squares and squared_norm"
        )
