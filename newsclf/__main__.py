"""`python -m newsclf` is the newsclf command."""

from newsclf.cli import main

if __name__ == "__main__":
    main()
