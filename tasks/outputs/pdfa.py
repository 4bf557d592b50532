"""PDF/A-2b (ISO 19005-2): the searchable PDF that promises to look the same in decades.

Images always become one. A PDF does where nothing that is seen has to change for it; else the
plain searchable PDF is written, with a note that says why.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tasks import inputs
from tasks.outputs import pdf
from tasks.outputs.archival import claims, pictures
from tasks.outputs.archival.hindrances import ODD, hindrances
from tasks.outputs.archival.mending import mend
from tasks.outputs.describe import describe
from tasks.saving import save

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.outputs import Work

_TOLD = 3  # hindrances that a note names; a person needs the first, not all


def write(work: Work, target: Path) -> tuple[str, ...]:
    """Write PDF/A-2b, or what `pdf` writes and a note; a signed PDF is passed on as it is."""
    if work.document.signed:
        shutil.copyfile(work.source, target)
        return ("PDF/A-2b was not reached: the PDF is signed, and any change would break that",)
    with inputs.of(work.document).sheets(work.source, work.document, work.facts) as sheets:
        notes = pictures.adapt(sheets) if work.document.frames else ()
        try:
            notes += mend(sheets)
            found = hindrances(sheets)
        except ODD as error:
            found = [f"its parts are not what they should be ({type(error).__name__})"]
        if not found:
            describe(sheets, work.meta, laid=pdf.add_text(sheets, work))
            claims.intend(sheets)
            notes += claims.claim(sheets)
            save(sheets, target, linearize=work.options.fast_web_view)
            return notes
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    note = f"PDF/A-2b was not reached, a plain PDF was written: {'; '.join(found[:_TOLD])}{more}"
    return (note, *pdf.write(work, target))
