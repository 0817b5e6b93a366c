"""The command line: `coflex`, or `python -m coflex`."""

from orchestrator.cli import main

if __name__ == "__main__":
    main()
