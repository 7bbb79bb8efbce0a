"""Serve `manage.py protocol`, the command of those who write protocols."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.hours import settings_hours
from intake import protocols
from intake.authoring import counts, danger_report, golden, length, register
from intake.authoring.differences import differences
from intake.authoring.new import begin
from intake.authoring.page import page
from intake.authoring.versions import version
from intake.demonstration import alarm_load
from intake.domain.definition import Protocol
from intake.protocols import faults
from intake.protocols.files import ROOT, Unreadable, shown_path

CORPUS: Final = ROOT / "tests" / "intake" / "domain" / "corpus"
"""The labelled sentences; not a part of an installed program."""


class Command(BaseCommand):
    help = "Begin a protocol, check it, write it in words, and say what changed. Stores nothing."
    # no checks, because the command must work with a protocol that is still faulty
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        does = parser.add_subparsers(
            dest="does",
            required=True,
            metavar="new|check|words|diff|golden|counts|length|danger|register|load",
        )
        for name, help in (
            ("new", "make a folder with a protocol that passes every check"),
            ("check", "say each fault as a sentence with file and line"),
            ("words", "write the protocol in words as one HTML file, to print and to read"),
            ("diff", "say in words what differs from an older version"),
            ("golden", "judge the cases of the golden table anew, and say which ones changed"),
            ("counts", "write into README.md how many questions, rules and cases there are"),
            ("length", "measure how long it is for the people of the stories"),
            ("danger", "measure how danger in own words is heard, with labelled sentences"),
            ("load", "measure how many patients of the demonstration raise an alarm"),
            ("register", "print which parts read age, sex, disability or language, and why"),
        ):
            one = does.add_parser(name, help=help, description=help)
            one.add_argument("name", help="the name of the protocol: its folder")
            if name == "diff":
                one.add_argument(
                    "old",
                    nargs="?",
                    default="HEAD",
                    help="a folder, a file with a stored protocol, or a commit of git (HEAD)",
                )
            if name == "danger":
                one.add_argument(
                    "--held", action="store_true", help="measure with the sentences held back"
                )
            if name == "load":
                one.add_argument("--patients", type=int, default=2000, help="how many (2000)")
            if name == "words":
                one.add_argument("--to", help="the file to write (NAME.html)")

    def handle(self, *args: Any, does: str, name: str, **options: Any) -> None:
        try:
            getattr(self, f"_{does}")(name, **options)
        except (Unreadable, LookupError, ValueError) as error:
            raise CommandError(str(error.args[0])) from None

    def _new(self, name: str, **options: Any) -> None:
        for path in begin(name, protocols.HERE, timezone.localdate()):
            self.stdout.write(f"Wrote {shown_path(path)}")
        self.stdout.write("Now put your questions and rules in the place of the examples, then:")
        self.stdout.write(f"  manage.py protocol check {name}")

    def _check(self, name: str, **options: Any) -> None:
        protocol = protocols.load(name)
        found = [*faults.of_protocol(protocol, protocols.HERE / name), *_of_words(protocol)]
        for fault in found:
            self.stderr.write(str(fault))
        if found:
            raise CommandError(f"{len(found)} to mend.")
        rows = golden.all_cases(protocol)
        changed = [
            change
            for table in golden.tables_of(protocol)
            for change in golden.changes(golden.read(table.path), golden.judged(protocol, table))
        ]
        rules, questions = len(protocol.rules.rules), len(protocol.questions)
        self.stdout.write(f"No fault: {questions} questions, {rules} rules, {len(rows)} cases.")
        if changed:
            self.stdout.write(
                f"{len(changed)} cases are judged otherwise than the golden table says."
            )
        self._say_unshown(protocol, rows)
        for sentence in register.faults(protocol):
            self.stdout.write(sentence)
        if not counts.is_current(protocol):
            self.stdout.write(f"README.md counts otherwise: manage.py protocol counts {name}")
        if not protocol.approved:
            self.stdout.write(f"Nobody has signed it. Its content hash: {protocol.content_hash}")

    def _words(self, name: str, to: str | None = None, **options: Any) -> None:
        protocol = protocols.load(name)
        path = Path(to or f"{name}.html")
        try:
            path.write_text(page(protocol, golden.all_cases(protocol)), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Wrote {path}. Open it in a browser, and print it from there.")

    def _diff(self, name: str, old: str, **options: Any) -> None:
        now, before = protocols.load(name), version(name, old)
        found = differences(before, now)
        self.stdout.write("\n\n".join(found) or "No difference.")
        if found and before.approved:
            signer = before.approval.approved_by
            self.stdout.write(
                f"\n{signer} signed the older version: this one needs a new signature."
            )

    def _golden(self, name: str, **options: Any) -> None:
        protocol = protocols.load(name)
        for table in golden.tables_of(protocol):
            before, after = golden.read(table.path), golden.judged(protocol, table)
            changed = golden.changes(before, after)
            golden.write(after, table.path)
            for sentence in changed:
                self.stdout.write(sentence)
            where = shown_path(table.path)
            self.stdout.write(f"{len(before)} cases, {len(changed)} changed in {where}.")
        self._say_unshown(protocol, golden.all_cases(protocol))

    def _counts(self, name: str, **options: Any) -> None:
        path, text = counts.readme_of(name), counts.counted(protocols.load(name))
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"Wrote the counts into {shown_path(path)}.")

    def _danger(self, name: str, *, held: bool = False, **options: Any) -> None:
        protocol = protocols.load(name)
        half = "held_back" if held else "tuned_on"
        files = sorted(CORPUS.glob(f"??_{half}.tsv"))
        if not files:
            raise CommandError(f"There are no sentences in {shown_path(CORPUS)}.")
        sentences = [sentence for file in files for sentence in danger_report.read(file)]
        rows = list(danger_report.judged(protocol, sentences))
        self.stdout.write("\n".join(danger_report.report(rows)))

    def _length(self, name: str, **options: Any) -> None:
        protocol = protocols.load(name)
        rows = list(length.measured(protocol, ("en", *protocols.languages(name))))
        if not rows:
            raise CommandError("No person is measured: write `measured` in stories.yaml.")
        heads = ("story", "language", "pages", "taps", "words", "minutes")
        self.stdout.write("{:44}{:>9}{:>7}{:>6}{:>7}{:>9}".format(*heads))
        for story, language, found in rows:
            counts = f"{found.pages:7}{found.taps:6}{found.words:7}{found.minutes:9.1f}"
            self.stdout.write(f"{story:44}{language:>9}{counts}")

    def _load(self, name: str, *, patients: int, **options: Any) -> None:
        load = alarm_load.measured(protocols.load(name), settings_hours(), count=patients)
        self.stdout.write("\n".join(alarm_load.report(load)))

    def _register(self, name: str, **options: Any) -> None:
        self.stdout.write("\n".join(register.report(protocols.load(name))))

    def _say_unshown(self, protocol: Protocol, rows: list[golden.Row]) -> None:
        if missing := golden.unshown(protocol, rows):
            self.stdout.write(f"No case shows {', '.join(missing)}: add one for each.")


def _of_words(protocol: Protocol) -> Iterator[faults.Fault]:
    """Yield the faults of all translations, even into languages that the site does not offer."""
    for language in protocols.languages(protocol.name):
        words = protocols.translated(protocol.name, language)
        if words is not None:
            file = protocols.HERE / protocol.name / f"{language}.yaml"
            yield from faults.of_words(protocol, words, file)
