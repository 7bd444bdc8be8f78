"""The critic stage of `rise run`: a model that is fitted to judge replies."""
