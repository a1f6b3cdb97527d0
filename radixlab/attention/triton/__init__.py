"""Attention on a GPU, in Triton: a decode kernel for both plans, a merge and a prefill kernel.

With `TRITON_INTERPRET=1` set before the import, the same kernels run on CPU tensors, slowly.
"""

from radixlab.attention.triton.backend import decode, prefill, require, write_kv

__all__ = ["decode", "prefill", "require", "write_kv"]
