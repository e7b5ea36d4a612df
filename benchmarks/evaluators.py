"""Time the evaluators beside the same recursion as one would write it elsewhere: the derivative of the lasso.

Times are compared within rounds of one process; a ratio is the median of the rounds, between the smallest and the
largest. Memory and the parallel prefix are measured in processes of their own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import islice
from statistics import median
from typing import NamedTuple

import mpmath
import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.algorithms import forward_backward
from piggycheck.arrays import FLOAT64, Arrays, BallArrays, MpmathArrays
from piggycheck.functions import l1, least_squares
from piggycheck.iteration import Iteration
from piggycheck.piggyback import derivatives_along, identification, steps

BITS, DIGITS, WORKERS = 128, 38, 2
Run = Callable[[int], float]
"""Runs so many steps and returns the seconds that they took."""


class Lasso(NamedTuple):
    """A Gaussian over sqrt(n), b of a sparse vector, both rounded to thousandths; a tenth of the largest penalty."""

    A: np.ndarray
    b: np.ndarray
    step: float
    penalty: float

    @classmethod
    def of_size(cls, n: int) -> Lasso:
        random = np.random.default_rng(n)
        A = np.round(random.normal(size=(n // 2, n)) / np.sqrt(n) * 1000)
        x = np.where(np.arange(n) < n // 10, 2, 0)
        b = np.round(A @ x + random.normal(size=n // 2))
        return cls(A, b, 0.25, round(np.abs(A.T @ b).max() / 10**6) / 10 + 1 / 1000)

    @property
    def at(self) -> dict[str, fmpq]:
        return {"penalty": fmpq(round(self.penalty * 1000), 1000)}

    def iteration(self) -> Iteration:
        A = fmpq_mat(*self.A.shape, [fmpq(int(e), 1000) for e in self.A.ravel()])
        b = [fmpq(int(e), 1000) for e in self.b]
        return forward_backward(least_squares(A, b), l1("penalty"), step=fmpq(1, 4), parameters=["penalty"])


def ours(problem: Lasso, arithmetic: Arrays, count: int) -> float:
    """From the second step on: what is prepared once for the map is not counted."""
    walk = steps(problem.iteration(), problem.at, directions={"penalty": [1]}, arithmetic=arithmetic)
    next(islice(walk, 1, 2))
    start = time.perf_counter()
    next(islice(walk, count - 1, count))
    return time.perf_counter() - start


def plain_mpmath(problem: Lasso, count: int) -> float:
    mp = mpmath.mp.clone()
    mp.prec = BITS
    A, b = mp.matrix((problem.A / 1000).tolist()), mp.matrix((problem.b / 1000).tolist())
    At, n = A.T, A.cols
    step, t = mp.mpf(problem.step), mp.mpf(problem.step) * mp.mpf(problem.penalty)
    x, J = mp.matrix(n, 1), mp.matrix(n, 1)
    start = time.perf_counter()
    for _ in range(count):
        u, du = x - step * (At * (A * x - b)), J - step * (At * (A * J))
        for i in range(n):
            if u[i] > t:
                x[i], J[i] = u[i] - t, du[i] - step
            elif u[i] < -t:
                x[i], J[i] = u[i] + t, du[i] + step
            else:
                x[i], J[i] = mp.zero, mp.zero
    return time.perf_counter() - start


def plain_numpy(problem: Lasso, count: int) -> float:
    A, b, step = problem.A / 1000, problem.b / 1000, problem.step
    M, c, t = np.eye(A.shape[1]) - step * A.T @ A, step * A.T @ b, step * problem.penalty
    x, J = np.zeros(len(c)), np.zeros(len(c))
    start = time.perf_counter()
    for _ in range(count):
        u, du = M @ x + c, M @ J
        sign = np.sign(u) * (np.abs(u) > t)
        x, J = sign * (np.abs(u) - t), sign * sign * du - sign * step
    return time.perf_counter() - start


def with_jax(problem: Lasso) -> Run | None:
    """Forward mode over a scan, compiled; None where JAX is not installed."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    jnp, A, b, step = jax.numpy, problem.A / 1000, problem.b / 1000, problem.step
    M, c = jnp.array(np.eye(A.shape[1]) - step * A.T @ A), jnp.array(step * A.T @ b)

    def last(penalty, count):
        def one(x, _):
            u, t = M @ x + c, step * penalty
            return jnp.sign(u) * jnp.maximum(jnp.abs(u) - t, 0), None

        return jax.lax.scan(one, jnp.zeros(len(c)), None, length=count)[0]

    compiled: dict[int, Callable] = {}

    def run(count: int) -> float:
        if count not in compiled:
            compiled[count] = jax.jit(lambda p, d: jax.jvp(partial(last, count=count), (p,), (d,)))
            jax.block_until_ready(compiled[count](problem.penalty, 1.0))
        start = time.perf_counter()
        jax.block_until_ready(compiled[count](problem.penalty, 1.0))
        return time.perf_counter() - start

    return run


def compare(n: int, rounds: int, count: int, plain_count: int) -> None:
    problem = Lasso.of_size(n)
    since = identification(problem.iteration(), count, problem.at, arithmetic=FLOAT64)
    print(f"Lasso, n = {n}, penalty {problem.penalty:.3f}; {count} steps, the support is final from step {since} on")
    jax = with_jax(problem)
    runs: dict[str, tuple[Run, int]] = {
        f"balls, {BITS} bits": (partial(ours, problem, BallArrays(BITS)), count),
        "float64": (partial(ours, problem, FLOAT64), count),
        f"mpmath, {DIGITS} digits": (partial(ours, problem, MpmathArrays(DIGITS)), plain_count),
        f"mpmath by itself, {BITS} bits": (partial(plain_mpmath, problem), plain_count),
        "numpy by itself": (partial(plain_numpy, problem), count),
        **({} if jax is None else {"JAX, jitted jvp over scan": (jax, count)}),
    }
    times = [{name: run(k) / k for name, (run, k) in runs.items()} for _ in range(rounds)]
    balls = next(iter(runs))
    for name in runs:
        print(f"  {name:<28}{median(t[name] for t in times) * 1e6:>12.1f} µs a step{ratio(times, name, balls)}")
    if jax is None:
        print("  JAX is left out: it is not installed")


def ratio(times: list[dict[str, float]], name: str, unit: str) -> str:
    found = sorted(t[name] / t[unit] for t in times)
    return f"{median(found):>10.3g} x balls  [{found[0]:.3g}, {found[-1]:.3g}]"


def memory(count: int) -> None:
    """The recursion in balls for many steps, and what the process needed."""
    problem, start = Lasso.of_size(50), time.perf_counter()
    walk = steps(problem.iteration(), problem.at, directions={"penalty": [1]}, arithmetic=BallArrays(BITS))
    last = next(islice(walk, count, None))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = time.perf_counter() - start
    print(f"Lasso, n = 50, balls of {BITS} bits, {count} steps: {seconds:.1f} s, peak {peak:.0f} MB")
    print(f"  spread of the iterate {float(last.x.spread):.1e}, of the derivative {float(last.J.spread):.1e}")


def prefix(p: int, q: int, count: int, rounds: int) -> None:
    """The recursion along stored pairs in order, and in parts on two workers; BLAS has one thread."""
    random = np.random.default_rng(0)
    pairs = [(random.normal(size=(p, p)) / p, random.normal(size=(p, q))) for _ in range(count)]
    J = np.zeros((p, q))
    print(f"Recursion along {count} pairs, float64, p = {p}, q = {q}, {WORKERS} workers")
    executors: list[type[Executor]] = [ThreadPoolExecutor, ProcessPoolExecutor]
    for kind in executors:
        with kind(WORKERS) as executor:
            along = partial(derivatives_along, pairs, J, arithmetic=FLOAT64, workers=WORKERS)
            along(executor=executor)
            found = sorted(timed(along) / timed(partial(along, executor=executor)) for _ in range(rounds))
        print(f"  {kind.__name__:<24}{median(found):.2f} times as fast  [{found[0]:.2f}, {found[-1]:.2f}]")
    best = (WORKERS + 1 + p / q) / (2 + p / q)
    print(f"  at best {best:.2f} by the count of multiplications; columns on workers of their own would give {WORKERS}")


def timed(compute: Callable[[], object]) -> float:
    start = time.perf_counter()
    compute()
    return time.perf_counter() - start


def apart(*arguments: str) -> None:
    """Run a part of this file in a process of its own, in which BLAS has one thread."""
    sys.stdout.flush()
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, __file__, *arguments], check=True, env=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything runs")
    parser.add_argument("--steps", type=int, default=1000, help="how many steps each run takes")
    parser.add_argument("--memory-steps", type=int, default=100_000, help="how many steps memory is measured for")
    parser.add_argument("--only", choices=["memory", "prefix"], help="one part, in this process")
    options = parser.parse_args()
    if options.only == "memory":
        memory(options.memory_steps)
    elif options.only == "prefix":
        for q in (200, 1600):
            prefix(200, q, 256, options.rounds)
    else:
        apart("--only", "memory", "--memory-steps", str(options.memory_steps))  # first: a child inherits the peak
        apart("--only", "prefix", "--rounds", str(options.rounds))
        compare(50, options.rounds, options.steps, 40)
        compare(500, options.rounds, options.steps, 1)


if __name__ == "__main__":
    main()
