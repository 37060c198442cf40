"""The geometry of the charts: values in, SVG path data and positions out; the template draws them.

A chart is 1000 units wide, and the page stretches it to its own width (strokes keep theirs). Labels are HTML
at percentages, so that they are readable at every width. The vertical axis points down, as in SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 1000.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position on an axis, in percent of its length."""

    position: float
    label: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled area or a line; `css` is its class."""

    path: str
    css: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A panel of the timeline: shapes over one vertical axis from 0 to `top`."""

    title: str
    unit: str
    height: int
    top: float
    ticks: tuple[Tick, ...]
    shapes: tuple[Shape, ...]
    legend: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps wall times between `start` and `end` to the width of a chart."""

    start: float
    end: float

    @property
    def span(self) -> float:
        """Wall seconds from left to right; never 0."""
        # A journal of a single event has no length.
        return max(self.end - self.start, 1e-6)

    def x(self, time: float) -> float:
        """Return the position of a wall time in units, within the chart."""
        return min(WIDTH, max(0.0, (time - self.start) / self.span * WIDTH))

    def percent(self, time: float) -> float:
        """Return the position of a wall time in percent of the width, within the chart."""
        return round(self.x(time) / WIDTH * 100, 3)


def stacked(layers: Sequence[Sequence[float]], height: float, top: float) -> list[str]:
    """Return areas of equally wide columns, stacked, the first at the bottom."""
    paths = []
    floor = [0.0] * (len(layers[0]) if layers else 0)
    for layer in layers:
        roof = [below + value for below, value in zip(floor, layer, strict=True)]
        paths.append(_columns(floor, roof, height, top) if any(layer) else "")
        floor = roof
    return paths


def _columns(floor: Sequence[float], roof: Sequence[float], height: float, top: float) -> str:
    width = WIDTH / len(roof)
    above = _stairs(roof, width, height, top)
    below = _stairs(floor, width, height, top)
    return "M" + "L".join(above) + "L" + "L".join(reversed(below)) + "Z"


def _stairs(values: Sequence[float], width: float, height: float, top: float) -> list[str]:
    points: list[str] = []
    for index, value in enumerate(values):
        y = _y(value, height, top)
        # Only the corners: a run of equal columns is one line.
        if index and value == values[index - 1]:
            points.pop()
        else:
            points.append(f"{_short(index * width)},{y}")
        points.append(f"{_short((index + 1) * width)},{y}")
    return points


def line(values: Sequence[float | None], height: float, top: float) -> str:
    """Return a line through the middles of equally wide columns, broken where there is no value."""
    width = WIDTH / max(1, len(values))
    words, pen_down = [], False
    for index, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        words.append(f"{'L' if pen_down else 'M'}{_short((index + 0.5) * width)},{_y(value, height, top)}")
        if not pen_down:
            words.append("h.01")  # so that a lone point shows
        pen_down = True
    return "".join(words)


def steps(points: Sequence[tuple[float, float]], axis: Axis, height: float, top: float) -> str:
    """Return a step function from `(wall time, value)` points to the end of the axis."""
    if not points:
        return ""
    words = [f"M{_short(axis.x(points[0][0]))},{_y(points[0][1], height, top)}"]
    for time, value in points[1:]:
        words.append(f"H{_short(axis.x(time))}V{_y(value, height, top)}")
    words.append(f"H{_short(WIDTH)}")
    return "".join(words)


def closed(path: str, height: float) -> str:
    """Return the area under a step function that ends at the right edge."""
    return f"{path}V{_short(height)}H{path[1:].split(',')[0]}Z" if path else ""


def scale(highest: float) -> float:
    """Return a round number at or above the highest value: the top of an axis."""
    if highest <= 0:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(highest))
    # Factors whose halves are round too: an axis is labelled at its top and in its middle.
    for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10):
        if factor * magnitude >= highest:
            return factor * magnitude
    return 10 * magnitude


def time_step(span: float, most: int) -> float:
    """Return a round number of seconds between ticks, so that at most `most` fit into a span."""
    for seconds in (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400):
        if span / seconds <= most:
            return float(seconds)
    return span / max(1, most)


def _y(value: float, height: float, top: float) -> str:
    return _short(height * (1 - min(1.0, max(0.0, value / top))))


def _short(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
