"""The Kubernetes API over HTTP: what kubectl and client libraries need, in front of the object store.

```
kubectl ─────► api_server ──┐
                            ├─► dispatch ─► verbs ─► store ◄── controllers
this process ─► client ─────┘      │          │
            discovery, openapi ────┘          └─ patches, server_side_apply, strict_decoding, deletion
```
There is one store, so the controllers see a client's write at once. Everything but `api_server` and
`watch_streams` is values in, values out.
"""
