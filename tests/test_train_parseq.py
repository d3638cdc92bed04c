"""Orders of reading, the masks they make, and PARSeq's loss and refinement."""

from __future__ import annotations

from itertools import permutations as all_orders

import pytest
import torch
import torch.nn.functional as F
from test_train_autoregressive import images, little

from train import compiling
from train.models.permutations import draw, masks


class TestOrders:
    def test_of_one_character_is_one(self) -> None:
        assert draw(1, 6).tolist() == [[0, 1, 2]]

    def test_of_two_characters_are_both(self) -> None:
        assert draw(2, 6).tolist() == [[0, 1, 2, 3], [0, 3, 2, 1]]

    @pytest.mark.parametrize(
        ("n", "k", "n_orders"), [(3, 6, 6), (3, 8, 6), (4, 24, 24), (4, 6, 6), (5, 6, 6)]
    )
    def test_of_few_characters_are_different(self, n: int, k: int, n_orders: int) -> None:
        torch.manual_seed(0)
        for _ in range(20):
            drawn = draw(n, k)
            characters = {tuple(c for c in row if 1 <= c <= n) for row in drawn.tolist()}
            if n <= 4:
                assert len(characters) == len(drawn) == n_orders
            assert characters <= set(all_orders(range(1, n + 1)))

    def test_begin_with_left_to_right_and_right_to_left(self) -> None:
        for n in (3, 4, 9):
            drawn = draw(n, 6)
            assert drawn[0].tolist() == list(range(n + 2))
            assert drawn[1].tolist() == [0, *range(n + 1, 0, -1)]

    def test_come_in_pairs(self) -> None:
        drawn = draw(9, 6)
        assert drawn.shape == (6, 11)
        for one, other in (drawn[2:4], drawn[4:6]):
            assert one[1:-1].tolist() == other[1:-1].flip(0).tolist()
            assert one[[0, -1]].tolist() == other[[0, -1]].tolist() == [0, 10]

    def test_are_drawn_by_the_seed(self) -> None:
        drawn = [torch.manual_seed(seed) and draw(12, 6) for seed in (0, 0, 1)]
        assert torch.equal(drawn[0], drawn[1])
        assert not torch.equal(drawn[0], drawn[2])

    def test_left_to_right_alone(self) -> None:
        assert draw(3, 1).tolist() == [[0, 1, 2, 3, 4]]


def test_masks_show_what_was_read_before() -> None:
    # In the order 2, 1, 3 of a word of three characters; columns: the beginning, characters 1, 2, 3.
    queries, content = masks(torch.tensor([[0, 2, 1, 3, 4]]))
    assert queries.int().tolist() == [
        [
            [1, 0, 1, 0],  # character 1 is read knowing character 2
            [1, 0, 0, 0],  # character 2 is the first to be read
            [1, 1, 1, 0],  # character 3 knows both
            [1, 1, 1, 1],  # the end knows all
        ]
    ]
    assert content.int().tolist() == [[[1, 0, 0, 0], [1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1]]]


def test_masks_of_the_reverse_hide_the_word_from_its_end() -> None:
    queries, content = masks(torch.tensor([[0, 3, 2, 1]]))
    assert queries.int().tolist() == [[[1, 0, 1], [1, 0, 0], [1, 0, 0]]]
    assert content.int().tolist() == [[[1, 0, 0], [1, 1, 1], [1, 0, 1]]]


def test_loss_of_left_to_right_is_plain_cross_entropy() -> None:
    network = little("parseq", permutations=1)
    targets, _ = network.encode(["street", "a1"])
    memory = network.memory(images(2))
    expected = []
    for row, length in enumerate((6, 2)):
        one = [keys[:, row : row + 1] for keys in memory]
        before = network.shifted(targets[row : row + 1, : length + 1])
        seen = torch.ones(length + 1, length + 1, dtype=torch.bool).tril()
        positions = network.positions[None, : length + 1]
        logits = network.predict(positions, network.content(before), one, seen, seen)[0]
        expected.append(F.cross_entropy(logits, targets[row, : length + 1]))
    torch.testing.assert_close(network.loss(images(2), targets), torch.stack(expected))


def test_loss_over_orders_is_that_of_each_order_by_itself() -> None:
    """Ends count in the first two orders only; a word is averaged over all it has to predict."""
    network = little("parseq", permutations=6)
    targets, _ = network.encode(["abc", "z"])
    torch.manual_seed(3)
    loss = network.loss(images(2), targets)
    torch.manual_seed(3)
    queries, content = masks(draw(3, 6))
    memory = network.memory(images(2))
    sums, counts = torch.zeros(2), torch.zeros(2)
    for order in range(6):
        for row, length in enumerate((3, 1)):
            one = [keys[:, row : row + 1] for keys in memory]
            inside = torch.arange(4) <= length
            logits = network.predict(
                network.positions[None, :4],
                network.content(network.shifted(targets[row : row + 1, :4])),
                one,
                queries[order] & inside,
                content[order] & inside,
            )[0]
            n = length + (order < 2)
            sums[row] += F.cross_entropy(logits[:n], targets[row, :n], reduction="sum")
            counts[row] += n
    assert counts.tolist() == [20, 8]
    torch.testing.assert_close(loss, sums / counts)


def test_lengths_do_not_compile_the_loss_anew_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "BACKEND", "eager")
    network = little("parseq", decoder_depth=1)
    torch.compiler.reset()
    loss = compiling.compiled(compiling.Loss(network))
    with compiling.never_silently(True), torch._dynamo.config.patch(recompile_limit=2):
        for length in (7, 9, 5, 12, 25):
            targets, _ = network.encode(["a" * length, "", "b"])
            torch.manual_seed(0)
            expected = network.loss(images(3), targets)
            torch.manual_seed(0)
            torch.testing.assert_close(loss(images(3), targets, 1.0), expected)


def test_seeds_draw_the_orders_of_the_loss() -> None:
    network = little("parseq")
    targets, _ = network.encode(["recognizer"])
    losses = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        losses.append(network.loss(images(1), targets).item())
    assert losses[0] == losses[1] != losses[2]


def test_a_character_is_refined_without_looking_at_itself() -> None:
    network = little("parseq", scale=1, decoder_depth=1)
    memory = network.memory(images(1))
    classes = network.encode(["street"])[0]
    for place in range(6):
        other = classes.clone()
        other[0, place] = 5
        same = torch.isclose(network.read_again(classes, memory), network.read_again(other, memory)).all(-1)[
            0
        ]
        assert same[:7].tolist() == [at == place for at in range(7)]


def test_what_follows_the_end_is_not_looked_at() -> None:
    network = little("parseq")
    memory = network.memory(images(1))
    long = network.encode(["ab"])[0]
    torch.testing.assert_close(network.read_again(long, memory), network.read_again(long[:, :3], memory))
