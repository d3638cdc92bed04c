"""The words of a mixture, packed and encoded once, and rendered ones, as batches by position."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curation.core.errors import UserError
from curation.core.labels import Protocol
from curation.mixture import Mixture
from train.data.drawing import Drawers
from train.data.packed_words import PackedWords, Rows
from train.data.rendered import Order, Rendered
from train.data.rendered_words import RenderedWords
from train.data.residence import Choice, Images, one_ahead, placed
from train.data.word_stream import WordStream
from train.learned import is_learned, short_hashes
from train.models import Recognizer
from train.run_folder import TrainedOn

Range = tuple[int, int]
Batches = Generator[tuple[Tensor, Tensor], None, None]
CPU = torch.device("cpu")


class Words:
    """Everything that a training learns from and is measured on.

    Args:
        mixture: Which word comes at which position; None for rendered words alone.
        recognizer: Decides how labels are encoded, and which it cannot learn.
        protocol: How labels are normalised.
        image_size: Height and width, in pixels, to which words are scaled.
        threads: Decoding threads; None for one a core.
        rendered: Words drawn as it goes, among those of the mixture; None for none.
        stream: These words, if they are open already.
        device: Where batches are wanted.
        pack_device: Where packed images lie; see ``residence.placed``.

    Attributes:
        unlearnable: Words of the mixture that take up positions but teach nothing, by reason.
        dropped: Held-out words that the protocol does not count, by reason.
        n_held_out_learned: Those that count and are learned from all the same, once they were looked for.
        rendered: What was drawn; None without rendered words.

    Raises:
        UserError: an image cannot be decoded, or not one word can be learned.
    """

    def __init__(
        self,
        mixture: Mixture | None,
        recognizer: Recognizer,
        protocol: Protocol,
        image_size: tuple[int, int],
        threads: int | None = None,
        *,
        rendered: Rendered | None = None,
        stream: WordStream | None = None,
        device: torch.device = CPU,
        pack_device: Choice = "auto",
    ) -> None:
        self.mixture, self.device = mixture, device
        self.unlearnable: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.n_held_out_learned = 0
        self.order = Order.of(rendered.per_word if rendered else None, has_mixture=mixture is not None)
        self.rendered: RenderedWords | None = None
        if rendered is not None:
            stream = stream or rendered.open(protocol, image_size)
            self.rendered = RenderedWords(rendered, stream, recognizer)
        self._parts: list[PackedWords] = []
        if mixture is not None:
            used = self._open(mixture, recognizer, protocol, image_size, threads)
            packs = [part.pack for part in self._parts]
            self._images: Images = placed(packs, used, device, pack_device)

    def batch(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The words at positions ``start`` to ``stop``: (B, H, W, 3) uint8, and their targets, on the device.

        Rendered ones among them are drawn in this process; ``batches`` has them drawn ahead.
        """
        return self._batch(start, stop, None)

    def batches(self, ranges: Iterable[Range]) -> Batches:
        """The batches of these ``ranges`` of positions, rising, with what they need prepared ahead.

        Where several processes train together, each gives its own part of every batch, and draws no other
        words. Rendered words are counted here, and only here.

        Args:
            ranges: First position and the one after the last, of each batch; asked for ahead.
        """
        made = self._made(ranges)
        with closing(made):  # after the thread that works on it has ended
            yield from one_ahead(made) if self.device.type == "cuda" else made

    def _made(self, ranges: Iterable[Range]) -> Batches:
        here, ahead = itertools.tee(ranges)
        with ExitStack() as stack:
            drawers = None
            if self.rendered is not None:
                numbers = (np.arange(*self.order.of_rendered(*positions)) for positions in ahead)
                drawers = stack.enter_context(self.rendered.drawers(numbers))
            for start, stop in here:
                yield self._batch(start, stop, drawers)

    def validation(self) -> tuple[NDArray[np.uint8], list[str]]:
        """The words held out that count: images, (N, H, W, 3) uint8, and normalised labels.

        They are those of the mixture; without one, rendered words of a sequence of their own.
        """
        if self.mixture is None:
            assert self.rendered is not None
            images, labels, self.dropped = self.rendered.held_out
            return images, labels
        source, row, labels = self._held_out(self.mixture)
        images = np.empty((len(row), *self._parts[0].pack.images.shape[1:]), np.uint8)
        for number in np.unique(source).tolist():
            images[source == number] = self._parts[number].pack.take(row[source == number])
        return images, labels

    def look_for_held_out(self, learned: TrainedOn) -> None:
        """Count which of the words held out that count are learned from, by uid or image file."""
        if self.mixture is None:
            assert self.rendered is not None
            self.n_held_out_learned = self.rendered.n_held_out_of(learned)
            return
        datasets, (source, row, _) = self.mixture.datasets(), self._held_out(self.mixture)
        for number in np.unique(source).tolist():
            found = is_learned(datasets[number], learned, row[source == number])
            self.n_held_out_learned += int(np.count_nonzero(found))

    def _held_out(self, mixture: Mixture) -> tuple[NDArray[np.int64], Rows, list[str]]:
        """Number of dataset, row and normalised label of each word held out that counts."""
        source, row = (np.asarray(column, np.int64) for column in mixture.validation())
        labels = [""] * len(row)
        for number in np.unique(source).tolist():
            here = np.flatnonzero(source == number)
            for at, label in zip(here.tolist(), self._parts[number].held_out_labels(row[here]), strict=True):
                labels[at] = label
        counts = np.array([label != "" for label in labels], bool)
        return source[counts], row[counts], [label for label in labels if label]

    def record(self, n_samples: int) -> dict[str, Any]:
        """What the run's record says of the words at the first ``n_samples`` positions."""
        mixture = self.mixture and {
            "fingerprint": self.mixture.fingerprint,
            "sources": self.seen(n_samples),
        }
        return {"mixture": mixture, "rendered": self.rendered and self.rendered.record()}

    def gather(self) -> None:
        """Bring what all processes that train together have counted to the first; all have to ask."""
        if self.rendered is not None:
            self.rendered.gather()

    def state(self) -> dict[str, Any]:
        """What has been counted, for a checkpoint."""
        return {} if self.rendered is None else self.rendered.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Count on from ``state``."""
        if self.rendered is not None:
            self.rendered.restore(state)

    def seen(self, n_samples: int) -> list[dict[str, Any]]:
        """For each source its name, how many different words it has, and how many samples were of it."""
        if self.mixture is None:
            return []
        full, rest = divmod(self.order.of_mixture(0, n_samples)[1], len(self.mixture))
        counts = np.zeros(256, np.int64)
        for times, stop in ((full, len(self.mixture)), (1, rest)):
            counts += times * np.bincount(self.mixture.positions(0, stop)[0], minlength=256)
        sources, first = [], 0
        for source in self.mixture.manifest["sources"]:
            last = first + len(source["datasets"])
            seen = int(counts[first:last].sum())
            sources.append({"name": source["name"], "unique": source["unique"], "seen": seen})
            first = last
        return sources

    def trained_on(self, n_samples: int) -> TrainedOn:
        """Fingerprints of every word of the mixture with a position, and which rendered ones come.

        Args:
            n_samples: Positions of the whole training.
        """
        images, uids = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        for number, dataset in enumerate(self.mixture.datasets() if self.mixture else ()):
            assert self.mixture is not None
            rows = np.unique(self.mixture.training_rows(number)).astype(np.int64)
            images.append(short_hashes(dataset, "sha256", rows))
            uids.append(short_hashes(dataset, "uid", rows))
        last = self.order.of_rendered(0, n_samples)[1]
        rendered = {} if self.rendered is None else {self.rendered.stream.uid_prefix: last}
        return TrainedOn(
            images=np.unique(np.concatenate(images)),
            uids=np.unique(np.concatenate(uids)),
            rendered=rendered,
        )

    def _open(
        self,
        mixture: Mixture,
        recognizer: Recognizer,
        protocol: Protocol,
        image_size: tuple[int, int],
        threads: int | None,
    ) -> list[Rows]:
        """Open the words of each dataset; return which of its packed images stand at a position."""
        validation = mixture.validation()
        used = []
        n_learnable = 0
        for number, dataset in enumerate(mixture.datasets()):
            training = mixture.training_rows(number)
            held_out = np.asarray(validation[1], np.int64)[np.asarray(validation[0]) == number]
            rows = np.union1d(training, held_out)
            part = PackedWords.open(dataset, rows, recognizer, protocol, image_size, threads)
            unlearnable = part.reasons(training)
            self.unlearnable += unlearnable
            self.dropped += part.dropped(held_out)
            n_learnable += len(training) - unlearnable.total()
            self._parts.append(part)
            used.append(part.pack.where(training))
        if not n_learnable:
            counts = ", ".join(f"{n} {reason}" for reason, n in sorted(self.unlearnable.items()))
            raise UserError(
                f"no word of the mixture {mixture.path} can be learned under protocol {protocol.name} "
                f"({counts or 'it is empty'}). Check its labels and the recipe's protocol."
            )
        return used

    def _batch(self, start: int, stop: int, drawers: Drawers | None) -> tuple[Tensor, Tensor]:
        if self.mixture is None:
            return self._drawn(drawers, start, stop)
        packed = self._gather(*self.mixture.positions(*self.order.of_mixture(start, stop)))
        if self.rendered is None:
            return packed
        drawn = self._drawn(drawers, start, stop)
        where = torch.from_numpy(self.order.is_rendered(start, stop)).to(self.device)
        both = []
        for ours, theirs in zip(packed, drawn, strict=True):
            whole = ours.new_empty((stop - start, *ours.shape[1:]))
            whole[~where], whole[where] = ours, theirs
            both.append(whole)
        return both[0], both[1]

    def _drawn(self, drawers: Drawers | None, start: int, stop: int) -> tuple[Tensor, Tensor]:
        assert self.rendered is not None
        images, targets = self.rendered.take(drawers, *self.order.of_rendered(start, stop))
        return torch.from_numpy(images).to(self.device), targets.to(self.device)

    def _gather(self, source: NDArray[np.uint8], row: Rows) -> tuple[Tensor, Tensor]:
        first, where = self._parts[0], row.copy()
        targets = first.targets.new_empty((len(row), *first.targets.shape[1:]), dtype=first.dtype)
        for number in np.unique(source).tolist():
            here = np.flatnonzero(source == number)
            where[here] = self._parts[number].pack.where(row[here])
            targets[torch.from_numpy(here)] = self._parts[number].targets_of(where[here])
        images = self._images.take(source, where)
        return images.to(self.device, non_blocking=True), targets.to(self.device)
