"""The Kubernetes API over HTTP: what kubectl and client libraries need, in front of the object store.

```
kubectl ──TLS──► server ─► requests ─► handlers ─► store ◄── controllers
                              │           │
          discovery, openapi ─┘           └─ patches, server_side_apply, validation, tables, watches
```
What a client writes here the controllers see at once: there is one store. Everything but `server` and
`watches` is values in, values out.
"""
