"""From a file to a Spec, or to everything that is wrong with the file, each mistake at its line and column."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import NamedTuple

import msgspec

from nuages.errors import SpecInvalid, UsageError
from nuages.findings import Finding, Level, Place, errors
from nuages.spec import files, migrate, schema
from nuages.spec.document import Document, Path, Value, read, visible
from nuages.spec.environments import is_template, merged, named, template_of
from nuages.spec.model import EnvironmentSpec
from nuages.spec.rules import broken, broken_patch, previews, together
from nuages.spec.shorthand import canonical
from nuages.spec.validate import FORMS, Mistake, mistakes

_ENVIRONMENT_NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")


class Spec(NamedTuple):
    """A valid nuages.yaml: the base, each environment's whole spec, and where everything was written."""

    document: Document
    base: EnvironmentSpec
    environments: dict[str, EnvironmentSpec]
    """Those that are declared; a template as if the environment of its own name were made from it."""
    warnings: tuple[Finding, ...] = ()
    whole: dict[str, Value] = {}  # noqa: RUF012 - never written to
    """The base as it was written, in canonical form."""
    templates: dict[str, dict[str, Value]] = {}  # noqa: RUF012 - never written to
    """The patches that environments are made from."""

    inlined: dict[str, str] = {}  # noqa: RUF012 - never written to
    """What stands in the files that it names, by their paths."""

    def environment(self, name: str) -> EnvironmentSpec:
        """The base with one environment's patch applied; of a name that is not declared, a template's.

        Raises:
            UsageError: there is no such environment.
        """
        if name in self.environments:
            return self.environments[name]
        if template := self.template(name):
            return self._made(name, template)
        close = difflib.get_close_matches(name, self.environments, n=1)
        known = ", ".join(self.environments) or "none"
        hint = f"did you mean {close[0]}?" if close else f"declared below `environments`: {known}"
        raise UsageError(f"no environment {name!r} in {self.document.file}", hint=hint)

    def template(self, name: str) -> str:
        """The template of an environment that is not declared; "" where it can have none."""
        if name in self.environments or not _ENVIRONMENT_NAME.fullmatch(name):
            return ""
        return template_of(name, self.templates) or ""

    def _made(self, name: str, template: str) -> EnvironmentSpec:
        made = _with(self.whole, named(self.templates[template], name))
        disagreements, mended = mistakes(made, schema.environment)
        found = msgspec.convert(mended, EnvironmentSpec)
        if wrong := [_finding(self.document, each, template) for each in _all(disagreements, broken(found))]:
            raise _invalid(wrong)
        return found

    def place(self, path: Path, environment: str | None = None) -> Place:
        """Where a path of an environment's spec was written: in its patch, or else in the base."""
        return _place(self.document, path, self.template(environment or "") or environment, key=False)


def load(path: FilePath) -> Spec:
    """Read, check and return a spec.

    Raises:
        UsageError: there is no such file.
        SpecInvalid: with every finding, in the order of the file.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"no {path.name} in {path.parent.resolve()}", hint="`nuages init` writes one") from None
    return _with_files(parse(raw, path.name), path.parent)


def parse(raw: bytes, file: str) -> Spec:
    """As `load`, of a file's bytes."""
    document, findings = read(raw, file)
    if not isinstance(document.value, dict):
        wrong = Finding("spec.E102", Level.ERROR, "not a map", Place(file, 1, 1), "begin with name: and image:")
        raise _invalid(findings or [wrong])
    whole = canonical(document)
    if other := migrate.judged(whole.get("apiVersion"), document.place(("apiVersion",))):
        raise _invalid([*findings, other])
    patches, misplaced = _patches(whole.pop("environments", None))

    disagreements, mended = mistakes(whole, schema.base)
    base = msgspec.convert(mended, EnvironmentSpec)
    in_base = [*misplaced, *_all(disagreements, broken(base))]
    findings += [_finding(document, mistake, None) for mistake in in_base]
    told = {mistake[:3] for mistake in in_base}
    environments: dict[str, EnvironmentSpec] = {}
    templates: dict[str, dict[str, Value]] = {}
    for name, patch in patches.items():
        if is_template(patch):
            templates[name] = patch
        written = named(patch, name) if is_template(patch) else patch
        disagreements, mended = mistakes(_with(whole, written), schema.environment)
        environments[name] = msgspec.convert(mended, EnvironmentSpec)
        found = [*broken_patch(whole, patch), *_all(disagreements, broken(environments[name]))]
        found += previews.broken(name, _with(whole, patch), patches)
        findings += [_finding(document, mistake, name) for mistake in found if mistake[:3] not in told]
    findings += [_finding(document, mistake, name) for name, mistake in together.broken(environments)]
    findings.sort(key=lambda finding: (finding.place.line, finding.place.column))
    if errors(findings):
        raise _invalid(findings)
    return Spec(document, base, environments, tuple(findings), whole, templates)


def _with_files(spec: Spec, folder: FilePath) -> Spec:
    """The spec with what stands in the files that it names."""
    texts: dict[str, str] = {}
    findings: list[Finding] = []
    for name, declared in ((None, spec.base), *spec.environments.items()):
        found, wrong = files.inlined(declared, folder)
        texts |= found
        findings += [_finding(spec.document, mistake, name) for mistake in wrong]
    if findings:
        # What is wrong in the base is said once, not for each environment that has it too.
        places = [(each.id, each.place.line, each.place.column) for each in findings]
        raise _invalid([each for number, each in enumerate(findings) if places[number] not in places[:number]])
    return spec._replace(inlined=texts)


def _patches(environments: Value) -> tuple[dict[str, dict[str, Value]], list[Mistake]]:
    """The environments' patches, and what is wrong with what holds them."""
    if environments is None:
        return {}, []
    if not isinstance(environments, dict):
        return {}, [Mistake("spec.E102", ("environments",), "not a map of environments", "environments: {local: {}}")]
    found = []
    patches = {}
    for name, patch in environments.items():
        path = ("environments", name)
        if not _ENVIRONMENT_NAME.fullmatch(name):
            found.append(
                Mistake("spec.E108", path, f'"{visible(name)}" is not a short name', FORMS["a short name"], at_key=True)
            )
        if isinstance(patch, dict) or patch is None:
            patches[name] = patch or {}
        else:
            found.append(Mistake("spec.E102", path, "not a map", "{} where nothing differs from the base"))
    return patches, found


def _all(disagreements: list[Mistake], broken: Iterable[Mistake]) -> list[Mistake]:
    """Both kinds, less the rules that are broken only because something at their place, or below it, was wrong."""
    told = [mistake.path for mistake in disagreements]
    placed = [_as_written(rule, disagreements) for rule in broken]
    return [*disagreements, *(rule for rule in placed if not any(path[: len(rule.path)] == rule.path for path in told))]


def _as_written(rule: Mistake, disagreements: list[Mistake]) -> Mistake:
    """A rule's mistake below a field that was misspelled, at the name that stands in the file."""
    for one in disagreements:
        meant = (*one.path[:-1], one.meant)
        if one.id == "spec.E101" and one.meant and rule.path[: len(meant)] == meant:
            rule = rule._replace(path=one.path + rule.path[len(meant) :])
    return rule


def _with(base: dict[str, Value], patch: Value) -> dict[str, Value]:
    whole = merged(base, patch)
    return whole if isinstance(whole, dict) else {}


def _finding(document: Document, mistake: Mistake, environment: str | None) -> Finding:
    """A mistake with its place; one that only an environment brings out in the base says in which."""
    place = _place(document, mistake.path, environment, key=mistake.at_key)
    level = Level.WARNING if mistake.id.startswith("spec.W") else Level.ERROR
    elsewhere = environment and not place.path.startswith("environments.")
    message = f"{mistake.message} (in {environment})" if elsewhere else mistake.message
    return Finding(mistake.id, level, message, place, mistake.hint)


def _place(document: Document, path: Path, environment: str | None, *, key: bool) -> Place:
    """In the environment's patch where that has the path, else in the base; where neither has it, the nearest above."""
    patched = ("environments", environment, *path) if environment else path
    if patched in document.marks or patched[:-1] in document.written:
        return document.place(patched, key=key)
    return document.place(path, key=key)


def _invalid(findings: list[Finding]) -> SpecInvalid:
    count = len(errors(findings))
    return SpecInvalid(f"{count} finding{'s' if count != 1 else ''}, nothing was touched.", findings=findings)
