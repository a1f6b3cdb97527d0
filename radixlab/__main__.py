"""`python -m radixlab` is the command `radixlab`."""

from radixlab.cli import main

if __name__ == "__main__":
    main()
