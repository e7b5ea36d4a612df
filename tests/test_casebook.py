"""Every case of the casebook says what it says: proved again, and its stored certificate checked."""

import json
from pathlib import Path

import pytest

from piggycheck import checker
from piggycheck.case import load_case
from piggycheck.claims import prove

CASEBOOK = Path(__file__).parent.parent / "casebook"
CASES = sorted(CASEBOOK.glob("*/case.toml"))

# What each case says, from the mathematics and not from a run: see the case's own `source` and `catch`.
EXPECTED = {
    "blondel-theys-vladimirov-pair": "proved",
    "chain-rule-set-is-larger": "proved",
    "derivatives-diverge-along-iterates": "proved",
    "discontinuous-map": "refuted",
    "gradient-descent-quartic": "proved",
    "heavy-ball-1d": "proved",
    "heavy-ball-equal-slopes": "proved",
    "heavy-ball-joint-spectral-radius": "proved",
    "heavy-ball-mild-slopes": "proved",
    "heavy-ball-realisable-words": "proved",
    "lasso-1d-at-the-kink": "refuted",
    "lasso-1d-away-from-the-kink": "proved",
    "nesterov-irrational-momentum": "proved",
    "nesterov-two-slopes": "proved",
    "newton-square-root": "undecided",
    "projections-without-a-quadratic-form": "proved",
}


def test_every_case_has_an_expected_verdict():
    assert sorted(EXPECTED) == [path.parent.name for path in CASES]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_the_case_gets_its_verdict_and_the_stored_certificate_holds(path):
    case = load_case(path)
    (claim,) = case.claims
    verdict = prove(claim, case.subject())
    assert verdict.name == EXPECTED[case.name]
    stored = path.parent / "certificate.json"
    assert stored.exists() is (verdict.certificate is not None)
    if verdict.certificate is not None:
        checker.check(verdict.certificate.content)
        content = json.loads(stored.read_text())
        checker.check(content)
        assert (content["claim"]["kind"], content["claim"]["verdict"]) == (claim.kind, verdict.name)
        assert content.get("map") == verdict.certificate.content.get("map")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_the_case_says_why_anyone_would_care(path):
    case = load_case(path)
    assert all((case.title, case.source, case.tags, case.belief, case.catch, case.repair))
