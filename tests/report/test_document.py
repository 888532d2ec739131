"""The document: whole in one file, nothing of it fetched, nothing of what users wrote taken for markup."""

import json
import re

import plotly.graph_objects as go
import pytest

from core.errors import InklingError
from core.report.document import Chapter, Code, Document, Figure, Heading, Html, Picture, Table, Text

HOSTILE = "</script><script>alert(1)</script><img src=http://example.org/x onerror=alert(2)> & \"'"


def a_figure(title: str) -> go.Figure:
    return go.Figure(go.Scatter(x=[1, 2], y=[3, 4], name=title), layout={"title": {"text": title}, "height": 200})


def a_document(text: str = "plain") -> Document:
    blocks = [
        Heading(text),
        Text(text),
        Table([text, "n"], [[text, 1], [text, "2.50"]], text),
        Code(text),
        Figure(a_figure(text), text, narrow=a_figure("narrow")),
        Picture(b"\x89PNG", text, text),
        Html("<b>own markup</b>", text),
    ]
    return Document(text, [Chapter(text, blocks), Chapter("Second", [Text("two")])], text)


def without_plotly(html: str) -> str:
    """All but the library itself."""
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    (library,) = [script for script in scripts if len(script) > 1_000_000]  # once
    return html.replace(library, "")


def test_what_users_wrote_is_text():
    html = without_plotly(a_document(HOSTILE).to_html())
    assert "<img src=http" not in html
    assert "<script>alert" not in html
    assert html.count("&lt;img src=http://example.org/x onerror=alert(2)&gt;") >= 10
    (record,) = re.findall(r'<script type="application/json">(.*?)</script>', html)
    assert json.loads(record)[0]["layout"]["title"]["text"] == HOSTILE  # as it was, for the figure to draw
    assert "<b>own markup</b>" in html


def test_nothing_is_addressed_outside():
    html = without_plotly(a_document().to_html())
    assert not re.findall(r"https?://|//[a-z]|@import|url\(", html)
    assert set(re.findall(r'(?:src|href)="([^"#][^"]{0,9})', html)) == {"data:image"}
    assert "default-src 'none'" in html


def test_numbers_stand_to_the_right_where_a_whole_column_is_numbers():
    rows = [["1", "a", "1,234", "5.1%", "–"], ["2", "3", "-5.20", "99.0 %", "1e-05"]]
    html = without_plotly(Document("t", [Chapter("c", [Table(list("abcde"), rows)])]).to_html())
    assert re.findall(r"<td( class=\"number\")?>", html)[:5] == [' class="number"', "", *[' class="number"'] * 3]
    assert '<th scope="col">b</th>' in html


def test_an_empty_table_keeps_its_head():
    html = Document("t", [Chapter("c", [Table(["a", "b"], [])])]).to_html()
    assert '<th scope="col">a</th><th scope="col">b</th>' in html


def test_contents_are_listed_where_there_are_several_chapters():
    assert '<a href="#chapter-1">Second</a>' in a_document().to_html()
    assert "<nav>" not in Document("t", [Chapter("only", [])]).to_html()


def test_it_is_written_whole_or_not_at_all(tmp_path):
    a_document().write(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == a_document().to_html()
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(InklingError, match="cannot be written .No such file or directory.; choose another folder"):
        a_document().write(tmp_path / "missing" / "report.html")
