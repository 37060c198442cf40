"""The base of sources of annotated objects: filters, names and targets from annotations, endpoints.

Sources: external-dns, source/annotations/, source/fqdn/ [v0.7.x: source/source.go].
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from testbed.external_dns.core.endpoint import RESOURCE, Endpoint, by_type, is_name, too_long
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.go_duration import seconds
from testbed.external_dns.sources.go_template import TemplateError
from testbed.external_dns.sources.source import Object, Source, SourceContext, SourceError
from testbed.kubernetes.label_selectors import matches
from testbed.kubernetes.object_fields import balancer_entries

CONTROLLER = "dns-controller"
_MOST_TTL = 2**31 - 1
_PLACEHOLDER = {"loadBalancer": {"ingress": [{"hostname": "load-balancer.invalid"}]}}


class AnnotatedSource(Source):
    """A source whose objects carry ExternalDNS's annotations."""

    def __init__(self, context: SourceContext) -> None:
        self._release, self._options, self._say = context.release, context.options, context.say
        self._absorbed = context.absorbed
        self._prefix = context.options.annotation_prefix
        self._logged_controllers: dict[str, str] = {}
        self._read: Object | None = None
        self._of_read: Mapping[str, str] = {}

    @abstractmethod
    def endpoints_of(self, item: Object) -> list[Endpoint]:
        """Return the endpoints of one object, before they meet those of others.

        Raises:
            SourceError: the template does not fit the object.
        """

    # --- which objects ---------------------------------------------------------------------------------

    def _passes(self, item: Object) -> bool:
        """True if the flags let an object through; by label since v0.10.2."""
        options, metadata = self._options, item["metadata"]
        if options.namespace and metadata.get("namespace", "default") != options.namespace:
            return False
        labels = options.label_filter if self._release.has(Fact.LABEL_FILTER) else ""
        if labels and not matches(labels, metadata.get("labels") or {}):
            return False
        return not options.annotation_filter or matches(options.annotation_filter, annotations_of(item))

    def _is_ours(self, item: Object) -> bool:
        """True unless the object's controller annotation names another controller."""
        value = self._annotation(item, "controller")
        if value is None or value == CONTROLLER:
            return True
        if not self._release.has(Fact.QUOTED_OBJECTS):
            end = f"controller value does not match, found: {value}, required: {CONTROLLER}"
            self._debug(f"Skipping {self._logged()} {title(item)} because {end}")
            return False
        # Where the real one logs it when it indexes the object, not at each sync, it has no kind to name.
        kind = "" if self._release.has(Fact.CONTROLLER_INDEXED) else self._logged()
        if not kind and self._logged_controllers.get(title(item)) == value:
            return False
        self._logged_controllers[title(item)] = value
        self._debug(
            f"Skipping '{kind}/{title(item)}' because controller '{self._prefix}controller' value does not "
            f"match, found: '{value}', required: '{CONTROLLER}'"
        )
        return False

    # --- the log ---------------------------------------------------------------------------------------

    def _logged(self) -> str:
        """Return the kind as log lines name it."""
        return self.label

    def _debug(self, text: str) -> None:
        self._say("debug", text)

    def _warn(self, text: str) -> None:
        self._say("warning", text)

    def _log_endpoints(self, item: Object, endpoints: Sequence[Endpoint]) -> None:
        if endpoints:
            line = "Endpoints generated from %s: %s: [%s]"
            self._say("debug", line, self._logged(), title(item), Listed(endpoints))
            return
        name = (
            f"'{self._logged()}/{title(item)}'"
            if self._release.has(Fact.QUOTED_OBJECTS)
            else f"{self._logged()} {title(item)}"
        )
        self._debug(f"No endpoints could be generated from {name}")

    # --- which names and targets -----------------------------------------------------------------------

    def _annotation(self, item: Object, name: str) -> str | None:
        return self._own(item).get(name)

    def _own(self, item: Object) -> Mapping[str, str]:
        """Return the annotations with our prefix by their names without it; read once for each object."""
        if item is not self._read:
            prefix = self._prefix
            self._read = item
            self._of_read = {
                name.removeprefix(prefix): value
                for name, value in annotations_of(item).items()
                if name.startswith(prefix)
            }
        return self._of_read

    def _annotated_hosts(self, item: Object, annotation: str = "hostname") -> list[str]:
        text = self._annotation(item, annotation)
        if text is None:
            return []
        return [host.rstrip(".") for host in text.replace(" ", "").split(",")]

    def _annotated_targets(self, item: Object) -> list[str]:
        text = self._annotation(item, "target")
        if not text:
            return []
        return [target.rstrip(".") for target in text.replace(" ", "").split(",") if target]

    def _uses_template(self, endpoints: Sequence[Endpoint]) -> bool:
        return self._options.template is not None and (self._options.combines_template or not endpoints)

    def _templated_hosts(self, item: Object) -> list[str]:
        assert self._options.template is not None
        kind = self.kinds[0]
        try:
            metadata = {"namespace": "default", **item["metadata"]}
            return self._options.template.hosts({"kind": kind, **item, "metadata": metadata})
        except TemplateError as error:
            raise SourceError(
                f"failed to get endpoints from template: failed to apply template on {kind} {title(item)}: "
                f"template: endpoint: {error}"
            ) from error

    # --- endpoints -------------------------------------------------------------------------------------

    def _endpoints(self, item: Object, hosts: Sequence[str], targets: Sequence[str]) -> list[Endpoint]:
        targets_of = by_type(targets, self._release) if hosts else {}
        if not targets_of:
            return []
        identifier = self._annotation(item, "set-identifier") or ""
        ttl, properties = self._ttl(item), self._properties(item)
        labels = {RESOURCE: f"{self.label}/{title(item)}"}
        endpoints = []
        for host in hosts:
            if not is_name(host) and self._release.has(Fact.LONG_LABELS_REFUSED):
                self._say("error", too_long(host))
                continue
            endpoints += [
                Endpoint(
                    host,
                    record_type,
                    tuple(values),
                    ttl,
                    identifier,
                    labels,
                    properties,
                )
                for record_type, values in targets_of.items()
            ]
        return endpoints

    def _properties(self, item: Object) -> dict[str, str]:
        own = self._own(item)
        properties = {"alias": "true"} if own.get("alias") == "true" else {}
        for name in sorted([name for name in own if name.startswith("aws-")]):
            properties["aws/" + name.removeprefix("aws-")] = own[name]
        return properties

    def _ttl(self, item: Object) -> int:
        """Return the annotated TTL in seconds; 0 if there is none, or one that is not valid."""
        text = self._annotation(item, "ttl")
        if text is None:
            return 0
        names_object = self._release.has(Fact.TTL_WITH_OBJECT)
        where = f"{self.label}/{title(item)}: " if names_object else ""
        try:
            # Fractions of a second are cut, as by the real one.
            value = int(text) if text.lstrip("+-").isdigit() else int(seconds(text))
        except ValueError:
            end = f': time: invalid duration "{text}"' if names_object else ""
            self._warn(f'{where}"{text}" is not a valid TTL value{end}')
            return 0
        if 1 <= value <= _MOST_TTL:
            return value
        number = f" {value}" if names_object else ""
        if names_object and not self._release.has(Fact.TTL_AS_NUMBER):
            # Go's %q takes the number for a character: that of 0, or else for one that there is not.
            number = " '\\x00'" if value == 0 else " '\ufffd'"
        self._warn(f"TTL value{number} must be between [1, {_MOST_TTL}]")
        return 0


class Listed:
    """Endpoints as a log line has them; written only if the line is."""

    __slots__ = ("_endpoints",)

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints

    def __str__(self) -> str:
        return " ".join(map(str, self._endpoints))


def annotations_of(item: Object) -> Mapping[str, str]:
    """Return an object's annotations."""
    return item["metadata"].get("annotations") or {}


def title(item: Object) -> str:
    """Return an object's namespace and name as log lines have them: `default/web`."""
    metadata = item["metadata"]
    return f"{metadata.get('namespace', 'default')}/{metadata['name']}"


def balancer_targets(item: Object) -> list[str]:
    """Return the addresses and hostnames in `status.loadBalancer`."""
    return [entry[key] for entry in balancer_entries(item) for key in ("ip", "hostname") if entry.get(key)]


def with_balancer(item: Object) -> Object:
    """Return the object with a placeholder in `status.loadBalancer`, if that is empty."""
    return item if balancer_entries(item) else {**item, "status": _PLACEHOLDER}


def targets_sorted(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return the endpoints with the targets of each in order, as releases before v0.21 hand them on."""
    return [
        one._replace(targets=tuple(sorted(one.targets))) if len(one.targets) > 1 else one for one in endpoints
    ]
