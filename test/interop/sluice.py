"""Runs the command `sluice` that this checkout builds."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["node", os.environ.get("SLUICE_CLI", str(ROOT / "dist" / "cli" / "main.js"))]


def sluice(*args, stdin=None):
    """Runs it and returns the finished process; output is bytes."""
    command = [*COMMAND, *map(str, args)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120)


def apply(ops, source, target, *options):
    """Runs `sluice apply`, which must succeed."""
    done = sluice("apply", ops, source, target, *options)
    assert done.returncode == 0, done.stderr.decode()
    return done


def apply_bytes(ops, data, *options):
    """Through a pipe: bytes in, bytes out."""
    done = sluice("apply", ops, "-", "-", *options, stdin=data)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def refused(*args, code=1):
    """Runs a command that must fail with this exit code, and returns what it says."""
    done = sluice(*args)
    assert done.returncode == code, (done.returncode, done.stderr.decode())
    return done.stderr.decode()
