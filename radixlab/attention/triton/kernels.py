"""The GPU kernels. They trust their arguments, which `checks` has checked on the host.

All kernels find the key of a token in the same way: token t of a span or a sequence is in block
`block_ids[first + t // block_size]`, at offset `t % block_size`. Addresses are int64: a pool of
70 GB has more than 2^31 numbers.

Inside, the softmax is in base 2, because the hardware has exp2. The stored `lse` is a natural
logarithm.
"""

# mypy: ignore-errors
# (Triton's language is not Python's: its types mean nothing to mypy.)

import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)
LN2 = tl.constexpr(0.6931471805599453)


@triton.jit
def _key_rows(block_ids, first, token, valid, BLOCK_SIZE: tl.constexpr):
    """Return the row `[keys]`, int64, of each token in a pool seen as `[slots, kv_heads, D]`."""
    if valid is None:
        block = tl.load(block_ids + first + token // BLOCK_SIZE)
    else:
        block = tl.load(block_ids + first + token // BLOCK_SIZE, mask=valid, other=0)
    return block.to(tl.int64) * BLOCK_SIZE + token % BLOCK_SIZE


@triton.jit
def _online_softmax(acc, high, total, scores, v, scale, PRECISION: tl.constexpr):
    """Add one tile of keys: `scores` `[rows, keys]` before their scale, -inf where masked."""
    new_high = tl.maximum(high, tl.max(scores, 1) * scale)
    safe = tl.where(new_high == float("-inf"), 0.0, new_high)  # a row that has seen no key yet
    weight = tl.exp2(scores * scale - safe[:, None])  # one multiply-add each
    keep = tl.exp2(high - safe)
    acc = acc * keep[:, None] + tl.dot(weight.to(v.dtype), v, input_precision=PRECISION)
    return acc, new_high, total * keep + tl.sum(weight, 1)


@triton.jit
def _attend_keys(
    acc,
    high,
    total,
    q_tile,  # [ROWS, D]
    position,  # int32 [ROWS]: the last token that a row may see
    k_pool,
    v_pool,
    block_ids,
    first,  # the index in block_ids of the block of token 0
    kv_head,
    start,
    stop,
    scale,
    HK: tl.constexpr,
    D: tl.constexpr,
    BLOCK_SIZE: tl.constexpr,
    KEYS: tl.constexpr,
    PRECISION: tl.constexpr,
    MASKED: tl.constexpr,
):
    """Add the tokens `[start, stop)`; without `MASKED` they are whole tiles that all rows see.

    A mask costs a comparison for each score, so only the last tiles have one.
    """
    d = tl.arange(0, D)
    for tile in range(start, stop, KEYS):
        token = tile + tl.arange(0, KEYS)
        valid = token < stop if MASKED else None
        key = _key_rows(block_ids, first, token, valid, BLOCK_SIZE)
        offset = (key * HK + kv_head)[:, None] * D + d  # [KEYS, D]
        if MASKED:
            k = tl.load(k_pool + offset, mask=valid[:, None], other=0.0)
            v = tl.load(v_pool + offset, mask=valid[:, None], other=0.0)
        else:
            k = tl.load(k_pool + offset)
            v = tl.load(v_pool + offset)
        scores = tl.dot(q_tile, tl.trans(k), input_precision=PRECISION)
        if MASKED:
            seen = valid[None, :] & (token[None, :] <= position[:, None])
            scores = tl.where(seen, scores, float("-inf"))
        acc, high, total = _online_softmax(acc, high, total, scores, v, scale, PRECISION)
    return acc, high, total


@triton.jit
def decode_spans(
    q,  # [B, H, D], in the caller's order
    k_pool,  # [num_blocks, BLOCK_SIZE, HK, D]
    v_pool,
    order,  # int32 [B]
    block_ids,  # int32
    first_block,  # int32 [num_spans], like the next four arrays of the plan
    num_tokens,
    first_query,
    num_queries,
    first_part,
    item_span,  # int32 [num_items]: a work item is a span and a tile of its rows
    item_row,  # int32 [num_items]: the first row of the tile
    partial_out,  # fp32 [num_parts, H, D]; with ONE_PART the result, like q
    partial_lse,  # fp32 [num_parts, H]; with ONE_PART [B, H]
    scale,  # of the attention scores, times log2(e)
    H: tl.constexpr,
    HK: tl.constexpr,
    D: tl.constexpr,
    BLOCK_SIZE: tl.constexpr,
    ROWS: tl.constexpr,
    KEYS: tl.constexpr,
    PRECISION: tl.constexpr,
    ONE_PART: tl.constexpr,  # no query has another part, so nothing is merged
):
    """Attend one tile of rows over one span, for one KV head.

    A row is a query and one of the G heads that share the KV head: row r is query r // G.
    """
    item, kv_head = tl.program_id(0), tl.program_id(1)
    G: tl.constexpr = H // HK
    span = tl.load(item_span + item)
    row = tl.load(item_row + item) + tl.arange(0, ROWS)
    query = row // G
    live = query < tl.load(num_queries + span)
    rank = tl.load(first_query + span) + query
    batch_row = tl.load(order + rank, mask=live, other=0).to(tl.int64)
    head = kv_head * G + row % G
    d = tl.arange(0, D)
    q_tile = tl.load(
        q + (batch_row * H + head)[:, None] * D + d, mask=live[:, None], other=0.0
    )  # [ROWS, D]

    acc = tl.zeros([ROWS, D], tl.float32)
    high = tl.full([ROWS], float("-inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    first, stop = tl.load(first_block + span), tl.load(num_tokens + span)
    EXACT: tl.constexpr = PRECISION == "ieee"  # two loops of these would not fit in registers
    whole = 0 if EXACT else stop // KEYS * KEYS
    all_of_it = tl.full([ROWS], 2147483647, tl.int32)
    if not EXACT:
        acc, high, total = _attend_keys(
            acc, high, total, q_tile, all_of_it, k_pool, v_pool, block_ids, first, kv_head,
            0, whole, scale, HK, D, BLOCK_SIZE, KEYS, PRECISION, False,
        )  # fmt: skip
    acc, high, total = _attend_keys(
        acc, high, total, q_tile, all_of_it, k_pool, v_pool, block_ids, first, kv_head,
        whole, stop, scale, HK, D, BLOCK_SIZE, KEYS, PRECISION, True,
    )  # fmt: skip

    if ONE_PART:
        target = batch_row * H + head
    else:
        target = (tl.load(first_part + span) + query).to(tl.int64) * H + head
    out = (acc / total[:, None]).to(partial_out.dtype.element_ty)
    lse = (high + tl.log2(total)) * LN2
    tl.store(partial_out + target[:, None] * D + d, out, mask=live[:, None])
    tl.store(partial_lse + target, lse, mask=live)


@triton.jit
def merge_partials(
    partial_out,  # fp32 [num_parts, H, D]
    partial_lse,  # fp32 [num_parts, H]
    order,  # int32 [B]
    part_starts,  # int32 [B + 1]
    parts,  # int32 [num_parts]: the parts of each rank
    out,  # [B, H, D], in the caller's order
    lse,  # fp32 [B, H]
    H: tl.constexpr,
    D: tl.constexpr,
    PARTS: tl.constexpr,
):
    """Merge the parts of one query and one head, `PARTS` of them at a time."""
    rank, head = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, D)
    acc = tl.zeros([D], tl.float32)
    high, total = float("-inf"), 0.0
    stop = tl.load(part_starts + rank + 1)
    for start in range(tl.load(part_starts + rank), stop, PARTS):
        i = start + tl.arange(0, PARTS)
        valid = i < stop
        part_index = tl.load(parts + i, mask=valid, other=0).to(tl.int64)
        row = part_index * H + head
        part_lse = tl.load(partial_lse + row, mask=valid, other=float("-inf")) * LOG2E
        part = tl.load(partial_out + row[:, None] * D + d, mask=valid[:, None], other=0.0)
        new_high = tl.maximum(high, tl.max(part_lse, 0))
        keep, weight = tl.exp2(high - new_high), tl.exp2(part_lse - new_high)
        acc = acc * keep + tl.sum(part * weight[:, None], 0)
        total = total * keep + tl.sum(weight, 0)
        high = new_high
    row = tl.load(order + rank).to(tl.int64)
    tl.store(out + (row * H + head) * D + d, (acc / total).to(out.dtype.element_ty))
    tl.store(lse + row * H + head, (high + tl.log2(total)) * LN2)


@triton.jit
def prefill_tiles(
    q,  # [T, H, D]
    k_pool,  # [num_blocks, BLOCK_SIZE, HK, D]
    v_pool,
    cu_q,  # int32 [B + 1]
    block_tables,  # int32 [B, max_blocks]
    max_blocks,
    context_lens,  # int32 [B]
    tile_row,  # int32 [num_tiles]: the sequence of a tile of queries
    tile_start,  # int32 [num_tiles]: its first query, counted from the sequence's first new token
    out,  # [T, H, D]
    lse,  # fp32 [T, H]
    scale,
    H: tl.constexpr,
    HK: tl.constexpr,
    D: tl.constexpr,
    BLOCK_SIZE: tl.constexpr,
    ROWS: tl.constexpr,  # queries of a tile times G
    KEYS: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Attend a tile of new tokens over all earlier ones, cached or new, for one KV head."""
    tile, kv_head = tl.program_id(0), tl.program_id(1)
    G: tl.constexpr = H // HK
    sequence = tl.load(tile_row + tile)
    start_q, stop_q = tl.load(cu_q + sequence), tl.load(cu_q + sequence + 1)
    context = tl.load(context_lens + sequence)
    num_cached = context - (stop_q - start_q)
    row = tl.arange(0, ROWS)
    query = tl.load(tile_start + tile) + row // G  # within the new tokens
    live = query < stop_q - start_q
    head = kv_head * G + row % G
    d = tl.arange(0, D)
    token_q = (start_q + query).to(tl.int64)
    q_tile = tl.load(q + (token_q * H + head)[:, None] * D + d, mask=live[:, None], other=0.0)

    position = num_cached + query
    acc = tl.zeros([ROWS, D], tl.float32)
    high = tl.full([ROWS], float("-inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    first = sequence.to(tl.int64) * max_blocks
    before = num_cached + tl.load(
        tile_start + tile
    )  # the tile's first query sees these, and itself
    stop = tl.minimum(context, before + (ROWS + G - 1) // G)
    EXACT: tl.constexpr = PRECISION == "ieee"  # two loops of these would not fit in registers
    whole = 0 if EXACT else (before + 1) // KEYS * KEYS
    if not EXACT:
        acc, high, total = _attend_keys(
            acc, high, total, q_tile, position, k_pool, v_pool, block_tables, first, kv_head,
            0, whole, scale, HK, D, BLOCK_SIZE, KEYS, PRECISION, False,
        )  # fmt: skip
    acc, high, total = _attend_keys(
        acc, high, total, q_tile, position, k_pool, v_pool, block_tables, first, kv_head,
        whole, stop, scale, HK, D, BLOCK_SIZE, KEYS, PRECISION, True,
    )  # fmt: skip

    result = acc / total[:, None]
    offset = (token_q * H + head)[:, None] * D + d
    tl.store(out + offset, result.to(out.dtype.element_ty), mask=live[:, None])
    tl.store(lse + token_q * H + head, (high + tl.log2(total)) * LN2, mask=live)


@triton.jit
def write_slots(k_new, v_new, k_pool, v_pool, slots, WIDTH: tl.constexpr, PADDED: tl.constexpr):
    """Copy one token's keys and values, `[HK · D]` = `WIDTH` numbers each, to its slot."""
    token = tl.program_id(0).to(tl.int64)
    slot = tl.load(slots + token).to(tl.int64)
    i = tl.arange(0, PADDED)
    valid = i < WIDTH
    tl.store(k_pool + slot * WIDTH + i, tl.load(k_new + token * WIDTH + i, mask=valid), mask=valid)
    tl.store(v_pool + slot * WIDTH + i, tl.load(v_new + token * WIDTH + i, mask=valid), mask=valid)


INTERPRETED = not isinstance(write_slots, triton.JITFunction)
"""Whether `TRITON_INTERPRET=1` was set at import: then the kernels run on CPU tensors."""
