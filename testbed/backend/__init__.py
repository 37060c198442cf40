"""The sample service of `protos/`: the same operations as gRPC and as REST over HTTP/1.1."""
