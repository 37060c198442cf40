"""What a scenario assumes beyond the manifests, in sentences: each of it can decide the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.client_models.population import DEFAULT_POPULATION
from testbed.scaffold.manifest_survey import CONNECTION_AGE, Survey


def of_move(found: Survey) -> Iterator[str]:
    """Yield a line for each assumption, with the name that it has in the script."""
    yield (
        f"assumes that the pods end a client's connection after {CONNECTION_AGE:g} s (connection_age): it "
        f"decides how fast clients leave the {found.old.type.upper()}"
    )
    yield f"assumes {DEFAULT_POPULATION.text} for clients (clients): `testbed clients` lists the others"
    if len(found.pods.targets) > 1:
        kinds = ", ".join(one.name for one in found.pods.targets)
        yield f"plays {len(found.pods.targets)} kinds of pods (targets): {kinds}"
    yield from found.pods.guessed
    for one in found.pods.targets:
        if one.server_names:
            yield f"the pods {one.name} choose by SNI, as the Gateway says: {', '.join(one.server_names)}"
        elif one.name in found.pods.by_alb:
            yield (
                f"assumes that the pods {one.name} take TLS without SNI, as an ALB speaks it: if they choose "
                "by SNI (server_names), the ALB answers 502; testbed explain-rule no-sni-to-targets"
            )
    if found.certificates:
        arns = ", ".join(found.certificates)
        yield f"a certificate of {', '.join(found.names)} is issued for the run as {arns} (certificates)"
    if found.classes:
        classes = ", ".join(found.classes)
        yield f"assumes that the cluster has the IngressClass {classes}, which no manifest has"
    for claimant in (found.old, found.new):
        if claimant.other:
            first = claimant.objects[0].title
            name, port = found.forwarded[first]
            yield (
                f"{first} is of {claimant.other.by}, which is not emulated: its {claimant.type.upper()} "
                f"forwards to port {port} of the pods {name}"
            )
            if claimant.other.why:
                yield claimant.other.why
