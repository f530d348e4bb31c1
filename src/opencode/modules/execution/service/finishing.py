"""The end of a run, whoever comes to it: its worker, the person who stops it, or who finds it lost too often."""

from collections.abc import Sequence

from opencode.contracts.execution import RunFinished
from opencode.infra.observability import metrics
from opencode.modules.execution.domain.runs import Run, RunEventType
from opencode.modules.execution.domain.views import NativeRunOutlineView
from opencode.modules.execution.store import ExecutionWork, News


async def save_finished(work: ExecutionWork, was: Run, finished: Run, news: Sequence[News] = ()) -> bool:
    """
    Save the end of a run with everything that follows from it: its last events, the event for other modules, the
    webhook. All of it or, when the run is not how `was` has it any more, nothing: so a run ends once.
    """
    result, at = finished.result, finished.finished_at
    if result is None or at is None:
        raise ValueError(f"run {finished.id} is not finished")
    last = News(RunEventType.RUN_FINISHED, {"run": NativeRunOutlineView.of_outline(finished.outline)})
    if not await work.change(was, finished, [*news, last]):
        return False
    work.publish(RunFinished(run_id=finished.id, owner_id=finished.owner_id, status=result.verdict, finished_at=at))
    if finished.webhook:
        await work.stores.webhooks.add(finished.id, finished.webhook, at)
    work.after_commit(metrics.RUNS.labels(language=finished.request.language, verdict=result.verdict.value).inc)
    return True
