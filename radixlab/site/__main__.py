"""`python -m radixlab.site`: what `make site` runs."""

import sys

from radixlab.extras import what_to_install

if __name__ == "__main__":
    try:
        from radixlab.site.command import main
    except ImportError as error:
        if (advice := what_to_install(error)) is None:
            raise
        sys.exit(f"no site: {advice}")
    main()
