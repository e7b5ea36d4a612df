"""Linear algebra over the rationals on `flint.fmpq_mat`: every answer is exact, and so is every "no".

Definiteness lives in `piggycheck.definite`, roots of polynomials in `piggycheck.roots` and linear inequalities in
`piggycheck.feasibility`; their public names can be imported from here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat, fmpq_poly, fmpz

from piggycheck.definite import is_positive_definite, is_positive_semidefinite, ldl
from piggycheck.errors import NumberError
from piggycheck.feasibility import AffineRow, Feasible, Infeasible, feasible_point, nonnegative_solution
from piggycheck.roots import (
    exceeds_one,
    is_schur_stable,
    modulus_lower,
    root_lower,
    root_upper,
    scale_roots,
    simplest_between,
)

__all__ = [
    "AffineRow",
    "Feasible",
    "Infeasible",
    "Matrix",
    "Number",
    "as_float",
    "block_matrix",
    "entries",
    "exceeds_one",
    "feasible_point",
    "float_rows",
    "group_inverse",
    "identity",
    "is_positive_definite",
    "is_positive_semidefinite",
    "is_schur_stable",
    "krylov_minimal_polynomial",
    "ldl",
    "left_eigenvectors",
    "matrix",
    "modulus_lower",
    "nonnegative_solution",
    "primitive",
    "pseudo_inverse",
    "rational",
    "root_lower",
    "root_upper",
    "scale_roots",
    "simplest_between",
    "solve",
    "zeros",
]

Number = int | Fraction | fmpz | fmpq | str
"""What is read as a rational number."""

Matrix = Sequence[Sequence[Number]] | fmpq_mat
"""What is read as a rational matrix: its rows, or a matrix."""


def rational(value: Number, where: str = "number") -> fmpq:
    """Read a rational number.

    Parameters
    ----------
    value : int, Fraction, fmpz, fmpq or str
        Text is an integer, a fraction or a decimal number, which means the fraction it spells.
    where : str
        The name used in the error.

    Returns
    -------
    fmpq

    Raises
    ------
    NumberError
        For a float, or anything else that is not an exact rational number.

    Examples
    --------
    >>> rational("0.1"), rational(Fraction(-9, 8))
    (1/10, -9/8)
    >>> rational(0.1, "`A[0][0][1]`")
    Traceback (most recent call last):
    ...
    piggycheck.errors.NumberError: `A[0][0][1]`: the float 0.1 is not exact; write "0.1" (which is 1/10)

    Notes
    -----
    When this fails: irrational constants are refused here; enclose them first.
    """
    if isinstance(value, fmpq):
        return value
    if isinstance(value, (int, fmpz)) and not isinstance(value, bool):
        return fmpq(value)
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    # Texts and refusals have one grammar, in a module that imports sympy: it is only loaded when there is such a value.
    from piggycheck import arithmetic

    return arithmetic.rational(value, where)


def matrix(rows: Matrix, where: str = "matrix") -> fmpq_mat:
    """Read a rational matrix.

    Parameters
    ----------
    rows : sequence of rows of numbers
        Integers, fractions, or text such as ``"3/4"``. A matrix is returned as it is.
    where : str
        The name used in the error, such as ``"A[0]"``.

    Returns
    -------
    fmpq_mat

    Raises
    ------
    NumberError
        When rows differ in length, or an entry is not an exact rational number.

    Examples
    --------
    >>> matrix([["3/4", "-3/4"], [1, 0]])
    [3/4, -3/4]
    [  1,    0]

    Notes
    -----
    When this fails: a matrix without rows is 0 by 0, whatever number of columns was meant; use `zeros`.
    """
    if isinstance(rows, fmpq_mat):
        return rows
    if not _is_list(rows) or not all(map(_is_list, rows)):
        raise NumberError(
            f'`{where}`: {repr(rows)[:60]} is not a list of rows; write, for instance, [["1", "0"], ["0", "1"]]'
        )
    width = len(rows[0]) if rows else 0
    for index, row in enumerate(rows):
        if len(row) != width:
            raise NumberError(
                f"`{where}`: row {index} has length {len(row)}, row 0 has length {width}; write equal lengths"
            )
    values = [rational(value, f"`{where}[{i}][{j}]`") for i, row in enumerate(rows) for j, value in enumerate(row)]
    return fmpq_mat(len(rows), width, values)


def identity(n: int) -> fmpq_mat:
    """Return the identity matrix of size n.

    Examples
    --------
    >>> identity(2)
    [1, 0]
    [0, 1]
    """
    return fmpq_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])


def zeros(rows: int, columns: int) -> fmpq_mat:
    """Return a zero matrix.

    Examples
    --------
    >>> zeros(1, 2)
    [0, 0]
    """
    return fmpq_mat(rows, columns)


def entries(M: fmpq_mat) -> list[list[fmpq]]:
    """Return the rows of a matrix as lists; a matrix without columns has empty rows.

    Examples
    --------
    >>> entries(fmpq_mat([[1, 2], [3, 4]]))
    [[1, 2], [3, 4]]
    """
    return M.table() if M.ncols() else [[] for _ in range(M.nrows())]


def primitive(row: Sequence[fmpq]) -> tuple[fmpq, ...]:
    """Return the positive multiple of a row that has coprime integer entries; zero stays zero.

    Examples
    --------
    >>> primitive([fmpq(1, 2), fmpq(-3), fmpq(0)])
    (1, -6, 0)
    """
    numerators, _ = fmpq_mat([list(row)]).numer_denom()
    values = [int(value) for value in numerators.entries()]
    content = math.gcd(*values) or 1
    return tuple(fmpq(value // content) for value in values)


def block_matrix(blocks: Sequence[Sequence[fmpq_mat]]) -> fmpq_mat:
    """Stack matrices: each inner sequence is one row of blocks.

    Parameters
    ----------
    blocks : sequence of sequences of fmpq_mat
        Blocks beside each other have equally many rows; rows of blocks have equally many columns in all.

    Returns
    -------
    fmpq_mat

    Raises
    ------
    NumberError
        When shapes do not fit.

    Examples
    --------
    >>> block_matrix([[identity(1), zeros(1, 2)], [fmpq_mat([[7, 8, 9]])]])
    [1, 0, 0]
    [7, 8, 9]

    Notes
    -----
    When this fails: only when shapes do not fit.
    """
    rows: list[list[fmpq]] = []
    for blocks_row in blocks:
        heights = {block.nrows() for block in blocks_row}
        if len(heights) != 1:
            raise NumberError(f"blocks beside each other have {sorted(heights)} rows; write equally many")
        tables = [entries(block) for block in blocks_row]
        rows.extend([value for table in tables for value in table[i]] for i in range(heights.pop()))
    if len({len(row) for row in rows}) > 1:
        raise NumberError("rows of blocks differ in their number of columns; write equally many")
    return fmpq_mat(len(rows), len(rows[0]) if rows else 0, [value for row in rows for value in row])


def as_float(value: fmpq) -> float:
    """Return the nearest float, or an infinity when the number is too large for one.

    Examples
    --------
    >>> as_float(fmpq(-9, 8)), as_float(fmpq(10) ** 400)
    (-1.125, inf)
    """
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def float_rows(M: fmpq_mat) -> list[list[float]]:
    """Return the rows of a matrix as floats, for guesses.

    Examples
    --------
    >>> float_rows(fmpq_mat([[fmpq(3, 4), 1]]))
    [[0.75, 1.0]]
    """
    return [[as_float(value) for value in row] for row in entries(M)]


def krylov_minimal_polynomial(M: fmpq_mat, u: fmpq_mat) -> fmpq_poly:
    """Return the monic polynomial q of least degree with ``q(M) u = 0``.

    Its roots are the eigenvalues of M that the vector u excites.

    Parameters
    ----------
    M : fmpq_mat
        A square matrix.
    u : fmpq_mat
        A column with as many rows.

    Returns
    -------
    fmpq_poly

    Raises
    ------
    NumberError
        When shapes do not fit.

    Examples
    --------
    >>> M = fmpq_mat([[2, 0], [0, 3]])
    >>> krylov_minimal_polynomial(M, fmpq_mat([[1], [0]]))
    x + (-2)
    >>> krylov_minimal_polynomial(M, fmpq_mat([[1], [1]]))
    x^2 + (-5)*x + 6

    Notes
    -----
    When this fails: only when shapes do not fit.
    """
    n = M.nrows()
    if M.ncols() != n or (u.nrows(), u.ncols()) != (n, 1):
        shapes = f"the matrix is {n} by {M.ncols()} and the vector {u.nrows()} by {u.ncols()}"
        raise NumberError(f"{shapes}; write a square matrix and a column")
    columns = [u]
    for _ in range(n):
        columns.append(M * columns[-1])
    reduced, rank = block_matrix([columns]).rref() if n else (fmpq_mat(0, 0), 0)
    return fmpq_poly([-reduced[i, rank] for i in range(rank)] + [fmpq(1)])


def solve(M: fmpq_mat, b: fmpq_mat) -> tuple[fmpq_mat | None, list[fmpq_mat]]:
    """Solve ``M X = b`` for any shape of M, singular or not.

    Parameters
    ----------
    M : fmpq_mat
    b : fmpq_mat
        Right-hand sides, one per column.

    Returns
    -------
    (fmpq_mat or None, list of fmpq_mat)
        One solution (None when there is none), and a basis of ``{x : M x = 0}`` as columns.

    Raises
    ------
    NumberError
        When the numbers of rows differ.

    Examples
    --------
    >>> particular, nullspace = solve(fmpq_mat([[1, 1], [2, 2]]), fmpq_mat([[3], [6]]))
    >>> particular, nullspace
    ([3]
    [0], [[-1]
    [ 1]])
    >>> solve(fmpq_mat([[1, 1], [2, 2]]), fmpq_mat([[3], [7]]))[0] is None
    True

    Notes
    -----
    When this fails: only when the numbers of rows differ.
    """
    if M.nrows() != b.nrows():
        raise NumberError(f"the matrix has {M.nrows()} rows and the right-hand side {b.nrows()}; write equally many")
    n, k = M.ncols(), b.ncols()
    reduced, rank = block_matrix([[M, b]]).rref() if M.nrows() else (fmpq_mat(0, n + k), 0)
    pivots = [next(j for j in range(n + k) if reduced[i, j] != 0) for i in range(rank)]
    consistent = not pivots or pivots[-1] < n
    pivots = [j for j in pivots if j < n]
    particular = zeros(n, k)
    for i, j in enumerate(pivots):
        for column in range(k):
            particular[j, column] = reduced[i, n + column]
    nullspace = []
    for free in sorted(set(range(n)) - set(pivots)):
        vector = zeros(n, 1)
        vector[free, 0] = 1
        for i, j in enumerate(pivots):
            vector[j, 0] = -reduced[i, free]
        nullspace.append(vector)
    return (particular if consistent else None), nullspace


def pseudo_inverse(M: fmpq_mat) -> fmpq_mat:
    """Return the Moore-Penrose inverse of a rational matrix, exactly.

    Parameters
    ----------
    M : fmpq_mat
        Of any shape.

    Returns
    -------
    fmpq_mat
        The G with ``M G M = M``, ``G M G = G`` and both products symmetric.

    Examples
    --------
    >>> pseudo_inverse(fmpq_mat([[1, 1], [0, 0]]))
    [1/2, 0]
    [1/2, 0]

    Notes
    -----
    From a factorization ``M = C R`` of full rank. When this fails: it does not.
    """
    C, R = _full_rank_factors(M)
    if C.ncols() == 0:
        return zeros(M.ncols(), M.nrows())
    return R.transpose() * (R * R.transpose()).inv() * (C.transpose() * C).inv() * C.transpose()


def group_inverse(M: fmpq_mat) -> fmpq_mat | None:
    """Return the group inverse of a square rational matrix, exactly, if it has one.

    Parameters
    ----------
    M : fmpq_mat
        Square.

    Returns
    -------
    fmpq_mat or None
        The G with ``M G M = M``, ``G M G = G`` and ``M G = G M``; None when ``rank M`` is not ``rank M^2``.

    Examples
    --------
    >>> group_inverse(fmpq_mat([[1, 1], [0, 0]]))
    [1, 1]
    [0, 0]
    >>> group_inverse(fmpq_mat([[0, 1], [0, 0]])) is None
    True

    Notes
    -----
    ``C (R C)^-2 R`` for a factorization ``M = C R`` of full rank. When this fails: it does not.
    """
    C, R = _full_rank_factors(M)
    if C.ncols() == 0:
        return zeros(M.nrows(), M.ncols())
    core = R * C
    if core.rank() < core.nrows():
        return None
    inverse = core.inv()
    return C * inverse * inverse * R


def _full_rank_factors(M: fmpq_mat) -> tuple[fmpq_mat, fmpq_mat]:
    """Matrices C and R of full rank with ``M = C R``."""
    reduced, rank = M.rref()
    rows = entries(reduced)[:rank]
    pivots = [next(j for j, entry in enumerate(row) if entry != 0) for row in rows]
    C = fmpq_mat(M.nrows(), rank, [M[i, j] for i in range(M.nrows()) for j in pivots])
    return C, fmpq_mat(rank, M.ncols(), [entry for row in rows for entry in row])


def left_eigenvectors(M: fmpq_mat, eigenvalue: fmpq) -> list[fmpq_mat]:
    """Return a basis of the rows v with ``v M = eigenvalue v``.

    Parameters
    ----------
    M : fmpq_mat
        A square matrix.
    eigenvalue : fmpq

    Returns
    -------
    list of fmpq_mat
        Rows; empty when it is not an eigenvalue.

    Raises
    ------
    NumberError
        When the matrix is not square.

    Examples
    --------
    >>> left_eigenvectors(fmpq_mat([[2, 1], [0, 3]]), fmpq(3))
    [[0, 1]]

    Notes
    -----
    When this fails: only for a matrix that is not square.
    """
    if M.nrows() != M.ncols():
        raise NumberError(f"the matrix is {M.nrows()} by {M.ncols()}; write a square one")
    shifted = (M - eigenvalue * identity(M.nrows())).transpose()
    return [vector.transpose() for vector in solve(shifted, zeros(M.nrows(), 0))[1]]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
