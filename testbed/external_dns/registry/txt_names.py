"""The name of the TXT of a record, and back.

```
prefix txt-        app.example.com A  ->  txt-app.example.com      v0.22: txt-a-app.example.com
prefix _owner.     app.example.com A  ->  _owner.app.example.com   v0.22: _owner.a-app.example.com
suffix -txt        app.example.com A  ->  app-txt.example.com      v0.22: a-app-txt.example.com
```

Source: external-dns, registry/mapper/mapper.go [v0.7.x: registry/txt.go].
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact

_TEMPLATE = "%{record_type}"


@dataclass(frozen=True, slots=True)
class TxtNames:
    """The names of TXT records. Prefix and suffix are in lower case; one of them is empty."""

    prefix: str
    suffix: str
    wildcard: str
    release: Release
    _affixes: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False, compare=False)

    def of(self, name: str, kind: str) -> str:
        """Return the name of the TXT that carries a record's type, or of its only one before v0.12."""
        if not self.release.has(Fact.TYPED_TXT):
            return self.untyped(name)
        if self.wildcard:
            name = self.replaced(name)
        before, after = self._around(kind)
        if not after:  # no suffix, so nothing goes between the first label and the others
            return before + name
        first, dot, rest = name.partition(".")
        return f"{before}{first}{after}{dot}{rest}"

    def _around(self, kind: str) -> tuple[str, str]:
        """Return what stands before and behind the first label in the TXT of a record of some type."""
        around = self._affixes.get(kind)
        if around is None:
            word = kind.lower()
            if self.is_type_in_affix:
                around = self.prefix.replace(_TEMPLATE, word), self.suffix.replace(_TEMPLATE, word)
            else:
                around = f"{self.prefix}{word}-", self.suffix
            self._affixes[kind] = around
        return around

    def untyped(self, name: str) -> str:
        """Return the name of the TXT that has no type."""
        first, dot, rest = self.replaced(name).partition(".")
        prefix, suffix = self.prefix, self.suffix
        if self.release.has(Fact.TYPED_TXT):
            prefix, suffix = prefix.replace(_TEMPLATE, ""), suffix.replace(_TEMPLATE, "")
        return f"{prefix}{first}{suffix}{dot}{rest}"

    def replaced(self, name: str) -> str:
        """Return a name with its `*` label replaced, as `--txt-wildcard-replacement` asks."""
        if not self.wildcard or name.partition(".")[0] != "*" or not self.release.has(Fact.TXT_WILDCARD):
            return name
        return self.wildcard + name[1:]

    @property
    def is_type_in_affix(self) -> bool:
        """True if prefix or suffix says where the type goes."""
        return _TEMPLATE in self.prefix or _TEMPLATE in self.suffix

    def owned_by(self, txt_name: str) -> tuple[str, str]:
        """Return name and type of the record that a TXT is about; the type is "" where none is told.

        A TXT whose name lacks the affix is about no record: both are "".
        """
        name, kind = txt_name.lower(), ""
        finds_type_last = self.release.has(Fact.TXT_TYPE_IN_LABELS)
        if self.release.has(Fact.TYPED_TXT) and not finds_type_last:
            # Before the affix is cut, so with a prefix the type stays: `txt-cname-app` is about `cname-app`.
            name, found = self._split(name)
            kind = found if found == "AAAA" and self.release.has(Fact.AAAA_TXT) else ""
            if not name.startswith(self.prefix):  # never does where the prefix holds the template
                return "", ""
        if not self.suffix:
            owned, told = self._without_affix(name)
        else:
            dots = self.suffix.count(".") if self.release.has(Fact.DOTS_IN_SUFFIX) else 0
            labels = name.split(".", 1 + dots)
            owned, told = self._without_affix(".".join(labels[: 1 + dots]))
            owned = ".".join([owned, *labels[1 + dots :]]) if owned else ""
        if not owned:
            return "", ""
        return owned, told if finds_type_last else kind

    def _without_affix(self, name: str) -> tuple[str, str]:
        """Return a name without prefix and suffix, and the type that stood in them or before the name."""
        prefix, suffix = self.prefix, self.suffix
        if self.release.has(Fact.TYPED_TXT) and self.is_type_in_affix:
            for kind in self._types:
                before, after = (one.replace(_TEMPLATE, kind.lower()) for one in (prefix, suffix))
                if name.startswith(before) and name.endswith(after):
                    told = kind if self.release.has(Fact.TEMPLATE_TYPE_READ) else kind.lower()
                    return name.removeprefix(before).removesuffix(after), told
            if self.release.has(Fact.TXT_TYPE_IN_LABELS):
                prefix, suffix = (one.replace(_TEMPLATE, "") for one in (prefix, suffix))
        if not (name.startswith(prefix) and name.endswith(suffix)):
            return "", ""
        name = name.removeprefix(prefix).removesuffix(suffix)
        return self._split(name) if self.release.has(Fact.TXT_TYPE_IN_LABELS) else (name, "")

    def _split(self, name: str) -> tuple[str, str]:
        # Ambiguous in the real one, too: the TXT without a type of a host `a-app` reads as that of an A
        # record of `app`.
        first, dash, rest = name.partition("-")
        kind = first.upper()
        return (rest if dash else name, kind) if kind in self._types else (name, "")

    @property
    def _types(self) -> tuple[str, ...]:
        return _types(self.release)


@functools.cache
def _types(release: Release) -> tuple[str, ...]:
    more = {
        Fact.AAAA_TXT: ("AAAA",),
        Fact.MX_IN_TXT_NAME: ("MX",),
        Fact.SRV_IN_TXT_NAME: ("PTR", "SRV", "NAPTR"),
        Fact.DNAME_IN_TXT_NAME: ("TXT", "DNAME"),
    }
    added = [kind for fact, kinds in more.items() if release.has(fact) for kind in kinds]
    return ("A", "CNAME", "NS", *added)
