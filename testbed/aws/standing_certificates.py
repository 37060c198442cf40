"""Stand-ins for the certificates of the user's account: with the same ARN, issued before the story begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from testbed.aws.certificate_store import CertificateStore

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient

_OF_ACM = ":acm:"
_END = b"-----END CERTIFICATE-----\n"


def stand_in(certificates: Mapping[str, Sequence[str]], store: CertificateStore, backend: ACMClient) -> None:
    """Issue a certificate under each ARN; ACM lists those that are its own, so that they are found by name.

    Args:
        certificates: the names of each, by ARN.
        store: holds what the balancers serve.
        backend: the ACM behind the endpoint, which takes an ARN of any account (`moto_patches`).
    """
    for arn, names in certificates.items():
        store.issue(arn, names)
        if _OF_ACM not in arn:
            continue  # of IAM: a listener may use it, and nobody lists it
        chain, key = store.get(arn)
        leaf, end, rest = chain.partition(_END)
        further = {"CertificateChain": rest} if rest else {}
        backend.import_certificate(CertificateArn=arn, Certificate=leaf + end, PrivateKey=key, **further)  # type: ignore[arg-type]
