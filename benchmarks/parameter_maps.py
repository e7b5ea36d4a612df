"""Time certified maps of parameter space on one and more workers, and compare them with a dense scan in plain numpy.

The scan proves nothing. At random members of a grid it bounds the joint spectral radius in floating point by all
products of a length: from below by their spectral radii, from above by their norms. A cell that converges while some
product grows, or that diverges while all norms are below 1, would contradict it.
"""

from __future__ import annotations

import argparse
import time
from fractions import Fraction

import numpy as np
from flint import fmpq

from piggycheck import checker
from piggycheck.linalg import as_float
from piggycheck.regions import ParameterMap, parameter_map
from piggycheck.search import READY, load_family, processes

FAMILIES = ("heavy-ball-step-and-momentum", "nesterov-step-and-momentum")
LENGTH = 14


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=FAMILIES)
    parser.add_argument("--smallest", type=Fraction, default=Fraction(1, 128))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--points", type=int, default=100, help="of the scan, in each direction")
    arguments = parser.parse_args()
    smallest = fmpq(arguments.smallest.numerator, arguments.smallest.denominator)
    for name in arguments.families:
        print(name)
        for workers in arguments.workers:
            with processes(workers) as executor:
                executor.submit(int).result()
                start = time.perf_counter()
                map_ = parameter_map(load_family(READY[name]), executor, smallest=smallest, workers=workers)
                took = time.perf_counter() - start
            rate = len(map_.cells) / took
            print(f"  {workers} workers: {took:.1f} s, {len(map_.cells)} cells, {rate:.0f} cells decided per second")
        start = time.perf_counter()
        checker.check(map_.certificate().content)
        print(f"  checked in {time.perf_counter() - start:.1f} s")
        print(f"  decided where no piece is proved unstable: {as_float(map_.decided):.4f}")
        print(f"  {scan(map_, arguments.points)}")


def scan(map_: ParameterMap, points: int) -> str:
    """Compare cells with random members of a grid."""
    chosen = np.random.default_rng(1)
    (a, b), (c, d) = (tuple(as_float(end) for end in ends) for ends in map_.pieces.box)
    places = {(cell.level, cell.column, cell.row): evidence.verdict for cell, evidence in map_.cells.items()}
    looked = contradictions = 0
    for i in range(points):
        s, t = (i + chosen.random(points)) / points, (np.arange(points) + chosen.random(points)) / points
        verdicts = np.array([verdict_at(places, map_.levels, u, v) for u, v in zip(s, t, strict=True)])
        members = np.array([matrices(map_, a + (b - a) * u, c + (d - c) * v) for u, v in zip(s, t, strict=True)])
        lower, upper = bounds(members)
        converges = verdicts == "converges"
        diverges = (verdicts == "diverges") | (verdicts == "unstable")
        looked += int(converges.sum() + diverges.sum())
        contradictions += int((lower[converges] > 1 + 1e-9).sum() + (upper[diverges] < 1 - 1e-9).sum())
    return f"dense scan: {looked} members of decided cells, {contradictions} contradictions"


def verdict_at(places: dict[tuple[int, int, int], str], levels: int, u: float, v: float) -> str:
    for level in range(levels + 1):
        found = places.get((level, int(u * 2**level), int(v * 2**level)))
        if found is not None:
            return found
    return "undecided"


def matrices(map_: ParameterMap, x: float, y: float) -> list[list[list[float]]]:
    return [
        [[sum(as_float(c) * x**i * y**j for (i, j), c in p.terms.items()) for p in row] for row in M]
        for M in map_.pieces.letters
    ]


def bounds(members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = members.shape[-1]
    products, lower = members, np.zeros(len(members))
    for length in range(1, LENGTH + 1):
        if length > 1:
            products = (members[:, None] @ products[:, :, None]).reshape(len(members), -1, n, n)
        radii = np.abs(np.linalg.eigvals(products)).max(axis=(1, 2))
        lower = np.maximum(lower, radii ** (1 / length))
    return lower, np.linalg.norm(products, axis=(-2, -1)).max(axis=1) ** (1 / LENGTH)


if __name__ == "__main__":
    main()
