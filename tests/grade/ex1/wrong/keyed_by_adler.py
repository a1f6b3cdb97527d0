# loses: children, work
# The key is another checksum of the block's bytes.
from array import array
from zlib import adler32


def key_of(block):
    return adler32(array("q", block).tobytes())


class Children(dict):
    def get(self, block):
        child = super().get(key_of(block))
        return child if child and child.block == block else None

    def __setitem__(self, block, child):
        super().__setitem__(key_of(block), child)
        child.block = block

    def __delitem__(self, block):
        super().__delitem__(key_of(block))


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Children()
