"""Just enough SVG for the pictures in the docs: text, lines, bars and curves, readable on light and dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from attrs import define, field

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600 } .small { font-size: 11px }
.right { text-anchor: end } .middle { text-anchor: middle }
line { stroke: #8c959f } .faint { stroke-dasharray: 2 4 } polyline { fill: none; stroke-width: 2.5 }
"""


@define
class Picture:
    """A drawing of so many pixels."""

    width: int
    height: int
    parts: list[str] = field(factory=list)

    def text(self, x: float, y: float, text: str, kind: str = "", colour: str | None = None) -> None:
        """A line of text; kind: any of the style's classes. colour: None for the style's own."""
        paint = f' style="fill: {colour}"' if colour else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{paint}>{escape(text)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "") -> None:
        """A straight line."""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def bar(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
        """A filled rectangle with round corners."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" height="{height:.1f}" rx="3"'
            f' fill="{colour}" fill-opacity="{opacity:g}"/>'
        )

    def curve(self, points: Iterable[tuple[float, float]], colour: str) -> None:
        """A line through points, each marked."""
        placed = [f"{x:.1f},{y:.1f}" for x, y in points]
        self.parts.append(f'<polyline points="{" ".join(placed)}" stroke="{colour}"/>')
        for point in placed:
            x, y = point.split(",")
            self.parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')

    def __str__(self) -> str:
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        return "\n".join([head, f"<style>{STYLE}</style>", *self.parts, "</svg>"]) + "\n"
