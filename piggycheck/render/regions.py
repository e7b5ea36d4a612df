"""Maps of parameter space: decided cells in colours, with their exact areas in the legend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from piggycheck.render.page import mathematical, page

__all__ = ["regions"]

_STYLES: dict[str, dict[str, Any]] = {
    "converges": {"facecolor": "#A6CEE3"},
    "diverges": {"facecolor": "#E66100"},
    "unstable": {"facecolor": "#8C8C8C"},
    "undecided": {"facecolor": "white", "edgecolor": "#555555", "linewidth": 0.6},
}
_REGION = {"facecolor": "none", "edgecolor": "black", "linewidth": 1.3, "linestyle": (0, (4, 1.6)), "zorder": 4}
_MARK = {
    "color": "black",
    "marker": "*",
    "markersize": 10,
    "markeredgecolor": "white",
    "linestyle": "none",
    "zorder": 5,
}


def regions(data: Any, path: str | Path) -> None:
    """Draw a map of parameter space.

    Parameters
    ----------
    data : piggycheck.regions.picture.MapPicture
        Or anything with a `title`, `xlabel`, `ylabel`, `window` (left, right, bottom, top), `areas`, each with a
        `verdict`, a `label` and `cells` (left, right, bottom, top), `regions`, pairs of label and points, and `marks`,
        triples of label, x and y.
    path : str or Path
        A file ending in .pdf, .svg or .png. The same data gives the same file.

    Raises
    ------
    InputError
        When the ending is another one, or the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> from piggycheck.regions.picture import Area, MapPicture
    >>> area = Area("converges", "converges: 50 %", ((0.0, 0.5, 0.0, 1.0),))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     regions(MapPicture("", "a", "b", (0.0, 1.0, 0.0, 1.0), (area,), (), ()), os.path.join(folder, "map.svg"))
    """
    from matplotlib.patches import Patch, PathPatch, Polygon
    from matplotlib.path import Path as Outline

    with page(path, data.title, (6.4, 5.2)) as drawing:
        axis = drawing.subplots()
        handles = []
        for area in data.areas:
            style = _STYLES[area.verdict]
            # One path for all cells: neighbours that are drawn one by one have a seam between them.
            cells = [Outline([(a, c), (b, c), (b, d), (a, d), (a, c)], closed=True) for a, b, c, d in area.cells]
            if cells:
                whole = Outline.make_compound_path(*cells)
                axis.add_patch(PathPatch(whole, facecolor=style["facecolor"], linewidth=0))
            handles.append(Patch(label=mathematical(area.label), **style))
        for label, points in data.regions:
            handles.append(axis.add_patch(Polygon(points, label=mathematical(label), **_REGION)))
        for label, x, y in data.marks:
            handles += axis.plot([x], [y], label=mathematical(label), **_MARK)
        left, right, bottom, top = data.window
        axis.set_xlim(left, right)
        axis.set_ylim(bottom, top)
        axis.set_xlabel(mathematical(data.xlabel))
        axis.set_ylabel(mathematical(data.ylabel))
        drawing.legend(handles=handles, loc="outside lower center", ncols=1, frameon=False)
