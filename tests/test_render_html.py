"""HTML: one page that parses, is self-contained and safe."""

from html.parser import HTMLParser

import pytest
from render_cases import SUBJECTS, WITNESSES, told_proof, verdict, verdicts

from piggycheck.errors import InputError
from piggycheck.render import html

EMPTY = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """Checks that tags are nested, and collects them and the text."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_page_is_well_nested_and_needs_nothing_else(name):
    page = Page(html(verdicts(name)))
    assert page.open == []
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe"}
    assert not [attrs for _, attrs in page.tags if "src" in attrs or not attrs.get("href", "#").startswith("#")]


@pytest.mark.parametrize("name", WITNESSES)
def test_proofs_of_every_kind_are_well_nested(name):
    page = Page(html(told_proof(name)))
    assert page.open == []
    assert "Therefore the joint spectral radius is at most" in page.text


def test_titles_and_sources_are_escaped():
    page = html(verdict("diverging", "diverges"), title="<script>alert(1)</script>", source="a & b")
    assert "<script" not in page
    assert "&lt;script&gt;" in page and "a &amp; b" in page


def test_verdicts_are_words_and_not_colours_alone():
    page = Page(html(verdicts("diverging")))
    for word in ("proved", "refuted", "undecided"):
        assert word in page.text
        assert word in {attrs.get("class") for _, attrs in page.tags}


def test_matrices_are_tables_and_certificates_are_there():
    page = Page(html(verdict("diverging", "diverges")))
    assert "matrix" in {attrs.get("class") for _, attrs in page.tags}
    assert "cases" in {attrs.get("class") for _, attrs in page.tags}
    assert '"format": "piggycheck-certificate/1"' in page.text


def test_a_file_is_written_and_a_missing_folder_is_one_line(tmp_path):
    text = html(verdict("irrational", "converges"), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == text
    with pytest.raises(InputError, match="cannot be written"):
        html(verdict("irrational", "converges"), tmp_path / "nowhere" / "page.html")
    with pytest.raises(InputError, match="there is no verdict"):
        html([])
