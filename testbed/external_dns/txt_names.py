"""Where the TXT of a record lies, and back.

```
prefix txt-        app.example.com A  ->  txt-app.example.com      v0.22: txt-a-app.example.com
prefix _owner.     app.example.com A  ->  _owner.app.example.com   v0.22: _owner.a-app.example.com
suffix -txt        app.example.com A  ->  app-txt.example.com      v0.22: a-app-txt.example.com
```

Source: external-dns, registry/mapper/mapper.go [v0.7.x: registry/txt.go].
"""

from __future__ import annotations

from dataclasses import dataclass

from testbed.external_dns.profile import Profile

_TYPES = ("A", "AAAA", "CNAME", "NS", "MX", "PTR", "SRV", "NAPTR", "TXT", "DNAME")
_TEMPLATE = "%{record_type}"


@dataclass(frozen=True, slots=True)
class TxtNames:
    """The names of TXT records. Prefix and suffix, in lower case, exclude each other."""

    prefix: str
    suffix: str
    wildcard: str
    profile: Profile

    def of(self, name: str, kind: str) -> str:
        """The name of the TXT beside a record of a name and type."""
        first, dot, rest = self.replaced(name).partition(".")
        prefix, suffix = self.prefix, self.suffix
        if self.profile.typed:
            if self._is_type_in_affix():
                prefix, suffix = (one.replace(_TEMPLATE, kind.lower()) for one in (prefix, suffix))
            else:
                prefix += f"{kind.lower()}-"
        return f"{prefix}{first}{suffix}{dot}{rest}"

    def replaced(self, name: str) -> str:
        """A name with its `*` label replaced, as `--txt-wildcard-replacement` says."""
        if self.wildcard and self.profile.replaces_txt_wildcard and name.partition(".")[0] == "*":
            return self.wildcard + name[1:]
        return name

    def owned_by(self, txt_name: str) -> tuple[str, str]:
        """The record that a TXT speaks of: name and type; the type is "" in the old format.

        A TXT whose name lacks the affix gives two empty texts: it speaks of no record.
        """
        name = txt_name.lower()
        if not self.suffix:
            return self._without_affix(name)
        dots = self.suffix.count(".") if self.profile.typed else 0
        labels = name.split(".", 1 + dots)
        owned, kind = self._without_affix(".".join(labels[: 1 + dots]))
        if not owned:
            return "", ""
        return ".".join([owned, *labels[1 + dots :]]), kind

    def _is_type_in_affix(self) -> bool:
        return _TEMPLATE in self.prefix or _TEMPLATE in self.suffix

    def _without_affix(self, name: str) -> tuple[str, str]:
        prefix, suffix = self.prefix, self.suffix
        if self.profile.typed and self._is_type_in_affix():
            for kind in _TYPES:
                before, after = (one.replace(_TEMPLATE, kind.lower()) for one in (prefix, suffix))
                if name.startswith(before) and name.endswith(after):
                    return name.removeprefix(before).removesuffix(after), kind
            prefix, suffix = (
                one.replace(f"{_TEMPLATE}-", "").replace(f"-{_TEMPLATE}", "").replace(_TEMPLATE, "")
                for one in (prefix, suffix)
            )
        if not (name.startswith(prefix) and name.endswith(suffix)):
            return "", ""
        name = name.removeprefix(prefix).removesuffix(suffix)
        if self.profile.typed:
            kind, dash, rest = name.partition("-")
            if kind.upper() in _TYPES:
                return (rest if dash else name), kind.upper()
        return name, ""
