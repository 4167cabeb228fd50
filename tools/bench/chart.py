"""A line chart as SVG, readable in both themes."""

from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 300, 60, 40, 34, 20
COLOURS = ("#0a7d4f", "#2f6fde", "#b5541c", "#8a4fbf")


@dataclass
class Line:
    """One series of (x, y)."""

    name: str
    points: list[tuple[float, float]]


def chart(title: str, below: str, lines: list[Line]) -> str:
    """The picture's text. The y axis begins at 0: a flat line is to look flat."""
    largest_x = max(x for line in lines for x, _ in line.points)
    largest_y = max(y for line in lines for _, y in line.points) * 1.15 or 1

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + x / largest_x * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - y / largest_y * (HEIGHT - TOP - BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><g fill="#333">',
        f'<text x="{LEFT}" y="20" font-size="14">{title}</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{below}</text>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = place(largest_x * share, largest_y * share)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{largest_y * share:.3g}</text>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{largest_x * share:,.0f}</text>'
        )
    parts.append("</g>")
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        spots = [place(x, y) for x, y in line.points]
        path = " ".join(f"{'M' if n == 0 else 'L'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(spots))
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots]
        parts.append(
            f'<text x="{WIDTH - RIGHT}" y="{20 + 14 * number}" text-anchor="end" fill="{colour}">{line.name}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
