"""The tape of a real AWS Load Balancer Controller v3.5.0, and what it takes to play it elsewhere.

`../shared/conformance/real/lb-controller-v3.5.0.jsonl`: its 184 requests to Kubernetes and AWS. Identifiers
are those of the recording; they are mapped to those that stand at the same places of the answers here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xmltodict

TAPE = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "real" / "lb-controller-v3.5.0.jsonl"
STAGES = ("start", "nlb", "ingress group", "a pod goes", "host", "delete group", "delete service")
VERSIONS = {"ec2": "2016-11-15", "elasticloadbalancing": "2015-12-01"}
RECORDED_REGION = "us-east-1"
GOING_POD, STAYING_POD = "10.0.0.136", "10.0.0.1"
"""Addresses of the two pods of the recording; the first one goes."""
_IDENTIFIER = re.compile(
    r"arn:aws:\S+|(?:vpc|subnet|sg|sgr|i|eni|eni-attach|vpc-cidr-assoc|r|vol)-[0-9a-f]+"
    r"|us-east-1[a-f]?|use1-az\d|\S+\.elb\.amazonaws\.com|\S+\.elb\.us-east-1\.amazonaws\.com"
)
AWS_IS_RIGHT = {"SslPolicy", "platform"}
"""Elements that the recording's stand-in fills and AWS does not: the policy of a plain listener, the platform
of an instance without Windows."""


def requests() -> list[dict[str, Any]]:
    """All requests, in their order."""
    return [json.loads(line) for line in TAPE.read_text().splitlines()]


def parameter(action: str, name: str) -> str:
    """The recorded value of a parameter in the first call that has it."""
    found = next(
        one for one in requests() if one.get("action") == action and name in one.get("parameters", {})
    )
    return str(found["parameters"][name])


def parsed(text: str) -> Any:
    """An answer of AWS, each list as one whatever its length."""
    (document,) = xmltodict.parse(text, force_list=("member", "item")).values()
    return document


def filled(value: Any, path: str = "") -> Iterator[str]:
    """The paths of the elements that have content; those of a list's members are one."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not key.startswith("@"):
                yield from filled(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from filled(item, path)
    elif value not in (None, ""):
        yield path


@dataclass
class Names:
    """Which identifier here is which of the recording."""

    known: dict[str, str] = field(default_factory=dict)

    def learn(self, theirs: Any, own: Any) -> None:
        """Map the identifiers of one answer to those at the same places of another."""
        if isinstance(theirs, dict) and isinstance(own, dict):
            for key in theirs.keys() & own.keys():
                self.learn(theirs[key], own[key])
        elif isinstance(theirs, list) and isinstance(own, list):
            for one, other in zip(theirs, own, strict=False):
                self.learn(one, other)
        elif isinstance(theirs, str) and isinstance(own, str) and _IDENTIFIER.fullmatch(theirs):
            self.known.setdefault(theirs, own)

    def own(self, value: Any) -> Any:
        """A recorded value with the identifiers of this place."""
        if isinstance(value, Mapping):
            return {key: self.own(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.own(item) for item in value]
        return self.known.get(value, value) if isinstance(value, str) else value


def form_of(call: Mapping[str, Any], names: Names) -> dict[str, str]:
    """The form of a call of AWS's query protocol, as the SDK sends it."""
    fields = {"Action": call["action"], "Version": VERSIONS[call["service"]]}
    return {**fields, **names.own(call["parameters"])}


def authorization(service: str, region: str) -> str:
    """The header by which the endpoint knows the service; nobody checks the signature."""
    scope = f"testing/20261127/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def lacking(call: Mapping[str, Any], own: Any) -> list[str]:
    """The elements that the recorded answer fills and an own one does not."""
    theirs = {path for path in filled(parsed(call["answer"])) if path.rpartition("/")[2] not in AWS_IS_RIGHT}
    return sorted(theirs - set(filled(own)))


Versions = Callable[[str], Mapping[str, Any]]
"""Returns the metadata of the object at a path of the API, as a watch has last seen it."""


def body_of(request: Mapping[str, Any], names: Names, metadata: Versions) -> Any:
    """The body of a request to Kubernetes, with the versions and UIDs that the objects have here."""
    body = names.own(request.get("body"))
    if not isinstance(body, dict):
        return body
    if "resourceVersion" in body.get("metadata", {}):
        version = metadata(request["path"])["resourceVersion"]
        body = {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
    return body
