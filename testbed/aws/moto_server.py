"""moto's server with the services that a cutover needs: `python -m testbed.aws.moto_server ADDRESS PORT`.

moto is mended where it does what AWS does not (`moto_mending.py`), and kept from reading 400 files about
instance types and images that nothing here starts.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

from testbed.aws import service_models
from testbed.aws.names import CANONICAL_ZONES

READY = "ready"
_NOT_READ = {"instance_type": dict, "amis": list}
"""moto's resource files, by a part of their name, that nothing here uses; and what stands for them."""
_SERVICES = ("route53", "elbv2", "acm", "ec2")


def main() -> None:
    """Serve until killed; says `ready` when it listens."""
    address, port = sys.argv[1], int(sys.argv[2])
    hasten()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import ThreadedWSGIServer

    from testbed.aws.moto_mending import mend

    mend()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request costs, and tells nothing
    application = DomainDispatcherApplication(create_backend_app)
    server = ThreadedWSGIServer(address, port, application)
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    threading.Thread(target=_warm, args=(application, create_backend_app), daemon=True).start()
    server.serve_forever()


def hasten() -> None:
    """Make moto's import quick; call it before anything imports moto."""
    import boto3
    from botocore.loaders import Loader
    from moto.utilities import utils

    boto3.Session.get_available_regions = _regions  # type: ignore[assignment, method-assign]
    Loader.FILE_LOADER_CLASS = service_models.ServiceModels
    load = utils.load_resource

    def load_resource(resource: str) -> Any:
        for name, empty in _NOT_READ.items():
            if name in str(resource):
                return empty()
        return load(resource)

    utils.load_resource = load_resource


def _regions(_self: object, _service: str, partition_name: str = "aws") -> list[str]:
    """The regions of a partition; botocore reads a service's whole model to tell them."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    found = []
    for region in CANONICAL_ZONES:
        partition = next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")
        if partition == partition_name:
            found.append(region)
    return found


def _warm(application: Any, create: Any) -> None:
    """Make the services' applications while the clients still start; the first call would wait for it."""
    for service in _SERVICES:
        with application.lock:
            if service not in application.app_instances:
                application.app_instances[service] = create(service)


if __name__ == "__main__":
    main()
