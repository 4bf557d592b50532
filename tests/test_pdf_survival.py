"""What else a PDF holds, beside the text of its pages, is the same afterwards."""

from __future__ import annotations

import makers
import pdfs
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, OutlineItem, String
from PIL import ImageChops

DANGEROUS = "app.alert('run'); this.exportDataObject({cName: 'a.txt', nLaunch: 2});"


def furnish(pdf):
    """Give a document of two scans all that a PDF may have."""
    page, second = pdf.pages[0].obj, pdf.pages[1].obj
    pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.r, St=7)]))
    with pdf.open_outline() as outline:
        outline.root.append(OutlineItem("Second page", 1, "Fit"))
    pdf.attachments["a.txt"] = b"attached"
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Layer")))
    pdf.Root.OCProperties = Dictionary(
        OCGs=Array([layer]), D=Dictionary(Order=Array([layer]), OFF=Array([layer]))
    )
    page.Resources.Properties = Dictionary(Layer=layer)
    bead = pdf.make_indirect(Dictionary(P=page, R=Array([0, 0, 100, 100])))
    bead.N = bead.V = bead
    pdf.Root.Threads = Array([Dictionary(F=bead, I=Dictionary(Title=String("Article")))])
    page.B = Array([bead])
    element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Figure, K=0, Pg=page))
    element.Alt = String("A scanned letter")
    tree = Dictionary(Type=Name.StructTreeRoot, K=element)
    tree.ParentTree = Dictionary(Nums=Array([0, Array([element])]))
    pdf.Root.StructTreeRoot = pdf.make_indirect(tree)
    element.P = pdf.Root.StructTreeRoot
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    page.StructParents = 0
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]))
    link.Dest = Array([second, Name.Fit])
    launch = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([9, 9, 20, 20]))
    launch.A = Dictionary(S=Name.Launch, F=String("/bin/sh"))
    page.Annots.append(pdf.make_indirect(link))
    page.Annots.append(pdf.make_indirect(launch))
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String(DANGEROUS))
    pdf.Root.Names.JavaScript = Dictionary(
        Names=Array([String("x"), Dictionary(S=Name.JavaScript, JS=String(DANGEROUS))])
    )
    page.AA = Dictionary(O=Dictionary(S=Name.JavaScript, JS=String(DANGEROUS)))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("survival")
    path = makers.scan_pdf([pdfs.SHEET, makers.sheet(("Second page",))], folder / "a.pdf")
    pdfs.changed(pdfs.add_field(path, "Margaret Hamilton"), furnish)
    made = pdfs.made(path, folder / "out")
    with pikepdf.open(path) as old, pikepdf.open(made.out) as new:
        yield old, new, path, made


def plain(value, depth=12):
    """Return an object as values that can be compared; pages as their numbers."""
    if depth == 0:
        return "…"
    if isinstance(value, pikepdf.Stream):
        return {"stream": value.read_bytes()}
    if isinstance(value, Dictionary):
        if value.get("/Type") == Name.Page:
            return "page"
        return {k: plain(v, depth - 1) for k, v in value.items() if k not in ("/P", "/Parent")}
    if isinstance(value, Array):
        return [plain(one, depth - 1) for one in value]
    return str(value)


@pytest.mark.parametrize(
    "key",
    [
        *("/PageLabels", "/Outlines", "/Names", "/OCProperties", "/Threads", "/StructTreeRoot"),
        *("/MarkInfo", "/AcroForm", "/OpenAction"),
    ],
)
def test_catalog_is_kept(both, key):
    """Labels, outline, attachments, layers, threads, tags, forms, scripts: all as they were."""
    old, new, _, _ = both
    assert plain(new.Root[key]) == plain(old.Root[key])


@pytest.mark.parametrize("key", ["/Annots", "/AA", "/B", "/StructParents", "/MediaBox"])
def test_page_is_kept(both, key):
    """Links, fields, actions and tags of a page that got a layer are as they were."""
    old, new, _, _ = both
    assert plain(new.pages[0].obj[key]) == plain(old.pages[0].obj[key])


def test_destinations_lead_to_the_same_pages(both):
    """A link's page is the page that it was, not a copy."""
    _, new, _, _ = both
    assert new.pages[0].obj.Annots[1].Dest[0].objgen == new.pages[1].obj.objgen
    assert new.pages[0].obj.Annots[0].P.objgen == new.pages[0].obj.objgen


def test_content_and_image_are_kept(both):
    """Below the layer the page's content is the same, and the image as it was packed."""
    old, new, _, _ = both
    assert pdfs.streams(new)[1:] == pdfs.streams(old)
    one, other = (pdf.pages[0].obj.Resources.XObject.Scan for pdf in (old, new))
    assert one.read_raw_bytes() == other.read_raw_bytes()


def test_look_is_kept(both):
    """A reader shows the same pixels before and after."""
    _, _, path, made = both
    for number in (1, 2):
        before, after = (makers.rendered(one, number) for one in (path, made.out))
        assert ImageChops.difference(before, after).getbbox() is None


def test_filled_in_fields_are_read(both):
    """What is filled into a form on a scan is seen by the recogniser."""
    _, _, _, made = both
    assert "Margaret Hamilton" in made.text
    assert "Margaret Hamilton" in makers.shown_text(made.out)


@pytest.mark.filterwarnings("default:This document has")  # for making it
def test_fields_that_no_form_names_are_kept(tmp_path, recwarn):
    """A field that only its page knows stays there, and nobody is bothered with it."""
    path = pdfs.add_field(makers.scan_pdf([pdfs.SHEET], tmp_path / "a.pdf"), "Grace")

    def change(pdf):
        del pdf.Root.AcroForm

    pdfs.changed(path, change)
    recwarn.clear()
    with pikepdf.open(pdfs.made(path, tmp_path / "out").out) as pdf:
        assert str(pdf.pages[0].obj.Annots[0].V) == "Grace"
    assert not recwarn.list
