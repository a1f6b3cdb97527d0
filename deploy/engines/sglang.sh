#!/bin/sh
# SGLang 0.5.23. RadixAttention is on by default; --disable-radix-cache switches it off.
#   --page-size                  tokens in a page (our block); 1 shares token by token
#   --schedule-policy            fcfs is the default; lpm takes the longest cached prefix first, and falls back above 128 waiting requests
#   --radix-eviction-policy      lru, lfu, slru, priority or tlru
#   --enable-hierarchical-cache  a host tier for evicted pages
#   --hicache-ratio              the host tier's size as a multiple of the pool
#   --hicache-write-policy       when pages are copied to the host
#   --enable-metrics             without it there is no /metrics
#   --enable-cache-report        fills usage.prompt_tokens_details.cached_tokens
#   --mem-fraction-static        the part of GPU memory for weights and pool
exec python3 -m sglang.launch_server \
  --model-path "$MODEL" \
  --host 0.0.0.0 \
  --port 8000 \
  --page-size 16 \
  --schedule-policy lpm \
  --radix-eviction-policy lru \
  --enable-hierarchical-cache \
  --hicache-ratio 2.0 \
  --hicache-write-policy write_through \
  --enable-metrics \
  --enable-cache-report \
  --mem-fraction-static 0.85
