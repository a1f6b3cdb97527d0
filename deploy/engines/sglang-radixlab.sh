#!/bin/sh
# SGLang 0.5.23 with our radix tree, or yours, in place of its own. Not run here: it needs a GPU. docs/bridge.md says what was run instead.
# First: pip install radixlab into SGLang's own environment, for instance `pip install -e /radixlab`; SGLang finds the plugin by itself.
# BACKEND is radixlab (LRU), radixlab-whole-leaves (evicts as SGLang does), radixlab-adaptive (or another policy of ours), or
# radixlab-yours: the tree of exercise 8.5.1, from the file that RADIXLAB_TREE names: RADIXLAB_TREE=/work/mine.py:RadixTree
#   --radix-cache-backend        whose tree keeps the prefixes
#   --page-size                  tokens in a page (our block); 1 shares token by token
#   --schedule-policy            lpm takes the longest cached prefix first
#   --radix-eviction-policy      must be lru: our policies are chosen by the backend's name
#   --enable-metrics             without it there is no /metrics
#   --enable-cache-report        fills usage.prompt_tokens_details.cached_tokens, by which the trees are compared
#   --mem-fraction-static        the part of GPU memory for weights and pool
exec python3 -m sglang.launch_server \
  --model-path "$MODEL" \
  --host 0.0.0.0 \
  --port 8000 \
  --radix-cache-backend "${BACKEND:-radixlab}" \
  --page-size 16 \
  --schedule-policy lpm \
  --radix-eviction-policy lru \
  --enable-metrics \
  --enable-cache-report \
  --mem-fraction-static 0.85
