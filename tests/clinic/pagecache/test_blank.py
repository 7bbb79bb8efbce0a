"""Pages that are the same for every visitor are made once for each language."""

from django.utils.translation import get_language, override

from clinic.pagecache import blank


def test_a_page_is_made_once_for_each_language_and_each_thing_that_it_depends_on():
    made = []

    @blank.remembered(most=8)
    def page(step: str) -> str:
        made.append((get_language(), step))
        return f"{get_language()} {step}"

    for language in ("en", "es", "en"):
        with override(language):
            assert [page("wish"), page("contact")] == [f"{language} wish", f"{language} contact"]
    assert made == [("en", "wish"), ("en", "contact"), ("es", "wish"), ("es", "contact")]


def test_only_the_last_pages_are_remembered():
    made = []
    page = blank.remembered(most=2)(lambda step: made.append(step) or step)
    for step in ("a", "b", "c", "b", "a"):
        page(step)
    assert made == ["a", "b", "c", "a"]
