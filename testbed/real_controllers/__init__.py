"""A user's own controller binary beside the emulation: which it is, where it runs, what it may reach.

```
binary               the file: which controller, which release
confinement          where it runs: a network namespace and a proxy that lead to the testbed alone
connect_proxy        what ends its TLS to AWS, and refuses every other host
controller_process   the child: its output line by line, its end with all that it forked
```
Nothing here knows what a controller does; the runtime has a part for each.
"""
