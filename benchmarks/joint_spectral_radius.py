"""Bound the joint spectral radii of the known families, beside a plain branch and bound in floating point.

The branch and bound is Gripenberg's, in the spectral norm and to the same relative width; it proves nothing. Its time
is given as a multiple of that of the proved bounds, measured in the same process.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from flint import fmpq

from piggycheck.linalg import as_float
from piggycheck.stability import joint_spectral_radius
from piggycheck.stability.floats import float_matrices, spectral_radii, squared_norms

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from jsr_families import FAMILIES

MOST_PRODUCTS = 2_000_000


class Float(NamedTuple):
    """What the branch and bound came to."""

    lower: float
    upper: float
    seconds: float
    nodes: int
    finished: bool


def gripenberg(matrices: np.ndarray, width: float, seconds: float) -> Float:
    """Keep the products whose prefixes all have norms above the best rate found, and a little more.

    G. Gripenberg, Computing the joint spectral radius, Linear Algebra and its Applications 234 (1996).
    """
    start = time.perf_counter()
    products, rates = np.eye(matrices.shape[-1])[None], np.array([np.inf])
    lower, upper, nodes, length = 0.0, np.inf, 0, 0
    while len(products) and len(matrices) * len(products) <= MOST_PRODUCTS and time.perf_counter() - start < seconds:
        length += 1
        products = (matrices[None] @ products[:, None]).reshape(-1, *matrices.shape[1:])
        nodes += len(products)
        rates = np.minimum(np.repeat(rates, len(matrices)), squared_norms(products) ** (0.5 / length))
        lower = max(lower, float(spectral_radii(products).max()) ** (1 / length))
        kept = rates > lower * (1 + width)
        upper = min(upper, max(lower * (1 + width), float(rates.max())))
        products, rates = products[kept], rates[kept]
    return Float(lower, upper, time.perf_counter() - start, nodes, not len(products))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [family.name for family in FAMILIES]
    parser.add_argument("families", nargs="*", metavar="family", help=f"some of {', '.join(names)}; all by default")
    parser.add_argument("--tolerance", default="1/1000", help="relative width at which both stop")
    parser.add_argument("--seconds", type=float, default=60.0, help="limit for each proof")
    parser.add_argument("--float-seconds", type=float, default=10.0, help="limit for each branch and bound")
    options = parser.parse_args()
    unknown = set(options.families) - set(names)
    if unknown:
        parser.error(f"no family is called {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    tolerance = fmpq(*map(int, options.tolerance.split("/")))
    print(
        f"{'family':<29}{'lower':>14}{'upper':>14}  {'method':<26}{'seconds':>8}{'nodes':>9}"
        f"  |{'lower':>11}{'upper':>11}{'nodes':>11}{'time':>13}"
    )
    for family in FAMILIES:
        if not options.families or family.name in options.families:
            print(row(family, tolerance, options.seconds, options.float_seconds), flush=True)


def row(family, tolerance: fmpq, seconds: float, float_seconds: float) -> str:
    start = time.perf_counter()
    bounds = joint_spectral_radius(family.system, tolerance=tolerance, time_limit=seconds)
    taken = time.perf_counter() - start
    lower = as_float(bounds.lower.rate_lower)
    upper = "none" if bounds.upper is None else f"{as_float(bounds.upper.rate):.9f}"
    method = "" if bounds.upper is None else methods(bounds.upper.witness())
    plain = gripenberg(float_matrices(family.system.A), as_float(tolerance), float_seconds)
    ratio = f"{'' if plain.finished else '>'}{plain.seconds / taken:.3g} x"
    return (
        f"{family.name:<29}{lower:>14.9f}{upper:>14}  {method:<26}{taken:>8.3f}{bounds.nodes:>9}"
        f"  |{plain.lower:>11.6f}{plain.upper:>11.6f}{plain.nodes:>11}{ratio:>13}"
    )


def methods(witness) -> str:
    """The kinds of a proof and of those within it, outermost first."""
    inner = [witness["proof"]] if "proof" in witness else [proof for proof in witness.get("proofs", ()) if proof]
    return "/".join([witness["method"], *sorted({methods(proof) for proof in inner})])


if __name__ == "__main__":
    main()
