//! The shape of `summary.json`, as a JSON Schema that follows from its types. `docs/schema/summary.schema.json` is this text.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};
use telemetry::metric::{Definition, NAMES};

use crate::summary::Summary;

/// Ratios that the whole run has had since the first version; its parts have them since a later one.
const FIRST_RATIOS: [&str; 4] = ["asr", "ner", "ser", "seer"];

/// The JSON Schema of `summary.json`, as it stands in its file.
#[must_use]
pub fn summary_schema() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(Published);
    let mut schema = settings.into_generator().into_root_schema_for::<Summary>();
    let required = schema.pointer_mut("/$defs/Metrics/required").and_then(Value::as_array_mut);
    required.expect("metrics have fields").extend(FIRST_RATIOS.map(Value::from));
    for (_, metric) in NAMES {
        explain(&mut schema, &metric.definition());
    }
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    format!("{text}\n")
}

/// Describes a metric, of the run and of its parts, as the catalogue does.
fn explain(schema: &mut Schema, metric: &Definition) {
    let standard = match metric.standard {
        "" => String::new(),
        standard => format!(" ({standard})"),
    };
    let (first, rest) = metric.title.split_at(1);
    let first = first.to_uppercase();
    let description = format!("{first}{rest}{standard}: {}.", metric.formula);
    for place in ["Metrics", "GroupMetrics"] {
        let field = format!("/$defs/{place}/properties/{}", metric.field);
        if let Some(Value::Object(field)) = schema.pointer_mut(&field) {
            field.insert("description".to_owned(), json!(description));
        }
    }
}

/// What is published says more than the types do, and less of Rust.
#[derive(Debug, Clone)]
struct Published;

impl Transform for Published {
    fn transform(&mut self, schema: &mut Schema) {
        // How wide an integer is in memory is nobody's affair.
        schema.remove("format");
        close(schema);
        spare_defaults(schema);
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = plain(description);
        }
        transform_subschemas(self, schema);
    }
}

/// An object has no fields but those that are described.
fn close(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// A field that is read with a default is absent in summaries of earlier versions, so it is not required.
fn spare_defaults(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let mut spared = Vec::new();
    for (name, property) in properties {
        let default = property.as_object_mut().and_then(|property| property.remove("default"));
        spared.extend(default.map(|_| name.clone()));
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !spared.iter().any(|spared| name == spared));
    }
}

/// A doc comment without its line breaks and links.
fn plain(comment: &str) -> String {
    let mut text = comment.replace('\n', " ");
    while let Some(middle) = text.find("](") {
        let end = text[middle..].find(')').map_or(text.len(), |length| middle + length + 1);
        text.replace_range(middle..end, "");
        if let Some(start) = text[..middle].rfind('[') {
            text.remove(start);
        }
    }
    text
}
