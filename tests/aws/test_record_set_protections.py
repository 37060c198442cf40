from __future__ import annotations

from testbed.aws.record_set_protections import Protections

API = ("api.x.", "A", "the front door")


def change(name: str, kind: str) -> dict[str, object]:
    return {"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": kind}}


def test_a_batch_that_touches_a_protected_record_set_is_refused_until_the_protection_ends() -> None:
    kept = Protections()
    assert kept.add([API]) is None
    refusal = kept.refusal([change("other.x", "A"), change("API.x", "A")])
    assert refusal is not None
    assert refusal.code == "InvalidChangeBatch"
    assert "api.x., type A is protected" in refusal.message
    assert kept.refusal([change("api.x", "TXT")]) is None
    assert kept.remove([API]) is None
    assert kept.refusal([change("api.x", "A")]) is None


def test_all_of_a_batch_are_protected_or_none() -> None:
    kept = Protections({API[:2]: ""})
    twice = kept.add([("new.x.", "A", ""), API])
    assert twice is not None
    assert (twice.code, twice.status) == ("ProtectionAlreadyExists", 409)
    assert kept.protected == {API[:2]: ""}
    unknown = kept.remove([API, ("new.x.", "A", "")])
    assert unknown is not None
    assert unknown.code == "InvalidResourceRecordSetProtectionBatch"
    assert kept.protected == {API[:2]: ""}
