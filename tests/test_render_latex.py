"""LaTeX: the documents compile alone, fit on the page, and say what the verdict says."""

import re
import shutil
import subprocess

import pytest
from render_cases import SUBJECTS, WITNESSES, told_proof, verdict, verdicts

from piggycheck.errors import InputError
from piggycheck.render import latex
from piggycheck.render.latex import escape, symbol_latex

needs_pdflatex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed (Debian: texlive-latex-recommended)"
)


def compiled(folder, name="paper.tex"):
    """Run pdflatex on a file and return its log; the file must compile at the first attempt."""
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert (folder / name).with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    return log


@pytest.mark.latex
@needs_pdflatex
@pytest.mark.parametrize("name", SUBJECTS)
def test_the_document_compiles_alone_and_nothing_leaves_the_page(name, tmp_path):
    latex(verdicts(name), tmp_path / "paper.tex", title="50 % of θ & x_0 <b> \\end{document}", source="“A” – #1 ∮ é")
    log = compiled(tmp_path)
    assert not re.findall(r"Overfull.*|LaTeX Warning.*|Undefined.*", log)


@pytest.mark.latex
@needs_pdflatex
def test_proofs_of_every_kind_compile_and_stay_on_the_page(tmp_path):
    latex([told_proof(name) for name in WITNESSES], tmp_path / "paper.tex")
    assert not re.findall(r"Overfull.*|LaTeX Warning.*|Undefined.*", compiled(tmp_path))


@pytest.mark.latex
@needs_pdflatex
def test_a_fragment_compiles_in_a_paper_that_loads_what_it_asks_for(tmp_path):
    latex(verdict("diverging", "diverges"), tmp_path / "fragment.tex", standalone=False)
    packages = r"\usepackage{amsmath,amssymb,amsthm,array,booktabs}\newtheorem{claim}{Claim}"
    paper = rf"\documentclass{{article}}{packages}\begin{{document}}\input{{fragment}}\end{{document}}"
    (tmp_path / "paper.tex").write_text(paper)
    compiled(tmp_path)


def test_the_heavy_ball_reads_as_in_a_paper():
    text = " ".join(latex(verdict("diverging", "diverges")).split())
    assert r"x^{+} &= \begin{cases}" in text
    assert r"A_{w} &= A_{1} A_{1} A_{0} A_{0}" in text
    assert r"\begin{pmatrix} \tfrac{3}{4} & -\tfrac{3}{4} \\[3pt] 1 & 0 \end{pmatrix}" in text
    assert r"\lambda^{2} + \tfrac{45}{32} \lambda + \tfrac{81}{256}" in text
    assert r"( \lambda + \tfrac{9}{8} )" in text
    assert r"x_{\mathrm{prev}}" in text and "previous" not in text
    assert "its first letter acts first and stands rightmost" in text


def test_claim_and_proof_are_named_after_the_verdict():
    assert r"\begin{claim}[proved]" in latex(verdict("diverging", "diverges"))
    assert r"\begin{proof}[Refutation]" in latex(verdict("diverging", "converges"))
    undecided = latex(verdict("irrational", "converges"))
    assert r"\paragraph{Undecided.}" in undecided
    assert r"\begin{proof}" not in undecided


def test_several_verdicts_share_the_setting():
    text = latex(verdicts("diverging"))
    assert text.count(r"\paragraph{The pieces.}") == 1
    assert text.count(r"\begin{claim}") == len(verdicts("diverging"))
    assert r"\toprule" in text


def test_the_file_holds_what_is_returned(tmp_path):
    text = latex(verdict("converging", "converges"), tmp_path / "c.tex")
    assert (tmp_path / "c.tex").read_text(encoding="utf-8") == text


def test_no_verdict_and_no_place_are_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="there is no verdict to write; give at least one"):
        latex([])
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        latex(verdict("converging", "converges"), tmp_path / "nowhere" / "c.tex")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", "x"),
        ("lambda", r"\lambda"),
        ("x12", "x_{12}"),
        ("theta_0", r"\theta_{0}"),
        ("u1_previous", r"u_{1,\mathrm{prev}}"),
        ("step_size", r"\mathrm{step}_{\mathrm{size}}"),
        ("_x", "x"),
        ("__", r"\mathrm{\_}"),
    ],
)
def test_names_become_symbols(name, expected):
    assert symbol_latex(name) == expected


@pytest.mark.parametrize("character", '\\{}$%&#_^~<>|"θ≤é∮')
def test_every_character_is_written_safely(character):
    written = escape(character)
    assert written.isprintable()
    assert written != character or character == "é"
