"""Traps of objects that are missing, are not read, or cannot become a load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from testbed.check.findings import Severity
from testbed.check.manifest_reading import ALB, NLB, Reading
from testbed.check.rule_registry import Trap, rule
from testbed.errors import Location
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core.stack import Action
from testbed.lb_controller.ingress.backend_actions import MISSING_ACTION, MISSING_SERVICE
from testbed.lb_controller.offline.unplanned import CLASS_MISSING, Unplanned


@rule("cannot-be-built", Severity.ERROR)
def cannot_be_built(reading: Reading) -> Iterator[Trap]:
    """The controller refuses the objects, so it neither makes nor changes a load balancer for the group."""
    for stack in reading.plan.stacks:
        if stack.error is not None:
            members = list(reading.members(stack))
            others = "; one invalid member stops its whole group" if len(members) > 1 else ""
            yield Trap(
                _named_in(stack.error, members) or reading.manifests[0].where,
                f"{stack.title} gets the event FailedBuildModel and stays as it is: {stack.error}",
                f"fix what the message names{others}",
            )


def _named_in(error: str, members: Sequence[Manifest]) -> Location | None:
    """The line of the annotation that an error names or quotes, else that of the object, else of the "
    "first."""
    # A member that the error names comes first: in a group, others may have the same annotation.
    named = [one for one in members if f"{one.key[1]}/{one.key[2]}" in error]
    for manifest in (*named, *members):
        given = object_fields.annotations_of(manifest.object)
        names = {key: key.rpartition("/")[2] for key in given if key.startswith((ALB, NLB))}
        for key in sorted(names, key=lambda key: -len(names[key])):
            words = names[key], names[key].replace("-", " ")
            if any(one in error for one in words) or (len(given[key]) > 3 and given[key] in error):
                return manifest.line("metadata", "annotations", key)
    return next((one.where for one in (*named, *members)), None)


@rule("host-without-paths", Severity.NOTE)
def host_without_paths(reading: Reading) -> Iterator[Trap]:
    """A host without http paths makes no rule of the ALB, though ExternalDNS publishes it."""
    for stack in reading.plan.stacks:
        for manifest in reading.members(stack):
            rules = object_fields.spec(manifest.object).get("rules") or ()
            for number, one in enumerate(rules):
                if one.get("host") and not one.get("http") and manifest.object["kind"] == "Ingress":
                    yield Trap(
                        manifest.line("spec", "rules", number, "host"),
                        f"{one['host']} of {manifest.title} has no http paths, so it makes no rule: the ALB "
                        f"answers "
                        "it by a rule without host, else by its default, 404",
                        "give it http.paths, or remove it",
                    )


@rule("kind-not-read", Severity.NOTE)
def kind_not_read(reading: Reading) -> Iterator[Trap]:
    """Custom resources are not read, but their controller may change a name or a load balancer."""
    # Reversed, so that of each kind the first object stays, whose line the note names.
    unread = (*reading.of_kind("ListenerSet"), *reading.custom)
    kinds = {one.key[0]: one for one in reversed(unread)}
    for kind, manifest in reversed(kinds.items()):
        yield Trap(
            manifest.where,
            f"objects of kind {kind} are not read",
            "check by hand whether their controller changes a name or a load balancer",
        )


@rule("nobody-takes-it", Severity.WARNING)
def nobody_takes_it(reading: Reading) -> Iterator[Trap]:
    """No controller handles this Ingress or Service, so it gets no load balancer."""
    for one in reading.plan.unplanned:
        if one.reason:
            unless = f" unless from {one.taker}" if one.taker else ""
            yield Trap(
                one.where,
                f"{one.item} gets no load balancer{unless}: {one.reason}",
                "name a class that the cluster has in spec.ingressClassName"
                if one.item.startswith("Ingress ")
                else "give it a load balancer class or type that a controller handles",
            )


@rule("balancer-of-another-controller", Severity.NOTE)
def balancer_of_another_controller(reading: Reading) -> Iterator[Trap]:
    """Another controller makes the load balancer, so what it does is not looked at here."""
    by_taker: dict[str, list[Unplanned]] = {}
    for one in reading.plan.unplanned:
        if one.taker and not one.reason:
            by_taker.setdefault(one.taker, []).append(one)
    of_alb = {
        one.title
        for one in reading.of_kind("Ingress")
        if any(key.startswith(ALB) for key in object_fields.annotations_of(one.object))
    }
    for first, *rest in by_taker.values():
        more = f" ({len(rest)} more object{'s' if len(rest) > 1 else ''} likewise)" if rest else ""
        yield Trap(
            first.where,
            f"{first}{more}: it is not planned here; of names, it is a claimant like any other",
            "pass the IngressClass and its parameters too, so that its ALB is planned"
            if CLASS_MISSING in first.taker and any(one.item in of_alb for one in (first, *rest))
            else "look at its ports, scheme and health checks by hand",
        )


@rule("assumed-ingress-class", Severity.NOTE, advice="assumed-class")
def assumed_ingress_class(reading: Reading) -> Iterator[Trap]:
    """An Ingress names the class `alb`, which is not among the manifests."""
    first = reading.plan.of_assumed_class[:1]  # the others name the same class
    for manifest in reading.of_kind("Ingress"):
        if manifest.title in first:
            yield Trap(
                manifest.line("spec", "ingressClassName"),
                f"the IngressClass alb of {manifest.title} is not among the manifests; it is assumed to be "
                "the one that the Helm chart of the AWS Load Balancer Controller installs",
                "make sure that `kubectl get ingressclass alb` shows the controller ingress.k8s.aws/alb",
            )


@rule("backend-missing", Severity.ERROR)
def backend_missing(reading: Reading) -> Iterator[Trap]:
    """A rule or default backend names a Service or an action that does not exist, so the ALB answers 503."""
    ingresses = {one.key: one for one in reading.of_kind("Ingress")}
    for stack in reading.plan.stacks:
        if stack.stack is None:
            continue
        for item in stack.stack.rules:
            missing = _missing(item.actions)
            if item.source and missing:
                source = item.source
                path = ("spec", "rules", source.rule, "http", "paths", source.path, "backend")
                manifest = ingresses["Ingress", source.namespace, source.name]
                backend = _at(manifest.object, path)
                yield _trap(manifest, manifest.line(*path), missing, backend)
        for listener in stack.stack.listeners:
            missing = _missing(listener.default_actions)
            for manifest in reading.members(stack) if missing else ():
                spec = object_fields.spec(manifest.object)
                field = next((one for one in ("defaultBackend", "backend") if spec.get(one)), None)
                if field:
                    yield _trap(manifest, manifest.line("spec", field), missing, spec[field])


def _missing(actions: Iterable[Action]) -> str:
    """The body of the 503 by which the controller marks a missing object, "" if nothing is missing."""
    bodies = [action.fixed_response.message_body for action in actions if action.fixed_response]
    return next((body for body in bodies if body in (MISSING_SERVICE, MISSING_ACTION)), "") or ""


def _at(item: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        item = item[step]
    return item


def _trap(manifest: Manifest, where: Location, missing: str, backend: Mapping[str, Any]) -> Trap:
    name = (backend.get("service") or {}).get("name") or backend.get("serviceName")
    if missing == MISSING_ACTION:
        return Trap(
            where,
            f"{manifest.title} leads to the action {name}, which none of its annotations defines: the ALB "
            f"answers 503 {missing!r}",
            f"define it with the annotation {ALB}actions.{name}",
        )
    defined = sorted(
        key.rpartition(".")[2]
        for key in object_fields.annotations_of(manifest.object)
        if key.startswith((f"{ALB}conditions.", f"{ALB}actions."))
    )
    meant = f"; its conditions and actions are for {', '.join(defined)}" if defined else ""
    return Trap(
        where,
        f"{manifest.title} leads to the Service {manifest.key[1]}/{name}, which is not among the manifests: "
        f"the "
        f"ALB answers 503 {missing!r}, and older controllers refuse the whole group",
        f"pass the folder that holds {name} too, or correct the name{meant}",
    )
