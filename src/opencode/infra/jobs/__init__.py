"""Timed work of this process."""

from opencode.infra.jobs.periodic import Job, run_job

__all__ = ["Job", "run_job"]
