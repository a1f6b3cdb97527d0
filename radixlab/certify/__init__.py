"""Conformance of any server with OpenAI's API and a prefix cache, seen from outside.

    certify(url) ─► survey ─► checks ─► verdicts: pass, fail or cannot tell, each with its evidence

>>> from radixlab.certify import CHECKS
>>> CHECKS["salt.apart"].title
'Two salts never share a prefix'

This package knows servers by their API only. It does not know our engine.
"""

from radixlab.certify.check import Check, Cost
from radixlab.certify.outcome import CannotTell, CertifyError, Result, Seen, Verdict
from radixlab.certify.registry import CHECKS
from radixlab.certify.report import Report
from radixlab.certify.run import Options, certify

__all__ = [
    "CHECKS",
    "CannotTell",
    "CertifyError",
    "Check",
    "Cost",
    "Options",
    "Report",
    "Result",
    "Seen",
    "Verdict",
    "certify",
]
