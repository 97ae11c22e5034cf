"""The commands that show what there is: ``list``, ``data``, ``env``."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command("list")
def list_(
    file: Annotated[Path | None, typer.Option("--workloads", help="TOML file with networks of your own.")] = None,
    devices: Annotated[
        bool, typer.Option("--devices", help="Start each framework and ask it what it can use; takes a minute.")
    ] = False,
    python: Annotated[
        list[str] | None, typer.Option(help="FRAMEWORK=PATH: another interpreter for a framework; may be repeated.")
    ] = None,
) -> None:
    """Show the implementations, the devices that they can use here, and the networks."""
    from bench import catalogue

    print(
        catalogue.text(file, shutil.get_terminal_size().columns if sys.stdout.isatty() else 140, devices, python or ())
    )


@app.command()
def data(
    directory: Annotated[
        Path | None, typer.Argument(envvar="FCNBENCH_DATA", help="A directory with IDX files to check.")
    ] = None,
) -> None:
    """Fetch MNIST once, check it against the published digests, and show where it lies."""
    from bench import fetch, mnist

    root = fetch.find(directory, say=print)
    found = mnist.describe(root)
    print(f"{found.name}: {found.n_train:,} training and {found.n_test:,} test images in {root / 'MNIST' / 'raw'}")
    for name, md5 in found.md5.items():
        print(f"  {name}  md5 {md5}")


@app.command()
def env() -> None:
    """Show the machine and the switches, and what here will spoil a measurement and what to do about it."""
    from dataclasses import asdict

    from bench import doctor, environment
    from bench.plan import package_version
    from impls import registry

    machine = environment.machine()
    for name, value in asdict(machine).items():
        print(f"{name:20} {'-' if value in (None, '') else value}")
    for package in registry.all_packages():
        print(f"{package:20} {package_version(package)}")
    for name, value in registry.environment(registry.BUILT_IN[0], "cpu", machine.available_cpus).items():
        print(f"{name:30} {value}")
    print(f"\nlooking at what else runs here, {doctor.SECONDS:g} s", flush=True)
    for finding in doctor.examine():
        print(finding.line)
