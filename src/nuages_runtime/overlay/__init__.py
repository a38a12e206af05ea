"""What is added to a project's settings so that it runs in a cluster; `plan` decides, `apply` does it.

Three policies, per setting: add what the project leaves out, replace a value that is recognised as one for development,
never touch the rest. Each decision is a Change with its reason, and `nuages explain` shows them all.
"""
