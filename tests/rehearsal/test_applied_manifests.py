"""Which objects of the manifests an operator applies, and with which annotations and values."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.kubernetes import manifests
from testbed.rehearsal.applied_manifests import file_of, loaded, selected, with_annotations, with_values
from testbed.rehearsal.scenario import Manifests
from tests.scaffold.manifests_of_a_shop import SHOP

LOADED = manifests.parse(SHOP, Path("all.yaml"))
ARN = "alb.ingress.kubernetes.io/certificate-arn"


def test_objects_are_named_by_kind_and_name_and_keep_their_order() -> None:
    found = selected(LOADED, ["ingress/shop-rest", "Service/shop/gateway"])
    assert [one.title for one in found] == ["Service shop/gateway", "Ingress shop/shop-rest"]


def test_an_object_that_is_not_there_is_reported() -> None:
    with pytest.raises(BadInput, match="the manifests have no service/gatewy"):
        selected(LOADED, ["service/gatewy"])


def test_annotations_that_stand_are_replaced_or_left_out_and_none_is_added() -> None:
    ingress = selected(LOADED, ["ingress/shop-grpc"])[0].object
    changed = with_annotations(ingress, {ARN: "x", "alb.ingress.kubernetes.io/subnets": None, "other": "y"})
    before, after = ingress["metadata"]["annotations"], changed["metadata"]["annotations"]
    assert after[ARN] == "x"
    assert set(before) - set(after) == {"alb.ingress.kubernetes.io/subnets"}
    assert "other" not in after
    assert ingress["metadata"]["annotations"][ARN] != "x"


def test_an_object_without_annotations_stays_without() -> None:
    service = selected(LOADED, ["service/gateway-grpc"])[0].object
    assert with_annotations(service, {ARN: "x"}) == service


SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: a
  annotations:
    x: ${ARN}/${ARN}
spec: {ports: [{port: 80}]}
"""


def test_values_stand_for_their_names_wherever_the_object_has_text() -> None:
    (loaded,) = manifests.parse(SERVICE, Path("a.yaml"))
    filled = with_values(loaded, {"ARN": "1", "OTHER": "2"})
    assert filled["metadata"]["annotations"] == {"x": "1/1"}
    assert filled["spec"] == loaded.object["spec"]


def test_a_value_that_is_missing_is_reported_with_its_line() -> None:
    (loaded,) = manifests.parse(SERVICE, Path("a.yaml"))
    with pytest.raises(BadInput, match=r"a\.yaml:6: no value for 'ARN'"):
        with_values(loaded, {})


def test_parts_of_files_are_applied_together_each_with_its_changes(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(SHOP)
    (tmp_path / "later.yaml").write_text(SHOP.replace("targetPort: 9090", "targetPort: '${PORT}'"))
    found = loaded(
        tmp_path,
        [
            Manifests("all.yaml", only=["ingress/shop-grpc"], annotations={ARN: "x"}),
            Manifests("all.yaml", only=["service/gateway-grpc"]),
            Manifests(["later.yaml"], only=["service/gateway-grpc"], values={"PORT": "named"}),
        ],
    )
    ingress, service = (one.object for one in found)
    assert ingress["metadata"]["annotations"][ARN] == "x"
    assert service["spec"]["ports"][0]["targetPort"] == "named"


def test_one_text_is_no_list_of_objects() -> None:
    with pytest.raises(
        BadInput, match=r"only='service/a' is one text, not a list; write only=\['service/a'\]"
    ):
        Manifests("a.yaml", only="service/a")


def test_the_path_of_a_file_has_no_way_up_unless_a_link_makes_it_another_file(tmp_path: Path) -> None:
    folder = tmp_path / "cutover"
    folder.mkdir()
    assert file_of(folder, "../web.yaml") == tmp_path / "web.yaml"
    linked = tmp_path / "other" / "link"
    linked.parent.mkdir()
    linked.symlink_to(folder)
    assert file_of(linked, "../web.yaml") == linked / "../web.yaml"
