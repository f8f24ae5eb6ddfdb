"""`python -m nacrith`."""

from nacrith.cli import main

if __name__ == "__main__":
    main()
