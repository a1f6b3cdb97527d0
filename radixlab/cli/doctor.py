"""`radixlab doctor`: what works on this machine."""

import json

import click

from radixlab.cli.shared import examples


@click.command(epilog=examples("radixlab doctor", "radixlab doctor --json"))
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead of lines.")
def doctor(is_json: bool) -> int:
    """Say what works on this machine, and what to do about the rest.

    One line for each part. The exit code is 0 when all lessons can run, else 1.
    """
    from radixlab.doctor import as_json, as_text, examine, lessons_can_run

    findings = examine()
    click.echo(json.dumps(as_json(findings)) if is_json else as_text(findings))
    return 0 if lessons_can_run(findings) else 1
