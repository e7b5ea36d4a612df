"""What a search leaves behind: for each instance a case file, its certificates and its derivation."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from piggycheck.case.reader import read_case
from piggycheck.certificates import Certificate
from piggycheck.claims import Proved, prove
from piggycheck.errors import InputError, PiggycheckError
from piggycheck.render import latex
from piggycheck.search.decide import Check, Decision
from piggycheck.search.family import Family, Values

__all__ = ["case_text", "write_found"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 110


def write_found(family: Family, found: Sequence[Decision], folder: Path, check: Check, time_limit: float) -> list[Path]:
    """Write instances into folders of their own, which replace those of an earlier search.

    Parameters
    ----------
    family : Family
    found : sequence of Decision
    folder : Path
        Gets a folder for each: ``case.toml``, ``certificate.json`` (one for each claim, named by its kind, where there
        are several), and ``derivation.tex``.
    check : callable
        The independent check of a certificate.
    time_limit : float
        Seconds for each claim, which is proved again from the file that was written.

    Returns
    -------
    list of Path
        The case files.

    Raises
    ------
    InputError
        When something cannot be written.
    """
    new = folder.with_name(f"{folder.name}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        paths = []
        for number, decision in enumerate(found, 1):
            place = new / f"{family.name}-{number}"
            place.mkdir()
            _write_member(family, decision, place, check, time_limit)
            paths.append(folder / place.name / "case.toml")
        if folder.exists():
            shutil.rmtree(folder)
        new.rename(folder)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written: {error.strerror}; the results are kept") from None
    return paths


def _write_member(family: Family, decision: Decision, place: Path, check: Check, time_limit: float) -> None:
    text = case_text(family, decision.values)
    (place / "case.toml").write_text(text, encoding="utf-8")
    _copy_files(family, place)
    case = read_case(text, name=place.name, file=str(place / "case.toml"), folder=place)
    subject = case.subject(time_limit=time_limit)
    verdicts = [prove(claim, subject, time_limit=time_limit) for claim in case.claims]
    again = all(isinstance(verdict, Proved) and _accepted(verdict, check) for verdict in verdicts)
    contents = [verdict.certificate.content for verdict in verdicts] if again else list(decision.certificates)
    for content, name in zip(contents, _certificate_names(decision), strict=True):
        Certificate(content).save(place / name)
    if again:
        try:
            latex(verdicts, place / "derivation.tex", title=case.title, source=case.source)
        except PiggycheckError:  # what cannot be typeset is still proved
            (place / "derivation.tex").unlink(missing_ok=True)


def _accepted(verdict: Proved, check: Check) -> bool:
    try:
        check(verdict.certificate.content)
    except Exception:  # whatever the check raises, the certificate of the search is kept instead
        return False
    return True


def _copy_files(family: Family, place: Path) -> None:
    """Put the files that the family's arrays are read from beside the case."""
    data = family.table.get("data", {})
    for entry in data.values() if isinstance(data, Mapping) else ():
        if isinstance(entry, Mapping) and "file" in entry:
            target = place / entry["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile((family.folder or Path()) / entry["file"], target)


def _certificate_names(decision: Decision) -> list[str]:
    kinds = [claim["kind"] for claim in decision.claims]
    if len(kinds) == 1:
        return ["certificate.json"]
    counts = [kinds[: index + 1].count(kind) for index, kind in enumerate(kinds)]
    return [
        f"certificate-{kind}{f'-{count}' if count > 1 else ''}.json" for kind, count in zip(kinds, counts, strict=True)
    ]


def case_text(family: Family, values: Values) -> str:
    """Write a member as a case file.

    Examples
    --------
    >>> family = Family({
    ...     "title": "linear", "map": {"state": ["x"], "next": ["a*x + theta"]}, "parameters": {"theta": 0},
    ...     "unknowns": {"a": {"range": [0, 1]}}, "claim": [{"kind": "converges"}],
    ... })
    >>> print(case_text(family, {"a": "1/2"}))
    title = "linear: a 1/2"
    <BLANKLINE>
    [map]
    state = ["x"]
    next  = ["theta + x/2"]
    <BLANKLINE>
    [parameters]
    theta = 0
    <BLANKLINE>
    [[claim]]
    kind = "converges"
    <BLANKLINE>
    """
    table = family.member_table(values)
    plain = {key: entry for key, entry in table.items() if not isinstance(entry, dict) and key != "claim"}
    parts = [_lines({"title": plain.pop("title"), **plain})]
    parts += [[f"[{key}]", *_lines(entry)] for key, entry in table.items() if isinstance(entry, dict)]
    parts += [["[[claim]]", *_lines(claim)] for claim in table.get("claim", [])]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _lines(table: Mapping[str, Any]) -> list[str]:
    keys = [_key(key) for key in table]
    width = max(map(len, keys), default=0)
    return [f"{key:{width}} = {_entry(value, width)}" for key, value in zip(keys, table.values(), strict=True)]


def _entry(value: Any, indent: int) -> str:
    """A value, a long list with one entry in each line."""
    text = _toml(value)
    if not isinstance(value, list) or len(text) + indent <= _WIDTH:
        return text
    return "[\n" + "".join(f"  {_toml(entry)},\n" for entry in value) + "]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_toml(entry)}" for key, entry in value.items()) + "}"
    return json.dumps(value if isinstance(value, (bool, int)) else str(value), ensure_ascii=False)
