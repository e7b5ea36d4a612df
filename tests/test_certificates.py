"""Certificates hold exact numbers as text, and come back from a file as they went in."""

from fractions import Fraction

import pytest
from flint import fmpq, fmpq_mat

from piggycheck.certificates import Certificate, as_text
from piggycheck.errors import CertificateError


def test_exact_data_become_text():
    data = {"P": fmpq_mat([[1, fmpq(-1, 2)]]), "words": ((0, 1), (1,)), "shortest": True, "direction": None, "k": 3}
    expected = {
        "P": [["1", "-1/2"]],
        "words": [["0", "1"], ["1"]],
        "shortest": "true",
        "direction": None,
        "k": "3",
    }
    assert as_text(data) == expected


@pytest.mark.parametrize("value", [0.5, [1, 0.5], object(), Fraction(1, 2)])
def test_anything_else_is_refused(value):
    with pytest.raises(CertificateError, match="exact numbers as text"):
        as_text(value)


def test_a_certificate_survives_the_file(tmp_path):
    certificate = Certificate.build(claim={"kind": "k"}, witness={"big": fmpq(10**5000 + 1, 3)}, J0=None)
    certificate.save(tmp_path / "c.json")
    assert Certificate.load(tmp_path / "c.json") == certificate
    assert "J0" not in certificate.content


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "[" * 100_000])
def test_what_is_no_certificate_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(CertificateError) as caught:
        Certificate.load(tmp_path / "c.json")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(CertificateError, match="absent"):
        Certificate.load(tmp_path / "absent.json")
    with pytest.raises(CertificateError, match="cannot be written"):
        Certificate.build().save(tmp_path / "no" / "folder.json")
