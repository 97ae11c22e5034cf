"""The command `env`: the machine, and what here will spoil a measurement."""

import typer

from bench.cli.options import say

app = typer.Typer()


@app.command()
def env() -> None:
    """Show the machine and the switches, and what here will spoil a measurement and what to do about it."""
    from dataclasses import asdict

    from bench.display import numbers
    from bench.machine import checkup, cpus, description
    from bench.worker.interpreters import package_version
    from impls import environment as impls_environment
    from impls.registry import BUILT_IN, all_packages

    machine = description.machine()
    for name, value in asdict(machine).items():
        shown = numbers.figure(name, value) if name.endswith("_bytes") else value
        say(f"{name.removesuffix('_bytes').replace('_', ' '):20} {'-' if value in (None, '') else shown}")
    for package in all_packages():
        say(f"{package:20} {package_version(package)}")
    threads = cpus.default_threads(machine.available_cpus)
    for name, value in impls_environment.environment(BUILT_IN[0], "cpu", threads).items():
        say(f"{name:30} {value}")
    say(f"\nlooking at what else runs here, {checkup.SECONDS:g} s")
    for finding in checkup.examine():
        say(finding.line)
