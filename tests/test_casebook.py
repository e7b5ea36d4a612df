"""Every case of the casebook says what it says: proved again, and its stored certificates checked."""

import importlib.util
import json
from pathlib import Path

import pytest

from piggycheck import checker
from piggycheck.case import load_case
from piggycheck.claims import prove

CASEBOOK = Path(__file__).parent.parent / "casebook"
CASES = sorted(CASEBOOK.glob("*/case.toml"))

# What each claim of a case is, from the mathematics and not from a run: see the case's own `source` and `catch`.
EXPECTED = {
    "absolute-value-at-a-tie": ("proved", "proved", "proved"),
    "bilevel-gradient-descent-cycles": ("proved", "proved"),
    "bilevel-linear-program-cycle": ("proved",),
    "blondel-theys-vladimirov-pair": ("proved",),
    "chain-rule-set-is-larger": ("proved",),
    "clarke-is-not-enough": ("proved", "proved", "proved"),
    "curse-of-unrolling": ("refuted", "proved", "proved", "proved", "proved"),
    "derivatives-diverge-along-iterates": ("proved",),
    "derivatives-fill-an-interval": ("proved", "proved", "proved", "proved", "refuted"),
    "derivatives-form-a-cantor-set": ("proved", "refuted", "proved", "proved"),
    "derivatives-grow-linearly": ("proved", "refuted"),
    "derivatives-need-a-larger-constant": ("proved", "refuted", "proved", "refuted"),
    "derivatives-no-slower-than-iterates": ("proved", "refuted", "proved", "proved"),
    "derivatives-slower-than-iterates": ("refuted", "proved", "proved", "proved"),
    "discontinuous-map": ("refuted",),
    "douglas-rachford-rate-attained": ("proved", "proved", "proved", "refuted"),
    "douglas-rachford-rate-of-the-other-support": ("proved", "proved", "refuted"),
    "gradient-descent-closed-form": ("proved", "proved", "proved", "proved", "proved", "refuted"),
    "gradient-descent-curved-objective": (
        "proved",
        "proved",
        "refuted",
        "proved",
        "proved",
        "proved",
        "refuted",
    ),
    "gradient-descent-double-well-cycle": ("proved", "proved"),
    "gradient-descent-optimal-step": ("proved", "proved", "proved", "refuted"),
    "gradient-descent-quartic": ("proved",),
    "gradient-estimators-of-a-minimum": ("proved", "proved", "refuted", "proved"),
    "group-lasso": ("proved", "proved"),
    "heavy-ball-1d": ("proved",),
    "heavy-ball-attracting-cycle": ("proved", "proved"),
    "heavy-ball-converges-from-every-start": ("proved", "proved"),
    "heavy-ball-curved-objective": ("proved", "refuted", "proved", "refuted", "proved"),
    "heavy-ball-derivatives-lag-by-k-cubed": ("proved", "proved", "refuted", "proved", "refuted"),
    "heavy-ball-derivatives-lag-by-k-squared": ("proved", "proved", "refuted", "proved", "refuted"),
    "heavy-ball-energy-decreases-and-seven-letters-grow": ("proved", "proved"),
    "heavy-ball-equal-slopes": ("proved",),
    "heavy-ball-joint-spectral-radius": ("proved",),
    "heavy-ball-mild-slopes": ("proved",),
    "heavy-ball-optimal-parameters": ("proved", "proved", "refuted", "proved"),
    "heavy-ball-realisable-words": ("proved",),
    "heavy-ball-resonance-converges-from-every-start": ("proved", "proved"),
    "heavy-ball-resonance-three-letters": ("proved",),
    "heavy-ball-rises-before-it-falls": ("refuted", "proved"),
    "heavy-ball-simplest-divergence": ("proved", "proved"),
    "heavy-ball-simplest-divergence-in-the-triangle": ("proved", "proved"),
    "heavy-ball-slopes-1-and-1-over-2": ("proved", "proved"),
    "heavy-ball-slopes-1-and-4-over-5": ("proved", "proved"),
    "heavy-ball-transient-of-condition-number-10000": ("proved", "proved", "refuted"),
    "heavy-ball-twin-dragon": ("proved", "proved", "proved", "proved"),
    "heavy-ball-with-denominators-of-two": ("proved", "proved"),
    "inertial-forward-backward-is-slower-in-the-end": ("proved", "proved", "refuted", "proved"),
    "inverse-covariance-10x10": ("proved", "proved"),
    "inverse-covariance-2x2": ("proved", "proved"),
    "inverse-covariance-30x30": ("proved", "proved"),
    "inverse-covariance-identity": ("proved", "proved"),
    "inverse-covariance-repeated-eigenvalues": ("proved", "proved"),
    "iterates-converge-uniformly-derivatives-nowhere": ("proved", "proved", "proved"),
    "lasso-10-variables": ("proved", "proved"),
    "lasso-1d-at-the-kink": ("refuted",),
    "lasso-1d-away-from-the-kink": ("proved",),
    "lasso-50-variables": ("proved", "proved", "proved"),
    "lasso-500-variables": ("proved", "proved"),
    "lasso-at-a-breakpoint": ("proved", "refuted"),
    "lasso-rate-of-the-support": ("proved", "proved", "refuted", "proved", "refuted", "proved"),
    "lasso-tie-two-variables": ("proved", "proved", "proved", "proved"),
    "least-squares-from-zero": ("proved",),
    "least-squares-remembers-its-start": ("refuted",),
    "lorenz-field-behind-a-zero-loss": ("proved", "refuted"),
    "maximum-at-a-tie-leaves-a-cantor-set": ("refuted", "refuted", "proved"),
    "nesterov-condition-number-9": ("proved", "refuted", "proved", "refuted"),
    "nesterov-constant-momentum-quadratic": ("proved", "proved", "refuted", "proved"),
    "nesterov-irrational-momentum": ("proved",),
    "nesterov-simplest-divergence": ("proved", "proved"),
    "nesterov-simplest-divergence-with-step-1-over-l": ("proved", "proved"),
    "nesterov-two-slopes": ("proved",),
    "newton-derivatives": ("proved", "proved", "proved", "refuted", "proved"),
    "newton-one-step": ("proved", "proved", "proved", "refuted"),
    "newton-runs-into-a-cycle": ("proved",),
    "newton-square-root": ("undecided",),
    "nuclear-norm-shrinkage-at-a-repeated-singular-value": ("proved", "proved"),
    "one-step-differentiation": ("proved", "proved", "proved", "refuted"),
    "optimal-step-has-a-longer-burn-in": ("proved", "proved", "proved", "refuted", "proved"),
    "preconditioned-least-squares-from-zero": ("refuted",),
    "projections-without-a-quadratic-form": ("proved",),
    "relu-of-the-parameter": ("proved", "proved", "proved", "proved"),
    "ridge-by-gradient-descent": ("proved", "proved"),
    "sinkhorn-symmetric-problem": ("proved", "proved", "proved", "proved", "refuted"),
    "sinkhorn-three-points": ("proved", "proved", "proved", "proved", "refuted", "proved", "proved"),
    "smooth-map-differentiated-wrongly": ("proved", "refuted", "refuted", "proved"),
    "soft-thresholding-double-tie": ("proved", "proved", "proved", "proved"),
    "step-size-derivative-lags-by-the-factor-k": ("proved", "proved", "proved", "refuted"),
    "three-relu-units-diverge-along-iterates": ("proved",),
    "trend-filtering-200-points": ("proved", "proved"),
    "trend-filtering-50-points": ("proved", "proved"),
    "trend-filtering-slow-penalty": ("refuted", "refuted"),
    "truncated-unrolling": ("proved", "proved", "refuted"),
}


HEAVY = {"trend-filtering-slow-penalty"}
"""Cases that take half a minute: proved anew with --slow alone."""


def _load_build():
    spec = importlib.util.spec_from_file_location("casebook_build", CASEBOOK / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _load_build()


def test_every_case_has_expected_verdicts():
    assert sorted(EXPECTED) == sorted(path.parent.name for path in CASES)


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=p.parent.name, marks=[pytest.mark.slow] if p.parent.name in HEAVY else []) for p in CASES],
)
def test_the_case_gets_its_verdicts_and_the_stored_certificates_hold(path):
    case = load_case(path)
    subject = case.subject()
    verdicts = [prove(claim, subject, time_limit=build.time_limit(claim)) for claim in case.claims]
    assert tuple(verdict.name for verdict in verdicts) == EXPECTED[case.name]
    for verdict, name in zip(verdicts, build.certificate_names(case.claims), strict=True):
        require_stored(verdict, path.parent / name)


def require_stored(verdict, stored):
    """Require that a certificate holds and so does the stored one, which is of the same claim."""
    if verdict.certificate is None:
        assert not stored.exists()
        return
    checker.check(verdict.certificate.content)
    if not stored.exists():
        assert len(json.dumps(verdict.certificate.content)) > build.MOST_BYTES // 2
        return
    content, fresh = json.loads(stored.read_text()), json.loads(json.dumps(verdict.certificate.content))
    checker.check(content)
    assert (content["claim"]["kind"], content["claim"]["verdict"]) == (verdict.kind, verdict.name)
    for part in (content, fresh):
        part["claim"].pop("statement")
    assert all(content.get(part) == fresh.get(part) for part in ("claim", "map", "layers"))


def test_after_4000_iterations_nothing_has_converged_says_the_stored_certificate():
    content = json.loads((CASEBOOK / "trend-filtering-slow-penalty" / "certificate-converged.json").read_text())
    assert (content["claim"]["iterations"], content["claim"]["tolerance"]) == ("4000", "1/1000")
    assert (content["claim"]["verdict"], content["layers"]["at"]) == ("refuted", {"weight": "5"})
    checker.check(content)


def test_nothing_else_is_stored():
    for path in CASES:
        names = build.certificate_names(load_case(path).claims)
        assert {file.name for file in path.parent.iterdir()} <= {"case.toml", *names}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_the_case_says_why_anyone_would_care(path):
    case = load_case(path)
    assert all((case.title, case.source, case.tags, case.belief, case.catch, case.repair))
