"""The command behind `make site`: it runs the lessons, and says what is left out."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import click
from tqdm import tqdm

import radixlab
from radixlab.escape import count
from radixlab.lesson.build import CellFailed
from radixlab.site.build import SiteError, Sources, claim, draw, lacking, print_sheet, write
from radixlab.site.links import DeadLinkError
from radixlab.site.paper import NotPrintedError
from radixlab.site.record import Recorded, committed, record

ROOT = Path(radixlab.__file__).resolve().parent.parent


@click.command()
@click.argument("folder", default="site", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--no-run", is_flag=True, help="Run no lesson: quick, with pictures instead of players."
)
def main(folder: Path, no_run: bool) -> None:
    """Build the course as a folder of pages: open FOLDER/index.html, or put it on any host."""
    try:
        build(folder, no_run=no_run)
    except (SiteError, DeadLinkError) as error:
        sys.exit(f"no site: {error}")


@dataclass
class Runner:
    """Gives each lesson with its recordings, shows how far it is, and notes what is left out."""

    no_run: bool
    bar: "tqdm[None]"
    left_out: list[str] = field(default_factory=list)

    def __call__(self, path: Path) -> Recorded:
        """Run one lesson; raise `SiteError` if it does not run."""
        self.bar.set_description(path.stem)
        package = lacking(path.name)
        if package:
            self.left_out.append(f"the players of {path.stem}: {package} is not installed")
        try:
            found = committed(path) if self.no_run or package else record(path)
        except CellFailed as error:
            raise SiteError(f"{path.name} does not run, and the old site stays. {error}") from None
        self.bar.update()
        return found


def build(folder: Path, *, no_run: bool) -> None:
    """Run the lessons, with a progress bar, and write the site."""
    claim(folder)
    sources = Sources.of(ROOT)
    num_lessons = sum(source.startswith("notebooks/") for source in sources.notebooks)
    with tqdm(total=num_lessons, unit="lesson", disable=None) as bar:
        run = Runner(no_run, bar)
        pages, links = draw(sources, run)
    if no_run:
        run.left_out.append("all players: --no-run shows pictures instead")
    pdf = None
    try:
        pdf = print_sheet(pages)
    except NotPrintedError as error:
        run.left_out.append(f"cheatsheet.pdf: {error}; cheatsheet.html prints on one page")
    write(folder, pages, links, pdf)
    num_players = sum(page.body.count('<figure class="player"') for page in pages)
    print(f"{folder / 'index.html'}: {len(pages) + 1} pages, {count(num_players, 'player')}")
    for what in run.left_out:
        print(f"left out: {what}")
