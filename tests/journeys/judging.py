"""Judge how accessible a page is: what axe finds, in each way a page may be shown."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Returns the kind of each element: the element, its attributes and its two nearest ancestors. Axe
# judges only one element of each kind, because templates and style sheets treat a kind alike. The
# HTML checker of tests/web judges what depends on the texts of a page.
KINDS = """() => [...document.querySelectorAll('*')].map(e => {
    const named = e => e ? e.tagName + '.' + (e.getAttribute('class') || '') : '';
    const attributes = [...e.attributes].map(a =>
        /^(type|name|role|lang|dir|rel|scope)$/.test(a.name) ? a.name + '=' + a.value : a.name);
    const up = e.parentElement;
    return [named(up?.parentElement), named(up), named(e), ...attributes].join(' ');
})"""
# judge these elements without the large ones, because axe judges all that an element contains
JUDGE = """async ([chosen, options]) => {
    const all = [...document.querySelectorAll('*')];
    const some = chosen.map(i => all[i]).filter(e => e.querySelectorAll('*').length < 60);
    if (!some.length) return [];
    const context = chosen.length === all.length ? document : {include: some};
    return (await axe.run(context, options)).violations;
}"""
# text that a patient may type as a name; `Judge` reports a page that runs the text as code
EVIL = """<img src=x onerror="window.ran=1"><script>window.ran=1</script>'"></textarea>{{ ran }}"""
_judged: dict[str, set[str]] = {}


def violations(page: Page, shown: str = "", **options: Any) -> list[str]:
    """Return the faults that axe finds in the elements that it has not judged in this run yet.

    `shown` says how the page is shown, such as "dark". For each value of `shown`, axe judges one
    element of each kind. To judge whole pages would take axe half a second for each page, and most
    elements would be of a kind that axe has judged already.
    """
    seen = _judged.setdefault(f"{shown} {options} {page.viewport_size}", set())
    kinds = page.evaluate(KINDS)
    new = list({kind: number for number, kind in enumerate(kinds) if kind not in seen}.values())
    chosen = new if seen else list(range(len(kinds)))
    seen.update(kinds)
    if not chosen:
        return []
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    # only rules of WCAG; axe's other rules are conventions
    rules = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    # without preload, because axe would copy style sheets into the page, which our CSP blocks
    options = {"runOnly": rules, "preload": False, "resultTypes": ["violations"], **options}
    # return only the violations, because sending the passed checks took longer than checking
    found = page.evaluate(JUDGE, [chosen, options])
    return [
        f"{issue['id']} at {node['target']}: {node['html'][:120]}"
        for issue in found
        for node in issue["nodes"]
    ]


class Judge:
    """Judges the page of a window in every way it may be shown, and collects the faults."""

    def __init__(self, window: Any) -> None:
        self.window, self.faults, self.seen = window, [], 0
        self.size = window.page.viewport_size

    def sees(self, words: str) -> None:
        """Judge the page, which must say these words."""
        if words not in self.window.text:
            self.faults.append(f"{self.window.path} does not say {words!r}")
        self.looks()

    def opens(self, pages: dict[str, str]) -> None:
        """Open and judge page after page. Each path has the words that its page must say."""
        for path, words in pages.items():
            self.window.page.set_viewport_size(self.size)
            self.window.opens(path)
            self.sees(words)

    def looks(self) -> None:
        """Judge the page in light and in dark, and its width in the reader's own colours."""
        page = self.window.page
        self.seen += 1
        if page.evaluate("'ran' in window"):
            self.faults.append(f"{self.window.path} runs what a patient wrote")
        page.emulate_media(color_scheme="light", forced_colors="none")
        self.faults += self.window.violations()
        page.emulate_media(color_scheme="dark")
        only = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
        self.faults += [f"dark: {fault}" for fault in self.window.violations("dark", **only)]
        page.emulate_media(color_scheme="light", forced_colors="active")
        self.faults += [*self.window.sideways(320), *self.window.sideways(360)]
        page.emulate_media(forced_colors="none")
