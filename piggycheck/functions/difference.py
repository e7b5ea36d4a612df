"""The difference operators of trend filtering and total variation."""

from __future__ import annotations

from typing import Any

from piggycheck.errors import InputError
from piggycheck.functions import arguments
from piggycheck.maps import Difference

__all__ = ["difference"]

_MOST_ENTRIES = 4_000_000  # as many as an array of a case may have


def difference(order: Any, size: Any) -> Difference:
    """Return forward differences of an order, of vectors of a size: a matrix of size - order rows.

    Parameters
    ----------
    order : int
        1 for differences of neighbours, 2 for second differences, and so on.
    size : int
        Number of columns.

    Raises
    ------
    InputError
        When one is no integer, the order is not below the size, or the matrix has more entries than an array may.

    Examples
    --------
    >>> difference(1, 3).matrix
    [-1,  1, 0]
    [ 0, -1, 1]

    Notes
    -----
    Source: Kim, Koh, Boyd, Gorinevsky, l1 trend filtering, 2009, section 2; Tibshirani, Adaptive piecewise polynomial
    estimation via trend filtering, 2014, section 1.
    """
    size = arguments.integer(size, 2, "size of difference")
    order = arguments.integer(order, 1, "order of difference")
    if order >= size:
        raise InputError(f"order of difference: `{order}`; write an integer from 1 to {size - 1}, below the size")
    if (size - order) * size > _MOST_ENTRIES:
        raise InputError(f"size of difference: `{size}`; an array has at most {_MOST_ENTRIES} entries")
    return Difference(order, size)
