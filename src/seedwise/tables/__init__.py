"""Tables that were made elsewhere, read as runs: text, JSON, arrays, Parquet, exports of trackers."""
