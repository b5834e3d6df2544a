"""`python -m benchmarks.program writer --publish`: run a program of this folder that needs the
models of DJANGO_SETTINGS_MODULE."""

import sys
from importlib import import_module

import django


def main() -> None:
    _, name, *sys.argv[1:] = sys.argv
    django.setup()
    import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
