"""Switched systems: finitely many affine maps ``X -> A_i X + B_i``, and the products of their words.

This is all that the two halves of the package share: the left half makes switched systems from algorithms, the right
half decides what their products do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq_mat

from piggycheck.errors import SwitchedSystemError, UnknownError
from piggycheck.intervals import IntervalMatrix, Letter, block_in, has_intervals, read_letter
from piggycheck.linalg import Number, block_matrix, identity, matrix, zeros

__all__ = ["Edge", "Pair", "SwitchedSystem", "Word", "compose", "first_indices"]

Word = tuple[int, ...]
"""Indices of the pairs in time order: the first letter acts first."""

Pair = tuple[Letter, Letter]
"""Matrices (A, B) of one affine map ``X -> A X + B``."""

Edge = tuple[int, int, int]
"""An edge of a graph of allowed words: from a node, by a letter, to a node."""


def compose(later: Pair, earlier: Pair) -> Pair:
    """Compose two affine maps: first `earlier`, then `later`.

    Parameters
    ----------
    later, earlier : (fmpq_mat, fmpq_mat)

    Returns
    -------
    (fmpq_mat, fmpq_mat)

    Examples
    --------
    >>> compose((fmpq_mat([[2]]), fmpq_mat([[1]])), (fmpq_mat([[3]]), fmpq_mat([[5]])))
    ([6], [11])

    Notes
    -----
    Composition is associative. When this fails: only when shapes do not fit.
    """
    return later[0] * earlier[0], later[0] * earlier[1] + later[1]


def first_indices(matrices: Sequence[Letter]) -> tuple[int, ...]:
    """Return, for each matrix, the first index at which an equal one stands.

    Parameters
    ----------
    matrices : sequence of fmpq_mat or IntervalMatrix

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> first_indices([fmpq_mat([[2]]), fmpq_mat([[2]]), fmpq_mat([[3]])])
    (0, 0, 2)
    """
    return tuple(next(j for j, other in enumerate(matrices) if other == M) for M in matrices)


@dataclass(frozen=True)
class SwitchedSystem:
    """A finite set of affine maps ``X -> A_i X + B_i`` with rational matrices, and the words that are allowed.

    Parameters
    ----------
    A : tuple of fmpq_mat or IntervalMatrix
        Square matrices of one size p, known exactly or between bounds.
    B : tuple of fmpq_mat
        As many matrices of shape p by m.
    names : tuple of str
        What the pairs are called, for reports; empty or one per pair.
    exact : bool
        Whether every pair is known to belong to the selection set; False for a superset.
    J0 : fmpq_mat, optional
        The derivative at the start, p by m.
    graph : tuple of (source, letter, target)
        The edges of a graph: words are the letters along its paths. Empty when all words are allowed.

    Raises
    ------
    SwitchedSystemError
        When there is no matrix, shapes do not fit, or the graph has no cycle or names a letter that is not there.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
    >>> len(system), system.dimension, system.columns
    (2, 2, 1)
    >>> system.product((0, 0, 1, 1))[0].charpoly()
    x^2 + 45/32*x + 81/256

    Notes
    -----
    A matrix between bounds stands for every matrix between them, chosen anew at every step. When this fails: irrational
    data has to be enclosed in rational bounds before.
    """

    A: tuple[Letter, ...]
    B: tuple[fmpq_mat, ...]
    names: tuple[str, ...] = ()
    exact: bool = True
    J0: fmpq_mat | None = None
    graph: tuple[Edge, ...] = ()

    def __post_init__(self) -> None:
        if not self.A:
            raise SwitchedSystemError("`A` is empty; write at least one matrix")
        dimension = self.A[0].nrows()
        for index, A in enumerate(self.A):
            if A.nrows() != A.ncols():
                raise SwitchedSystemError(f"`A[{index}]` is {_shape(A)}; write a square matrix")
            if dimension == 0:
                raise SwitchedSystemError(f"`A[{index}]` is {_shape(A)}; write at least one row")
            if A.nrows() != dimension:
                raise SwitchedSystemError(
                    f"`A[{index}]` is {_shape(A)} and `A[0]` is {_shape(self.A[0])}; write one size"
                )
        if len(self.B) != len(self.A):
            raise SwitchedSystemError(f"`B` has {len(self.B)} matrices and `A` has {len(self.A)}; write equally many")
        for index, B in enumerate(self.B):
            if B.nrows() != dimension or B.ncols() != self.B[0].ncols():
                raise SwitchedSystemError(
                    f"`B[{index}]` is {_shape(B)}; write a matrix of {dimension} rows and {self.B[0].ncols()} columns"
                )
        if self.J0 is not None and (self.J0.nrows(), self.J0.ncols()) != (dimension, self.columns):
            raise SwitchedSystemError(f"`J0` is {_shape(self.J0)}; write a matrix of {dimension} by {self.columns}")
        if self.names and len(self.names) != len(self.A):
            raise SwitchedSystemError(
                f"there are {len(self.names)} names and {len(self.A)} matrices; write equally many"
            )
        if self.graph:
            self._require_paths()

    def _require_paths(self) -> None:
        """Require that the graph has letters that are there, and infinite paths."""
        for edge in self.graph:
            if not 0 <= edge[1] < len(self.A):
                raise SwitchedSystemError(
                    f"the edge {list(edge)} of `graph` has the letter {edge[1]}; write 0 to {len(self.A) - 1}"
                )
        remaining = set(self.graph)
        while remaining:
            sources = {source for source, _, _ in remaining}
            leading = {edge for edge in remaining if edge[2] in sources}
            if leading == remaining:
                return
            remaining = leading
        raise SwitchedSystemError("`graph` has no cycle, so there are no infinite words; add an edge that closes one")

    @classmethod
    def from_rows(
        cls,
        A: Sequence[Sequence[Sequence[Number | Sequence[Number]]] | Letter],
        B: Sequence[Sequence[Sequence[Number]] | fmpq_mat] | None = None,
        J0: Sequence[Sequence[Number]] | fmpq_mat | None = None,
        names: Sequence[str] = (),
        exact: bool = True,
        graph: Sequence[Sequence[int]] | None = None,
    ) -> SwitchedSystem:
        """Build a switched system from rows of numbers.

        Parameters
        ----------
        A : sequence of square matrices
            Rows of integers, fractions, or text such as ``"3/4"``; a pair of them is an interval.
        B : sequence of fmpq_mat, or of lists of rows, optional
            As many matrices with as many rows. Zero when absent, with as many columns as `J0`, or one.
        J0 : matrix, optional
            The derivative at the start.
        names, exact
            As in `SwitchedSystem`.
        graph : sequence of [source, letter, target], optional
            As in `SwitchedSystem`; all words are allowed when it is absent.

        Returns
        -------
        SwitchedSystem

        Raises
        ------
        SwitchedSystemError
            When there is no matrix, shapes do not fit, or the graph has no infinite paths.
        NumberError
            When an entry is not an exact rational number.

        Examples
        --------
        >>> SwitchedSystem.from_rows([[["1/2"]]], J0=[[1, 2]]).B
        ([0, 0],)
        >>> SwitchedSystem.from_rows([[[["1/2", 1]]]]).A[0].bounds()
        [[(1/2, 1)]]
        >>> SwitchedSystem.from_rows([[[1, 2]]])
        Traceback (most recent call last):
        ...
        piggycheck.errors.SwitchedSystemError: `A[0]` is 1 by 2; write a square matrix

        Notes
        -----
        When this fails: floats are refused, with the text to write instead.
        """
        linear = tuple(read_letter(rows, f"A[{index}]") for index, rows in enumerate(_listed(A, "A")))
        start = None if J0 is None else _read_exactly(J0, "J0")
        if B is not None:
            constant = tuple(_read_exactly(rows, f"B[{index}]") for index, rows in enumerate(_listed(B, "B")))
        else:
            columns = 1 if start is None else start.ncols()
            constant = tuple(zeros(A_i.nrows(), columns) for A_i in linear)
        return cls(linear, constant, tuple(names), exact, start, () if graph is None else _edges(graph))

    def __len__(self) -> int:
        return len(self.A)

    @property
    def dimension(self) -> int:
        """Number p of rows of every matrix."""
        return self.A[0].nrows()

    @property
    def columns(self) -> int:
        """Number m of columns of every B."""
        return self.B[0].ncols()

    @property
    def is_certain(self) -> bool:
        """Whether every matrix A is known exactly."""
        return all(isinstance(A, fmpq_mat) for A in self.A)

    def require_certain(self, question: str) -> None:
        """Require that every matrix A is known exactly.

        Raises
        ------
        UnknownError
            When one is known only between bounds; `question` says what cannot be decided for it.

        Examples
        --------
        >>> SwitchedSystem.from_rows([[["1/2"]], [[["0", "1"]]]]).require_certain("divergence")
        Traceback (most recent call last):
        ...
        piggycheck.errors.UnknownError: divergence is decided for exact matrices only, and `A[1]` is given by intervals
        """
        for index, A in enumerate(self.A):
            if isinstance(A, IntervalMatrix):
                raise UnknownError(
                    f"{question} is decided for exact matrices only, and `A[{index}]` is given by intervals"
                )

    def require_letters(self, word: Sequence[int]) -> None:
        """Require that every letter of a word is the index of a pair.

        Raises
        ------
        SwitchedSystemError
            When one is not.

        Examples
        --------
        >>> SwitchedSystem.from_rows([[[2]], [[3]]]).require_letters((0, 2))
        Traceback (most recent call last):
        ...
        piggycheck.errors.SwitchedSystemError: letter 2 of the word is no index; write 0 to 1
        """
        for letter in word:
            if type(letter) is not int or not 0 <= letter < len(self.A):
                raise SwitchedSystemError(f"letter {letter} of the word is no index; write 0 to {len(self.A) - 1}")

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs (A, B) in order."""
        return tuple(zip(self.A, self.B, strict=True))

    def product(self, word: Sequence[int]) -> Pair:
        """Return ``(A_w, B_w)``: the letters of the word send X to ``A_w X + B_w``.

        Parameters
        ----------
        word : sequence of int
            Indices of pairs in time order. The empty word gives the identity.

        Returns
        -------
        (fmpq_mat, fmpq_mat)

        Raises
        ------
        SwitchedSystemError
            When a letter is not the index of a pair.

        Examples
        --------
        >>> system = SwitchedSystem.from_rows([[[2]], [[3]]], [[[1]], [[5]]])
        >>> system.product((0, 1))
        ([6], [8])

        Notes
        -----
        When this fails: numbers grow with the length of the word.
        """
        return next(self.products([word]))

    def products(self, words: Iterable[Sequence[int]]) -> Iterator[Pair]:
        """Yield ``(A_w, B_w)`` for each word, computing a prefix shared with the word before only once.

        Parameters
        ----------
        words : iterable of words
            Sort them to share the most.

        Yields
        ------
        (fmpq_mat, fmpq_mat)

        Raises
        ------
        SwitchedSystemError
            When a letter is not the index of a pair.

        Examples
        --------
        >>> system = SwitchedSystem.from_rows([[[2]], [[3]]])
        >>> [A for A, B in system.products([(0, 0), (0, 1)])]
        [[4], [6]]

        Notes
        -----
        When this fails: see `product`.
        """
        before: Word = ()
        prefixes: list[Pair] = [(identity(self.dimension), zeros(self.dimension, self.columns))]
        for word in map(tuple, words):
            shared = _common_length(before, word)
            del prefixes[shared + 1 :]
            self.require_letters(word[shared:])
            for letter in word[shared:]:
                prefixes.append(compose((self.A[letter], self.B[letter]), prefixes[-1]))
            before = word
            yield prefixes[-1]

    def distinct(self) -> SwitchedSystem:
        """Return the system of the distinct matrices A, each with the first B that it comes with.

        Returns
        -------
        SwitchedSystem
            What the joint spectral radius depends on; `representatives` gives the indices that were kept. The letters
            of a graph are renamed.

        Examples
        --------
        >>> len(SwitchedSystem.from_rows([[[2]], [[2]], [[3]]]).distinct())
        2
        """
        kept = sorted(set(self.representatives()))
        names = tuple(self.names[i] for i in kept) if self.names else ()
        place = [kept.index(i) for i in self.representatives()]
        graph = tuple(dict.fromkeys((source, place[letter], target) for source, letter, target in self.graph))
        return SwitchedSystem(
            tuple(self.A[i] for i in kept), tuple(self.B[i] for i in kept), names, self.exact, self.J0, graph
        )

    def unfolded(self) -> SwitchedSystem:
        """Return a system over all words that does what this one does along the paths of its graph.

        Returns
        -------
        SwitchedSystem
            One pair for each edge (u, i, v): the matrix A_i as the block in row v and column u of a matrix of as many
            blocks as the graph has nodes, all others zero. A product of such matrices is zero unless the edges form a
            path. Without a graph, the system itself.

        Examples
        --------
        >>> pair = SwitchedSystem.from_rows([[[2]], [[3]]], graph=[(0, 0, 1), (1, 1, 0)])
        >>> pair.unfolded().A
        ([0, 0]
        [2, 0], [0, 3]
        [0, 0])

        Notes
        -----
        The joint spectral radius of the unfolded system is the constrained one: the largest growth rate along paths
        (Kozyakin 2014; Philippe, Essick, Dullerud and Jungers 2016). When this fails: the dimension is multiplied by
        the number of nodes.
        """
        if not self.graph:
            return self
        nodes = sorted({node for source, _, target in self.graph for node in (source, target)})
        place = {node: index for index, node in enumerate(nodes)}
        size = len(nodes)
        A = tuple(block_in(self.A[i], place[v], place[u], size, size) for u, i, v in self.graph)
        nothing = zeros(self.dimension, self.columns)
        B = tuple(block_matrix([[self.B[i] if node == v else nothing] for node in nodes]) for _, i, v in self.graph)
        J0 = None if self.J0 is None else block_matrix([[self.J0]] * size)
        return SwitchedSystem(A, B, tuple(f"{u} -{i}-> {v}" for u, i, v in self.graph), self.exact, J0)

    def letters_along(self, path: Sequence[int]) -> Word:
        """Return the letters along a path, which is given by its edges: a word of the unfolded system.

        Raises
        ------
        SwitchedSystemError
            When an edge is not the index of one.

        Examples
        --------
        >>> pair = SwitchedSystem.from_rows([[[2]], [[3]]], graph=[(0, 1, 1), (1, 0, 0)])
        >>> pair.letters_along((0, 1))
        (1, 0)
        """
        if not self.graph:
            return tuple(path)
        for edge in path:
            if not 0 <= edge < len(self.graph):
                raise SwitchedSystemError(f"edge {edge} of the path is no index; write 0 to {len(self.graph) - 1}")
        return tuple(self.graph[edge][1] for edge in path)

    def representatives(self) -> tuple[int, ...]:
        """Return, for each index, the first index with the same matrix A.

        Returns
        -------
        tuple of int

        Examples
        --------
        >>> SwitchedSystem.from_rows([[[2]], [[2]], [[3]]]).representatives()
        (0, 0, 2)
        """
        return first_indices(self.A)


def _listed(matrices: object, where: str) -> Sequence[Any]:
    if isinstance(matrices, str) or not isinstance(matrices, Sequence):
        kind = "text" if isinstance(matrices, str) else "value"
        raise SwitchedSystemError(f"`{where}` is the {kind} `{str(matrices)[:60]}`; write a list of matrices")
    return matrices


def _read_exactly(rows: Any, where: str) -> fmpq_mat:
    if has_intervals(rows):
        raise SwitchedSystemError(f"`{where}` has an interval; only `A` may have intervals, write one number instead")
    return matrix(rows, where)


def _edges(graph: object) -> tuple[Edge, ...]:
    if not isinstance(graph, (list, tuple)) or not graph:
        raise SwitchedSystemError(f"`graph` is `{str(graph)[:60]}`; write a list of edges [from, letter, to]")
    edges = []
    for edge in graph:
        whole = isinstance(edge, (list, tuple)) and all(type(entry) is int and entry >= 0 for entry in edge)
        if not whole or len(edge) != 3:
            raise SwitchedSystemError(
                f"the edge `{str(edge)[:60]}` of `graph` is not [from, letter, to]; write three indices"
            )
        edges.append((edge[0], edge[1], edge[2]))
    return tuple(dict.fromkeys(edges))


def _shape(M: Letter) -> str:
    return f"{M.nrows()} by {M.ncols()}"


def _common_length(first: Word, second: Word) -> int:
    for index, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return index
    return min(len(first), len(second))
