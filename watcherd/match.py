"""Which names in an inbox are left alone: temporary files, and what systems leave behind.

Only names that no scanner or person gives to a finished document are listed; `part.pdf`,
`tmp.pdf` and `~scan.pdf` are documents. A name is bytes, and need not be valid UTF-8.
"""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase, translate
from typing import Final

IGNORED: Final[tuple[tuple[str, str], ...]] = (
    # Unfinished: what a program writes under this name gets another one when it is whole.
    ("*.part", "an unfinished transfer"),  # Firefox, KDE, curl, Nextcloud, many scanners
    ("*.partial", "an unfinished transfer"),  # Internet Explorer, rclone, OneDrive clients
    ("*.filepart", "an unfinished transfer"),  # WinSCP
    ("*.crdownload", "an unfinished transfer"),  # Chrome, Edge
    ("*.opdownload", "an unfinished transfer"),  # Opera
    ("*.download", "an unfinished transfer"),  # Safari, a folder
    ("*.uploading", "an unfinished transfer"),  # scanners' and phones' upload programs
    ("*.aria2", "an unfinished transfer"),  # aria2's notes beside the file
    ("*.!sync", "an unfinished transfer"),  # Resilio Sync
    ("*.bts", "an unfinished transfer"),  # BitTorrent Sync
    (".~tmp~", "an unfinished transfer"),  # rsync --delay-updates, a folder
    (".rsync-partial", "an unfinished transfer"),  # rsync --partial-dir
    (".syncthing.*", "an unfinished transfer"),
    (".pureftpd-upload.*", "an unfinished transfer"),
    (".in.*.", "an unfinished transfer"),  # ProFTPD HiddenStores
    (".tmp.drive*load", "an unfinished transfer"),  # Google Drive, folders
    (".goutputstream-*", "an unfinished transfer"),  # GLib
    ("*.sb-????????-??????", "a temporary file"),  # macOS, safe saving
    ("*.tmp", "a temporary file"),
    ("*.temp", "a temporary file"),
    ("*.swp", "a temporary file"),  # Vim
    ("*.swx", "a temporary file"),
    ("#*#", "a temporary file"),  # Emacs
    ("*~", "an editor's backup"),
    # Locks beside a document that is open.
    ("~$*", "a lock of Microsoft Office"),
    (".~lock.*#", "a lock of LibreOffice"),
    (".#*", "a lock of Emacs"),
    # Placeholders: the content is not here.
    ("*.nextcloud", "a placeholder of a sync client"),
    ("*.owncloud", "a placeholder of a sync client"),
    (".*.icloud", "a placeholder of a sync client"),
    # Storage boxes and sync programs.
    ("@eadir", "a folder of the storage system"),  # Synology
    ("@tmp", "a folder of the storage system"),
    ("@sharebin", "a folder of the storage system"),
    ("@sharesnap", "a folder of the storage system"),
    ("#snapshot", "a folder of the storage system"),
    ("*@synoeastream", "data of the storage system"),
    ("*@synoresource", "data of the storage system"),
    (".@__thumb", "a folder of the storage system"),  # QNAP
    ("@recently-snapshot", "a folder of the storage system"),
    (".snapshot", "a folder of the storage system"),  # NetApp
    ("~snapshot", "a folder of the storage system"),
    ("lost+found", "a folder of the filesystem"),
    (".stfolder*", "data of Syncthing"),
    (".stversions", "data of Syncthing"),
    (".stignore", "data of Syncthing"),
    (".dropbox*", "data of Dropbox"),
    (".nfs????????*", "a deleted file that is still open"),
    (".fuse_hidden*", "a deleted file that is still open"),
    (".smbdelete*", "a deleted file that is still open"),
    # Recycle bins.
    ("#recycle", "a recycle bin"),  # Synology
    ("@recycle", "a recycle bin"),  # QNAP
    (".recycle", "a recycle bin"),  # Samba
    ("$recycle.bin", "a recycle bin"),  # Windows, as the next two
    ("recycler", "a recycle bin"),
    ("recycled", "a recycle bin"),
    (".trash*", "a recycle bin"),
    ("network trash folder", "a recycle bin"),  # macOS
    # Windows.
    ("system volume information", "a folder of Windows"),
    ("thumbs.db", "data of Windows"),
    ("ehthumbs*.db", "data of Windows"),
    ("desktop.ini", "data of Windows"),
    # Alternate data streams that a copy turned into files; U+F03A is how CIFS maps the colon.
    ("*[:\uf03a]zone.identifier", "data of Windows"),
    ("*[:\uf03a]encryptable", "data of Windows"),
    ("*[:\uf03a]com.dropbox.att*", "data of Dropbox"),
    ("*[:\uf03a]afp_*", "data of macOS"),
    # macOS.
    ("._*", "data of macOS"),
    (".ds_store", "data of macOS"),
    (":2eds_store", "data of macOS"),  # Netatalk
    (".apple*", "data of macOS"),
    ("__macosx", "data of macOS"),
    ("icon\r", "data of macOS"),
    ("temporary items", "data of macOS"),
    ("thevolumesettingsfolder", "data of macOS"),
    # Last, since the lines above know better. Here belongs rsync's `.scan.pdf.Xy12Ab` too.
    (".*", "hidden"),
)
"""Glob of a whole name in lower case, and the reason to leave such a file or folder alone."""

_REASONS: Final = tuple(reason for _, reason in IGNORED)
_NAMES: Final = re.compile("|".join(f"({translate(glob)})" for glob, _ in IGNORED))


def ignored(name: bytes, patterns: tuple[str, ...] = ()) -> str | None:
    """Return why a file or folder of this name is left alone, or None.

    `name` is one component of a path. `patterns` are an inbox's own globs (`*`, `?`, `[…]`) for
    whole names; they and the table above match without regard to case.
    """
    folded = _fold(name.decode("utf-8", "surrogateescape"))
    if known := _NAMES.fullmatch(folded):
        return _REASONS[(known.lastindex or 1) - 1]
    for pattern in patterns:
        if fnmatchcase(folded, _fold(pattern)):
            return f"it matches the inbox's pattern “{pattern}”"
    return None


def ignored_path(relative: bytes, patterns: tuple[str, ...] = ()) -> str | None:
    """Return why a path below an inbox is left alone, by any of its components, or None."""
    reasons = (ignored(name, patterns) for name in relative.split(b"/") if name)
    return next((reason for reason in reasons if reason), None)


def _fold(text: str) -> str:
    # macOS writes “ü” as two characters where others write one.
    return unicodedata.normalize("NFC", text).casefold()
