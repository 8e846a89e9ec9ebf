//! Prints the JSON Schema of `summary.json`, to be kept as `docs/schema/summary.schema.json`.

fn main() {
    print!("{}", account::summary_schema());
}
