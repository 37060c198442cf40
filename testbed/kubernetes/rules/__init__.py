"""One rule set: what the Kubernetes API takes and refuses of an object, and what it fills in.

Every way in asks these functions: the API server renders their problems as a `metav1.Status`, the loader of
manifests (`testbed.kubernetes.manifests`) as a line with file and place. Nothing here knows either of them.
"""
