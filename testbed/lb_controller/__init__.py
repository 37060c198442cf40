"""The AWS Load Balancer Controller: from Kubernetes objects to the load balancers that it would make.

```
Ingresses ─► groups.load_group ─► Group ─► model.build_ingress_group ─┐
                                                                      ├─► Stack ─► deploy ─► ELBv2 API
Services  ─► ownership.is_supported ──────► nlb.build_service ────────┘
```

All but `deploy`, `targets`, `in_tree` and `controller` is pure: values in, values out. The signatures:

    groups.load_group(group_id: GroupID, objects: IngressObjects, options: ControllerOptions) -> Group
    model.build_ingress_group(group: Group, cluster: ClusterState, options: ControllerOptions) -> Stack
    nlb.build_service(service: KubernetesObject, cluster: ClusterState, options: ControllerOptions) -> Stack

They raise `inputs.BuildError`, whose text is that of the event `FailedBuildModel`
("Failed build model due to <text>"). Objects are plain JSON dicts as the Kubernetes API has them, Ingresses
in the shape of networking.k8s.io/v1; `inputs` has the other arguments.
"""
