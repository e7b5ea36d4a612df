"""Spectral layers: a function of one variable, applied to the eigenvalues of a symmetric matrix.

Their derivative is given by divided differences (Daleckii and Krein), which are right at repeated eigenvalues, too.
Over balls no separation of eigenvalues is needed: see docs/theory/spectral-functions.md, whose letters are used here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import isqrt
from typing import Any

import sympy as sp
from flint import arb, fmpq, fmpq_mat

from piggycheck.errors import MapError, UnknownError
from piggycheck.maps.affine import Affine
from piggycheck.maps.divided import divided_difference
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.nodes import (
    ConstantVector,
    Context,
    Cotangents,
    Directions,
    Linearisation,
    Node,
    NonlinearOperator,
    Signs,
)
from piggycheck.maps.scalar_function import ScalarFunction
from piggycheck.maps.sources import Symmetriser, Term
from piggycheck.maps.spectral_error import SpectralError

__all__ = ["Spectral", "SpectralAt", "differs_by_symmetric", "is_symmetric"]


class Spectral(Node):
    """``V diag(phi(l_1, a), ..., phi(l_n, a)) V^T`` for a matrix ``V diag(l) V^T``, symmetrised before.

    Parameters
    ----------
    name : str
    function : ScalarFunction
        phi, continuous.
    of : Node
        A square matrix of n rows, row by row. Its symmetric part is what the function acts on.
    arguments : sequence of Node
        One number for each argument of the function; they do not depend on the state.
    proximal : bool
        Whether phi is a proximal map for every value of the arguments: its slopes are between 0 and 1.

    Raises
    ------
    MapError
        When sizes do not fit.

    Examples
    --------
    >>> from piggycheck.maps.nodes import StateBlock
    >>> v = sp.Symbol("v", real=True)
    >>> positive_part = ScalarFunction(sp.Max(v, 0), v)
    >>> Spectral("y", positive_part, StateBlock("Z", 4), proximal=True).guard_names
    ('y, eigenvalue 1: v', 'y, eigenvalue 2: v')
    """

    def __init__(
        self, name: str, function: ScalarFunction, of: Node, arguments: Sequence[Node] = (), *, proximal: bool = False
    ):
        self.name, self.function, self.size, self.proximal = name, function, of.size, proximal
        self.rows = isqrt(of.size)
        self.inputs = (of, *arguments)
        if self.rows == 0 or self.rows**2 != of.size:
            raise MapError(f"`{name}`: `{of.name}` has {of.size} entries; write a square matrix, row by row")
        if len(arguments) != len(function.arguments):
            raise MapError(f"`{name}`: the function has {len(function.arguments)} arguments, not {len(arguments)}")
        for node in arguments:
            if node.size != 1 or node.depends_on_state():
                raise MapError(
                    f"`{name}`: the argument `{node.name}` has {node.size} entries and must be one number, "
                    "without depending on the state"
                )

    @cached_property
    def guard_names(self) -> tuple[str, ...]:
        guards = self.function.guards
        return tuple(f"{self.name}, eigenvalue {i + 1}: {guard}" for i in range(self.rows) for guard in guards)

    def over(self, context: Context) -> NonlinearOperator:
        return _SpectralOperator(self, context)


class _SpectralOperator(NonlinearOperator):
    def __init__(self, node: Spectral, context: Context):
        self.node, self.context = node, context
        self.compiled = node.function.over(context.arrays.scalars)
        self.half = context.arrays.number(fmpq(1, 2))
        self.bounded: dict[Any, Any] = {}
        self._divided: dict[sp.Expr, Callable[..., Any]] = {}

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> SpectralAt:
        return SpectralAt(self, values, reach[0])

    def divided(self, expression: sp.Expr) -> Callable[..., Any]:
        """The divided differences of a branch."""
        if expression not in self._divided:
            arithmetic = self.context.arrays.scalars
            self._divided[expression] = divided_difference(expression, self.compiled.symbols, arithmetic)
        return self._divided[expression]

    def lipschitz(self, values: Sequence[Any], reach: Sequence[Any]) -> Any:
        at = self(values, reach)
        if not self.node.proximal:
            return at.error.steepest
        if not differs_by_symmetric(self.node.inputs[0], self.node.rows):
            return 1
        try:
            slopes = at.divided_differences(at.signs, at.around)
        except UnknownError:
            return 1
        return min(arb(1), max(abs(2 * slope - 1).upper() for slope in slopes))


class SpectralAt(Linearisation):
    """A spectral layer at a matrix.

    Attributes
    ----------
    spectrum : Spectrum
        Of the symmetrised matrix.
    arguments : list of numbers
    """

    def __init__(self, operator: _SpectralOperator, values: Sequence[Any], reach: Any):
        self.operator, self.reach = operator, reach
        self.arrays, self.rows = operator.context.arrays, operator.node.rows
        self.spectrum = self.arrays.spectrum(self._symmetric(self.arrays.entries(values[0])))
        self.arguments = [self.arrays.entries(V)[0] for V in values[1:]]
        numbers = [operator.compiled.value(eigenvalue, *self.arguments) for eigenvalue in self.spectrum.values]
        error = self.error.of_value(numbers) if self.arrays.bounds_errors else 0
        self.value = self.arrays.reaching(self._with_eigenvalues(numbers), error)

    def _symmetric(self, entries: Sequence[Any]) -> Any:
        n, half = self.rows, self.operator.half
        return self.arrays.assemble(
            n, n, [(entries[i * n + j] + entries[j * n + i]) * half for i in range(n) for j in range(n)]
        )

    def _with_eigenvalues(self, numbers: Sequence[Any]) -> Any:
        """The matrix with these eigenvalues and the eigenvectors found, as a column."""
        arrays, n, spectrum = self.arrays, self.rows, self.spectrum
        scaled = [v * f for row in arrays.rows(spectrum.vectors) for v, f in zip(row, numbers, strict=True)]
        product = arrays.product(arrays.assemble(n, n, scaled), spectrum.inverse)
        return arrays.assemble(n * n, 1, arrays.entries(product))

    @cached_property
    def around(self) -> list[Any]:
        """The eigenvalues of all matrices within reach."""
        if not self.arrays.bounds_errors:
            return list(self.spectrum.values)
        radius = arb(0, (self.spectrum.residual + self.reach).upper())
        return [eigenvalue + radius for eigenvalue in self.spectrum.values]

    @cached_property
    def error(self) -> SpectralError:
        """How far, over balls, what is computed from the spectrum found may be from the truth."""
        operator = self.operator
        return SpectralError(operator.node, self.spectrum, self.around, self.arguments, operator.bounded)

    @cached_property
    def signs(self) -> Signs:
        operator, found = self.operator, []
        for i, eigenvalue in enumerate(self.around):
            signs, undecided = operator.compiled.signs(eigenvalue, *self.arguments)
            if undecided is not None:
                guard = operator.node.function.guards[undecided]
                number = operator.compiled.at(guard)(eigenvalue, *self.arguments)
                raise UnknownError(
                    f"the sign of the guard `{operator.node.name}, eigenvalue {i + 1}: {guard}` is not decided; "
                    f"it is {number.str(5)}"
                )
            found += signs
        return tuple(found)

    def branches(self, signs: Signs) -> list[sp.Expr]:
        """The smooth expression that each eigenvalue takes."""
        function = self.operator.node.function
        width = len(function.guards)
        return [function.leaf(signs[i * width : (i + 1) * width]).expression for i in range(self.rows)]

    def divided_differences(self, signs: Signs, eigenvalues: Sequence[Any]) -> list[Any]:
        """The divided differences of phi at all pairs of eigenvalues, row by row."""
        operator, n, branches = self.operator, self.rows, self.branches(signs)
        known: dict[tuple[int, int], Any] = {}
        for i in range(n):
            for j in range(i + 1):
                a, b = eigenvalues[i], eigenvalues[j]
                if branches[i] == branches[j]:
                    slope = operator.divided(branches[i])(a, b, *self.arguments)[2]
                else:
                    f, g = (operator.compiled.at(branches[k])(eigenvalues[k], *self.arguments) for k in (i, j))
                    slope = (f - g) * self.arrays.scalars.reciprocal(a - b)
                known[i, j] = known[j, i] = slope
        return [known[i, j] for i in range(n) for j in range(n)]

    @cached_property
    def _slopes(self) -> dict[Signs, tuple[list[Any], Any]]:
        return {}

    def slopes(self, signs: Signs) -> tuple[list[Any], Any]:
        """The divided differences at the eigenvalues found, and what the derivative is uncertain by."""
        if signs not in self._slopes:
            variation = self.error.of_derivative(self.branches(signs)) if self.arrays.bounds_errors else 0
            self._slopes[signs] = self.divided_differences(signs, self.spectrum.values), variation
        return self._slopes[signs]

    def _applied(self, signs: Signs, T: Any) -> Any:
        """Apply the derivative to each column, a matrix row by row."""
        arrays, n, spectrum = self.arrays, self.rows, self.spectrum
        slopes, variation = self.slopes(signs)
        columns = []
        for column in arrays.rows(arrays.transposed(T)):
            H = self._symmetric(column)
            inner = arrays.product(arrays.product(spectrum.inverse, H), spectrum.vectors)
            scaled = [slope * entry for slope, entry in zip(slopes, arrays.entries(inner), strict=True)]
            outer = arrays.product(arrays.product(spectrum.vectors, arrays.assemble(n, n, scaled)), spectrum.inverse)
            columns.append(arrays.entries(arrays.reaching(outer, variation * arrays.length(H))))
        return arrays.assemble(n * n, len(columns), [column[k] for k in range(n * n) for column in columns])

    def _in_argument(self, signs: Signs, index: int) -> Any | None:
        """The derivative in an argument, as a column; None where it is identically zero."""
        operator = self.operator
        partials = [sp.diff(branch, operator.compiled.symbols[index]) for branch in self.branches(signs)]
        if not any(partials):
            return None
        numbers = [
            operator.compiled.at(partial)(eigenvalue, *self.arguments)
            for partial, eigenvalue in zip(partials, self.spectrum.values, strict=True)
        ]
        error = self.error.of_partial(partials, numbers) if self.arrays.bounds_errors else 0
        return self.arrays.reaching(self._with_eigenvalues(numbers), error)

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        parts = []
        if tangents[0] is not None:
            parts.append(self._applied(signs, tangents[0]))
        for index, T in enumerate(tangents[1:], start=1):
            slope = None if T is None else self._in_argument(signs, index)
            if slope is not None:
                parts.append(self.arrays.product(slope, T))
        if not parts:
            return None
        total = parts[0]
        for part in parts[1:]:
            total = self.arrays.total(total, part)
        return total

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        found: list[Any | None] = [self._applied(signs, cotangent)]
        for index in range(1, len(self.operator.node.inputs)):
            slope = self._in_argument(signs, index)
            arrays = self.arrays
            found.append(None if slope is None else arrays.product(arrays.transposed(slope), cotangent))
        return found


def is_symmetric(node: Node, n: int) -> bool:
    """Whether a node is a symmetric matrix of n rows at every state and for all parameters, as far as is seen."""
    if isinstance(node, Spectral):
        return node.rows == n
    if isinstance(node, ConstantVector):
        M = fmpq_mat(n, n, node.value.entries()) if node.size == n * n else None
        return M is not None and M == M.transpose()
    if isinstance(node, Elementwise):
        return is_symmetric(node.inputs[0], n) and all(a.size == 1 or is_symmetric(a, n) for a in node.inputs[1:])
    return isinstance(node, Affine) and all(
        _is_symmetrised(term, n) or (not term.factors and is_symmetric(term.of, n)) for term in node.terms
    )


def differs_by_symmetric(node: Node, n: int) -> bool:
    """Whether two values of a node, for the same parameters, always differ by a symmetric matrix of n rows.

    Examples
    --------
    >>> from piggycheck.maps.sources import Factor
    >>> from piggycheck.maps.nodes import ArrayParameter, StateBlock
    >>> Z, S = StateBlock("Z", 4), ArrayParameter("S", 4)
    >>> U = Affine("U", [Term(sp.S.One, (Factor(Symmetriser(2)),), Z), Term(sp.S.One, (), S)])
    >>> differs_by_symmetric(U, 2), differs_by_symmetric(Z, 2)
    (True, False)
    """
    if not node.depends_on_state():
        return True
    if isinstance(node, Affine):
        return all(
            _is_symmetrised(term, n) or (not term.factors and differs_by_symmetric(term.of, n))
            for term in node.terms
            if term.of.depends_on_state()
        )
    return is_symmetric(node, n)


def _is_symmetrised(term: Term, n: int) -> bool:
    source = term.factors[0].source if term.factors else None
    return isinstance(source, Symmetriser) and source.n == n
