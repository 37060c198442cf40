"""The files of the page, which stand in the package as a browser gets them: no build step, no other host.

`stage.html` is what the live page and the report share; `live.html` is the page around it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

_STAGE = "<!-- stage.html -->"


@cache
def page_file(name: str) -> str:
    """Return a file of the page; what the report shares with it stands in its place."""
    text = (resources.files("testbed.live") / "page" / name).read_text(encoding="utf-8")
    return text.replace(_STAGE, page_file("stage.html")) if _STAGE in text else text
