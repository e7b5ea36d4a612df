"""What a search looks at: units of work, numbered 0, 1, 2, ..., each a function of its number and the seed alone.

So the result does not depend on how many workers there are, or on the order in which they finish.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq

from piggycheck.errors import InputError
from piggycheck.linalg import simplest_between
from piggycheck.search.family import Choices, Family, Range
from piggycheck.search.scores import SCORES

__all__ = ["STRATEGIES", "Unit", "near", "random_values", "simplest_first", "units"]

CLIMB = 32
"""How many members a unit of a guided search looks at."""

_LARGEST_DENOMINATOR = 64


@dataclass(frozen=True)
class Unit:
    """A unit of work.

    Attributes
    ----------
    number : int
    members : tuple of dict
        The members to look at; for a climb, where it starts.
    task : str
        ``"decide"`` to prove each; ``"screen"`` to prove those with good scores; ``"climb"`` to improve the score.
    evaluations : int
        At most so many members are looked at.
    """

    number: int
    members: tuple[dict[str, str], ...]
    task: str
    evaluations: int


def units(family: Family, strategy: str, seed: int, evaluations: int | None) -> Iterator[Unit]:
    """Yield the units of work of a search.

    Parameters
    ----------
    family : Family
    strategy : "grid", "random" or "guided"
        All values by growing denominators; random ones; or both in turn, by floating-point scores first.
    seed : int
    evaluations : int or None
        How many members are looked at, None for no end.

    Raises
    ------
    InputError
        When there is no such strategy, or nothing that would guide it.

    Examples
    --------
    >>> family = Family({"map": {"state": ["x"], "next": ["a*x"]}, "unknowns": {"a": {"range": [0, 1]}}})
    >>> [unit.members[0]["a"] for unit in units(family, "grid", 0, 7)]
    ['0', '1', '1/2', '1/3', '2/3', '1/4', '3/4']
    """
    if strategy not in STRATEGIES:
        raise InputError(f"strategy `{strategy}`: write {', '.join(STRATEGIES)}")
    return STRATEGIES[strategy](family, seed, math.inf if evaluations is None else evaluations)


def _grid(family: Family, seed: int, evaluations: float) -> Iterator[Unit]:
    for number, values in enumerate(simplest_first(family)):
        if number >= evaluations:
            return
        yield Unit(number, (values,), "decide", 1)


def _random(family: Family, seed: int, evaluations: float) -> Iterator[Unit]:
    for number in itertools.count():
        if number >= evaluations:
            return
        yield Unit(number, (random_values(family, seed, number),), "decide", 1)


def _guided(family: Family, seed: int, evaluations: float) -> Iterator[Unit]:
    claims = family.table.get("claim", [])
    if not any(claim.get("kind") in SCORES for claim in claims if isinstance(claim, dict)):
        raise InputError(
            f"{family.file}: no claim of the family has a score that could guide a search (those of "
            f"{', '.join(SCORES)} have); write --strategy grid or --strategy random"
        )
    members = simplest_first(family)
    left = evaluations
    for number in itertools.count():
        size = int(min(CLIMB, left))
        left -= size
        if size < 1:
            return
        chunk = tuple(itertools.islice(members, size)) if number % 2 == 0 else ()
        if chunk:
            yield Unit(number, chunk, "screen", len(chunk))
        else:
            yield Unit(number, (random_values(family, seed, number),), "climb", size)


STRATEGIES = {"grid": _grid, "random": _random, "guided": _guided}
"""The strategies by name."""


def random_values(family: Family, seed: int, number: int) -> dict[str, str]:
    """Return random values, the same ones for the same seed and number; denominators are at most 64 where they can be.

    Examples
    --------
    >>> family = Family({"map": {"state": ["x"], "next": ["a*x"]}, "unknowns": {"a": {"range": ["1/2", "1/2"]}}})
    >>> random_values(family, 1, 0)
    {'a': '1/2'}
    """
    generator = random.Random(f"piggycheck {seed} {number}")
    return {name: _random_number(generator, unknown) for name, unknown in family.unknowns.items()}


def _random_number(generator: random.Random, unknown: Range | Choices) -> str:
    if isinstance(unknown, Choices):
        return generator.choice(unknown.values)
    denominator = generator.randint(1, _LARGEST_DENOMINATOR)
    low, high = int((unknown.low * denominator).ceil()), int((unknown.high * denominator).floor())
    if low > high:
        width = unknown.high - unknown.low
        value = unknown.low + width * fmpq(generator.randint(0, 2**16), 2**16)
        return str(near(unknown, value, width / _LARGEST_DENOMINATOR))
    return str(fmpq(generator.randint(low, high), denominator))


def near(unknown: Range, value: fmpq, distance: fmpq) -> fmpq:
    """Return the simplest number of a range that is at most so far from a value of it."""
    return simplest_between(max(unknown.low, value - distance), min(unknown.high, value + distance))


def simplest_first(family: Family) -> Iterator[dict[str, str]]:
    """Yield all members with rational values, by the largest denominator in them, and then by size.

    It ends where all unknowns are choices. A choice counts with its own denominator.
    """
    names, unknowns = list(family.unknowns), list(family.unknowns.values())
    levels: list[list[list[str]]] = [[] for _ in unknowns]
    for bound in itertools.count(1):
        for values, unknown in zip(levels, unknowns, strict=True):
            values.append(_of_denominator(unknown, bound))
        for values in _shell(levels):
            yield dict(zip(names, values, strict=True))
        if all(isinstance(u, Choices) or u.low == u.high for u in unknowns) and bound >= _last_level(unknowns):
            return


def _shell(levels: Sequence[Sequence[Sequence[str]]]) -> Iterator[tuple[str, ...]]:
    """The tuples in which the last level is the largest that occurs, each once."""
    for first in range(len(levels)):
        before = [list(itertools.chain(*values[:-1])) for values in levels[:first]]
        after = [list(itertools.chain(*values)) for values in levels[first + 1 :]]
        yield from itertools.product(*before, levels[first][-1], *after)


def _of_denominator(unknown: Range | Choices, denominator: int) -> list[str]:
    if isinstance(unknown, Choices):
        return [value for index, value in enumerate(unknown.values) if _level(value, index) == denominator]
    low, high = int((unknown.low * denominator).ceil()), int((unknown.high * denominator).floor())
    return [str(fmpq(n, denominator)) for n in range(low, high + 1) if math.gcd(n, denominator) == 1]


def _level(value: str, index: int) -> int:
    """At which level a choice is taken: that of its denominator, or of its place in the list where this is sooner."""
    try:
        return min(Fraction(value).denominator, index + 1)
    except ValueError:
        return index + 1


def _last_level(unknowns: Sequence[Range | Choices]) -> int:
    last = [1]
    for unknown in unknowns:
        if isinstance(unknown, Choices):
            last += [_level(value, index) for index, value in enumerate(unknown.values)]
        else:
            last.append(int(unknown.low.q))
    return max(last)
