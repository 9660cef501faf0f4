"""Intake: events acknowledged a second, and none lost or doubled whatever is killed, whenever.

One service worker, batches of 100, the embedded Valkey with its append-only file on. First a
timed stretch; then runs in which service, log writer and Valkey are each killed with -9 at a
random moment while a client keeps posting and retrying, and the Parquet log is counted.
"""

import http.client
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from benchmarks.embedded import held_server, kill_server
from benchmarks.harness import ROOT, Arguments, Outcome, at_least, exactly
from benchmarks.load import drive, post
from benchmarks.servers import Server, cores, environment, our_service, pinned
from domain.errors import ScientistError
from feature_store.log.reader import read_log
from feature_store.settings import Home

BATCH = 100
USERS = 20_000
CONNECTIONS = 8
BAR = 20_000
RUNS = 20
CHAOS_BATCHES = 150
CHAOS_CLIENTS = 4
VICTIMS = ("service", "writer", "valkey")
PATIENCE_S = 60.0


def batch_body(name: str, number: int) -> bytes:
    """Build batch `number` of 100 events; the same name and number give the same event_ids."""
    rows: list[str] = []
    for row in range(number * BATCH, (number + 1) * BATCH):
        user = row * 7_919 % USERS
        rows.append(
            f'{{"event_id":"{name}-{row:012d}","user":"user-{user:06d}","kind":"click",'
            f'"item":"item-{row * 104_729 % 5_000:05d}","value":12.5,"channel":"web"}}'
        )
    return ("[" + ",".join(rows) + "]").encode()


def _rate(seconds: float) -> dict[str, float]:
    server_core, client_core = cores()
    with tempfile.TemporaryDirectory(prefix="intake-") as folder:
        home = Path(folder)
        # The server shares the client's core: in production it stands on another machine.
        with (
            held_server(home, client_core),
            our_service(home, server_core) as service,
            pinned(client_core),
        ):
            load = drive(
                service.address,
                lambda number: post("/v1/events", batch_body("rate", number)),
                expect=202,
                connections=CONNECTIONS,
                seconds=seconds,
                warm_seconds=2.0,
            )
    return {
        "events_per_second": load.per_second * BATCH,
        "batch_p50_ms": load.p50_ms,
        "batch_p99_ms": load.p99_ms,
    }


class _Poster:
    """One client: posts a batch until it is acknowledged, as a sound client does."""

    def __init__(self, address: tuple[str, int], name: str) -> None:
        self.address, self.name = address, name

    def __call__(self, number: int) -> int:
        body = batch_body(self.name, number)
        deadline = time.monotonic() + PATIENCE_S
        tries = 0
        while time.monotonic() < deadline:
            tries += 1
            link = http.client.HTTPConnection(*self.address, timeout=10)
            try:
                link.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
                answer = link.getresponse()
                answer.read()
                if answer.status == 202:
                    return tries
                if answer.status < 500:
                    raise ScientistError(f"a batch was refused with {answer.status}")
            except (OSError, http.client.HTTPException):
                pass
            finally:
                link.close()
            time.sleep(0.05)
        raise ScientistError(f"a batch was not acknowledged within {PATIENCE_S:.0f} s")


class Chaos:
    """Service, log writer and Valkey over one home, and the means to kill each of them."""

    def __init__(self, home: Path, service: Server, writer: Server, valkey: object) -> None:
        self.home, self.service, self.writer, self.valkey = home, service, writer, valkey
        self.kills = 0

    def kill(self, victim: str) -> None:
        """Kill -9 `victim`; ours are started again at once, Valkey by whoever needs it."""
        if victim == "valkey":
            try:
                kill_server(self.valkey)  # pyright: ignore[reportArgumentType]
            except OSError:
                return
        else:
            server = self.service if victim == "service" else self.writer
            server.kill()
            server.restart()
        self.kills += 1

    def run(self, name: str, seed: int) -> tuple[int, int]:
        """Post while killing each victim once at a random moment; answer (lost, duplicated)."""
        rng = random.Random(seed)
        moments = sorted((rng.uniform(0.0, 3.0), victim) for victim in VICTIMS)
        done = threading.Event()

        def killer() -> None:
            started = time.monotonic()
            for moment, victim in moments:
                done.wait(max(0.0, started + moment - time.monotonic()))
                self.kill(victim)

        thread = threading.Thread(target=killer)
        thread.start()
        poster = _Poster(self.service.address, name)
        with ThreadPoolExecutor(CHAOS_CLIENTS) as pool:
            list(pool.map(poster, range(CHAOS_BATCHES)))
        done.set()
        thread.join()
        self.drain()
        return count_log(self.home, name, CHAOS_BATCHES * BATCH)

    def drain(self) -> None:
        """Bring everything acknowledged into the log, through whoever holds it."""
        command = [sys.executable, "-m", "feature_store.log", "drain"]
        for _ in range(3):
            done = subprocess.run(
                command, cwd=ROOT, env=environment(self.home), capture_output=True, check=False
            )
            if done.returncode == 0:
                return
        raise ScientistError(f"the log could not be drained: {done.stdout.decode()[-300:]}")


def count_log(home: Path, name: str, sent: int) -> tuple[int, int]:
    """Answer (lost, duplicated) among the `sent` events whose ids begin with `name`."""
    ids = read_log(Home(home).log, ["event_id"]).filter(
        pl.col("event_id").str.starts_with(f"{name}-")
    )
    distinct = ids["event_id"].n_unique()
    return sent - distinct, ids.height - distinct


def _chaos(runs: int) -> dict[str, float]:
    lost = duplicated = kills = 0
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        home = Path(folder)
        with held_server(home, None) as embedded, our_service(home, None) as service:
            command = [sys.executable, "-m", "feature_store.log", "run"]
            command += ["--seconds", "0.3", "--rows", "500"]
            writer = Server(command, 0, None, environment(home))
            chaos = Chaos(home, service, writer, embedded)
            try:
                for run in range(runs):
                    missing, twice = chaos.run(f"run{run}", run)
                    lost, duplicated = lost + missing, duplicated + twice
                    print(f"  run {run + 1}: lost {missing}, duplicated {twice}", flush=True)
            finally:
                kills = chaos.kills
                chaos.writer.stop()
    return {
        "runs": runs,
        "kills": kills,
        "events": runs * CHAOS_BATCHES * BATCH,
        "lost": lost,
        "duplicated": duplicated,
    }


def run(arguments: Arguments) -> Outcome:
    """Measure the rate, then lose nothing; needs no data but its own."""
    figures = _rate(arguments.seconds or 8.0)
    figures |= _chaos(arguments.runs or RUNS)
    bars = [
        at_least("events_per_second", figures, BAR),
        exactly("lost", figures, 0),
        exactly("duplicated", figures, 0),
    ]
    notes = [
        f"rate: batches of {BATCH}, {CONNECTIONS} connections, one service worker on a core of its "
        "own; Valkey (appendfsync always) shares the client's core; the log writer is not running",
        f"runs: {CHAOS_BATCHES * BATCH:,} events, and a kill -9 of service, writer, Valkey in each",
    ]
    return Outcome(figures, bars, notes)
