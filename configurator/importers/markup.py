"""XML as plain nodes that know their line.

Read by defusedxml: entities, which a bomb is made of, and references to other files are refused. A node is made as
its tags are met, without recursion, so depth costs nothing.
"""

from __future__ import annotations

import io
import xml.sax
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

import defusedxml.sax
from defusedxml import DefusedXmlException

from configurator.importers.problems import Problems


@dataclass(slots=True, eq=False)
class Node:
    """One element."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Node] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text directly inside."""
        return "".join(self.pieces)

    def get(self, attribute: str) -> str:
        """Return an attribute, or nothing."""
        return self.attributes.get(attribute, "")

    def first(self, tag: str) -> Node | None:
        """Return the first child of that tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> Iterator[Node]:
        """Return the children of that tag."""
        return (child for child in self.children if child.tag == tag)


def read_markup(content: bytes, path: Path) -> Node:
    """Read an XML text; return its outermost node. Raises ModelError."""
    problems = Problems(path.name)
    nodes = _Nodes()
    try:
        defusedxml.sax.parse(io.BytesIO(content), nodes)
    except xml.sax.SAXParseException as error:
        raise problems.fail(error.getLineNumber() or 1, f"not valid XML: {error.getMessage()}.") from error
    except DefusedXmlException as error:
        raise problems.fail(nodes.line, "the file declares entities of its own, which are not expanded: write the text out.") from error
    except (LookupError, ValueError) as error:
        raise problems.fail(nodes.line, f"the text cannot be read ({error}): save the file as UTF-8.") from error
    return nodes.outermost


class _Nodes(ContentHandler):
    """Makes nodes of what the reader tells."""

    def __init__(self) -> None:
        super().__init__()
        self.locator: Locator | None = None
        self.outermost = Node("", {}, 1)
        self.open: list[Node] = []

    @property
    def line(self) -> int:
        """Where the reader is."""
        return (self.locator.getLineNumber() if self.locator else None) or 1

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - SAX's name
        """Remember who knows the line."""
        self.locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        """Open a node."""
        node = Node(name, {key: attrs[key] for key in attrs.getNames()}, self.line)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.outermost = node
        self.open.append(node)

    def endElement(self, name: str) -> None:  # noqa: N802
        """Close it."""
        del name
        self.open.pop()

    def characters(self, content: str) -> None:
        """Keep the text."""
        self.open[-1].pieces.append(content)
