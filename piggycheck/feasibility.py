"""Systems of affine equalities and inequalities over Q: a rational point, or multipliers that prove there is none.

One exact simplex method on a dictionary of rational numbers, greedy at first and then with Bland's rule. Strict
inequalities are shifted by a symbolic infinitesimal, so every constant is a pair ordered lexicographically; a
dictionary row that cannot be repaired *is* a certificate of Motzkin's transposition theorem. Every answer is verified
before it is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError, PiggycheckError

__all__ = ["AffineRow", "Feasible", "Infeasible", "feasible_point", "nonnegative_solution"]

AffineRow = tuple[Sequence[fmpq | int], fmpq | int]
"""Coefficients and constant of an affine function ``coefficients . x + constant``."""

_FREE, _NONNEGATIVE, _ZERO = range(3)


@dataclass(frozen=True)
class Feasible:
    """A rational point at which every row of the system holds."""

    point: tuple[fmpq, ...]


@dataclass(frozen=True)
class Infeasible:
    """Multipliers that prove a system of affine rows infeasible (Motzkin's transposition theorem).

    The combination of the rows has zero coefficients, and its constant is negative, or zero with a positive multiplier
    on a strict row. Multipliers of equalities have any sign, all others are nonnegative.
    """

    equalities: tuple[fmpq, ...]
    nonstrict: tuple[fmpq, ...]
    strict: tuple[fmpq, ...]

    @property
    def multipliers(self) -> tuple[fmpq, ...]:
        """All multipliers in one tuple: equalities, then nonstrict, then strict rows."""
        return self.equalities + self.nonstrict + self.strict


def feasible_point(
    equalities: Sequence[AffineRow],
    nonstrict: Sequence[AffineRow],
    strict: Sequence[AffineRow],
    dimension: int,
) -> Feasible | Infeasible:
    """Find a rational point of a system of affine equalities and inequalities, or prove that there is none.

    Parameters
    ----------
    equalities, nonstrict, strict : sequences of rows
        A row is ``(coefficients, constant)`` and means ``coefficients . x + constant`` ``= 0``, ``>= 0`` and ``> 0``.
    dimension : int
        Number of variables, which are free.

    Returns
    -------
    Feasible or Infeasible
        A point, or Motzkin multipliers. Both have been verified exactly.

    Raises
    ------
    InputError
        If a row does not have `dimension` coefficients.

    Examples
    --------
    >>> feasible_point([], [([1, 0], 0)], [([-1, 1], 0), ([0, -1], 1)], 2)
    Feasible(point=(0, 1/2))
    >>> feasible_point([([1, 1], 0)], [([1, 0], 0)], [([0, 1], 0)], 2).multipliers
    (-1, 1, 1)

    Notes
    -----
    When this fails: it does not, but it may take many pivots when there are hundreds of rows.

    References
    ----------
    Motzkin's transposition theorem: A. Schrijver, Theory of Linear and Integer Programming, section 7.8. The repair of
    one infeasible row at a time: B. Dutertre, L. de Moura, A fast linear-arithmetic solver for DPLL(T), CAV 2006.
    """
    rows = [*equalities, *nonstrict, *strict]
    for index, (coefficients, _) in enumerate(rows):
        if len(coefficients) != dimension:
            raise InputError(f"row {index} has {len(coefficients)} coefficients; write {dimension}, one per variable")
    first_strict = len(equalities) + len(nonstrict)
    kinds = [_FREE] * dimension + [_ZERO] * len(equalities) + [_NONNEGATIVE] * (len(nonstrict) + len(strict))
    dictionary = _Dictionary(rows, kinds, dimension, first_strict)
    conflict = dictionary.repair()
    if conflict is None:
        point = dictionary.variables()
        _verify_point(point, equalities, nonstrict, strict)
        return Feasible(tuple(point))
    answer = Infeasible(
        tuple(conflict[: len(equalities)]),
        tuple(conflict[len(equalities) : first_strict]),
        tuple(conflict[first_strict:]),
    )
    _verify_multipliers(answer, rows, dimension)
    return answer


def nonnegative_solution(M: fmpq_mat, b: Sequence[fmpq | int]) -> list[fmpq] | None:
    """Solve ``M x = b`` with ``x >= 0``, or return None when there is no such x.

    Parameters
    ----------
    M : fmpq_mat
        Matrix with one column per unknown.
    b : sequence of rationals
        Right-hand side, one entry per row of `M`.

    Returns
    -------
    list of fmpq or None
        A nonnegative solution, verified exactly; None is a theorem too (Farkas).

    Raises
    ------
    InputError
        If `b` does not have one entry per row of `M`.

    Examples
    --------
    >>> nonnegative_solution(fmpq_mat([[1, 1, -1], [0, 1, 2]]), [1, 3])
    [0, 5/3, 2/3]
    >>> nonnegative_solution(fmpq_mat([[1, 1]]), [-1]) is None
    True

    Notes
    -----
    When this fails: see `feasible_point`.
    """
    count, dimension = M.nrows(), M.ncols()
    if len(b) != count:
        raise InputError(f"the right-hand side has {len(b)} entries; write {count}, one per row of the matrix")
    table = M.table() if dimension else [[] for _ in range(count)]
    rows: list[AffineRow] = [(row, -fmpq(value)) for row, value in zip(table, b, strict=True)]
    dictionary = _Dictionary(rows, [_NONNEGATIVE] * dimension + [_ZERO] * count, dimension, count)
    conflict = dictionary.repair()
    if conflict is not None:
        _verify_farkas(conflict, rows, dimension)
        return None
    point = dictionary.variables()
    unit: list[AffineRow] = [([int(i == j) for j in range(dimension)], 0) for i in range(dimension)]
    _verify_point(point, rows, unit, [])
    return point


class _Dictionary:
    """Basic variables as affine functions of nonbasic ones; nonbasic variables have the value zero.

    Variables are numbered: first the unknowns, then one slack per row. The two last columns of the table are the
    constant and its infinitesimal part.
    """

    def __init__(self, rows: Sequence[AffineRow], kinds: list[int], dimension: int, first_strict: int) -> None:
        self.dimension, self.count, self.kinds = dimension, len(rows), kinds
        self.basic = list(range(dimension, dimension + len(rows)))
        self.nonbasic = list(range(dimension))
        flat: list[fmpq | int] = []
        for index, (coefficients, constant) in enumerate(rows):
            flat.extend(coefficients)
            flat.append(constant)
            flat.append(-1 if index >= first_strict else 0)
        self.table = fmpq_mat(self.count, dimension + 2, flat)

    def repair(self) -> list[fmpq] | None:
        """Pivot until every basic variable has its sign; return the multipliers of a row that cannot be repaired."""
        conflict = self._clear_equalities()
        if conflict is not None:
            return conflict
        self._clear_free_variables()
        greedy = 2 * (self.count + self.dimension)
        while True:
            row = self._leaving_row(greedy > 0)
            if row is None:
                return None
            column = self._entering_column(row, greedy > 0)
            if column is None:
                return self._multipliers(row, fmpq(1))
            self._pivot(row, column)
            greedy -= 1

    def _clear_equalities(self) -> list[fmpq] | None:
        for row in range(self.count):
            if self.kinds[self.basic[row]] != _ZERO:
                continue
            for column, variable in enumerate(self.nonbasic):
                if self.kinds[variable] != _ZERO and self.table[row, column] != 0:
                    self._pivot(row, column)
                    break
            else:
                constant = self.table[row, self.dimension]
                if constant != 0:
                    return self._multipliers(row, fmpq(-1) if constant > 0 else fmpq(1))
        return None

    def _clear_free_variables(self) -> None:
        for column, variable in enumerate(self.nonbasic):
            if self.kinds[variable] != _FREE:
                continue
            for row in range(self.count):
                if self.kinds[self.basic[row]] == _NONNEGATIVE and self.table[row, column] != 0:
                    self._pivot(row, column)
                    break

    def _leaving_row(self, greedy: bool) -> int | None:
        """A row whose basic variable is negative: the most negative one, or Bland's, which cannot cycle."""
        constant, infinitesimal = self.dimension, self.dimension + 1
        negative = []
        for row, variable in enumerate(self.basic):
            if self.kinds[variable] == _NONNEGATIVE:
                value = (self.table[row, constant], self.table[row, infinitesimal])
                if value[0] < 0 or (value[0] == 0 and value[1] < 0):
                    negative.append((value if greedy else (variable,), row))
        return min(negative)[1] if negative else None

    def _entering_column(self, row: int, greedy: bool) -> int | None:
        """A nonbasic variable that increases the row: the one that does it fastest, or Bland's."""
        increasing = []
        for column, variable in enumerate(self.nonbasic):
            if self.kinds[variable] == _NONNEGATIVE and self.table[row, column] > 0:
                increasing.append((-self.table[row, column] if greedy else variable, column))
        return min(increasing)[1] if increasing else None

    def _pivot(self, row: int, column: int) -> None:
        table, width = self.table, self.dimension + 2
        pivot = table[row, column]
        entering = [table[i, column] for i in range(self.count)]
        leaving = [-table[row, j] / pivot for j in range(width)]
        leaving[column] = 1 / pivot
        entering[row] = fmpq(0)
        for i in range(self.count):
            table[i, column] = 0
        for j in range(width):
            table[row, j] = 0
        table = table + fmpq_mat(self.count, 1, entering) * fmpq_mat(1, width, leaving)
        for j in range(width):
            table[row, j] = leaving[j]
        self.table = table
        self.basic[row], self.nonbasic[column] = self.nonbasic[column], self.basic[row]

    def _multipliers(self, row: int, sign: fmpq) -> list[fmpq]:
        """Multipliers of the rows: the basic variable of `row` minus its dictionary row is a constant."""
        values = [fmpq(0)] * (self.dimension + self.count)
        values[self.basic[row]] = sign
        for column, variable in enumerate(self.nonbasic):
            values[variable] = -sign * self.table[row, column]
        return values[self.dimension :]

    def variables(self) -> list[fmpq]:
        """Values of the unknowns, with the infinitesimal replaced by a positive rational."""
        constants = [
            (self.table[row, self.dimension], self.table[row, self.dimension + 1]) for row in range(self.count)
        ]
        step = fmpq(1)
        for variable, (constant, slope) in zip(self.basic, constants, strict=True):
            if self.kinds[variable] == _NONNEGATIVE and slope < 0:
                step = min(step, -constant / slope)
        values = [fmpq(0)] * self.dimension
        for variable, (constant, slope) in zip(self.basic, constants, strict=True):
            if variable < self.dimension:
                values[variable] = constant + slope * step
        return values


def _verify_point(
    point: list[fmpq], equalities: Sequence[AffineRow], nonstrict: Sequence[AffineRow], strict: Sequence[AffineRow]
) -> None:
    holds = (
        all(_value(row, point) == 0 for row in equalities)
        and all(_value(row, point) >= 0 for row in nonstrict)
        and all(_value(row, point) > 0 for row in strict)
    )
    if not holds:
        raise PiggycheckError("the simplex method returned a point outside the system; please report the system")


def _verify_multipliers(answer: Infeasible, rows: Sequence[AffineRow], dimension: int) -> None:
    total = _combination(answer.multipliers, rows, dimension)
    signs = all(value >= 0 for value in answer.nonstrict + answer.strict)
    contradiction = total[dimension] < 0 or (total[dimension] == 0 and any(value > 0 for value in answer.strict))
    if not (signs and contradiction and all(value == 0 for value in total[:dimension])):
        raise PiggycheckError("the simplex method returned multipliers that prove nothing; please report the system")


def _verify_farkas(multipliers: Sequence[fmpq], rows: Sequence[AffineRow], dimension: int) -> None:
    """The combination of the equations is negative wherever the unknowns are nonnegative."""
    total = _combination(multipliers, rows, dimension)
    if not (total[dimension] < 0 and all(value <= 0 for value in total[:dimension])):
        raise PiggycheckError("the simplex method returned multipliers that prove nothing; please report the system")


def _combination(multipliers: Sequence[fmpq], rows: Sequence[AffineRow], dimension: int) -> list[fmpq]:
    """Coefficients and constant of the sum of the rows times their multipliers."""
    total = [fmpq(0)] * (dimension + 1)
    for multiplier, (coefficients, constant) in zip(multipliers, rows, strict=True):
        if multiplier != 0:
            for j, coefficient in enumerate(coefficients):
                total[j] += multiplier * coefficient
            total[dimension] += multiplier * constant
    return total


def _value(row: AffineRow, point: list[fmpq]) -> fmpq:
    coefficients, constant = row
    total = fmpq(constant)
    for coefficient, value in zip(coefficients, point, strict=True):
        total += value * coefficient
    return total
