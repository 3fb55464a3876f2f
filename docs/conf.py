from skmetric import __version__

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
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "show_memory": False,
    "doc_module": ("skmetric",),
    "reference_url": {"skmetric": None},
    "backreferences_dir": "generated/backreferences",
}
numpydoc_show_class_members = False
# Docstrings say types in words; the annotations repeat them at length.
autodoc_typehints = "none"
templates_path = ["_templates"]
# Docstrings inherited from scikit-learn point into its glossary and its user guide.
suppress_warnings = ["config.cache", "ref.ref", "ref.term"]
exclude_patterns = ["_build", "_templates"]

html_static_path = ["_static"]
