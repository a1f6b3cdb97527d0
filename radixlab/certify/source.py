"""A subscriber to a server's KV events, and the tree that is built from them."""

from radixlab.observe.kv.remote import RemoteTree
from radixlab.observe.kv_events import watch_events

MOST_BLOCKS = 2**18


class EventSource:
    """A subscription; close it at the end.

    It listens from the start of a run on, so that nothing is missed when its check comes.
    """

    def __init__(self, endpoint: str, replay: str | None = None, topic: str = "") -> None:
        self.endpoint = endpoint
        self.watch = watch_events(
            endpoint, replay, topic, MOST_BLOCKS, num_host_blocks=MOST_BLOCKS, wait_s=0.0
        )

    @property
    def tree(self) -> RemoteTree:
        """The tree as told so far."""
        return self.watch.tree

    def close(self) -> None:
        """Stop listening."""
        self.watch.close()
