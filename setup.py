"""Metadata is in setup.cfg. This file only makes the README that a package index shows."""

import configparser
import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent


def readme_for_the_index() -> str:
    """Return README.md with absolute links: a package index has no other file of the repository."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    url = settings["metadata"]["url"]

    def absolute(link: re.Match[str]) -> str:
        picture, text, target = link.groups()
        if "://" in target or target.startswith("#"):
            return link[0]
        if target.startswith("../../"):  # a page of the repository's host, such as its actions
            return f"{picture}[{text}]({url}/{target.removeprefix('../../')})"
        return f"{picture}[{text}]({url}/{'raw' if picture else 'blob'}/main/{target})"

    links = re.compile(r"(!?)\[((?:!\[[^\]]*\]\([^)]*\)|[^\]])*)\]\(([^)\s]+)\)")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.compile(r"(!)\[([^\]]*)\]\(([^)\s]+)\)")
    return links.sub(absolute, pictures.sub(absolute, text))


setup(long_description=readme_for_the_index(), long_description_content_type="text/markdown")
