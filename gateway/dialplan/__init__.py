"""The dial plan: what happens to a call, by the number that was dialed. Operators write it in YAML.

`load.load(directory, catalogue)` reads the files and tells everything that is wrong at once; `route.route(plan,
dialed, caller)` decides. `watch.Watch` takes changed files up while calls go on, and keeps the old plan when the new
one is wrong.
"""
