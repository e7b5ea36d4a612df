"""Conditions on polynomials: that none satisfies them all, or that two polynomials agree under them.

Both are shown by a nonnegative combination of the conditions, which one exact simplex method finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement

from .effort import spend
from .jets import Jet, Monomial

Signs = tuple[int, ...]  # those of -1, 0, 1 that a polynomial may have
Condition = tuple[Jet, Signs]
Coefficients = dict[Monomial, Fraction]


def coefficients(jet: Jet) -> Coefficients:
    """The coefficients of a rational jet."""
    return {m: c.lo for m, c in jet.terms.items()}


def opposite(polynomial: Coefficients) -> Coefficients:
    """The polynomial with its signs changed."""
    return {m: -c for m, c in polynomial.items()}


def split(conditions: Sequence[Condition]) -> tuple[list[Coefficients], list[Coefficients], list[Coefficients]]:
    """The polynomials that are zero, nonnegative, positive by the conditions (1 is); the others are no use."""
    zeros: list[Coefficients] = []
    nonnegative: list[Coefficients] = []
    positive: list[Coefficients] = []
    for guard, signs in conditions:
        if guard.rational and (0 not in signs or len(signs) < 3) and set(signs) != {-1, 1}:
            jet = coefficients(guard if 1 in signs else -guard)
            (positive if 0 not in signs else nonnegative if len(signs) == 2 else zeros).append(jet)
    return zeros, nonnegative, [*positive, {(): Fraction(1)}]


def impossible(conditions: Sequence[Condition]) -> bool:
    """Whether sum mu z + sum lambda h + sum kappa p = 0 with lambda, kappa >= 0 and sum kappa = 1 (Motzkin).

    z, h, p are the polynomials that are zero, nonnegative, positive; then no point satisfies the conditions.
    """
    zeros, nonnegative, positive = split(conditions)
    mark: Monomial = (-1,)
    columns = [*zeros, *map(opposite, zeros), *nonnegative, *({**p, mark: Fraction(1)} for p in positive)]
    return nonnegative_solution(columns, {mark: Fraction(1)})


def agree(first: Jet, where_first: Sequence[Condition], second: Jet, where_second: Sequence[Condition]) -> bool:
    """Whether two polynomials agree where the closures of two regions meet.

    Shown by first - second = sum mu_m m z + sum lambda h, lambda >= 0, and the same for second - first, or by -1 = (the
    same), where z vanish and h are nonnegative on both closures and m are monomials.
    """
    difference = coefficients(first + -second)
    if not difference:
        return True
    zeros, nonnegative, positive = split([*where_first, *where_second])
    nonnegative += positive
    zeros += [h for h in nonnegative if opposite(h) in nonnegative]
    degree = max(map(len, difference))
    variables = sorted({v for h in (*zeros, difference) for m in h for v in m})
    for z in zeros:
        for d in range(max(0, degree - max(map(len, z))) + 1):
            for m in combinations_with_replacement(variables, d):
                multiple = {tuple(sorted(m + n)): c for n, c in z.items()}
                nonnegative += [multiple, opposite(multiple)]
                if len(nonnegative) > 2000:
                    return False
    if nonnegative_solution(nonnegative, {(): Fraction(-1)}):
        return True
    return all(nonnegative_solution(nonnegative, d) for d in (difference, opposite(difference)))


def nonnegative_solution(columns: Sequence[Coefficients], target: Coefficients) -> bool:
    """Whether target = sum lambda_j columns_j with lambda >= 0: phase one of the simplex method, by Bland's rule."""
    rows = sorted({m for column in (*columns, target) for m in column})
    table = [[column.get(m, Fraction(0)) for column in (*columns, target)] for m in rows]
    table = [row if row[-1] >= 0 else [-c for c in row] for row in table]
    remainder = [sum(column, Fraction(0)) for column in zip(*table, strict=True)]  # what artificial variables still do
    table.append(remainder)
    basis = list(range(len(columns), len(columns) + len(rows)))
    while (j := next((j for j in range(len(columns)) if table[-1][j] > 0), None)) is not None:
        ratios = [(row[-1] / row[j], basis[i], i) for i, row in enumerate(table[:-1]) if row[j] > 0]
        i = min(ratios)[2]
        basis[i] = j
        table[i] = [c / table[i][j] for c in table[i]]
        for k, row in enumerate(table):
            if k != i and (factor := row[j]):
                spend(20 * len(row), factor.denominator.bit_length())
                table[k] = [c - factor * d if d else c for c, d in zip(row, table[i], strict=True)]
    return table[-1][-1] == 0
