"""Load for a server with OpenAI's API: a workload's requests, sent as people would send them.

    workload ─► plan (when) ─► client (one request) ─► ledger (a line each) ─► report

This package knows HTTP servers by their API only. It does not know our engine.
"""

from radixlab.load.client import Client, LoadError, api_url, connect
from radixlab.load.ledger import Ledger, Line
from radixlab.load.plan import Plan, PlanError
from radixlab.load.reconcile import Reconciliation, reconcile
from radixlab.load.report import LoadReport, report
from radixlab.load.run import run

__all__ = [
    "Client",
    "Ledger",
    "Line",
    "LoadError",
    "LoadReport",
    "Plan",
    "PlanError",
    "Reconciliation",
    "api_url",
    "connect",
    "reconcile",
    "report",
    "run",
]
