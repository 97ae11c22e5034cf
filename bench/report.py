"""temporary"""
from dataclasses import dataclass
from pathlib import Path
from bench import store, tables
@dataclass(frozen=True)
class Built:
    text: str
    html: Path
def build(directory):
    results=store.results(directory)
    store.write_text(directory/"runs.csv", tables.runs(results).to_csv(index=False))
    store.write_text(directory/"epochs.csv", tables.epochs(results).to_csv(index=False))
    store.write_text(directory/"machines.csv", tables.machines(store.machines(directory)).to_csv(index=False))
    r=tables.runs(results)
    return Built(tables.summary(r).to_string()+"\n"+tables.comparison(r).to_string()+"\n"+tables.table_4(r,tables.machines(store.machines(directory))).to_string(), directory/"report.html")
