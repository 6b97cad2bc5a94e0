"""The body of each configured region, from one gathering of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from onepath.regions.arch import arch, matrix_alone
from onepath.regions.callgraph import callgraph
from onepath.regions.material import Material, Page

_BUILT_IN: Final[dict[str, Callable[[Material, Page, bool], str]]] = {
    "ARCH": lambda material, page, short: arch(material, page, short=short),
    "CALLGRAPH": lambda material, page, short: callgraph(material, page, short=short),
    "SWITCHES": lambda material, page, short: matrix_alone(material, page),
}


class TemplateFault(Exception):  # noqa: N818 - a fault of the configuration, told as such
    """A template that cannot be read or rendered; the message has its file and line."""


def bodies(material: Material, regions: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """By file and region: its body. Raises TemplateFault."""
    made: dict[str, dict[str, str]] = {}
    for file, forms in regions.items():
        page = Page(file)
        made[file] = {
            name: _templated(material, page, form.removeprefix("template:"))
            if form.startswith("template:")
            else _BUILT_IN[name](material, page, form == "short")
            for name, form in forms.items()
        }
    return made


def _templated(material: Material, page: Page, template: str) -> str:
    """A Jinja2 template of the project, in a sandbox: it gets the material and ways to write Markdown, no more."""
    import jinja2
    import jinja2.sandbox

    from onepath.render import markdown

    folder: Path = material.model.folder
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folder), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(code=markdown.code, text=markdown.text, prose=markdown.prose)
    program = material.model.program
    try:
        return environment.get_template(template).render(
            modules=[
                {"name": name, "file": file, "link": page.link(file), "summary": material.summaries.get(name, "")}
                for name, file in program.modules.items()
            ],
            packages=program.packages,
            matrix=material.matrix,
            proofs=material.proofs,
            findings=material.findings,
            link=page.link,
            table=markdown.table,
            fence=markdown.fence,
        )
    except jinja2.TemplateNotFound as error:
        raise TemplateFault(f"{page.file}: template `{template}` is not in the project") from error
    except jinja2.TemplateSyntaxError as error:
        raise TemplateFault(f"{template}:{error.lineno}: {error.message}") from error
    except jinja2.TemplateError as error:
        raise TemplateFault(f"{template}: {error.message or error}") from error
