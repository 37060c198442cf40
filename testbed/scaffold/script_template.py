"""The text of a generated scenario, with places for what the manifests say."""

from __future__ import annotations

HEAD = '''\
"""{title}.

Written by `testbed init` from the manifests; it is yours to edit.

    testbed rehearse {folder}                   # there
    testbed rehearse {folder}:there_and_back    # there, and back
    testbed up {folder}                         # today, for kubectl, aws, dig and curl
"""

from testbed import {imports}
from testbed.conditions import (
    active,
    alias_at,
    answers_by_its_own_name,
    claimed_by,
    drained,
    gone,
    not_logged,
    only_one,
    only_served_by,
    served_by,
    synced,
)

MINUTE = 60
SYNC = {sync}  # ExternalDNS syncs this often
TTL = 1 * MINUTE  # answers for an alias have the TTL of the load balancer's own name
HOST = {host!r}
{more_hosts}OLD = {old}
NEW = {new}
{annotations}'''

BEFORE = """
# What stands before the move; `testbed up`, pytest and the traffic begin with it.
BEFORE = [
{before}
]
"""

CERTIFICATES = """
# Certificates of your account are not here: others with these names have their ARNs.
CERTIFICATES = {{
{certificates}
}}
"""

ABOUT = """
ABOUT = {{
    "host": HOST,
    "zone": {zone!r},
    "port": {port!r},
    "manifests": BEFORE,
{certificates}{balancers}    # The controllers decide as these releases do: {external_dns_by} and
    # {controller_by}. An option, --external-dns or --lb-controller, wins.
    "external_dns_release": {external_dns_release!r},
    "lb_controller": {controller!r},
{webhook}    # Your pods end a client's connection after so many seconds, and the client asks DNS again: this
    # decides how fast clients leave an NLB. None: they never do, and gRPC channels stay on it for good.
    "connection_age": {connection_age!r},
    "traffic": {traffic!r},
    # Assumed: apps that keep a gRPC channel, and servers with a keep-alive pool that does not look up again.
    # `testbed clients` lists the others by name: java-http1, node-fetch, nginx, ...
    "clients": {clients!r},
    "targets": [
{targets}    ],
{external_dns}}}
"""

NO_WEBHOOK = """\
    # Its webhook for Services would take what another controller has here.
    "service_webhook": False,
"""

STORY = '''

def move(cutover: Cutover) -> None:
    """There: the name goes from {the_old} to {the_new}, and {the_old} is drained."""
    with cutover.step("{The_old} serves everything", why="This is production today."):
{named}        cutover.wait_until(alias_at("{old}"), within=3 * SYNC)
        cutover.wait_until(active("{old}"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("{old}"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("{old}"))

    with cutover.step(
        "{The_new} stands beside it{both_claim}",
        why="{why_beside}",
    ):
{apply_new}
        cutover.wait_until(active("{new}"), within=5 * MINUTE)
        cutover.expect(only_one("{new}"))
        cutover.wait_until(answers_by_its_own_name("{new}"), within=1 * MINUTE)
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.hold(3 * SYNC)
        cutover.expect(alias_at("{old}"))
        cutover.expect(only_served_by("{old}"))

    with cutover.step(
        "{moves}",
        why="Now only the new one claims the name: the alias moves, and new connections reach it.",
    ):
{give_up}
        cutover.wait_until(alias_at("{new}"), within=3 * SYNC)
        cutover.wait_until(served_by("{new}"), within={drain} * MINUTE)
        cutover.expect(claimed_by({claimed_by_new!r}))
        cutover.expect(not_logged("Desired change: DELETE"))

    with cutover.step("{The_old} is drained", why="An alias moves new connections only; old ones must end."):
        cutover.wait_until(drained("{old}"), within={drain} * MINUTE)

    with cutover.step("{The_new} serves everything", why="Watch it for a while before you rely on it."):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by("{new}"))


@scenario({there!r}, **ABOUT)
def cutover(cutover: Cutover) -> None:
    move(cutover)
    with cutover.step("{The_old} goes", why="It is drained, and no cached answer leads to it."):
{delete}
{gone}        cutover.hold(3 * MINUTE)
        cutover.expect(alias_at("{new}"))
        cutover.expect(only_served_by("{new}"))


@scenario({back!r}, **ABOUT)
def there_and_back(cutover: Cutover) -> None:
    move(cutover)
    with cutover.step(
        "Rollback: the old claim comes back first, then the new one ends",
        why="The record stays with the object that its TXT names, as long as that object claims it. So "
        "the old one must claim it again before the new one gives it up.",
    ):
{take_back}
        cutover.wait_until(alias_at("{old}"), within=3 * SYNC)
{served_again}
        cutover.expect(not_logged("Desired change: DELETE"))
        cutover.expect(claimed_by({claimed_by_old!r}))
'''

CLIENTS_STAY = """\
        # Clients that keep their connection stay on {the_new} until it ends it.
        cutover.hold(2 * TTL)"""
SYNCED = "        cutover.wait_until(synced(), within=3 * SYNC)"
GONE = '        cutover.wait_until(gone("{old}"), within=5 * MINUTE)\n'
NOT_GONE = "        # Its load balancer goes when its own controller deletes it, which is not played.\n"
WHY_BOTH = "The record stays with the object that its TXT names. Try the new one by its own name."
WHY_SWAPPED = "It claims no name yet, so nothing moves. It can be tried by its own name."
MOVES = {True: "The annotation leaves the Service", False: "The old Ingress gives the name up"}
MOVES_BETWEEN_SERVICES = "The name goes from one Service to the other"

INGRESS_CLASSES = """\
# Classes of your cluster that no manifest has; their controllers are not emulated.
"""
INGRESS_CLASS = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: {name}}}
spec: {{controller: example.com/not-emulated}}
"""

TRAFFIC = """\
# What the clients call: one method or path for each rule of an ALB. docs: testbed.traffic.description
# Name your .proto files for real payloads, and your own server; without them the sample backend answers all.
#
# proto = ["../cart.proto"]
# [backend]
# command = "python server.py --grpc {address}:{grpc_port} --http {address}:{rest_port}"
"""

CONFIGURATION = """\
# Limits of the verdict beside the demand that no request is lost. More: docs/how-to/my-ci.md
thresholds = [
  "failed == 0",
  "drained_within: {drain}m",
]
"""
