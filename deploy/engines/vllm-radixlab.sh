#!/bin/sh
# vLLM 0.33.0 with our eviction policy, or yours, on its CPU tier. Not run here: it needs a GPU. docs/bridge.md says what was run instead.
# First: pip install radixlab into vLLM's own environment, for instance `pip install -e /radixlab`.
# POLICY is RadixlabLRU (no chunk goes before those that follow it), RadixlabFlatLRU (evicts as vLLM's lru does), RadixlabAdaptive, or
# RadixlabYours: the policy of exercise 8.5.4, from the file that RADIXLAB_POLICY names: RADIXLAB_POLICY=/work/mine.py:MyPolicy
#   --block-size                     tokens in a block; only whole blocks are shared
#   --enable-prompt-tokens-details   fills usage.prompt_tokens_details.cached_tokens, by which policies are compared
#   --kv-offloading-size             GiB of host memory for the second tier
#   --kv-offloading-backend          native is vLLM's own tier, the one that takes a policy
#   --kv-transfer-config             names the policy: eviction_policy is a class, cache_policy_module_path its module
#   --gpu-memory-utilization         the part of GPU memory that vLLM takes; a small one makes the second tier matter
exec vllm serve "$MODEL" \
  --host 0.0.0.0 \
  --port 8000 \
  --enable-prefix-caching \
  --block-size 16 \
  --enable-prompt-tokens-details \
  --kv-offloading-size 8 \
  --kv-offloading-backend native \
  --kv-transfer-config "{\"kv_connector\": \"OffloadingConnector\", \"kv_role\": \"kv_both\", \"kv_connector_extra_config\": {\"eviction_policy\": \"${POLICY:-RadixlabLRU}\", \"cache_policy_module_path\": \"radixlab.bridge.vllm_policy\"}}" \
  --gpu-memory-utilization 0.9
