"""The packs that ask databases and servers, at those that people run: what their probes show is what is so."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

import psycopg
import pytest

from sentinel.probes.run import Run
from tests.e2e.process import free_port, until
from tests.packs.test_recipes import asked_by, looked
from tests.probes.looking import value

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass
class Postgres:
    """A primary with a replica, both of Debian's package, on ports and in a folder of their own."""

    folder: Path
    port: int
    replica_port: int

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's; root must not."""
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        argv = [*user, str(PROGRAMS[-1] / program), *arguments]
        subprocess.run(argv, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, name: str, port: int) -> None:
        """Start one of the two."""
        options = f"-p {port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c cluster_name={name}"
        log = str(self.folder / f"{name}.log")
        self.run("pg_ctl", "-D", str(self.folder / name), "-w", "-o", options, "-l", log, "start")

    def stop(self, name: str) -> None:
        """Stop one of the two, as a machine that is lost."""
        self.run("pg_ctl", "-D", str(self.folder / name), "-w", "-m", "immediate", "stop")

    def connect(self, port: int = 0) -> psycopg.Connection[tuple[object, ...]]:
        """Connect as a superuser; each statement is its own transaction."""
        return psycopg.connect(f"postgresql://postgres@127.0.0.1:{port or self.port}/postgres", autocommit=True)

    async def look(self, probe: str, role: str = "sentinel") -> Run:
        """Run a probe of the pack, with the role that its first lines ask for."""
        url = f"postgresql+psycopg://{role}@127.0.0.1:{self.port}/postgres"
        found = await looked("postgres", probe, POSTGRES_URL=url)
        assert found.success, found.words
        return found


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """Start both; the replica follows."""
    if not PROGRAMS:
        pytest.skip("needs Debian's postgresql")
    # Not pytest's folder: root's is closed to whom PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="sentinel-postgres-") as place:
        found = Postgres(Path(place), free_port(), free_port())
        if os.geteuid() == 0:
            shutil.chown(place, "postgres")
        found.run("initdb", "-D", f"{place}/primary", "-U", "postgres", "-A", "trust", "-N")
        found.start("primary", found.port)
        try:
            with found.connect() as sql:
                sql.execute("create role sentinel login in role pg_monitor")
                sql.execute("create role anybody login")
            source = f"postgresql://postgres@127.0.0.1:{found.port}/"
            found.run("pg_basebackup", "-D", f"{place}/replica", "-d", source, "-R", "-N", "--checkpoint=fast")
            found.start("replica", found.replica_port)
            with found.connect() as sql:
                following = "select 1 from pg_stat_replication where state = 'streaming'"
                until("the replica follows", lambda: sql.execute(following).fetchone(), 60)
            yield found
        finally:
            for name in ("replica", "primary"):
                if (Path(place) / name / "postmaster.pid").exists():
                    found.stop(name)


async def test_postgresql_counts_the_connections_of_clients(postgres: Postgres) -> None:
    """Its own workers take none from them, and those kept for superusers are nobody else's."""
    before = value(await postgres.look("postgres-connections"), "postgres_connections")
    with closing(postgres.connect()), closing(postgres.connect()):
        found = await postgres.look("postgres-connections")
        seen_by_anybody = await postgres.look("postgres-connections", "anybody")
    assert value(found, "postgres_connections") - before == 2
    assert value(seen_by_anybody, "postgres_connections") - before == 2
    assert value(found, "postgres_connections_limit") == 97


async def test_postgresql_shows_what_holds_everybody_up(postgres: Postgres) -> None:
    """A transaction that stays open, and a query that runs and runs."""
    with closing(postgres.connect()) as idle, closing(postgres.connect()) as busy, closing(postgres.connect()) as sql:
        idle.execute("begin")
        slow = Thread(target=_cancelled, args=(busy, "select pg_sleep(100)"))
        slow.start()
        try:
            since = (
                f"select 1 from pg_stat_activity where pid = {busy.info.backend_pid} and now() - query_start > '0.6 s'"
            )
            until("the query runs", lambda: sql.execute(since).fetchone())
            queries = await postgres.look("postgres-queries")
            transactions = await postgres.look("postgres-transactions")
        finally:
            busy.cancel()
            slow.join()
    assert value(queries, "postgres_slow_queries") == 1
    assert 0.5 < value(transactions, "postgres_longest_transaction_seconds") < 600


def _cancelled(sql: psycopg.Connection[tuple[object, ...]], query: str) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        sql.execute(query)


async def test_postgresql_shows_dead_rows_by_table(postgres: Postgres) -> None:
    """And the live ones beside them."""
    with postgres.connect() as sql:
        sql.execute("create table orders as select generate_series(1, 1000) as id")
        sql.execute("alter table orders set (autovacuum_enabled = false)")
        sql.execute("delete from orders where id <= 400")
        sql.execute("select pg_stat_force_next_flush()")
    found = await postgres.look("postgres-tables")
    assert value(found, "postgres_dead_rows", table="public.orders") == 400
    assert value(found, "postgres_live_rows", table="public.orders") == 600


async def test_postgresql_counts_deadlocks(postgres: Postgres) -> None:
    """By database."""
    before = value(await postgres.look("postgres-deadlocks"), "postgres_deadlocks_total", database="postgres")
    with closing(postgres.connect()) as one, closing(postgres.connect()) as two, closing(postgres.connect()) as third:
        for sql, lock, patience in ((one, 1, "1h"), (two, 2, "50ms")):  # the second is who notices, and gives way
            sql.execute(f"set deadlock_timeout = '{patience}'")
            sql.execute("begin")
            sql.execute(f"select pg_advisory_xact_lock({lock})")
        waits = Thread(target=one.execute, args=("select pg_advisory_xact_lock(2)",))
        waits.start()
        waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted"
        until("the first waits for the second", lambda: third.execute(waiting).fetchone())
        with pytest.raises(psycopg.errors.DeadlockDetected):
            two.execute("select pg_advisory_xact_lock(1)")
        two.execute("rollback")
        waits.join()
        two.execute("select pg_stat_force_next_flush()")
    found = await postgres.look("postgres-deadlocks")
    assert value(found, "postgres_deadlocks_total", database="postgres") - before == 1


async def test_postgresql_shows_replicas_how_far_they_are_behind_and_that_one_is_lost(postgres: Postgres) -> None:
    """One that replays nothing falls behind; one that is gone is a replica less."""
    assert value(await postgres.look("postgres-replicas"), "postgres_replicas") == 1
    with postgres.connect(postgres.replica_port) as replica, postgres.connect() as primary:
        replica.execute("select pg_wal_replay_pause()")
        primary.execute("create table beats (at timestamptz)")
        lag = 0.0
        while lag < 0.1:  # at the latest once the replica has paused, which it does when it comes to it
            primary.execute("insert into beats select now()")
            found = await postgres.look("postgres-replication")
            lag = value(found, "postgres_replication_lag_seconds", replica="replica", address="127.0.0.1")
    postgres.stop("replica")
    with postgres.connect() as sql:
        until("the replica is missed", lambda: not sql.execute("select 1 from pg_stat_replication").fetchone())
    assert value(await postgres.look("postgres-replicas"), "postgres_replicas") == 0
    assert not [s for s in (await postgres.look("postgres-replication")).batch.samples if "_lag_" in s.name]


@contextmanager
def redis_on(port: int, *arguments: str) -> Iterator[None]:
    """Run a Redis that keeps nothing."""
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=tempfile.gettempdir()) as server:
        try:
            assert server.stdout is not None
            assert any("Ready to accept connections" in line for line in server.stdout)
            yield
        finally:
            server.kill()


@pytest.mark.skipif(not shutil.which("redis-server"), reason="needs Debian's redis-server")
async def test_redis_shows_room_evictions_and_replicas() -> None:
    """At its limit it throws keys away."""
    port, replica = free_port(), free_port()
    url = {"REDIS_URL": f"redis://127.0.0.1:{port}"}

    def cli(*words: str) -> str:
        return subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=True).stdout

    with redis_on(port, "--maxmemory-policy", "allkeys-lru", "--repl-diskless-sync-delay", "0"):
        with redis_on(replica, "--replicaof", "127.0.0.1", str(port)):
            until("the replica follows", lambda: "connected_slaves:1" in cli("info", "replication"), 60)
            followed = await looked("redis", "redis", **url)
        used = next(line for line in cli("info", "memory").splitlines() if line.startswith("used_memory:"))
        cli("config", "set", "maxmemory", str(int(used.partition(":")[2]) + 500_000))
        cli("eval", "for n = 1, 1000 do redis.call('set', n, string.rep('x', 2000)) end", "0")
        until("the replica is missed", lambda: "connected_slaves:0" in cli("info", "replication"), 60)
        full = await looked("redis", "redis", **url)
        saves = await looked("redis", "redis-saves", **url)
    assert (followed.success, full.success, saves.success) == (True, True, True)
    assert (value(followed, "redis_replicas"), value(full, "redis_replicas")) == (1, 0)
    assert (value(followed, "redis_memory_limit_bytes"), value(followed, "redis_evicted_keys_total")) == (0, 0)
    assert value(full, "redis_evicted_keys_total") > 0
    assert 0.5 < value(full, "redis_used_memory_bytes") / value(full, "redis_memory_limit_bytes") < 1.5


def managed(method: str, path: str, body: str = "") -> bytes:
    """Ask RabbitMQ's management."""
    headers = {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"}  # guest:guest
    request = Request(f"http://127.0.0.1:15672/api/{path}", body.encode() or None, headers, method=method)
    with urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(not _listens(15692), reason="no RabbitMQ with its plugin rabbitmq_prometheus listens on 15692")
async def test_rabbitmq_shows_messages_that_nobody_takes() -> None:
    """By queue; and whether it blocks publishers."""
    name = f"sentinel-{os.getpid()}"
    managed("PUT", f"queues/%2F/{name}", '{"durable": false}')
    try:
        message = {"properties": {}, "routing_key": name, "payload": "x", "payload_encoding": "string"}
        managed("POST", "exchanges/%2F/amq.default/publish", json.dumps(message))
        # It counts every five seconds.
        shown = f'rabbitmq_queue_messages_ready{{vhost="/",queue="{name}"}} 1'
        url = "http://127.0.0.1:15692/metrics/per-object"
        until("it is counted", lambda: shown in urlopen(url, timeout=10).read().decode(), 60)
        found = await looked("rabbitmq", "rabbitmq")
        node = await looked("rabbitmq", "rabbitmq-node")
    finally:
        managed("DELETE", f"queues/%2F/{name}")
    assert value(found, "rabbitmq_queue_messages_ready", queue=name, vhost="/") == 1
    assert value(found, "rabbitmq_queue_consumers", queue=name, vhost="/") == 0
    assert value(node, "rabbitmq_alarms_memory_used_watermark") in (0, 1)
    shown_by_both = {sample.name for run in (found, node) for sample in run.batch.samples}
    assert asked_by("rabbitmq") - shown_by_both == set()


NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "well"; }}
    location /broken {{ proxy_pass http://127.0.0.1:1; }}
  }}
}}
"""


async def test_nginx_shows_its_answers_as_it_logs_them(tmp_path: Path) -> None:
    """Its own log in the format that it has by default: what is well, and what a service behind it breaks."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("needs Debian's nginx-light")
    port, log = free_port(), tmp_path / "access.log"
    where = {"NGINX_URL": f"http://127.0.0.1:{port}/", "NGINX_LOG": str(log)}
    tmp_path.chmod(0o755)
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port))
    with subprocess.Popen([program, "-c", f"{tmp_path}/nginx.conf", "-p", str(tmp_path)]) as server:
        try:
            until("nginx made its log", log.exists)
            first = await looked("nginx", "nginx-log", **where)
            assert (await looked("nginx", "nginx", **where)).success
            assert not (await looked("nginx", "nginx", **{**where, "NGINX_URL": f"{where['NGINX_URL']}broken"})).success
            until("both are logged", lambda: len(log.read_text().splitlines()) == 2)
            second = await looked("nginx", "nginx-log", first.memory, **where)
        finally:
            server.terminate()
    found = {dict(s.labels)["status"]: s.value for s in second.batch.samples if s.name == "nginx_requests_total"}
    assert found == {"2": 1, "5": 1}
