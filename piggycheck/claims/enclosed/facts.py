"""Facts about verified limits, as derivations and answers state them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.derivation import EnclosedDerivativeStep, EnclosedOutputStep, EnclosedPointStep, TieStep
from piggycheck.enclosures import Contraction, LimitEnclosure, OutputEnclosure, Tie, enclose_output
from piggycheck.enclosures.jacobian import derivative_rows
from piggycheck.enclosures.proof import around
from piggycheck.errors import UnknownError
from piggycheck.maps import Signature, StructuredMap

__all__ = [
    "by_block",
    "compressed",
    "derivative_step",
    "output_of",
    "output_step",
    "output_value",
    "point_step",
    "rounded",
    "tie_step",
    "witness",
]

_MOST_DIGITS = 40
_GUARD_DIGITS = 1
_ROOM, _LEAST = 2, fmpq(1) / fmpq(10) ** 30


def witness(limit: LimitEnclosure, contraction: Contraction | None = None) -> dict[str, Any]:
    """Return what every certificate about a verified limit has in its witness.

    Parameters
    ----------
    limit : LimitEnclosure
    contraction : Contraction, optional
        Of the whole space; by default that of the limit.
    """
    contraction = contraction or limit.contraction
    return {
        "method": "layers",
        "bits": limit.bits,
        "point": limit.point.entries(),
        "radius": contraction.radius,
        "contraction": contraction.factor,
        "by": contraction.by,
    }


def by_block(map_: StructuredMap, M: fmpq_mat) -> list[tuple[str, fmpq_mat]]:
    """Split the rows of a matrix into the blocks of the state."""
    parts, start, rows = [], 0, M.tolist()
    for block in map_.blocks:
        stop = start + block.size
        entries = [entry for row in rows[start:stop] for entry in row]
        parts.append((block.name, fmpq_mat(block.size, M.ncols(), entries)))
        start = stop
    return parts


def rounded(M: fmpq_mat, error: fmpq) -> tuple[list[list[str]], fmpq]:
    """Write the entries with as many decimals as are known; return them with a bound on the distance of all together.

    Examples
    --------
    >>> rounded(fmpq_mat([[fmpq(1, 3), 2]]), fmpq(1, 1000))
    ([['0.33333', '2.00000']], 1/500)
    """
    size = max(1, M.nrows() * M.ncols())
    digits = max(0, len(str(error.q)) - len(str(error.p))) + (len(str(size)) + 1) // 2 + _GUARD_DIGITS
    scale = fmpq(10) ** digits
    rows = [[_decimal((entry * scale + fmpq(1, 2)).floor(), digits) for entry in row] for row in M.tolist()]
    return rows, 2 * error


def _decimal(number: Any, digits: int) -> str:
    sign, size = "-" if number < 0 else "", str(abs(int(number))).rjust(digits + 1, "0")
    return f"{sign}{size[:-digits]}.{size[-digits:]}" if digits else sign + size


# -- steps of derivations -------------------------------------------------------------------------------------------


def point_step(limit: LimitEnclosure) -> EnclosedPointStep:
    """Say where the fixed point is, and which branches are taken there."""
    map_, contraction = limit.problem.map, limit.contraction
    blocks = by_block(map_, limit.point)
    zero, signs, start = _constant_zeros(limit), [], 0
    for _, values in blocks:
        entries = values.entries()
        counts = [0, 0, 0, 0]
        for i, entry in enumerate(entries, start):
            kind = 0 if entry > limit.error else 1 if -entry > limit.error else 2 if i in zero else 3
            counts[kind] += 1
        signs.append(tuple(counts))
        start += len(entries)
    return EnclosedPointStep(
        tuple((name, _seen(values, limit.error)) for name, values in blocks),
        tuple(signs),
        limit.error,
        limit.residual,
        contraction.radius,
        contraction.factor,
        contraction.by,
        branches(map_, limit.signature),
    )


def _seen(M: fmpq_mat, error: fmpq) -> tuple[fmpq, ...]:
    """The entries of a matrix; those that may be 0 as 0, since their digits say nothing."""
    return tuple(fmpq(0) if abs(entry) <= error else entry for entry in M.entries())


def _constant_zeros(limit: LimitEnclosure) -> set[int]:
    """The coordinates that the map sends to 0 everywhere near the fixed point."""
    bound = limit.problem.over(limit.arrays)
    with bound.arrays.precision():
        moment = around(bound, bound.arrays.matrix(limit.point), limit.error, "jacobian")
        moving = set(derivative_rows(moment, limit.signature).kept)
        values = moment.values[limit.problem.map.next].entries()
    return {i for i, value in enumerate(values) if value == 0 and i not in moving}


def branches(map_: StructuredMap, signature: Signature) -> tuple[tuple[str, str, tuple[Any, ...]], ...]:
    """Count, for each node, how many of its units are on which branch."""
    found, start = [], 0
    for node in map_.switching:
        names = node.guard_names
        signs = signature[start : start + len(names)]
        start += len(names)
        split = [name.partition(": ") for name in names]
        units: dict[str, list[tuple[str, int]]] = {}
        for (unit, _, guard), sign in zip(split, signs, strict=True):
            units.setdefault(unit, [])
            if sign is not None:
                units[unit].append((guard, sign))
        rows: dict[tuple[tuple[str, int], ...], int] = {}
        for conditions in units.values():
            rows[tuple(conditions)] = rows.get(tuple(conditions), 0) + 1
        ordered = sorted(rows.items(), key=lambda row: -row[1])
        found.append((node.name, _unit(next(iter(units))), tuple((count, key) for key, count in ordered)))
    return tuple(found)


def _unit(name: str) -> str:
    """What the guards of a node are about, from the name of one."""
    if name.endswith("]"):
        return "entry"
    return next((kind for kind in ("group", "eigenvalue") if f", {kind} " in name), "")


def compressed(map_: StructuredMap, signature: Signature) -> str:
    """Write a signature node by node; a run of equal signs is a number and what it repeats.

    Examples
    --------
    >>> from piggycheck.algorithms import forward_backward
    >>> from piggycheck.functions import l1, quadratic
    >>> map_ = forward_backward(quadratic([[1, 0], [0, 1]], [5, 5]), l1(1), step="1/2").map
    >>> compressed(map_, Signature([1, 1, None, 1, 1, None]))
    'proximal: 2 ++·'
    """
    parts, start = [], 0
    for node in map_.switching:
        names = node.guard_names
        width = sum(name.partition(": ")[0] == names[0].partition(": ")[0] for name in names)
        signs = [Signature(signature[i : i + width]) for i in range(start, start + len(names), width)]
        runs = [(str(sign), len(list(run))) for sign, run in itertools.groupby(signs)]
        parts.append(f"{node.name}: " + " ".join(f"{count} {sign}" for sign, count in runs))
        start += len(names)
    return "; ".join(parts)


def tie_step(tie: Tie, pieces: int | None = None) -> TieStep:
    """Say which guards vanish at the fixed point."""
    return TieStep(tie.guards, pieces)


def output_of(limit: LimitEnclosure) -> OutputEnclosure | None:
    """Enclose the output of the iteration and its derivative; None when it is the state, or is not enclosed."""
    if limit.problem.iteration.output is None:
        return None
    try:
        found = enclose_output(limit)
    except UnknownError:
        return None
    moved = None if found.derivative_error is None else _ROOM * found.derivative_error + _LEAST
    return replace(found, error=_ROOM * found.error + _LEAST, derivative_error=moved)


def output_step(limit: LimitEnclosure, found: OutputEnclosure, labels: Sequence[str] = ()) -> EnclosedOutputStep:
    """Say what the output of the iteration is, and its derivative in the directions that the labels name, if any."""
    name = limit.problem.iteration.output.next.name
    step = EnclosedOutputStep(name, _seen(found.point, found.error), found.error)
    if not labels:
        return step
    J, error = found.derivative, found.derivative_error
    seen = fmpq_mat(J.nrows(), J.ncols(), list(_seen(J, error)))
    return replace(step, directions=tuple(labels), derivative=seen, derivative_error=error)


def output_value(limit: LimitEnclosure, found: OutputEnclosure, *, moving: bool) -> dict[str, Any]:
    """Return the output as answers hold it, with its derivative when it is asked for."""
    shown, error = rounded(found.point, found.error)
    name = limit.problem.iteration.output.next.name
    value = {"name": name, "point": [row[0] for row in shown], "error": str(error)}
    if moving:
        value["matrix"], moved = rounded(found.derivative, found.derivative_error)
        value["matrix_error"] = str(moved)
    return {"output": value}


def derivative_step(limit: LimitEnclosure, labels: Sequence[str]) -> EnclosedDerivativeStep:
    """Say what the derivatives converge to.

    Raises
    ------
    UnknownError
        When no derivative was asked for.
    """
    if limit.derivative is None:
        raise UnknownError("no derivative was asked for")
    J, error = limit.derivative, limit.derivative_error
    seen = fmpq_mat(J.nrows(), J.ncols(), list(_seen(J, error)))
    return EnclosedDerivativeStep(tuple(labels), tuple(by_block(limit.problem.map, seen)), error)
