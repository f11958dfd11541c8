"""From a plan's text to its parts, and everything that is wrong with it: YAML as operators write it."""
