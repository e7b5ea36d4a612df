"""Which words of pieces really happen near a fixed point: exact cones, and the graph of possible transitions.

Where a map is affine in the state on each piece near its fixed point, a displacement d from the fixed point moves as
``d -> A_i d`` while it lies in the cone of piece i. A word is *possible* when some displacement follows it, all cones
closed, without reaching the fixed point. Iterates that converge to the fixed point and never reach it follow, from
some step on, a path of the graph of possible words.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import rational
from piggycheck.errors import UnknownError
from piggycheck.feasibility import Feasible, feasible_point
from piggycheck.fixed_points import FixedPoint, rational_matrix
from piggycheck.linalg import entries, identity, primitive
from piggycheck.maps import Piece, SmoothPiece, SymbolicMap
from piggycheck.maps.evaluation import SignsAt
from piggycheck.switched import Edge, Word

__all__ = ["Cone", "ConewiseLinear", "Transitions", "conewise_linear", "is_affine_in_state", "transition_graphs"]

Row = tuple[fmpq, ...]
"""The coefficients of a linear function of displacements."""

_MAX_PIECES = 64
_MAX_WORDS = 4096


@dataclass(frozen=True)
class Cone:
    """The displacements d with ``row . d = 0`` for the equalities and ``row . d >= 0`` for the inequalities.

    Attributes
    ----------
    equalities, inequalities : tuple of Row
    is_solid : bool
        Whether displacements that satisfy the inequalities strictly are inside the piece: no guard ties all over it.
    """

    equalities: tuple[Row, ...] = ()
    inequalities: tuple[Row, ...] = ()
    is_solid: bool = True


@dataclass(frozen=True)
class ConewiseLinear:
    """A map near its fixed point, in displacements from it: linear on each of finitely many cones.

    Attributes
    ----------
    A : tuple of fmpq_mat
        The matrix of each letter.
    cones : tuple of tuples of Cone
        The closed cones on which the letter may be picked; none for a letter that stands for an earlier, equal one.

    Examples
    --------
    >>> right, left = Cone((), ((fmpq(1),),)), Cone((), ((fmpq(-1),),))
    >>> flip = ConewiseLinear((fmpq_mat([[-1]]), fmpq_mat([[fmpq(-1, 2)]])), ((right,), (left,)))
    >>> next(transition_graphs(flip)).edges
    ((0, 1, 1), (1, 0, 0))

    Notes
    -----
    When this fails: it does not; its questions are linear programs over the rationals.
    """

    A: tuple[fmpq_mat, ...]
    cones: tuple[tuple[Cone, ...], ...]

    @property
    def dimension(self) -> int:
        """Number of coordinates of the state."""
        return int(self.A[0].nrows())

    def product(self, word: Word) -> fmpq_mat:
        """Return ``A_w``, the first letter acting first."""
        result = identity(self.dimension)
        for letter in word:
            result = self.A[letter] * result
        return result

    def words(self, *, max_words: int = _MAX_WORDS, time_limit: float = math.inf) -> Iterator[tuple[Word, ...]]:
        """Yield the possible words of length 1, of length 2, and so on, each tuple in alphabetical order.

        Parameters
        ----------
        max_words : int
            The walk ends before a length of which there are more words.
        time_limit : float
            Seconds after which it ends.

        Yields
        ------
        tuple of Word

        Examples
        --------
        >>> right, left = Cone((), ((fmpq(1),),)), Cone((), ((fmpq(-1),),))
        >>> halves = ConewiseLinear((fmpq_mat([[-1]]), fmpq_mat([[fmpq(1, 2)]])), ((right,), (left,)))
        >>> lengths = halves.words()
        >>> next(lengths), next(lengths)
        (((0,), (1,)), ((0, 1), (1, 1)))

        Notes
        -----
        A word is looked at only when the words without its first and without its last letter are possible. When this
        fails: where cones meet in many ways, there are as many words as pieces allow.
        """
        deadline = time.monotonic() + time_limit
        start = _Reached(identity(self.dimension), (_Branch((), (), ()),))
        level: dict[Word, _Reached] = {(): start}
        while level:
            following: dict[Word, _Reached] = {}
            for word, reached in level.items():
                for letter in range(len(self.A)):
                    if time.monotonic() > deadline or len(following) >= max_words:
                        return
                    if (*word, letter)[1:] in level:
                        further = self._extended(reached, letter)
                        if further.branches:
                            following[(*word, letter)] = further
            level = following
            yield tuple(level)

    def _extended(self, reached: _Reached, letter: int) -> _Reached:
        """What follows a word and then a letter: displacements in a cone of the letter that it does not send to 0."""
        image = self.A[letter] * reached.image
        branches = []
        for branch in reached.branches:
            for cone in self.cones[letter]:
                equalities = _merged(branch.equalities, pulled_back(cone.equalities, reached.image))
                inequalities = _merged(branch.inequalities, pulled_back(cone.inequalities, reached.image))
                points = [
                    d for d in branch.points if _holds(d, equalities, inequalities) and _sends_elsewhere(image, d)
                ]
                if not points:
                    points = _moved(equalities, inequalities, image)
                if points:
                    branches.append(_Branch(equalities, inequalities, tuple(points)))
        return _Reached(image, tuple(branches))


@dataclass(frozen=True)
class Transitions:
    """The graph of possible words of a length: its nodes remember the last `memory` letters.

    Attributes
    ----------
    memory : int
    nodes : tuple of Word
        Possible words of length `memory`, in alphabetical order; only those that paths of any length reach and leave.
    edges : tuple of (source, letter, target)
        One for each possible word of one more letter: from the node of its first letters, by its last letter, to the
        node of its last letters. None when no word can be continued for ever.
    """

    memory: int
    nodes: tuple[Word, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, memory: int, words: Sequence[Word]) -> Transitions:
        """Return the graph whose edges are given words of one letter more than the memory, without dead ends."""
        kept = _without_dead_ends(words)
        nodes = tuple(sorted({word[:-1] for word in kept}))
        place = {node: index for index, node in enumerate(nodes)}
        edges = tuple((place[word[:-1]], word[-1], place[word[1:]]) for word in sorted(kept))
        return cls(memory, nodes, edges)


def transition_graphs(
    local: ConewiseLinear, *, max_words: int = _MAX_WORDS, time_limit: float = math.inf
) -> Iterator[Transitions]:
    """Yield the graphs of possible transitions with memory 1, 2, 3 and so on.

    Parameters
    ----------
    local : ConewiseLinear
    max_words, time_limit
        As for `ConewiseLinear.words`.

    Yields
    ------
    Transitions
        Each allows at most the infinite words that the one before it allows; none follows one without edges.

    Examples
    --------
    >>> right, left = Cone((), ((fmpq(1),),)), Cone((), ((fmpq(-1),),))
    >>> halves = ConewiseLinear((fmpq_mat([[-1]]), fmpq_mat([[fmpq(1, 2)]])), ((right,), (left,)))
    >>> next(transition_graphs(halves))
    Transitions(memory=1, nodes=((1,),), edges=((0, 1, 0),))

    Notes
    -----
    Iterates that converge to the fixed point without reaching it follow a path of every one of these graphs, from some
    step on. When this fails: see `ConewiseLinear.words`.
    """
    for memory, words in enumerate(local.words(max_words=max_words, time_limit=time_limit)):
        if memory > 0:
            graph = Transitions.of(memory, words)
            yield graph
            if not graph.edges:
                return


def _without_dead_ends(words: Sequence[Word]) -> list[Word]:
    """The words that begin where one ends, and end where one begins."""
    kept = list(words)
    while True:
        sources, targets = {word[:-1] for word in kept}, {word[1:] for word in kept}
        through = [word for word in kept if word[1:] in sources and word[:-1] in targets]
        if len(through) == len(kept):
            return kept
        kept = through


@dataclass(frozen=True)
class _Branch:
    """The displacements that follow a word through one choice of cones, and some that it does not send to 0."""

    equalities: tuple[Row, ...]
    inequalities: tuple[Row, ...]
    points: tuple[Row, ...]


@dataclass(frozen=True)
class _Reached:
    """Where a word leads: its product, and the displacements that follow it."""

    image: fmpq_mat
    branches: tuple[_Branch, ...]


def _moved(equalities: Sequence[Row], inequalities: Sequence[Row], image: fmpq_mat) -> list[Row]:
    """A displacement of a cone that a matrix does not send to 0, if there is one."""
    for row in map(tuple, entries(image)):
        for signed in (row, tuple(-c for c in row)):
            outcome = feasible_point(
                [(equality, 0) for equality in equalities],
                [(inequality, 0) for inequality in inequalities],
                [(signed, 0)],
                len(row),
            )
            if isinstance(outcome, Feasible):
                return [outcome.point]
    return []


def pulled_back(rows: Sequence[Row], image: fmpq_mat) -> list[Row]:
    """Write the rows as functions of what an earlier displacement was.

    Parameters
    ----------
    rows : sequence of Row
        Linear functions of a displacement.
    image : fmpq_mat
        It is this matrix times the earlier one.

    Returns
    -------
    list of Row

    Examples
    --------
    >>> pulled_back([(fmpq(1), fmpq(1))], fmpq_mat([[1, 2], [3, 4]]))
    [(4, 6)]
    """
    return [tuple((fmpq_mat([list(row)]) * image).entries()) for row in rows]


def _merged(rows: tuple[Row, ...], further: Sequence[Row]) -> tuple[Row, ...]:
    """All rows that say something, each up to a positive factor once."""
    return tuple(dict.fromkeys([*rows, *(primitive(row) for row in further if any(row))]))


def _holds(d: Row, equalities: Sequence[Row], inequalities: Sequence[Row]) -> bool:
    return all(_dot(row, d) == 0 for row in equalities) and all(_dot(row, d) >= 0 for row in inequalities)


def _sends_elsewhere(image: fmpq_mat, d: Row) -> bool:
    return any((image * fmpq_mat(len(d), 1, list(d))).entries())


def _dot(row: Row, d: Row) -> fmpq:
    return sum((a * b for a, b in zip(row, d, strict=True)), fmpq(0))


# -- from a map to its cones -------------------------------------------------------------------------------------------


def is_affine_in_state(piece: SmoothPiece, at: Mapping[sp.Symbol, sp.Expr], state: Sequence[sp.Symbol]) -> bool:
    """Decide whether a piece is affine in the state, once the parameters have their values.

    Parameters
    ----------
    piece : SmoothPiece
    at : mapping from parameters to numbers
    state : sequence of symbols

    Returns
    -------
    bool
        False may also mean that sympy does not see it.
    """
    return not any(sp.expand(entry).has(*state) for entry in piece.jacobian[:, : len(state)].subs(at))


def conewise_linear(
    map_: SymbolicMap, point: FixedPoint, pieces: Sequence[Piece], active: Sequence[Piece]
) -> ConewiseLinear:
    """Describe a map near its fixed point, the parameters fixed, by linear maps on cones.

    Parameters
    ----------
    map_ : SymbolicMap
    point : FixedPoint
    pieces : sequence of Piece
        Those that the letters stand for: the selection set at the point, or more.
    active : sequence of Piece
        Every piece that the map can take near the point.

    Returns
    -------
    ConewiseLinear
        With a letter for each of the pieces.

    Raises
    ------
    UnknownError
        When a piece or a guard is not affine in the state near the point, or irrational, or when two active pieces
        differ where their cones meet, so that the map may jump.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> halved = SymbolicMap([x], [sp.Abs(x) / 2])
    >>> at = FixedPoint({x: sp.Integer(0)}, {})
    >>> local = conewise_linear(halved, at, halved.selection(at.point).pieces, halved.active(at.point))
    >>> local.A, [cone.inequalities for cones in local.cones for cone in cones]
    (([1/2], [-1/2]), [((1,),), ((-1,),)])

    Notes
    -----
    When this fails: with curved pieces or guards the words depend on more than directions.
    """
    if len(active) > _MAX_PIECES:
        raise UnknownError(
            f"more than {_MAX_PIECES} pieces meet at the fixed point; their transitions are not computed"
        )
    reader = _ConeReader(map_, point)
    _require_continuity([(str(piece.signature), rational_matrix(piece.A, "A"), reader(piece)) for piece in active])
    pairs = [(rational_matrix(piece.A, "A"), rational_matrix(piece.B, "B")) for piece in pieces]
    cones: list[list[Cone]] = [[] for _ in pieces]
    for pair, piece in zip(pairs, pieces, strict=True):
        cones[pairs.index(pair)].append(reader(piece))
    return ConewiseLinear(tuple(A for A, _ in pairs), tuple(map(tuple, cones)))


class _ConeReader:
    """Reads off the closed cone of a piece: the guards that tie at the fixed point, the parameters fixed."""

    def __init__(self, map_: SymbolicMap, point: FixedPoint) -> None:
        self.map, self.at, self.state = map_, point.at, map_.state
        self.sign_of = SignsAt(point.point)
        self.rows: dict[sp.Expr, Row] = {}

    def __call__(self, piece: Piece) -> Cone:
        smooth = self.map.piece(piece.signature)
        if not is_affine_in_state(smooth, self.at, self.state):
            raise UnknownError(f"piece {piece.signature} is not affine in the state, and words depend on that")
        equalities, inequalities, is_solid = [], [], True
        for seen, guard in smooth.conditions:
            if self.sign_of(guard) != 0 or sp.expand(guard).is_zero:
                continue
            row = self.slope(guard)
            if not any(row):
                is_solid = False
            elif seen == 0:
                equalities.append(row)
            else:
                inequalities.append(tuple(seen * c for c in row))
        return Cone(tuple(dict.fromkeys(equalities)), tuple(dict.fromkeys(inequalities)), is_solid)

    def slope(self, guard: sp.Expr) -> Row:
        """The derivatives of a guard in the state; it must be affine there."""
        if guard not in self.rows:
            slopes = [sp.expand(sp.diff(guard.subs(self.at), v)) for v in self.state]
            if any(slope.has(*self.state) for slope in slopes):
                raise UnknownError(f"the guard `{guard}` is not affine in the state, and words depend on that")
            self.rows[guard] = primitive([rational(slope, "a slope of a guard") for slope in slopes])
        return self.rows[guard]


def _require_continuity(pieces: Sequence[tuple[str, fmpq_mat, Cone]]) -> None:
    """Require that pieces agree where their closed cones meet."""
    for (name, A, cone), (other_name, other_A, other) in combinations(pieces, 2):
        equalities, inequalities = cone.equalities + other.equalities, cone.inequalities + other.inequalities
        if A != other_A and _moved(equalities, inequalities, A - other_A):
            raise UnknownError(f"near the fixed point pieces {name} and {other_name} differ where they meet: a jump")
