"""Values and readings that Ingresses and Services share: annotations, stacks, names, tags."""
