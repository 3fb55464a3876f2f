import sys
from pathlib import Path

from skmetric import __version__

sys.path.insert(0, str(Path(__file__).parent))
from reference import write_reference

write_reference()

project = "skmetric"
author = "the skmetric developers"
copyright = "2026, the skmetric developers"
release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
# From the first look to what is special; what is not named comes last.
examples = ["margin_search", "batched_search", "user_items", "ranking_margins", "best_worst", "ranksim"]


def position(file_name):
    name = file_name.removeprefix("plot_").removesuffix(".py")
    return examples.index(name) if name in examples else len(examples)


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": position,
    "show_memory": False,
    "write_computation_times": False,
    "doc_module": ("skmetric",),
    "reference_url": {"skmetric": None},
    "backreferences_dir": "generated/backreferences",
}
# Chapters link to each other's headings, as they do on a page of the repository.
myst_heading_anchors = 3
numpydoc_show_class_members = False
# Docstrings say types in words; the annotations repeat them at length.
autodoc_typehints = "none"
templates_path = ["_templates"]
# Docstrings inherited from scikit-learn point into its glossary and its user guide.
suppress_warnings = ["config.cache", "ref.ref", "ref.term"]
exclude_patterns = ["_build", "_templates"]

html_title = "skmetric"
html_static_path = ["_static"]
html_copy_source = False
# Its output is dark enough to be read on a tinted ground.
pygments_style = "sphinx"
sans_serif = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
html_theme_options = {
    "description": "Metric learning and learning to rank for scikit-learn",
    "page_width": "1180px",
    "body_max_width": "none",
    "sidebar_width": "240px",
    "font_family": sans_serif,
    "head_font_family": sans_serif,
    "font_size": "16px",
    "code_font_size": "0.85em",
    "highlight_bg": "#f6f6f6",
    "footer_text": "#666",
    "show_relbar_bottom": True,
}
