"""How many members of a family are decided in a second, with 1, 2, 4, ... workers.

Run with ``python benchmarks/search.py [MEMBERS] [WORKERS...]``. The family is the heavy ball on two slopes; with `grid`
and `random` every member is decided by proof, with `guided` the scores pick those that are.
"""

from __future__ import annotations

import os
import sys
import time

from piggycheck import checker
from piggycheck.search import READY, load_family, processes, search


def main(members: int, counts: list[int]) -> None:
    """Print a table."""
    family = load_family(READY["heavy-ball-two-slopes"])
    print(f"{family.title}: {members} members, {os.cpu_count()} cores")
    print(
        f"{'strategy':10} {'workers':>7} {'seconds':>9} {'per second':>11} {'per second and worker':>22} {'proved':>7}"
    )
    for strategy in ("grid", "random", "guided"):
        for workers in counts:
            with processes(workers) as executor:
                # the workers start, and load what they need, before the time is taken
                search(family, checker.check, executor, strategy="random", evaluations=2 * workers, workers=workers)
                since = time.perf_counter()
                result = search(
                    family, checker.check, executor, strategy=strategy, evaluations=members, workers=workers
                )
                seconds = time.perf_counter() - since
            rate = result.evaluations / seconds
            row = (workers, f"{seconds:.1f}", f"{rate:.1f}", f"{rate / workers:.1f}", result.proved)
            print(f"{strategy:10}" + "".join(f"{entry:>12}" for entry in row), flush=True)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(numbers[0] if numbers else 400, numbers[1:] or [1, 2, 4])
