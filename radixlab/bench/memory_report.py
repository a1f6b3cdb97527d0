"""The memory of caches as a table: bytes per cached block, beside the goal."""

from collections.abc import Sequence

from radixlab.bench.builds import NAME as COMPILED_NAME
from radixlab.bench.contenders import OURS
from radixlab.bench.memory import MemoryRow

YARDSTICK = "vLLM 0.33.0 (sha256)"
MOST_OF_VLLM = 0.25
WHAT = (
    "Bytes of memory per cached block of 16 tokens, beside the KV: what a new process grows by "
    "while it fills a cache with documents of 64 blocks, in families of 8 that share 16. The ids "
    "of the tokens alone are 64 bytes. Traced is what Python and NumPy allocate, in another run "
    "of a tenth of the blocks; memory of C and Rust is not in it"
)


def memory_table(rows: Sequence[MemoryRow]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the table."""
    header = ["cache", "blocks", "bytes/block", "traced", f"÷ {YARDSTICK.split()[0]}", "goal"]
    return header, [
        [
            row.contender,
            f"{row.num_blocks:,}",
            f"{row.rss_bytes:.0f}",
            f"{row.traced_bytes:.0f}",
            "" if (share := share_of_vllm(row, rows)) is None else f"{share:.2f}",
            goal(row, rows),
        ]
        for row in rows
    ]


def memory_json(rows: Sequence[MemoryRow]) -> list[dict[str, object]]:
    """Return what `--json` prints."""
    return [
        {
            "manager": row.contender,
            "num_blocks": row.num_blocks,
            "bytes_per_block": round(row.rss_bytes, 1),
            "traced_bytes_per_block": round(row.traced_bytes, 1),
            "over_vllm": share_of_vllm(row, rows),
            "goal": goal(row, rows) or None,
        }
        for row in rows
    ]


def share_of_vllm(row: MemoryRow, rows: Sequence[MemoryRow]) -> float | None:
    """Divide by vLLM's bytes; None where it was not measured."""
    theirs = next((other.rss_bytes for other in rows if other.contender == YARDSTICK), None)
    return round(row.rss_bytes / theirs, 4) if theirs else None


def goal(row: MemoryRow, rows: Sequence[MemoryRow]) -> str:
    """Return our goal and whether it is met; nothing for others."""
    share = share_of_vllm(row, rows)
    if row.contender not in (OURS.name, COMPILED_NAME) or share is None:
        return ""
    return f"÷ vLLM ≤ {MOST_OF_VLLM:g}: {'met' if share <= MOST_OF_VLLM else 'missed'}"
