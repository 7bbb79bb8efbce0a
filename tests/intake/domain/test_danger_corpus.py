"""How well danger is heard: labelled sentences of patients, and one that needs each frame."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from intake.authoring import danger_report
from intake.authoring.danger_report import Judged
from intake.domain.danger import Found, read
from intake.domain.danger_scope import NOW
from intake.domain.definition import Protocol
from intake.domain.triage import rule_for_text
from tests.examples import examples
from tests.intake.domain import odd_texts

CORPUS = Path(__file__).with_name("corpus")
GOALS = {
    "emergencies heard": 0.97,
    "all alarming heard": 0.95,
    "harmless raised": 0.08,
    "emergencies judged denied or past": 0.0,
}
AT_MOST = {"harmless raised", "emergencies judged denied or past"}
languages = pytest.mark.parametrize("language", ["en", "es"])


def judged(protocol: Protocol, file: str) -> list[Judged]:
    return list(danger_report.judged(protocol, danger_report.read(CORPUS / file)))


def numbers(rows: Iterable[Judged]) -> dict[str, float]:
    return {name: count.share for name, count in danger_report.counts(rows).items()}


@languages
def test_the_sentences_that_words_are_chosen_with_reach_the_goals(
    protocol: Protocol, language: str
) -> None:
    reached = numbers(judged(protocol, f"{language}_tuned_on.tsv"))
    assert reached["emergencies heard"] >= GOALS["emergencies heard"]
    assert reached["all alarming heard"] >= GOALS["all alarming heard"]
    assert reached["harmless raised"] <= GOALS["harmless raised"]
    assert reached["emergencies judged denied or past"] == 0


# What the sentences that are held back reached when they were last measured, as counts. Not all of
# them reach the goals: docs/clinical-safety.md says so. A change of the words may change them.
REACHED = {
    "en": {
        "emergencies heard": 191,
        "emergencies raised to emergency": 180,
        "all alarming heard": 312,
        "harmless raised": 33,
        "emergencies judged denied or past": 0,
    },
    "es": {
        "emergencies heard": 93,
        "emergencies raised to emergency": 90,
        "all alarming heard": 153,
        "harmless raised": 14,
        "emergencies judged denied or past": 0,
    },
}


@languages
def test_the_sentences_that_are_held_back_are_heard_as_the_paper_says(
    protocol: Protocol, language: str
) -> None:
    counts = danger_report.counts(judged(protocol, f"{language}_held_back.tsv"))
    assert {name: count.number for name, count in counts.items()} == REACHED[language]
    reached = [
        counts[name].share <= goal if name in AT_MOST else counts[name].share >= goal
        for name, goal in GOALS.items()
    ]
    # the data may not claim goals that are not reached: pages in such a language ask a second time
    assert protocol.danger is not None
    assert (language in protocol.danger.falls_short) == (not all(reached))


def test_the_same_is_heard_in_every_process() -> None:
    """Python orders its sets otherwise in each process; what is heard may not depend on that."""
    program = (
        "import sys; from pathlib import Path; from intake import protocols;"
        "from intake.authoring import danger_report as report;"
        "rows = report.judged(protocols.load('legs'), report.read(Path(sys.argv[1])));"
        "print(*report.report(list(rows)), sep='\\n')"
    )
    file = str(CORPUS / "es_held_back.tsv")
    heard = {
        subprocess.run(
            [sys.executable, "-c", program, file],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(heard) == 1
    assert "emergencies heard" in heard.pop()


FRAMES = dict(
    line.split("\t")
    for line in (CORPUS / "frames.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)


def heard_now(protocol: Protocol, text: str, without: str = "") -> list[Found]:
    danger = protocol.danger
    assert danger is not None
    if without:
        frames = tuple(frame for frame in danger.frames if frame.id != without)
        danger = msgspec.structs.replace(danger, frames=frames)
    return [hit for hit in read(danger, text, frozenset()).found if hit.scope == NOW]


def test_each_frame_is_needed_by_a_sentence(protocol: Protocol) -> None:
    """Without the frame, nothing else fires its rule at the sentence."""
    assert protocol.danger is not None
    assert list(FRAMES) == [frame.id for frame in protocol.danger.frames]
    unneeded = []
    for frame in protocol.danger.frames:
        hits = [hit for hit in heard_now(protocol, FRAMES[frame.id]) if hit.rule == frame.rule]
        if {hit.frame for hit in hits} != {frame.id}:
            unneeded.append((frame.id, sorted({hit.frame for hit in hits})))
    assert unneeded == []


def test_a_frame_less_misses_its_sentence(protocol: Protocol) -> None:
    """No other frame hears the sentence. This is a sample; `make mutants` runs all mutants."""
    assert protocol.danger is not None
    for frame in protocol.danger.frames[:: max(1, 40 // examples(1))]:
        text = FRAMES[frame.id]
        rules = {hit.rule for hit in heard_now(protocol, text, without=frame.id)}
        assert frame.rule not in rules


def test_odd_texts_are_read(protocol: Protocol) -> None:
    """`make odd` reads 100,000 of them."""
    assert protocol.danger is not None
    for text in odd_texts.odd_texts(protocol.danger, 400):
        odd_texts.check(protocol.danger, text)


ODD = {
    "one letter": ("a" * 2000, None),
    "emoji": ("😀" * 2000, None),
    "joiners in words": ("my l\u200deft fo\u200dot is co\u200dld and nu\u200dmb", "emergency"),
    "mixed scripts": ("my lеft foоt is соld and numb", "emergency"),
    "a long negation": ("no " * 50 + "chest pain", None),
    "a negation of many words": (
        "I do not, and I say this as a person who never complains about anything at all, have it:"
        " but my left foot is cold and numb since this morning",
        "emergency",
    ),
    "two languages": ("no puedo respirar bien since yesterday, my pecho hurts", "emergency"),
    "words without spaces": ("mylegiscoldandnumbsincethismorning", "emergency"),
    "a leaflet": (
        "Your leaflet says call 911 for chest pain, trouble breathing or fainting. Is that so?",
        None,
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_texts_get_a_level_that_a_clinician_would_accept(protocol: Protocol, case: str) -> None:
    text, level = ODD[case]
    label = danger_report.Sentence("en", "N", "odd", "odd", "now", text)
    (row,) = danger_report.judged(protocol, [label])
    assert row.got == {"emergency": "E", None: "N"}[level]


TOLD = {
    # history, with the time before or after the sign
    "In 2012 they cut two black toes off": ("black_limb", "past"),
    "My heart attack was eleven years ago": ("heart_attack", "past"),
    "last yr i fainted giving blood, nothing since": ("faint", "past"),
    "A mi señora le amputaron un dedo negro hace seis años": ("black_limb", "past"),
    "had a bypass three years ago leg cold and numb": ("cold_limb", "now"),
    "3 years ago they put in a stent, foot blue": ("blue_limb", "now"),
    "I have had this for years but today my foot is ice cold": ("cold_limb", "now"),
    "my leg sore of 2019 is twice the size since Tuesday": ("gets_worse", "now"),
    # other people
    "my late husband went cold in the leg in 1995": ("cold_limb", "other"),
    "a fella at my work passed out, it scared me": ("faint", "other"),
    "strokes run in my family": ("stroke", "other"),
    "en mi familia todos han tenido trombosis": ("leg_clot", "other"),
    "My mother had a stroke and now my arm went numb": ("arm_fails", "now"),
    "my dad's foot turned cold, my mom died of the same": ("cold_limb", "now"),
    # questions, leaflets, ticks
    "Can a varicose vein turn into a clot?": ("leg_clot", "other"),
    "what if my vein bleeds one day": ("vein_bled", "other"),
    "I read that fainting can be a heart problem": ("faint", "other"),
    "your brochure lists a cold foot as a reason to call": ("cold_limb", "other"),
    "your brochure lists a cold foot and mine is cold": ("cold_limb", "now"),
    "sending this just in case, my foot went cold an hour ago": ("cold_limb", "now"),
    "I ticked the wrong box for chest pain": ("chest_pain", "denied"),
    "marked it by mistake, I do want to kill myself": ("self_harm", "now"),
    # answers and lists
    "Chest pain, no. Cold foot, no.": ("chest_pain", "denied"),
    "infarto no, derrame no": ("stroke", "denied"),
    "Nothing is cold, blue or numb": ("cold_and_blue", "denied"),
    "I haven't had chest pain": ("chest_pain", "denied"),
    "I don't feel dizzy": ("near_faint", "denied"),
    "checked for a clot, it was negative": ("leg_clot", "denied"),
    "I don't feel my foot, it is cold": ("cold_limb", "now"),
    "no pain in my chest, just pressure in the chest": ("chest_pain", "now"),
    "you asked if I want to die, yes": ("self_harm", "now"),
    # a leaflet, a box to tick, a danger that is over
    "your leaflet lists a cold foot and yes I have it": ("cold_limb", "now"),
    "el papel dice ideas suicidas y yo las tengo": ("self_harm", "now"),
    "the package insert says suicidal thoughts": ("self_harm", "other"),
    "Do I answer yes to history of stroke if it was my twin": ("stroke", "other"),
    "marco que sí en derrame si fue mi hermana": ("stroke", "other"),
    "I think I am having a stroke, do I answer yes": ("stroke", "now"),
    "creo que me está dando un infarto, qué casilla marco": ("heart_attack", "now"),
    "I survived a stroke in 2009 and my doctor has released me": ("stroke", "past"),
    "My son's childhood clot is resolved": ("leg_clot", "denied"),
    "el coágulo de mi hijo se deshizo": ("leg_clot", "denied"),
    "Nothing's numb or cold": ("cold_and_numb", "denied"),
    "Nothing helps my chest pain": ("chest_pain", "now"),
    # a limb that is like a dead one, and a no inside of self-harm
    "mi papá amaneció con el pie como de muerto": ("pale_limb", "now"),
    "I don't see any other way out than death": ("self_harm", "now"),
    "bestie had a dvt so now I'm paranoid": ("leg_clot", "other"),
    "had a DVT in 2011, off thinners since": ("leg_clot", "past"),
}


FIGURATIVE = (
    "these stockings make me wanna die of embarrassment",
    "quiero morirme de vergüenza con estas medias",
    "she'll have a heart attack if she misses work again",
    "a mi mamá le da un infarto si falto a la escuela",
    "the nurse taught me to stroke the skin with cream",
    "stockings, 30-40 mmHg, for the left leg",
    "me cobraron el doble por la pierna izquierda",
    "the ultrasound tech said my veins are leaking",
    "I nearly passed out when I saw the bill",
    "by a stroke of bad luck I missed my slot",
    "tomo aspirina y pastillas para la presión",
)


@pytest.mark.parametrize("text", FIGURATIVE)
def test_a_figure_of_speech_raises_nothing(protocol: Protocol, text: str) -> None:
    assert rule_for_text(protocol, text) is None


@pytest.mark.parametrize("text", TOLD)
def test_what_people_tell_of_a_danger_decides_its_scope(protocol: Protocol, text: str) -> None:
    frame, scope = TOLD[text]
    assert protocol.danger is not None
    hits = read(protocol.danger, text, protocol.questionnaire.words).found
    assert [hit.scope for hit in hits if hit.frame == frame][:1] == [scope]


def test_a_pattern_takes_the_scope_of_the_frames_at_its_words(protocol: Protocol) -> None:
    text = "My stockings is black color, can I change for skin color?"
    assert rule_for_text(protocol, text) is None
    rule = rule_for_text(protocol, "My heel is black")
    assert rule is not None
    assert rule.level == "same_day"


def test_the_report_says_how_sure_each_frame_is(protocol: Protocol) -> None:
    rows = judged(protocol, "en_tuned_on.tsv")
    (all_of, alone) = danger_report.by_frame(rows)["cold_limb"]
    raised = [row for row in rows if "cold_limb" in row.frames]
    assert all_of == (sum(row.label.want != "N" for row in raised), len(raised))
    assert alone.of == sum(row.frames == {"cold_limb"} for row in raised)


def test_the_report_says_every_miss_whole(protocol: Protocol) -> None:
    rows = judged(protocol, "en_tuned_on.tsv")
    text = "\n".join(danger_report.report(rows))
    for row in rows:
        missed = row.label.want != "N" and row.got == "N"
        assert (row.label.sentence in text) or not missed
    assert "emergencies heard: " in text


def test_a_pattern_in_a_long_row_of_letters_is_heard(protocol: Protocol) -> None:
    """The reader cuts the start of such a row into words, but not the row as a whole."""
    assert rule_for_text(protocol, "mybookclubisreadingonewhereshegetsgangrene" + "x" * 200)
