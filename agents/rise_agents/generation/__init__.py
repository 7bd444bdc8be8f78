"""Private: what the transformers and vLLM agents share."""
