"""What a row of the table of stand-ins is: a request, and the answer that AWS documents.

Client-side parameter validation is off, so that the server's own check answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from testbed.aws import service_models
from testbed.settings import REGION


@dataclass(frozen=True)
class Row:
    """A question to AWS. `answer` is the code of its refusal, or what `ask` returns if it takes the call."""

    title: str
    ask: Callable[..., Any]
    answer: Any


def unchecked(url: str, service: str, account: str = "testing") -> Any:
    """A client that sends whatever it is given."""
    session = Session()
    session.register_component("data_loader", service_models.loader())
    return session.create_client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=account,
        aws_secret_access_key="testing",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


def check(row: Row, *subject: Any) -> None:
    """Ask, and compare the answer."""
    if isinstance(row.answer, Refused):
        with pytest.raises(ClientError) as refused:
            row.ask(*subject)
        error = refused.value.response["Error"]
        assert error["Code"] == row.answer.code, error["Message"]
        assert row.answer.text in error["Message"]
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == row.answer.status
    else:
        assert row.ask(*subject) == row.answer


@dataclass(frozen=True)
class Refused:
    """An error of AWS; `text` is a part of its message."""

    code: str
    text: str = ""
    status: int = 400
