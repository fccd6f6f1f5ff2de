"""Where the database lies: from `sqlite:///path` to a file that a database may safely be kept in."""

from __future__ import annotations

from pathlib import Path

from sentinel.core.errors import StoreUnavailable

_PREFIX = "sqlite:///"

#: File systems on which SQLite's locks and shared memory cannot be relied on (https://sqlite.org/wal.html).
_NETWORK = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "fuse.glusterfs", "lustre", "fuse.sshfs")
)


def path_of(url: str) -> Path:
    """Return the file that a URL means.

    Raises:
        StoreUnavailable: it is no `sqlite:///path`.
    """
    path = url.removeprefix(_PREFIX)
    if path == url:
        scheme = url.partition(":")[0] if ":" in url else ""
        said = f'"{scheme}:" is not supported' if scheme else "the database's URL has no scheme"
        raise StoreUnavailable(f"{said}; write sqlite:///sentinel.db, or sqlite:////var/lib/sentinel/sentinel.db")
    if path in ("", ":memory:"):
        raise StoreUnavailable("the database must be a file, so that nothing is lost; write sqlite:///sentinel.db")
    return Path(path).resolve()


def check_place(path: Path, *, mounts: Path = Path("/proc/self/mounts")) -> None:
    """Refuse a place where no database can be kept.

    Args:
        path: of the database's file, absolute.
        mounts: the kernel's list of what is mounted; where there is none (not Linux) file systems are not looked at.

    Raises:
        StoreUnavailable: the folder is missing, the path is a folder, or it lies on a network file system.
    """
    if not path.parent.is_dir():
        raise StoreUnavailable(
            f"{path}: its folder does not exist; create {path.parent}, or set SENTINEL_DATABASE_URL to another place"
        )
    if path.is_dir():
        raise StoreUnavailable(f"{path} is a folder; name a file in it: sqlite:///{path}/sentinel.db")
    kind = file_system(path, mounts.read_text(errors="replace")) if mounts.exists() else ""
    if kind in _NETWORK:
        raise StoreUnavailable(
            f"{path} lies on a network file system ({kind}), whose locks cannot keep a SQLite database whole; "
            "use a local disk"
        )


def file_system(path: Path, mounts: str) -> str:
    """Return the kind of file system that holds a path, "" where the list does not say.

    Args:
        path: absolute.
        mounts: text of `/proc/self/mounts`: device, mount point, kind, options; a later line lies over an earlier one.
    """
    found, depth = "", -1
    for line in mounts.splitlines():
        _, point, kind, *_ = [*line.split(" "), "", "", ""]
        at = Path(point.replace("\\040", " "))
        if point and path.is_relative_to(at) and len(at.parts) >= depth:
            found, depth = kind, len(at.parts)
    return found
