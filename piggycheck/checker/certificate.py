"""A certificate as a whole: which rule checks which kind of claim, and the command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .continuity import continuous_proved, continuous_refuted
from .convergence import converges_proved, converges_refuted
from .derivatives import (
    chain_rule_proved,
    chain_rule_refuted,
    derivative_proved,
    derivative_refuted,
    fixed_point_proved,
    fixed_point_refuted,
)
from .divergence import diverges_proved, diverges_refuted
from .reading import Data, Refused, Unreadable, fields, text
from .subject import FixedPoint, Map, Subject, switched

FORMAT = "piggycheck-certificate/1"
MOST_BYTES = 5_000_000

TREE, WORD = ("method", "P", "rate", "words"), ("method", "word", "modulus_lower")
GROWTH = (*WORD, "growth_lower", "column")
OPTIONAL = ("eigenvalue", "left_eigenvector", "excitation", "shortest")
Keys = Sequence[str]
Rule = tuple[Callable[[Data, Any, Data], str], Keys, Keys]  # with the required and optional keys of its witness

RULES: dict[tuple[str, str, str], Rule] = {  # by kind, verdict and method
    ("continuous", "proved", ""): (continuous_proved, (), ()),
    ("continuous", "refuted", ""): (continuous_refuted, (), ("gap", "point", "direction")),
    ("fixed_point", "proved", ""): (fixed_point_proved, (), ()),
    ("fixed_point", "refuted", ""): (fixed_point_refuted, (), ()),
    ("fixed_point", "refuted", "no_fixed_point"): (fixed_point_refuted, ("method",), ()),
    ("converges", "proved", "word_tree"): (converges_proved, TREE, ("trap",)),
    ("converges", "refuted", "word"): (converges_refuted, WORD, ()),
    ("diverges", "proved", "word"): (diverges_proved, GROWTH, OPTIONAL),
    ("diverges", "refuted", "word"): (diverges_refuted, GROWTH, OPTIONAL),
    ("diverges", "refuted", "word_tree"): (diverges_refuted, TREE, ()),
    ("diverges", "refuted", "no_short_word"): (diverges_refuted, ("method",), ()),
    ("derivative", "proved", "word_tree"): (derivative_proved, (*TREE, "matrix"), ()),
    ("derivative", "refuted", "word_tree"): (derivative_refuted, (*TREE, "points"), ()),
    ("chain_rule_set_is_larger", "proved", ""): (chain_rule_proved, ("A", "B"), ()),
    ("chain_rule_set_is_larger", "refuted", ""): (chain_rule_refuted, (), ()),
}
CLAIM = {"converges": ("rate",), "diverges": ("word_length",), "fixed_point": ("value",), "derivative": ("value",)}


def check(certificate: Data) -> str:
    """Return what a certificate proves; raise `Refused` when it does not hold, `Unreadable` when it is none."""
    try:
        return checked(certificate)
    except (RecursionError, MemoryError, OverflowError):
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
    if (kind, verdict, method) not in RULES:
        raise Unreadable(f"`{kind[:40]}`, `{verdict[:40]}` by `{method[:40]}`: no such kind, verdict and method")
    rule, required, optional = RULES[kind, verdict, method]
    fields(claim, "claim", ("kind", "verdict", "statement"), CLAIM.get(kind, ()))
    text(claim["statement"], "claim.statement")
    fields(witness, "witness", required, optional)
    return rule(claim, subject_of(certificate, kind, verdict, method), witness)


def subject_of(certificate: Data, kind: str, verdict: str, method: str) -> Subject | Map:
    """Read what the certificate is about."""
    general = ("format", "claim", "witness")
    if "switched" in certificate and kind in ("converges", "diverges", "derivative"):
        return switched(fields(certificate, "certificate", (*general, "switched"), ("J0",)))
    if kind == "continuous" or (kind, verdict) == ("fixed_point", "refuted"):
        needed = () if kind == "continuous" else ("at",)
        fields(certificate, "certificate", (*general, "map", *needed), ("at", "start"))
        return Map(certificate, at_needed=bool(needed))
    pieces = (kind, verdict) not in (("fixed_point", "proved"), ("chain_rule_set_is_larger", "proved"))
    required = (*general, "map", "at", "fixed_point", *(("pieces",) if pieces else ()))
    J0 = ("J0",) if kind == "diverges" and method == "word" else ()
    fields(certificate, "certificate", required, ("start", "pieces", *J0))
    return FixedPoint(certificate, pieces_needed=pieces)


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
