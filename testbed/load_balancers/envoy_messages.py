"""Shorthands for the messages of Envoy's API: extensions and durations."""

from __future__ import annotations

from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message


def packed(message: Message) -> AnyMessage:
    """Pack a message as the `typed_config` of an extension."""
    wrapped = AnyMessage()
    wrapped.Pack(message)
    return wrapped


def extension(name: str, message: Message) -> dict[str, Any]:
    """Return a named extension with its configuration."""
    return {"name": name, "typed_config": packed(message)}


def seconds(wall: float) -> Duration:
    """Return a duration of at least a millisecond, because 0 means "never" to Envoy."""
    duration = Duration()
    duration.FromMilliseconds(max(1, round(wall * 1000)))
    return duration
