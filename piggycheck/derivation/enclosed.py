"""The steps of derivations about structured maps: what is known of them up to a distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = [
    "EnclosedDerivativeStep",
    "EnclosedOutputStep",
    "EnclosedPointStep",
    "EnclosedRateStep",
    "ErrorStep",
    "FromStartStep",
    "ObservedStep",
    "StructuredMapStep",
    "TieStep",
]


@dataclass(frozen=True)
class StructuredMapStep(Step):
    """A map made of layers, with its parameters.

    Attributes
    ----------
    name : str
    layers : mapping
        The description in certificates: state, parameters and their values, matrices, vectors, nodes.
    start : tuple of text or None
        The numbers of the start.
    """

    name: str
    layers: Any
    start: tuple[str, ...] | None


@dataclass(frozen=True)
class EnclosedPointStep(Step):
    """The only fixed point in a ball, known up to a distance.

    Attributes
    ----------
    blocks : tuple of (name, tuple of fmpq)
        The approximation, block by block.
    signs : tuple of (positive, negative, zero, unknown)
        For each block, how many coordinates of the fixed point are proved to have each sign.
    error : fmpq
        Bounds the Euclidean distance of the fixed point from the approximation.
    residual, radius, contraction : fmpq
        The map moves the approximation by at most the residual, and contracts the ball of this radius by this factor.
    by : "layers" or "jacobian"
        How the contraction was proved.
    branches : tuple of (node, unit, rows)
        What the switches of a node see there: of its units ("entry", "group", "eigenvalue" or ""), each row has a count
        and pairs of a guard, as text, and its sign.
    """

    blocks: tuple[tuple[str, tuple[Any, ...]], ...]
    signs: tuple[tuple[int, int, int, int], ...]
    error: Any
    residual: Any
    radius: Any
    contraction: Any
    by: str
    branches: tuple[tuple[str, str, tuple[Any, ...]], ...] = ()


@dataclass(frozen=True)
class TieStep(Step):
    """A fixed point at which guards vanish.

    Attributes
    ----------
    guards : tuple of str
    pieces : int or None
        How many pieces meet there, where they were counted.
    """

    guards: tuple[str, ...]
    pieces: int | None = None


@dataclass(frozen=True)
class FromStartStep(Step):
    """Why the iterates from the start converge to the fixed point.

    Attributes
    ----------
    distance : fmpq
        Bounds the distance of the start from the fixed point.
    lipschitz : fmpq
        A Lipschitz constant of the map on the ball of this radius.
    radius, contraction : fmpq
        Of the ball in which the map contracts.
    """

    distance: Any
    lipschitz: Any
    radius: Any
    contraction: Any


@dataclass(frozen=True)
class EnclosedRateStep(Step):
    """A bound on the spectral radius of the one matrix A at an enclosed fixed point.

    Attributes
    ----------
    rate : fmpq
    size, kept : int
        Of the rows of A, those that are not zero are kept.
    has_form : bool
        Whether the norm is that of a quadratic form; else it is the Euclidean one.
    """

    rate: Any
    size: int
    kept: int
    has_form: bool = False


@dataclass(frozen=True)
class LeadingEigenvalueStep(Step):
    """The eigenvalue of largest modulus of an affine piece, and that errors have a part along its eigenvector.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    size, kept : int
        Of the rows of A, those that are not zero are kept, with the columns of the same indices.
    iteration : int or None
        The index of the error that was looked at; None when the claim is about almost every start.
    characteristic_polynomial : fmpq_poly
        Of the kept block.
    side : int
        The sign of the eigenvalue.
    rate : piggycheck.rates.modulus.AlgebraicNumber
        Its modulus.
    """

    quantity: str
    size: int
    kept: int
    iteration: int | None
    characteristic_polynomial: Any
    side: int
    rate: Any


@dataclass(frozen=True)
class ObservedStep(Step):
    """What a run at high precision shows beside the proof.

    Attributes
    ----------
    identified_at : int or None
        From this iterate on, until the end of the run, the switches see what they see at the fixed point.
    rate : str
        The factor by which the error shrinks in each of the last steps, as decimals; empty when it does not settle.
    radius : tuple of two fmpq, or None
        An enclosure of the spectral radius of A.
    steps : int
        The length of the run.
    quantity : "iterates" or "derivatives"
        Whose error it is.
    """

    identified_at: int | None
    rate: str
    radius: tuple[Any, Any] | None
    steps: int
    quantity: str = "derivatives"


@dataclass(frozen=True)
class EnclosedDerivativeStep(Step):
    """The limit of the derivatives in some directions, known up to a distance.

    Attributes
    ----------
    directions : tuple of str
        What each column is the derivative in.
    blocks : tuple of (name, fmpq_mat)
        The approximation, block by block of the state.
    error : fmpq
        Bounds the Frobenius distance from the approximation.
    """

    directions: tuple[str, ...]
    blocks: tuple[tuple[str, Any], ...]
    error: Any


@dataclass(frozen=True)
class EnclosedOutputStep(Step):
    """The output of an iteration at its limit, when that is not the state, and its derivative.

    Attributes
    ----------
    name : str
    point : tuple of fmpq
    error : fmpq
        Bounds the Euclidean distance.
    directions : tuple of str
    derivative : fmpq_mat or None
    derivative_error : fmpq or None
        Bounds the Frobenius distance.
    """

    name: str
    point: tuple[Any, ...]
    error: Any
    directions: tuple[str, ...] = ()
    derivative: Any | None = None
    derivative_error: Any | None = None


@dataclass(frozen=True)
class ErrorStep(Step):
    """How far iterates or derivatives are from their limit after some steps.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    iterations : int
    lower, upper : fmpq
        Bounds on the error.
    directions : tuple of str
    """

    quantity: str
    iterations: int
    lower: Any
    upper: Any
    directions: tuple[str, ...] = ()
