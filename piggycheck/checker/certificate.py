"""A certificate as a whole: which rule checks which kind of claim, and the command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .asymptotic import CLAIM as ASYMPTOTIC_CLAIM
from .asymptotic import RULES as ASYMPTOTIC
from .comparison_proofs import CLAIM as COMPARISON_CLAIM
from .comparison_proofs import RULES as COMPARISONS
from .constrained import switched
from .continuity import continuous_proved, continuous_refuted
from .conventions import CLAIM as PRACTICE_CLAIM
from .conventions import RULES as PRACTICE
from .convergence import converges_proved, converges_refuted, converges_refuted_by_iterates
from .curved_rates import RULES as CURVED
from .cycles import CLAIM as CYCLES_CLAIM
from .cycles import RULES as CYCLES
from .derivatives import (
    chain_rule_proved,
    chain_rule_refuted,
    derivative_proved,
    derivative_refuted,
    fixed_point_proved,
    fixed_point_refuted,
)
from .divergence import diverges_proved, diverges_realised, diverges_refuted
from .effort import begin
from .enclosures import RULES as LIMITS_OF_LAYERS
from .implicit_sets import CLAIM as IMPLICIT_CLAIM
from .implicit_sets import RULES as IMPLICIT
from .layered_asymptotic import RULES as ASYMPTOTIC_OF_LAYERS
from .layered_rates import RULES as RATES_OF_LAYERS
from .limit_sets import CLAIM as LIMIT_CLAIM
from .limit_sets import RULES as LIMIT
from .limits import Structured
from .proofs import KINDS
from .radius import (
    no_common_form_excluded_by_word,
    no_common_form_proved,
    no_common_form_refuted,
    radius_proved,
    radius_refuted,
)
from .rate_comparisons import CLAIM as ORDER_CLAIM
from .rate_comparisons import RULES as ORDERS
from .rate_proofs import CLAIM as RATES_CLAIM
from .rate_proofs import RULES as RATES
from .reading import Data, Refused, Unreadable, fields, text
from .realisable import along_iterates
from .regions import parameter_map
from .sequences import Iterated
from .singular import RULES as SINGULAR
from .subject import FixedPoint, Map, Subject
from .trajectories import CLAIM as TRAJECTORIES_CLAIM
from .trajectories import OF_MAPS as TRAJECTORIES_OF_MAPS
from .trajectories import RULES as TRAJECTORIES

FORMAT = "piggycheck-certificate/1"
MOST_BYTES = 50_000_000

WORD = ("method", "word", "modulus_lower")
GROWTH = (*WORD, "growth_lower", "column")
EIGENVALUE = ("eigenvalue", "left_eigenvector", "excitation")
FOLLOWING = ("directions", "multipliers")
BOUNDS = ("lower", "upper")
Keys = Sequence[str]
Rule = tuple[Callable[[Data, Any, Data], str], Keys, Keys]  # with the required and optional keys of its witness

RULES: dict[tuple[str, str, str], Rule] = {  # by kind, verdict and method
    ("continuous", "proved", ""): (continuous_proved, (), ()),
    ("continuous", "refuted", ""): (continuous_refuted, (), ("gap", "point", "direction")),
    ("fixed_point", "proved", ""): (fixed_point_proved, (), ()),
    ("fixed_point", "refuted", ""): (fixed_point_refuted, (), ()),
    ("fixed_point", "refuted", "no_fixed_point"): (fixed_point_refuted, ("method",), ()),
    ("converges", "refuted", "word"): (converges_refuted, WORD, ()),
    ("diverges", "proved", "word"): (diverges_proved, GROWTH, (*EIGENVALUE, "shortest")),
    ("diverges", "refuted", "word"): (diverges_refuted, GROWTH, (*EIGENVALUE, "shortest")),
    ("diverges", "refuted", "no_short_word"): (diverges_refuted, ("method",), ()),
    ("chain_rule_set_is_larger", "proved", ""): (chain_rule_proved, ("A", "B"), ("direction", "weights")),
    ("chain_rule_set_is_larger", "refuted", ""): (chain_rule_refuted, (), ()),
    ("joint_spectral_radius", "proved", ""): (radius_proved, (), BOUNDS),
    ("joint_spectral_radius", "refuted", ""): (radius_refuted, (), BOUNDS),
    **TRAJECTORIES,
    ("no_common_quadratic_form", "proved", "dual"): (no_common_form_proved, ("method", "Q"), ()),
    ("no_common_quadratic_form", "proved", "word"): (no_common_form_excluded_by_word, WORD, ()),
    ("no_common_quadratic_form", "refuted", "quadratic"): (no_common_form_refuted, ("method", "P"), ()),
    **LIMIT,
    **PRACTICE,
    **IMPLICIT,
    **SINGULAR,
    **CYCLES,
    **RATES,
    **CURVED,
    **ASYMPTOTIC,
    **COMPARISONS,
    **ORDERS,
}
OF_LAYERS = {**LIMITS_OF_LAYERS, **RATES_OF_LAYERS, **ASYMPTOTIC_OF_LAYERS}  # by kind and verdict
REALISABLE: dict[tuple[str, str, str], Rule] = {  # where the claim is about iterates that converge
    ("converges", "refuted", "word"): (converges_refuted_by_iterates, (*WORD, *FOLLOWING), ()),
    ("diverges", "proved", "word"): (diverges_realised, (*GROWTH, *FOLLOWING), EIGENVALUE),
}
for proof, (_, keys) in KINDS.items():  # the fields of a proof stand in the witness
    inline = ("method", "rate", *keys)
    RULES["converges", "proved", proof] = (converges_proved, inline, ("trap",) if proof == "word_tree" else ())
    RULES["diverges", "refuted", proof] = (diverges_refuted, inline, ())
    RULES["derivative", "proved", proof] = (derivative_proved, (*inline, "matrix"), ())
    RULES["derivative", "refuted", proof] = (derivative_refuted, (*inline, "points"), ())
    REALISABLE["converges", "proved", proof] = (converges_proved, inline, ())
    REALISABLE["diverges", "refuted", proof] = (diverges_refuted, inline, ())
CLAIM = {
    "converges": ("rate",),
    "diverges": ("word_length",),
    "fixed_point": ("value",),
    "derivative": ("value",),
    "joint_spectral_radius": ("lower", "upper", "tolerance"),
    "no_common_quadratic_form": ("rate",),
    **LIMIT_CLAIM,
    **PRACTICE_CLAIM,
    **IMPLICIT_CLAIM,
    **TRAJECTORIES_CLAIM,
    **CYCLES_CLAIM,
    **RATES_CLAIM,
    **ASYMPTOTIC_CLAIM,
    **COMPARISON_CLAIM,
    **ORDER_CLAIM,
}
REALISABLE_CLAIM = {"converges": ("rate", "words"), "diverges": ("words",)}
WITHOUT_PIECES = (
    ("fixed_point", "proved"),
    ("chain_rule_set_is_larger", "proved"),
    ("iterates_converge_uniformly", "proved"),
    ("iterates_converge_uniformly", "refuted"),
    ("iterates_converge", "proved"),
    ("iterates_converge", "refuted"),
)
OF_MAPS = ("continuous", *CYCLES_CLAIM, *TRAJECTORIES_OF_MAPS)  # wherever fixed points are
OF_MATRICES = ("converges", "diverges", "joint_spectral_radius", "no_common_quadratic_form")  # a graph may constrain
OF_PAIRS = ("derivative", "asymptotic_rate", *(kind for kind, _, _ in (*LIMIT, *IMPLICIT)))


def check(certificate: Data) -> str:
    """Return what a certificate proves; raise `Refused` when it does not hold, `Unreadable` when it is none."""
    begin()
    try:
        return checked(certificate)
    except (RecursionError, MemoryError, ArithmeticError):
        raise Refused("it is nested too deeply, or its numbers are too large") from None


def checked(certificate: Any) -> str:
    """What the certificate proves."""
    if not isinstance(certificate, dict) or certificate.get("format") != FORMAT:
        raise Unreadable(f'not a certificate: `format` is not "{FORMAT}"')
    claim, witness = certificate.get("claim"), certificate.get("witness")
    if not isinstance(claim, dict) or not isinstance(witness, dict):
        raise Unreadable("`claim` or `witness` is missing, or not an object")
    kind, verdict = text(claim.get("kind"), "claim.kind"), text(claim.get("verdict"), "claim.verdict")
    method = text(witness.get("method", ""), "witness.method")
    if method == "layers":
        return of_layers(certificate, kind, verdict)
    if (kind, verdict, method) == ("parameter_map", "proved", "cells"):
        return parameter_map(certificate)
    realisable = "words" in claim
    if realisable and text(claim["words"], "claim.words") != "realisable":
        raise Unreadable('`claim.words` is "realisable", or not there')
    rules, stated = (REALISABLE, REALISABLE_CLAIM) if realisable else (RULES, CLAIM)
    if (kind, verdict, method) not in rules:
        raise Unreadable(f"`{kind[:40]}`, `{verdict[:40]}` by `{method[:40]}`: no such kind, verdict and method")
    rule, required, optional = rules[kind, verdict, method]
    fields(claim, "claim", STATED, stated.get(kind, ()))
    text(claim["statement"], "claim.statement")
    fields(witness, "witness", required, optional)
    if realisable:
        return rule(claim, subject_of_iterates(certificate, method), witness)
    return rule(claim, subject_of(certificate, kind, verdict, method), witness)


GENERAL = ("format", "claim", "witness")
STATED = ("kind", "verdict", "statement")


def of_layers(certificate: Data, kind: str, verdict: str) -> str:
    """What a certificate about a structured map proves."""
    if (kind, verdict) not in OF_LAYERS:
        raise Unreadable(f"`{kind[:40]}`, `{verdict[:40]}` by `layers`: no such kind, verdict and method")
    rule, required, optional, needed, possible = OF_LAYERS[kind, verdict]
    claim = fields(certificate["claim"], "claim", (*STATED, *needed), possible)
    text(claim["statement"], "claim.statement")
    witness = fields(certificate["witness"], "witness", required, optional)
    fields(certificate, "certificate", (*GENERAL, "layers"), ("start",))
    return rule(claim, Structured(certificate), witness)


def subject_of(certificate: Data, kind: str, verdict: str, method: str) -> Subject | Map | Iterated:
    """Read what the certificate is about."""
    if kind in (*COMPARISON_CLAIM, *ORDER_CLAIM):
        return Iterated(fields(certificate, "certificate", (*GENERAL, "map", "at"), ("start",)))
    if "switched" in certificate and kind in (*OF_MATRICES, *OF_PAIRS, "pseudo_inverse_agrees"):
        fields(certificate, "certificate", (*GENERAL, "switched"), ("J0",))
        return switched(certificate, constrained=kind in OF_MATRICES)
    if kind in OF_MAPS or (kind, verdict) == ("fixed_point", "refuted"):
        needed = () if kind == "continuous" else ("at",)
        fields(certificate, "certificate", (*GENERAL, "map", *needed), ("at", "start"))
        return Map(certificate, at_needed=bool(needed))
    pieces = (kind, verdict) not in WITHOUT_PIECES and kind not in RATES_CLAIM
    required = (*GENERAL, "map", "at", "fixed_point", *(("pieces",) if pieces else ()))
    chosen = (kind == "diverges" and method in ("word", "polynomial_growth")) or kind == "pseudo_inverse_agrees"
    fields(certificate, "certificate", required, ("start", "pieces", *(("J0",) if chosen else ())))
    return FixedPoint(certificate, pieces_needed=pieces)


def subject_of_iterates(certificate: Data, method: str) -> Subject:
    """Read what a certificate about iterates that converge is about: a graph of their words, unless it names one."""
    graph = () if method == "word" else ("graph", "memory")
    J0 = ("J0",) if method == "word" else ()
    required = (*GENERAL, "map", "at", "fixed_point", "pieces", *graph)
    fields(certificate, "certificate", required, ("start", *J0))
    subject = FixedPoint(certificate, pieces_needed=True)
    return along_iterates(subject, certificate) if graph else subject


def check_file(path: str) -> str:
    """Check the certificate in a file."""
    try:
        if os.stat(path).st_size > MOST_BYTES:
            raise Unreadable(f"larger than {MOST_BYTES} bytes")
        with open(path, encoding="utf-8") as file:
            data = file.read(MOST_BYTES + 1)
        hooks: Data = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), refuse)
        return check(json.loads(data, object_pairs_hook=distinct, **hooks))
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be read") from None
    except (RecursionError, MemoryError):
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None


def refuse(number: str) -> None:
    """Refuse a number that is not text."""
    raise Unreadable(f'the number {number[:40]} is not text; write "{number[:40]}"')


def distinct(pairs: list[tuple[str, Any]]) -> Data:
    """An object, which has every key once."""
    if len(dict(pairs)) < len(pairs):
        raise Unreadable("an object has a key twice")
    return dict(pairs)


def main(argv: Sequence[str]) -> int:
    """Check the files named; print one line for each, return the exit code."""
    code = 0
    for path in argv:
        try:
            print(f"{path}: valid: {check_file(path)}")
        except Refused as reason:
            print(f"{path}: does not hold: {' '.join(str(reason).split())}")
            code = max(code, 1)
        except Unreadable as reason:
            print(f"{path}: unreadable: {' '.join(str(reason).split())}", file=sys.stderr)
            code = 3
    if not argv:
        print("usage: python checker CERTIFICATE...", file=sys.stderr)
        code = 3
    return code
