"""Time approximations of piggyback sets, their bounds and random points, beside plain numpy in the same process.

The plain versions prove nothing: a subdivision of words in floating point that splits all cells that look too large,
one walker after the other, and the largest value over random points. A ratio is the median of the rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from piggycheck.limits import approximate, attractor_points, contracting, membership, outer_box
from piggycheck.switched import SwitchedSystem

RADIUS = 1e-3
MOST_CELLS = 20_000_000
SYSTEMS = {
    "Sierpinski triangle, contraction 1/2": (
        [[["1/2", 0], [0, "1/2"]]] * 3,
        [[[0], [0]], [["1/2"], [0]], [["1/4"], ["1/2"]]],
    ),
    "three turns, contraction 0.6": (
        [[["12/25", "-9/25"], ["9/25", "12/25"]], [["3/5", 0], [0, "-3/5"]], [[0, "3/5"], ["-3/5", 0]]],
        [[[1], [0]], [[0], [1]], [[-1], ["1/2"]]],
    ),
    "three turns, contraction 0.7": (
        [[["14/25", "-21/50"], ["21/50", "14/25"]], [["7/10", 0], [0, "-7/10"]], [[0, "7/10"], ["-7/10", 0]]],
        [[["1/2"], [0]], [[0], ["1/2"]], [["-1/2"], ["1/4"]]],
    ),
    "three shears, contraction 0.8": (
        [[["4/5", "1/4"], [0, "1/4"]], [["1/4", 0], ["1/3", "3/4"]], [["1/2", "-1/2"], ["1/4", "1/2"]]],
        [[["1/4"], [0]], [[0], ["1/4"]], [["-1/4"], ["1/4"]]],
    ),
}


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = run()
    return time.perf_counter() - start, found


def floats(matrices: Any) -> np.ndarray:
    return np.array([[[float(x) for x in row] for row in M.table()] for M in matrices])


def plain_subdivision(A: np.ndarray, B: np.ndarray, size: float) -> int | None:
    """Split all words whose product is larger than the radius, breadth first; None when they are too many."""
    M, b, count = np.eye(2)[None], np.zeros((1, 2, 1)), 0
    while len(M):
        M, b = (M[:, None] @ A[None]).reshape(-1, 2, 2), (M[:, None] @ B[None] + b[:, None]).reshape(-1, 2, 1)
        large = np.linalg.norm(M, axis=(1, 2)) * size > RADIUS
        count += int((~large).sum())
        M, b = M[large], b[large]
        if len(M) * len(A) + count > MOST_CELLS:
            return None
    return count


def plain_points(A: np.ndarray, B: np.ndarray, count: int) -> np.ndarray:
    """One walker, one step after the other."""
    random = np.random.default_rng(0)
    letters = random.integers(len(A), size=count)
    found, x = np.empty((count, 2, 1)), np.zeros((2, 1))
    for k, letter in enumerate(letters):
        x = A[letter] @ x + B[letter]
        found[k] = x
    return found


def refinement(name: str, system: SwitchedSystem, rounds: int) -> None:
    contraction = contracting(system)
    A, B = floats(system.A), floats(system.B)
    spread = np.ptp(attractor_points(contraction, 10_000), axis=0)
    size = float(np.linalg.norm(spread)) / 2
    times, plain, cells = [], [], None
    for _ in range(rounds):
        duration, found = seconds(lambda: approximate(contraction, "1/1000"))
        times.append(duration)
        duration, cells = seconds(lambda: plain_subdivision(A, B, size))
        plain.append(duration)
    ratio = median(a / b for a, b in zip(times, plain, strict=True))
    kind = "boxes" if found.boxes else "words"
    beside = f"{cells} cells" if cells is not None else f"stopped at {MOST_CELLS}"
    print(f"{name:<40} {median(times):7.2f} s  {len(found.points):>8} {kind}, radius {found.radius:.2e}")
    print(f"{'':<40} {ratio:7.2f} times plain numpy ({beside})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything runs")
    parser.add_argument("--points", type=int, default=1_000_000, help="how many random points")
    options = parser.parse_args()
    print(f"Refinement to a proved radius of {RADIUS}")
    for name, (A, B) in SYSTEMS.items():
        refinement(name, SwitchedSystem.from_rows(A, B), options.rounds)
    system = SwitchedSystem.from_rows(*SYSTEMS["three turns, contraction 0.6"])
    contraction, A, B = contracting(system), floats(system.A), floats(system.B)
    few = max(options.points // 20, 1)
    ours = median(seconds(lambda: attractor_points(contraction, options.points))[0] for _ in range(options.rounds))
    plain = median(seconds(lambda: plain_points(A, B, few))[0] * options.points / few for _ in range(options.rounds))
    print(f"{options.points} random points: {ours:.2f} s, {ours / plain:.3f} times one walker in numpy")
    boxed = median(seconds(lambda: outer_box(contraction))[0] for _ in range(options.rounds))
    print(f"box proved to 1/1000: {1e3 * boxed:.0f} ms, {boxed / ours:.2f} times the random points")
    asked = median(seconds(lambda: membership(contraction, contraction.centre))[0] for _ in range(options.rounds))
    print(
        f"membership of the centre: {1e3 * asked:.0f} ms, {type(membership(contraction, contraction.centre)).__name__}"
    )


if __name__ == "__main__":
    main()
