"""The report of a run, for people and machines: journal in, terminal, HTML, JUnit XML and JSON out.

`writing.write_report` writes the files; `terminal` shows a run while it is played, and its verdict.
"""
