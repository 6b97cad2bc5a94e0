"""The control plane: commands over HTTP on a real gateway."""
