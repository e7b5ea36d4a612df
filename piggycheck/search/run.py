"""Running a search: units of work given to an executor, their results recorded, and the simplest instances returned."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from piggycheck.errors import InputError, UnknownError
from piggycheck.search.decide import Check, Decision
from piggycheck.search.executors import Here, completed
from piggycheck.search.family import Family
from piggycheck.search.likeness import distinct
from piggycheck.search.plan import random_values, simplest_first, units
from piggycheck.search.simplify import simplified
from piggycheck.search.store import Store
from piggycheck.search.work import Work

__all__ = ["Result", "search"]

KEEP = 10
"""How many instances are simplified and returned."""

_ATTEMPTS = 8


@dataclass(frozen=True)
class Result:
    """What a search has found.

    Attributes
    ----------
    found : tuple of Decision
        The simplest instances, no two alike up to scaling, each simplified.
    proved : int
        How many members were proved before that.
    evaluations : int
        How many members were looked at.
    outcomes : dict from texts to numbers
        What became of those that were to be proved.
    failure : str
        What the program failed at, if it did.
    interrupted : bool
        Whether it was ended from outside.
    """

    found: tuple[Decision, ...]
    proved: int
    evaluations: int
    outcomes: dict[str, int] = field(default_factory=dict)
    failure: str = ""
    interrupted: bool = False


def search(
    family: Family,
    check: Check,
    executor: Executor | None = None,
    *,
    strategy: str = "guided",
    seed: int = 0,
    evaluations: int | None = 1000,
    seconds: float | None = None,
    time_limit: float = 10.0,
    workers: int = 1,
    results: Path | None = None,
    resume: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Result:
    """Look for members of a family of which all claims can be proved.

    Parameters
    ----------
    family : Family
    check : callable
        The independent check of a certificate, ``piggycheck.checker.check``.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process does when there is none.
    strategy : "grid", "random" or "guided"
    seed : int
    evaluations : int or None
        How many members are looked at.
    seconds : float or None
        After which no more members are looked at; what was found is then simplified, for as long again at most.
    time_limit : float
        Seconds for each claim of each member.
    workers : int
        How many the executor has; twice as many units are given to it at a time.
    results : Path, optional
        An SQLite file, which gets each finished unit at once.
    resume : bool
        Whether to continue what is in that file.
    progress : callable, optional
        Is given a text that says how far it is.

    Returns
    -------
    Result
        When interrupted by Ctrl-C, what was found until then.

    Raises
    ------
    InputError
        When the family, the strategy or the file cannot be used, or the workers are gone.

    Examples
    --------
    >>> from piggycheck import checker
    >>> family = Family({
    ...     "switched": {"A": [[["a"]], [["b"]]], "B": [[["1"]], [["1"]]]},
    ...     "unknowns": {"a": {"range": [0, 2]}, "b": {"choices": ["1/2"]}},
    ...     "claim": [{"kind": "diverges"}],
    ... })
    >>> [decision.values for decision in search(family, checker.check, evaluations=40).found]
    [{'a': '2', 'b': '1/2'}, {'a': '3/2', 'b': '1/2'}]

    Notes
    -----
    When this fails: whether a member is proved may depend on `time_limit` and so on the machine; the rest depends on
    the family, the strategy, the seed and the number of evaluations alone.
    """
    require_members(family, seed)
    heading = {"family": family.hash, "strategy": strategy, "seed": str(seed), "time limit": f"{time_limit:g}"}
    plan = units(family, strategy, seed, evaluations)
    store = Store(results, heading, resume=resume)
    work = Work(family, check, time_limit)
    run = _Run(store, executor or Here(), 2 * workers, progress or (lambda text: None))
    interrupted = False
    try:
        try:
            run.search(work, plan, evaluations, seconds)
            found = run.simplify(work, math.inf if seconds is None else time.time() + seconds)
        except KeyboardInterrupt:
            interrupted = True
            found = list(islice(distinct(_found(store)), KEEP))
        return _result(store, found, interrupted)
    finally:
        store.close()


def require_members(family: Family, seed: int) -> None:
    """Raise what reading a member raises, when that of no member tried succeeds."""
    tried = [*islice(simplest_first(family), _ATTEMPTS), *(random_values(family, seed, i) for i in range(_ATTEMPTS))]
    first: InputError | None = None
    for values in tried:
        try:
            case = family.member(values)
            if not case.claims:
                raise InputError(f"{family.file}: no claim; write [[claim]] and what is looked for")
            case.subject()
            return
        except UnknownError:
            return
        except InputError as error:
            first = first or error
    if first is not None:
        raise first


class _Run:
    """Gives work to an executor, a few units at a time, and records what comes back."""

    def __init__(self, store: Store, executor: Executor, window: int, progress: Callable[[str], None]):
        self.store, self.executor, self.window, self.progress = store, executor, window, progress

    def search(self, work: Work, plan: Iterator[Any], evaluations: int | None, seconds: float | None) -> None:
        """Do the units that are not done, until the plan or the time ends."""
        known, since, done = dict(self.store.units()), time.monotonic(), 0
        before = sum(result["evaluations"] for result in known.values())
        found = len(_found(self.store))

        def jobs() -> Iterator[tuple[Any, tuple[Any, ...]]]:
            for unit in plan:
                if seconds is not None and time.monotonic() - since >= seconds:
                    return
                # the last unit of a smaller budget may have been allowed less
                if unit.number not in known or known[unit.number].get("allowed", 1) < unit.evaluations:
                    yield unit, (work, unit)

        for unit, result in completed(self.executor, self.window, jobs()):
            self.store.record(unit.number, result["evaluations"], result)
            earlier = known.get(unit.number, {"evaluations": 0, "found": ()})
            done += result["evaluations"] - earlier["evaluations"]
            found += len(result["found"]) - len(earlier["found"])
            elapsed = time.monotonic() - since
            self.progress(_told(before + done, evaluations, seconds, found, done / max(elapsed, 1e-3), elapsed))

    def simplify(self, work: Work, until: float) -> list[Decision]:
        """Simplify the simplest instances, and keep those that differ."""
        chosen = islice(distinct(_found(self.store)), KEEP)
        decisions = {str(sorted(decision.values.items())): decision for decision in chosen}
        kept = {key: result for key in decisions if (result := self.store.kept(key)) is not None}
        waiting = [(key, (_Simplify(work, until), decisions[key])) for key in decisions if key not in kept]
        self.progress(f"simplifying {len(decisions)} found")
        for key, (result, finished) in completed(self.executor, self.window, iter(waiting)):
            kept[key] = result
            if finished:
                self.store.keep(key, result)
            self.progress(f"simplified {len(kept)} of {len(decisions)} found")
        return list(distinct(Decision.of(kept[key]) for key in decisions))


@dataclass(frozen=True)
class _Simplify:
    """Simplifies an instance, in a worker."""

    work: Work
    until: float

    def __call__(self, decision: Decision) -> tuple[dict[str, Any], bool]:
        simple, finished = simplified(self.work, decision, self.until)
        return simple.content(), finished


def _found(store: Store) -> list[Decision]:
    return [Decision.of(content) for _, result in store.units() for content in result["found"]]


def _result(store: Store, found: list[Decision], interrupted: bool) -> Result:
    all_results = [result for _, result in store.units()]
    outcomes: dict[str, int] = {}
    for result in all_results:
        for outcome, count in result["outcomes"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    failures = [failure for result in all_results for failure in result["failures"]]
    return Result(
        tuple(found),
        outcomes.get("found", 0),
        sum(result["evaluations"] for result in all_results),
        dict(sorted(outcomes.items())),
        failures[0] if failures else "",
        interrupted,
    )


def _told(done: int, of: int | None, seconds: float | None, found: int, rate: float, elapsed: float) -> str:
    """How far a search is, at which rate, and how long it may still take."""
    left = [(of - done) / rate] if of is not None and rate > 0 else []
    left += [seconds - elapsed] if seconds is not None else []
    until = f", about {max(0.0, min(left)):.0f} s left" if left else ""
    return f"{done}{'' if of is None else f' of {of}'} members, {found} proved, {rate:.1f} per second{until}"
