"""Plain, international English: words and turns that a reader would stumble over stay out of docs and docstrings."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.*")),
    *sorted((ROOT / "examples").glob("*.*")),
    *sorted((ROOT / "skmetric").rglob("*.py")),
]
TEXTS = [path for path in TEXTS if path.suffix in {".md", ".py", ".rst"}]

# What is wrong, and what to write instead.
THING = (
    "batch|bin|candidate|case|class|column|comparison|epoch|estimator|extra|family|fold|fit|group|head|item|job|judgement|"
    "label|layer|line|list|loss|model|pair|plan|point|purpose|query|row|sample|second|stack|step|table|task|target|"
    "triplet|tuple|user|worker"
)
NOUN = (
    "column|count|curve|distance|draw|embedding|entry|file|figure|gain|generator|grade|gram|id|index|item|job|label|"
    "length|line|list|loss|margin|mask|mean|message|model|noise|number|one|point|probability|rank|rate|record|result|"
    "row|score|second|seed|share|slot|state|statistic|stream|task|time|value|vote|weight|width"
)
VOCABULARY = {
    rf"\b({NOUN})s? a ({THING})\b": "per: 'one value per list'",
    r"(?<!\bin )(?<!\bin-)(?<!\btakes )(?<!\btake )\bplaces?\b(?! (of|where)\b)": "index, position",
    r"\balike\b": "similar (users), positive (losses), equal, the same",
    r"\b(fore)?told\b": "predict, distinguish, report",
    r"\btells? .{1,40} (apart|from)\b": "distinguish",
    r"\blest\b": "so that ... not",
    r"\bwho(so)?ever\b": "anyone who; say who",
    r"\bwhatever\b": "any, regardless of",
    r"\bwherever\b": "anywhere, regardless of where",
    r"\bnobody\b|\bnobody's\b": "no one; say it positively",
    r"\bby heart\b": "overfitted",
    r"\basks\b": "requests, needs, uses",
    r"\bwonders\b|\bclothes\b|\bletter from\b|\bin exile\b": "no metaphors",
    r"\btears?\b(?! down)": "splits",
    r"\bone's own\b|\bof (their|its|his|my|ours|mine|yours) own\b(?! (kind|right))": "own, custom, separate",
    r"\bbut for\b": "except for",
    r"\bout loud\b|\bin so many words\b": "explicitly",
    r"\b(makes?|made) of (a |the |its |it|them|rows|what)\b": "computes from, returns for",
    r"\bwants\b": "needs",
    r"\bgo(es)? on\b|\bgoing on\b": "continue",
    r"\blooks? on\b": "observe",
    r"\bhad better\b|\bwould be to\b": "should",
    r"\b(is|are|was|were) to (be|get|have|know|see|rank|learn)\b": "must, will, should",
    r"\bsay so\b|\bsays so\b|\bsaid so\b": "reports it",
    r"\bof no use\b|\bto no avail\b": "unusable",
    r"\bcomes? to nothing\b|\bcame to nothing\b": "fails",
    r"\bas soon be\b|\bsooner done\b": "faster",
    r"\bevery so often\b|\bthe like\b": "name them",
    r"\bthe former\b|\bthe latter\b": "repeat the noun",
    r"\btherein\b|\bthereof\b|\bthereby\b|\bwherein\b|\bwhereby\b|\bhitherto\b|\bhence\b": "plain words",
    r"\bfrom end to end\b|\bhair's breadth\b": "completely; a rounding error",
    r"^\s+Of (the|a|an|each|its|[A-Z]\w+)[ .].*$": "a sentence: 'Weight decay of the AdamW optimizer.'",
    r"\(n, n_features\)": "(n_samples, n_features)",
    r"\b\w*(optim|normal|standard|regular|minim|maxim|penal|vector|initial|serial|random)is(e|ed|er|es|ing|ation)": (
        "American spelling: optimize, standardize, ..."
    ),
    r"\b\w*(recogn|summar|general|material|parametr|central|categor|symmetr)is(e|ed|es|ing|ation)": (
        "American spelling: recognize, generalize, ..."
    ),
    r"\b(analyse|analysed|catalogue|behaviour|colour|favour|grey|honour|labour|neighbour|neighbourhood)s?\b": (
        "American spelling: analyze, behavior, neighbor, ..."
    ),
    r"\bcentres?\b|\bcentred\b|\bmetres?\b|\bjudgements?\b(?!\()": "American spelling: center, judgment",
    r"\blabell(ed|ing)\b|\bmodell(ed|ing)\b|\btravell(ed|ing)\b": "American spelling: labeled, modeling",
    r"\bseconds a \w+\b|\brows a \w+\b|\btimes a \w+\b": "per",
}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_words(path):
    text = path.read_text()
    found = [
        f"{path.name}:{text[: match.start()].count(chr(10)) + 1}: {match.group(0).strip()!r} -> {instead}"
        for pattern, instead in VOCABULARY.items()
        for match in re.finditer(pattern, text, re.MULTILINE)
    ]
    assert not found, "\n" + "\n".join(found)
