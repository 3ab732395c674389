"""Chart: a matplotlib figure as inline SVG that follows the page's colours and tells its values.

Matplotlib knows neither a dark page nor hovering. So figures are drawn in stand-in colours that
become the page's CSS variables, and every mark that was given a text becomes a titled group.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from .html_table import Table

WIDTH, HEIGHT = 4.8, 3.3  # inches of 72 px: readable at a phone's width, and larger on a desk
# Stand-in colours, and what the page's style sheet calls them.
INK, GRID, PAPER = "#010101", "#020202", "#030303"
SERIES = tuple(f"#0a00{number:02x}" for number in range(1, 9))
_VARIABLES = {
    INK: "var(--ink)",
    GRID: "var(--line)",
    PAPER: "var(--paper)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, start=1)},
}
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_STYLE: Any = {  # its keys are a type of hundreds of literals
    "svg.fonttype": "none",  # text stays text: it can be searched, and the page styles it
    "svg.hashsalt": "genrekit",
    "font.size": 10.0,
    "text.parse_math": False,  # a dollar in a model's name is a dollar
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart.

    Parameters
    ----------
    key : str
        Its id in the page.
    title, description : str
        The description is the text alternative: what the chart says, in words.
    svg : Markup
    table : Table
        The numbers behind it.
    """

    key: str
    title: str
    description: str
    svg: Markup
    table: Table


class Canvas:
    """A figure being drawn; `tell` gives a mark the text that hovering shows."""

    def __init__(self, figure: Figure, key: str) -> None:
        self.figure = figure
        self.axes = figure.subplots()
        self.key = key
        self._texts: dict[str, str] = {}

    def tell(self, artist: Artist, text: str) -> None:
        """Give a mark its text."""
        gid = f"mark-{len(self._texts)}"
        artist.set_gid(gid)
        self._texts[gid] = text

    def chart(self, title: str, description: str, table: Table) -> Chart:
        """Render what was drawn."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        svg = _inline(buffer.getvalue(), self.key, title, description, self._texts)
        return Chart(self.key, title, description, svg, table)


@contextlib.contextmanager
def canvas(key: str, *, height: float = HEIGHT) -> Iterator[Canvas]:
    """Open a canvas; what is drawn while the context lasts has the page's style."""
    with mpl.rc_context(_STYLE):
        yield Canvas(Figure(figsize=(WIDTH, height), layout="constrained"), key)


def _inline(svg: bytes, key: str, title: str, description: str, texts: dict[str, str]) -> Markup:
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(svg)  # noqa: S314 - matplotlib wrote it a moment ago
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    for size in ("width", "height"):
        del root.attrib[size]  # the page decides; the viewBox keeps the proportions
    for element in root.iter():
        if text := texts.get(element.get("id", "")):
            _title(element, text)
        for name, value in element.attrib.items():
            element.set(name, _page_value(name, value, key))
    names = _title(root, title), _title(root, description, tag="desc")
    for element, suffix in zip(names, ("title", "description"), strict=True):
        element.set("id", f"{key}-{suffix}")
    root.set("role", "img")
    root.set("aria-labelledby", f"{key}-title")
    root.set("aria-describedby", f"{key}-description")
    # Safe: the tree's serialiser escapes every text and attribute.
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704


def _title(element: ElementTree.Element, text: str, tag: str = "title") -> ElementTree.Element:
    title = ElementTree.Element(f"{{{_SVG}}}{tag}")
    title.text = text
    element.insert(0 if tag == "title" else 1, title)
    return title


def _page_value(name: str, value: str, key: str) -> str:
    """Make ids unique in the page and colours the page's."""
    if name == "id":
        return f"{key}-{value}"
    if name == f"{{{_XLINK}}}href":
        return f"#{key}-{value.removeprefix('#')}"
    value = value.replace("url(#", f"url(#{key}-")
    for colour, variable in _VARIABLES.items():
        value = value.replace(colour, variable)
    return value


def colour(index: int) -> str:
    """Return the stand-in colour of a series; they repeat after eight."""
    return SERIES[index % len(SERIES)]


def legend(drawn: Canvas, columns: int = 1) -> None:
    """Put the legend above the axes, where it hides nothing."""
    drawn.figure.legend(loc="outside upper left", ncols=columns)


def log_scale(axes: Axes) -> None:
    """Make the x axis logarithmic where its values differ by more than a factor of 4."""
    low, high = axes.dataLim.intervalx
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if high > 4.0 * low > 0.0:
        axes.set_xscale("log")
        # Within a decade or two only finer ticks give any number at all.
        subs = (1.0, 2.0, 5.0) if high < 100.0 * low else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=subs))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
