"""`python -m sentinel` is `sentinel`."""

from sentinel.cli import main

if __name__ == "__main__":
    main()
