"""Environments that are made from a template: brought up, listed, sent to sleep, taken down."""
