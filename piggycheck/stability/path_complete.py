"""Path-complete graphs: one quadratic form for each node, and an inequality for each edge.

An edge (u, i, v) promises ``rate^2 P_u - A_i^T P_v A_i`` positive semidefinite: the letter i takes the form of the node
u to that of v. When every word is read along some path, all long products are bounded by the power of the rate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, contracts, midpoint, samples
from piggycheck.linalg import as_float, is_positive_definite
from piggycheck.stability.proof import Proof
from piggycheck.switched import Edge

if TYPE_CHECKING:
    from piggycheck.stability.floats import Array

__all__ = [
    "PathComplete",
    "de_bruijn_graph",
    "guess_forms",
    "guess_path_complete",
    "is_path_complete",
    "prove_path_complete",
    "rounded_together",
    "well_scaled",
]

_SUBSET_LIMIT = 10_000
_MAX_UNKNOWNS = 2500
_MAX_DENOMINATOR_BITS = 44
_LEAST_MARGIN = 1e-10
_BOUNDARY_MARGIN = -1e-6


@dataclass(frozen=True)
class PathComplete(Proof):
    """A proof that the joint spectral radius is at most `rate`: forms on the nodes of a path-complete graph.

    Parameters
    ----------
    rate : fmpq
        Not negative.
    forms : tuple of fmpq_mat
        A symmetric positive definite matrix P_u for each node u.
    edges : tuple of (source, letter, target)
        On each edge (u, i, v), ``rate^2 P_u - A_i^T P_v A_i`` is positive semidefinite.

    Examples
    --------
    >>> forms = fmpq_mat([[1]]), fmpq_mat([[4]])
    >>> proof = PathComplete(fmpq(1), forms, ((0, 0, 1), (0, 1, 0), (1, 0, 1), (1, 1, 0)))
    >>> proof.verify([fmpq_mat([[fmpq(1, 2)]]), fmpq_mat([[1]])])
    True
    >>> proof.verify([fmpq_mat([[fmpq(2, 3)]]), fmpq_mat([[1]])])
    False

    Notes
    -----
    Ahmadi, Jungers, Parrilo and Roozbehani, *Joint spectral radius and path-complete graph Lyapunov functions*, 2014.
    """

    rate: fmpq
    forms: tuple[fmpq_mat, ...]
    edges: tuple[Edge, ...]

    method = "path_complete"

    def verify(self, A: Sequence[Letter]) -> bool:
        n = self.forms[0].nrows() if self.forms else 0
        if self.rate < 0 or not A or any((M.nrows(), M.ncols()) != (n, n) for M in (*A, *self.forms)):
            return False
        if any(P.transpose() != P or not is_positive_definite(P) for P in self.forms):
            return False
        return is_path_complete(self.edges, len(self.forms), len(A)) and _holds(A, self.rate, self.forms, self.edges)

    def witness(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "rate": self.rate,
            "forms": list(self.forms),
            "edges": [list(edge) for edge in self.edges],
        }

    def summary(self) -> str:
        forms = "one quadratic form" if len(self.forms) == 1 else f"{len(self.forms)} quadratic forms"
        return f"{forms} on a path-complete graph of {len(self.edges)} edge{'s' * (len(self.edges) > 1)}"


def is_path_complete(edges: Sequence[Edge], nodes: int, letters: int, *, subset_limit: int = _SUBSET_LIMIT) -> bool:
    """Decide whether every word over the letters is read along some path of a graph.

    Parameters
    ----------
    edges : sequence of (source, letter, target)
    nodes, letters : int
        How many there are; they are numbered from 0.
    subset_limit : int
        How many sets of nodes are looked at.

    Returns
    -------
    bool
        True is a theorem. False is one, too, unless the limit was reached.

    Examples
    --------
    >>> is_path_complete([(0, 0, 1), (1, 1, 0), (0, 1, 0)], 2, 2)
    False
    >>> is_path_complete([(0, 0, 1), (1, 1, 0), (0, 1, 0), (1, 0, 0)], 2, 2)
    True

    Notes
    -----
    The subset construction: from the set of all nodes, each letter leads to the set of targets of the edges with that
    letter. A word is read along some path exactly when it does not lead to the empty set. A set that contains one from
    which no word leads there need not be looked at. When this fails: there can be exponentially many sets.
    """
    if nodes < 1 or any(not (0 <= u < nodes and 0 <= i < letters and 0 <= v < nodes) for u, i, v in edges):
        return False
    targets = [[0] * nodes for _ in range(letters)]
    for source, letter, target in edges:
        targets[letter][source] |= 1 << target
    waiting, seen = [(1 << nodes) - 1], [(1 << nodes) - 1]
    while waiting:
        subset = waiting.pop()
        for reach in targets:
            image = _union(reach, subset)
            if image == 0:
                return False
            if not any(known & image == known for known in seen):
                seen.append(image)
                waiting.append(image)
        if len(seen) > subset_limit:
            return False
    return True


def _union(reach: list[int], subset: int) -> int:
    image = 0
    while subset:
        node = (subset & -subset).bit_length() - 1
        image |= reach[node]
        subset &= subset - 1
    return image


def de_bruijn_graph(letters: int, memory: int, *, forward: bool = True) -> tuple[int, tuple[Edge, ...]]:
    """Return the graph whose nodes are all words of one length, or the same graph with its edges reversed.

    Parameters
    ----------
    letters : int
    memory : int
        The length m of the words; 0 gives one node with a loop for each letter.
    forward : bool
        With edges from the last m letters, by a further letter, to the last m letters then. The least of the forms is
        then a Lyapunov function. Reversed edges mean that the node foretells the next m letters, and the largest of
        the forms is a Lyapunov function.

    Returns
    -------
    (int, tuple of (source, letter, target))
        The number of nodes, and the edges; nodes are numbered in alphabetical order of their words.

    Examples
    --------
    >>> de_bruijn_graph(2, 1)
    (2, ((0, 0, 0), (0, 1, 1), (1, 0, 0), (1, 1, 1)))
    >>> de_bruijn_graph(2, 1, forward=False)
    (2, ((0, 0, 0), (1, 1, 0), (0, 0, 1), (1, 1, 1)))
    >>> de_bruijn_graph(3, 0)
    (1, ((0, 0, 0), (0, 1, 0), (0, 2, 0)))
    """
    words = list(product(range(letters), repeat=memory))
    place = {word: index for index, word in enumerate(words)}
    edges = [(place[u], i, place[(*u, i)[1:]]) for u in words for i in range(letters)]
    return len(words), tuple(edges) if forward else tuple((v, i, u) for u, i, v in edges)


def prove_path_complete(
    A: Sequence[Letter], rate: fmpq, *, memory: int, forward: bool = True, time_limit: float = 10.0
) -> PathComplete | None:
    """Prove that the joint spectral radius is at most a rate, with forms on a De Bruijn graph.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        The rate to prove.
    memory : int
        How many letters the nodes remember, or foretell; 0 asks for one quadratic form that every matrix contracts.
    forward : bool
        See `de_bruijn_graph`.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    PathComplete or None
        None when there is no proof of this kind, or it was not found.

    Examples
    --------
    >>> A = [fmpq_mat([[-1, -1], [-4, 0]]), fmpq_mat([[3, 3], [-2, 1]])]
    >>> rate = fmpq(395, 100)
    >>> prove_path_complete(A, rate, memory=0) is None
    True
    >>> prove_path_complete(A, rate, memory=1).verify(A)
    True

    Notes
    -----
    When this fails: the number of nodes is the number of letters to the power of the memory. A rate that is the least
    one of this kind is proved only when its forms have small entries.
    """
    deadline = time.monotonic() + time_limit
    if rate < 0 or not _fits(A, memory):
        return None
    from piggycheck.stability.floats import float_matrices

    nodes, edges = de_bruijn_graph(len(A), memory, forward=forward)
    choices = [(i, M) for i, letter in enumerate(A) for M in samples(letter)]
    parallel = [(u, k, v) for u, i, v in edges for k, (letter, _) in enumerate(choices) if letter == i]
    matrices = float_matrices([M for _, M in choices])
    guess = guess_forms(matrices, as_float(rate), nodes, parallel, time_limit=time_limit)
    for candidate in () if guess is None else rounded_together(guess):
        if all(map(is_positive_definite, candidate)) and _holds(A, rate, candidate, edges):
            return PathComplete(rate, tuple(candidate), edges)
        if time.monotonic() > deadline:
            return None
    return None


def guess_path_complete(
    A: Sequence[Letter],
    *,
    memory: int,
    forward: bool = True,
    tolerance: float = 1e-4,
    time_limit: float = 10.0,
) -> tuple[list[Array], float] | None:
    """Guess forms on a De Bruijn graph, and the least rate that they prove.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Of interval matrices, the midpoints are looked at.
    memory : int
    forward : bool
        See `de_bruijn_graph`.
    tolerance : float
        Relative accuracy of the rate.
    time_limit : float
        Seconds after which the best forms so far are returned.

    Returns
    -------
    (list of arrays, float) or None
        In floating point; None when no forms were found.

    Examples
    --------
    >>> A = [fmpq_mat([[-1, -1], [-4, 0]]), fmpq_mat([[3, 3], [-2, 1]])]
    >>> [round(guess_path_complete(A, memory=m)[1], 2) for m in (0, 1)]
    [3.98, 3.92]

    Notes
    -----
    The rate is bisected. When this fails: see `prove_path_complete`.
    """
    import numpy as np

    from piggycheck.stability.floats import float_matrices, spectral_radii

    deadline = time.monotonic() + time_limit
    scaled = well_scaled(float_matrices([midpoint(M) for M in A])) if _fits(A, memory) else None
    if scaled is None:
        return None
    T, matrices, scale = scaled
    nodes, edges = de_bruijn_graph(len(A), memory, forward=forward)
    forms, rate = [np.eye(len(T))] * nodes, 1.0
    low = max(float(spectral_radii(matrices).max()), tolerance)
    while scale > 0 and rate > low * (1 + tolerance) and time.monotonic() < deadline:
        middle = math.sqrt(low * rate)
        found = _forms_at(matrices, middle, nodes, edges, deadline - time.monotonic())
        if found is None or found[1] < _LEAST_MARGIN:
            low = middle
        else:
            forms = found[0]
            rate = min(middle, _reached(matrices, forms, edges))
    return [T.T @ P @ T for P in forms], rate * scale


def guess_forms(
    matrices: Array, rate: float, nodes: int, edges: Sequence[Edge], *, time_limit: float = 10.0
) -> list[Array] | None:
    """Guess forms on the nodes of a graph that prove a rate, with as much room as possible.

    Parameters
    ----------
    matrices : array
        The letters, in floating point.
    rate : float
    nodes : int
    edges : sequence of (source, letter, target)
    time_limit : float
        Seconds after which the solver gives up.

    Returns
    -------
    list of arrays or None
        None when there are no such forms, or they were not found. When there is no room, or almost none, they are
        right only if they are rounded to the right numbers.

    Examples
    --------
    >>> import numpy as np
    >>> letters = np.array([[[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]])
    >>> P = guess_forms(letters, 1.0, 1, [(0, 0, 0), (0, 1, 0)])[0]
    >>> (P / P[0, 0]).round(4).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    import numpy as np

    scaled = well_scaled(matrices)
    if scaled is None or not math.isfinite(rate):
        return None
    T, changed, scale = scaled
    if scale == 0 or rate == 0:
        return [np.eye(len(T))] * nodes
    found = _forms_at(changed, rate / scale, nodes, edges, time_limit)
    if found is None or found[1] < _BOUNDARY_MARGIN:
        return None
    return [T.T @ P @ T for P in found[0]]


def rounded_together(forms: Sequence[Array]) -> Iterator[list[fmpq_mat]]:
    """Yield rational matrices ever closer to a common multiple of some forms, with denominators 1, 2, 4, ...

    Parameters
    ----------
    forms : sequence of arrays
        Symmetric; nothing is yielded unless one of them is numerically positive definite.

    Yields
    ------
    list of fmpq_mat
        The multiple makes the least positive eigenvalue 1.

    Examples
    --------
    >>> import numpy as np
    >>> next(rounded_together([np.array([[2.0]]), np.array([[6.1]])]))
    [[1], [3]]
    """
    import numpy as np

    if not all(np.isfinite(P).all() for P in forms):
        return
    largest = max(float(np.abs(P).max()) for P in forms)
    eigenvalues = [float(np.linalg.eigvalsh((P + P.T) / 2)[0]) for P in forms]
    least = min((value for value in eigenvalues if value > 1e-12 * largest), default=0.0)
    if least <= 0:
        return
    before: list[fmpq_mat] = []
    for bits in range(_MAX_DENOMINATOR_BITS):
        rational = [_rounded((P + P.T) / (2 * least), 2**bits) for P in forms]
        if rational != before:
            yield rational
        before = rational


def well_scaled(matrices: Array) -> tuple[Array, Array, float] | None:
    """Find a basis in which the largest norm of some matrices is small, in floating point.

    Parameters
    ----------
    matrices : array
        A stack of square matrices.

    Returns
    -------
    (array, array, float) or None
        The basis T, the matrices ``T A T^{-1}`` divided by their largest norm, and that norm; None when floats
        overflow.

    Examples
    --------
    >>> import numpy as np
    >>> T, changed, norm = well_scaled(np.array([[[0.5, 100.0], [0.0, 0.5]]]))
    >>> norm < 1
    True
    """
    import numpy as np

    from piggycheck.stability.floats import averaged_form, change_basis, squared_norms

    for form in (averaged_form(matrices), np.eye(matrices.shape[-1])):
        changed = None if form is None else change_basis(matrices, form)
        if form is not None and changed is not None:
            scale = math.sqrt(float(squared_norms(changed).max()))
            if math.isfinite(scale):
                T = np.asarray(np.linalg.cholesky(form).T, dtype=np.float64)
                return T, changed / (scale or 1.0), scale
    return None


def _rounded(P: Array, denominator: int) -> fmpq_mat:
    return fmpq_mat([[fmpq(round(float(value) * denominator), denominator) for value in row] for row in P])


def _holds(A: Sequence[Letter], rate: fmpq, forms: Sequence[fmpq_mat], edges: Sequence[Edge]) -> bool:
    """Whether the inequality of every edge is proved."""
    return all(contracts(A[i], forms[u], rate * rate, image=forms[v]) for u, i, v in edges)


def _fits(A: Sequence[Letter], memory: int) -> bool:
    """Whether the semidefinite program is small enough."""
    n = A[0].nrows()
    return memory == 0 or len(A) ** memory * n * (n + 1) // 2 <= _MAX_UNKNOWNS


def _reached(matrices: Array, forms: Sequence[Array], edges: Sequence[Edge]) -> float:
    """The least rate that forms prove, in floating point."""
    import numpy as np

    from piggycheck.stability.floats import squared_norms

    try:
        T = np.swapaxes(np.linalg.cholesky(np.array(forms)), -1, -2)
    except np.linalg.LinAlgError:
        return math.inf
    u, i, v = np.array(edges).T
    return math.sqrt(float(squared_norms(T[v] @ matrices[i] @ np.linalg.inv(T)[u]).max()))


def _forms_at(
    matrices: Array, rate: float, nodes: int, edges: Sequence[Edge], time_limit: float
) -> tuple[list[Array], float] | None:
    """The forms with the largest margin in all inequalities at a rate, and that margin."""
    import numpy as np

    from piggycheck.stability.semidefinite import Combination, best_margin, symmetric_units

    units = symmetric_units(matrices.shape[-1])
    size, own = len(units), np.arange(len(units))
    images = [M.T @ units @ M for M in matrices]
    combinations = [Combination(u * size + own, units) for u in range(nodes)]
    for u, i, v in edges:
        gap = rate * rate * units
        if u == v:
            combinations.append(Combination(u * size + own, gap - images[i]))
        else:
            both = np.concatenate([gap, -images[i]])
            combinations.append(Combination(np.concatenate([u * size + own, v * size + own]), both))
    weights = np.tile(units.trace(axis1=1, axis2=2), nodes)
    found = best_margin(combinations, weights, float(nodes * len(units[0])), time_limit=time_limit)
    if found is None:
        return None
    return [np.tensordot(c, units, axes=1) for c in found[0].reshape(nodes, size)], found[1]
