"""The flags of ExternalDNS that its registry reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TxtOptions:
    """Options of ownership, and of the TXT records that hold it.

    Attributes:
        registry: `txt` or `noop`.
        owner: own owner id.
        txt_prefix, txt_suffix: of the TXT names, in lower case; one of them is empty.
        txt_wildcard: stands for `*` in TXT names; "" leaves it.
        txt_cache_interval: production seconds for which the records are not read again.
        managed: record types that are planned, and that get missing TXTs.
        migrate_from_owner: of `--migrate-from-txt-owner`.
        writes_typed_only: no TXT without a type in its name is written.
        encrypts_txt: TXTs are written encrypted.
        txt_key: reads and writes encrypted TXTs; 32 bytes.
    """

    registry: str
    owner: str
    txt_prefix: str
    txt_suffix: str
    txt_wildcard: str
    txt_cache_interval: float = 0.0
    managed: tuple[str, ...] = ()
    migrate_from_owner: str = ""
    writes_typed_only: bool = False
    encrypts_txt: bool = False
    txt_key: bytes | None = None
