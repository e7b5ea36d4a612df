"""The signs of formulas and of plain text, as LaTeX writes them."""

from __future__ import annotations

__all__ = ["CHARACTERS", "GREEK", "GREEK_LETTERS", "LETTERS", "OPERATORS"]

GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
    *("nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
    *("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"),
)
CHARACTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "…": r"\dots{}",
    "’": "'",
    "“": "``",
    "”": "''",
    "ᵀ": r"$^{\mathsf T}$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "²": "$^2$",
    "³": "$^3$",
    "ℓ": r"$\ell$",
    "√": r"$\surd$",
}
GREEK_LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", GREEK, strict=True))
OPERATORS = {
    "≤": r"\leq ",
    "≥": r"\geq ",
    "⪰": r"\succeq ",
    "≻": r"\succ ",
    "≈": r"\approx ",
    "−": "-",
    "·": r"\cdot ",
    "→": r"\to ",
    "↦": r"\mapsto ",
    "←": "^{+} = ",
    "≠": r"\neq ",
    "∈": r"\in ",
    "⋯": r"\cdots ",
    "±": r"\pm ",
    "Σ": r"\sum\nolimits_i ",
    "max": r"\max",
    "diag": r"\operatorname{diag}",
    "conv": r"\operatorname{conv} ",
    "det": r"\det ",
    "tr": r"\operatorname{tr} ",
    "⟨": r"\langle ",
    "⟩": r"\rangle ",
    ",": r",\ ",
    ";": r";\, ",
    "∂F/∂x": r"\partial F/\partial x",
    "∂F/∂θ": r"\partial F/\partial\theta",
}
LETTERS = {letter: "\\" + name for letter, name in GREEK_LETTERS.items()}
LETTERS |= {
    "x̄": r"\bar{x}",
    "x̃": r"\tilde{x}",
    "J̄": r"\bar{J}",
    "J̃": r"\tilde{J}",
    "ϱ": r"\varrho",
    "ℓ": r"\ell",
    "(x − x̄)": r"(x - \bar{x})",
    "rate": r"\mathrm{rate}",
}
