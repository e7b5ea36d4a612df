"""The exact asymptotic rate: the largest modulus of the roots of the minimal polynomial of the errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from .annihilators import Errors, require_annihilated, require_dominant, require_minimal
from .arithmetics import Exact, Open
from .convergence import MOST_ITERATIONS, Region
from .couplings import fractions, mixed_derivatives, moved_by_state, require_affine, require_no_guard
from .curved_rates import METHODS
from .curved_rates import rate_of as rate_of_curved
from .distances import Limit
from .dominant import METHODS as DOMINANT
from .dominant import dominant_rate
from .intervals import ONE, Interval
from .irrational_rates import rate_of as rate_of_irrational
from .matrices import Matrix, combine, equal, matrix, times
from .orbits import Orbit, Setting
from .pieces import Patterns
from .polynomials import Polynomial, largest_modulus, read_polynomial, value
from .proofs import KINDS
from .rates import require_unique
from .reading import Data, Refused, Unreadable, array, fields, integer, number, say, text
from .scaled import Scaled, product, scaled
from .subject import FixedPoint, Subject
from .surds import Surds
from .tails import trapped


def rate_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """The rate is the stated number, and that of the claim."""
    lower, upper, R = rate_of(claim, subject, witness)
    if "value" in claim:
        claimed = Surds(claim["value"])
        if not claimed.enclosure.within(Interval(lower, upper)):
            raise Refused("the claimed value is not proved to be between the bounds")
        if not claimed.is_root(R):
            raise Refused("the claimed value is not a root of the polynomial")
    return say_rate(claim, subject, lower, upper)


def rate_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """The rate is between bounds between which the claimed value is not."""
    lower, upper, _ = rate_of(claim, subject, witness)
    if not Surds(claim.get("value")).enclosure.apart(Interval(lower, upper)):
        raise Refused("the claimed value may be between the bounds")
    return say_rate(claim, subject, lower, upper)


def say_rate(claim: Data, subject: Subject, lower: Fraction, upper: Fraction) -> str:
    """What is proved of the rate."""
    found = say(lower) if lower == upper else f"a root between {say(lower)} and {say(upper)}"
    return f"the asymptotic rate of the {claim['quantity']} at {subject} is {found}"


def rate_of(
    claim: Data, subject: Subject, witness: Data, columns: Sequence[int] | None = None
) -> tuple[Fraction, Fraction, Polynomial]:
    """Bounds of the rate, of all columns or some, and a polynomial of which it is the only root between them."""
    if text(claim.get("quantity"), "claim.quantity") not in ("iterates", "derivatives"):
        raise Unreadable('`claim.quantity` is "iterates" or "derivatives"')
    if witness["method"] in METHODS:
        return rate_of_curved(claim, subject, witness, columns)
    if witness["method"] in DOMINANT:
        return dominant_rate(claim, subject, witness, columns)
    if "between" in witness:
        return rate_of_irrational(claim, subject, witness, columns)
    data = fields(witness["number"], "number", ("polynomial", "lower", "upper"))
    R, lower, upper = (
        read_polynomial(data["polynomial"], "number.polynomial"),
        number(data["lower"], "number.lower"),
        number(data["upper"], "number.upper"),
    )
    q = read_polynomial(witness["annihilator"], "annihilator")
    if q[-1] != 1 or not q[0]:
        raise Refused("the annihilator is not monic, or has the root 0")
    if not 0 <= lower <= upper or (subject_is_local(witness, subject) and upper >= 1):
        raise Refused("the bounds of the rate are negative, in the wrong order, or not below 1")
    n = Hypotheses(claim, subject, witness).order()
    if len(q) > n + 1:
        raise Refused("the annihilator has too high a degree")
    errors = Sequences(claim, subject, witness, columns).errors(n + len(q) - 1)
    require_annihilated(errors, q, n)
    require_minimal(errors, len(q) - 1)
    dominant = [read_polynomial(g, "dominant") for g in array(witness["dominant"], "dominant")]
    if len(q) == 1:
        if dominant or lower or upper or R != [0, 1]:
            raise Refused("the errors vanish, and the rate is not 0")
        return lower, upper, R
    require_dominant(q, dominant, lower)
    if not (value(R, lower) * value(R, upper) < 0 or value(R, lower) == 0 or value(R, upper) == 0):
        raise Refused("the polynomial of the rate is not shown to have a root between the bounds")
    for g in dominant:
        largest_modulus(g, R, lower, upper)
    return lower, upper, R


def subject_is_local(witness: Data, subject: Subject) -> bool:
    """Whether the rate is that of a map from starts near its fixed point, where the iterates have to stay."""
    return witness["method"] == "local" and isinstance(subject, FixedPoint)


class Hypotheses:
    """Refuse unless the errors follow one linear recursion, by the method of a witness."""

    def __init__(self, claim: Data, subject: Subject, witness: Data) -> None:
        self.subject, self.witness = subject, witness
        self.derivatives = claim["quantity"] == "derivatives"
        self.method = text(witness["method"], "method")
        if ("matrix" in witness) != (self.derivatives and self.method != "local"):
            raise Unreadable("`matrix` stands in the witness for derivatives, unless the method is local")
        if ("trap" in witness) != (self.method == "word_tree"):
            raise Unreadable("`trap` stands in the witness of a word tree")
        if not all(c.exact for M in (*subject.A, *subject.B) for row in M for c in row):
            raise Refused("a pair is not rational")

    def order(self) -> int:
        """The order of the recursion."""
        subject, p = self.subject, self.subject.p
        if self.method != "fixed_start":
            require_unique(subject)
        if not isinstance(subject, FixedPoint):
            started = self.method == "fixed_start"
            if len(subject.A) != 1 or self.method not in ("fixed_start", "local"):
                raise Refused("there is not one pair, or the method is about a map")
            if started != (subject.J0 is not None) or (started and not self.derivatives):
                raise Unreadable("`J0` stands beside a fixed start, and the claim is then about derivatives")
            return p
        if (subject.map.start is None) != (self.method == "local"):
            raise Unreadable("`start` is there exactly when the method is not local")
        self.require_one_pair(subject)
        if self.method == "fixed_start":
            if not subject.map.is_fixed(subject.map.value(subject.map.start or [], subject.map.at), subject.x):
                raise Refused("the start is not the fixed point")
            return p
        region = None
        if self.method == "word_tree":
            region, least = trapped(subject, self.witness)
            integer(self.witness["iteration"], "iteration", least, MOST_ITERATIONS)
        for pattern in require_affine(subject):  # also where a guard vanishes
            if self.method == "affine":
                require_no_guard(pattern)
        if self.derivatives:
            self.require_affine_derivatives(subject, region)
        return 2 * p if self.derivatives and self.method != "local" else p

    def require_one_pair(self, subject: FixedPoint) -> None:
        """All pieces at the fixed point have the same A, and for derivatives the same B."""
        subject.require_all_pieces()
        if not any(subject.active):
            raise Refused("no piece is proved essentially active")
        for A, B in subject.pieces(interior=False):
            if not equal(A, subject.A[0]) or (self.derivatives and not equal(B, subject.B[0])):
                raise Refused("pieces with different pairs meet at the fixed point")

    def require_affine_derivatives(self, subject: FixedPoint, region: Region | None) -> None:
        """All pieces that can be met have one and the same affine recursion of derivatives."""
        map_, found = subject.map, list[list[Matrix]]()
        for pattern in Patterns(interior=True).run(map_.program, map_.next, map_.jets(subject.point, map_.names)):
            subject.require_fixed(pattern.outputs)
            if region is not None:
                region.check(moved_by_state(subject, pattern))
            elif self.method == "affine":
                require_no_guard(pattern)
            found.append(mixed_derivatives(subject, pattern))
            if not all(map(equal, found[0], found[-1])):
                raise Refused("the pieces move differently with the state")


class Sequences:
    """The errors of a claim, exactly."""

    def __init__(self, claim: Data, subject: Subject, witness: Data, columns: Sequence[int] | None) -> None:
        self.subject, self.witness, self.local = subject, witness, witness["method"] == "local"
        self.columns = columns
        self.derivatives = claim["quantity"] == "derivatives"
        self.first = integer(witness["iteration"], "iteration", 0, MOST_ITERATIONS)

    def errors(self, count: int) -> Errors:
        """So many of them from the first index on."""
        if self.local:
            return self.powers(count)
        if not isinstance(self.subject, FixedPoint):
            return self.recursion(self.limit(), count)
        rows = fractions(self.limit()) if self.derivatives else [[c] for c in self.subject.x.values()]
        limit, setting = Limit(rows, self.derivatives), Setting(self.subject, self.derivatives)
        if not isinstance(setting.exact, Exact):
            raise Refused("the iterates are irrational")
        orbit, found = Orbit(setting, setting.exact, None), Errors()
        columns = range(len(rows[0])) if self.columns is None else self.columns
        try:
            for k in range(self.first + count):
                orbit.advance()
                if k >= self.first:
                    values, denominator = limit.integers(orbit)
                    found.append(([row[j] for row in values for j in columns], denominator))
        except Open:
            raise Refused("the iterates are not rational") from None
        return found

    def limit(self) -> Matrix:
        """The limit of the derivatives."""
        X = matrix(self.witness["matrix"], "matrix", self.subject.p, self.subject.m)
        for A, B in zip(self.subject.A, self.subject.B, strict=True):
            if not equal(combine(times(A, X), ONE, B), X):
                raise Refused("the matrix is not fixed by all pieces")
        require_unique(self.subject)
        return X

    def recursion(self, X: Matrix, count: int) -> Errors:
        """A^k (J_0 - X)."""
        first = combine(self.subject.J0 or [], Interval(Fraction(-1)), X)
        return self.followed(scaled(fractions(first)), count)

    def powers(self, count: int) -> Errors:
        """A^k."""
        n = self.subject.p
        return self.followed(Scaled([[int(i == j) for j in range(n)] for i in range(n)], 1), count)

    def followed(self, M: Scaled, count: int) -> Errors:
        """A^k M."""
        A, found = scaled(fractions(self.subject.A[0])), Errors()
        for k in range(self.first + count):
            if k >= self.first:
                found.append(([a for row in M.rows for a in row], M.denominator))
            M = product(A, M)
        return found


Rule = tuple[Callable[[Data, Any, Data], str], Sequence[str], Sequence[str]]
RULES: dict[tuple[str, str, str], Rule] = {}
for method in ("word_tree", "affine", "fixed_start", "local"):
    tree = ("rate", *KINDS["word_tree"][1], "trap") if method == "word_tree" else ()
    keys = ("method", "iteration", "annihilator", "dominant", "number", *tree)
    RULES["asymptotic_rate", "proved", method] = (rate_proved, keys, ("matrix", "between"))
    RULES["asymptotic_rate", "refuted", method] = (rate_refuted, keys, ("matrix", "between"))
for method, (required, optional) in {**METHODS, **DOMINANT}.items():
    RULES["asymptotic_rate", "proved", method] = (rate_proved, required, optional)
    RULES["asymptotic_rate", "refuted", method] = (rate_refuted, required, optional)
CLAIM = {"asymptotic_rate": ("quantity", "value")}
