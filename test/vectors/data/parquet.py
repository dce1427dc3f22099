"""Parquet files as pyarrow writes them, and their rows. Run: python parquet.py > parquet.json"""
import base64
import datetime
import io
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table(
    {
        "age": pa.array([41, None, 7, 63], pa.int32()),
        "dose": pa.array([0.1, 1e-7, float("nan"), -2.5], pa.float64()),
        "weight": pa.array([70.25, 1.5, 3.0, None], pa.float32()),
        "ward": pa.array(["north", "süd", None, "north"], pa.string()).dictionary_encode(),
        "id": pa.array([2**53 + 1, 2, 3, 4], pa.int64()),
        "insured": pa.array([True, False, None, True]),
        "seen": pa.array([datetime.datetime(2024, 2, 29, 12, 30)] * 4, pa.timestamp("ms")),
        "state": pa.array(["ill", "well", "ill", "well"]),
    }
)


def written(held, **options):
    sink = io.BytesIO()
    pq.write_table(held, sink, **options)
    return base64.b64encode(sink.getvalue()).decode()


nested = pa.table({"list": pa.array([[1, 2], [3]]), "y": pa.array([0, 1])})
json.dump(
    {
        "source": f"pyarrow {pa.__version__}, test/vectors/data/parquet.py",
        "files": {
            "snappy": written(table),
            "plain": written(table, compression="none", use_dictionary=False),
            "pages": written(table, data_page_version="2.0", row_group_size=2),
        },
        "gzip": written(table, compression="gzip"),
        "nested": written(nested),
    },
    sys.stdout,
)
