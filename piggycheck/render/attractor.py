"""Pictures of the piggyback set: its points in the plane, intervals, the sets that close on it, cobwebs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from piggycheck.render.images import image, strip
from piggycheck.render.page import OKABE_ITO, mathematical, page, plain_axes, rounded_up

__all__ = ["attractor"]

_WIDTH = 6.4
_CAPTION_WIDTH = 116
_CAPTION_LINE = 0.15
_INK = "#222222"
_SET = "#8C8C8C"
_OUTLINE = "#555555"
_SEQUENCE = "#D55E00"
_ACROSS = 1500
_STRIP = 3000
_PIXELS = {"attractor": _ACROSS, "levels": _STRIP}
_SMALL = 320
_SEPARATED = 0.01
_MARGIN = 0.06
_IMPLICIT: dict[str, Any] = {
    "marker": "o",
    "s": 42,
    "facecolor": "white",
    "edgecolor": "black",
    "linewidth": 1.3,
    "zorder": 6,
}
_MARKS: dict[str, dict[str, Any]] = {
    "inside": {"marker": "*", "s": 130, "facecolor": "#F0E442", "edgecolor": "black", "linewidth": 1.0, "zorder": 7},
    "outside": {"marker": "X", "s": 70, "facecolor": "white", "edgecolor": "black", "linewidth": 1.2, "zorder": 7},
    "implicit": {"marker": "s", "s": 46, "facecolor": "#F0E442", "edgecolor": "black", "linewidth": 1.1, "zorder": 7},
    "witness": {"marker": "D", "s": 38, "facecolor": "#F0E442", "edgecolor": "black", "linewidth": 1.1, "zorder": 7},
}


def attractor(data: Any, path: str | Path) -> None:
    """Draw a picture of the piggyback set.

    Parameters
    ----------
    data : piggycheck.claims.set_views.SetFigure
        Or anything with a `title`, a `caption` and `views` like those of `piggycheck.claims.set_views`.
    path : str or Path
        A file ending in .pdf, .svg or .png. The same data gives the same file.

    Raises
    ------
    InputError
        When the ending is another one, or the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> from piggycheck.claims.set_figure import set_figure
    >>> from piggycheck.switched import SwitchedSystem
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     attractor(set_figure(cantor), os.path.join(folder, "cantor.svg"))

    Notes
    -----
    Many points are drawn as an image inside the file: each inks the disc around it whose radius is the proved one, so
    that the ink covers the set, as long as the disc is small in the picture. When this fails: details below a pixel,
    1/1500 of the picture, are not seen.
    """
    drawings = [_DRAWN[view.kind](view) for view in data.views]
    pixels = max((_PIXELS.get(view.kind, 0) for view in data.views), default=0)
    resolution = f" The points are an image {pixels:,} pixels across." if data.caption and pixels else ""
    lines = wrap(data.caption + resolution, _CAPTION_WIDTH)
    heights = [height for height, _ in drawings]
    notes = _CAPTION_LINE * len(lines) + 0.1
    with page(path, data.title, (_WIDTH, 0.4 + sum(heights) + notes)) as drawing:
        parts = drawing.subfigures(len(drawings) + 1, 1, height_ratios=[*heights, notes], squeeze=False)[:, 0]
        for part, (_, draw) in zip(parts[:-1], drawings, strict=True):
            draw(part)
        shown = "\n".join(map(mathematical, lines))
        parts[-1].text(0.02, 0.98, shown, va="top", fontsize=7.5, color=_INK, linespacing=1.35)


# -- what the pictures share ----------------------------------------------------------------------------------------


def _colours(count: int) -> list[str]:
    return list(OKABE_ITO[:count]) if count <= len(OKABE_ITO) else [OKABE_ITO[0]] * count


def _show(axis: Any, image: Any, window: Any, **options: Any) -> None:
    axis.imshow(image, extent=window, origin="lower", interpolation="none", zorder=2, **options)


def _shape(window: tuple[float, float, float, float], longest: int) -> tuple[int, int]:
    """Rows and columns of an image of a window whose longer side has so many pixels."""
    left, right, bottom, top = window
    scale = longest / max(right - left, top - bottom)
    return max(round((top - bottom) * scale), 1), max(round((right - left) * scale), 1)


def _window(*sets: Any, equal: bool = True) -> tuple[float, float, float, float]:
    """A rectangle around points of the plane, with a margin; no thinner than a fifth of its length."""
    import numpy as np

    points = np.concatenate([np.asarray(one, dtype=float).reshape(-1, 2) for one in sets if len(one)])
    low, high = points.min(axis=0), points.max(axis=0)
    spread = high - low
    largest = float(spread.max()) or 1.0
    room = np.maximum(spread * _MARGIN, (0.2 * largest - spread) / 2) if equal else spread * _MARGIN
    room = np.maximum(room, _MARGIN * largest)
    return tuple(float(end) for i in (0, 1) for end in (low[i] - room[i], high[i] + room[i]))


# -- legends --------------------------------------------------------------------------------------------------------


def _swatches(parts: Sequence[tuple[str, Any]]) -> list[Any]:
    from matplotlib.patches import Patch

    colours = _colours(len(parts))
    if len(parts) < 2 or len(set(colours)) < 2:
        return [Patch(color=colours[0], label=mathematical("J^pb"))]
    return [
        Patch(color=colour, label=f"$f_{{{name}}}(J^{{\\mathrm{{pb}}}})$")
        for colour, (name, _) in zip(colours, parts, strict=True)
    ]


def _draw_marks(axis: Any, marks: Sequence[Any], place: Callable[[Any], tuple[float, float]]) -> list[Any]:
    handles = []
    for mark in marks:
        x, y = place(mark)
        handles.append(axis.scatter([x], [y], label=mathematical(mark.label), clip_on=False, **_MARKS[mark.role]))
    return handles


# -- two entries ----------------------------------------------------------------------------------------------------


def _attractor(view: Any) -> tuple[float, Callable[[Any], None]]:
    implicit = [place for _, place in view.implicit]
    box = [] if view.box is None else [(view.box[0], view.box[2]), (view.box[1], view.box[3])]
    window = _window(view.hull, implicit, *view.curves, box, [mark.place for mark in view.marks])
    left, right, bottom, top = window
    ratio = (top - bottom) / (right - left)
    return min(max(0.9 + 5.5 * ratio, 2.4), 6.2), lambda part: _draw_attractor(part, view, window)


def _draw_attractor(part: Any, view: Any, window: tuple[float, float, float, float]) -> None:
    axis = part.subplots()
    left, right, bottom, top = window
    points = [points for _, points in view.parts]
    drawn = image(points, _colours(len(points)), window, _shape(window, _ACROSS), view.radius)
    _show(axis, drawn, window, aspect="equal")
    outline = [*view.hull, view.hull[0]]
    (hull,) = axis.plot(*zip(*outline, strict=True), color=_OUTLINE, linewidth=0.9, zorder=1.5, label="convex hull")
    handles = [*_swatches(view.parts), hull, *_draw_curves(axis, view.curves), *_draw_box(axis, view.box)]
    if view.implicit:
        places = zip(*(place for _, place in view.implicit), strict=True)
        handles.append(axis.scatter(*places, label=mathematical("J^imp"), **_IMPLICIT))
    handles += _draw_marks(axis, view.marks, lambda mark: mark.place)
    plain_axes(axis)
    axis.set_xlim(left, right)
    axis.set_ylim(bottom, top)
    axis.set_xlabel(mathematical(view.labels[0]))
    axis.set_ylabel(mathematical(view.labels[1]))
    part.legend(handles=handles, loc="outside lower center", frameon=False, ncols=_columns(handles))


def _draw_curves(axis: Any, curves: Sequence[Any]) -> list[Any]:
    """The implicit set of the hull, and what the legend shows of it."""
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": (0, (3, 3))}
    for curve in curves:
        axis.plot(curve[:, 0], curve[:, 1], zorder=5, **style)
    label = mathematical("J^imp of the hull, between two pairs")
    return [Line2D([], [], label=label, **style)] if curves else []


def _draw_box(axis: Any, box: tuple[float, float, float, float] | None) -> list[Any]:
    """The proved box, and what the legend shows of it."""
    from matplotlib.patches import Rectangle

    if box is None:
        return []
    x0, x1, y0, y1 = box
    style = {"fill": False, "edgecolor": "black", "linewidth": 0.9, "linestyle": (0, (1.2, 1.6)), "zorder": 4}
    return [axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, label="box, proved", **style))]


def _columns(handles: Sequence[Any]) -> int:
    return 2 if any(len(handle.get_label()) > 48 for handle in handles) else 4


# -- one entry ------------------------------------------------------------------------------------------------------


def _levels(view: Any) -> tuple[float, Callable[[Any], None]]:
    return 1.35 + 0.24 * (len(view.levels) + 3), lambda part: _draw_levels(part, view)


def _draw_levels(part: Any, view: Any) -> None:
    """The images of the hull above each other, then the set itself, then the implicit set."""
    axis = part.subplots()
    rows = len(view.levels)
    limit, implicit = rows + 0.35, rows + 1.6
    left, right = _ends(view)
    colours = _colours(len(view.parts))
    for k, intervals in enumerate(view.levels):
        _draw_intervals(axis, k, intervals, colours, right - left)
    points = strip([points for _, points in view.parts], colours, (left, right), _STRIP, view.radius)
    _show(axis, points, (left, right, limit + 0.5, limit - 0.5), aspect="auto")
    for x, _ in view.hull:
        axis.axvline(x, color=_OUTLINE, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    handles = [*_swatches(view.parts), *_draw_implicit(axis, view, implicit)]
    handles += _draw_marks(axis, view.marks, lambda mark: (mark.place[0], limit))
    plain_axes(axis)
    axis.grid(False, axis="y")
    names = [*(f"$k = {k}$" for k in range(rows)), mathematical("J^pb"), mathematical("J^imp")]
    axis.set_yticks([*range(rows), limit, implicit], names)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.set_xlim(left, right)
    axis.set_ylim(implicit + 0.6, -0.7)
    axis.set_xlabel(mathematical(view.label))
    axis.set_title(mathematical(_title_of_levels(view)), loc="left", fontweight="bold")
    part.legend(handles=handles, loc="outside lower center", frameon=False, ncols=_columns(handles))


def _ends(view: Any) -> tuple[float, float]:
    """The ends of an axis on which everything of a view has room."""
    (low, _), (high, _) = view.hull
    places = [place[0] for _, place in view.implicit] + [mark.place[0] for mark in view.marks]
    room = _MARGIN * ((high - low) or 1.0)
    return min([low, *places]) - room, max([high, *places]) + room


def _draw_intervals(
    axis: Any, row: int, intervals: Sequence[tuple[int, float, float]], colours: Sequence[str], across: float
) -> None:
    """The images of the hull under words of one length, no thinner than can be seen."""
    from matplotlib.collections import PolyCollection

    least = across / _STRIP * 2
    boxes = []
    for _, low, high in intervals:
        middle, half = (low + high) / 2, max(high - low, least) / 2
        left, right = middle - half, middle + half
        boxes.append([(left, row - 0.32), (right, row - 0.32), (right, row + 0.32), (left, row + 0.32)])
    shades = [_SET if letter < 0 else colours[letter] for letter, _, _ in intervals]
    edge = 0.6 if min(high - low for _, low, high in intervals) > _SEPARATED * across else 0
    axis.add_collection(PolyCollection(boxes, facecolors=shades, edgecolors="white", linewidths=edge, zorder=3))


def _draw_implicit(axis: Any, view: Any, row: float) -> list[Any]:
    """The implicit set, and that of the hull as a bar behind it; what the legend shows of them."""
    from matplotlib.patches import Patch

    handles: list[Any] = []
    if view.implicit_hull is not None:
        axis.plot(view.implicit_hull, [row, row], color="black", linewidth=3.2, solid_capstyle="butt", zorder=4)
    if view.implicit:
        x = [place[0] for _, place in view.implicit]
        handles.append(axis.scatter(x, [row] * len(x), label=mathematical("J^imp"), **_IMPLICIT))
    if view.implicit_hull is not None:
        handles.append(Patch(color="black", label=mathematical("J^imp of the hull")))
    return handles


def _title_of_levels(view: Any) -> str:
    (_, low), (_, high) = view.hull
    if view.exact:
        return f"The hull [{low}, {high}] of J^pb, and its images under k letters, which contain J^pb"
    return f"The range of {view.label} over J^pb, and over its images under k letters, within r"


# -- the sequence of sets -------------------------------------------------------------------------------------------


def _sequence(view: Any) -> tuple[float, Callable[[Any], None]]:
    if len(view.labels) == 2:
        return 2.1, lambda part: _multiples(part, view)
    return 3.4, lambda part: _dots(part, view)


def _multiples(part: Any, view: Any) -> None:
    """The sets of some steps side by side, the piggyback set behind each."""
    window = _window(view.limit, *view.sets)
    left, right, bottom, top = window
    axes = part.subplots(1, len(view.steps), squeeze=False)[0]
    behind = image([view.limit], ["#C8C8C8"], window, _shape(window, _SMALL), 0.0)
    for axis, k, points, bound in zip(axes, view.steps, view.sets, view.bounds, strict=True):
        _show(axis, behind, window, aspect="equal")
        size = max(0.4, min(14.0, 900 / len(points)))
        axis.scatter(
            points[:, 0], points[:, 1], s=size, color=_SEQUENCE, linewidth=0, zorder=3, rasterized=len(points) > 500
        )
        axis.set_xlim(left, right)
        axis.set_ylim(bottom, top)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(f"$k = {k}$", fontsize=8.5)
        axis.set_xlabel(f"within {rounded_up(bound)}", fontsize=7.5)
        for spine in axis.spines.values():
            spine.set_color("#BBBBBB")
    part.suptitle(
        mathematical(f"All J_k from {view.start}, with a proved bound on the distance to J^pb (grey)"),
        fontsize=9,
        fontweight="bold",
        x=0.02,
        ha="left",
    )


def _dots(part: Any, view: Any) -> None:
    """The sets above their steps, inside the band that the proved bounds leave."""
    import numpy as np

    axis, right_axis = part.subplots(1, 2, width_ratios=[14, 1], sharey=True)
    low, high = float(view.limit.min()), float(view.limit.max())
    values = np.concatenate([[low, high], *[one[:, 0] for one in view.sets]])
    bottom, top = float(values.min()), float(values.max())
    room = _MARGIN * ((top - bottom) or 1.0)
    bounds = np.array(view.bounds)
    axis.fill_between(view.steps, low - bounds, high + bounds, color="#DCE9F5", linewidth=0, zorder=1)
    for k, points in zip(view.steps, view.sets, strict=True):
        size = max(1.5, min(16.0, 600 / len(points)))
        axis.scatter(
            np.full(len(points), k),
            points[:, 0],
            s=size,
            color=_SEQUENCE,
            linewidth=0,
            zorder=3,
            rasterized=len(points) > 500,
        )
    window = (0.0, 1.0, bottom - room, top + room)
    drawn = strip([view.limit[:, 0]], [_INK], window[2:], _STRIP, 0.0)
    _show(right_axis, drawn.transpose(1, 0, 2), window, aspect="auto")
    axis.set_xlim(-0.4, view.steps[-1] + 0.4)
    axis.set_ylim(bottom - room, top + room)
    axis.set_xticks(view.steps)
    axis.set_xlabel("step $k$")
    axis.set_ylabel(mathematical(view.labels[0]))
    plain_axes(axis)
    right_axis.set_xticks([])
    right_axis.tick_params(left=False)
    right_axis.spines[:].set_visible(False)
    right_axis.set_xlabel(mathematical("J^pb"))
    axis.set_title(
        mathematical(f"All J_k from {view.start}; the band is that of the proved distance to J^pb"),
        loc="left",
        fontweight="bold",
    )


# -- cobwebs --------------------------------------------------------------------------------------------------------


def _cobweb(view: Any) -> tuple[float, Callable[[Any], None]]:
    return 4.9, lambda part: _draw_cobweb(part, view)


def _draw_cobweb(part: Any, view: Any) -> None:
    from matplotlib.lines import Line2D

    axis = part.subplots()
    low, high = view.hull
    numbers = [low, high, view.start, *(number for step in view.paths for _, x, y in step for number in (x, y))]
    spread = (max(numbers) - min(numbers)) or 1.0
    left, right = min(numbers) - 0.1 * spread, max(numbers) + _MARGIN * spread
    colours = _colours(len(view.maps))
    axis.plot([left, right], [left, right], color=_SET, linewidth=0.9, zorder=2)
    handles = []
    for (name, a, b), colour in zip(view.maps, colours, strict=True):
        axis.plot([left, right], [a * left + b, a * right + b], color=colour, linewidth=0.8, alpha=0.6, zorder=3)
        axis.plot([low, high], [a * low + b, a * high + b], color=colour, linewidth=2.4, zorder=4)
        ends = sorted((a * low + b, a * high + b))
        axis.fill_between([low, high], ends[0], ends[1], color=colour, alpha=0.13, linewidth=0, zorder=1)
        axis.plot([left, left], ends, color=colour, linewidth=7, solid_capstyle="butt", zorder=5, clip_on=False)
        handles.append(Line2D([], [], color=colour, linewidth=2.4, label=f"$f_{{{name}}}$"))
    axis.plot([low, high], [left, left], color=_INK, linewidth=7, solid_capstyle="butt", zorder=5, clip_on=False)
    for k, step in enumerate(view.paths):
        for letter, x, y in step:
            before = left if k == 0 else x
            fade = 0.95 - 0.17 * k
            axis.plot([x, x], [before, y], color=colours[letter], linewidth=0.9, alpha=fade, zorder=4)
            axis.plot([x, y], [y, y], color=colours[letter], linewidth=0.9, alpha=fade, zorder=4)
    fixed = [place[0] for _, place in view.implicit]
    handles.append(axis.scatter(fixed, fixed, label=mathematical("J^imp: fixed points"), **_IMPLICIT))
    axis.scatter([view.start], [left], marker="v", s=36, color="black", zorder=6, clip_on=False)
    handles.insert(len(view.maps), Line2D([], [], color=_INK, linewidth=7, label="hull of J^pb"))
    plain_axes(axis)
    axis.set_aspect("equal")
    axis.set_xlim(left, right)
    axis.set_ylim(left, right)
    axis.set_xlabel(mathematical(f"{view.label}: before a step"))
    axis.set_ylabel(mathematical(f"{view.label}: after it"))
    for handle in handles:
        handle.set_label(mathematical(handle.get_label()) if "$" not in handle.get_label() else handle.get_label())
    part.legend(handles=handles, loc="outside lower center", frameon=False, ncols=_columns(handles))


_DRAWN: dict[str, Callable[[Any], tuple[float, Callable[[Any], None]]]] = {
    "attractor": _attractor,
    "levels": _levels,
    "sequence": _sequence,
    "cobweb": _cobweb,
}
