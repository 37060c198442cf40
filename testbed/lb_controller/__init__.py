"""The AWS Load Balancer Controller: from Kubernetes objects to load balancers.

```
Ingresses ─► ingress.groups.load_group ──────► Group ─► ingress.alb_stack.build_ingress_group ─┐
Services  ─► service.service_ownership.is_supported ──► service.nlb_stack.build_service ───────┼─► Stack
             service.in_tree_nlb.owns (cloud provider) ─► service.in_tree_nlb.build ───────────┤     │
Gateways  ─► gateway.gateway_objects ──► gateway.gateway_stack.build (planned alone) ──────────┘     │
                                              ELBv2 API ◄─── deploy.stack_deployer.Deployer ◄────────┘
```

`core` holds the values that all parts share, `ingress`, `service` and `gateway` build stacks of them,
`deploy` makes the ELBv2 API equal to a stack, `controllers` run it all, and `offline` plans from manifests.
`core`, `ingress`, `service`, `gateway` and `offline` are pure: values in, values out.

What builds a stack raises `core.build_inputs.BuildError`, whose text is that of the event `FailedBuildModel`
("Failed build model due to <text>"). Objects are plain JSON dicts as the Kubernetes API has them, Ingresses
in the shape of networking.k8s.io/v1; `core.build_inputs` has the other arguments.
"""
