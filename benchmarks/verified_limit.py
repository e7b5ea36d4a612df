"""Time the verified limit of a Lasso, derivative included, against unverified iterations in JAX, in one process.

JAX runs the same recursion with `lax.scan` and `jvp`, compiled before the clock starts; piggycheck's conversion of the
data is timed apart, as what compilation corresponds to.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from piggycheck.arrays import FLOAT64, BallArrays
from piggycheck.case import load_case
from piggycheck.enclosures import LimitEnclosure, LimitProblem, convergence_from_start, enclose_limit, rate_at

CASE = Path(__file__).resolve().parent.parent / "casebook" / "lasso-500-variables" / "case.toml"
DIRECTIONS = {"penalty": [1]}


def seconds(run: Callable[[], Any]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def jax_run(A: np.ndarray, b: np.ndarray, step: float, penalty: float, count: int) -> Callable[[], Any]:
    """Compile forward-backward with its derivative in the penalty."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    A_, b_ = jnp.array(A), jnp.array(b).ravel()

    def last(penalty: Any) -> Any:
        def advance(x: Any, _: None) -> Any:
            u = x - step * (A_.T @ (A_ @ x - b_))
            return jnp.sign(u) * jnp.maximum(jnp.abs(u) - step * penalty, 0), None

        return jax.lax.scan(advance, jnp.zeros(A.shape[1]), None, length=count)[0]

    compiled = jax.jit(lambda value: jax.jvp(last, (value,), (1.0,)))
    return lambda: jax.block_until_ready(compiled(penalty))


def floats(M: Any) -> np.ndarray:
    """An exact matrix in floating point."""
    return FLOAT64.matrix(M)


def row(name: str, duration: float) -> None:
    """Print a duration."""
    print(f"{name:<52} {1e3 * duration:9.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often both are timed, one after the other")
    parser.add_argument("--iterations", type=int, default=1000, help="how many iterations JAX runs")
    parser.add_argument("--digits", type=int, default=30)
    options = parser.parse_args()
    case = load_case(CASE)
    problem = LimitProblem(case.iteration, case.at)
    converting = seconds(lambda: (problem.over(FLOAT64), problem.over(BallArrays(128))))
    found: list[Any] = []

    def verified() -> None:
        found[:] = [enclose_limit(problem, directions=DIRECTIONS, digits=options.digits)]

    first, limit = seconds(verified), found[0]
    if not isinstance(limit, LimitEnclosure):
        raise SystemExit(str(limit))
    further = seconds(lambda: found.extend([rate_at(limit), convergence_from_start(limit)]))
    rate, arrival = found[1:]
    print(f"Lasso, {limit.point.nrows()} variables, {len(limit.contraction.kept)} in the support, {limit.bits} bits")
    print(f"  |x - xbar| <= {float(limit.error):.1e}, |J - Jbar| <= {float(limit.derivative_error):.1e}, proved")
    print(f"  contraction {float(limit.contraction.factor):.6f}, spectral radius at most {float(rate.bound):.9f}")
    print(f"  from the start: R = {float(arrival.distance):.3f}, L - 1 <= {float(arrival.lipschitz) - 1:.1e}")
    print()
    row("converting the data, once", converting)
    row("verified limit and derivative, the first time", first)
    row("rate, and convergence from the start", further)
    try:
        run = jax_run(floats(case.data["A"]), floats(case.data["b"]), 0.34345, 0.0971845, options.iterations)
    except ImportError:
        row("verified limit and derivative", statistics.median(seconds(verified) for _ in range(options.rounds)))
        print("JAX is not installed; python -m pip install 'piggycheck[bench]' installs it")
        return
    x, J = (np.asarray(part).reshape(-1, 1) for part in run())
    rounds = [(seconds(verified), seconds(run)) for _ in range(options.rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(a / b for a, b in rounds)
    row("verified limit and derivative", ours)
    row(f"JAX, {options.iterations} iterations with jvp, compiled", theirs)
    away = [np.linalg.norm(x - floats(limit.point)), np.linalg.norm(J - floats(limit.derivative))]
    print(f"  their distance from the limit, by the proof: {away[0]:.1e}, of the derivatives {away[1]:.1e}")
    print()
    print(
        f"ratio: {statistics.median(ratios):.2f}, between {ratios[0]:.2f} and {ratios[-1]:.2f} in {len(ratios)} rounds"
    )
    print(f"ratio with the conversion of the data, which corresponds to compiling: {(converting + first) / theirs:.1f}")


if __name__ == "__main__":
    main()
