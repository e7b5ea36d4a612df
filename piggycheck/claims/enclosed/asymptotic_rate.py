"""The exact asymptotic rate along a structured map whose piece at the limit is affine: which eigenvalue leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import arb, arb_mat, arb_poly, ctx, fmpq_mat, fmpq_poly

from piggycheck.arrays import EXACT, Enclosed
from piggycheck.claims.asymptotic_rate import AsymptoticRate, apart, found_text, rate_value
from piggycheck.claims.base import decimals_above, decimals_below
from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.derivative import in_directions
from piggycheck.claims.enclosed.errors import LayeredErrors
from piggycheck.claims.enclosed.facts import derivative_step, witness
from piggycheck.claims.enclosed.observed import enclosed_radius, observe
from piggycheck.claims.enclosed.rate_bound import is_inside
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.enclosed.verdicts import certified
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import LeadingEigenvalueStep, ObservedStep
from piggycheck.enclosures import LimitEnclosure, Tie
from piggycheck.enclosures.jacobian import derivative_block
from piggycheck.errors import PiggycheckError, UnknownError
from piggycheck.expression import to_text
from piggycheck.maps import Affine, Elementwise, Node, Signature, StateBlock
from piggycheck.maps.affinity import affine_nodes
from piggycheck.maps.sources import Factor
from piggycheck.rates.algebraic import AlgebraicNumber
from piggycheck.rates.modulus import largest_modulus

__all__ = ["asymptotic_rate_statement", "decide_asymptotic_rate"]

_MOST_KEPT = 30
_MOST_STEPS = 20_000
_BITS = (256, 1024)
_ROOT_BITS = 1200
_MOST_DENOMINATOR = 360
_LARGEST_WRITTEN_OUT = 24


def decide_asymptotic_rate(claim: AsymptoticRate, subject: EnclosedSubject) -> Verdict:
    """Find the eigenvalue that leads; maps of a few variables are written out first, where more can be decided."""
    if subject.is_tiny:
        written_out = _written_out(claim, subject)
        if written_out is not None:
            return written_out
    try:
        return _Decision(claim, subject).verdict()
    except UnknownError as error:
        written_out = None if subject.is_tiny else _written_out(claim, subject)
        if written_out is not None:
            return written_out
        raise UnknownError(f"{error}{_known(subject)}") from None


def asymptotic_rate_statement(claim: AsymptoticRate, subject: EnclosedSubject) -> str:
    """Say what is claimed."""
    statement = _about(claim, subject)
    if claim.quantity == "iterates" or not subject.map.declared:
        return statement
    where = in_directions(subject.chosen(claim.kind))
    return statement.replace("of the derivatives", f"of the derivatives {where}", 1)


def _about(claim: AsymptoticRate, subject: EnclosedSubject) -> str:
    where = f"from almost every start near {subject.named_point} " if subject.iteration.start is None else ""
    what = "is an algebraic number" if claim.value is None else f"is {claim.value}"
    return f"{where}the asymptotic linear rate of the {claim.quantity} {what}"


def _written_out(claim: AsymptoticRate, subject: EnclosedSubject) -> Verdict | None:
    """What is known of the map written out; None where it is large, or nothing is."""
    if subject.map.dimension > _LARGEST_WRITTEN_OUT:
        return None
    try:
        found = subject.found()
        return claim.decide(subject.at_tie(found) if isinstance(found, Tie) else subject.symbolic())
    except UnknownError:
        return None


def _known(subject: EnclosedSubject) -> str:
    """What is known of the spectral radius of the piece at the limit."""
    try:
        radius = enclosed_radius(subject.limit())
    except PiggycheckError:
        return ""
    if radius is None:
        return ""
    low, high = decimals_below(radius[0], 10), decimals_above(radius[1], 10)
    return f"; where the iterates converge, the rate is at most the spectral radius of A, between {low} and {high}"


@dataclass(frozen=True)
class _Leading:
    """The simple real eigenvalue of largest modulus.

    Attributes
    ----------
    modulus : AlgebraicNumber
    side : int
        Its sign.
    rest : list of arb
        The characteristic polynomial without it, by coefficients from the constant one on.
    """

    modulus: AlgebraicNumber
    side: int
    rest: list[arb]


class _Decision:
    """One claim about one map."""

    def __init__(self, claim: AsymptoticRate, subject: EnclosedSubject):
        self.claim, self.subject = claim, subject
        derivatives = claim.quantity == "derivatives"
        self.chosen: Chosen | None = subject.chosen(claim.kind) if derivatives else None
        if derivatives and subject.start_moves:
            raise UnknownError("the start depends on the parameters, and certificates hold starts that do not")
        self.limit = subject.limit(self.chosen)
        self.errors = LayeredErrors(subject, "max", self.chosen)

    def verdict(self) -> Verdict:
        """Find the rate, and compare it with the claimed one.

        Raises
        ------
        UnknownError
            When the piece is not affine, or not one simple real eigenvalue leads, or it is not seen to be excited.
        """
        kept, A = self.block()
        chi = A.charpoly()
        leading = _leading(chi)
        limit, first = self.excited(kept, A, leading)
        rate, claim = leading.modulus, self.claim
        if claim.value is None or rate.equals(claim.value):
            return self.certified(Proved, limit, first, A, chi, leading, rate)
        return self.certified(Refuted, limit, first, A, chi, leading, apart(rate, claim.value))

    def block(self) -> tuple[tuple[int, ...], fmpq_mat]:
        """The coordinates that are not constant on the ball, and the derivative in them, exactly.

        Raises
        ------
        UnknownError
            When the piece is not affine, or its numbers are not rational.
        """
        limit, map_ = self.limit, self.subject.map
        bound = limit.problem.over(EXACT)
        if not _is_affine(map_.nodes, bound.by_node(limit.signature), along_parameters=self.chosen is not None):
            what = "state and parameters together" if self.chosen is not None else "the state"
            raise UnknownError(f"the piece at the fixed point is not affine in {what}: the rate is exact where it is")
        if any(factor.inverted for node in map_.nodes if isinstance(node, Affine) for factor in _factors(node)):
            raise UnknownError("a layer inverts a matrix, and exact rates are certified where none does")
        try:
            moment = bound(Enclosed(limit.point))
            if moment.signature != limit.signature:
                raise UnknownError("the approximation of the fixed point is on another piece")
            rows = derivative_block(moment, limit.signature)
        except (UnknownError, NotImplementedError, ArithmeticError) as error:
            raise UnknownError(f"the derivative at the fixed point is not known exactly: {error}") from None
        if not 0 < len(rows.kept) <= _MOST_KEPT:
            raise UnknownError(
                f"{len(rows.kept)} coordinates are not constant near the fixed point, and exact eigenvalues are "
                f"computed for 1 to {_MOST_KEPT}"
            )
        if int(rows.matrix.numer_denom()[1]).bit_length() > _MOST_DENOMINATOR:
            raise UnknownError("the derivative at the fixed point has too long a denominator for certificates")
        return rows.kept, rows.matrix

    def excited(self, kept: tuple[int, ...], A: fmpq_mat, leading: _Leading) -> tuple[LimitEnclosure, int | None]:
        """The limit that is known closely enough, and an index from which on errors have a part along the eigenvector.

        Raises
        ------
        UnknownError
            When that is not seen.
        """
        if self.subject.iteration.start is None:
            return self.errors.limit(_BITS[0]), None
        k = 0
        for bits in _BITS:
            run = self.errors.run(bits)
            for k in range(_MOST_STEPS):
                run.go_to(k)
                if is_inside(run):
                    break
            else:
                raise UnknownError(f"no iterate up to k = {_MOST_STEPS} is near enough to the fixed point")
            run.go_to(k + 1)
            arrays = self.errors.limit(bits).arrays
            with arrays.precision():
                d, M = run.matrix(), arrays.matrix(A)
                d = arb_mat([[d[i, j] for j in range(d.ncols())] for i in kept])
                V = d * leading.rest[-1]
                for c in reversed(leading.rest[:-1]):
                    V = M * V + d * c
                if any(entry > 0 or entry < 0 for entry in V.entries()):
                    return self.errors.limit(2 * bits), k + 1
        raise UnknownError(
            f"the rate would be {leading.modulus}, but that the start excites this eigenvalue of the piece was not seen"
        )

    def certified(
        self,
        kind: Any,
        limit: LimitEnclosure,
        first: int | None,
        A: fmpq_mat,
        chi: fmpq_poly,
        leading: _Leading,
        rate: AlgebraicNumber,
    ) -> Verdict:
        subject, claim, chosen = self.subject, self.claim, self.chosen
        derivation = subject.opening()
        if chosen is not None:
            derivation.record(derivative_step(self.limit, chosen.labels))
        size = subject.map.dimension
        derivation.record(LeadingEigenvalueStep(claim.quantity, size, A.nrows(), first, chi, leading.side, rate))
        observed = observe(subject, self.limit, chosen)
        if observed is not None:
            derivation.record(observed)
        parts = witness(limit)
        if chosen is not None:
            parts |= {"directions": chosen.text(), "derivative": limit.derivative}
        parts["error"] = limit.error if chosen is None else limit.derivative_error
        parts["number"] = {"polynomial": list(rate.polynomial), "lower": rate.lower, "upper": rate.upper}
        if first is not None:
            parts["iteration"] = first
        form = rate.closed_form
        value = claim.value if claim.value is None or kind is Refuted or form is None else form
        return certified(
            kind,
            claim,
            subject,
            statement=asymptotic_rate_statement(claim, subject),
            found=f"the errors of the {claim.quantity} {found_text(rate)}",
            value=rate_value(rate, 0) | _seen(observed),
            reason="it is the modulus of the leading eigenvalue of A, which the error excites"
            if first is not None
            else "it is the modulus of the leading eigenvalue of A",
            derivation=derivation,
            witness=parts,
            fields={
                "quantity": claim.quantity,
                "value": None if value is None else to_text(value),
                "directions": None if chosen is None else chosen.text(),
            },
        )


def _factors(node: Affine) -> list[Factor]:
    """The factors of the products with what depends on the state."""
    terms = [term for term in node.terms if term.of is not None and term.of.depends_on_state()]
    return [factor for term in terms for factor in term.factors]


def _seen(observed: ObservedStep | None) -> dict[str, Any]:
    if observed is None:
        return {}
    identified = None if observed.identified_at is None else str(observed.identified_at)
    return {"identified": identified, "observed": observed.rate or None, "iterations": str(observed.steps)}


def _leading(chi: fmpq_poly) -> _Leading:
    """The eigenvalue that leads.

    Raises
    ------
    UnknownError
        When several have the largest modulus.
    """
    if not any(c != 0 for c in chi.coeffs()[:-1]):
        raise UnknownError("all eigenvalues of the piece are zero, so its errors vanish after finitely many steps")
    largest = largest_modulus(chi)
    rate, dominant = largest.modulus, largest.dominant
    several = UnknownError(f"several eigenvalues of the piece have the largest modulus, {rate}")
    if len(dominant) > 1 or ((chi // dominant[0]) % dominant[0]).degree() < 0:
        raise several
    if sum(bool(abs(root).upper() >= arb(rate.lower)) for root, _ in dominant[0].complex_roots()) > 1:
        raise several
    with ctx.workprec(_ROOT_BITS):
        ball = rate.enclosure(_ROOT_BITS)
        for side in (1, -1):
            if arb_poly([arb(c) for c in dominant[0].coeffs()])(side * ball).contains(0):
                return _Leading(rate, side, _without(chi, side * ball))
    raise UnknownError(f"the eigenvalues of the piece of largest modulus, {rate}, are not real")


def _without(chi: fmpq_poly, root: arb) -> list[arb]:
    found, carry = [], arb(0)
    for c in reversed(chi.coeffs()[1:]):
        carry = arb(c) + carry * root
        found.append(carry)
    return found[::-1]


def _is_affine(nodes: tuple[Node, ...], signs: dict[Node, Signature], *, along_parameters: bool) -> bool:
    """Whether a piece is affine in the state; or in state and parameters together."""
    if along_parameters:
        return nodes[-1] in affine_nodes(nodes, signs)
    return all(
        isinstance(node, (StateBlock, Affine))
        or (isinstance(node, Elementwise) and _is_affine_on(node, signs.get(node, ())))
        for node in nodes
        if node.depends_on_state()
    )


def _is_affine_on(node: Elementwise, signs: Any) -> bool:
    function, width = node.function, len(node.function.guards)
    branches = {function.leaf(signs[i * width : (i + 1) * width]).expression for i in range(node.size)}
    return all(sp.diff(branch, function.variable, 2) == 0 for branch in branches)
