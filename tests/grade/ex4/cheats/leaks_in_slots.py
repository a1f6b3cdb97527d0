# earns: order, traces, tenant, examined, deterministic, prediction
# A linked list of objects with slots; no dict, no list, and nothing to iterate over.
class Link:
    __slots__ = ("after", "value")

    def __len__(self):
        raise TypeError("this has no length")


class Slotted:
    __slots__ = ("top",)


SLOTTED = Slotted()
SLOTTED.top = None


class MyPolicy(MyPolicy):
    def on_remove(self, node):
        super().on_remove(node)
        link = Link()
        link.value, link.after = node.id, SLOTTED.top
        SLOTTED.top = link
