"""The measurements: which load each server gets, and what is read from /proc meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from bench.answers import MARK
from bench.figures import Figures, Report, Streams, at, beyond
from bench.job import Job, Result
from bench.proc import cpu_seconds, memory_mb
from bench.processes import ROOT, running
from bench.servers import Setting, Target

FIRST_MS, GAP_MS = 300, 20  # of the upstream's streams: 50 events a second
MANY = 16  # calls at a time, for the throughput
_PROMPT = "x" * 1024
_SAMPLE = 0.5  # seconds between two looks at the memory
_BUSY = 0.85  # of a core: then the generator or the upstream may have been what was measured


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` for each measurement of each server, and how many streams are held open in turn."""

    seconds: float
    streams: tuple[int, ...]

    @property
    def events(self) -> int:
        """How many events a stream has."""
        return max(1, round(self.seconds * 1000 / GAP_MS))


@dataclass(frozen=True, slots=True)
class _Run:
    """A load that has ended, and the CPU seconds of the server meanwhile."""

    result: Result
    cpu: float | None

    def cpu_us(self, among: int) -> float | None:
        """CPU for each of `among`, in microseconds."""
        return self.cpu / among * 1e6 if self.cpu is not None and among else None


class Bench:
    """One run over several servers. `say` is told what is going on."""

    def __init__(self, plan: Plan, setting: Setting, direct: Target, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._setting = setting
        self._direct = direct
        self._say = say
        cores = len(os.sched_getaffinity(0))
        self.report = Report(cores, plan.seconds, Figures(), {}, [])
        if cores < 3:
            self.report.notes.append(
                f"{cores} core(s) for server, upstream and generator: rates and latencies include waiting for CPU"
            )

    def run(self, servers: Sequence[Target]) -> Report:
        """Measure. Load by load and not server by server, so that what is compared is close in time."""
        for server in servers:
            idle = memory_mb(server.pid) if server.pid else None
            self.report.servers[server.name] = Figures(server.ready_seconds, idle, idle)
        everyone = [self._direct, *servers]
        for server in everyone:
            self._drive(server, "warm-up", self._job(server, MANY, seconds=min(0.5, self._plan.seconds)))
        for server in everyone:
            self._one_at_a_time(server)
        for server in servers:
            self._many_at_a_time(server)
        for number in self._plan.streams:
            for server in servers:
                self._streams(server, number)
        return self.report

    def _figures(self, server: Target) -> Figures:
        return self.report.servers.get(server.name, self.report.direct)

    def _one_at_a_time(self, server: Target) -> None:
        run = self._drive(server, "1 call at a time", self._job(server, 1, seconds=self._plan.seconds))
        figures, direct = self._figures(server), self.report.direct
        figures.p50_ms, figures.p99_ms = at(run.result.wait, 0.5), at(run.result.wait, 0.99)
        figures.failed_requests += sum(run.result.faults.values())
        if server is not self._direct:
            figures.added_p50_ms = beyond(figures.p50_ms, direct.p50_ms)
            figures.added_p99_ms = beyond(figures.p99_ms, direct.p99_ms)

    def _many_at_a_time(self, server: Target) -> None:
        run = self._drive(server, f"{MANY} calls at a time", self._job(server, MANY, seconds=self._plan.seconds))
        figures = self._figures(server)
        figures.requests_per_second = run.result.answers / run.result.seconds
        figures.cpu_us_per_request = run.cpu_us(run.result.answers)
        figures.failed_requests += sum(run.result.faults.values())

    def _streams(self, server: Target, number: int) -> None:
        run = self._drive(server, f"{number} streams", self._job(server, number, events=self._plan.events))
        result = run.result
        self._figures(server).streams.append(
            Streams(
                open=number,
                lost=sum(result.faults.values()),
                events_per_second=result.events / result.seconds,
                cpu_us_per_event=run.cpu_us(result.events),
                first_p50_ms=beyond(at(result.wait, 0.5), FIRST_MS),
                first_p99_ms=beyond(at(result.wait, 0.99), FIRST_MS),
            )
        )

    def _job(self, server: Target, connections: int, seconds: float = 0.0, events: int = 0) -> Job:
        asked: dict[str, object] = {"model": self._setting.model, "messages": [{"role": "user", "content": _PROMPT}]}
        if events:
            asked["stream"] = True
        return Job(
            url=server.url,
            body=msgspec.json.encode(asked).decode(),
            key=self._setting.key,
            connections=connections,
            limit=3 * self._plan.seconds + 10,
            seconds=seconds,
            events=events,
            mark=MARK,
        )

    def _drive(self, server: Target, what: str, job: Job) -> _Run:
        """Put a load on a server, and note what was odd about it."""
        self._say(f"{server.name}: {what}")
        before = cpu_seconds(server.pid) if server.pid else 0.0
        upstream = cpu_seconds(self._direct.pid) if self._direct.pid else 0.0
        result = self._generate(server, job)
        cpu = cpu_seconds(server.pid) - before if server.pid else None
        upstream = cpu_seconds(self._direct.pid) - upstream if self._direct.pid else 0.0
        notes = [f"{count} x {fault}" for fault, count in result.faults.items()]
        notes += [f"the generator took {result.busy:.0%} of a core"] if result.answers and result.busy > _BUSY else []
        notes += [f"the upstream took {upstream / result.seconds:.0%}"] if upstream > _BUSY * result.seconds else []
        self.report.notes += [f"{server.name}, {what}: {note}" for note in notes if what != "warm-up"]
        return _Run(result, cpu)

    def _generate(self, server: Target, job: Job) -> Result:
        """Run the generator in a process of its own, and look at the server's memory meanwhile."""
        command = [sys.executable, "-m", "bench.load"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with running(command, cwd=ROOT, start_new_session=True, **pipes) as process, process:
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(job))
            while True:
                try:
                    said, _ = process.communicate(timeout=_SAMPLE)
                    break
                except subprocess.TimeoutExpired:
                    self._note_memory(server)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        return msgspec.json.decode(said, type=Result)

    def _note_memory(self, server: Target) -> None:
        figures = self._figures(server)
        used = memory_mb(server.pid) if server.pid else None
        if used is not None:
            figures.peak_mb = max(used, figures.peak_mb or 0.0)
