"""Monotone polytopes for matrices without negative entries, and the linear method, which needs one vertex.

A vector is measured by the least t for which its absolute values lie below t times a convex combination of the
vertices. Nonnegative matrices keep that order, so it is enough to look at the images of the vertices.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, midpoint, radius
from piggycheck.linalg import as_float, entries, identity, nonnegative_solution, simplest_between, solve, zeros
from piggycheck.stability.proof import Proof
from piggycheck.switched import Word

if TYPE_CHECKING:
    from piggycheck.stability.floats import Array

__all__ = ["Nonnegative", "guess_linear", "is_nonnegative", "prove_nonnegative"]

Vector = tuple[fmpq, ...]
Combination = tuple[tuple[int, fmpq], ...]

_EXACT, _CLOSE, _TIE = 1e-13, 1e-10, 1e-9
_NOISE = 1e-13
_POWER_STEPS = 600
_POLISHING = 5
_MOST_ROOM = 0.01
_SMALL = fmpq(1, 2**20)
_LARGEST = 1e100


@dataclass(frozen=True)
class Nonnegative(Proof):
    """A proof for nonnegative matrices, by vertices whose images lie below combinations of vertices.

    Parameters
    ----------
    rate : fmpq
        Not negative.
    vertices : tuple of tuples of fmpq
        Vectors without negative entries, whose sum is positive in every coordinate.
    coefficients : tuple of tuples of tuples of (int, fmpq)
        For each letter A and vertex v, pairs of the index of a vertex and a coefficient c, not negative and of sum at
        most 1, with ``A v <= rate sum c_j v_j`` in every coordinate.

    Examples
    --------
    >>> proof = Nonnegative(fmpq(3), ((fmpq(1), fmpq(1)),), ((((0, fmpq(1)),),),))
    >>> proof.verify([fmpq_mat([[1, 2], [3, 0]])]), proof.verify([fmpq_mat([[1, 2], [3, 1]])])
    (True, False)
    """

    rate: fmpq
    vertices: tuple[Vector, ...]
    coefficients: tuple[tuple[Combination, ...], ...]

    method: ClassVar[str] = "nonnegative"

    def verify(self, A: Sequence[Letter]) -> bool:
        n, size = len(self.vertices[0]) if self.vertices else 0, len(self.vertices)
        if not A or self.rate < 0 or any((M.nrows(), M.ncols()) != (n, n) for M in A) or not is_nonnegative(A):
            return False
        if any(len(v) != n or min(v) < 0 for v in self.vertices) or not all(map(any, zip(*self.vertices, strict=True))):
            return False
        if len(self.coefficients) != len(A) or any(len(row) != size for row in self.coefficients):
            return False
        V = fmpq_mat(list(map(list, self.vertices))).transpose()
        images = (entries((_upper(M) * V).transpose()) for M in A)
        return all(
            self._covers(image, combination)
            for rows, row in zip(images, self.coefficients, strict=True)
            for image, combination in zip(rows, row, strict=True)
        )

    def _covers(self, image: Sequence[fmpq], combination: Combination) -> bool:
        """Whether a vector is at most the rate times a combination of vertices, whose weights are at most 1."""
        size = len(self.vertices)
        if any(c < 0 or not 0 <= j < size for j, c in combination) or sum((c for _, c in combination), fmpq(0)) > 1:
            return False
        return _is_below(image, self.vertices, [(j, self.rate * c) for j, c in combination])

    def witness(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "rate": self.rate,
            "vertices": [list(vertex) for vertex in self.vertices],
            "coefficients": [
                [[[j, c] for j, c in combination] for combination in images] for images in self.coefficients
            ],
        }

    def summary(self) -> str:
        if len(self.vertices) == 1:
            return "a positive vector"
        return f"a polytope of {len(self.vertices)} nonnegative vertices"


def is_nonnegative(A: Sequence[Letter]) -> bool:
    """Decide whether no entry of the matrices is negative, for every choice between bounds.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix

    Returns
    -------
    bool

    Examples
    --------
    >>> is_nonnegative([fmpq_mat([[1, 0]])]), is_nonnegative([fmpq_mat([[1, -1]])])
    (True, False)

    Notes
    -----
    When this fails: it does not.
    """
    return all(value >= 0 for M in A for value in (midpoint(M) - radius(M)).entries())


def guess_linear(A: Sequence[Letter]) -> tuple[Array, float] | None:
    """Guess a positive vector v with ``A v <= rate v`` for all matrices, for the least rate possible.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Without negative entries.

    Returns
    -------
    (array, float) or None
        The vector, of largest entry 1, and the rate; None when floating point does not find any.

    Examples
    --------
    >>> vector, rate = guess_linear([fmpq_mat([[1, 1], [0, 1]]), fmpq_mat([[1, 0], [1, 1]])])
    >>> vector.tolist(), rate
    ([1.0, 1.0], 2.0)

    Notes
    -----
    Power iteration with the map that takes the largest of the images in each coordinate. For row vectors, give the
    transposed matrices. When this fails: the best rate of this kind can exceed the joint spectral radius by up to the
    number of matrices, and matrices that share invariant coordinates slow the iteration down.
    """
    import numpy as np

    from piggycheck.stability.floats import float_matrices

    matrices = float_matrices([_upper(M) for M in A])
    vector = np.ones(matrices.shape[-1])
    with np.errstate(all="ignore"):
        for _ in range(_POWER_STEPS):
            image = (matrices @ vector).max(axis=0)
            ratios = image / vector
            if ratios.max() <= ratios.min() * (1 + 1e-14):
                break
            # The constant keeps every coordinate positive where the matrices share invariant coordinates.
            vector = vector + image / image.max() + 1e-9
            vector = vector / vector.max()
        rate = float(((matrices @ vector).max(axis=0) / vector).max())
    return (vector, rate) if np.isfinite(rate) else None


def prove_nonnegative(
    A: Sequence[Letter], rate: fmpq, words: Iterable[Word], *, vertex_limit: int = 2000, time_limit: float = 10.0
) -> Nonnegative | None:
    """Prove that the joint spectral radius of nonnegative matrices is at most a rate.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        The rate to prove.
    words : iterable of Word
        Words that may have the largest rate.
    vertex_limit : int
        How many vertices there may be.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    Nonnegative or None
        It has been verified; None when an entry may be negative, or no proof was found.

    Examples
    --------
    >>> A = [fmpq_mat([[1, 1], [0, 1]]), fmpq_mat([[1, 0], [1, 1]])]
    >>> prove_nonnegative(A, fmpq(1619, 1000), [(0, 1)]).summary()
    'a polytope of 2 nonnegative vertices'
    >>> prove_nonnegative(A, fmpq(1618, 1000), [(0, 1)]) is None
    True

    Notes
    -----
    First one vertex (a positive v with ``A v <= rate v``), then the vertices ``e_k / w_k`` for a positive w with
    ``w A <= rate w``, then a polytope that grows from the leading eigenvectors of the words: images of vertices are
    added unless a linear program finds them below a combination of vertices. When this fails: words of rates below the
    joint spectral radius, by more than the rate exceeds it; a rate that is attained with irrational vertices.

    References
    ----------
    N. Guglielmi, V. Protasov, Exact computation of joint spectral characteristics of linear operators, Foundations of
    Computational Mathematics 13 (2013), section 4.
    """
    if rate <= 0 or not A or not A[0].nrows() or not is_nonnegative(A):
        return None
    letters = [_upper(M) / rate for M in A]
    for proof in _proofs(letters, rate, words, vertex_limit, time.monotonic() + time_limit):
        if proof.verify(A):
            return proof
    return None


def _proofs(
    letters: list[fmpq_mat], rate: fmpq, words: Iterable[Word], vertex_limit: int, deadline: float
) -> Iterator[Nonnegative]:
    """Proofs of each kind that may hold, for letters that have been divided by the rate."""
    from piggycheck.stability.floats import float_matrices

    for v in _contracted(letters):
        whole: Combination = ((0, fmpq(1)),)
        yield Nonnegative(rate, (v,), ((whole,),) * len(letters))
    for w in _contracted([M.transpose() for M in letters]):
        yield _simplex(letters, rate, w)
    polytope = _Polytope(letters, vertex_limit, deadline)
    if polytope.grow(*_seeds(letters, float_matrices(letters), words)):
        yield Nonnegative(rate, tuple(polytope.vertices), tuple(zip(*polytope.combinations, strict=True)))


def _contracted(letters: list[fmpq_mat]) -> Iterator[Vector]:
    """A positive vector of few digits that is at least as large as all its images, if there is one."""
    guess = guess_linear(letters)
    if guess is None or guess[1] > 1 + _TIE:
        return
    for digits in (1, 2, 4, 6, 8, 10):
        vector = tuple(_raised(_exact(x), fmpq(1, 10**digits)) for x in guess[0])
        if all(_is_below(_image(M, vector), (vector,), ((0, fmpq(1)),)) for M in letters):
            yield vector
            return


def _simplex(letters: list[fmpq_mat], rate: fmpq, w: Vector) -> Nonnegative:
    """The vertices ``e_k / w_k``, for a row w that is at least as large as ``w A`` for all letters."""
    n = len(w)
    vertices = tuple(tuple(1 / w[k] if i == k else fmpq(0) for i in range(n)) for k in range(n))
    coefficients = tuple(
        tuple(tuple((j, M[j, k] * w[j] / w[k]) for j in range(n) if M[j, k] != 0) for k in range(n)) for M in letters
    )
    return Nonnegative(rate, vertices, coefficients)


def _seeds(letters: list[fmpq_mat], matrices: Array, words: Iterable[Word]) -> tuple[list[Vector], fmpq]:
    """Vertices to start from, and by which part of itself a vertex may be enlarged when it is rounded."""
    found = [(radius, vector, word) for word in words for radius, vector in _perron(matrices, word)]
    best = max((radius for radius, _, _ in found), default=0.5)
    leading = [(vector, word) for radius, vector, word in found if radius >= best * (1 - _TIE)]
    if best > 1 - _EXACT:
        attaining = [word for _, word in leading] if best < 1 + _TIE else []
        return [vector for word in attaining for vector in _fixed_vectors(letters, word)], fmpq(0)
    room = _exact(min((1 - best) / 8, _MOST_ROOM))
    if not leading:
        return [(fmpq(1),) * letters[0].nrows()], room
    return [tuple(_raised(_exact(x), room) for x in vector) for vector, _ in leading], room


def _perron(matrices: Array, word: Word) -> Iterator[tuple[float, Array]]:
    """The rate of a word and a leading eigenvector without negative entries, unless floating point finds none."""
    import numpy as np

    from piggycheck.stability.polytope_guess import leading_cycle

    cycle = leading_cycle(matrices, word)
    if cycle is None:
        return
    vector = np.abs(cycle.points[0])
    vector[vector < _NOISE * vector.max()] = 0
    with np.errstate(all="ignore"):
        for _ in range(_POLISHING):
            # No digits cancel in products of nonnegative numbers.
            for letter in word:
                vector = matrices[letter] @ vector
            vector = vector / vector.max()
    if np.isfinite(vector).all():
        yield cycle.rate, vector


def _fixed_vectors(letters: list[fmpq_mat], word: Word) -> list[Vector]:
    """Vectors without negative entries that the product along a word leaves as they are."""
    n = letters[0].nrows()
    product = identity(n)
    for letter in word:
        product = letters[letter] * product
    fixed = [vector.entries() for vector in solve(product - identity(n), zeros(n, 0))[1]]
    signed = [[-x for x in vector] if min(vector) < 0 else vector for vector in fixed]
    return [tuple(x / max(vector) for x in vector) for vector in signed if min(vector) >= 0]


class _Polytope:
    """Vertices whose images lie below combinations of vertices, for letters that have been divided by the rate.

    Vertices are rational, and everything that is decided about them is exact; floating point chooses the combinations.
    """

    def __init__(self, letters: list[fmpq_mat], vertex_limit: int, deadline: float) -> None:
        self.letters, self.vertex_limit, self.deadline = letters, vertex_limit, deadline
        self.vertices: list[Vector] = []
        self.floats: list[list[float]] = []
        self.parents: list[int] = []
        self.combinations: list[list[Combination]] = []

    def grow(self, seeds: list[Vector], room: fmpq) -> bool:
        """Add vertices until all images are covered; whether that succeeds within the limits."""
        for vector in seeds:
            self.add(vector, -1)
        while len(self.combinations) < len(self.vertices):
            index, count = len(self.combinations), len(self.vertices)
            self.combinations.append([self.cover(_image(M, self.vertices[index]), index, room) for M in self.letters])
            if len(self.vertices) > self.vertex_limit or time.monotonic() > self.deadline:
                return False
            if any(map(self.outgrows, range(count, len(self.vertices)))):
                return False
            if len(self.combinations) == len(self.vertices):
                missing = [max(values) == 0 for values in zip(*self.vertices, strict=True)]
                if any(missing):
                    self.add(tuple(_SMALL * int(is_missing) for is_missing in missing), -1)
        return bool(self.vertices)

    def add(self, vertex: Vector, parent: int) -> None:
        """Add a vertex that comes from the image of another one."""
        self.vertices.append(vertex)
        self.floats.append(list(map(as_float, vertex)))
        self.parents.append(parent)

    def outgrows(self, index: int) -> bool:
        """Whether a vertex exceeds one that it is an image of, so that some word grows faster than the rate."""
        ancestor, vertex = self.parents[index], self.floats[index]
        while ancestor >= 0:
            if all(x >= y * (1 + _TIE) for x, y in zip(vertex, self.floats[ancestor], strict=True)):
                return True
            ancestor = self.parents[ancestor]
        return max(vertex) > _LARGEST

    def cover(self, image: Vector, parent: int, room: fmpq) -> Combination:
        """A combination of vertices above an image; the image itself becomes one of them when there is none."""
        combination = self.combination(image) if any(image) else ()
        if combination is None:
            self.add(tuple(_raised(value, room) for value in image), parent)
            combination = ((len(self.vertices) - 1, fmpq(1)),)
        return combination

    def combination(self, image: Vector) -> Combination | None:
        """A combination of the present vertices above an image; None when none was found."""
        import numpy as np

        vertices, target = np.array(self.floats), np.array(list(map(as_float, image)))
        for j in np.flatnonzero((vertices >= target * (1 - _TIE)).all(axis=1)).tolist():
            if _is_below(image, self.vertices, ((j, fmpq(1)),)):
                return ((j, fmpq(1)),)
        weights = _least_weights(vertices, target)
        if weights is None or weights.sum() > 1 + _TIE:
            return None
        if weights.sum() < 1 - _CLOSE:
            rounded = tuple(_rounded(weights))
            if sum((c for _, c in rounded), fmpq(0)) <= 1 and _is_below(image, self.vertices, rounded):
                return rounded
        return self.exact_combination(image, np.flatnonzero(weights).tolist())

    def exact_combination(self, image: Vector, chosen: list[int]) -> Combination | None:
        """A combination of chosen vertices above an image, by the simplex method in rational numbers."""
        n, count = len(image), len(chosen)
        rows = [[self.vertices[j][k] for j in chosen] + [-fmpq(int(k == i)) for i in range(n)] for k in range(n)]
        M = fmpq_mat([[*row, fmpq(0)] for row in rows] + [[fmpq(1)] * count + [fmpq(0)] * n + [fmpq(1)]])
        solution = nonnegative_solution(M, [*image, fmpq(1)])
        if solution is None:
            return None
        return tuple((j, c) for j, c in zip(chosen, solution, strict=False) if c != 0)


def _least_weights(vertices: Array, target: Array) -> Array | None:
    """Nonnegative weights of least sum with which the vertices add up to at least the target, nearly."""
    import numpy as np
    from scipy.optimize import linprog

    heights = vertices.max(axis=0)
    rows = target > 0
    if (target > heights * (1 + _TIE)).any():
        return None
    with np.errstate(all="ignore"):
        scaled = (vertices[:, rows] / target[rows]).T
    if not rows.any() or not np.isfinite(scaled).all():
        return None
    solution = linprog(np.ones(len(vertices)), A_ub=-scaled, b_ub=-np.ones(len(scaled)), method="highs-ds")
    if solution.status != 0:
        return None
    weights: Array = np.where(solution.x > _NOISE, solution.x, 0.0)
    for k in np.flatnonzero(scaled @ weights < 1):
        highest = int(np.argmax(scaled[k]))
        weights[highest] += max(0.0, 1 - scaled[k] @ weights) / scaled[k, highest]
    return weights


def _rounded(weights: Array) -> Iterator[tuple[int, fmpq]]:
    """Weights of few digits, each a little larger, as far as the sum leaves room for that."""
    chosen = [(j, weight) for j, weight in enumerate(weights.tolist()) if weight > 0]
    room = _exact((1 - float(weights.sum())) / (len(chosen) + 1))
    for j, weight in chosen:
        least = _exact(weight * (1 + _EXACT))
        yield j, simplest_between(least, least + room)


def _is_below(image: Sequence[fmpq], vertices: Sequence[Vector], combination: Sequence[tuple[int, fmpq]]) -> bool:
    """Whether a vector is at most a combination of vertices, in every coordinate."""
    return all(x <= sum((c * vertices[j][k] for j, c in combination), fmpq(0)) for k, x in enumerate(image))


def _image(M: fmpq_mat, vector: Vector) -> Vector:
    return tuple((M * fmpq_mat(len(vector), 1, list(vector))).entries())


def _upper(M: Letter) -> fmpq_mat:
    """The upper bounds of the entries."""
    return midpoint(M) + radius(M)


def _raised(value: fmpq, room: fmpq) -> fmpq:
    """The simplest number from a value to slightly above it."""
    return simplest_between(value, value * (1 + room))


def _exact(value: float) -> fmpq:
    """The rational number that a float is."""
    return fmpq(*float(value).as_integer_ratio())
