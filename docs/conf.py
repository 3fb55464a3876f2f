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
sphinx_gallery_conf = {"examples_dirs": "../examples", "gallery_dirs": "auto_examples", "show_memory": False}
numpydoc_show_class_members = False
# Docstrings inherited from scikit-learn point into its glossary.
suppress_warnings = ["config.cache", "ref.term"]
exclude_patterns = ["_build"]
html_static_path = ["_static"]
