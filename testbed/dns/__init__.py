"""DNS as Route 53 answers it: answers from hosted zones (pure), and a server for UDP and TCP."""
