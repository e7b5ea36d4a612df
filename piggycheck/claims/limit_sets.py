"""What claims about limit sets share: which systems have them, how fields are read, what is said of the hull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.claims.subject import Subject
from piggycheck.derivation import BallStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.limits import Contraction, inner_product
from piggycheck.roots import root_upper
from piggycheck.switched import SwitchedSystem, Word

__all__ = [
    "all_pairs",
    "ball_step",
    "ball_witness",
    "bound_on_cell",
    "of_the_set",
    "on_all_pieces",
    "read_hull",
    "require_all_words",
    "require_columns",
    "require_numbers",
    "require_shape",
    "system_of",
    "uses_undecided",
    "where",
]


def require_all_words(subject: Subject, kind: str) -> None:
    """Require that every word may follow every other, and that the matrices are known exactly.

    Raises
    ------
    UnknownError
        When a graph constrains the words, or a matrix is only known between bounds.
    """
    if subject.system.graph:
        raise UnknownError(f"the words are constrained by a graph, and `{kind}` is about all words; remove `graph`")
    if not subject.system.is_certain:
        raise UnknownError(f"matrices are known only between bounds, and `{kind}` needs them exactly")


def system_of(subject: Subject, kind: str) -> SwitchedSystem:
    """Return the pairs that a claim about limit sets is about.

    Returns
    -------
    SwitchedSystem

    Raises
    ------
    InputError
        When the map has no parameters, or the matrices B no columns.
    UnknownError
        When the pairs are not known exactly, or a graph constrains their words.
    """
    subject.require_parameters(kind)
    require_columns(subject, kind)
    require_all_words(subject, kind)
    return subject.system


def require_columns(subject: Subject, kind: str) -> None:
    """Require that something is differentiated.

    Raises
    ------
    InputError
        When the matrices B have no columns.
    """
    if subject.system.columns == 0:
        raise InputError(f"claim `{kind}`: `B` has no columns, so nothing is differentiated; write one at least")


def require_numbers(subject: Subject, kind: str) -> None:
    """Require that the sets consist of numbers.

    Raises
    ------
    InputError
        When they consist of matrices.
    """
    shape = (subject.system.dimension, subject.system.columns)
    if shape != (1, 1):
        raise InputError(
            f"claim `{kind}` is about sets of numbers, and these derivatives are matrices of {shape[0]} rows and "
            f"{shape[1]} columns; ask for `piggyback_bounds`"
        )


def require_shape(X: fmpq_mat, subject: Subject, what: str) -> None:
    """Require that a matrix has the shape of the derivatives; `what` is the field that holds it.

    Raises
    ------
    InputError
        When it has another.
    """
    shape = (subject.system.dimension, subject.system.columns)
    if (X.nrows(), X.ncols()) != shape:
        raise InputError(
            f"{what}: {X.nrows()} rows and {X.ncols()} columns; write a matrix of {shape[0]} rows and "
            f"{shape[1]} columns"
        )


def read_hull(value: Any, kind: str) -> bool:
    """Read the field `hull`.

    Raises
    ------
    InputError
        When it is neither true nor false.

    Examples
    --------
    >>> read_hull(True, "implicit_is_strict")
    True
    """
    if not isinstance(value, bool):
        raise InputError(f"hull of `{kind}`: `{str(value)[:60]}` is neither true nor false; write hull = true")
    return value


def where(subject: Any) -> str:
    """Say at which point a claim is about sets; nothing of a switched system."""
    return "" if subject.given is not None else f" at {subject.named_point}"


def of_the_set(subject: Any, hull: bool) -> str:
    """Say of which set of pairs the limit sets are, and where; nothing of the pairs themselves of a switched system."""
    if not hull:
        return where(subject)
    return " of the convex hull of the pairs" + where(subject)


def uses_undecided(subject: Subject, letters: Sequence[int]) -> bool:
    """Whether some of the letters stand for pieces whose activity is undecided."""
    return not set(letters) <= set(subject.essential)


def all_pairs(subject: Subject, what: str) -> None:
    """Require that the selection set is known.

    Raises
    ------
    UnknownError
        When the activity of a piece is undecided; `what` is what cannot be said then.
    """
    if len(subject.essential) < len(subject.system):
        undecided = len(subject.system) - len(subject.essential)
        raise UnknownError(f"the activity of {undecided} of {len(subject.system)} pieces is undecided, and {what}")


def on_all_pieces(subject: Subject, weights: Sequence[fmpq]) -> tuple[fmpq, ...]:
    """Extend weights of the pieces proved essentially active by zeros for the others."""
    by_letter = dict(zip(subject.essential, weights, strict=True))
    return tuple(by_letter.get(letter, fmpq(0)) for letter in range(len(subject.system)))


def ball_witness(contraction: Contraction) -> dict[str, Any]:
    """Return the tree and the ball around the piggyback set, as certificates hold them."""
    return {**contraction.tree.witness(), **contraction.ball()}


def ball_step(contraction: Contraction) -> BallStep:
    """Record the ball around the piggyback set; of numbers in the usual norm, as an interval."""
    c, R = contraction.centre, contraction.radius
    interval = (c[0, 0] - R, c[0, 0] + R) if (c.nrows(), c.ncols()) == (1, 1) and contraction.P[0, 0] == 1 else None
    core = None if contraction.core is None else contraction.core.radius
    return BallStep(c, R, contraction.tree.is_quadratic, core, interval)


def bound_on_cell(contraction: Contraction, word: Word, C: fmpq_mat) -> fmpq:
    """Return an upper bound on ``<C, X>`` over the image of the ball under the letters of a word."""
    A, B = contraction.system.product(word)
    reach = contraction.radius**2 * contraction.reach_squared(A.transpose() * C)
    return inner_product(C, A * contraction.centre + B) + root_upper(reach, 2)
