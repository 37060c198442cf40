"""The annotation `mutual-authentication`: the HTTPS ports that request client certificates.

```
[{"port": 443, "mode": "verify", "trustStore": "arn:..."}, {"port": 8443, "mode": "passthrough"}]
```

(pkg/ingress/model_build_listener.go; Trust stores by name are not looked up.)
"""

from __future__ import annotations

from typing import Any

from testbed.lb_controller.core import go_json, go_text
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import BuildError, Member
from testbed.lb_controller.core.stack import MutualAuthentication

MODES = ("off", "passthrough", "verify")
_VERIFY = "verify"
_ENTRY = {
    "port": int,
    "mode": str,
    "trustStore": str,
    "ignoreClientCertificateExpiry": bool,
    "advertiseTrustStoreCaNames": str,
}


def of_member(member: Member) -> dict[int, MutualAuthentication]:
    """The settings of an Ingress, by port.

    Raises:
        BuildError: the annotation is invalid.
    """
    found = of_ingress(member.ingress).text("mutual-authentication")
    if found is None:
        return {}
    where = "mutualAuthentication configuration from ingress annotation"
    try:
        entries = go_json.read(go_text.from_json(found), [_ENTRY])
    except BuildError as error:
        raise BuildError(f"failed to parse {where}: `{found}`: {error}") from None
    if not entries:
        raise BuildError(f"empty {where}: `{found}`")
    return {entry.get("port") or 0: parse(entry) for entry in entries}


def parse(entry: dict[str, Any]) -> MutualAuthentication:
    """Read one entry of the annotation.

    Raises:
        BuildError: port or mode is invalid, or a setting does not fit the mode.
    """
    port, mode = entry.get("port") or 0, entry.get("mode") or ""
    trust_store = entry.get("trustStore") or ""
    ignore_expiry = entry.get("ignoreClientCertificateExpiry")
    advertise = entry.get("advertiseTrustStoreCaNames")
    if not 1 <= port <= 65535:
        raise BuildError(f"listen port must be within [1, 65535]: {port}")
    if not mode:
        raise BuildError(f"mutualAuthentication mode cannot be empty for port {port}")
    if mode not in MODES:
        modes = ", ".join(MODES)
        raise BuildError(f"mutualAuthentication mode value must be among [{modes}] for port {port} : {mode}")
    if mode == _VERIFY:
        if not trust_store:
            raise BuildError(
                f"trustStore is required when mutualAuthentication mode is verify for port {port}"
            )
        if advertise not in (None, "on", "off"):
            raise BuildError(
                'advertiseTrustStoreCaNames only supports the values "on" and "off" '
                f"got value {advertise} for port {port}"
            )
    else:
        refused = (
            ("trustStore", bool(trust_store)),
            ("ignoring client certificate expiry", ignore_expiry is not None),
            ("advertiseTrustStoreCaNames", advertise is not None),
        )
        for what, is_set in refused:
            if is_set:
                raise BuildError(f"Mutual Authentication mode {mode} does not support {what} for port {port}")
    return MutualAuthentication(
        mode=mode,
        trust_store_arn=trust_store,
        ignore_client_certificate_expiry=bool(ignore_expiry) if mode == _VERIFY else None,
        advertise_trust_store_ca_names=advertise,
    )
