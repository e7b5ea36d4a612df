"""Reports, LaTeX, HTML and figures, all from the same derivations and verdicts."""

from piggycheck.render.attractor import attractor
from piggycheck.render.figures import figure
from piggycheck.render.html import html
from piggycheck.render.latex import latex
from piggycheck.render.regions import regions
from piggycheck.render.text import report, report_case, summary_rows

__all__ = ["attractor", "figure", "html", "latex", "regions", "report", "report_case", "summary_rows"]
