"""What a person or a machine sees of a run: journal in, terminal, HTML, JUnit XML and JSON out.

`writing.write_report` writes the files; `terminal` shows a run while it is played, and its verdict.
"""
