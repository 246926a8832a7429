# SPDX-License-Identifier: Apache-2.0
"""docs/performance.svg: two plots of dots on logarithmic axes. It has the colours of light and of dark pages, and no script."""

from __future__ import annotations

import dataclasses
import math
from xml.sax.saxutils import escape

from .figures import Table
from .tables import heading

WIDTH, LEFT, RIGHT, LINE, TOP = 860, 260, 44, 22, 64
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.minor { fill: #59636e; font-size: 12px }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.a { fill: #0969da; stroke: #0969da }
.b { fill: #bc4c00; stroke: #bc4c00 }
.low { fill-opacity: 0 }
circle, path { stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.minor { fill: #9198a1 }
.grid { stroke: #3d444d }
.a { fill: #4493f8; stroke: #4493f8 }
.b { fill: #f0883e; stroke: #f0883e }
}
</style>
"""


@dataclasses.dataclass
class Plot:
    """Rows of at most two values each. What is below the axis is drawn hollow at its beginning."""

    title: str
    note: str
    series: tuple[str, str]
    decades: tuple[int, int]  # powers of ten
    unit: str
    rows: list[tuple[str, list[float | None]]]

    def height(self) -> int:
        return TOP + LINE * len(self.rows) + 44

    def x(self, value: float) -> float:
        low, high = self.decades
        place = (math.log10(max(value, 10.0 ** low)) - low) / (high - low)
        return LEFT + min(place, 1.0) * (WIDTH - LEFT - RIGHT)

    def tick(self, power: int) -> str:
        return f"{10.0 ** power:,.{max(0, -power)}f}{self.unit}"

    def draw(self, y: int) -> str:
        bottom = y + TOP + LINE * len(self.rows)
        out = [f'<text class="title" x="16" y="{y + 22}">{escape(self.title)}</text>',
               f'<text class="minor" x="16" y="{y + 42}">{escape(self.note)}</text>']
        for power in range(self.decades[0], self.decades[1] + 1):
            at = self.x(10.0 ** power)
            out += [f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{y + TOP - 8}" y2="{bottom}"/>',
                    f'<text class="minor" x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{self.tick(power)}</text>']
        for number, (label, values) in enumerate(self.rows):
            middle = y + TOP + LINE * number + LINE // 2
            out.append(f'<text x="{LEFT - 14}" y="{middle + 4}" text-anchor="end">{escape(label)}</text>')
            out += [self.mark(index, value, middle) for index, value in enumerate(values) if value is not None]
        return "\n".join(out + [self.legend(bottom + 34)]) + "\n"

    def mark(self, index: int, value: float, y: float) -> str:
        low = " low" if value < 10.0 ** self.decades[0] else ""
        return shape(index, self.x(value), y, low)

    def legend(self, y: int) -> str:
        parts, at = [], LEFT
        for index, name in enumerate(self.series):
            if name:
                parts += [shape(index, at, y - 4, ""), f'<text class="minor" x="{at + 10}" y="{y}">{escape(name)}</text>']
                at += 180
        return "\n".join(parts)


def shape(index: int, x: float, y: float, low: str) -> str:
    """A dot for the first series, a diamond for the second: told apart without colours."""
    if index == 0:
        return f'<circle class="a{low}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    return f'<path class="b{low}" d="M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>'


# Label, part, workload, configuration.
OPENS = (
    ("empty programs (the floor)", "peers", "open", "floor"),
    ("Haetae, not governed", "peers", "open", "ungoverned"),
    ("Haetae, allowed", "peers", "open", "governed"),
    ("Haetae, allowed, 1,000 rules", "calls", "open", "rules-1000"),
    ("Haetae, allowed, 100,000 rules", "calls", "open", "rules-100000"),
    ("Landlock, allowed", "peers", "open", "landlock"),
    ("Landlock, allowed from above", "peers", "open", "landlock-above"),
    ("AppArmor, allowed", "peers", "open", "apparmor"),
    ("fapolicyd, allowed", "peers", "open", "fapolicyd"),
    ("Haetae, first time", "peers", "open, first time", "governed"),
    ("Haetae, refused and counted", "peers", "open, refused", "governed"),
    ("Haetae, refused and recorded", "calls", "open, refused, recorded", "governed"),
)


def opens(table: Table) -> Plot:
    kernels = (table.kernels("calls") + ["", ""])[:2]
    rows = [(label, [table.added(part, kernel, workload, configuration) for kernel in kernels])
            for label, part, workload, configuration in OPENS]
    return Plot("Instructions added to an open and close", "a file five directories deep; less is further left",
                (heading(kernels[0]), heading(kernels[1]) if kernels[1] else ""), (2, 6), "",
                [(label, list(values)) for label, values in rows if any(v is not None for v in values)])


def shares(table: Table) -> Plot:
    rows: list[tuple[str, list[float | None]]] = []
    kernel = (table.kernels("calls") or [""])[0]
    for part in ("calls", "programs"):
        for workload in table.workloads(part, kernel):
            plain = table.value(part, kernel, workload)
            more = [table.added(part, kernel, workload, c) for c in ("ungoverned", "governed")]
            if plain and None not in more and ", refused" not in workload:
                rows.append((workload, [m / plain * 100 if m is not None else None for m in more]))
    return Plot(f"What Haetae adds to each workload, {heading(kernel) if kernel else ''}",
                "share of what it takes without; hollow: less than the axis shows", ("not governed", "governed"), (-2, 3), " %", rows)


def svg(table: Table) -> str:
    plots = [plot for plot in (opens(table), shares(table)) if plot.rows]
    height = sum(plot.height() + 12 for plot in plots)
    body, y = "", 0
    for plot in plots:
        body += plot.draw(y)
        y += plot.height() + 12
    return ('<!-- SPDX-License-Identifier: Apache-2.0 -->\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">\n'
            f"{STYLE}{body}</svg>\n")
