"""Reading papers back: the text of a PDF, and the codes on its rendered pages."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader


def text_of(paper: bytes) -> str:
    """The text of all its pages."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(paper)).pages)


def codes_on(paper: bytes) -> dict[str, set[str]]:
    """What a scanner reads on the printed pages, by kind of code. Skips the test where nothing can print."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("pdftoppm is missing: install poppler-utils to read the codes back")
    found: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "paper.pdf"
        source.write_bytes(paper)
        subprocess.run(["pdftoppm", "-r", "200", "-png", str(source), str(Path(folder) / "page")], check=True, capture_output=True)
        for page in sorted(Path(folder).glob("page*.png")):
            with Image.open(page) as image:
                for code in zxingcpp.read_barcodes(image):
                    found.setdefault(code.format.name.replace(" ", ""), set()).add(code.text)
    return found
