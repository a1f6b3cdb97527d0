"""A prefix is known by a digest of the one above and its last block; ids are bytes."""

from hashlib import blake2b
from struct import pack

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats

ROOT = b""


class RadixTree:
    def __init__(self, block_size):
        self.block_size = block_size
        self.block_of = {}  # digest -> block id
        self.tokens_of = {}
        self.above = {}
        self.below = {ROOT: 0}  # how many
        self.locks = {ROOT: 0}
        self.receipts = []

    def digests(self, tokens):
        digest = ROOT
        for end in range(self.block_size, len(tokens) + 1, self.block_size):
            block = tokens[end - self.block_size : end]
            above, digest = digest, blake2b(digest + pack(f"{len(block)}q", *block)).digest()
            yield above, digest, block

    def match_prefix(self, tokens):
        last, ids = ROOT, []
        for _, digest, _ in self.digests(tokens):
            if digest not in self.block_of:
                break
            last = digest
            ids.append(self.block_of[digest])
        return Match(last, ids)

    def insert(self, tokens, block_ids):
        last, own, cached, back = ROOT, [], 0, []
        for mine, (above, digest, block) in zip(block_ids, self.digests(tokens), strict=True):
            if digest in self.block_of:
                cached += 1
                if self.block_of[digest] != mine:
                    back.append(mine)
            else:
                self.block_of[digest], self.tokens_of[digest] = mine, block
                self.above[digest], self.below[digest], self.locks[digest] = above, 0, 0
                self.below[above] += 1
            last = digest
            own.append(self.block_of[digest])
        return InsertResult(last, own, cached, back)

    def path(self, digest):
        while digest:
            yield digest
            digest = self.above[digest]

    def lock(self, digest):
        for each in self.path(digest):
            self.locks[each] += 1
        self.receipts.append(digest)
        return len(self.receipts) - 1

    def unlock(self, number):
        digest, self.receipts[number] = self.receipts[number], None
        if digest is None:
            raise KeyError(number)
        for each in self.path(digest):
            self.locks[each] -= 1

    def evict(self, num_blocks):
        free = [d for d in self.block_of if not self.below[d] and not self.locks[d]]
        gone = []
        while free and len(gone) < num_blocks:
            digest = free.pop(0)
            gone.append(self.block_of.pop(digest))
            above = self.above.pop(digest)
            del self.tokens_of[digest], self.below[digest], self.locks[digest]
            self.below[above] -= 1
            if above and not self.below[above] and not self.locks[above]:
                free.append(above)
        return gone

    def walk(self):
        for digest, block_id in self.block_of.items():
            above = self.above[digest] or None
            yield NodeView(digest, above, self.tokens_of[digest], [block_id], self.locks[digest])

    def stats(self):
        count = [0, 0, 0]
        for digest in self.block_of:
            count[min(self.locks[digest], 2)] += 1
        return TreeStats(sum(count), *reversed(count))
