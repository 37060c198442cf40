"""What the real binaries of nine releases did, and what each does after an upgrade or a way back.

The real one draws the order of the objects anew at each sync, and each sync was a process of its own. So a
sync is right if some order of the objects sends the recorded batches and logs the recorded lines (information
and warnings); at most 120 orders are tried. The zone after each step is compared too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from testbed.dated_releases import EXTERNAL_DNS_RELEASES, Release
from testbed.external_dns.offline.replay import Play, shown_record, shown_sync
from testbed.external_dns.process.object_order import of_any_kind
from tests.conformance.external_dns_files import FOLDER, scenarios_of

ORDERS = 120
FILES = ("cutover-scenarios", "random-histories")
# Aliases that the recorder itself wrote have another target zone there than ExternalDNS computes, so its zone
# refused to delete them: by hand in cutover-017, by a sync in history-106.
REFUSED = "the recorder's zone refused to delete an alias that the recorder itself had named"
RELEASES = ("v0.12.2", "v0.13.4", "v0.13.6", "v0.14.2", "v0.15.1", "v0.16.1", "v0.18.0", "v0.20.0", "v0.21.0")
KNOWN_GAPS: Mapping[str, str] = {
    **{f"cutover-017-{tag}": REFUSED for tag in RELEASES},
    "cutover-017-v0.14.2-v0.16.1-1": REFUSED,
    "history-106-v0.12.2": REFUSED,
    "history-106-v0.13.4": REFUSED,
}

Form = Mapping[str, Any]
Outcome = tuple[list[tuple[list[str], bool]], bool, list[str]]


def _cases() -> Iterator[Any]:
    folder = FOLDER / "releases"
    for file in FILES:
        if not (folder / f"{file}.json").exists():
            reason = pytest.mark.skip(reason=f"no {folder / file}.json; set TESTBED_CONFORMANCE")
            yield pytest.param({}, (), (), False, marks=reason, id=file)
            continue
        scenarios = {one["id"]: one for one in scenarios_of(f"{file}.yaml")}
        for outcome in scenarios_of(f"releases/{file}.json"):
            for tag, steps in outcome["releases"].items():
                is_own = not isinstance(steps, Mapping)  # else equal but for the wording of the log
                wanted = steps if is_own else outcome["releases"][steps["same_as"]]
                scenario = scenarios[outcome["id"]]
                played = [EXTERNAL_DNS_RELEASES[tag]] * len(wanted)
                yield _case(scenario, played, wanted, f"{file} {tag}", f"{outcome['id']}-{tag}", is_own)
    if (folder / "upgrades.json").exists():
        for scenario in scenarios_of("releases/upgrades.json"):
            played = [EXTERNAL_DNS_RELEASES[step["release"]] for step in scenario["steps"]]
            wanted = [step["expect"] for step in scenario["steps"]]
            yield _case(scenario, played, wanted, "upgrades", scenario["id"], True)


def _case(
    scenario: Form, played: Sequence[Release], wanted: Sequence[Form], row: str, name: str, has_log: bool
) -> Any:
    marks = [pytest.mark.conformance("external-dns", row, name)]
    if name in KNOWN_GAPS:
        marks.append(pytest.mark.xfail(reason=KNOWN_GAPS[name], strict=True))
    return pytest.param(scenario, played, wanted, has_log, marks=marks, id=name)


@pytest.mark.parametrize(("scenario", "played", "wanted", "has_log"), list(_cases()))
def test_some_order_of_the_objects_does_what_the_real_release_did(
    scenario: Form, played: Sequence[Release], wanted: Sequence[Form], *, has_log: bool
) -> None:
    play = Play(scenario, played[0], order=of_any_kind)
    for number, (step, release, recorded) in enumerate(zip(scenario["steps"], played, wanted, strict=True)):
        play.begin({**step, "release": release.tag})
        syncs = [one for one in recorded["syncs"] for _ in range(one.get("times", 1))]
        for place, sync in enumerate(syncs):
            where = f"{release}, step {number} ({step.get('label', '')}), sync {place}"
            _reach(play, _outcome(sync, has_log=has_log), where, has_log=has_log)
        assert _sorted(map(shown_record, play.records())) == _sorted(recorded["hosted_zone"])


def _reach(play: Play, wanted: Outcome, where: str, *, has_log: bool) -> None:
    """Sync in some order of the objects that does as recorded."""
    before, seen = play.saved(), Counter[str]()
    for seed in range(ORDERS):
        play.restore(before)
        play.restart(seed)
        outcome = _outcome(shown_sync(play.sync()), has_log=has_log)
        if outcome == wanted:
            return
        seen[json.dumps(outcome)] += 1
    pytest.fail(f"{where}: recorded {wanted}, reached {list(seen)}", pytrace=False)


def _outcome(sync: Form, *, has_log: bool) -> Outcome:
    """The batches, whether the sync failed, and the log without its order, as maps are walked for it.

    After a refusal the real one sends the parts of a batch in the order of a map too. Errors are left out:
    their words are those of the AWS SDK and of the recorder's zone.
    """
    batches = sorted((_sorted(batch["changes"]), "rejected" in batch) for batch in sync["batches"])
    told = [line for line in sync["log"] if line.startswith(("info: ", "warning: "))] if has_log else []
    return batches, bool(sync.get("error")), sorted(" ".join(sorted(line.split())) for line in told)


def _sorted(forms: Iterable[Form]) -> list[str]:
    # The recordings have aliases as Route 53 keeps them, in lower case.
    lowered = ({**form, "alias": form["alias"].lower()} if "alias" in form else form for form in forms)
    return sorted(json.dumps(form, sort_keys=True) for form in lowered)
