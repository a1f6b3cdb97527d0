"""What a page of the site is, before the frame around it is drawn."""

from dataclasses import dataclass, field

from radixlab.site.markdown import Heading


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its address, its title, and its body as HTML."""

    path: str
    """From the site's root, with forward slashes."""
    title: str
    group: str
    """The part of the course that it belongs to; pages of a group are read in order."""
    body: str
    headings: tuple[Heading, ...] = ()
    lead: str = ""
    """One or two sentences for the list on the first page; the question of a lesson."""
    note: str = ""
    """A few words beside the title in that list: minutes, points, players."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What the page needs beside it: pictures and recordings, by their paths from the root."""
