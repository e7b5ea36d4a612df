"""Prove every case of the casebook again and store its certificate beside it.

Run as ``python casebook/build.py`` from anywhere; prints one line for each case.
"""

from __future__ import annotations

from pathlib import Path

from piggycheck import checker
from piggycheck.case import load_case
from piggycheck.claims import prove

CASEBOOK = Path(__file__).parent


def main() -> None:
    """Prove, check, store."""
    for path in sorted(CASEBOOK.glob("*/case.toml")):
        case = load_case(path)
        (claim,) = case.claims
        verdict = prove(claim, case.subject())
        stored = path.parent / "certificate.json"
        if verdict.certificate is None:
            stored.unlink(missing_ok=True)
        else:
            checker.check(verdict.certificate.content)
            verdict.certificate.save(stored)
        print(f"{case.name:32} {verdict.kind:26} {verdict.name}")


if __name__ == "__main__":
    main()
