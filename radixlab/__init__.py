"""radixlab: a RadixAttention KV-cache engine to watch, break and build.

Start reading at `radixlab.cache.manager`, the one door to the cache; `radixlab.cache.tree` is the
idea behind it.
"""

__version__ = "0.1.0"
