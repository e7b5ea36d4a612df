"""The claim that the joint spectral radius lies between bounds, or is known to a tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.claims.base import Claim, certify, decimals_above, decimals_below, rational_field, word_text
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import BoundsStep, ContractionStep, Derivation, WordStep
from piggycheck.errors import InputError, IrrationalError
from piggycheck.stability import Bounds, WordBound, joint_spectral_radius
from piggycheck.stability.proof import Proof
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["JointSpectralRadius"]

_DEFAULT_TOLERANCE = fmpq(1, 1000)
_EASY = 1000
_DIGITS = 9
_LONGEST_NUMBER = 40
_POSITIVE, _ZERO = "a positive number such as 1/1000", "0 or a positive number"
_LEAST = {"lower": _ZERO, "upper": _ZERO, "tolerance": _POSITIVE}


@dataclass(frozen=True)
class JointSpectralRadius(Claim):
    """The joint spectral radius of the selection set, or of given matrices, lies between bounds.

    Parameters
    ----------
    lower, upper : exact rational number or text, optional
        The radius is at least, at most this.
    tolerance : exact rational number or text, optional
        Bounds are proved of which the upper one is at most ``1 + tolerance`` times the lower one; 1/1000 when nothing
        is claimed.

    Raises
    ------
    InputError
        When a bound is negative or irrational, the lower one exceeds the upper one, or the tolerance is not positive.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> swap = SwitchedSystem.from_rows([[[0, 1], [0, 0]], [[0, 0], [1, 0]]])
    >>> verdict = prove(JointSpectralRadius(upper=1), swap)
    >>> verdict.name, verdict.value["upper"], verdict.value["bounded_products"]
    ('proved', '1', True)

    Notes
    -----
    That the radius is *at most* 1 does not say that derivatives converge; the claim *converges* says that it is
    *below* 1. See docs/theory for the proofs behind the bounds.

    When this fails: where only long words come near the radius, or the best proofs are large, the bounds do not meet
    within the time limit, and the claim is left undecided with the bounds that were proved.
    """

    lower: Any = None
    upper: Any = None
    tolerance: Any = None
    kind = "joint_spectral_radius"

    def __post_init__(self) -> None:
        for name in ("lower", "upper", "tolerance"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _not_negative(value, name))
        if self.tolerance == 0:
            raise InputError(f"tolerance of `{self.kind}`: 0 is not positive; write {_POSITIVE}")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise InputError(f"lower of `{self.kind}`: {self.lower} exceeds upper = {self.upper}; exchange them")
        if self.lower is None and self.upper is None and self.tolerance is None:
            object.__setattr__(self, "tolerance", _DEFAULT_TOLERANCE)

    def fields(self) -> dict[str, Any]:
        return {"lower": self.lower, "upper": self.upper, "tolerance": self.tolerance}

    def statement(self, subject: Subject) -> str:
        if self.lower is not None and self.lower == self.upper:
            claimed = f"is {_as_claimed(self.lower)}"
        else:
            ends = (("at least", self.lower), ("at most", self.upper))
            claimed = " and ".join(f"{end} {_as_claimed(value)}" for end, value in ends if value is not None)
            claimed = f"is {claimed}" if claimed else ""
        if self.tolerance is not None:
            known = f"is known up to a factor of 1 + {_as_claimed(self.tolerance)}"
            claimed = f"{claimed} and {known}" if claimed else known
        return f"{_radius_named(subject)} {claimed}"

    def decide(self, subject: Subject) -> Verdict:
        found = _find(self, subject)
        if self._is_proved(found):
            return self._decided(Proved, subject, found)
        if self.upper is not None and found.modulus > self.upper ** len(found.word):
            return self._decided(Refuted, subject, found.only_lower())
        if self.lower is not None and found.upper is not None and found.upper.rate < self.lower:
            return self._decided(Refuted, subject, found.only_upper())
        return self._open(subject, found)

    def _is_proved(self, found: _Found) -> bool:
        upper = None if found.upper is None else found.upper.rate
        return (
            (self.lower is None or (bool(found.word) and found.rate >= self.lower))
            and (self.upper is None or (upper is not None and upper <= self.upper))
            and (self.tolerance is None or (upper is not None and upper <= (1 + self.tolerance) * found.rate))
        )

    def _decided(self, verdict: type[Proved | Refuted], subject: Subject, found: _Found) -> Verdict:
        statement = self.statement(subject)
        return verdict(
            self.kind,
            statement,
            found.text(),
            found.value(),
            found.reason(),
            _derivation(subject, found),
            certificate=certify(self, verdict.name, statement, subject.certificate_parts(), found.witness()),
        )

    def _open(self, subject: Subject, found: _Found) -> Verdict:
        value = found.value()
        reason = found.text() + (", when the search was interrupted" if found.interrupted else "")
        return Undecided(
            self.kind,
            self.statement(subject),
            reason,
            value,
            reason,
            _derivation(subject, found),
            tried=found.tried,
            bounds={name: value[name] for name in ("lower", "upper") if name in value},
            would_help="" if found.interrupted else _what_would_help(subject),
            interrupted=found.interrupted,
        )


@dataclass(frozen=True)
class _Found:
    """What was proved: a word and a proof, either of which may be missing.

    Attributes
    ----------
    path : Word
        The word as certificates hold it: along the edges where a graph constrains the words.
    word : Word
        Its letters, as the subject numbers them.
    modulus, rate : fmpq
        Of the word; zero without one.
    upper : Proof or None
    history : tuple of Moment
    forms : tuple of fmpq_mat
        That prove the rate of the word, for matrices between bounds; empty when its characteristic polynomial does.
    """

    path: Word
    word: Word
    modulus: fmpq
    rate: fmpq
    upper: Proof | None
    history: tuple[Any, ...] = ()
    tried: tuple[str, ...] = ()
    interrupted: bool = False
    forms: tuple[fmpq_mat, ...] = ()

    def only_lower(self) -> _Found:
        """Return what the word alone proves."""
        return replace(self, upper=None)

    def only_upper(self) -> _Found:
        """Return what the proof alone proves."""
        return _Found((), (), fmpq(0), fmpq(0), self.upper, self.history, self.tried)

    def text(self) -> str:
        """Say what the bounds are, rounded so that it stays true."""
        upper = None if self.upper is None else self.upper.rate
        if upper is not None and upper == self.rate and self.word:
            exact = _as_claimed(upper)
            about = f"known exactly, about {_shown(upper, up=False)}"
            known = f"exactly {exact}" if len(exact) <= _LONGEST_NUMBER else about
        else:
            ends = [f"at least {_shown(self.rate, up=False)}"] if self.word else []
            ends += [f"at most {_shown(upper, up=True)}"] if upper is not None else []
            known = " and ".join(ends) or "not bounded so far"
        return f"the joint spectral radius is {known}{self._products()}"

    def _products(self) -> str:
        """Say what becomes of products, where that is known."""
        if not self.is_bounded or self.upper is None:
            return ""
        return ", so all products tend to 0" if self.upper.rate < 1 else ", and all products stay bounded"

    def reason(self) -> str:
        """Say where the bounds come from."""
        said = []
        if self.modulus > 0:
            modulus = _shown(self.modulus, up=False)
            said.append(f"the word {word_text(self.word)} has an eigenvalue of modulus at least {modulus}")
        if self.upper is not None:
            said.append(f"the upper bound is proved by {self.upper.summary()}")
        return ", and ".join(said)

    def value(self) -> dict[str, Any]:
        """Return the values of a verdict."""
        value: dict[str, Any] = {}
        if self.word:
            value |= {"lower": str(self.rate), "word": list(self.word)}
        if self.upper is not None:
            value |= {"upper": str(self.upper.rate), "method": _methods(self.upper.witness())}
        return {**value, "bounded_products": True} if self.is_bounded else value

    def witness(self) -> dict[str, Any]:
        """Return both bounds as certificates hold them."""
        lower: dict[str, Any] = {"word": self.path, "modulus_lower": self.modulus, "rate": self.rate}
        if self.forms:
            lower["forms"] = list(self.forms)
        return {
            **({"lower": lower} if self.word else {}),
            **({"upper": self.upper.witness()} if self.upper is not None else {}),
        }

    @property
    def is_bounded(self) -> bool:
        """Whether the proof shows that no product grows, not even slowly."""
        return self.upper is not None and self.upper.rate <= 1 and _bounds_products(self.upper.witness())


def _methods(witness: Mapping[str, Any]) -> str:
    """The kinds of a proof and of those within it that carry the rate, outermost first."""
    within = [proof for proof in (*witness.get("proofs", ()), witness.get("proof")) if proof is not None]
    if not within:
        return str(witness["method"])
    return f"{witness['method']}/{_methods(max(within, key=lambda proof: proof['rate']))}"


def _bounds_products(witness: Mapping[str, Any]) -> bool:
    """Whether a proof of a rate of at most 1 bounds all products.

    A norm, or finitely many, does. Of several diagonal blocks only one may reach the rate 1: products of the others
    shrink, so that what lies above the diagonal is bounded by sums of geometric series.
    """
    if witness["rate"] < 1:
        return True
    if witness["method"] in ("lift", "corners"):
        return _bounds_products(witness["proof"])
    if witness["method"] == "blocks":
        reaching = [proof for proof in witness["proofs"] if proof is not None and proof["rate"] >= 1]
        return len(reaching) <= 1 and all(proof["rate"] <= 1 and _bounds_products(proof) for proof in reaching)
    return True


def _find(claim: JointSpectralRadius, subject: Subject) -> _Found:
    """Bound the radius: from above for every pair of the selection set, from below for those surely in it."""
    whole, sure = _systems(subject)
    if whole is sure:
        bounds = _search(claim, subject, whole, subject.remaining)
        return _found(subject, bounds.lower, bounds.upper, (bounds,))
    above = _search(claim, subject, whole, subject.remaining / 2)
    if sure is None or above.interrupted:
        return _found(subject, None, above.upper, (above,))
    below = _search(claim, subject, sure, subject.remaining)
    return _found(subject, below.lower, above.upper, (above, below))


def _systems(subject: Subject) -> tuple[SwitchedSystem, SwitchedSystem | None]:
    """The system that an upper bound must cover, and the one that a lower bound may use, if there is one."""
    try:
        whole = subject.system.unfolded()
    except IrrationalError:
        pieces = subject.selection.pieces
        whole = subject.enclosed(pieces)
        if not whole.exact and subject.essential:
            return whole, subject.enclosed([pieces[i] for i in subject.essential])
        return whole, whole if whole.exact else None
    if len(subject.essential) == len(whole) or subject.given is not None:
        return whole, whole
    return whole, subject.essential_system if subject.essential else None


def _search(claim: JointSpectralRadius, subject: Subject, system: SwitchedSystem, seconds: float) -> Bounds:
    zero = claim.upper == 0  # both bounds are then looked for
    return joint_spectral_radius(
        system,
        tolerance=_DEFAULT_TOLERANCE if zero else claim.tolerance,
        lower=claim.lower or None,
        upper=claim.upper or None,
        time_limit=max(seconds, 0.1),
        progress=subject.progress,
    )


def _found(subject: Subject, lower: WordBound | None, upper: Proof | None, runs: tuple[Bounds, ...]) -> _Found:
    tried = tuple(dict.fromkeys(attempt for run in runs for attempt in run.tried))
    rest = (upper, runs[0].history if len(runs) == 1 else (), tried, any(run.interrupted for run in runs))
    if lower is None:
        return _Found((), (), fmpq(0), fmpq(0), *rest)
    word = subject.in_system(lower.word)
    path = lower.word if subject.given is not None else word
    return _Found(path, word, lower.modulus_lower, lower.rate_lower, *rest, forms=lower.forms)


def _derivation(subject: Subject, found: _Found) -> Derivation:
    """Record the word, the proof, and how the bounds came closer."""
    rational = subject.given is not None or not subject.is_irrational
    derivation = subject.opening(pieces=rational)
    if found.word and found.modulus > 0 and rational:
        A, B = subject.system.product(found.word)
        poly = A.charpoly() if isinstance(A, fmpq_mat) else None
        derivation.record(WordStep(found.word, A, B, poly, found.modulus, found.rate))
    if found.upper is not None:
        derivation.record(ContractionStep(found.upper))
    if found.word or found.upper is not None:
        lower = found.rate if found.word else None
        derivation.record(BoundsStep(lower, found.word, found.upper, found.history))
    return derivation


def _what_would_help(subject: Subject) -> str:
    """What to ask for next: more time where all of it was used, narrower bounds where nothing was left to try."""
    if subject.remaining < 1 or subject.given is None or subject.given.is_certain:
        return "a longer time limit"
    return "narrower bounds on the matrices"


def _radius_named(subject: Subject) -> str:
    """What the claim is about, in words."""
    if subject.given is None:
        return f"at {subject.named_point} the joint spectral radius of the selection set"
    return f"{'over the words that the graph allows, ' if subject.given.graph else ''}the joint spectral radius"


def _not_negative(value: Any, name: str) -> fmpq:
    number = rational_field(value, f"{name} of `joint_spectral_radius`")
    if number < 0:
        raise InputError(f"{name} of `joint_spectral_radius`: {number} is negative; write {_LEAST[name]}")
    return number


def _as_claimed(value: fmpq) -> str:
    """Write a number: as a decimal, where that is exact and a fraction hard to read."""
    if value.q <= _EASY or (value * 10**_DIGITS).q != 1 or value >= _EASY:
        return str(value)
    whole, rest = divmod(int(value * 10**_DIGITS), 10**_DIGITS)
    return f"{whole}.{rest:0{_DIGITS}d}".rstrip("0")


def _shown(value: fmpq, *, up: bool) -> str:
    """Write a bound: exactly when that is easy to read, otherwise with decimals, rounded so that it stays true."""
    exact = _as_claimed(value)
    if ("/" not in exact and len(exact) <= _DIGITS + 2) or max(value.p, value.q) <= _EASY:
        return exact
    return decimals_above(value, _DIGITS) if up else decimals_below(value, _DIGITS)
