"""A model of 1.3 MB that answers questions about a document, so that its answers prove its cache.

`TINY` is its folder, in Hugging Face's format. `fact_sheet` makes documents whose answers are
known. README.md, beside this file, says how the model was trained and how often it is right.
"""

from pathlib import Path

from radixlab.model.tiny.facts import Fact, FactSheet, fact_sheet

__all__ = ["TINY", "Fact", "FactSheet", "fact_sheet"]

TINY = Path(__file__).parent / "weights"
