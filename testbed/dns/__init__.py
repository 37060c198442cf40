"""DNS: hosted zones become answers (pure), and a server gives them over UDP and TCP."""
