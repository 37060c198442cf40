from __future__ import annotations

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.edit import edit
from testbed.lb_controller.offline.edit_text import lines
from tests.lb_controller.offline.edits_of_a_shop import ingress, nlb, read


def text(old: str, new: str) -> str:
    before = read(old)
    return "\n".join(lines(edit(before, read(new, standing=before), ControllerOptions())))


def test_calls_are_numbered_and_marked_and_what_clients_notice_names_them() -> None:
    printed = text(nlb(443), nlb(8443))
    assert printed.startswith("v3.5.0 carries this edit out with 11 calls to AWS")
    assert "\n   1 ~ DeregisterTargets " in printed
    assert "\n   7 - DeleteListener                 listener TCP 443 of k8s-shop-edge-" in printed
    assert "\n   8 + CreateListener                 listener TCP 8443 of k8s-shop-edge-" in printed
    assert (
        "\nClients notice:\n   1 drained early: listener TCP 443 serves without any target until call 7"
        in printed
    )


def test_an_edit_without_calls_and_one_that_nobody_notices_say_so() -> None:
    assert text(ingress(), ingress()) == "v3.5.0 writes nothing to AWS for this edit."
    assert text(ingress(), ingress(healthcheck_path="/ok")).endswith("\n\nClients notice nothing of it.")


def test_names_that_change_and_edits_that_are_refused_are_listed() -> None:
    renamed = text(ingress(scheme="internal"), ingress(scheme="internet-facing"))
    assert "Names in the status, which ExternalDNS publishes:\n  Ingress shop/web: internal-k8s-" in renamed
    assert "Not carried out:\n  Ingress shop/web: Failed build model" in text(
        ingress(), ingress(target_type="pods")
    )


def test_a_port_that_only_aws_refuses_is_refused_in_its_words_on_one_line() -> None:
    ready, by_node_port = (
        ingress(target_type=kind).replace("type: NodePort, ", "") for kind in ("ip", "instance")
    )
    options = ControllerOptions(release=LB_CONTROLLER_RELEASES["v2.8.1"])
    printed = lines(edit(read(ready), read(by_node_port), options))
    (refused,) = (one for one in printed if "Failed deploy model" in one)
    assert refused.startswith(
        "  Ingress shop/web: Failed deploy model due to ValidationError: 1 validation error detected: "
        "Value '0' at 'port' failed to satisfy constraint: Member must have value greater than or equal to 1"
    )
    assert printed[-1] == refused
