"""Prove every case of the casebook again and store its certificates beside it.

Run as ``python casebook/build.py [CASE...]`` from anywhere, with the names of cases, or without for all; prints one
line for each claim. Certificates larger than 300 kB are not stored: the tests prove those claims anew.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from piggycheck import checker
from piggycheck.case import load_case
from piggycheck.certificates import Certificate
from piggycheck.claims import Claim, prove

CASEBOOK = Path(__file__).parent
MOST_BYTES = 300_000
TIME_LIMIT = 10.0
LONG_RUNS = 300.0


def certificate_names(claims: Sequence[Claim]) -> list[str]:
    """Name the file of each claim's certificate: by its kind, where a case has several claims."""
    if len(claims) == 1:
        return ["certificate.json"]
    kinds = [claim.kind for claim in claims]
    counts = [kinds[: index + 1].count(kind) for index, kind in enumerate(kinds)]
    return [
        f"certificate-{kind}-{count}.json" if count > 1 else f"certificate-{kind}.json"
        for kind, count in zip(kinds, counts, strict=True)
    ]


def time_limit(claim: Claim) -> float:
    """Return how many seconds a claim may take; those about thousands of iterations may take longer than by default."""
    return LONG_RUNS if claim.kind == "converged" else TIME_LIMIT


def store(certificate: Certificate | None, path: Path) -> None:
    """Check a certificate and keep it, unless it is too large."""
    path.unlink(missing_ok=True)
    if certificate is None:
        return
    checker.check(certificate.content)
    certificate.save(path)
    if path.stat().st_size > MOST_BYTES:
        path.unlink()


def build(folder: Path) -> None:
    """Prove the claims of one case, and store what proves them."""
    case = load_case(folder / "case.toml")
    subject = case.subject()
    for claim, name in zip(case.claims, certificate_names(case.claims), strict=True):
        since = time.monotonic()
        verdict = prove(claim, subject, time_limit=time_limit(claim))
        store(verdict.certificate, folder / name)
        kept = f"{(folder / name).stat().st_size:7} bytes" if (folder / name).exists() else "    not kept"
        print(
            f"{case.name:52} {verdict.kind:26} {verdict.name:10} {kept} {time.monotonic() - since:6.1f} s", flush=True
        )


def main() -> None:
    """Build the cases that are named, or all."""
    for path in sorted(CASEBOOK.glob("*/case.toml")):
        if len(sys.argv) < 2 or path.parent.name in sys.argv[1:]:
            build(path.parent)


if __name__ == "__main__":
    main()
