"""Random streams depend on what is drawn, never on who draws it or when."""

from __future__ import annotations

from curation.core.rng import stream


def test_draws_do_not_depend_on_order() -> None:
    forwards = [stream(3, "render", i).random() for i in range(50)]
    backwards = [stream(3, "render", i).random() for i in reversed(range(50))][::-1]
    assert forwards == backwards
    assert len(set(forwards)) == 50


def test_streams_do_not_share_state() -> None:
    first, second = stream(0, "a"), stream(0, "b")
    alone = stream(0, "b").random(4).tolist()
    first.random(100)
    assert second.random(4).tolist() == alone


def test_every_part_of_the_key_counts() -> None:
    keys = [
        (0, "a"),
        (1, "a"),
        (0, "b"),
        (0, "a", 1),
        (0, "a", "1"),
        (0, "a", "b"),
        (0, 1),
        (0, 1, "a"),
        (0,),
    ]
    assert len({stream(*key).random() for key in keys}) == len(keys)


def test_bits_stay_the_same_for_ever() -> None:
    assert stream(0, "render", 17, "motion_blur").bit_generator.random_raw(2).tolist() == [
        7316972757195425228,
        2003013997172348081,
    ]
