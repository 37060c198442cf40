"""The releases of both controllers that a run plays, and who names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.errors import BadInput
from testbed.external_dns.offline.deployment import external_dns
from testbed.kubernetes import manifests as files
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.offline.controller_flags import arguments
from testbed.lb_controller.offline.deployment import has_service_webhook, lb_controller
from testbed.options import Options
from testbed.real_controllers.named_release import named_release
from testbed.rehearsal.applied_manifests import file_of, selected
from testbed.rehearsal.scenario import STORY_EXTERNAL_DNS, STORY_LB_CONTROLLER, Scenario
from testbed.releases import EXTERNAL_DNS, LB_CONTROLLER, Choice, Controller, Named

BY_OPTIONS, BY_SCENARIO = "the options of the run", "the scenario"
_DEFINITION = "CustomResourceDefinition"
NO_EXTERNAL_DNS = "no ExternalDNS: the scenario has none"


@dataclass(frozen=True, slots=True)
class PlayedReleases:
    """The release of each controller that a run plays.

    Attributes:
        has_external_dns: False if the scenario has no ExternalDNS, whatever release of it is named.
        external_dns_flags: its `args:`; for a program of the user's own those of its Deployment among the
            manifests, where the scenario names none.
        lb_controller_args: the `args:` of that controller's Deployment among the manifests.
        definitions: the CustomResourceDefinitions among the manifests.
        service_webhook: False if the scenario or the manifests say that the controller has none.
    """

    external_dns: Choice
    lb_controller: Choice
    has_external_dns: bool = True
    external_dns_flags: tuple[str, ...] = ()
    lb_controller_args: tuple[str, ...] = ()
    service_webhook: bool = True
    definitions: tuple[Mapping[str, Any], ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each release that is not simply what the scenario names, and for no ExternalDNS."""
        choices = (self.external_dns, self.lb_controller) if self.has_external_dns else (self.lb_controller,)
        lines = (
            f"{choice}; {choice.note}" if choice.note else str(choice)
            for choice in choices
            if choice.by != BY_SCENARIO or choice.note
        )
        return tuple(lines) if self.has_external_dns else (NO_EXTERNAL_DNS, *lines)


def played_releases(scenario: Scenario, options: Options) -> PlayedReleases:
    """Choose the releases of a run: by the options, the Deployments among the manifests, the scenario.

    Raises:
        BadInput: the options or the scenario name a release that does not exist or is not emulated.
    """
    manifests = _standing(scenario)
    deployed, controller = external_dns(manifests), lb_controller(manifests)
    choice = EXTERNAL_DNS.choose(
        _named(options.external_dns, EXTERNAL_DNS),
        deployed=deployed.named if deployed else None,
        scenario=_by_scenario(scenario.external_dns_release),
        otherwise=Named(STORY_EXTERNAL_DNS, BY_SCENARIO),
    )
    flags = tuple(scenario.flags(choice.played))
    if flags and deployed and not scenario.has_own_flags and (choice.binary or choice.is_open):
        flags = deployed.arguments()
    return PlayedReleases(
        choice,
        LB_CONTROLLER.choose(
            _named(options.lb_controller, LB_CONTROLLER),
            deployed=controller.named if controller else None,
            scenario=_by_scenario(scenario.lb_controller),
            otherwise=Named(STORY_LB_CONTROLLER, BY_SCENARIO),
        ),
        has_external_dns=bool(scenario.external_dns),
        external_dns_flags=flags,
        lb_controller_args=arguments(controller.container) if controller else (),
        service_webhook=scenario.service_webhook and has_service_webhook(manifests),
        definitions=tuple(one.object for one in manifests if one.object.get("kind") == _DEFINITION),
    )


def _standing(scenario: Scenario) -> list[Manifest]:
    """The manifests that stand before the cutover begins."""
    try:
        return [
            item
            for one in scenario.manifests
            for loaded in [files.load([file_of(scenario.folder, name) for name in one.files], custom=True)]
            for item in (selected(loaded, one.only) if one.only else loaded)
        ]
    except BadInput:
        return []  # applying them reports the fault, once the scenario has filled in its values


def _by_scenario(release: str | None) -> Named | None:
    return Named(release, BY_SCENARIO) if release else None


def _named(release: Named | str | None, controller: Controller) -> Named | None:
    return named_release(release, controller, BY_OPTIONS) if isinstance(release, str) else release
