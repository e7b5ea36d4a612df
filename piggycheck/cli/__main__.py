"""Run the command line as a module."""

from piggycheck.cli import main

main()
