"""Which Ingresses this controller takes, and the IngressClassParams that come with the class.

The annotation `kubernetes.io/ingress.class` wins over `spec.ingressClassName`; where it is, classes are not
even looked at (pkg/ingress/class_{loader,annotation_matcher}.go, group_loader.go classifyIngress).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.lb_controller import objects
from testbed.lb_controller.annotations import INGRESS_CLASS
from testbed.lb_controller.inputs import BuildError, KubernetesObject, Member, Version

CONTROLLER = "ingress.k8s.aws/alb"
DEFAULT_CLASS = "alb"
_PARAMS_GROUP = "elbv2.k8s.aws"
_PARAMS_KIND = "IngressClassParams"
_IS_DEFAULT = "ingressclass.kubernetes.io/is-default-class"


class InvalidIngressClass(BuildError):
    """The class or its parameters are missing or do not allow the Ingress."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid ingress class: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressObjects:
    """What decides over membership, by name; Ingresses in the order in which the API lists them."""

    ingresses: tuple[KubernetesObject, ...] = ()
    classes: Mapping[str, KubernetesObject] = field(default_factory=dict)
    class_params: Mapping[str, KubernetesObject] = field(default_factory=dict)
    namespaces: Mapping[str, KubernetesObject] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[KubernetesObject]) -> IngressObjects:
        """Sort objects of any kind; Ingresses by namespace and name, as the API lists them."""
        found: dict[str, list[KubernetesObject]] = {}
        for item in items:
            found.setdefault(str(item.get("kind")), []).append(item)
        by_name = {
            kind: {objects.name(item): item for item in found.get(kind, ())}
            for kind in ("IngressClass", "IngressClassParams", "Namespace")
        }
        return cls(
            ingresses=tuple(sorted(found.get("Ingress", ()), key=objects.key)),
            classes=by_name["IngressClass"],
            class_params=by_name["IngressClassParams"],
            namespaces=by_name["Namespace"],
        )


def annotation_matches(annotation: str, ingress_class: str) -> bool:
    """Whether the text of the annotation names this controller, whose flag is `ingress_class`."""
    if not ingress_class:
        return annotation in ("", DEFAULT_CLASS)
    return annotation == ingress_class


def classify(
    ingress: KubernetesObject,
    known: IngressObjects,
    ingress_class: str,
    *,
    manage_unclassified: bool,
    version: Version = Version.NEWEST,
) -> tuple[Member, bool]:
    """The Ingress with what its class brings, and whether this controller takes it.

    Args:
        ingress: any Ingress.
        known: classes, parameters and namespaces.
        ingress_class: the flag `--ingress-class`.
        manage_unclassified: take Ingresses that name no class.
        version: v2.1 does not know parameters of classes.

    Raises:
        InvalidIngressClass: its class is missing, or the parameters are missing or forbid its namespace.
        BuildError: two classes are marked as the cluster's default.
    """
    annotation = objects.annotations_of(ingress).get(INGRESS_CLASS)
    if annotation is not None:
        return Member(ingress=ingress), annotation_matches(annotation, ingress_class)
    member = load(ingress, known, version)
    if member.ingress_class is None:
        return member, manage_unclassified
    return member, objects.spec(member.ingress_class).get("controller") == CONTROLLER


def load(ingress: KubernetesObject, known: IngressObjects, version: Version = Version.NEWEST) -> Member:
    """The Ingress with the class that it names, or the cluster's default, and its parameters (from v2.2 on).

    Raises:
        InvalidIngressClass: see `classify`.
        BuildError: two default classes.
    """
    found = find_class(ingress, known)
    if found is None:
        return Member(ingress=ingress)
    parameters = objects.spec(found).get("parameters")
    is_known = objects.spec(found).get("controller") == CONTROLLER and version is not Version.V2_1
    if not is_known or parameters is None:
        return Member(ingress=ingress, ingress_class=found)
    params = _class_params(found, parameters, known)
    try:
        check_namespace(params, ingress, known)
    except BuildError as error:
        raise InvalidIngressClass(str(error)) from None
    return Member(ingress=ingress, ingress_class=found, class_params=params)


def find_class(ingress: KubernetesObject, known: IngressObjects) -> KubernetesObject | None:
    """The class that an Ingress names, or the cluster's default class, if any.

    Raises:
        InvalidIngressClass: the class that it names does not exist.
        BuildError: two default classes.
    """
    name = objects.spec(ingress).get("ingressClassName")
    if name is None:
        return _default_class(known)
    if name not in known.classes:
        raise InvalidIngressClass(f'ingressclasses.networking.k8s.io "{name}" not found')
    return known.classes[name]


def check_namespace(params: KubernetesObject, ingress: KubernetesObject, known: IngressObjects) -> None:
    """Hold the `namespaceSelector` of the parameters against the Ingress's namespace.

    Raises:
        BuildError: it does not match.
    """
    selector = objects.spec(params).get("namespaceSelector")
    if selector is None:
        return
    namespace = known.namespaces.get(objects.namespace(ingress))
    if namespace is None:
        raise BuildError(f'namespaces "{objects.namespace(ingress)}" not found')
    if not selects(selector, objects.labels_of(namespace)):
        raise BuildError(f"namespaceSelector of IngressClassParams {objects.name(params)} mismatch")


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector matches; an empty one matches everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression_holds(item, labels) for item in selector.get("matchExpressions") or ())


def _expression_holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:  # DoesNotExist
            return key not in labels


def _default_class(known: IngressObjects) -> KubernetesObject | None:
    defaults = [
        item for item in known.classes.values() if objects.annotations_of(item).get(_IS_DEFAULT) == "true"
    ]
    if len(defaults) > 1:
        raise BuildError("multiple default IngressClasses found")
    return defaults[0] if defaults else None


def _class_params(
    ingress_class: KubernetesObject, parameters: Mapping[str, Any], known: IngressObjects
) -> KubernetesObject:
    if parameters.get("apiGroup") != _PARAMS_GROUP or parameters.get("kind") != _PARAMS_KIND:
        name = objects.name(ingress_class)
        raise InvalidIngressClass(f"IngressClass {name} references unknown parameters")
    name = str(parameters.get("name"))
    if name not in known.class_params:
        raise InvalidIngressClass(f'ingressclassparamses.elbv2.k8s.aws "{name}" not found')
    return known.class_params[name]
