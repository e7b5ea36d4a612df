"""The data of pictures in a plane: a cycle of a flow, or iterates as functions of a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq

from piggycheck.arithmetic import RATIONAL, rational, to_sympy
from piggycheck.claims.panels import trimmed
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Verdict
from piggycheck.derivation import FlowCycleStep, FlowStep, FunnelStep, PeriodicOrbitStep
from piggycheck.linalg import as_float
from piggycheck.render.numbers import decimal

__all__ = ["Curve", "PlaneFigure", "PlanePanel", "path_figure", "plane_figure"]

_ALONG = 200
_FINENESS = 256
_SHOWN = 5
_ROOM = 0.07
_FIRST_STEPS = 12


@dataclass(frozen=True)
class Curve:
    """Points in the plane.

    Attributes
    ----------
    label : str
    x, y : tuples of float
    role : str
        ``"cycle"``, ``"guard"``, ``"orbit"``, ``"steps"``, ``"target"``, ``"crossing"``, ``"bound"``, ``"path"``, or
        ``"member"`` of a family, which takes the next colour.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    role: str


@dataclass(frozen=True)
class PlanePanel:
    """Curves with common axes.

    Attributes
    ----------
    title, xlabel, ylabel : str
    curves : tuple of Curve
    window : (left, right, bottom, top), or None
    """

    title: str
    xlabel: str
    ylabel: str
    curves: tuple[Curve, ...]
    window: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class PlaneFigure:
    """What a figure shows: panels in a plane, beside each other when there are several."""

    title: str
    planes: tuple[PlanePanel, ...]


def plane_figure(subject: Subject, verdicts: Sequence[Verdict], title: str = "") -> PlaneFigure | None:
    """Compute a picture in the plane, where verdicts are about a cycle of a flow or a box of one parameter.

    Parameters
    ----------
    subject : Subject
    verdicts : sequence of verdicts
    title : str

    Returns
    -------
    PlaneFigure or None
        None for other verdicts.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.claims import IteratesConvergeUniformly, prove
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> subject = Subject(Iteration(SymbolicMap([x], [x / 2], [theta]), [theta]), {theta: 0})
    >>> verdict = prove(IteratesConvergeUniformly({"theta": [0, 1]}), subject)
    >>> [curve.label for curve in plane_figure(subject, [verdict]).planes[0].curves][:2]
    ['k = 0', 'k = 1']

    Notes
    -----
    Points are computed exactly where iterates are drawn, and rounded. When this fails: boxes of several parameters have
    no such picture.
    """
    steps = [step for verdict in verdicts for step in verdict.derivation]
    cycle = next((step for step in steps if isinstance(step, FlowCycleStep)), None)
    if cycle is not None:
        flow = next(step for step in steps if isinstance(step, FlowStep))
        orbit = next((step for step in steps if isinstance(step, PeriodicOrbitStep)), None)
        return PlaneFigure(title, (_flow(subject, flow, cycle, orbit),))
    funnel = next((step for step in steps if isinstance(step, FunnelStep)), None)
    if funnel is not None and len(funnel.box) == 1:
        return PlaneFigure(title, (_family(subject, funnel),))
    return None


def path_figure(points: Any, names: Sequence[str], planes: Sequence[tuple[int, int]], title: str = "") -> PlaneFigure:
    """Show a path, such as that of `piggycheck.trajectories.FormalGradient.descend`, in some coordinate planes.

    Parameters
    ----------
    points : array with one row for each point
    names : sequence of str
        What the columns are.
    planes : sequence of pairs of int
        The two columns of each panel, across and up.
    title : str

    Returns
    -------
    PlaneFigure

    Examples
    --------
    >>> path_figure([[0.0, 1.0], [1.0, 2.0]], ["x", "y"], [(0, 1)]).planes[0].curves[0].y
    (1.0, 2.0)
    """
    points = np.asarray(points)
    panels = []
    for i, j in planes:
        first = Curve("start", (float(points[0, i]),), (float(points[0, j]),), "crossing")
        panels.append(PlanePanel("", names[i], names[j], (_curve("", points[:, (i, j)], "path"), first)))
    return PlaneFigure(title, tuple(panels))


# -- a cycle of a flow ------------------------------------------------------------------------------------------------


def _flow(subject: Subject, flow: FlowStep, cycle: FlowCycleStep, orbit: PeriodicOrbitStep | None) -> PlanePanel:
    arcs = [_arc(flow, cycle, side) for side in (0, 1)]
    closed = np.concatenate(arcs)
    curves = [_curve("cycle of the flow", closed, "cycle")]
    targets = np.array([[as_float(c) for c in centre] for centre in flow.centres])
    if orbit is not None:
        points = np.array([[as_float(c) for c in x] for x in (*orbit.points, orbit.points[0])])
        curves.append(_curve("first iterates", np.array(_iterates(subject, _FIRST_STEPS)), "steps"))
        curves.append(_curve(f"the {len(orbit.word)} points the iterates run into", points, "orbit"))
    curves.append(_curve("where the flow tends to on the other side", targets, "target"))
    crossings = np.array([[as_float((low + high) / 2) for low, high in x] for x in cycle.crossings])
    shown = " and ".join(decimal(sum(x[0], fmpq(0)) / 2, 5) for x in cycle.crossings)
    curves.append(_curve(f"crossings, at {flow.state[0]} = {trimmed(shown)}", crossings, "crossing"))
    everything = np.concatenate([np.stack([curve.x, curve.y], axis=1) for curve in curves])
    window = _around(everything)
    curves.insert(0, _curve("where the two sides meet", _line(flow.guard, flow.state, window), "guard"))
    return PlanePanel("", str(flow.state[0]), str(flow.state[1]), tuple(curves), window)


def _arc(flow: FlowStep, cycle: FlowCycleStep, side: int) -> Any:
    """Points of the arc on one side, from where it begins."""
    start = np.array([as_float((low + high) / 2) for low, high in cycle.crossings[side]])
    centre, n = np.array([as_float(c) for c in flow.centres[side]]), np.array(flow.exponents[side])
    w = np.linspace(1.0, as_float(sum(cycle.arcs[side], fmpq(0)) / 2), _ALONG)[:, None]
    return centre + (start - centre) * w**n


def _iterates(subject: Subject, steps: int) -> list[list[float]]:
    iteration = subject.iteration
    parameters = {v: rational(c) for v, c in subject.at.items()}
    x = {v: rational(c) for v, c in iteration.start_at(subject.at).items()}
    points = [[as_float(c) for c in x.values()]]
    for _ in range(steps):
        x = dict(zip(iteration.map.state, iteration.map.evaluate({**x, **parameters}, RATIONAL).value, strict=True))
        points.append([as_float(c) for c in x.values()])
    return points


def _around(points: Any) -> tuple[float, float, float, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    room = _ROOM * (high - low)
    (left, bottom), (right, top) = low - room, high + room
    return float(left), float(right), float(bottom), float(top)


def _line(guard: Any, state: Sequence[Any], window: tuple[float, float, float, float]) -> Any:
    """Two points of the line where an affine function is 0, at the edges of a window."""
    left, right, bottom, top = window
    x, y = state
    a, b, c = (float(guard.coeff(x)), float(guard.coeff(y)), float(guard.subs({x: 0, y: 0})))
    if abs(a) > abs(b):
        return np.array([[-(b * t + c) / a, t] for t in (bottom, top)])
    return np.array([[t, -(a * t + c) / b] for t in (left, right)])


# -- iterates as functions of a parameter -----------------------------------------------------------------------------


def _family(subject: Subject, funnel: FunnelStep) -> PlanePanel:
    """The coordinate of the first iterates that varies most, at a grid of parameters."""
    ((theta, (low, high)),) = funnel.box.items()
    grid = [low + (high - low) * fmpq(i, _FINENESS) for i in range(_FINENESS + 1)]
    runs = []
    for value in grid:
        at = {**subject.at, theta: to_sympy(value)}
        runs.append(_iterates(Subject(iteration=subject.iteration, at=at), _SHOWN - 1))
    values = np.array(runs)
    j = int(np.argmax(np.ptp(values, axis=0).sum(axis=0)))
    x = tuple(map(as_float, grid))
    curves = [Curve(f"k = {k}", x, tuple(map(float, values[:, k, j])), "member") for k in range(_SHOWN)]
    fixed = as_float(rational(subject.point.state[funnel.variables[j]]))
    for k in range(_SHOWN):
        reach = as_float(funnel.constant * funnel.rate**k)
        label = f"proved bounds C ({funnel.rate})^k" if k == _SHOWN - 1 else ""
        sides = (1, -1) if values[:, :, j].min() < fixed else (1,)
        curves += [
            Curve(label if s == 1 else "", (x[0], x[-1]), (fixed + s * reach, fixed + s * reach), "bound")
            for s in sides
        ]
    name = str(funnel.variables[j])
    return PlanePanel(f"The first iterates, as functions of {theta}", str(theta), f"{name}_k", tuple(curves))


def _curve(label: str, points: Any, role: str) -> Curve:
    return Curve(label, tuple(map(float, points[:, 0])), tuple(map(float, points[:, 1])), role)
