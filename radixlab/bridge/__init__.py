"""The learner's parts, and ours, in production engines: SGLang's prefix cache, vLLM's CPU offload.

An engine asks its own questions (`match_prefix` of SGLang, `evict` of vLLM). This package answers
them with our tree, or with the tree and the policy of exercises 8.5.1 and 8.5.4. Neither engine is
needed to import it: `sglang_cache.py` and `vllm_policy.py` are the only files that import one.

What is tested where, and the launch commands, are in docs/bridge.md.
"""
