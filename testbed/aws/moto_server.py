"""moto's server with the services that a cutover needs: `python -m testbed.aws.moto_server ADDRESS PORT`.

It is patched where it differs from AWS (`moto_patches.py`), and does not read its 400 files about instance
types and images, which nothing here starts.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

from testbed.aws import service_models
from testbed.aws.balancer_names import CANONICAL_ZONES
from testbed.garbage import collect_seldom

READY = "ready"
_NOT_READ = {"instance_type": dict, "amis": list}
"""moto's resource files that nothing here uses, by a part of their name, and the empty value instead."""
_SERVICES = ("route53", "elbv2", "acm", "ec2")


def main() -> None:
    """Serve until killed; print `ready` once the server listens."""
    address, port = sys.argv[1], int(sys.argv[2])
    collect_seldom()
    hasten()
    # Imported only now, because hasten() changes what the import of moto reads.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import ThreadedWSGIServer

    from testbed.aws.moto_patches import patch

    patch()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request is costly
    application = DomainDispatcherApplication(create_backend_app)
    server = ThreadedWSGIServer(address, port, application)
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    threading.Thread(target=_warm, args=(application, create_backend_app), daemon=True).start()
    server.serve_forever()


def hasten() -> None:
    """Make the import of moto quick. Call it before anything imports moto."""
    import boto3
    from botocore.loaders import Loader
    from moto.utilities import utils

    # moto asks for the regions of each service while it is imported.
    boto3.Session.get_available_regions = _regions  # type: ignore[assignment, method-assign]
    Loader.FILE_LOADER_CLASS = service_models.ServiceModels
    load = utils.load_resource

    def load_resource(resource: str) -> Any:
        for name, empty in _NOT_READ.items():
            if name in str(resource):
                return empty()
        return load(resource)

    # moto reads these files when it is imported, so this must come before the import.
    utils.load_resource = load_resource


def _regions(_self: object, _service: str, partition_name: str = "aws") -> list[str]:
    """Return the regions of a partition; botocore reads the whole model of a service for them."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    regions = []
    for region in CANONICAL_ZONES:
        partition = next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")
        if partition == partition_name:
            regions.append(region)
    return regions


def _warm(application: Any, create: Any) -> None:
    """Create the services' applications while the clients still start; else the first call waits for that."""
    for service in _SERVICES:
        with application.lock:
            if service not in application.app_instances:
                application.app_instances[service] = create(service)


if __name__ == "__main__":
    main()
