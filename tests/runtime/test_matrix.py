from __future__ import annotations

from pathlib import Path

import pytest
from environments import Environment

pytestmark = pytest.mark.runtime


def test_each_environment_has_the_django_that_it_is_named_for(environment: Environment, tmp_path: Path) -> None:
    ended = environment.run(["python", "-c", "import django, nuages_runtime; print(django.VERSION[:2])"], tmp_path)
    assert ended.out.strip() == str(environment.django), ended.err
