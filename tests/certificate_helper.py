"""What tests ask of certificates: that they hold, and that no number in them can be changed unnoticed."""

from __future__ import annotations

import json

from certificate_changes import changed_numbers

from piggycheck import checker
from piggycheck.claims import Proved, Refuted, Undecided, prove

__all__ = [
    "assert_certified",
    "assert_changes_matter",
    "changed_numbers",
    "content_of",
    "holds",
    "proved",
    "refuted",
    "undecided",
]


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


def assert_changes_matter(content, is_true, *, least=1, most=None):
    """The certificate says the truth, and each copy with one number changed is refused, or true all the same.

    Of more than `most` copies some are looked at; at least `least` are refused.
    """
    assert is_true(content), "the certificate as it is"
    noticed, changes = 0, list(changed_numbers(content))
    for path, changed in changes[:: 1 + len(changes) // most if most else 1]:
        if holds(changed):
            assert is_true(changed), f"{path} was changed"
        else:
            noticed += 1
    assert noticed >= least
