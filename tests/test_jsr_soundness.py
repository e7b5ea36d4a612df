"""No proved bound is false: random and structured sets of matrices against a brute-force search that is exact."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from random import Random

import pytest
from certificate_helper import changed_numbers, content_of, holds
from checker_certificates import certificate
from flint import fmpq, fmpq_mat

from piggycheck.claims import JointSpectralRadius, Proved, prove
from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import exceeds_one, is_schur_stable, scale_roots
from piggycheck.stability import joint_spectral_radius
from piggycheck.stability.complex_polytope import prove_complex_polytope
from piggycheck.stability.lift import prove_lift
from piggycheck.stability.nonnegative import is_nonnegative, prove_nonnegative
from piggycheck.stability.path_complete import prove_path_complete
from piggycheck.stability.polytope import prove_polytope
from piggycheck.stability.quadratic import prove_quadratic
from piggycheck.stability.words import leading_words, rate_of_word
from piggycheck.switched import SwitchedSystem

DEFAULT, SLOW = 60, 500
SECONDS = 0.2
LONG = 5_000
"""Certificates with more characters are not changed, as it would take too long."""


@dataclass(frozen=True)
class Sample:
    """A set of matrices, how it was made, and its joint spectral radius where that is known by construction."""

    kind: str
    number: int
    system: SwitchedSystem
    radius: fmpq | None = None

    def __str__(self) -> str:
        return f"{self.kind}-{self.number}"


class Samples:
    """Random sets of a kind; the number is the seed."""

    def __init__(self, number: int) -> None:
        self.random = Random(number)
        self.size = self.random.choice([1, 2, 2, 2, 3, 3, 4, 5])
        self.letters = self.random.randint(1, 4)

    def rational(self, zeros: float = 0.2) -> fmpq:
        random = self.random
        return fmpq(0) if random.random() < zeros else fmpq(random.randint(-4, 4), random.choice([1, 1, 2, 3, 5]))

    def matrix(self, n: int | None = None, zeros: float = 0.2) -> fmpq_mat:
        n = n or self.size
        return fmpq_mat(n, n, [self.rational(zeros) for _ in range(n * n)])

    def unimodular(self) -> fmpq_mat:
        """A product of elementary matrices: integers, and so is its inverse."""
        n = self.size
        T = fmpq_mat([[int(i == j) for j in range(n)] for i in range(n)])
        for _ in range(2 * n if n > 1 else 0):
            i, j = self.random.sample(range(n), 2)
            E = fmpq_mat([[int(k == m) for m in range(n)] for k in range(n)])
            E[i, j] = self.random.choice([-1, 1])
            T = T * E
        return T

    def plain(self):
        return [self.matrix() for _ in range(self.letters)], None

    def nonnegative(self):
        return [fmpq_mat(M.nrows(), M.ncols(), [abs(x) for x in M.entries()]) for M in self.plain()[0]], None

    def signed_permutations(self):
        """Products are signed permutations again, or have fewer entries: exactly 1 when one letter keeps all."""
        n, found = self.size, []
        for index in range(self.letters):
            M = fmpq_mat(n, n)
            for i, j in enumerate(self.random.sample(range(n), n)):
                M[i, j] = self.random.choice([-1, 1] if index == 0 else [-1, 0, 1])
            found.append(M)
        return found, fmpq(1)

    def stochastic(self):
        """Rows of nonnegative numbers with sum 1, in another basis: the maximum norm is 1, and so is an eigenvalue."""
        n, found, T = self.size, [], self.unimodular()
        for _ in range(self.letters):
            rows = [[self.random.randint(0, 3) for _ in range(n)] for _ in range(n)]
            sums = [sum(row) or 1 for row in rows]
            M = fmpq_mat(
                [[fmpq(x, s) if sum(row) else fmpq(1, n) for x in row] for row, s in zip(rows, sums, strict=True)]
            )
            found.append(T * M * T.inv())
        return found, fmpq(1)

    def triangular(self):
        """Upper triangular in another basis: the largest diagonal entry."""
        n, found, T, largest = self.size, [], self.unimodular(), fmpq(0)
        for _ in range(self.letters):
            M = fmpq_mat(
                [[self.rational() * (100 if i < j else 1) if i <= j else 0 for j in range(n)] for i in range(n)]
            )
            largest = max(largest, *(abs(M[i, i]) for i in range(n)))
            found.append(T * M * T.inv())
        return found, largest

    def reducible(self):
        """Two diagonal blocks that are coupled, in another basis."""
        n, T, found = self.size, self.unimodular(), []
        cut = max(1, n // 2)
        for _ in range(self.letters):
            M = self.matrix()
            for i in range(cut, n):
                for j in range(cut):
                    M[i, j] = 0
            found.append(T * M * T.inv())
        return found, None

    def zeros_and_duplicates(self):
        A = self.matrix()
        return [A, fmpq_mat(self.size, self.size), A, self.matrix()], None

    def nothing(self):
        return [fmpq_mat(self.size, self.size)] * self.letters, fmpq(0)

    def huge(self):
        return [M * fmpq(10) ** 40 for M in self.plain()[0]], None

    def tiny(self):
        return [M * (1 / fmpq(10) ** 40) for M in self.plain()[0]], None

    def huge_and_tiny(self):
        """Entries of very different sizes in one matrix, by a diagonal change of basis."""
        D = fmpq_mat([[fmpq(10) ** (20 * i) if i == j else 0 for j in range(self.size)] for i in range(self.size)])
        return [D * M * D.inv() for M in self.plain()[0]], None

    def rank_one(self):
        n = self.size
        columns = [fmpq_mat(n, 1, [self.rational() for _ in range(n)]) for _ in range(2 * self.letters)]
        return [u * v.transpose() for u, v in zip(columns[::2], columns[1::2], strict=True)], None

    def rotations(self):
        """Multiples of rotations by rational angles, at most 3/2: complex eigenvalues lead."""
        turns = [(3, 4, 5), (5, 12, 13), (-8, 15, 17), (0, 1, 1)]
        found, largest = [], fmpq(0)
        for _ in range(self.letters):
            a, b, c = self.random.choice(turns)
            scale = fmpq(self.random.randint(0, 3), 2)
            largest = max(largest, scale)
            found.append(
                fmpq_mat([[scale * fmpq(a, c), -scale * fmpq(b, c)], [scale * fmpq(b, c), scale * fmpq(a, c)]])
            )
        return found, largest

    def scalars(self):
        values = [self.rational() for _ in range(self.letters)]
        return [fmpq_mat([[value]]) for value in values], max(map(abs, values))


KINDS = [
    "plain",
    "signed_permutations",
    "triangular",
    "plain",
    "reducible",
    "rank_one",
    "huge",
    "plain",
    "stochastic",
    "zeros_and_duplicates",
    "rotations",
    "plain",
    "nonnegative",
    "scalars",
    "tiny",
    "plain",
    "nothing",
    "huge_and_tiny",
]


def sample(number: int) -> Sample:
    kind = KINDS[number % len(KINDS)]
    A, radius = getattr(Samples(number), kind)()
    return Sample(kind, number, SwitchedSystem.from_rows(A), radius)


def short_words(letters: int):
    """All words, up to about 350 of them."""
    longest = {1: 8, 2: 7, 3: 5}.get(letters, 4)
    for length in range(1, longest + 1):
        yield from product(range(letters), repeat=length)


def word_above(A, rate):
    """A short word whose spectral radius exceeds the rate's power, if there is one; decided exactly."""
    n = A[0].nrows()
    scaled = [M * (1 / rate) for M in A] if rate != 0 else A
    products = {(): fmpq_mat([[int(i == j) for j in range(n)] for i in range(n)])}
    for word in short_words(len(A)):
        products[word] = scaled[word[-1]] * products[word[:-1]]
        poly = products[word].charpoly()
        if exceeds_one(poly) if rate != 0 else any(poly.coeffs()[:-1]):
            return word
    return None


def reaches(A, word, modulus):
    """Whether the product along a word has an eigenvalue of at least this modulus; exact."""
    M = A[word[0]]
    for letter in word[1:]:
        M = A[letter] * M
    return modulus == 0 or (modulus > 0 and not is_schur_stable(scale_roots(M.charpoly(), modulus)))


def assert_true(A, bounds, radius=None):
    """The bounds are no contradiction to any short word, nor to what is known."""
    lower, upper = bounds.lower, bounds.upper
    assert reaches(A, lower.word, lower.modulus_lower)
    assert 0 <= lower.rate_lower and lower.rate_lower ** len(lower.word) <= lower.modulus_lower
    assert radius is None or lower.rate_lower <= radius
    if upper is None:
        return
    assert upper.verify(A)
    assert lower.rate_lower <= upper.rate
    assert word_above(A, upper.rate) is None
    assert radius is None or upper.rate >= radius


def check_bounds(number):
    known = sample(number)
    bounds = joint_spectral_radius(known.system, tolerance=fmpq(1, 100), time_limit=SECONDS)
    assert_true(known.system.A, bounds, known.radius)


@pytest.mark.parametrize("number", range(DEFAULT), ids=lambda number: str(sample(number)))
def test_no_bound_is_false(number):
    check_bounds(number)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(DEFAULT, DEFAULT + SLOW), ids=lambda number: str(sample(number)))
def test_no_bound_is_false_slow(number):
    check_bounds(number)


def check_uncertain(number):
    """What is proved of matrices between bounds holds for some of them."""
    known, random = Samples(number), Random(number)
    middles, _ = known.plain()
    width = fmpq(1, random.choice([10, 100, 10**4, 10**9]))
    letters = tuple(
        IntervalMatrix(M, fmpq_mat(M.nrows(), M.ncols(), [width * random.randint(0, 2) for _ in M.entries()]))
        for M in middles
    )
    system = SwitchedSystem(letters, tuple(fmpq_mat(M.nrows(), 1) for M in middles))
    bounds = joint_spectral_radius(system, tolerance=fmpq(1, 100), time_limit=SECONDS)
    assert bounds.upper is None or bounds.upper.verify(letters)
    for _ in range(3):
        chosen = [fmpq_mat([[random.choice(ends) for ends in row] for row in M.bounds()]) for M in letters]
        assert reaches(chosen, bounds.lower.word, bounds.lower.modulus_lower)
        assert bounds.upper is None or word_above(chosen, bounds.upper.rate) is None


@pytest.mark.parametrize("number", range(6))
def test_no_bound_is_false_between_bounds(number):
    check_uncertain(number)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(DEFAULT, DEFAULT + SLOW // 5))
def test_no_bound_is_false_between_bounds_slow(number):
    check_uncertain(number)


def check_graph(number):
    """Words along the edges of a random graph: paths that close are the ones that count."""
    A, _ = Samples(number).plain()
    random = Random(number)
    nodes = random.randint(1, 3)
    edges = [(node, random.randrange(len(A)), (node + 1) % nodes) for node in range(nodes)]
    edges += [(random.randrange(nodes), random.randrange(len(A)), random.randrange(nodes)) for _ in range(3)]
    system = SwitchedSystem.from_rows(A, graph=edges)
    bounds = joint_spectral_radius(system, tolerance=fmpq(1, 100), time_limit=SECONDS)
    ends = [(system.graph[i][2], system.graph[j][0]) for i, j in pairwise([*bounds.lower.word, bounds.lower.word[0]])]
    assert bounds.lower.modulus_lower == 0 or all(target == source for target, source in ends)
    assert_true(system.unfolded().A, bounds)


@pytest.mark.parametrize("number", range(6))
def test_no_bound_is_false_along_a_graph(number):
    check_graph(number)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(DEFAULT, DEFAULT + SLOW // 5))
def test_no_bound_is_false_along_a_graph_slow(number):
    check_graph(number)


def prove_by(method, A, rate, words):
    """A proof of one kind, or None."""
    if method == "quadratic":
        return prove_quadratic(A, rate, time_limit=SECONDS)
    if method == "path_complete":
        return prove_path_complete(A, rate, memory=1, time_limit=SECONDS)
    if method == "backward path_complete":
        return prove_path_complete(A, rate, memory=1, forward=False, time_limit=SECONDS)
    if method == "lift":
        return prove_lift(A, rate, 2, time_limit=SECONDS)
    if method == "nonnegative" and not is_nonnegative(A):
        return None
    prove = {"polytope": prove_polytope, "complex_polytope": prove_complex_polytope, "nonnegative": prove_nonnegative}
    return prove[method](A, rate, words, vertex_limit=100, time_limit=SECONDS)


@cache
def leading(number):
    """The distinct matrices of a sample, and words of large rate."""
    A = list(sample(number).system.distinct().A)
    return A, [word for word, _ in leading_words(A, max_length=8, time_limit=10)]


def check_method(method, number):
    """Nothing is proved below the rate of a word; what is proved a little above it holds."""
    A, words = leading(number)
    lower = rate_of_word(A, words[0]).rate_lower if words else fmpq(0)
    if lower == 0:
        return
    for factor in (fmpq(98, 100), fmpq(999_999, 1_000_000)):
        assert prove_by(method, A, lower * factor, words) is None
    proof = prove_by(method, A, lower * fmpq(101, 100), words)
    if proof is not None:
        assert proof.rate <= lower * fmpq(101, 100)
        assert proof.verify(A)
        assert word_above(A, proof.rate) is None


METHODS = [
    "quadratic",
    "path_complete",
    "backward path_complete",
    "lift",
    "polytope",
    "complex_polytope",
    "nonnegative",
]


@pytest.mark.parametrize("method", METHODS)
def test_no_method_proves_too_much(method):
    for number in range(8):
        check_method(method, number)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_no_method_proves_too_much_slow(method):
    for number in range(DEFAULT, DEFAULT + SLOW // 5):
        check_method(method, number)


def matrices_of(content):
    """The matrices that a certificate is about."""
    return [fmpq_mat([[fraction(entry) for entry in row] for row in rows]) for rows in content["switched"]["A"]]


def fraction(text: str) -> fmpq:
    value = Fraction(text)
    return fmpq(value.numerator, value.denominator)


def is_true(content):
    """Whether what a certificate says is true, as far as exact brute force can tell."""
    A, claim, witness = matrices_of(content), content["claim"], content["witness"]
    lower = upper = None
    if "lower" in witness:
        lower = fraction(witness["lower"]["rate"])
        word = [int(letter) for letter in witness["lower"]["word"]]
        if not reaches(A, word, lower ** len(word)):
            return False
    if "upper" in witness:
        upper = fraction(witness["upper"]["rate"])
        if word_above(A, upper) is not None:
            return False
    stated = {name: fraction(claim[name]) for name in ("lower", "upper", "tolerance") if name in claim}
    tolerance = stated.get("tolerance", None if stated else fmpq(1, 1000))
    return (
        ("lower" not in stated or (lower is not None and stated["lower"] <= lower))
        and ("upper" not in stated or (upper is not None and upper <= stated["upper"]))
        and (tolerance is None or upper <= (1 + tolerance) * lower)
    )


def assert_changes_matter(content, number, changes):
    """A certificate is accepted and true, and each of its changed copies is rejected, or true all the same."""
    assert holds(content)
    assert is_true(content)
    if not changes or len(json.dumps(content)) > LONG:
        return
    changed = list(changed_numbers(content))
    for path, copy in Random(number).sample(changed, min(changes, len(changed))):
        if holds(copy):
            assert is_true(copy), path


def check_certificate(number, changes):
    """The claim is proved, and its certificate says no more than is true."""
    verdict = prove(JointSpectralRadius(tolerance="1/10"), sample(number).system, time_limit=4 * SECONDS)
    if isinstance(verdict, Proved):
        assert_changes_matter(content_of(verdict), number, changes)


@pytest.mark.parametrize("number", range(DEFAULT), ids=lambda number: str(sample(number)))
def test_a_changed_certificate_is_rejected_or_true(number):
    check_certificate(number, 6 if number % 3 == 0 else 0)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(DEFAULT, DEFAULT + SLOW), ids=lambda number: str(sample(number)))
def test_a_changed_certificate_is_rejected_or_true_slow(number):
    check_certificate(number, 40)


def as_text(value):
    """A witness as certificates hold it."""
    if isinstance(value, dict):
        return {key: as_text(entry) for key, entry in value.items()}
    if isinstance(value, fmpq_mat):
        return as_text(value.tolist())
    if isinstance(value, (list, tuple)):
        return [as_text(entry) for entry in value]
    return value if value is None else str(value)


def check_method_certificate(method, number, changes):
    """The same for a proof of each kind, whatever the driver would choose."""
    A, words = leading(number)
    lower = rate_of_word(A, words[0]).rate_lower if words else fmpq(0)
    proof = None if lower == 0 else prove_by(method, A, lower * fmpq(11, 10), words)
    if proof is not None:
        subject = {"switched": {"A": as_text(A), "B": [[["0"]] * A[0].nrows()] * len(A)}}
        witness = {"upper": as_text(proof.witness())}
        content = certificate(subject, "joint_spectral_radius", "proved", witness, upper=str(proof.rate))
        assert_changes_matter(content, number, changes)


@pytest.mark.parametrize("method", METHODS)
def test_a_changed_proof_is_rejected_or_true(method):
    for number in range(8):
        check_method_certificate(method, number, 6)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_changed_proof_is_rejected_or_true_slow(method):
    for number in range(DEFAULT, DEFAULT + SLOW // 2):
        check_method_certificate(method, number, 40)
