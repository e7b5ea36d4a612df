"""Each row of docs/literature.md says of a case of the casebook what its claims and their verdicts say.

What was found is written as `bound` proved, or `bound` refuted at k, where the text in backticks is the bound, the
value, the kind or another field of a claim of the case, as its file has it. tests/test_casebook.py proves anew that the
verdicts are those.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest
from test_casebook import CASEBOOK, EXPECTED, build

from piggycheck.case import load_case

PAGE = (Path(__file__).parent.parent / "docs" / "literature.md").read_text()
COLUMNS = ["claim", "source", "read", "case", "what was found", "verdict"]
FOUND = re.compile(r"`([^`]+)` (proved|refuted)(?: at (\d+))?")
AUTHORS = re.compile(r"[A-Z][^;]* \d{4}")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


TABLE = [cells(line) for line in PAGE.splitlines() if line.startswith("| ")]
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in TABLE[1:]]


def name(row):
    return row["case"].strip("`")


def written(row):
    """The file of the case of a row."""
    return tomllib.loads((CASEBOOK / name(row) / "case.toml").read_text())


def claims(row):
    """For each claim of a case: the texts that name it, its verdict and its first violation."""
    case = load_case(CASEBOOK / name(row) / "case.toml")
    names = build.certificate_names(case.claims)
    for claim, verdict, file in zip(written(row)["claim"], EXPECTED[name(row)], names, strict=True):
        certificate = CASEBOOK / name(row) / file
        witness = json.loads(certificate.read_text())["witness"] if certificate.exists() else {}
        yield {text for text in claim.values() if isinstance(text, str)}, verdict, witness.get("violation")


def test_the_table_has_its_columns_and_at_least_twelve_cases():
    assert TABLE[0] == COLUMNS
    assert len({name(row) for row in ROWS}) >= 12


def holds(row, text, verdict, violation):
    """Whether a claim of the case of a row has this text, this verdict and, unless it is empty, this violation."""
    return any(text in texts and verdict == known and violation in ("", at) for texts, known, at in claims(row))


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_what_was_found_is_what_the_claims_of_the_case_say(row):
    found = FOUND.findall(row["what was found"])
    assert found
    assert [one for one in found if not holds(row, *one)] == []


def test_what_a_case_does_not_say_is_noticed():
    row = {"case": "`step-size-derivative-lags-by-the-factor-k`"}
    assert holds(row, "1000*(4/5)**k", "refuted", "801")
    assert not holds(row, "1000*(4/5)**k", "refuted", "800")
    assert not holds(row, "1000*(4/5)**k", "proved", "")
    assert not holds(row, "1001*(4/5)**k", "refuted", "")


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_a_first_violation_is_told_where_there_is_one(row):
    for text, verdict, violation in FOUND.findall(row["what was found"]):
        at = {k for texts, known, k in claims(row) if text in texts and verdict == known}
        assert violation or at == {None}


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_nothing_sharp_is_said_without_a_claim_proved_and_another_refuted(row):
    assert row["verdict"] in {"sharp", "not sharp", "holds", "false"}
    if "sharp" in row["verdict"]:
        assert {verdict for _, verdict, _ in FOUND.findall(row["what was found"])} == {"proved", "refuted"}


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_the_case_names_the_source_of_the_row_and_the_page_lists_it(row):
    source = written(row)["source"]
    assert "literature" in written(row)["tags"]
    for authors in AUTHORS.findall(row["source"].replace("against it ", "")):
        assert authors in source
        first, year = authors.split(",")[0].split()[0], authors[-4:]
        assert re.search(rf"^- .*{first}.*?{year}", PAGE.split("## Sources")[1], re.MULTILINE | re.DOTALL)
    if row["source"] == "derived here":
        assert row["read"] == "derived"
        assert "derived here" in source
    else:
        assert row["read"] != "derived"


def test_every_case_of_the_literature_has_a_row():
    tagged = {path.parent.name for path in CASEBOOK.glob("*/case.toml") if '"literature"' in path.read_text()}
    assert {name(row) for row in ROWS} == tagged
