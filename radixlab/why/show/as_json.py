"""A report as JSON for machines: plain numbers and text, in a stable order.

This file knows reports. It writes no file.
"""

import json
from dataclasses import asdict
from typing import Any

from radixlab.why.report import Report
from radixlab.why.show.words import Prices


def as_json(report: Report, prices: Prices | None = None) -> dict[str, Any]:
    """Return the report as what `json.dumps` takes; with prices, each cause has a `cost`."""
    causes = [
        {
            "cause": row.cause,
            "requests": row.requests,
            "tokens_lost": row.tokens_lost,
            "where": row.where,
            "before": row.before,
            "after": row.after,
        }
        | ({"cost": prices.lost(row.tokens_lost)} if prices else {})
        for row in report.causes
    ]
    return {
        "requests": report.requests,
        "skipped_lines": report.num_skipped,
        "prompt_tokens": report.prompt_tokens,
        "hit_tokens": report.hit_tokens,
        "hit_rate": report.hit_rate,
        "reported_hit_rate": report.reported_hit_rate,
        "possible_hit_rate": report.possible_hit_rate,
        "tokenizer": report.tokenizer,
        "causes": causes,
        "fixes": [asdict(fix) for fix in report.fixes],
        "breaks": [asdict(each) for each in report.breaks],
        "branches": [asdict(each) for each in report.branches],
        "skipped": list(report.skipped_lines),
    }


def json_text(report: Report, prices: Prices | None = None) -> str:
    """Return the same in ASCII, so that text that is not valid Unicode can be written too."""
    return json.dumps(as_json(report, prices), allow_nan=False)
