"""Sphinx configuration."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

_PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())["project"]

project = "piggycheck"
author = "The piggycheck authors"
copyright = author
version = release = _PROJECT["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
suppress_warnings = ["ref.python"]  # types such as (A, B) name attributes of several classes

html_theme = "furo"
html_title = "piggycheck"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
exclude_patterns = ["_build"]
_PICTURES = ("relu-of-the-parameter", "derivatives-form-a-cantor-set", "heavy-ball-twin-dragon")
_PICTURES += ("iterates-converge-uniformly-derivatives-nowhere", "bilevel-linear-program-cycle")
_PICTURES += ("curse-of-unrolling", "heavy-ball-derivatives-lag-by-k-squared")
_LORENZ = "lorenz-field-behind-a-zero-loss"
html_math_renderer = "mathml"


def setup(app: Any) -> None:
    """Write formulas as MathML, so that they show without a network, and draw the pictures of the casebook."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("builder-inited", _draw_pictures)


def _draw_pictures(app: Any) -> None:
    """Draw the figures of some cases where the pages look for them."""
    from piggycheck.case import load_case
    from piggycheck.claims import prove
    from piggycheck.claims.figure import figure_data
    from piggycheck.render import figure

    folder = Path(app.srcdir) / "_pictures"
    folder.mkdir(exist_ok=True)
    for name in _PICTURES:
        case = load_case(Path(app.srcdir).parent / "casebook" / name / "case.toml")
        verdicts = [prove(claim, case.subject()) for claim in case.claims]
        figure(figure_data(case.subject(), verdicts, title=case.title), folder / f"{name}.svg")
    _draw_descent(load_case(Path(app.srcdir).parent / "casebook" / f"{_LORENZ}/case.toml"), folder / f"{_LORENZ}.svg")


def _draw_descent(case: Any, path: Path) -> None:
    """Draw gradient descent on the loss that is zero, whose formal gradient is the Lorenz field backwards."""
    import sympy as sp

    from piggycheck.claims.plane_figure import path_figure
    from piggycheck.render import figure
    from piggycheck.trajectories import FormalGradient

    map_ = case.iteration.map
    x, y, z = map_.parameters
    lorenz = (10 * (y - x), x * (28 - z) - y, x * y - sp.Rational(8, 3) * z)
    loss = sum(-f * (p - s) for f, p, s in zip(lorenz, map_.parameters, map_.state, strict=True))
    points = FormalGradient(loss, case.iteration).descend([1, 1, 1], 0.005, 12_000)
    title = "Gradient descent on a loss that is zero, with its formal gradient"
    figure(path_figure(points, "xyz", [(0, 2), (0, 1)], title), path)


def _inline(page: Any, node: nodes.math) -> None:
    page.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _display(page: Any, node: nodes.math_block) -> None:
    page.body.append(_mathml(node.astext(), "block"))
    raise nodes.SkipNode


def _mathml(formula: str, display: str) -> str:
    """Convert a formula; browsers know neither variants of letters nor the spacing of these signs."""
    text = convert(formula, display=display)
    for variant, style in (("script", "SCRIPT"), ("double-struck", "DOUBLE-STRUCK")):
        found = rf'<mi mathvariant="{variant}">([A-Z])</mi>'
        text = re.sub(found, lambda m, style=style: f"<mi>{_letter(style, m[1])}</mi>", text)
    text = text.replace('<mi mathvariant="sans-serif">', '<mi mathvariant="normal">')
    text = re.sub(
        r"<mo[^>]*>(&#x0007C;|&#x02016;|&#x0002F;)</mo>", r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>', text
    )
    return re.sub(r"<mi>(:|&#x02AB0;|&#x0227B;)</mi>", r'<mo lspace="0.28em" rspace="0.28em">\1</mo>', text)


def _letter(style: str, letter: str) -> str:
    """The Unicode letter of a style; some are older than the block of mathematical letters."""
    try:
        return unicodedata.lookup(f"MATHEMATICAL {style} CAPITAL {letter}")
    except KeyError:
        return unicodedata.lookup(f"{style} CAPITAL {letter}")
