"""Figures: errors of iterates and of derivatives against k, bounds against time, on logarithmic axes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from piggycheck.render.attractor import attractor
from piggycheck.render.page import mathematical, page, plain_axes
from piggycheck.render.planes import planes

__all__ = ["figure"]

_STYLES: dict[str, dict[str, Any]] = {
    "iterates": {"color": "#0072B2", "linewidth": 1.5},
    "derivatives": {"color": "#D55E00", "linewidth": 1.5},
    "word": {"color": "#D55E00", "linewidth": 2.4, "zorder": 3},
    "random": {"color": "#8C8C8C", "linewidth": 0.7, "alpha": 0.8, "zorder": 1},
    "claimed": {"linewidth": 1.3, "zorder": 2.5},
    "left": {"linewidth": 1.5, "zorder": 2.5},
    "sequence": {"linewidth": 1.5, "zorder": 2.2},
    "level": {"color": "#555555", "linewidth": 0.9, "zorder": 1},
    "proved": {"color": "black", "linewidth": 1.1, "linestyle": (0, (1.2, 1.6)), "zorder": 4},
    "lower": {"color": "#0072B2", "linewidth": 1.8, "marker": "^", "markersize": 4},
    "upper": {"color": "#D55E00", "linewidth": 1.8, "marker": "v", "markersize": 4},
    "gap": {"color": "black", "linewidth": 1.4, "marker": "o", "markersize": 3.5},
}
_MARKS: tuple[dict[str, Any], ...] = (
    {"color": "#009E73", "linewidth": 1.1, "linestyle": (0, (4, 2)), "zorder": 2},
    {"color": "#8C8C8C", "linewidth": 1.1, "linestyle": (0, (1.5, 1.5)), "zorder": 2},
    {"color": "black", "linewidth": 0.9, "linestyle": (0, (6, 2, 1, 2)), "zorder": 2},
)
_BRANCHES: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    {"color": "#009E73", "linestyle": (0, (5, 1.5)), "marker": "s"},
    {"color": "#CC79A7", "linestyle": (0, (5, 1.5, 1, 1.5)), "marker": "^"},
    {"color": "#E69F00", "linestyle": (0, (2, 1)), "marker": "D"},
)
_CLAIMS = ("#CC79A7", "#E69F00", "#56B4E9", "#009E73", "#8C510A")
_DASHES = ((5, 1.5), (3, 1.2), (5, 1.5, 1, 1.5), (1.5, 1), (7, 2))
_NUMBERED: dict[str, tuple[dict[str, Any], ...]] = {
    "claimed": tuple({"color": c, "linestyle": (0, dashes)} for c, dashes in zip(_CLAIMS, _DASHES, strict=True)),
    "left": tuple({"color": c, "linestyle": (0, (1, 0.8))} for c in _CLAIMS),
    "sequence": tuple({"color": c} for c in ("#117733", "#882255", "#999933", "#332288")),
}
_STEPWISE = {"lower", "upper", "gap"}
_MARKERS = 12
_NARROW = 20
_ORDERS = 8
_ROOM = 1.1
_FAR, _MARGIN = 1e4, 1.5
_HEIGHT, _ROW, _ROWS, _WIDE = 2.9, 0.17, 3, 78
_BELOW_LABEL, _BELOW_MARKS = 34, 22
_SMALLEST, _LARGEST = 1e-200, 1e200


def figure(data: Any, path: str | Path) -> None:
    """Draw the figure of a case.

    Parameters
    ----------
    data : piggycheck.claims.figure.FigureData
        Or anything with a `title` and `panels`, each with `title`, `xlabel`, `ylabel` and `series`, each with `label`,
        `k`, `values` and `role`; panels may have `marks`, places across with their labels. With `views` in place of
        panels it is drawn by `piggycheck.render.attractor`, with `planes` by `piggycheck.render.planes`.
    path : str or Path
        A file ending in .pdf, .svg or .png. The same data gives the same file.

    Raises
    ------
    InputError
        When the ending is another one, or the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> from piggycheck.claims.figure import Subject, figure_data
    >>> from piggycheck.switched import SwitchedSystem
    >>> data = figure_data(Subject(given=SwitchedSystem.from_rows([[["1/2"]]], J0=[[1]])), steps=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     figure(data, os.path.join(folder, "half.svg"))
    >>> figure(data, "half.gif")
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: half.gif: a figure ends in .pdf, .svg or .png; write one of them

    Notes
    -----
    When this fails: values of 0 have no place on a logarithmic axis; a sequence that reaches 0 ends there,
    and so does one that leaves the range from 1e-200 to 1e200.
    """
    if hasattr(data, "views"):
        attractor(data, path)
        return
    if hasattr(data, "planes"):
        planes(data, path)
        return
    with page(path, data.title, (6.4, 0.5 + sum(map(_height, data.panels)))) as drawing:
        axes = drawing.subplots(len(data.panels), 1, squeeze=False)[:, 0]
        for axis, panel, below in zip(axes, data.panels, [*data.panels[1:], None], strict=True):
            if below is None or below.xlabel != panel.xlabel:
                axis.set_xlabel(mathematical(panel.xlabel))
            _draw(axis, panel)
            _scale_across(axis, [one for one in data.panels if one.xlabel == panel.xlabel])


def _height(panel: Any) -> float:
    """How high a panel is, in inches: more when there is much to be named below it."""
    return _HEIGHT + _ROW * max(0, math.ceil(len(_labels(panel)) / _columns(panel)) - _ROWS)


def _labels(panel: Any) -> list[str]:
    marks = [label for _, label in getattr(panel, "marks", ())]
    return [label for label in [*(series.label for series in panel.series), *marks] if label]


def _columns(panel: Any) -> int:
    widths = [len(label) for label in _labels(panel)]
    half = math.ceil(len(widths) / 2)
    return 1 if max(widths[:half], default=0) + max(widths[half:], default=0) > _WIDE else 2


def _draw(axis: Any, panel: Any) -> None:
    from matplotlib.transforms import ScaledTranslation

    branch = 0
    level = any(series.role == "level" for series in panel.series)
    logarithmic = _reads_better_logarithmic(panel.series)
    for series in panel.series:
        role, _, number = series.role.partition(":")
        style = dict(_STYLES.get(role, {}))
        values = [_drawable(value, logarithmic) for value in series.values]
        if series.role == "fixed branch":
            style = {**_BRANCHES[branch % len(_BRANCHES)], "linewidth": 1.2, "markersize": 3.5, "zorder": 2}
            spacing = max(1, len(series.k) // _MARKERS)
            style["markevery"] = (branch * spacing // 3, spacing)
            branch += 1
        if role in _NUMBERED:
            style |= _NUMBERED[role][int(number or 0) % len(_NUMBERED[role])]
        if series.role in _STEPWISE:
            style |= {"drawstyle": "steps-post", "markevery": range(len(series.k) - 1)}
        axis.plot(series.k, values, label=mathematical(series.label) or None, **style)
    for number, (place, label) in enumerate(getattr(panel, "marks", ())):
        axis.axvline(place, label=mathematical(label), **_MARKS[number % len(_MARKS)])
    if logarithmic:
        axis.set_yscale("log")
        if level:
            _stay_near_one(axis, panel)
        _mark_round_powers(axis)
    elif level:
        axis.set_ylim(0, _ROOM * max(value for series in panel.series for value in series.values))
    axis.set_ylabel(mathematical(panel.ylabel))
    plain_axes(axis)
    axis.tick_params(labelbottom=True)
    axis.set_title(mathematical(panel.title), loc="left", fontweight="bold")
    if _labels(panel):
        points = _BELOW_LABEL if axis.get_xlabel() else _BELOW_MARKS
        below = axis.transAxes + ScaledTranslation(0, -points / 72, axis.figure.dpi_scale_trans)
        place = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": below, "borderaxespad": 0}
        axis.legend(ncols=_columns(panel), frameon=False, handlelength=3.2, **place)


def _stay_near_one(axis: Any, panel: Any) -> None:
    """Leave out what is so far from 1 that what is near it could not be seen."""
    values = [value for series in panel.series for value in series.values if value > 0]
    axis.set_ylim(max(min(values) / _MARGIN, 1 / _FAR), min(max(values) * _MARGIN, _FAR))


def _mark_round_powers(axis: Any) -> None:
    """Put few marks at powers of ten with round exponents, where the axis has many orders of magnitude."""
    from matplotlib.ticker import FixedLocator, NullLocator

    lowest, highest = (math.log10(value) for value in axis.get_ylim())
    if highest - lowest < _ORDERS:
        return
    step = next(step for step in (2, 5, 10, 20, 50, 100) if highest - lowest <= _ORDERS * step)
    first, last = math.ceil(lowest / step), math.floor(highest / step)
    axis.yaxis.set_major_locator(FixedLocator([10.0 ** (step * n) for n in range(first, last + 1)]))
    axis.yaxis.set_minor_locator(NullLocator())


def _scale_across(axis: Any, panels: list[Any]) -> None:
    """Lay out the horizontal axis, alike for panels that count the same: whole numbers from 0, or time."""
    from matplotlib.ticker import MaxNLocator

    series = [one for panel in panels for one in panel.series]
    first, last = min(one.k[0] for one in series), max(one.k[-1] for one in series)
    if isinstance(last, int):
        axis.set_xlim(0, last)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    elif last > _NARROW * first:
        axis.set_xscale("log")
        axis.set_xlim(first, last)
    else:
        axis.set_xlim(0, last)


def _drawable(value: float, logarithmic: bool) -> float:
    """Return the value, or NaN, which ends the line, where an axis has no place for it."""
    inside = _SMALLEST <= value <= _LARGEST if logarithmic else value <= _LARGEST
    return value if inside else math.nan


def _reads_better_logarithmic(series: Any) -> bool:
    """Whether the values have several orders of magnitude, and no sequence returns to 0 again and again."""

    def zeros_between(values: Any) -> int:
        last = max((k for k, value in enumerate(values) if value > 0), default=0)
        return sum(value == 0 for value in values[1:last])

    positive = [value for one in series for value in one.values if value > 0]
    if not positive or max(positive) < _NARROW * min(positive):
        return False
    return all(zeros_between(one.values) <= len(one.values) // 10 for one in series)
