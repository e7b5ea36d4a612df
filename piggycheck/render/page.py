"""The file of a figure: its format and settings, the same data giving the same file; what labels have in common."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from textwrap import wrap
from typing import Any

from piggycheck.errors import InputError

__all__ = ["OKABE_ITO", "format_of", "mathematical", "page", "plain_axes", "rounded_up"]

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Colours that colour-blind readers can tell apart, after Okabe and Ito; the first ones differ in grey, too."""

_FORMATS = ("pdf", "svg", "png")
_TITLE_WIDTH = 68
_PLACES = 6
_NO_DATE = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}
_SETTINGS = {
    "svg.hashsalt": "piggycheck",
    "pdf.fonttype": 42,
    "font.size": 9,
    "axes.titlesize": 9,
    "legend.fontsize": 8,
    "mathtext.fontset": "dejavusans",
    "path.simplify": False,
}
_SYMBOLS = {"theta": "θ", "lambda": "λ"}


@contextmanager
def page(path: str | Path, title: str, size: tuple[float, float]) -> Iterator[Any]:
    """Open an empty figure, and write it to a file at the end.

    Parameters
    ----------
    path : str or Path
        A file ending in .pdf, .svg or .png.
    title : str
    size : (float, float)
        Width and height in inches.

    Yields
    ------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        When the ending is another one, or the file cannot be written.

    Examples
    --------
    >>> with page("half.gif", "", (1, 1)) as drawing:
    ...     pass
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: half.gif: a figure ends in .pdf, .svg or .png; write one of them

    Notes
    -----
    Files have no date. When this fails: another release of matplotlib may write another file.
    """
    path, kind = Path(path), format_of(path)
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS):
        drawing = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(drawing)
        yield drawing
        if title:
            drawing.suptitle("\n".join(wrap(title, _TITLE_WIDTH)), fontsize=10, fontweight="bold")
        _settle(drawing)
        try:
            drawing.savefig(path, format=kind, dpi=200, metadata=_NO_DATE[kind])
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def format_of(path: str | Path) -> str:
    """Return the format of a figure by the ending of its file.

    Raises
    ------
    InputError
        When the ending is none of a figure.

    Examples
    --------
    >>> format_of("map.PDF")
    'pdf'
    """
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in _FORMATS:
        raise InputError(f"{path}: a figure ends in .pdf, .svg or .png; write one of them")
    return kind


def _settle(drawing: Any) -> None:
    """Keep the layout, and clip at rounded places: those of the layout differ in their last digits from run to run."""
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox, TransformedBbox

    drawing.draw_without_rendering()
    drawing.set_layout_engine("none")
    for axis in drawing.findobj(Axes):
        corners = drawing.transFigure.inverted().transform(axis.bbox.get_points()).round(_PLACES)
        box = TransformedBbox(Bbox(corners), drawing.transFigure)
        for artist in axis.findobj():
            if artist.get_clip_on() and artist.get_clip_box() is not None:
                artist.set_clip_box(box)


def plain_axes(axis: Any) -> None:
    """Draw two axes and a light grid behind the data."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(True, color="#E5E5E5", linewidth=0.6)
    axis.set_axisbelow(True)


def mathematical(text: str) -> str:
    """Set what is mathematics in a label as such: J_k, x_k, powers, J^pb.

    Examples
    --------
    >>> mathematical("J_k in J^pb, theta")
    '$J_k$ in $J^{\\\\mathrm{pb}}$, θ'
    """
    text = text.replace("$", r"\$").replace("J̄", r"$\bar{J}$").replace("x̄", r"$\bar{x}$")
    text = re.sub(r"\bJ\^(pb|imp)\b", r"$J^{\\mathrm{\1}}$", text)
    text = re.sub(r"\b([Jxf])_([k0i])\b", r"$\1_\2$", text)
    text = re.sub(r"^step k$", "step $k$", text)
    text = re.sub(r"\^(k|\d+)\b", r"$^{\1}$", text)
    for name, symbol in _SYMBOLS.items():
        text = text.replace(name, symbol)
    return text


def rounded_up(value: float) -> str:
    """Write a nonnegative number rounded up to two digits.

    Examples
    --------
    >>> rounded_up(0.00412), rounded_up(2.0), rounded_up(0.0)
    ('0.0042', '2', '0')
    """
    if value == 0:
        return "0"
    places = 1 - math.floor(math.log10(value))
    scaled = Fraction(value) * Fraction(10) ** places
    return f"{float(math.ceil(scaled) / Fraction(10) ** places):.3g}"
