"""The models that the course knows by name, and the folder of each.

This file knows names and paths. It does not know what is in a folder.
"""

import os
from pathlib import Path

from radixlab.choices import not_one_of
from radixlab.config import ConfigError, shown
from radixlab.model import smollm2
from radixlab.model.errors import MissingFileError
from radixlab.model.tiny import TINY

NAMES = ("tiny", "smollm2")
"""Names that stand for a folder; a folder of such a name in the current one is `./tiny`."""


def find_folder(model: str | Path) -> Path:
    """Return the folder of a model, which is given by a path or by a name that the course knows.

    Raises `MissingFileError` for a name that is not fetched yet, and for what is neither, and
    `ConfigError` for what cannot be a path.
    """
    if not isinstance(model, str | os.PathLike) or not str(model):
        raise ConfigError(f"model must be a folder or a name, not {shown(model)}")
    if model == "tiny":
        return TINY
    if model == "smollm2":
        folder = smollm2.default_folder()
        if not smollm2.is_there(folder):
            raise MissingFileError(
                f"smollm2 is not in {folder}: fetch it by radixlab model smollm2"
            )
        return folder
    if not Path(model).is_dir():
        raise MissingFileError(f"model {not_one_of(str(model), NAMES, unless='a folder')}")
    return Path(model)
