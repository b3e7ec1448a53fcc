"""Replays recorded requests against a scoring server and compares the answers.

Standard library only, apart from PyYAML for the list of known differences. Knows nothing about how a server decides on
its answers.
"""
