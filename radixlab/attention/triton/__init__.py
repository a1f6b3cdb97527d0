"""Attention on a GPU, in Triton: one decode kernel for flat and tree plans, a merge, a prefill.

With `TRITON_INTERPRET=1` set before the import, the same kernels run on CPU tensors, slowly.
"""

from radixlab.attention.triton.backend import decode, prefill, require, write_kv

__all__ = ["decode", "prefill", "require", "write_kv"]
