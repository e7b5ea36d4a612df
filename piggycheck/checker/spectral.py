"""Spectral steps: a scalar function of the eigenvalues of a symmetric matrix.

With Q nearly orthogonal and Z nearly Q^T diag(l) Q (see eigenvectors), for a function f of slopes at most s on the
spectra: |f(Z) - Q^T diag(f(l)) Q| <= s zeta + 3 max|f(l)| eta, and the derivative H -> Q^T (D * (Q H Q^T)) Q with the
divided differences D_ij = f[l_i, l_j] is wrong by at most 7 s eta + 2 k zeta; k bounds second divided differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from .eigenvectors import Eigenvectors
from .exact import upward
from .fixed import Ball, Bounds, add, bounded, enlarged, root, rounding
from .nodes import Evaluation, Node
from .reading import Refused
from .scalar_functions import VARIABLE, ScalarFunction
from .scaled import Rows
from .steps import Steepness, Step, steepness_between

Range = tuple[int, int]


class Spectral(Step):
    """A scalar function of the eigenvalues of (Z + Z^T) / 2, with arguments that are numbers."""

    symmetric = True

    def __init__(
        self, name: str, source: Node, arguments: Mapping[str, Node], function: ScalarFunction, n: int, proximal: bool
    ) -> None:
        super().__init__(name, n * n, source, arguments)
        self.function, self.n, self.proximal = function, n, proximal

    def square(self, column: list[int]) -> Rows:
        """The symmetric part of a matrix given row after row; each entry is rounded by less than a unit."""
        n = self.n
        return [[(column[i * n + j] + column[j * n + i]) // 2 for j in range(n)] for i in range(n)]

    def eigenvectors(self, e: Evaluation) -> Eigenvectors:
        """Those of the value of the source."""
        if self not in e.memo:
            found = Eigenvectors(self.square(e.value(self.source).centre), e.numbers.bits)
            if found.eta << 2 > 1 << e.numbers.bits:
                raise Refused(f"node {self.name}: no eigenvectors were found")
            e.memo[self] = found
        vectors: Eigenvectors = e.memo[self]
        return vectors

    def inputs(self, e: Evaluation, ranges: list[Range]) -> dict[str, Bounds]:
        """Bounds of the variable and of the arguments."""
        found: dict[str, Bounds] = {VARIABLE: ([a for a, _ in ranges], [b for _, b in ranges])}
        for name, node in self.arguments.items():
            lower, upper = e.value(node).bounds()
            found[name] = lower * len(ranges), upper * len(ranges)
        return found

    def slopes(self, e: Evaluation, ranges: list[Range], name: str = VARIABLE, order: int = 1) -> Bounds:
        """Enclose a derivative, over ranges."""
        return self.function.slopes(name, self.inputs(e, ranges), e.numbers.bits, order)

    def hull(self, e: Evaluation, distance: int) -> Range:
        """The eigenvalues of all matrices within a distance of Q^T diag(l) Q lie between these."""
        values = self.eigenvectors(e).values
        return min(values) - distance, max(values) + distance

    def distance(self, e: Evaluation) -> int:
        """Every matrix on the ball is that close to Q^T diag(l) Q."""
        return self.eigenvectors(e).zeta + self.n + e.reach(self.source)

    def value(self, e: Evaluation) -> Ball:
        """f(l), and what it may be wrong by."""
        vectors, bits = self.eigenvectors(e), e.numbers.bits
        inputs = self.inputs(e, [(a, a) for a in vectors.values])
        values = bounded(self.function.evaluate(self.function.value, inputs, bits))
        distance = vectors.zeta + self.n + e.value(self.source).error
        return self.spread(e, values, distance, self.slopes(e, [self.hull(e, distance)]))

    def spread(self, e: Evaluation, values: Ball, distance: int, slopes: Bounds) -> Ball:
        """f(Z) for all matrices Z within a distance of Q^T diag(l) Q, from f(l) and a bound of the slopes of f."""
        vectors, one = self.eigenvectors(e), 1 << e.numbers.bits
        steepest = Fraction(max(abs(a) for ends in slopes for a in ends), one)
        largest = max(map(abs, values.centre)) + values.error
        error = enlarged(distance, steepest) + enlarged(largest, Fraction(3 * vectors.eta, one)) + 2 * values.error
        return vectors.diagonal(values.centre).wider(error)

    def steepness(self, e: Evaluation) -> Steepness:
        """The largest slopes between the smallest and the largest eigenvalue."""
        if (self, "steepness") not in e.memo:
            (low,), (high,) = self.slopes(e, [self.hull(e, self.distance(e))])
            one = 1 << e.numbers.bits
            found = steepness_between(Fraction(low, one), Fraction(high, one), self.proximal, Fraction(0))
            varied, runs = 2 * found.whole, self.runs(e)
            if runs:
                curved = 2 * self.steepest_differences(e, runs, VARIABLE)
                varied = min(varied, curved * Fraction(e.reach(self.source), one))
            atom = max(found.atom, Fraction(1)) if self.proximal and not self.source.symmetric else found.atom
            e.memo[self, "steepness"] = Steepness(atom, found.whole, upward(varied))
        steepness: Steepness = e.memo[self, "steepness"]
        return steepness

    def runs(self, e: Evaluation) -> list[Range]:
        """Ranges that hold the eigenvalues on the ball, on each of which the function is smooth; none if undecided."""
        if (self, "runs") not in e.memo:
            distance, found = self.distance(e), list[Range]()
            ranges = [(a - distance, a + distance) for a in sorted(self.eigenvectors(e).values)]
            if self.smooth(e, (ranges[0][0], ranges[-1][1])):
                found, ranges = [(ranges[0][0], ranges[-1][1])], []
            for low, high in ranges:
                if found and self.smooth(e, (found[-1][0], high)):
                    found[-1] = found[-1][0], high
                elif self.smooth(e, (low, high)) and not (found and found[-1][1] >= low):
                    found.append((low, high))
                else:
                    found = []
                    break
            e.memo[self, "runs"] = found
        runs: list[Range] = e.memo[self, "runs"]
        return runs

    def smooth(self, e: Evaluation, range_: Range) -> bool:
        """Whether no guard vanishes on a range."""
        self.function.ambiguous = False
        try:
            for name in (VARIABLE, *self.arguments):
                self.slopes(e, [range_], name)
        except Refused:
            return False
        return not self.function.ambiguous

    def steepest_differences(self, e: Evaluation, runs: list[Range], name: str) -> Fraction:
        """A bound of |g(a) - g(b)| / |a - b| on the runs, where g is the derivative; or, of f[a, c] - f[b, c]."""
        one, bound = 1 << e.numbers.bits, Fraction(0)
        for ends in self.slopes(e, runs, name, order=2):
            bound = max(bound, Fraction(max(map(abs, ends)), one))
        if len(runs) > 1:
            (low,), (high,) = self.slopes(e, [(runs[0][0], runs[-1][1])], name)
            gap = min(b[0] - a[1] for a, b in pairwise(runs))
            bound = max(bound, Fraction(high - low, gap))
        return bound

    def differences(self, e: Evaluation) -> tuple[Rows, int]:
        """The divided differences f[l_i, l_j], and their largest error; each is also a mean of slopes."""
        vectors, bits = self.eigenvectors(e), e.numbers.bits
        values = vectors.values
        pairs = [(i, j) for i in range(self.n) for j in range(i + 1)]
        ranges = [(min(values[i], values[j]), max(values[i], values[j])) for i, j in pairs]
        derivative = self.function.derivative(self.function.value, VARIABLE)
        lows, highs = self.function.evaluate(derivative, self.inputs(e, ranges), bits)
        below, above = self.function.evaluate(self.function.value, self.inputs(e, [(a, a) for a in values]), bits)
        D, worst = [[0] * self.n for _ in values], 0
        for (i, j), low, high in zip(pairs, lows, highs, strict=True):
            if values[i] != values[j]:
                p, q = (i, j) if values[i] > values[j] else (j, i)
                gap = values[p] - values[q]
                low = max(low, ((below[p] - above[q]) << bits) // gap)
                high = min(high, -((below[q] - above[p] << bits) // gap))
            D[i][j] = D[j][i] = (low + high) // 2
            worst = max(worst, high - D[i][j])
        return D, worst

    def tangent(self, e: Evaluation) -> Ball | None:
        """The derivative along the tangent of the source, and along those of the arguments."""
        result: Ball | None = None
        tangents = {name: e.tangent(node) for name, node in self.arguments.items()}
        T = e.tangent(self.source)
        if T is None and not any(tangents.values()):
            return None
        if not self.runs(e):
            raise Refused(f"node {self.name}: a guard may vanish at an eigenvalue, so that there is no derivative")
        if T is not None:
            result = self.moved(e, T)
        for name, tangent in tangents.items():
            if tangent is not None:
                result = add(result, self.moved_by_argument(e, name, tangent))
        return result

    def moved(self, e: Evaluation, T: Ball) -> Ball:
        """The derivative along tangents of the source."""
        vectors, bits, n = self.eigenvectors(e), e.numbers.bits, self.n
        D, worst = self.differences(e)
        columns = []
        for column in T.columns:
            X = vectors.coordinates(self.square(column))
            X = [[a * d >> bits for a, d in zip(*pair, strict=True)] for pair in zip(X, D, strict=True)]
            columns.append([a for row in vectors.matrix(X) for a in row])
        whole, one = self.steepness(e).whole, 1 << bits
        curved = 2 * self.steepest_differences(e, self.runs(e), VARIABLE)
        wrong = (7 * vectors.eta * whole + curved * self.distance(e) + 2 * worst) / one
        rounded = enlarged(6 * n * root(len(columns)), whole + 1)
        return Ball(columns, enlarged(T.error, whole) + enlarged(T.size, wrong) + rounded)

    def moved_by_argument(self, e: Evaluation, name: str, tangent: Ball) -> Ball:
        """The derivative along tangents of an argument."""
        vectors, bits, runs = self.eigenvectors(e), e.numbers.bits, self.runs(e)
        node = self.function.derivative(self.function.value, name)
        values = bounded(self.function.evaluate(node, self.inputs(e, [(a, a) for a in vectors.values]), bits))
        steepest = enlarged(1 << bits, self.steepest_differences(e, runs, name))
        change = self.spread(e, values, self.distance(e), ([steepest], [steepest]))
        columns = [[a * t >> bits for a in change.centre] for (t,) in tangent.columns]
        error = enlarged(tangent.error, Fraction(change.size + change.error, 1 << bits))
        error += enlarged(tangent.size, Fraction(change.error, 1 << bits))
        return Ball(columns, error + rounding(columns))
