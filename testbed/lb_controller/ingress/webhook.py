"""The controller's validating webhook for Ingresses (webhooks/networking/ingress_validator.go).

A refused Ingress never enters the cluster; an admitted one may still fail when its group is built. The rules
are those of the newest controller.
"""

from __future__ import annotations

from collections.abc import Callable

from testbed.kubernetes import ObjectStore, object_fields
from testbed.kubernetes.api_errors import Denied
from testbed.kubernetes.object_fields import Object
from testbed.lb_controller.core.annotations import INGRESS_CLASS, INGRESS_PREFIX, of_ingress
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, KubernetesObject
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.ingress import ingress_classes, rule_conditions
from testbed.lb_controller.ingress.ingress_classes import IngressObjects

NAME = "vingress.elbv2.k8s.aws"
_GROUP_NAME = f"{INGRESS_PREFIX}/group.name"
_CONDITIONS = f"{INGRESS_PREFIX}/conditions."


def webhook(store: ObjectStore, options: ControllerOptions) -> Callable[[Object, Object | None], None]:
    """The webhook for a cluster's store, as `ObjectStore.webhooks` takes it."""

    def ask(item: Object, old: Object | None) -> None:
        if item["kind"] != "Ingress" or not options.release.has(Fact.INGRESS_WEBHOOK):
            return
        try:
            check(item, old, IngressObjects.of(store.list_all()), options)
        except BuildError as error:
            raise Denied(f'admission webhook "{NAME}" denied the request: {error}') from None

    return ask


def check(
    ingress: KubernetesObject,
    previous: KubernetesObject | None,
    known: IngressObjects,
    options: ControllerOptions,
) -> None:
    """Admit a created (`previous` None) or updated Ingress.

    Raises:
        BuildError: the Ingress is refused; the text is the webhook's.
    """
    if not is_ours(ingress, known, options):
        return
    check_class_annotation(ingress, previous, options)
    check_group_annotation(ingress, previous, options)
    check_class(ingress, previous, known)
    check_conditions(ingress)


def is_ours(ingress: KubernetesObject, known: IngressObjects, options: ControllerOptions) -> bool:
    """True if the webhook checks an Ingress; unlike the group loader it needs no class parameters.

    Raises:
        InvalidIngressClass: its class does not exist.
    """
    annotation = object_fields.annotations_of(ingress).get(INGRESS_CLASS)
    if annotation is not None:
        return ingress_classes.annotation_matches(annotation, options.ingress_class)
    found = ingress_classes.find_class(ingress, known)
    if found is None:
        return options.ingress_class == ""
    return object_fields.spec(found).get("controller") == ingress_classes.CONTROLLER


def check_class_annotation(
    ingress: KubernetesObject, previous: KubernetesObject | None, options: ControllerOptions
) -> None:
    """Refuse new use of the class annotation if the flag forbids it.

    Raises:
        BuildError: the use is new.
    """
    if not options.disable_ingress_class_annotation:
        return
    if _uses_class(ingress, options) and not (previous and _uses_class(previous, options)):
        raise BuildError(f"new usage of `{INGRESS_CLASS}` annotation is forbidden")


def check_group_annotation(
    ingress: KubernetesObject, previous: KubernetesObject | None, options: ControllerOptions
) -> None:
    """Refuse a new or changed `group.name` if the flag forbids it.

    Raises:
        BuildError: the name is new or changed.
    """
    if not options.disable_ingress_group_annotation:
        return
    name = of_ingress(ingress).text("group.name")
    if name is not None and (previous is None or of_ingress(previous).text("group.name") != name):
        raise BuildError(f"new usage of `{_GROUP_NAME}` annotation is forbidden")


def check_class(ingress: KubernetesObject, previous: KubernetesObject | None, known: IngressObjects) -> None:
    """Refuse an `ingressClassName` that is new and cannot be loaded.

    Raises:
        InvalidIngressClass: the class cannot be loaded.
    """
    name = object_fields.spec(ingress).get("ingressClassName")
    if name is not None and (
        previous is None or object_fields.spec(previous).get("ingressClassName") != name
    ):
        ingress_classes.load(ingress, known)


def check_conditions(ingress: KubernetesObject) -> None:
    """Refuse invalid `conditions.<service>` annotations of the Services that the rules name.

    Raises:
        BuildError: an annotation is invalid.
    """
    annotations = of_ingress(ingress)
    for rule in object_fields.spec(ingress).get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            service = ((path.get("backend") or {}).get("service") or {}).get("name")
            if service is None:
                continue
            try:
                rule_conditions.from_annotation(annotations, service)
            except BuildError as error:
                raise BuildError(
                    f"ignoring Ingress {object_fields.key(ingress)} since invalid {_CONDITIONS}{service} "
                    f"annotation: {error}"
                ) from None


def _uses_class(ingress: KubernetesObject, options: ControllerOptions) -> bool:
    annotation = object_fields.annotations_of(ingress).get(INGRESS_CLASS)
    return annotation is not None and ingress_classes.annotation_matches(annotation, options.ingress_class)
