"""Requests that are attacks themselves. Each is answered as a mistake of the client, and none is a fault of ours."""

import json

import pytest

from .kit import World, job

DEEP = "[" * 100_000 + "]" * 100_000

REFUSED = {
    "nothing": b"",
    "no JSON": b"\x00\xff",
    "half of JSON": b'{"language": "python"',
    "text in another encoding": json.dumps(job("out a")).encode("utf-16"),
    "arrays nested a hundred thousand times": DEEP.encode(),
    "arrays nested deep in a field": f'{{"language": {DEEP}}}'.encode(),
    "a number without end": b'{"language": "python", "version": ' + b"9" * 10_000 + b"}",
    "a limit that is no number": json.dumps(job("out a")).encode()[:-1] + b', "run_timeout": NaN}',
    "a limit above all": json.dumps(job("out a")).encode()[:-1] + b', "run_timeout": 1e999}',
    "a limit below all": json.dumps(job("out a", run_timeout=-5)).encode(),
    "a limit that is huge": json.dumps(job("out a", run_memory_limit=1 << 80)).encode(),
    "a name that climbs out": json.dumps(job(files=[{"name": "../../x", "content": "out a"}])).encode(),
    "content that is no base64": json.dumps(job(files=[{"content": "!", "encoding": "base64"}])).encode(),
    "content that is no hex": json.dumps(job(files=[{"content": "0g", "encoding": "hex"}])).encode(),
    "a language that is a path": json.dumps(job("out a", language="../python")).encode(),
    "a version that is a program": json.dumps(job("out a", version="*; rm -rf /")).encode(),
    "a version that takes long to read": json.dumps(job("out a", version="1" + " " * 50_000 + "x")).encode(),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_request_that_is_an_attack_is_a_mistake_of_the_client(open_world: World, name: str) -> None:
    answer = await open_world.client.post(
        "/api/v2/execute", content=REFUSED[name], headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500, answer.text[:300]
    assert "Traceback" not in answer.text
    assert len(answer.content) < 3 * len(REFUSED[name]) + 20_000
    # And the next one is served.
    assert (await open_world.execute(job("out a"))).json()["run"]["stdout"] == "a\n"


async def test_of_two_keys_of_one_name_one_counts(open_world: World) -> None:
    body = json.dumps(job("out a")).encode()[:-1] + b', "language": "python", "language": "python"}'
    answer = await open_world.client.post("/api/v2/execute", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
