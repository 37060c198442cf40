"""The formats of names, ports and addresses: each function yields the API server's words for what is wrong.

Source: apimachinery pkg/util/validation/validation.go of Kubernetes 1.33. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

_LABEL_PATTERN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_PATTERN = rf"{_LABEL_PATTERN}(\.{_LABEL_PATTERN})*"
_DNS_1035_PATTERN = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_VALUE_PATTERN = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_NAME_PATTERN = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_SUBDOMAIN_PATTERN}')"
)
_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL_PATTERN}')"
)
_DNS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    f"validation is '{_DNS_1035_PATTERN}')"
)
_WILDCARD = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
    "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
    rf"'*.example.com', regex used for validation is '\*\.{_SUBDOMAIN_PATTERN}')"
)
_LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    f"for validation is '{_LABEL_VALUE_PATTERN}')"
)
_NAME = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_NAME_PATTERN}')"
)

_PREFIXED = "example.com/MyName"


def subdomain(text: str) -> Iterator[str]:
    """A DNS name in lower case."""
    yield from _format(text, 253, _SUBDOMAIN_PATTERN, _SUBDOMAIN)


def label(text: str) -> Iterator[str]:
    """One label of a DNS name."""
    has_dots = "." in text and re.fullmatch(_SUBDOMAIN_PATTERN, text)
    yield from _format(text, 63, _LABEL_PATTERN, "must not contain dots" if has_dots else _LABEL)


def dns_1035(text: str) -> Iterator[str]:
    """A label that begins with a letter, as the name of a Service does."""
    yield from _format(text, 63, _DNS_1035_PATTERN, _DNS_1035)


def wildcard(text: str) -> Iterator[str]:
    """`*.` and a DNS name."""
    yield from _format(text, 253, rf"\*\.{_SUBDOMAIN_PATTERN}", _WILDCARD)


def label_value(text: str) -> Iterator[str]:
    """The value of a label, which may be empty."""
    yield from _format(text, 63, _LABEL_VALUE_PATTERN, _LABEL_VALUE)


def qualified_name(text: str) -> Iterator[str]:
    """A key of a label or annotation: a name, with or without `example.com/` before it."""
    parts = text.split("/")
    if len(parts) > 2:
        yield f"a qualified name {_NAME} with an optional DNS subdomain prefix and '/' (e.g. '{_PREFIXED}')"
        return
    if len(parts) == 2:
        if not parts[0]:
            yield "prefix part must be non-empty"
        else:
            yield from (f"prefix part {words}" for words in subdomain(parts[0]))
    name = parts[-1]
    if not name:
        yield "name part must be non-empty"
    elif len(name) > 63:
        yield "name part must be no more than 63 characters"
    if not re.fullmatch(_NAME_PATTERN, name):
        yield f"name part {_NAME}"


def path_segment(text: str) -> Iterator[str]:
    """A name that fits into a path of the API, e.g. `system:node`."""
    if text in (".", ".."):
        yield f"may not be '{text}'"
    yield from (f"may not contain '{character}'" for character in "/%" if character in text)


def domain_prefixed_path(text: str) -> Iterator[str]:
    """`example.com/name`, as controllers of an IngressClass are called."""
    domain, _, path = text.partition("/")
    if not domain or not path:
        yield 'must be a domain-prefixed path (such as "acme.io/foo")'
        return
    yield from subdomain(domain)
    if not re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", path):
        yield (
            "Invalid path (regex used for validation is "
            r"'[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')"
        )


def port_number(number: int) -> Iterator[str]:
    """A port of TCP or UDP."""
    if not 1 <= number <= 65535:
        yield "must be between 1 and 65535, inclusive"


def port_name(text: str) -> Iterator[str]:
    """The name of a port of a container (RFC 6335)."""
    if len(text) > 15:
        yield "must be no more than 15 characters"
    if not re.fullmatch("[-a-z0-9]+", text):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", text):
        yield "must contain at least one letter (a-z)"
    if "--" in text:
        yield "must not contain consecutive hyphens"
    if text.startswith("-") or text.endswith("-"):
        yield "must not begin or end with a hyphen"


def ip_address(text: str) -> Iterator[str]:
    """An IPv4 or IPv6 address."""
    if not is_ip_address(text):
        yield "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def cidr(text: str) -> Iterator[str]:
    """A range of addresses."""
    address, _, bits = text.partition("/")
    # ASCII: `\d` and int() also take the digits of other scripts.
    is_range = is_ip_address(address) and re.fullmatch(r"\d{1,3}", bits, re.ASCII)
    if not is_range or int(bits) > (128 if ":" in address else 32):
        yield "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def is_ip_address(text: str) -> bool:
    """True if the API server reads the text as an address; zeros may lead, as in 010.0.0.1."""
    # Kubernetes keeps the parser of Go before 1.17 (netutils.ParseIPSloppy); Python's refuses those zeros.
    plain = re.sub(r"(?<![0-9])0+(?=[0-9])", "", text) if re.fullmatch(r"[0-9.]+", text) else text
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        return False
    return "%" not in text


def _format(text: str, most: int, pattern: str, words: str) -> Iterator[str]:
    # Go counts bytes.
    if len(text.encode()) > most:
        yield f"must be no more than {most} characters"
    if not re.fullmatch(pattern, text):
        yield words
