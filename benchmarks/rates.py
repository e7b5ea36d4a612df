"""How fast errors are followed along the heavy ball at 1000 digits, beside the same loop in mpmath.

Run with ``python benchmarks/rates.py [REPEATS]``. The loop in mpmath is written out by hand for the map at hand: it
evaluates no program, bounds no error and decides no comparison of balls; the exact walk does all three.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import deque
from itertools import islice

import mpmath

from piggycheck.algorithms import heavy_ball
from piggycheck.rates import ErrorSequence, compare_with_bound, limit_of, read_bound
from piggycheck.rates.walk import Walk

DIGITS, STEPS = 1000, 20_000
BITS = int(DIGITS * 3.3219281) + 1
TWO_SLOPES = "Piecewise((x**2/2, x >= 0), (x**2/8, True)) - theta*x"
QUADRATIC = "x**2/2 - theta*x"


def main(repeats: int = 5) -> None:
    """Print a table."""
    print(f"{STEPS} iterations of the heavy ball, step 1, momentum 3/4, {DIGITS} digits; seconds, medians of {repeats}")
    print(f"{'':28} {'package':>9} {'mpmath':>9} {'ratio':>7}")
    for name, objective, left in (("quadratic", QUADRATIC, 1), ("two slopes", TWO_SLOPES, 4)):
        ball = heavy_ball(objective, ["x"], 1, "3/4", parameters=["theta"], start=["-1/3"])
        limit = limit_of(ball, {"theta": 1})
        for quantity in ("iterates", "derivatives"):
            derivatives = quantity == "derivatives"
            rounds = [
                (
                    seconds(lambda at=limit, d=derivatives: walked(at, d)),
                    seconds(lambda c=left, d=derivatives: looped(c, d)),
                )
                for _ in range(repeats)
            ]
            own, loop = (statistics.median(column) for column in zip(*rounds, strict=True))
            ratio = statistics.median(b / a for a, b in rounds)
            print(f"{f'{name}, {quantity}':28} {own:9.3f} {loop:9.3f} {ratio:7.1f}")
    sequence = ErrorSequence(limit, "derivatives", "max")
    bound = read_bound("100*k*(9/10)**k + 100")
    taken = statistics.median(seconds(lambda: compare_with_bound(sequence, bound, STEPS)) for _ in range(repeats))
    print(f"a bound on the derivatives along the second, compared for k = 0, ..., {STEPS}: {taken:.3f}")


def walked(limit, derivatives: bool) -> None:
    """Follow the errors by the package."""
    deque(islice(Walk(limit, BITS, derivatives), STEPS + 1), maxlen=1)


def looped(left: int, derivatives: bool) -> None:
    """Follow them in mpmath: x -> x - step (slope x - theta) + momentum (x - y)."""
    with mpmath.workdps(DIGITS):
        number = mpmath.mpf
        step, momentum, theta, slope = number(1), number(3) / 4, number(1), number(1) / left
        x = y = -number(1) / 3
        J = G = number(0)
        errors = []
        for _ in range(STEPS):
            s = slope if x < 0 else 1
            if derivatives:
                J, G = J - step * (s * J - 1) + momentum * (J - G), J
                errors.append(abs(J - 1))
            x, y = x - step * (s * x - theta) + momentum * (x - y), x
            errors.append(abs(x - theta))


def seconds(run) -> float:
    """How long one run takes."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
