"""Stand-ins for base images, as a machine without any image makes them."""

import re

from tests.docker_host.base_images import HERE, base_image_names, in_order


def test_no_stand_in_is_made_before_what_it_is_made_from() -> None:
    tags, made = base_image_names(), set[str]()
    for variable in in_order(tags):
        recipe = (HERE / f"{variable.removesuffix('_IMAGE').lower()}.Dockerfile").read_text()
        needed = set(re.findall(r"^FROM (\S+)", recipe, re.MULTILINE)) & set(tags.values())
        assert needed <= made, f"{variable} needs {needed}"
        made.add(tags[variable])
