"""What tests ask of certificates: that they hold, and that no number in them can be changed unnoticed."""

from __future__ import annotations

import json
import re
from fractions import Fraction

from piggycheck import checker
from piggycheck.claims import Proved, Refuted, Undecided, prove

__all__ = ["assert_certified", "changed_numbers", "holds", "proved", "refuted", "undecided"]

_RATIONAL = re.compile(r"-?\d+(/\d+)?")
_NUMBER_IN_TEXT = re.compile(r"(?<![\w.])\d+(?![\w.])")


def content_of(verdict):
    """The certificate as it is read back from its file."""
    return json.loads(verdict.certificate.text())


def holds(content):
    """Whether the checker accepts a certificate."""
    try:
        return isinstance(checker.check(content), str)
    except (checker.Refused, checker.Unreadable):
        return False


def assert_certified(verdict):
    """The verdict is proved or refuted, and the checker accepts a certificate that says the same."""
    assert isinstance(verdict, (Proved, Refuted)), f"{verdict.name}: {verdict.reason}"
    content = content_of(verdict)
    claim = content["claim"]
    assert (verdict.kind, verdict.name, verdict.statement) == (claim["kind"], claim["verdict"], claim["statement"])
    assert _all_text(content), "every number is text"
    assert isinstance(checker.check(content), str)
    return content


def proved(claim, *about, **arguments):
    """Prove a claim and have it certified."""
    verdict = prove(claim, *about, **arguments)
    assert isinstance(verdict, Proved), f"{verdict.name}: {verdict.reason}"
    assert_certified(verdict)
    return verdict


def refuted(claim, *about, **arguments):
    """Refute a claim and have that certified."""
    verdict = prove(claim, *about, **arguments)
    assert isinstance(verdict, Refuted), f"{verdict.name}: {verdict.reason}"
    assert_certified(verdict)
    return verdict


def undecided(claim, *about, **arguments):
    """See a claim left open, with a reason and without a certificate."""
    verdict = prove(claim, *about, **arguments)
    assert isinstance(verdict, Undecided), f"{verdict.name}: {verdict.found}"
    assert verdict.certificate is None
    assert verdict.reason
    return verdict


def _all_text(value):
    if isinstance(value, dict):
        return all(map(_all_text, value.values()))
    if isinstance(value, list):
        return all(map(_all_text, value))
    return value is None or isinstance(value, str)


def changed_numbers(content):
    """Yield copies of a certificate in which one number is changed by one unit, and which one that is."""
    for path, leaf in _leaves(content, ()):
        if path[0] in ("format",) or path[-1] == "statement":
            continue
        if _RATIONAL.fullmatch(leaf):
            number = Fraction(leaf)
            for unit in (1, -1):
                yield path, _with(content, path, str(Fraction(number.numerator + unit, number.denominator)))
        else:
            for found in _NUMBER_IN_TEXT.finditer(leaf):
                for unit in (1, -1):
                    text = f"{leaf[: found.start()]}{int(found.group()) + unit}{leaf[found.end() :]}"
                    yield (*path, found.start()), _with(content, path, text)


def _leaves(value, path):
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _leaves(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _leaves(entry, (*path, index))
    elif isinstance(value, str):
        yield path, value


def _with(content, path, text):
    copy = json.loads(json.dumps(content))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = text
    return copy
