"""Answers messages, and remembers each conversation under STATE_DIR, over restarts too."""

import json
from pathlib import Path

# What it remembers outlives its process.
capabilities = {"conversations": "persistent"}


def on_message(text, context):
    """Called for each message. A text, an iterator of texts (streamed), or async of either."""
    file = Path(context.state_dir, "conversations", f"{context.conversation}.json")
    said = json.loads(file.read_text()) if file.exists() else []
    said.append(text)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(said))

    # Ask a model here. What it used is told with: context.usage(model="m", input=12, output=3)
    yield f"You said: {text}"
    if len(said) > 1:
        yield f" (that makes {len(said)}, the first was: {said[0]})"
