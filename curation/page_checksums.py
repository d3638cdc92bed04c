"""Whether the pages of a Parquet file carry checksums, which Arrow verifies but does not tell of."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

I32_NEXT = 0x15  # Thrift's compact protocol: the field after the one before, a 32-bit number


def has_page_checksums(path: Path) -> bool:
    """Look at the first page header of the file; one without rows has nothing to check.

    Source: struct PageHeader in apache/parquet-format, parquet.thrift: type, uncompressed size, compressed
    size, and then the optional CRC.
    """
    metadata = pq.read_metadata(path)
    if not metadata.num_rows:
        return True
    column = metadata.row_group(0).column(0)
    with path.open("rb") as file:
        file.seek(column.dictionary_page_offset or column.data_page_offset)
        header = file.read(32)
    at = 0
    for _ in range(3):
        if header[at] != I32_NEXT:
            return False
        at += 1
        while header[at] & 0x80:  # all bytes of a number but its last
            at += 1
        at += 1
    return header[at] == I32_NEXT
