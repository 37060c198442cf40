"""The subresource `log` of pods: what the program of a container wrote, as `kubectl logs` reads it.

Source: kubernetes pkg/apis/core (PodLogOptions), pkg/kubelet/kuberuntime/logs.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from testbed.kubernetes.api.statuses import bad_request
from testbed.kubernetes.deployment_controller import image_name
from testbed.kubernetes.object_store import LoggedLine, ObjectStore

_TRUE = ("1", "true", "t", "True", "TRUE")


def lines(store: ObjectStore, pod: Mapping[str, Any], query: Mapping[str, str]) -> Sequence[LoggedLine]:
    """Return all lines of the container of a pod that a query names, or of its first.

    Raises:
        Refused: 400, the pod has no such container, or no log is kept of it.
    """
    name = pod["metadata"]["name"]
    containers = (pod.get("spec") or {}).get("containers") or ()
    wanted = query.get("container") or (containers[0].get("name", "") if containers else "")
    found = next((one for one in containers if one.get("name") == wanted), None)
    if found is None:
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    if query.get("previous", "") in _TRUE:
        raise bad_request(f'previous terminated container "{wanted}" in pod "{name}" not found')
    written = store.logs.get(image_name(str(found.get("image") or "")))
    if written is None:
        raise bad_request(f'no log of container "{wanted}" in pod "{name}" is kept in the testbed')
    return list(written)


def asked(written: Sequence[LoggedLine], query: Mapping[str, str]) -> Sequence[LoggedLine]:
    """Return those of some lines that a query asks for.

    Raises:
        Refused: 400, a parameter cannot be read.
    """
    if since := _since(query, written):
        written = [one for one in written if one.time >= since]
    if (tail := _number(query, "tailLines")) is not None:
        written = written[len(written) - min(tail, len(written)) :]
    return written


def text(written: Sequence[LoggedLine], query: Mapping[str, str]) -> bytes:
    """Return lines as the answer has them."""
    with_times = query.get("timestamps", "") in _TRUE
    shown = (f"{one.time} {one.text}\n" if with_times else f"{one.text}\n" for one in written)
    whole = "".join(shown).encode()
    limit = _number(query, "limitBytes")
    return whole if limit is None else whole[:limit]


def _since(query: Mapping[str, str], written: Sequence[LoggedLine]) -> str:
    """Return the first moment that counts, as lines have it; "" for all."""
    if moment := query.get("sinceTime"):
        return moment
    seconds = _number(query, "sinceSeconds")
    if seconds is None or not written:
        return ""
    last = datetime.datetime.fromisoformat(written[-1].time)
    return (last - datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(query: Mapping[str, str], name: str) -> int | None:
    if name not in query:
        return None
    if not query[name].isdigit():
        raise bad_request(f"{name}: {query[name]!r} is no number from 0")
    return int(query[name])
