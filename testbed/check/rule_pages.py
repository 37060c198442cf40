"""The page of each rule: what it means, an example that triggers it, what to do, and the source.

A page is `pages/RULE-ID.md`: what the finding means, then the sections Example, What to do and Source. The
title is that of the rule, and the finding of the example is the rule's own, so neither is written twice. The
first line of the example is the command that it is for.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from testbed.check import acceptances
from testbed.check.findings import Finding, Severity
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import Rule, check
from testbed.external_dns.offline import zone_file
from testbed.kubernetes.manifests import Source, of_sources
from testbed.releases import EXTERNAL_DNS, Named

FOLDER = Path(__file__).resolve().parent / "pages"
_SECTION = re.compile(r"^## (.+)\n", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)[^)]*\)")
_MARKS = re.compile(r"([\\`*_{}\[\]])")
_ADMONITIONS = {Severity.ERROR: "danger", Severity.WARNING: "warning", Severity.NOTE: "note"}
_COMMAND = "# testbed check "


@dataclass(frozen=True, slots=True)
class RulePage:
    """The page of a rule; its texts are Markdown.

    Attributes:
        meaning: what happens and why.
        example: with its code blocks.
        remedy: what to do.
        source: where the fact is known from.
    """

    rule: Rule
    meaning: str
    example: str
    remedy: str
    source: str

    @property
    def path(self) -> Path:
        """The file of the page."""
        return FOLDER / f"{self.rule.id}.md"

    @property
    def options(self) -> Mapping[str, str]:
        """The options of the example's command; of a switch the empty text."""
        found: dict[str, str] = {}
        name = ""
        for word in shlex.split(self._blocks()["yaml"].partition("\n")[0].removeprefix(_COMMAND))[1:]:
            if word.startswith("--"):
                found[word], name = "", word
            else:
                found[name] = word
        return found

    @property
    def listings(self) -> list[str]:
        """The files of hosted zones that the example's command names, in the order of their blocks."""
        words = shlex.split(self._blocks()["yaml"].partition("\n")[0])
        return [value for option, value in pairwise(words) if option == "--zone"]

    def findings(self) -> list[Finding]:
        """What the rule finds in the example, read with the options of its command.

        Raises:
            BadInput: the example cannot be read.
        """
        blocks, options = self._blocks(), self.options
        source = Source(Path("web.yaml"), blocks["yaml"])
        manifests = of_sources([source], custom=True)
        zones = zone_file.told_apart(
            [
                zone_file.parse(text, Path(name), zone_id=f"/hostedzone/{name}")
                for name, text in zip(self.listings, self._texts("json"), strict=True)
            ]
        )
        to = "--upgrade-to"
        readings = Reading.of_each(
            manifests,
            *(
                Named(options[name], name) if name in options else None
                for name in ("--external-dns", "--lb-controller")
            ),
            new="--new" in options,
            zones=zones,
            upgrade_to=EXTERNAL_DNS.named(Named(options[to], to)).release if to in options else None,
        )
        found = acceptances.applied(check(*readings), acceptances.comments([source]))
        return [one for one in found if one.rule == self.rule.id]

    def markdown(self, *, has_finding: bool = True) -> str:
        """The whole page, without a title of its own."""
        said = ""
        if has_finding:
            said = "".join(_admonition(one) for one in self.findings())
        return (
            f"**{self.rule.severity.value.capitalize()}.** {self.rule.title}\n\n{self.meaning}\n\n"
            f"## Example\n\n{self.example}\n{said}\n## What to do\n\n{self.remedy}\n\n"
            f"## Source\n\n{self.source}\n"
        )

    def _texts(self, language: str) -> list[str]:
        return [match[2] for match in _BLOCK.finditer(self.example) if match[1] == language]

    def _blocks(self) -> dict[str, str]:
        return {match[1]: match[2] for match in _BLOCK.finditer(self.example)}


def _admonition(finding: Finding) -> str:
    kind = _ADMONITIONS[finding.severity]
    title = f"{finding.where}: {finding.severity}"
    return f'\n!!! {kind} "{title}"\n    {_escaped(finding.what)}.\n\n    → {_escaped(finding.do)}\n'


def _escaped(text: str) -> str:
    """The text with what Markdown or HTML would read in it taken as it is."""
    return _MARKS.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def page_of(rule: Rule) -> RulePage | None:
    """Return the page of a rule; None where its file is missing, as beside a rule that is being written."""
    try:
        text = (FOLDER / f"{rule.id}.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    meaning, *rest = _SECTION.split(text)
    sections = {name: body.strip() for name, body in zip(rest[::2], rest[1::2], strict=True)}
    return RulePage(rule, meaning.strip(), sections["Example"], sections["What to do"], sections["Source"])


def without_links(markdown: str) -> str:
    """Return the text with links into the documentation as words: `Trap 1 (docs/traps.md)`."""
    return _LINK.sub(r"\1 (docs/\2)", markdown)


def uri_of(rule: Rule, site: str | None = None) -> str | None:
    """Return where the page is read: on a site that `make docs` built, else here; None if it is missing."""
    if site is None:
        path = FOLDER / f"{rule.id}.md"
        return path.as_uri() if path.exists() else None
    return f"{site.rstrip('/')}/troubleshooting/{rule.id}/"
