"""Pictures in a plane: curves, points and lines with common scales."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from piggycheck.render.page import OKABE_ITO, mathematical, page, plain_axes

__all__ = ["planes"]

_BLUE, _ORANGE, _GREEN = OKABE_ITO[:3]
_STYLES: dict[str, dict[str, Any]] = {
    "cycle": {"color": _BLUE, "linewidth": 2.2, "zorder": 3},
    "path": {"color": _BLUE, "linewidth": 0.5, "alpha": 0.85, "zorder": 2},
    "guard": {"color": "#555555", "linewidth": 1.1, "linestyle": (0, (5, 2)), "zorder": 1},
    "bound": {"color": "black", "linewidth": 0.9, "linestyle": (0, (1.2, 1.6)), "zorder": 1},
    "orbit": {"color": _ORANGE, "linewidth": 0.8, "marker": "o", "markersize": 4, "zorder": 4},
    "steps": {"color": "#8C8C8C", "linewidth": 0.8, "marker": ".", "markersize": 5, "zorder": 2},
    "target": {"color": "black", "linestyle": "none", "marker": "x", "markersize": 7, "markeredgewidth": 1.6},
    "crossing": {
        "color": _GREEN, "linestyle": "none", "marker": "D", "markersize": 6.5, "markeredgecolor": "white", "zorder": 6,
    },
}  # fmt: skip
_DASHES = ("-", (0, (6, 1.5)), (0, (3, 1.2)), (0, (5, 1.2, 1, 1.2)), "-")


def planes(data: Any, path: str | Path) -> None:
    """Draw pictures in a plane.

    Parameters
    ----------
    data : piggycheck.claims.plane_figure.PlaneFigure
        Or anything with a `title` and `planes`, each with `title`, `xlabel`, `ylabel`, `window` and `curves`, each with
        `label`, `x`, `y` and `role`.
    path : str or Path
        A file ending in .pdf, .svg or .png. The same data gives the same file.

    Raises
    ------
    InputError
        When the ending is another one, or the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> from piggycheck.claims.plane_figure import Curve, PlaneFigure, PlanePanel
    >>> line = Curve("a line", (0.0, 1.0), (0.0, 1.0), "path")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     planes(PlaneFigure("", (PlanePanel("", "x", "y", (line,)),)), os.path.join(folder, "line.svg"))
    """
    count = len(data.planes)
    with page(path, data.title, (6.4, 5.6) if count == 1 else (4.0 * count, 4.2)) as drawing:
        for axis, panel in zip(drawing.subplots(1, count, squeeze=False)[0], data.planes, strict=True):
            _draw(axis, panel)


def _draw(axis: Any, panel: Any) -> None:
    members = 0
    for curve in panel.curves:
        style = dict(_STYLES.get(curve.role, {}))
        if curve.role == "member":
            style = {"color": OKABE_ITO[members % len(OKABE_ITO)], "linestyle": _DASHES[members % len(_DASHES)]}
            style |= {"linewidth": 1.6, "zorder": 3}
            members += 1
        axis.plot(curve.x, curve.y, label=mathematical(curve.label) or None, **style)
    if panel.window is not None:
        left, right, bottom, top = panel.window
        axis.set_xlim(left, right)
        axis.set_ylim(bottom, top)
    elif members:
        axis.margins(x=0)
    axis.set_xlabel(_variable(panel.xlabel))
    axis.set_ylabel(_variable(panel.ylabel))
    if panel.title:
        axis.set_title(mathematical(panel.title), loc="left", fontweight="bold")
    plain_axes(axis)
    labelled = [curve for curve in panel.curves if curve.label]
    if labelled:
        columns = 2 if all(len(curve.label) <= 44 for curve in labelled) else 1
        place = {"loc": "upper left", "bbox_to_anchor": (0, -0.11), "borderaxespad": 0}
        axis.legend(ncols=3 if members else columns, frameon=False, handlelength=3.2, **place)


def _variable(name: str) -> str:
    """Set a letter, or one with an index k, as mathematics."""
    return re.sub(r"^([A-Za-z])(_k)?$", r"$\1\2$", mathematical(name))
