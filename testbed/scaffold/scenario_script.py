"""The files of a first scenario: the script that plays the move, and the traffic that calls the service.

What comes from manifests is written by `repr` or as JSON, so no name can break out of its place.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from testbed.client_models.population import DEFAULT_POPULATION
from testbed.kubernetes.manifests import Manifest
from testbed.rehearsal.scenario import Targets
from testbed.scaffold import script_template as template
from testbed.scaffold.claimants import Claimant
from testbed.scaffold.manifest_survey import CONNECTION_AGE, Survey

SCRIPT = "cutover.py"
TRAFFIC = "traffic.toml"
CONFIGURATION = "testbed.toml"
CLASSES = "ingress-classes.yaml"

_MINUTE = 60.0
_LINE = 90


def files(found: Survey, folder: Path) -> Mapping[str, str]:
    """The files of a scenario by name; `folder` is where they will be written."""
    classes = "---\n".join(template.INGRESS_CLASS.format(name=json.dumps(name)) for name in found.classes)
    return {
        SCRIPT: _script(found, folder),
        TRAFFIC: _traffic(found),
        CONFIGURATION: template.CONFIGURATION.format(drain=_drain(found)),
        **({CLASSES: template.INGRESS_CLASSES + classes} if classes else {}),
    }


def names(found: Sequence[Manifest]) -> str:
    """The titles of objects in one line."""
    return ", ".join(one.title for one in found)


def _script(found: Survey, folder: Path) -> str:
    there = f"{found.host} moves from " + (
        f"an {found.old.made_by} to an {found.new.made_by}"
        if found.old.type != found.new.type
        else f"one {found.old.type.upper()} to another"
    )
    used = ["Cutover", "Manifests", *(["StandingBalancer"] if found.old.other else []), "Targets", "scenario"]
    parts = [
        template.HEAD.format(
            title=_comment(there),
            folder=_comment(str(folder)),
            imports=", ".join(used),
            sync="1 * MINUTE" if found.interval == _MINUTE else f"{found.interval:g}",
            host=found.host,
            more_hosts=_more_hosts(found),
            old=_objects(found.old),
            new=_objects(found.new),
            annotations=_annotations(found),
        ),
        template.BEFORE.format(before="\n".join(_before(found, folder))),
    ]
    if found.certificates:
        arns = [f"    {arn!r}: {_certified(found)},\n" for arn in found.certificates]
        parts.append(template.CERTIFICATES.format(certificates="".join(arns).rstrip("\n")))
    parts += [_about(found), _story(found, folder, there)]
    return "".join(parts)


def _about(found: Survey) -> str:
    balancers = f'    "balancers": [\n{_standing_balancer(found)}    ],\n' if found.old.other else ""
    certificates = '    "certificates": CERTIFICATES,\n' if found.certificates else ""
    return template.ABOUT.format(
        zone=found.zone,
        port=found.port,
        certificates=certificates,
        balancers=balancers,
        external_dns_by=_comment(str(found.external_dns_choice)),
        controller_by=_comment(str(found.lb_controller_choice)),
        external_dns_release=found.external_dns_choice.release.tag,
        controller=found.lb_controller_choice.release.tag,
        connection_age=CONNECTION_AGE,
        traffic=TRAFFIC,
        clients={part.model.name: part.share for part in DEFAULT_POPULATION.parts},
        webhook=template.NO_WEBHOOK
        if any(one.other and one.is_service for one in (found.old, found.new))
        else "",
        targets="".join(_targets(found, one) for one in found.pods.targets),
        external_dns=_external_dns(found),
    )


def _story(found: Survey, folder: Path, there: str) -> str:
    is_mixed = found.old.type != found.new.type
    of_old, of_new = found.old.type.upper(), found.new.type.upper()
    words = {
        "old": found.old.type if is_mixed else "old",
        "new": found.new.type if is_mixed else "new",
        "the_old": f"the {of_old}" if is_mixed else f"the old {of_old}",
        "the_new": f"the {of_new}" if is_mixed else f"the new {of_new}",
    }
    named = f'        cutover.balancer("old", {found.old.owner!r})\n'
    named += f'        cutover.balancer("new", {found.new.owner!r})\n'
    swaps = _is_swapped(found)
    gives_up = [*([_takes(found, "NEW", found.new)] if swaps else []), _ends("OLD", found.old)]
    takes_back = [
        _takes(found, "OLD", found.old),
        *([] if swaps else [template.SYNCED]),
        _ends("NEW", found.new),
    ]
    return template.STORY.format(
        **words,
        The_old=_capitalized(words["the_old"]),
        The_new=_capitalized(words["the_new"]),
        named="" if is_mixed else named,
        both_claim="" if swaps else ", and both claim the name",
        why_beside=template.WHY_SWAPPED if swaps else template.WHY_BOTH,
        moves=template.MOVES_BETWEEN_SERVICES if swaps else template.MOVES[found.old.is_service],
        apply_new="\n".join(_applies_new(found, folder)),
        give_up="\n".join(gives_up),
        take_back="\n".join(takes_back),
        delete=_each("OLD", "cutover.delete(name, namespace=namespace)"),
        gone=template.NOT_GONE if found.old.other else template.GONE.format(**words),
        drain=_drain(found),
        claimed_by_old=_resource(found.old),
        claimed_by_new=_resource(found.new),
        there=there,
        served_again=template.CLIENTS_STAY.format(**words),
        back=f"{there}, and back",
    )


def _is_swapped(found: Survey) -> bool:
    """True if the claim goes over in one moment: ExternalDNS v0.7.5 merges the claims of two Services."""
    return found.old.is_service and found.new.is_service


def _objects(claimant: Claimant) -> str:
    pairs = tuple((one.key[1], f"{one.key[0].lower()}/{one.key[2]}") for one in claimant.objects)
    return repr(pairs)


def _resource(claimant: Claimant) -> str:
    """The beginning of the resource that ExternalDNS's TXT record names."""
    kind, namespace, name = claimant.objects[0].key
    return f"{kind.lower()}/{namespace}/{name}" if len(claimant.objects) == 1 else f"{kind.lower()}/"


def _capitalized(phrase: str) -> str:
    return phrase[0].upper() + phrase[1:]


def _drain(found: Survey) -> int:
    return math.ceil(found.drain / _MINUTE)


def _each(objects: str, act: str) -> str:
    """The lines that do the same to each object `name` of a constant."""
    return f"        for namespace, name in {objects}:\n            {act}"


def _ends(objects: str, claimant: Claimant) -> str:
    """The lines that end the claim of some objects."""
    change = "{HOSTNAME: None}" if claimant.is_service else '{CONTROLLER: "nobody"}'
    return _each(objects, f"cutover.annotate(name, {change}, namespace=namespace)")


def _takes(found: Survey, objects: str, claimant: Claimant) -> str:
    """The lines by which some objects claim the name."""
    claim = "HOST" if claimant.claim == found.host else _claim(found, objects)
    change = f"{{HOSTNAME: {claim}}}" if claimant.is_service else "{CONTROLLER: None}"
    return _each(objects, f"cutover.annotate(name, {change}, namespace=namespace)")


def _claim(found: Survey, objects: str) -> str:
    """The constant for all that a Service claims."""
    return f"{objects}_CLAIM" if _is_swapped(found) else "CLAIM"


def _annotations(found: Survey) -> str:
    """The keys of the annotations that the story changes."""
    has_service = found.old.is_service or found.new.is_service
    hostname = f"HOSTNAME = {found.hostname!r}\n" if has_service else ""
    controller = "" if _is_swapped(found) else f"CONTROLLER = {_prefix(found) + 'controller'!r}\n"
    return hostname + controller


def _prefix(found: Survey) -> str:
    return found.hostname.removesuffix("hostname")


def _more_hosts(found: Survey) -> str:
    """Further claims of a Service and names of the certificate, if there are more than the host."""
    lines = [
        f"{_claim(found, name)} = {one.claim!r}  # all that the Service claims\n"
        for name, one in (("OLD", found.old), ("NEW", found.new))
        if one.is_service and one.claim != found.host
    ]
    of_certificate = f"NAMES = {list(found.names)!r}  # of the certificate\n" if len(found.names) > 1 else ""
    return "".join(lines) + of_certificate


def _certified(found: Survey) -> str:
    return "NAMES" if len(found.names) > 1 else "[HOST]"


def _external_dns(found: Survey) -> str:
    """The flags of the Deployment; for v0.22 also the prefix of the annotations, if no flag names one."""
    lines = []
    given = found.external_dns or ()
    if given:
        inside = "".join(f"        {one!r},\n" for one in given)
        lines.append(f'    "external_dns": [\n{inside}    ],\n')
    if not any(one.startswith("--annotation-prefix") for one in given):
        flag = f"--annotation-prefix={_prefix(found)}"
        lines.append("    # v0.22 reads external-dns.kubernetes.io/ unless a flag says otherwise.\n")
        lines.append(f'    "external_dns_by_version": {{"v0.22": [{flag!r}]}},\n')
    return "".join(lines)


def _targets(found: Survey, one: Targets) -> str:
    """One kind of pods, with what cannot be read from manifests."""
    lines = [
        f"name={one.name!r}",
        f"labels={dict(one.labels)!r}",
        f"namespace={one.namespace!r}",
        f"tls_ports={one.tls_ports!r}",
        f"plain_ports={one.plain_ports!r}",
        f"port_names={dict(one.port_names)!r}",
        *(["proxy_protocol=True"] if one.proxy_protocol else []),
        *([f"server_names={one.server_names!r}"] if one.server_names else []),
        *(
            ["plain_age=True,  # the NLB ends TLS, so clients' connections arrive here"]
            if one.plain_age
            else []
        ),
    ]
    inside = "".join(f"            {line}{'' if '  # ' in line else ','}\n" for line in lines)
    if one.name in found.pods.by_alb and not one.server_names:
        inside += (
            "            # The ALB speaks TLS to them and sends no SNI. If they choose by it, as Envoy\n"
        )
        inside += "            # Gateway and Istio do, write: server_names=(HOST,)\n"
    return f"        Targets(\n{inside}        ),\n"


def _standing_balancer(found: Survey) -> str:
    return f"        StandingBalancer(\n{_balancer_arguments(found, found.old, 12)}        ),\n"


def _balancer_arguments(found: Survey, claimant: Claimant, indent: int) -> str:
    """The arguments for the balancer of another controller."""
    assert claimant.other
    first = claimant.objects[0]
    name, number = found.forwarded[first.title]
    lines = [
        repr(f"{first.key[0].lower()}/{first.key[2]}"),
        f"namespace={first.key[1]!r}",
        f"targets={name!r}",
        f"target_port={number!r}",
        f"port={found.port!r}",
        *([f"certificate={found.certificates[0]!r}"] if claimant.type == "alb" else []),
        *([f"address={claimant.other.address!r}"] if claimant.other.address else []),
    ]
    return "".join(f"{' ' * indent}{line},\n" for line in lines)


def _before(found: Survey, folder: Path) -> Iterator[str]:
    if found.classes:
        yield f"    Manifests({CLASSES!r}),"
    for path, objects in _by_file(found.others):
        lines = [repr(_relative(path, folder)), *_choice(found, objects, 8)]
        if values := _values(found, objects):
            lines.append(f"values={values!r}")
        if len(lines) == 2 and "\n" not in lines[1]:
            yield f"    Manifests({', '.join(lines)}),"
        else:
            inside = "".join(f"        {one},\n" for one in lines)
            yield f"    Manifests(\n{inside}    ),"


def _applies_new(found: Survey, folder: Path) -> Iterator[str]:
    """An `apply` for each file, which names its objects; a Service of two claims no name yet."""
    for path, objects in _by_file(found.new.objects):
        lines = [repr(_relative(path, folder)), *_choice(found, objects, 12, silent=_is_swapped(found))]
        lines += [f"{name}={value!r}" for name, value in _values(found, objects).items()]
        inside = "".join(f"            {one},\n" for one in lines)
        yield f"        cutover.apply(\n{inside}        )"
    if found.new.other:
        yield f"        cutover.foreign_balancer(\n{_balancer_arguments(found, found.new, 12)}        )"


def _choice(found: Survey, objects: Sequence[Manifest], indent: int, *, silent: bool = False) -> list[str]:
    """The objects of a file, without what only the user's account knows."""
    given = {key for one in objects for key in one.object["metadata"].get("annotations") or {}}
    changes = [f"{key!r}: None" for key in found.account if key in given]
    if silent:
        changes.append("HOSTNAME: None")
    return [
        f"only={_listed([_name(one) for one in objects], indent)}",
        *([f"annotations={{{', '.join(changes)}}}"] if changes else []),
    ]


def _listed(names: Sequence[str], indent: int) -> str:
    """A list, on a line for each name if it is long."""
    if len(short := repr(list(names))) < _LINE:
        return short
    inside = "".join(f"{' ' * (indent + 4)}{name!r},\n" for name in names)
    return f"[\n{inside}{' ' * indent}]"


def _values(found: Survey, objects: Sequence[Manifest]) -> dict[str, str]:
    """The values of the placeholders that objects have."""
    text = json.dumps([one.object for one in objects], default=str)
    return {name: found.certificates[0] for name in found.placeholders if f"${{{name}}}" in text}


def _name(one: Manifest) -> str:
    kind, namespace, name = one.key
    return (
        f"{kind.lower()}/{namespace}/{name}" if namespace not in ("", "default") else f"{kind.lower()}/{name}"
    )


def _by_file(manifests: Iterable[Manifest]) -> list[tuple[Path, list[Manifest]]]:
    by_file: dict[Path, list[Manifest]] = {}
    for one in manifests:
        by_file.setdefault(one.where.path, []).append(one)
    # An apply refuses an Ingress whose Service is in a file that comes later.
    return sorted(by_file.items(), key=lambda file: any(one.key[0] == "Ingress" for one in file[1]))


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _traffic(found: Survey) -> str:
    tables = []
    for call in found.calls:
        first = (
            f"[[grpc]]\nmethod = {_toml(call.path.lstrip('/'))}\n"
            if call.protocol == "grpc"
            else f"[[rest]]\nrequest = {_toml(call.title)}\n"
        )
        named = "metadata" if call.protocol == "grpc" else "headers"
        given = ", ".join(f"{_toml(name)} = {_toml(value)}" for name, value in call.headers)
        headers = f"{named} = {{ {given} }}\n" if given else ""
        tables.append(f"\n{first}{headers}share = {call.share:g}\n")
    return template.TRAFFIC + "".join(tables)


def _toml(text: str) -> str:
    """A basic TOML string; its escapes are those of JSON."""
    return json.dumps(text)


def _comment(text: str) -> str:
    """Text that cannot end a docstring or a comment."""
    return text.replace("\\", "/").replace('"', "'").replace("\n", " ")
