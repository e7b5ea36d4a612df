"""Reports, LaTeX, HTML and figures, all from the same derivations and verdicts."""

from piggycheck.render.latex import latex
from piggycheck.render.text import report, report_case, summary_rows

__all__ = ["latex", "report", "report_case", "summary_rows"]
