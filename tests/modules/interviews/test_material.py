"""What a model is told of an interview: always within its budget, and nothing that opens anything."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.contracts.execution import Verdict
from opencode.kernel.ids import InterviewId, MessageId, RunId
from opencode.modules.interviews.domain.interview import InterviewState
from opencode.modules.interviews.domain.material import BYTES_PER_TOKEN, Record, material_of
from opencode.modules.interviews.domain.people import Part, Participant, Status
from opencode.modules.interviews.domain.records import Message, Signal
from opencode.modules.interviews.domain.run import Run
from tests.modules.interviews.test_domain import NOW, interview

MARK = "=== 5f1c"
HOST = Participant("usr_1", InterviewId("int_1"), "Grace", Part.INTERVIEWER, Status.ADMITTED, 0, NOW, NOW)
ADA = Participant("par_1", InterviewId("int_1"), "Ada", Part.CANDIDATE, Status.ADMITTED, 1, NOW, NOW)
TEXT = st.text(max_size=400)


def message(text: str) -> Message:
    return Message(MessageId("msg_1"), InterviewId("int_1"), "par_1", "Ada", Part.CANDIDATE, text, NOW)


def run(stdout: str, minute: int = 0) -> Run:
    return Run(
        RunId("run_1"),
        InterviewId("int_1"),
        "python",
        "print(1)",
        "",
        (),
        "par_1",
        "Ada",
        NOW + timedelta(minutes=minute),
        NOW,
        stdout=stdout,
        status=Verdict.OK,
        wall_time_ms=12,
    )


def record(code: dict[str, str], printed: list[str], said: list[str]) -> Record:
    subject = interview(state=InterviewState.ENDED, started_at=NOW, ended_at=NOW + timedelta(minutes=50))
    signals = [Signal("sig_1", InterviewId("int_1"), "par_1", "paste", NOW + timedelta(minutes=7), 80)]
    # Newest first, as the store has them.
    runs = [run(each, minute) for minute, each in enumerate(printed)]
    return Record(subject, [HOST, ADA], code, runs, [message(text) for text in said], signals, [(NOW, Part.CANDIDATE)])


@given(
    st.dictionaries(st.sampled_from(["python", "go", "rust"]), st.text(max_size=6000)),
    st.lists(TEXT, max_size=12),
    st.lists(TEXT, max_size=12),
    st.integers(1, 3000),
)
def test_it_is_never_longer_than_its_budget(
    code: dict[str, str], printed: list[str], said: list[str], most_tokens: int
) -> None:
    material = material_of(record(code, printed, said), most_tokens=most_tokens, mark=MARK)
    assert len(material.encode()) <= most_tokens * BYTES_PER_TOKEN


def test_what_some_leave_goes_to_others_and_what_is_cut_says_so() -> None:
    long = "x = 1\n" * 4000
    whole = record({"python": "print(1)", "go": long}, ["newest", "oldest"], ["Hello", "Goodbye"])
    material = material_of(whole, most_tokens=3000, mark=MARK)
    for there in ("print(1)", "oldest", "Hello", "the candidate: Goodbye", "7 min: the candidate pasted 80 characters"):
        assert there in material
    assert "[some of it is left out here]" in material
    assert material.count("x = 1\n") > 600
    assert material.index("printed:\noldest") < material.index("printed:\nnewest")


@pytest.mark.parametrize(
    "secret",
    [
        "oct_" + "k" * 43,
        "sk-proj-" + "a1B2" * 8,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_credential_is_taken_out(secret: str) -> None:
    told = record(
        {"python": f"KEY = '{secret}'\ntest_the_longest_name_of_all_the_tests()"}, [secret], [f"It is {secret}"]
    )
    material = material_of(told, most_tokens=3000, mark=MARK)
    assert secret not in material
    assert material.count("[credential]") == 3
    assert "test_the_longest_name_of_all_the_tests()" in material
