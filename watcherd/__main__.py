"""`python -m watcherd` is the command `watcherd`."""

from watcherd.cli import main

if __name__ == "__main__":
    main()
