"""What functions need of numbers and arrays: checked at once where these are known, otherwise when they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import exact, sign
from piggycheck.arrays import EXACT, FLOAT64
from piggycheck.definite import is_positive_semidefinite
from piggycheck.errors import InputError, UnknownError
from piggycheck.maps import ArrayParameter
from piggycheck.maps.nodes import Context
from piggycheck.maps.sources import Source

__all__ = ["Recommendation", "Requirement", "required"]

_FEW = 20
_ROUNDING = 2**30
_SLACK = 1e-10

Quantity = sp.Expr | fmpq_mat | ArrayParameter | Source


@dataclass(frozen=True)
class Requirement:
    """A condition on the parameters.

    Attributes
    ----------
    condition : str
        A key of the conditions below: nonnegative, positive, ordered, symmetric, semidefinite, invertible.
    quantities : tuple of sympy.Expr, ArrayParameter, fmpq_mat or Source
        What it is about; most conditions are about one quantity.
    where : str
        What messages call it, such as "weight of l1".
    """

    condition: str
    quantities: tuple[Quantity, ...]
    where: str

    def check(self, values: Mapping[Any, Any]) -> None:
        """Refuse values of the parameters at which the condition does not hold.

        Parameters
        ----------
        values : mapping
            From `PiecewiseMap.parameter_values`.

        Raises
        ------
        InputError
            One line: what, where, the offending value, what to write instead.

        Notes
        -----
        When this fails: large matrices that are barely not semidefinite are let through, and so is what would need
        irrational numbers in a matrix.
        """
        try:
            message = _CONDITIONS[self.condition](*(_at(quantity, values) for quantity in self.quantities))
        except UnknownError:
            return
        if message is not None:
            named = "".join(f", `{_name(q)}`" for q in self.quantities if _is_open(q) and not isinstance(q, Source))
            raise InputError(f"{self.where}{named}: {message}")


@dataclass(frozen=True)
class Recommendation:
    """A condition that problems usually satisfy; it is told when one does not, and nothing is refused.

    Attributes
    ----------
    requirement : Requirement
    otherwise : str
        What to know where it does not hold.

    Examples
    --------
    >>> S = fmpq_mat([[1, 2], [2, 1]])
    >>> Recommendation(Requirement("semidefinite", (S,), "S"), "S has a negative eigenvalue").advice({})
    'S has a negative eigenvalue'
    """

    requirement: Requirement
    otherwise: str

    def advice(self, values: Mapping[Any, Any]) -> str | None:
        """Say what to know, if the condition does not hold."""
        try:
            self.requirement.check(values)
        except InputError:
            return self.otherwise
        return None


def required(condition: str, *quantities: Quantity, where: str) -> tuple[Requirement, ...]:
    """Check a condition if everything is known; return what is left to check.

    Raises
    ------
    InputError
        When the condition does not hold.

    Examples
    --------
    >>> required("nonnegative", sp.Integer(3), where="weight")
    ()
    >>> penalty = sp.Symbol("penalty", real=True)
    >>> (requirement,) = required("nonnegative", penalty, where="weight")
    >>> requirement.check({penalty: sp.Integer(-1)})
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: weight, `penalty`: `-1` is negative; write a nonnegative number
    """
    requirement = Requirement(condition, quantities, where)
    if any(map(_is_open, quantities)):
        return (requirement,)
    requirement.check({})
    return ()


def _is_open(quantity: Quantity) -> bool:
    if isinstance(quantity, sp.Expr):
        return bool(quantity.free_symbols)
    return not isinstance(quantity, fmpq_mat)


def _name(quantity: sp.Expr | ArrayParameter) -> str:
    return quantity.name if isinstance(quantity, ArrayParameter) else str(quantity)


def _at(quantity: Quantity, values: Mapping[Any, Any]) -> sp.Expr | fmpq_mat:
    """A quantity at values of the parameters."""
    if isinstance(quantity, sp.Expr):
        return exact(quantity.subs({v: values[v] for v in quantity.free_symbols}), "number")
    if isinstance(quantity, ArrayParameter):
        return values[quantity]
    if isinstance(quantity, Source):
        scalars = {p: value for p, value in values.items() if isinstance(p, sp.Symbol)}
        arrays = {p.name: value for p, value in values.items() if isinstance(p, ArrayParameter)}
        return quantity.value(Context(EXACT, scalars, arrays))
    return quantity


def _entries(value: sp.Expr | fmpq_mat) -> list[tuple[str, sp.Expr]]:
    """The numbers of a quantity, each with the words for its place."""
    if not isinstance(value, fmpq_mat):
        return [("", value)]
    return [(f"entry {i}, ", entry) for i, entry in enumerate(value.entries())]


def _sign(number: Any) -> int:
    return sign(number) if isinstance(number, sp.Expr) else (number > 0) - (number < 0)


def _nonnegative(value: sp.Expr | fmpq_mat) -> str | None:
    found = next(((place, number) for place, number in _entries(value) if _sign(number) < 0), None)
    return None if found is None else f"{found[0]}`{found[1]}` is negative; write a nonnegative number"


def _positive(value: sp.Expr | fmpq_mat) -> str | None:
    found = next(((place, number) for place, number in _entries(value) if _sign(number) <= 0), None)
    return None if found is None else f"{found[0]}`{found[1]}` is not positive; write a positive number"


def _ordered(lower: sp.Expr | fmpq_mat, upper: sp.Expr | fmpq_mat) -> str | None:
    below, above = _entries(lower), _entries(upper)
    if len(below) != len(above):
        below, above = (below * len(above), above) if len(below) == 1 else (below, above * len(below))
    for (place, low), (other, high) in zip(below, above, strict=True):
        if _sign(exact(high) - exact(low)) < 0:
            return f"{place or other}the lower bound {low} exceeds the upper bound {high}"
    return None


def _symmetric(M: fmpq_mat) -> str | None:
    if M == M.transpose():
        return None
    i, j = next((i, j) for i in range(M.nrows()) for j in range(i) if M[i, j] != M[j, i])
    return f"entries ({i}, {j}) and ({j}, {i}) are {M[i, j]} and {M[j, i]}; write a symmetric matrix"


def _semidefinite(M: fmpq_mat) -> str | None:
    if (problem := _symmetric(M)) is not None:
        return problem
    holds = is_positive_semidefinite(M) if M.nrows() <= _FEW else not _curves_down(M)
    return None if holds else "the matrix is not positive semidefinite; write one without negative eigenvalues"


def _curves_down(M: fmpq_mat) -> bool:
    """Whether the form is negative, exactly, at what floating point takes for its smallest eigenvector."""
    import numpy as np

    floats = FLOAT64.matrix(M)
    try:
        np.linalg.cholesky(floats + _SLACK * np.abs(floats).max() * np.eye(len(floats)))
        return False
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigh(floats)[1][:, 0]
    v = fmpq_mat(M.nrows(), 1, [int(e) for e in np.rint(smallest * _ROUNDING).tolist()])
    return bool((v.transpose() * (M * v))[0, 0] < 0)


def _invertible(M: fmpq_mat) -> str | None:
    if M.numer_denom()[0].rank() == M.nrows():
        return None
    return "the matrix is singular, so the minimiser is not unique; add squared_norm(1/100), for instance"


_CONDITIONS: Mapping[str, Callable[..., str | None]] = {
    "nonnegative": _nonnegative,
    "positive": _positive,
    "ordered": _ordered,
    "symmetric": _symmetric,
    "semidefinite": _semidefinite,
    "invertible": _invertible,
}
