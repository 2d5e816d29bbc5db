"""The plot in the README: CPU of one check, by whom it is made. As SVG, light and dark."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 740, 230, 90
BAR, GAP, TOP = 22, 12, 58
# What is longer than the bare call by so much is cut off, and says so.
CUT = 1.6
PALETTES = {
    "light": {"text": "#1f2328", "quiet": "#59636e", "ours": "#0969da", "other": "#afb8c1"},
    "dark": {"text": "#f0f6fc", "quiet": "#9198a1", "ours": "#4493f8", "other": "#57606a"},
}


def svg(microseconds: Mapping[str, float], *, ours: str, bare: str, palette: str, date: str) -> str:
    """Return the plot.

    Args:
        microseconds: of each, in the order in which they are shown.
        ours: whose bar stands out.
        bare: whose bar sets the scale.
        palette: `light` or `dark`.
        date: of the measurement.
    """
    colors = PALETTES[palette]
    most = microseconds[bare] * CUT
    height = TOP + len(microseconds) * (BAR + GAP) + 6
    told = ", ".join(f"{name} {value:,.0f}" for name, value in microseconds.items())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(f"CPU of one check, in microseconds: {told}")}" '
        'font-family="system-ui, sans-serif" font-size="14">',
        f'<text x="0" y="18" font-size="16" font-weight="600" fill="{colors["text"]}">'
        "CPU of one check of a good key, µs</text>",
        f'<text x="0" y="38" font-size="12" fill="{colors["quiet"]}">'
        f"{escape(f'Less is better. One run of make bench, {date}; see docs/benchmarks.md for what each does.')}</text>",
    ]
    for number, (name, value) in enumerate(microseconds.items()):
        top = TOP + number * (BAR + GAP)
        length = max(2, min(value, most) / most * (WIDTH - LEFT - RIGHT))
        color = colors["ours"] if name == ours else colors["other"]
        middle = top + BAR * 0.7
        weight = ' font-weight="600"' if name == ours else ""
        lines += [
            f'<text x="{LEFT - 10}" y="{middle:.0f}" text-anchor="end" fill="{colors["text"]}"{weight}>{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3" fill="{color}"/>',
            f'<text x="{LEFT + length + 8:.0f}" y="{middle:.0f}" fill="{colors["text"]}"{weight}>'
            f"{value:,.0f}{' →' if value > most else ''}</text>",
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
