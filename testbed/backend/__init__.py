"""The sample service of `protos/`: one set of operations, spoken as gRPC and as REST over HTTP/1.1."""
