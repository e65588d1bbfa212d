"""Train from a config file: the same function as `newsclf train`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
