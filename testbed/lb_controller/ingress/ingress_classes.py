"""Classes of Ingresses: which ones this controller handles, with their IngressClassParams.

The annotation `kubernetes.io/ingress.class` wins over `spec.ingressClassName`; an Ingress with it needs no
class object (pkg/ingress/class_{loader,annotation_matcher}.go, group_loader.go classifyIngress).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import object_fields
from testbed.kubernetes.label_selectors import selects
from testbed.lb_controller.core import class_params
from testbed.lb_controller.core.annotations import INGRESS_CLASS
from testbed.lb_controller.core.build_inputs import BuildError, KubernetesObject, Member
from testbed.lb_controller.core.facts import Fact

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
    """The objects that membership depends on, by name; Ingresses in the order of the API's list."""

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
            kind: {object_fields.name(item): item for item in found.get(kind, ())}
            for kind in ("IngressClass", "IngressClassParams", "Namespace")
        }
        return cls(
            ingresses=tuple(sorted(found.get("Ingress", ()), key=object_fields.key)),
            classes=by_name["IngressClass"],
            class_params=by_name["IngressClassParams"],
            namespaces=by_name["Namespace"],
        )


def annotation_matches(annotation: str, ingress_class: str) -> bool:
    """True if the annotation names this controller, whose flag is `ingress_class`."""
    if not ingress_class:
        return annotation in ("", DEFAULT_CLASS)
    return annotation == ingress_class


def classify(
    ingress: KubernetesObject,
    known: IngressObjects,
    ingress_class: str,
    *,
    manage_unclassified: bool,
    release: Release = LB_CONTROLLER_RELEASES.newest,
) -> tuple[Member, bool]:
    """The Ingress with its class and parameters, and True if this controller handles it.

    Args:
        ingress: any Ingress.
        known: classes, parameters and namespaces.
        ingress_class: the flag `--ingress-class`.
        manage_unclassified: handle Ingresses that name no class.
        release: of the controller; the first ones do not know parameters of classes.

    Raises:
        InvalidIngressClass: its class is missing, or the parameters are missing or forbid its namespace.
        BuildError: two classes are marked as the cluster's default.
    """
    annotation = object_fields.annotations_of(ingress).get(INGRESS_CLASS)
    if annotation is not None:
        return Member(ingress=ingress), annotation_matches(annotation, ingress_class)
    member = load(ingress, known, release)
    if member.ingress_class is None:
        return member, manage_unclassified
    return member, object_fields.spec(member.ingress_class).get("controller") == CONTROLLER


def load(
    ingress: KubernetesObject, known: IngressObjects, release: Release = LB_CONTROLLER_RELEASES.newest
) -> Member:
    """The Ingress with the class that it names, or the cluster's default, and its parameters.

    Raises:
        InvalidIngressClass: see `classify`.
        BuildError: there are two default classes.
    """
    found = find_class(ingress, known)
    if found is None:
        return Member(ingress=ingress)
    parameters = object_fields.spec(found).get("parameters")
    is_known = object_fields.spec(found).get("controller") == CONTROLLER and release.has(
        Fact.CLASS_PARAMETERS
    )
    if not is_known or parameters is None:
        return Member(ingress=ingress, ingress_class=found)
    params = class_params.read_by(release, _class_params(found, parameters, known))
    try:
        check_namespace(params, ingress, known)
    except BuildError as error:
        raise InvalidIngressClass(str(error)) from None
    return Member(ingress=ingress, ingress_class=found, class_params=params)


def find_class(ingress: KubernetesObject, known: IngressObjects) -> KubernetesObject | None:
    """The class that an Ingress names, or the cluster's default class, if any.

    Raises:
        InvalidIngressClass: the class that it names does not exist.
        BuildError: there are two default classes.
    """
    name = object_fields.spec(ingress).get("ingressClassName")
    if name is None:
        return _default_class(known)
    if name not in known.classes:
        raise InvalidIngressClass(f'ingressclasses.networking.k8s.io "{name}" not found')
    return known.classes[name]


def check_namespace(params: KubernetesObject, ingress: KubernetesObject, known: IngressObjects) -> None:
    """Check the Ingress's namespace against the `namespaceSelector` of the parameters.

    Raises:
        BuildError: the selector does not match.
    """
    selector = object_fields.spec(params).get("namespaceSelector")
    if selector is None:
        return
    namespace = known.namespaces.get(object_fields.namespace(ingress))
    if namespace is None:
        raise BuildError(f'namespaces "{object_fields.namespace(ingress)}" not found')
    if not selects(selector, object_fields.labels_of(namespace)):
        raise BuildError(f"namespaceSelector of IngressClassParams {object_fields.name(params)} mismatch")


def _default_class(known: IngressObjects) -> KubernetesObject | None:
    defaults = [
        item
        for item in known.classes.values()
        if object_fields.annotations_of(item).get(_IS_DEFAULT) == "true"
    ]
    if len(defaults) > 1:
        raise BuildError("multiple default IngressClasses found")
    return defaults[0] if defaults else None


def _class_params(
    ingress_class: KubernetesObject, parameters: Mapping[str, Any], known: IngressObjects
) -> KubernetesObject:
    if parameters.get("apiGroup") != _PARAMS_GROUP or parameters.get("kind") != _PARAMS_KIND:
        name = object_fields.name(ingress_class)
        raise InvalidIngressClass(f"IngressClass {name} references unknown parameters")
    name = str(parameters.get("name"))
    if name not in known.class_params:
        raise InvalidIngressClass(f'ingressclassparamses.elbv2.k8s.aws "{name}" not found')
    return known.class_params[name]
