"""Reads the files of tables with DuckDB and prints, for each of their columns, its type, how many values it has and their sum.

tables.py FILE...   one JSON document: {"<table>": {"rows": n, "columns": {"<column>": [type, values, sum]}}}

The sum is of numbers as they are (durations in whole microseconds), of moments in microseconds since 1970, of texts in bytes, of
flags as 0 and 1. "first" is the least moment as text.
"""
import json
import pathlib
import sys

import duckdb

SUMS = {
    "VARCHAR": "sum(octet_length(encode({0})))",
    "BIGINT": "sum({0})",
    "DOUBLE": "sum(round({0} * 1000)::HUGEINT)",
    "TIMESTAMP WITH TIME ZONE": "sum(epoch_us({0})::HUGEINT)",
    "BOOLEAN": "sum({0}::INT)",
}

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
tables = {}
for file in map(pathlib.Path, sys.argv[1:]):
    source = f"read_parquet('{file}', hive_partitioning = false)"
    columns = {}
    for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall():
        column = f'"{name}"'
        values, total = connection.execute(f"SELECT count({column}), {SUMS[kind].format(column)} FROM {source}").fetchone()
        columns[name] = [kind, values, str(total or 0)]
    rows = connection.execute(f"SELECT count(*) FROM {source}").fetchone()[0]
    tables[file.stem] = {"rows": rows, "columns": columns}
    if file.stem == "visits":
        tables[file.stem]["first"] = connection.execute(
            f"SELECT strftime(min(entered), '%Y-%m-%dT%H:%M:%S.%f') FROM {source}").fetchone()[0]
print(json.dumps(tables))
