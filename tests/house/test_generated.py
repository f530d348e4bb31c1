"""What is generated and committed is what would be generated now."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_types_of_the_web_client_are_those_of_the_committed_description(tmp_path: Path) -> None:
    generator = ROOT / "web" / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    made = tmp_path / "schema.d.ts"
    node = Path(sys.executable).with_name("node")
    subprocess.run([node, generator, ROOT / "openapi.json", "-o", made], check=True, capture_output=True, timeout=60)
    committed = ROOT / "web" / "src" / "lib" / "api" / "schema.d.ts"
    assert made.read_text(encoding="utf-8") == committed.read_text(encoding="utf-8"), "run make openapi"
