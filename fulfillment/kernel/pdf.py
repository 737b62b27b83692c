"""Documents on paper: letterhead, address blocks, tables, bar codes; Chinese as well as English.

Reportlab draws (5 ms a page). Output is deterministic: the same content gives the same bytes. A
document that cannot be written leaves no half file: `render` returns bytes, and whoever stores
them writes beside and renames.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

CHINESE_FONTS = ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf")
INK = colors.HexColor("#1f2421")
ACCENT = colors.HexColor("#e4572e")
RULE = colors.HexColor("#c9c6bf")


@cache
def chinese_font() -> str:
    """An embedded font where one is installed, else the reader's own by its standard name."""
    for path in CHINESE_FONTS:
        if Path(path).exists():
            pdfmetrics.registerFont(TTFont("Chinese", path, subfontIndex=0))
            return "Chinese"
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    return "STSong-Light"


def style(size: float = 9, *, bold: bool = False, right: bool = False, colour: Any = INK, language: str = "en") -> ParagraphStyle:
    """A paragraph style of ours."""
    latin = "Helvetica-Bold" if bold else "Helvetica"
    return ParagraphStyle(
        f"{language}{size}{bold}{right}", fontName=chinese_font() if language == "zh" else latin, fontSize=size,
        leading=size * 1.4, textColor=colour, alignment=TA_RIGHT if right else 0, wordWrap="CJK" if language == "zh" else None,
    )


def has_chinese(text: str) -> bool:
    """Whether a text needs the Chinese font, whatever the document's language."""
    return any("\u2e80" <= letter <= "\uffef" for letter in text)


def text(content: str, size: float = 9, *, bold: bool = False, right: bool = False, colour: Any = INK, language: str = "en") -> Paragraph:
    """A paragraph; its content is text, not markup."""
    escaped = content.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br/>")
    chosen = "zh" if has_chinese(content) else language
    return Paragraph(escaped, style(size, bold=bold, right=right, colour=colour, language=chosen))


def gap(height: float = 4) -> Spacer:
    """White space, in millimetres."""
    return Spacer(1, height * mm)


def columns(*cells: Flowable | str | Sequence[Flowable], widths: Sequence[float] | None = None) -> Table:
    """Blocks side by side; widths in millimetres."""
    grid = Table([list(cells)], colWidths=[w * mm for w in widths] if widths else None, hAlign="LEFT")
    grid.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return grid


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], *, right: Sequence[int] = (), language: str = "en",
    foot: int = 0,
) -> Table:
    """A ruled table; `right` columns are aligned to the right, the last `foot` rows are bold."""
    body: list[list[Paragraph]] = [[text(cell, 8, bold=True, right=i in right, language=language) for i, cell in enumerate(head)]]
    for index, row in enumerate(rows):
        bold = index >= len(rows) - foot
        body.append([text(cell, 8.5, bold=bold, right=i in right, language=language) for i, cell in enumerate(row)])
    grid = Table(body, colWidths=[w * mm for w in widths], repeatRows=1, hAlign="LEFT")
    grid.setStyle(TableStyle([
        ("LINEBELOW", (0, 0), (-1, 0), 0.9, INK), ("LINEBELOW", (0, 1), (-1, -1), 0.3, RULE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2), ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]))
    return grid


def code128(value: str, height: float = 14, width: float = 0.38) -> Code128:
    """A Code 128 bar code; sizes in millimetres."""
    return Code128(value, barHeight=height * mm, barWidth=width * mm, humanReadable=True, quiet=True)


def qr(value: str, side: float = 26) -> Drawing:
    """A QR code of `side` millimetres."""
    widget = QrCodeWidget(value, barLevel="M")
    x0, y0, x1, y1 = widget.getBounds()
    drawing = Drawing(side * mm, side * mm, transform=[side * mm / (x1 - x0), 0, 0, side * mm / (y1 - y0), 0, 0])
    drawing.add(widget)
    return drawing


def letterhead(title: str, number: str, language: str = "en") -> list[Flowable]:
    """Our name on the left, what the document is on the right."""
    name = text("Larkmill", 17, bold=True, colour=ACCENT)
    claim = text("云雀工坊 · 按单定制" if language == "zh" else "Computers, made when you ask", 7.5, language=language)
    right = [text(title, 14, bold=True, right=True, language=language), text(number, 10, right=True)]
    return [columns([name, claim], right, widths=(86, 86)), gap(6)]


def render(story: Sequence[Flowable], *, title: str, footer: str = "", size: tuple[float, float] = LETTER, margin: float = 20) -> bytes:
    """Lay the story out on pages and return the PDF."""
    buffer = BytesIO()
    page = SimpleDocTemplate(
        buffer, pagesize=size, leftMargin=margin * mm, rightMargin=margin * mm, topMargin=margin * 0.85 * mm,
        bottomMargin=margin * 0.85 * mm,
        title=title, author="Larkmill", invariant=1,
    )

    def decorate(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(chinese_font() if has_chinese(footer) else "Helvetica", 7)
        canvas.setFillColor(INK)
        canvas.drawString(margin * mm, margin * 0.45 * mm, footer)
        canvas.drawRightString(size[0] - margin * mm, margin * 0.45 * mm, str(document.page))
        canvas.restoreState()

    page.build(list(story), onFirstPage=decorate, onLaterPages=decorate)
    return buffer.getvalue()
