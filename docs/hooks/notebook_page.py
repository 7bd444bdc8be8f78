"""The page that shows the notebook of the tutorials."""

import json
from pathlib import Path


def notebook_page(path: Path) -> dict[str, str]:
    """Return the notebook as a page, with the outputs that are stored in it.

    Args:
        path: The .ipynb file; the page has its name.
    """
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        printed = "".join("".join(output.get("text", [])) for output in cell["outputs"])
        if printed:
            parts.append(f"```text\n{printed.rstrip()}\n```")
    return {f"tutorials/{path.stem}.md": "\n\n".join(parts) + "\n"}
