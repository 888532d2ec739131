"""Chapters → one HTML file that needs nothing else: no server, no network, no other file."""

import base64
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from core.errors import InklingError
from core.networks.store import write_atomically

STYLE = Path(__file__).with_name("document.css")
SCRIPT = Path(__file__).with_name("document.js")
# The browser itself sees to it that nothing is fetched, whatever a chapter's HTML says.
WIDE = 9  # columns above which a table is set smaller
NUMBER = re.compile(r"[-−]?[\d,]*\.?\d+(e[-+]?\d+)?( ?%)?|–")
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


@dataclass(frozen=True)
class Text:
    """A paragraph; plain text."""

    text: str


@dataclass(frozen=True)
class Heading:
    """What the next blocks of the chapter are about."""

    text: str


@dataclass(frozen=True, eq=False)
class Figure:
    """An interactive figure with a sentence that tells what to see in it; `narrow` takes its place on a phone."""

    figure: go.Figure
    about: str = ""
    narrow: go.Figure | None = None


@dataclass(frozen=True)
class Table:
    """Rows of plain cells; numbers, formatted as they shall be read, stand to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    about: str = ""


@dataclass(frozen=True)
class Code:
    """Lines to be copied."""

    text: str


@dataclass(frozen=True)
class Picture:
    png: bytes
    alternative: str  # what it shows, for those who cannot see it
    about: str = ""


@dataclass(frozen=True)
class Html:
    """Markup made by this project itself; whatever users gave must be escaped in it already."""

    html: str
    about: str = ""


Block = Text | Heading | Figure | Table | Code | Picture | Html


@dataclass(frozen=True)
class Chapter:
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    title: str
    chapters: Sequence[Chapter]
    about: str = ""  # a sentence under the title

    def to_html(self) -> str:
        """The whole file."""
        contents = "".join(
            f'<li><a href="#chapter-{i}">{_escaped(chapter.title)}</a></li>' for i, chapter in enumerate(self.chapters)
        )
        about = f"<p>{_escaped(self.about)}</p>" if self.about else ""
        navigation = f"<nav><ol>{contents}</ol></nav>" if len(self.chapters) > 1 else ""
        body = "".join(_chapter_html(i, chapter) for i, chapter in enumerate(self.chapters))
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{_escaped(self.title)}</title>\n<style>\n{STYLE.read_text('utf-8')}</style>\n</head>\n<body>\n"
            f"<main>\n<h1>{_escaped(self.title)}</h1>\n{about}\n{navigation}\n{body}</main>\n"
            f"<script>{get_plotlyjs()}</script>\n<script>\n{SCRIPT.read_text('utf-8')}</script>\n</body>\n</html>\n"
        )

    def write(self, file: Path) -> None:
        """Writes the file whole or not at all."""
        try:
            write_atomically(file, self.to_html().encode())
        except OSError as error:
            raise InklingError(f"{file} cannot be written ({error.strerror}); choose another folder.") from error


def _chapter_html(number: int, chapter: Chapter) -> str:
    blocks = "\n".join(_block_html(block) for block in chapter.blocks)
    return f'<section id="chapter-{number}">\n<h2>{_escaped(chapter.title)}</h2>\n{blocks}\n</section>\n'


def _block_html(block: Block) -> str:
    match block:
        case Text(text):
            return f"<p>{_escaped(text)}</p>"
        case Heading(text):
            return f"<h3>{_escaped(text)}</h3>"
        case Code(text):
            return f'<div class="scroll"><pre>{_escaped(text)}</pre></div>'
        case Table():
            return _table_html(block)
        case Figure():
            return _figure_html(block)
        case Picture(png, alternative, about):
            address = "data:image/png;base64," + base64.b64encode(png).decode()
            return f'<figure><img src="{address}" alt="{_escaped(alternative)}">{_caption(about)}</figure>'
        case Html(markup, about):
            return f'<figure><div class="scroll">{markup}</div>{_caption(about)}</figure>'


def _table_html(table: Table) -> str:
    """A column whose cells are all numbers stands to the right; many columns stand closer together."""
    cells = [[str(cell) for cell in row] for row in table.rows]
    kinds = [' class="number"' if all(map(NUMBER.fullmatch, column)) else "" for column in zip(*cells, strict=True)]
    kinds = kinds or [""] * len(table.columns)
    head = _row_html([str(column) for column in table.columns], kinds, 'th scope="col"')
    body = "\n".join(_row_html(row, kinds, "td") for row in cells)
    wide = ' class="wide"' if len(table.columns) > WIDE else ""
    return (
        f'<figure><div class="scroll" tabindex="0"><table{wide}><thead>{head}</thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>{_caption(table.about)}</figure>"
    )


def _row_html(cells: Sequence[str], kinds: Sequence[str], element: str) -> str:
    name = element.split()[0]
    inner = "".join(f"<{element}{kind}>{_escaped(cell)}</{name}>" for cell, kind in zip(cells, kinds, strict=True))
    return f"<tr>{inner}</tr>"


def _figure_html(block: Figure) -> str:
    """The figure's data as JSON, drawn by the document's script; `<` is escaped so that no text can end the element."""
    figures = [block.figure] if block.narrow is None else [block.figure, block.narrow]
    records = [json.loads(figure.to_json()) for figure in figures]
    data = json.dumps(records, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    height = block.figure.layout.height or 400
    return (
        f'<figure><div class="plot" style="min-height:{height}px"></div>'
        f'<script type="application/json">{data}</script>{_caption(block.about)}</figure>'
    )


def _caption(about: str) -> str:
    return f"<figcaption>{_escaped(about)}</figcaption>" if about else ""


def _escaped(text: str) -> str:
    return html.escape(text)
