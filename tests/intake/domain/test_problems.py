"""The faults of a protocol that are found before the protocol is served."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from intake.domain.danger_words import Frame
from intake.domain.definition import (
    Level,
    Option,
    Protocol,
    Proxy,
    Question,
    QuestionSection,
    Within,
)
from intake.domain.grammar import AnswerCondition, Case, Computed, Line, Phrase, Term
from intake.domain.problem import KINDS
from intake.domain.problems import problems
from intake.domain.readability import READING_GRADE, reading_grade
from intake.domain.uses import CannotWait, ChartQuestions, ContactQuestions, ShortWalks, Who
from tests.intake.domain.altered import (
    NEVER,
    with_level,
    with_question,
    with_questionnaire,
    with_questions,
    with_rule,
    with_rule_set,
    with_rules,
)

Change = Callable[[Protocol], Protocol]


def leaf(op: str, value: Any, **reads: str) -> AnswerCondition:
    return AnswerCondition(op=op, value=value, **reads)


def when(*parts: AnswerCondition, id: str = "N07") -> Change:
    """Return a change that gives a rule this condition, and inputs for everything it reads."""

    def change(protocol: Protocol) -> Protocol:
        condition = AnswerCondition(all=parts)
        inputs = condition.reads()
        return with_rule(protocol, id, when=condition, inputs=inputs)

    return change


def show_if(id: str, condition: AnswerCondition) -> Change:
    return lambda protocol: with_question(protocol, id, show_if=condition)


def question(id: str, **changes: Any) -> Change:
    return lambda protocol: with_question(protocol, id, **changes)


def rule(id: str, **changes: Any) -> Change:
    return lambda protocol: with_rule(protocol, id, **changes)


def danger(**changes: Any) -> Change:
    """Change the words of danger."""

    def change(protocol: Protocol) -> Protocol:
        assert protocol.danger is not None
        return msgspec.structs.replace(
            protocol, danger=msgspec.structs.replace(protocol.danger, **changes)
        )

    return change


def frame(id: str = "odd", of: tuple[str, ...] = ("faint",), **changes: Any) -> Change:
    """Add a frame of danger that no rule names."""
    added = Frame(**{"id": id, "of": of, "rule": "DE2"} | changes)
    return lambda p: danger(frames=(*p.danger.frames, added))(p)


def words(*, read: bool = True, **concepts: dict[str, str]) -> Change:
    """Add concepts of danger, and a frame that reads them."""

    def change(protocol: Protocol) -> Protocol:
        changed = danger(concepts={**protocol.danger.concepts, **concepts})(protocol)
        return frame(of=tuple(concepts))(changed) if read else changed

    return change


def roles(**changes: tuple[str, ...]) -> Change:
    return lambda p: danger(roles={**p.danger.roles, **changes})(p)


def computed(value: Computed, name: str = "x") -> Change:
    return lambda p: with_rule_set(p, computed={**p.rules.computed, name: value})


def summary(*lines: Line) -> Change:
    return lambda protocol: with_rule_set(protocol, summary=lines)


def level(code: str, **changes: Any) -> Change:
    return lambda protocol: with_level(protocol, code, **changes)


def ranks(**changed: int) -> Change:
    def change(protocol: Protocol) -> Protocol:
        for code, rank in changed.items():
            protocol = with_level(protocol, code, rank=rank)
        return protocol

    return change


def without_level(protocol: Protocol, code: str) -> tuple[Level, ...]:
    return tuple(level for level in protocol.rules.levels if level.code != code)


SOMEDAY = Level("someday", 5, "some day", Within(days=400), tell="We see you one day.")
ALWAYS_TRUE = Computed("", when=AnswerCondition(all=()))


def twice(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    return tuple(q for one in questions for q in ([one, one] if one.id == "tobacco" else [one]))


def with_safety_partner(protocol: Protocol) -> Protocol:
    partner = msgspec.structs.replace(protocol.question("tobacco"), id="extra", page="safety")

    def add(questions: tuple[Question, ...]) -> tuple[Question, ...]:
        return (*questions, partner) if questions[0].id == "em_now" else questions

    return with_questions(protocol, add)


BROKEN: list[tuple[str, str, Change]] = [
    ("own_address", "name", lambda p: msgspec.structs.replace(p, name="check")),
    ("duplicate_id", "questions", lambda p: with_questions(p, twice)),
    ("duplicate_id", "rules", lambda p: with_rules(p, (*p.rules.rules, p.rule("E01")))),
    (
        "duplicate_id",
        "questions.tobacco.options",
        question("tobacco", options=(Option("never", "Never"), Option("never", "No"))),
    ),
    (
        "wrong_level",
        "levels.someday",
        lambda p: with_rule_set(p, levels=(*p.rules.levels, SOMEDAY)),
    ),
    ("wrong_level", "levels.soon", lambda p: with_rule_set(p, levels=without_level(p, "soon"))),
    # the ranks of two levels exchanged
    ("wrong_level", "levels.soon", ranks(soon=0, routine=1)),
    ("wrong_level", "levels.emergency", ranks(emergency=3, same_day=4)),
    # a target or a period that this level does not allow
    ("wrong_level", "levels.emergency", level("emergency", contact_within=Within(open_hours=1))),
    ("wrong_level", "levels.same_day", level("same_day", contact_within=Within(days=1))),
    ("wrong_level", "levels.same_day", level("same_day", contact_within=Within(open_hours=0))),
    ("wrong_level", "levels.urgent", level("urgent", contact_within=Within(days=1))),
    ("wrong_level", "levels.urgent", level("urgent", seen_within=None)),
    ("wrong_level", "levels.soon", level("soon", contact_within=Within(business_days=20))),
    ("wrong_level", "levels.routine", level("routine", contact_within=Within(days=28))),
    ("wrong_level", "levels.soon", level("soon", tell=None)),
    (
        "hard_to_read",
        "levels.soon.tell",
        level("soon", tell="Individual appointments materialise eventually."),
    ),
    ("wrong_period", "levels.soon.tell", level("soon", tell="We aim to see you within 6 weeks.")),
    ("wrong_period", "levels.soon.target", level("soon", target="seen within six weeks (42 days)")),
    ("wrong_period", "levels.soon.tell", level("soon", tell="We see you within {weeks}.")),
    ("wrong_period", "levels.soon.tell", level("soon", tell="We see you within {seen_within}.")),
    (
        "wrong_period",
        "rules.S01.promise",
        rule("S01", promise="We will call within 2 clinic hours."),
    ),
    ("wrong_period", "rules.S01.promise", rule("S01", promise="We will call you by {by}.")),
    (
        "too_long",
        "rules.COLD-LEG-1",
        lambda p: with_rules(p, (msgspec.structs.replace(p.rules.rules[0], id="COLD-LEG-1"),)),
    ),
    ("too_long", "version", lambda p: with_questionnaire(p, version="0.2.0-" + "x" * 30)),
    ("missing_fallback", "rules.R05", rule("R05", fallback=False)),
    ("wrong_about", "questions.reason_when", question("reason_when", required=True)),
    ("unread_option", "questions.habits", question("habits", why=None)),
    ("unread_option", "questions.tobacco", question("tobacco", why="We like to know.")),
    ("wrong_ask_back", "rules.F07.ask_back", rule("F07", ask_back="Is {age_years} right?")),
    (
        "duplicate_id",
        "level ranks",
        lambda p: with_rule_set(
            p, levels=tuple(msgspec.structs.replace(level, rank=1) for level in p.rules.levels)
        ),
    ),
    ("unknown_question", "rules.N07.when", when(leaf("eq", "yes", q="vein_luck"))),
    (
        "unknown_question",
        "questions.cold_since.show_if",
        show_if("cold_since", leaf("eq", "x", q="y")),
    ),
    ("unknown_option", "rules.N07.when", when(leaf("contains", "brown_skim", q="vein_look"))),
    (
        "unknown_option",
        "rules.N07.when",
        when(leaf("contains_any", ("spider", "x"), q="vein_look")),
    ),
    ("unknown_option", "rules.N07.when", when(leaf("eq", "maybe", q="walk_pain"))),
    ("unknown_option", "questions.em_now.exclusive", question("em_now", exclusive=("nothing",))),
    (
        "unknown_option",
        "questions.tobacco.proxy.options",
        question("tobacco", proxy=Proxy("Does the patient smoke?", options={"sometimes": "x"})),
    ),
    ("unknown_computed", "rules.N07.when", when(leaf("eq", True, var="art_patern"))),
    (
        "unknown_computed",
        "computed.x",
        computed(Computed("", first=(Case(1, leaf("gt", 0, var="sum")), Case(0)))),
    ),
    ("wrong_computed", "computed.art_pattern", computed(Computed("", 1), "art_pattern")),
    ("wrong_computed", "computed.safety_retracted", computed(ALWAYS_TRUE, "safety_retracted")),
    ("wrong_computed", "computed.x", computed(Computed("nothing"))),
    (
        "wrong_computed",
        "computed.x",
        computed(Computed("", when=leaf("eq", "no", q="walk_pain"), fact=True)),
    ),
    ("wrong_worse", "questions.vein_bleed.worse", question("vein_bleed", worse=None)),
    ("wrong_worse", "questions.vein_bleed.worse", question("vein_bleed", worse="never")),
    ("wrong_worse", "questions.vein_bleed.worse", question("vein_bleed", worse="never < never")),
    ("wrong_worse", "questions.leg_new.worse", question("leg_new", worse="higher")),
    ("wrong_worse", "questions.hemoglobin.worse", question("hemoglobin", worse="ticked")),
    ("wrong_worse", "questions.reason_text.worse", question("reason_text", worse="nothing")),
    ("unknown_option", "questions.vein_bleed.worse", question("vein_bleed", worse="never < once")),
    ("part_of_fact", "rules.N07.when", when(leaf("contains", "prior_clot", q="clot_risk"))),
    ("part_of_fact", "rules.N07.when", when(leaf("in", ("one_long",), q="swell_long"))),
    ("wrong_computed", "computed.x", computed(Computed("", count={"a": (), "b": ()}))),
    (
        "wrong_computed",
        "computed.x",
        computed(Computed("", first=(Case("yes"),), when=AnswerCondition(all=()))),
    ),
    ("wrong_computed", "computed.x", computed(Computed("", first=(Case("a"), Case("b"))))),
    (
        "wrong_computed",
        "computed.x",
        computed(Computed("", first=(Case("a", leaf("eq", "no", q="walk_pain")), Case(1)))),
    ),
    ("wrong_computed", "computed.x", computed(Computed("", sum=(Term("hemoglobin"),)))),
    ("wrong_computed", "computed.x", computed(Computed("", sum=(Term("conditions", map={}),)))),
    (
        "wrong_computed",
        "computed.x",
        computed(Computed("", sum=(Term("conditions", map={"kidney": 1}),))),
    ),
    (
        "wrong_computed",
        "computed.x",
        computed(Computed("", sum=(Term("tobacco", map={"never": 0, "former": 1}),))),
    ),
    ("unknown_question", "computed.x", computed(Computed("", sum=(Term("lr7_day"),)))),
    (
        "unknown_question",
        "computed.x",
        computed(Computed("", when=leaf("eq", "yes", q="walk_pane"))),
    ),
    (
        "unknown_option",
        "computed.x",
        computed(
            Computed("", when=AnswerCondition(all=()), only_if=leaf("eq", "y", q="walk_pain"))
        ),
    ),
    (
        "unknown_option",
        "computed.x",
        computed(Computed("", count={"n": (leaf("eq", "y", q="walk_pain"),)})),
    ),
    ("duplicate_id", "computed.x", computed(Computed("", count={"sum": ()}))),
    ("duplicate_id", "computed.x", computed(Computed("", count={"lr7_total": ()}))),
    (
        "impossible_value",
        "computed.x",
        computed(
            Computed("", sum=(Term("lr7_days"),), when=leaf("gt", 7, var="sum")),
        ),
    ),
    (
        "circular_computed",
        "computed.x",
        lambda p: computed(Computed("", when=leaf("eq", True, var="x")), "y")(
            computed(Computed("", when=leaf("eq", True, var="y")))(p)
        ),
    ),
    ("circular_computed", "computed.x", computed(Computed("", when=leaf("eq", True, var="x")))),
    ("wrong_summary", "summary[0]", summary(Line("Legs", ((),)))),
    ("wrong_summary", "summary[0]", summary(Line("Legs", ()))),
    ("wrong_summary", "summary[0]", summary(Line("Legs", ((Phrase("{lr7} of 30"),),)))),
    (
        "impossible_value",
        "summary[0]",
        summary(Line("Legs", ((Phrase("bad", leaf("gte", 40, var="lr7_total")),),))),
    ),
    ("unknown_level", "rules.N07", rule("N07", level="some_day")),
    ("wrong_operator", "rules.N07.when", when(leaf("eq", "spider", q="vein_look"))),
    ("wrong_operator", "rules.N07.when", when(leaf("contains", "yes", q="walk_pain"))),
    ("wrong_operator", "rules.N07.when", when(leaf("gte", 3, q="walk_pain"))),
    ("wrong_operator", "rules.N07.when", when(leaf("text_any_regex", ("x",), q="walk_pain"))),
    ("impossible_value", "rules.N07.when", when(leaf("gt", 120, q="age_years"))),
    ("impossible_value", "rules.N07.when", when(leaf("lt", 3, q="hemoglobin"))),
    ("impossible_value", "rules.N07.when", when(leaf("gte", 31, var="lr7_total"))),
    ("impossible_value", "rules.N07.when", when(leaf("eq", "total", var="rls_pattern"))),
    ("impossible_value", "rules.N07.when", when(leaf("eq", "yes", var="art_pattern"))),
    ("impossible_value", "rules.N07.when", when(leaf("eq", "yes", q="ack"))),
    ("bad_pattern", "rules.N07.when", when(leaf("text_any_regex", ("(black",), q="reason_text"))),
    (
        "forward_reference",
        "questions.who.show_if",
        show_if("who", leaf("eq", "restless", q="main_reason")),
    ),
    ("forward_reference", "questions.who.show_if", show_if("who", leaf("eq", "self", q="who"))),
    (
        "forward_reference",
        "questions.tobacco.show_if",
        show_if("tobacco", leaf("eq", True, var="art_pattern")),
    ),
    ("never_shown", "questions.cold_since", show_if("cold_since", NEVER)),
    (
        "never_shown",
        "questions.tobacco",
        show_if(
            "tobacco",
            AnswerCondition(all=(leaf("gte", 30, q="age_years"), leaf("lt", 30, q="age_years"))),
        ),
    ),
    (
        "never_shown",
        "questions.vein_bleed",
        show_if(
            "vein_bleed",
            AnswerCondition(
                all=(
                    leaf("contains", "none", q="vein_look"),
                    leaf("contains", "spider", q="vein_look"),
                )
            ),
        ),
    ),
    ("never_fires", "rules.E01", rule("E01", when=NEVER, inputs=())),
    ("unknown_frame", "rules.N07.when", when(AnswerCondition(danger=("x",), scope="now"))),
    ("unknown_concept", "danger.frames.odd", frame(of=("nowhere",))),
    ("unknown_concept", "danger.frames.odd", frame(unless=("nowhere",))),
    ("unread_frame", "danger.frames.odd", frame(rule="E99")),
    ("unread_frame", "danger.frames.odd", frame()),
    ("duplicate_id", "danger.frames", frame(id="faint", rule="DE2")),
    ("missing_words", "danger.concepts.odd.es", words(odd={"en": "odd"})),
    ("wrong_danger", "danger.concepts.odd", words(odd={"en": "odd", "es": "raro"}, read=False)),
    ("wrong_danger", "danger.concepts.odd.en", words(odd={"en": "of the", "es": "raro"})),
    (
        "wrong_danger",
        "danger.concepts.odd",
        words(odd={"en": "<more>", "es": "raro"}, more={"en": "<odd>", "es": "raro"}),
    ),
    ("unknown_concept", "danger.concepts.odd", words(odd={"en": "<nowhere>", "es": "raro"})),
    ("wrong_danger", "danger.roles.odd", roles(odd=("faint",))),
    ("unknown_concept", "danger.roles.denies", roles(denies=("nowhere",))),
    (
        "never_fires",
        "rules.N07",
        when(leaf("eq", "complete", var="rls_pattern"), leaf("eq", "no", q="rls_urge")),
    ),
    (
        "never_fires",
        "rules.N07",
        when(leaf("eq", "male", q="sex_at_birth"), leaf("eq", "no", q="pregnancy_status")),
    ),
    (
        "never_fires",
        "rules.N07",
        when(leaf("lt", 12, q="age_years"), leaf("eq", "none", q="si_screen")),
    ),
    ("inputs_differ", "rules.E01.inputs", rule("E01", inputs=("em_now", "age_years"))),
    ("inputs_differ", "rules.U12.inputs", rule("U12", inputs=("pregnancy_status",))),
    ("missing_source", "rules.E01", rule("E01", source=" ")),
    ("missing_advice", "rules.R05", rule("R05", advice="")),
    ("missing_limits", "questions.age_years", question("age_years", max=None)),
    ("missing_limits", "questions.reason_text", question("reason_text", max_length=None)),
    ("missing_limits", "questions.tobacco", question("tobacco", options=())),
    ("missing_default", "rules", rule("R05", only_if_none=False)),
    ("page_id", "pages.pregnancy", question("pregnancy_status", page="pregnancy")),
    ("page_too_full", "pages.rls-4", question("drowsy_drive", page="rls-4")),
    ("page_depends", "pages.rls", question("rls_rest", page="rls")),
    ("safety_not_alone", "pages", with_safety_partner),
    (
        "safety_not_alone",
        "pages",
        lambda p: msgspec.structs.replace(
            p,
            questionnaire=msgspec.structs.replace(
                p.questionnaire, sections=p.questionnaire.sections[1:]
            ),
        ),
    ),
    ("missing_proxy", "questions.walk_pain", question("walk_pain", proxy=None)),
    (
        "missing_proxy",
        "questions.tobacco.options.former",
        question("tobacco", proxy=Proxy("Does the patient smoke?")),
    ),
    ("bad_learn", "questions.tobacco.learn", question("tobacco", learn=("Restless Legs",))),
    ("bad_learn", "rules.E01.learn", rule("E01", learn=("clots",))),
    (
        "hard_to_read",
        "rules.E01.advice",
        rule("E01", advice="Immediate hospitalisation facilitates revascularisation procedures."),
    ),
    ("hard_to_read", "rules.S12.closed", rule("S12", closed="Emergency facilities are available.")),
    ("wrong_closed", "rules.S01.closed", rule("S01", closed=None)),
    ("wrong_closed", "rules.S01.may_wait_hours", rule("S01", may_wait_hours=None)),
    ("wrong_closed", "rules.S01.may_wait_hours", rule("S01", may_wait_hours=-1)),
    ("wrong_closed", "rules.E01.may_wait_hours", rule("E01", may_wait_hours=4)),
    ("wrong_closed", "rules.S01.closed", rule("S01", closed="We open on {opening}.")),
    ("wrong_closed", "rules.S08.closed", rule("S08", closed="You can wait for us.")),
    ("wrong_period", "rules.S08.closed", rule("S08", closed="{opening} {by}")),
    ("vague_time", "rules.S08.closed", rule("S08", closed="Wait till the morning. In the morning")),
    ("vague_time", "rules.S12.closed", rule("S12", closed="Read when we open.")),
    ("vague_time", "rules.S01.promise", rule("S01", promise="We call you tomorrow.")),
    ("promise_in_advice", "rules.R02.advice", rule("R02", advice="We will check your veins.")),
    ("promise_in_advice", "rules.S16.advice", rule("S16", advice="We will read it today.")),
    ("promise_in_advice", "rules.N02.advice", rule("N02", advice="You are seen within 6 weeks.")),
    ("promise_in_advice", "rules.S12.closed", rule("S12", closed="We will call you today.")),
    (
        "promise_in_advice",
        "levels.same_day.closed",
        lambda p: with_rule_set(
            p,
            levels=tuple(
                msgspec.structs.replace(level, closed="We call you tomorrow.")
                if level.code == "same_day"
                else level
                for level in p.rules.levels
            ),
        ),
    ),
]


CHART = ("payer", "member_number", "referring_doctor", "pharmacy")


def later(*questions: str, safe: bool = True) -> dict[str, Any]:
    """Return the `uses` that leave questions for part 2."""
    part_2 = (*(("em_now",) if safe else ()), *questions, *CHART)
    short = ("em_now", "em_past")
    return {"walks": ShortWalks(short, short, part_2)}


USES_BROKEN: list[tuple[str, dict[str, Any]]] = [
    # a question that the program uses is gone, misspelt or of another type
    ("safety", {"safety": "em_then"}),
    ("age", {"age": "age"}),
    ("age", {"age": "tobacco"}),
    ("who", {"who": Who("helper", ("caregiver",))}),
    ("own_words", {"own_words": "reason_txt"}),
    ("free_text", {"free_text": ("reason_text", "meds")}),
    ("complaint", {"complaint": ("main_reason", "side")}),
    ("first_line", {"first_line": ("sex",)}),
    ("crisis", {"crisis": "si"}),
    ("contact.phone", {"contact": ContactQuestions("phone", "lang_help", "ack")}),
    ("contact.language_help", {"contact": ContactQuestions("callback_phone", "language", "ack")}),
    ("contact.acknowledged", {"contact": ContactQuestions("callback_phone", "lang_help", "yes")}),
    ("walks.appointment", {"walks": ShortWalks(("em_then",), ("em_now",))}),
    # the question does not have the option that the program uses
    ("who.proxy", {"who": Who("who", ("helper",))}),
    ("who.proxy", {"who": Who("who", ())}),
    ("who.proxy", {"who": Who("who", ("self", "parent_guardian", "caregiver"))}),
    (
        "contact.speaks",
        {"contact": ContactQuestions("callback_phone", "lang_help", "ack", {"es": "espanol"})},
    ),
    # a short walk without the safety question; a short walk with a contact question
    ("walks.appointment", {"walks": ShortWalks(("who",), ("em_now",))}),
    ("walks.appointment", {"walks": ShortWalks(("em_now",), ("em_now", "em_past"))}),
    ("walks.addition", {"walks": ShortWalks(("em_now",), ("em_now", "lang_help"))}),
    # part 2 without the safety question; a question that the program needs in part 1
    ("walks.part_2", later("habits", safe=False)),
    ("walks.part_2", later("leg_side")),
    # a question that a rule with a level reads, directly and through a computed value
    ("walks.part_2", later("dopa_effects")),
    ("walks.part_2", later("lr7_days")),
    # a question on which another question of part 1 depends
    ("walks.part_2", later("iron_results")),
    # a free text that the program would not search for alarm words
    ("free_text", {"free_text": ("reason_text",)}),
    ("own_words", {"free_text": ("meds_list",)}),
    # words that are not heard well enough, and no question, option or rule beside them
    ("cannot_wait", {"cannot_wait": None}),
    ("cannot_wait", {"cannot_wait": CannotWait("reason_weight", "yes")}),
    ("cannot_wait", {"cannot_wait": CannotWait("reason_wait", "sometimes")}),
    ("cannot_wait", {"cannot_wait": CannotWait("who", "self")}),
    # what a caller must be asked by anybody, left to a nurse
    *(("nurse_asks", {"nurse_asks": (id,)}) for id in ("em_past", "reason_text", "reason_when")),
    ("nurse_asks", {"nurse_asks": ("not_there",)}),
    (
        "walks.addition",
        {"walks": ShortWalks(("em_now",), ("em_now", "reason_text"))},
    ),
    # words for the chart that nobody searches: misspelt, a choice, and room to tell of danger
    ("chart", {"chart": ChartQuestions("insurer", *CHART[1:])}),
    ("chart", {"chart": ChartQuestions("tobacco", *CHART[1:])}),
    ("chart", {"chart": ChartQuestions("meds_list", *CHART[1:])}),
    ("chart", {"walks": ShortWalks(("em_now", "em_past"), ("em_now", "em_past"))}),
    ("free_text", {"chart": None}),
]


@pytest.mark.parametrize(("place", "changes"), USES_BROKEN)
def test_what_the_program_uses_is_there_and_fits(
    protocol: Protocol, place: str, changes: dict[str, Any]
) -> None:
    uses = msgspec.structs.replace(protocol.uses, **changes)
    found = problems(with_questionnaire(protocol, uses=uses))
    assert ("wrong_use", f"uses.{place}") in {(problem.id, problem.path) for problem in found}
    assert all(problem.message.endswith(".") for problem in found)


def test_a_flag_may_read_part_2_but_not_what_part_2_does_not_say(protocol: Protocol) -> None:
    uses = msgspec.structs.replace(protocol.uses, **later("family_rls", "habits"))
    left = with_questionnaire(protocol, uses=uses)
    assert problems(left) == []
    silent = AnswerCondition(not_=leaf("contains", "snore_gasps", q="habits"))
    flagged = with_rule(left, "F14", inputs=("habits",), when=silent)
    assert [problem.path for problem in problems(flagged)] == ["uses.walks.part_2"]


def test_a_rule_with_a_level_may_hear_words_of_part_2(protocol: Protocol) -> None:
    """A rule with a level searches all free texts, also those of part 2, for alarm words."""
    uses = msgspec.structs.replace(protocol.uses, **later("meds_list", "meds_crisis", "meds_when"))
    assert problems(with_questionnaire(protocol, uses=uses)) == []


def without(id: str) -> Change:
    return lambda p: with_questions(p, lambda qs: tuple(q for q in qs if q.id != id))


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("uses.contact.language_help", without("lang_help")),
        ("uses.contact.phone", without("callback_phone")),
        ("uses.contact.acknowledged", without("ack")),
        ("uses.own_words", without("reason_text")),
        ("uses.cannot_wait", question("reason_wait", required=True)),
        ("uses.cannot_wait", rule("S40", level="flag")),
        ("uses.who", question("who", show_if=leaf("contains", "none", q="em_now"))),
        ("uses.age_years", question("age_years", required=False)),
        ("uses.em_now", question("em_now", interrupts=False)),
        ("uses.si_screen", question("si_screen", interrupts=False)),
        ("uses.chart", question("payer", one_line=False)),
        ("uses.chart", question("payer", max_length=121)),
        ("uses.chart", question("payer", required=True)),
        ("uses.chart", question("payer", page="before_visit")),
        ("uses.chart", question("payer", show_if=leaf("contains", "none", q="em_now"))),
        ("uses.free_text", question("tobacco", type="text", options=(), max_length=80)),
        ("uses.free_text", rule("S16", when=leaf("text_any_regex", ("x",), q="reason_text"))),
    ],
)
def test_a_question_that_the_program_uses_cannot_be_lost(
    protocol: Protocol, path: str, change: Change
) -> None:
    paths = {problem.path for problem in problems(change(protocol)) if problem.id == "wrong_use"}
    assert path in paths


def test_a_page_of_questions_is_not_called_like_a_step_of_the_program(protocol: Protocol) -> None:
    def renamed(section: QuestionSection) -> QuestionSection:
        return msgspec.structs.replace(section, id="check") if section.id == "life" else section

    sections = tuple(renamed(section) for section in protocol.questionnaire.sections)
    found = problems(with_questionnaire(protocol, sections=sections))
    assert ("page_id", "sections.check") in {(problem.id, problem.path) for problem in found}


def test_the_contact_is_the_last_section_and_asks_nothing_else(protocol: Protocol) -> None:
    moved = with_questionnaire(protocol, sections=protocol.questionnaire.sections[::-1])
    assert ("wrong_use", "uses.contact") in {(p.id, p.path) for p in problems(moved)}


def test_the_shipped_protocol_has_no_problems(protocol: Protocol) -> None:
    assert problems(protocol) == []


@pytest.mark.parametrize(("kind", "path", "change"), BROKEN)
def test_a_broken_protocol_is_told_what_is_wrong_and_where(
    protocol: Protocol, kind: str, path: str, change: Change
) -> None:
    found = problems(change(protocol))
    assert (kind, path) in {(problem.id, problem.path) for problem in found}
    assert all(problem.message.endswith(".") for problem in found)


def test_a_promise_in_the_advice_is_named_by_rule_and_sentence(protocol: Protocol) -> None:
    said = "Keep it dry. We will try to see you within 2 weeks. Call 911 if it bleeds."
    (found,) = problems(with_rule(protocol, "U06", advice=said))
    assert found.path == "rules.U06.advice"
    assert "“We will try to see you within 2 weeks.”" in found.message


def test_every_kind_of_problem_has_a_broken_example() -> None:
    # USES_BROKEN has examples of `wrong_use`; tests/intake/forms/test_drawings.py tests drawings
    assert {kind for kind, _, _ in BROKEN} | {"wrong_use", "no_drawing"} == set(KINDS)


def test_a_rule_that_only_some_answers_can_fire_is_found_to_fire(protocol: Protocol) -> None:
    reachable = when(
        leaf("eq", "complete", var="rls_pattern"),
        leaf("eq", 30, var="lr7_total"),
        leaf("lte", 12, q="age_years"),
        leaf("eq", "pregnant", q="pregnancy_status"),
        leaf("eq", True, var="art_pattern"),
        leaf("eq", True, var="safety_retracted"),
        leaf("text_any_regex", ("x",), q="reason_text"),
    )
    assert problems(reachable(protocol)) == []


def test_reading_grades_grow_with_longer_words_and_sentences() -> None:
    assert reading_grade("") == 0
    assert reading_grade("911") == 0
    easy = reading_grade("Call us now. We can help you.")
    hard = reading_grade("Individuals experiencing symptomatology require evaluation.")
    assert easy < 2 < READING_GRADE < hard
