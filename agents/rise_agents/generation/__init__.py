"""Private: modules that the transformers and vLLM agents share."""
