"""The pictures of the terminal in docs/pictures, drawn from what the commands print now.

``python -m tests.pictures`` draws all of them anew; ``tests/test_pictures.py`` says when that is due, and does it with
``--harden-accept``.
"""

from __future__ import annotations

import html
import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from .conftest import ROOT, commit
from .terminals import Shown, harden_on_terminal, on_terminal

FOLDER = ROOT / "docs" / "pictures"
ROWS = 40
COLUMNS = (80, 120)
THEMES = {
    "dark": TerminalTheme(
        (13, 17, 23), (230, 237, 243),
        [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207),
         (177, 186, 196)],
    ),
    "light": TerminalTheme(
        (255, 255, 255), (31, 35, 40),
        [(36, 41, 47), (207, 34, 46), (17, 99, 41), (125, 78, 0), (9, 105, 218), (130, 80, 223), (27, 124, 131),
         (110, 119, 129)],
    ),
}  # fmt: skip
# No font is loaded from anywhere: each letter has its place, whatever the font is.
_FORMAT = """\
<svg role="img" aria-label="LABEL" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px;
line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def screens() -> Iterator[tuple[str, str, int, str]]:
    """Each screen that there is a picture of: its name, the command, the columns, and what the terminal was sent."""
    for columns in COLUMNS:
        tried = on_terminal(["./try"], ROOT, columns=columns, rows=ROWS).raw
        # The folder of the copy has another name each time.
        yield (
            f"try-{columns}",
            "./try",
            columns,
            _tidy(re.sub(r"(This was a copy.* cd )\S+", r"\1/tmp/tmp.4fJ2kQ", tried)),
        )
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "examples" / "shop", Path(folder, "shop"))
            commit(Path(folder))
            for name, arguments in {"check": ["check", "shop"], "diff": ["diff", "shop", "--no-pager"]}.items():
                shown = harden_on_terminal(*arguments, folder=Path(folder), columns=columns, rows=ROWS)
                first = "\n".join(_tidy(shown.raw).splitlines()[: ROWS - 3]) + "\n"
                yield f"{name}-{columns}", f"harden {' '.join(arguments[:2])}", columns, first


def drawn(command: str | None, columns: int, sent: str, theme: str, *, about: str = "") -> str:
    """The screen as SVG, with ``command`` on its first row; without one, it shows what was ``sent`` alone,
    under the title ``about``."""
    title = about or str(command)
    first = f"\033[1m$ {command}\033[0m\n" if command else ""
    console = Console(record=True, width=columns, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(f"{first}{sent.rstrip()}"), overflow="fold", no_wrap=False)
    format = _FORMAT.replace("LABEL", f"What {html.escape(title)} prints")
    return console.export_svg(title=title, theme=THEMES[theme], code_format=format, unique_id="harden")


def read(picture: str) -> str:
    """What a picture says, in words: where a row begins is for the picture."""
    rows: dict[str, list[str]] = {}
    for y, text in re.findall(r'<text class="harden-r\d+" x="[\d.]+" y="([\d.]+)"[^>]*>([^<]*)</text>', picture):
        rows.setdefault(y, []).append(html.unescape(text))
    return " ".join("".join(parts).replace("\xa0", " ") for parts in rows.values())


def words(command: str, sent: str) -> str:
    """What the screen says, for ``read``."""
    return f"$ {command}\n{Shown(sent, 0).text}"


def draw() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, command, columns, sent in screens():
        for theme in THEMES:
            (FOLDER / f"{name}-{theme}.svg").write_text(drawn(command, columns, sent, theme), encoding="utf-8")


def _tidy(sent: str) -> str:
    """Without the bar that was shown in between, which ends where the cursor goes up and the row is cleared."""
    return re.sub(r"^.*\033\[1A\033\[2K", "", sent, flags=re.S)


if __name__ == "__main__":
    draw()
    sys.exit(0)
