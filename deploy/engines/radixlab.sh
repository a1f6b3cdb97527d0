#!/bin/sh
# radixlab. Prefix caching is always on: it is what the course is about.
#   --num-blocks       size of the KV pool, in blocks
#   --block-size       tokens in a block; only whole blocks are shared
#   --policy           which cached blocks are evicted first
#   --max-queue        requests beyond it are refused with 429, so that clients back off
#   --drain-timeout    seconds that running requests get after SIGTERM
#   --kv-events        publish stored and removed blocks to a router, in vLLM's wire format
# Its keys come from .env, where `ps` does not show them: RADIXLAB_API_KEY is for clients; RADIXLAB_OPERATOR_KEY is for
# whoever may read /metrics, empty the cache and open /debug, which a client's key then may not.
exec radixlab serve ${RADIXLAB_MODEL:+"$RADIXLAB_MODEL"} \
  --host 0.0.0.0 \
  --port 8000 \
  --num-blocks 4096 \
  --block-size 16 \
  --policy lru \
  --max-queue 256 \
  --drain-timeout 30 \
  --kv-events "tcp://*:5557"
