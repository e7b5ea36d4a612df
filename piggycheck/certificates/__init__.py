"""The certificate: a small file of exact numbers that `piggycheck.checker` checks on its own.

Format ``piggycheck-certificate/1``: JSON in which every number is text. A certificate holds the claim in full (the map
or the matrices, the parameters, the start) and the witness. See docs/certificates for the meaning of each key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import Surd
from piggycheck.errors import CertificateError

__all__ = ["FORMAT", "Certificate", "as_text"]

FORMAT = "piggycheck-certificate/1"


def as_text(value: Any) -> Any:
    """Write exact data as JSON holds it: numbers as text, matrices as rows, the rest unchanged.

    Parameters
    ----------
    value : fmpq, Surd, int, fmpq_mat, str, bool, None, or mappings and sequences of these

    Returns
    -------
    str, list, dict or None

    Raises
    ------
    CertificateError
        For anything else, floats in particular.

    Examples
    --------
    >>> as_text({"P": fmpq_mat([[1, fmpq(1, 2)]]), "word": (0, 1), "shortest": True})
    {'P': [['1', '1/2']], 'word': ['0', '1'], 'shortest': 'true'}
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, fmpq, Surd)):
        return str(value)
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, fmpq_mat):
        return [[str(value[i, j]) for j in range(value.ncols())] for i in range(value.nrows())]
    if isinstance(value, Mapping):
        return {str(key): as_text(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [as_text(entry) for entry in value]
    raise CertificateError(f"`{value!r}` is a {type(value).__name__}; a certificate holds exact numbers as text")


@dataclass(frozen=True)
class Certificate:
    """The content of a certificate file.

    Examples
    --------
    >>> Certificate.build(claim={"kind": "fixed_point"}, witness={"rate": fmpq(1, 2)}).content["witness"]
    {'rate': '1/2'}
    """

    content: dict[str, Any]

    @classmethod
    def build(cls, **parts: Any) -> Certificate:
        """Put a certificate together from exact data; parts that are None are left out."""
        return cls({"format": FORMAT, **{name: as_text(part) for name, part in parts.items() if part is not None}})

    def save(self, path: str | Path) -> None:
        """Write the certificate to a file.

        Raises
        ------
        CertificateError
            When the file cannot be written.
        """
        try:
            Path(path).write_text(self.text(), encoding="utf-8")
        except OSError as error:
            raise CertificateError(f"{path}: cannot be written: {error.strerror}") from None

    @classmethod
    def load(cls, path: str | Path) -> Certificate:
        """Read a certificate from a file; whether it holds is for the checker to say.

        Raises
        ------
        CertificateError
            When the file cannot be read or is not a certificate.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise CertificateError(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError):
            raise CertificateError(f"{path}: not JSON") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise CertificateError(f'{path}: not a certificate; "format" must be "{FORMAT}"')
        return cls(content)

    def text(self) -> str:
        """Return the JSON text, with innermost lists on one line."""
        return _lay_out(self.content, 0) + "\n"


def _lay_out(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or (len(flat) + 2 * depth <= 100):
        return flat
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        rows = [f"{inner}{json.dumps(key)}: {_lay_out(entry, depth + 1)}" for key, entry in value.items()]
        opening, closing = "{", "}"
    else:
        rows = [inner + _lay_out(entry, depth + 1) for entry in value]
        opening, closing = "[", "]"
    return opening + "\n" + ",\n".join(rows) + "\n" + "  " * depth + closing
