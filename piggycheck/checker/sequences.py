"""Sequences of errors with a name: what is observed along which orbit, and what it should tend to."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any

from .arithmetics import Exact, Number, Rounded
from .distances import Limit
from .estimates import Estimated
from .norms import NORMS, enclosed, exact_norm, exact_square
from .orbits import LIMIT, Orbit, Setting
from .program import require_name
from .rates import MOST_STEPS, limit_of
from .reading import Data, Refused, Unreadable, array, fields, integer, text
from .runs import Arithmetic
from .subject import FixedPoint

QUANTITIES = ("iterates", "derivatives", "implicit", "partial")
KNOWN: dict[str, Data] = {  # without being stated
    "iterates": {"quantity": "iterates"},
    "derivatives": {"quantity": "derivatives"},
    "one_step": {"quantity": "derivatives", "last": "1"},
    "implicit": {"quantity": "implicit"},
}
FIELDS = ("at", "output", "wrt", "last", "skip", "norm")


class Iterated:
    """A map with a start, whose limits a witness states."""

    def __init__(self, certificate: Data) -> None:
        self.parts: Data = {key: certificate[key] for key in ("map", "at", "start") if key in certificate}

    def at(self, data: Any, limit: Data) -> FixedPoint:
        """The map at a limit, with other values of some parameters."""
        if not isinstance(data, dict) or not isinstance(self.parts["at"], dict):
            raise Unreadable("`at` is not an object")
        if not set(data) <= set(self.parts["at"]):
            raise Unreadable("`at` of a sequence names what is no parameter")
        parts: Data = {**self.parts, "at": {**self.parts["at"], **data}, "fixed_point": limit["fixed_point"]}
        if "pieces" in limit:
            parts["pieces"] = limit["pieces"]
        return FixedPoint(parts, pieces_needed="pieces" in limit)


def stated(claim: Data, used: set[str]) -> dict[str, Data]:
    """What a claim says of the sequences that it uses."""
    listed = claim.get("sequences", {})
    if not isinstance(listed, dict):
        raise Unreadable("`claim.sequences` is not an object")
    for name, data in listed.items():
        if require_name(name, "claim.sequences") == "k" or name not in used:
            raise Unreadable(f"`claim.sequences`: `{name[:60]}` is not used, or is k")
        fields(data, f"claim.sequences.{name}", ("quantity",), FIELDS)
        if name in KNOWN and {key: value for key, value in data.items() if key != "norm"} != KNOWN[name]:
            raise Unreadable(f"`claim.sequences`: `{name}` has another meaning")
    missing = used - {*listed, *KNOWN}
    if missing:
        raise Unreadable(f"`claim.sequences`: `{min(missing)[:60]}` is missing")
    known = {**KNOWN, **listed}
    return {name: known[name] for name in sorted(used)}


class Observed:
    """What is observed, of which map."""

    def __init__(self, name: str, data: Data, iterated: Iterated, limit: Data, norm: str) -> None:
        where = f"claim.sequences.{name}"
        self.name, self.data = name, data
        self.quantity, self.norm = text(data["quantity"], where), text(data.get("norm", norm), where)
        if self.quantity not in QUANTITIES or self.norm not in NORMS:
            raise Unreadable(f"`{where}`: no such quantity or norm")
        self.subject = iterated.at(data.get("at", {}), limit)
        self.last, self.skip = self.count("last", 1), self.count("skip", 0)
        if (self.last is not None or self.skip is not None) and self.quantity != "derivatives":
            raise Unreadable(f"`{where}`: `last` and `skip` are for derivatives")
        if self.last is not None and self.skip is not None:
            raise Unreadable(f"`{where}`: `last` and `skip` exclude each other")
        self.columns = self.read_columns(where)
        self.outputs = self.read_outputs(where)

    @property
    def plain(self) -> bool:
        """Whether it is the error of the iterates, or of derivatives with all steps."""
        estimated = self.quantity in ("implicit", "partial") or self.last is not None or self.skip is not None
        return not estimated and not self.outputs

    def count(self, key: str, least: int) -> int | None:
        """A number of steps."""
        return integer(self.data[key], key, least, MOST_STEPS) if key in self.data else None

    def read_columns(self, where: str) -> list[int]:
        """Which columns count."""
        names = self.subject.map.parameters
        if self.quantity == "iterates":
            if "wrt" in self.data:
                raise Unreadable(f"`{where}.wrt` is for derivatives")
            return [0]
        if not names:
            raise Unreadable("there are no parameters")
        chosen = self.data.get("wrt", names)
        chosen = [
            text(name, f"{where}.wrt") for name in ([chosen] if isinstance(chosen, str) else array(chosen, where))
        ]
        if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(names):
            raise Unreadable(f"`{where}.wrt`: not distinct parameters")
        return [names.index(name) for name in chosen]

    def read_outputs(self, where: str) -> list[int]:
        """The nodes of what is observed."""
        data, map_ = self.data.get("output", []), self.subject.map
        if "output" not in self.data:
            if self.quantity == "partial":
                raise Unreadable(f"`{where}.output` is missing")
            return []
        map_.program.names = map_.names
        nodes = [map_.program.read(e) for e in ([data] if isinstance(data, str) else array(data, f"{where}.output"))]
        if not nodes:
            raise Unreadable(f"`{where}.output` is empty")
        return nodes


def require_one_limit(observed: Iterable[Observed]) -> None:
    """Refuse errors from different fixed points at the same parameters."""
    known: dict[frozenset[tuple[str, Fraction]], dict[str, Fraction]] = {}
    for one in observed:
        subject = one.subject
        if known.setdefault(frozenset(subject.map.at.items()), subject.x) != subject.x:
            raise Refused(f"`{one.name}` is compared with another fixed point than other sequences")


class ErrorSequence(Observed):
    """The norm of what is observed less its limit, for every index."""

    def __init__(self, name: str, data: Data, iterated: Iterated, limit: Data, norm: str, first: int = 0) -> None:
        fields(limit, f"limits.{name}", ("fixed_point",), ("pieces", "matrix"))
        super().__init__(name, data, iterated, limit, norm)
        self.setting = Estimated(self.subject, self.outputs, self.quantity, self.last, self.skip, first)
        base = limit_of(self.setting, {key: limit[key] for key in ("matrix",) if key in limit})
        self.limit = OutputLimit(self.setting, base) if self.outputs else base

    def value(self, orbit: Orbit) -> Number:
        """The error, in the arithmetic of an orbit."""
        if isinstance(orbit.arithmetic, Rounded):
            entries = self.limit.differences(orbit)
            return enclosed([[row[j] for j in self.columns] for row in entries], self.norm, orbit.arithmetic)
        rows, denominator = self.integers(orbit)
        return exact_norm(rows, denominator, self.norm)

    def square(self, orbit: Orbit) -> Fraction:
        """Its square, in exact numbers."""
        rows, denominator = self.integers(orbit)
        return Fraction(exact_square(rows, self.norm), denominator**2)

    def integers(self, orbit: Orbit) -> tuple[list[list[int]], int]:
        """The entries of the difference as integers over one denominator."""
        rows, denominator = self.limit.integers(orbit)
        return [[row[j] for j in self.columns] for row in rows], denominator


class OutputLimit(Limit):
    """The output at the limit, or its derivatives there."""

    def __init__(self, setting: Setting, base: Limit) -> None:
        super().__init__([], setting.derivatives)
        self.setting, self.base = setting, base
        self.there = There(setting)

    def values(self, orbit: Orbit) -> list[list[Number]]:
        """The rows of the orbit."""
        outputs = self.setting.outputs
        if self.derivatives:
            return [row or orbit.zero for row in orbit.pushed(outputs, orbit.derivative())]
        return [[a] for a in orbit.values(outputs)]

    def numbers(self, arithmetic: Arithmetic) -> list[list[Number]]:
        """The limit in an arithmetic."""
        if self.known is None or self.known[0] is not arithmetic:
            orbit = self.there.orbit(arithmetic)
            if self.derivatives:
                orbit.J = [*self.base.numbers(arithmetic)]
            self.known = arithmetic, self.values(orbit)
        return self.known[1]

    @cached_property
    def rational(self) -> list[list[Fraction]]:
        """The same, exactly."""
        return self.numbers(Exact())

    def integers(self, orbit: Orbit) -> tuple[list[list[int]], int]:
        """Orbit less limit, as integers over one denominator."""
        self.rows = self.rational
        return super().integers(orbit)


class There:
    """The limit as an orbit that stays."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def orbit(self, arithmetic: Arithmetic) -> Orbit:
        """In numbers of an arithmetic."""
        found = Orbit(self.setting, arithmetic, None if isinstance(arithmetic, Exact) else self)
        found.k, found.x = LIMIT, [arithmetic.number(c) for c in self.setting.subject.x.values()]
        return found

    def at(self, k: int) -> Orbit:
        """In rational numbers."""
        return self.orbit(Exact())

    def sign(self, k: int, node: int) -> int:
        """The sign of a guard."""
        exact = self.at(k)
        return exact.arithmetic.sign(exact.run().value(node))
