#!/bin/sh
# vLLM 0.33.0. Prefix caching is on by default; --no-enable-prefix-caching switches it off.
#   --block-size                     tokens in a block; only whole blocks are shared
#   --prefix-caching-hash-algo       how a block's key is made; sha256 is the default, sha256_cbor is the same in every process
#   --enable-prompt-tokens-details   fills usage.prompt_tokens_details.cached_tokens, which is null without it
#   --kv-offloading-size             GiB of host memory for a second tier of blocks; older texts say swap_space, which is gone
#   --kv-offloading-backend          native is vLLM's own; lmcache is the other
#   --gpu-memory-utilization         the part of GPU memory that vLLM takes; what the model leaves of it is the pool
# POST /reset_prefix_cache exists only with VLLM_SERVER_DEV_MODE=1; never set it where strangers reach the port.
exec vllm serve "$MODEL" \
  --host 0.0.0.0 \
  --port 8000 \
  --enable-prefix-caching \
  --block-size 16 \
  --prefix-caching-hash-algo sha256 \
  --enable-prompt-tokens-details \
  --kv-offloading-size 8 \
  --kv-offloading-backend native \
  --gpu-memory-utilization 0.9
