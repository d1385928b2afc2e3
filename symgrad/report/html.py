"""report.html: what report.tex says, in one file that any browser shows offline and without a script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from symgrad.report.array_layout import LAYOUT_CONVENTION
from symgrad.report.contents import PRODUCTS, Contents, contents, gradient_of
from symgrad.report.escape import plain_text, shortened_lines
from symgrad.report.layout import Layout, Product, Symbol
from symgrad.report.mathml_terms import mathml
from symgrad.report.present import equation

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

    from symgrad.closing.derivation import Derivation
    from symgrad.validate.certificate import Certificate


def render_html(
    derivation: Derivation, certificate: Certificate | None = None, kernels: Mapping[str, str] | None = None
) -> str:
    """The text of report.html. `kernels`: generated files to show, name -> text."""
    return html_document(contents(derivation, certificate), kernels or {})


def html_document(c: Contents, kernels: Mapping[str, str]) -> str:
    """The contents as an HTML document. All text of users goes through the template's escaping."""
    from markupsafe import Markup

    def math(x: Layout, block: bool = False) -> Markup:
        return Markup(mathml(x, c.notation, block))  # the printer escapes every name

    page = _template().render(
        c=c, kernels=sorted(kernels.items()), math=math, equation=equation, gradient_of=gradient_of,
        nothing=Product(()), symbol=Symbol, convention=LAYOUT_CONVENTION, as_products=PRODUCTS,
        style=Markup(_resource("report.css")),
        groups=[(subject, list(steps)) for subject, steps in groupby(c.steps, key=lambda s: s.subject)],
    )  # fmt: skip
    return page.rstrip("\n") + "\n"


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(plain=plain_text, lines=code_text, capital=lambda text: text[:1].upper() + text[1:])
    return environment.from_string(_resource("report.html.j2"))


def _resource(name: str) -> str:
    return files("symgrad.report").joinpath(name).read_text(encoding="utf-8")


def code_text(text: str) -> str:
    """Text of several lines without control characters."""
    return "\n".join(plain_text(line.expandtabs(4)) for line in shortened_lines(text))
