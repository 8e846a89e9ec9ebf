//! The JSON Schemas of configuration files: they say what the decoders do, key by key, so that editors may be believed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use campaign::Campaign;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use toml_edit::{Document, Item, TableLike};
use topology::{Layers, Topology};

/// Every key of a campaign, and of a network. A key that a decoder learns has to be added here, or the tests below fail.
const CAMPAIGN: &str = include_str!("campaign.toml");
const NETWORK: &str = include_str!("network.toml");

/// Tables of the decoder with names that the schema spells out.
const SPELT_OUT: [&str; 1] = ["releases.*.defects"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema/campaign.toml")
}

fn schema(kind: &str) -> Value {
    let path = root().join(format!("docs/schema/{kind}.schema.json"));
    let text = std::fs::read_to_string(path).expect("the schema is in the repository");
    serde_json::from_str(&text).expect("a schema is JSON")
}

fn validator(kind: &str) -> Validator {
    jsonschema::draft202012::new(&schema(kind)).expect("a schema of draft 2020-12")
}

/// The same document as JSON.
fn json_of(text: &str) -> Value {
    table_json(Document::parse(text).expect("TOML").as_table())
}

fn table_json(table: &dyn TableLike) -> Value {
    Value::Object(
        table.iter().map(|(key, item)| (key.to_owned(), item_json(item))).collect::<Map<_, _>>(),
    )
}

fn item_json(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => value_json(value),
        Item::Table(table) => table_json(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table_json(table)).collect(),
    }
}

fn value_json(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => json!(text.value()),
        toml_edit::Value::Integer(number) => json!(number.value()),
        toml_edit::Value::Float(number) => json!(number.value()),
        toml_edit::Value::Boolean(flag) => json!(flag.value()),
        toml_edit::Value::Datetime(time) => json!(time.value().to_string()),
        toml_edit::Value::Array(elements) => elements.iter().map(value_json).collect(),
        toml_edit::Value::InlineTable(table) => table_json(table),
    }
}

/// What the schema says against `text`, one mistake a line.
fn mistakes(validator: &Validator, text: &str) -> String {
    let instance = json_of(text);
    let found = validator.iter_errors(&instance);
    found.map(|error| format!("{}: {error}", error.instance_path())).collect::<Vec<_>>().join("\n")
}

/// Every key that the schema knows, as [`topology::reader::Document::known_keys`] writes them.
fn keys(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(schema, schema, "", &mut found);
    found
}

fn collect(root: &Value, schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(place) = schema["$ref"].as_str() {
        let target =
            root.pointer(place.trim_start_matches('#')).expect("a reference leads somewhere");
        collect(root, target, path, found);
    }
    for alternatives in ["oneOf", "anyOf", "allOf"] {
        for one in schema[alternatives].as_array().into_iter().flatten() {
            collect(root, one, path, found);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if SPELT_OUT.contains(&path) {
            collect(root, property, &format!("{path}.*"), found);
            continue;
        }
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        collect(root, property, &key, found);
        found.insert(key);
    }
    for (_, element) in schema["patternProperties"].as_object().into_iter().flatten() {
        collect(root, element, &format!("{path}.*"), found);
    }
    if schema["items"].is_object() {
        collect(root, &schema["items"], &format!("{path}[]"), found);
    }
}

/// Fails with each key that only one of the two knows.
fn assert_same(kind: &str, decoder: &BTreeSet<String>) {
    let schema = keys(&schema(kind));
    let unknown_to = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).map(|key| format!("\n  {key}")).collect::<String>()
    };
    let (missing, made_up) = (unknown_to(decoder, &schema), unknown_to(&schema, decoder));
    assert!(
        missing.is_empty() && made_up.is_empty(),
        "docs/schema/{kind}.schema.json and the decoder differ.\n\
         Keys that the schema lacks:{missing}\n\
         Keys that the decoder never asked for; if it knows them, add them to \
         crates/campaign/tests/schema/{kind}.toml:{made_up}"
    );
}

/// Fails where the schema would let any key pass: an object that names its keys must refuse all others.
fn assert_closed(schema: &Value, place: &str) {
    let names = schema["properties"].is_object() || schema["patternProperties"].is_object();
    assert!(!names || schema["additionalProperties"] == json!(false), "{place} lets any key pass");
    assert!(schema["type"] != json!("object") || names, "{place} does not name its keys");
    match schema {
        Value::Object(parts) => {
            for (name, part) in parts.iter().filter(|(name, _)| *name != "default") {
                assert_closed(part, &format!("{place}/{name}"));
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| assert_closed(part, place)),
        _ => {}
    }
}

#[test]
fn the_schema_of_campaigns_has_the_keys_of_the_decoder() {
    let known =
        Campaign::known_keys(&here(), CAMPAIGN).unwrap_or_else(|problems| panic!("{problems}"));
    assert_same("campaign", &known);
    assert_closed(&schema("campaign"), "campaign");
    assert_eq!(mistakes(&validator("campaign"), CAMPAIGN), "");
}

#[test]
fn the_schema_of_networks_has_the_keys_of_the_decoder() {
    let known = Topology::known_keys(NETWORK).unwrap_or_else(|problems| panic!("{problems}"));
    assert_same("network", &known);
    assert_closed(&schema("network"), "network");
    assert_eq!(mistakes(&validator("network"), NETWORK), "");
}

#[test]
fn every_key_is_explained() {
    fn visit(root: &Value, schema: &Value, path: &str) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let target = property["$ref"].as_str().map(|place| place.trim_start_matches('#'));
            let target = target.and_then(|place| root.pointer(place)).unwrap_or(property);
            let says = [property, target].iter().any(|part| part["description"].is_string());
            assert!(says, "{path}/{name} has no description");
        }
        match schema {
            Value::Object(parts) => {
                parts.iter().for_each(|(name, part)| visit(root, part, &format!("{path}/{name}")));
            }
            Value::Array(parts) => parts.iter().for_each(|part| visit(root, part, path)),
            _ => {}
        }
    }
    for kind in ["campaign", "network"] {
        visit(&schema(kind), &schema(kind), kind);
    }
}

#[test]
fn every_configuration_fits_its_schema_and_names_it() {
    let mut checked = 0;
    for folder in ["networks", "campaigns", "outages"] {
        let kind = if folder == "networks" { "network" } else { "campaign" };
        let validator = validator(kind);
        for entry in std::fs::read_dir(root().join("configs").join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file that can be read");
            assert_eq!(mistakes(&validator, &text), "", "{}", path.display());
            let head = format!("#:schema ../../docs/schema/{kind}.schema.json\n");
            assert!(text.starts_with(&head), "{} must begin with {head}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 6, "only {checked} files were found");
}

/// Typical slips: the document with one piece of text replaced.
fn refused_by_both(
    kind: &str,
    document: &str,
    slips: &[(&str, &str)],
    decoder: impl Fn(&str) -> Option<String>,
) {
    let validator = validator(kind);
    assert_eq!(decoder(document), None, "the document itself is good");
    for (right, wrong) in slips {
        assert!(document.contains(right), "{right:?} is not in the document");
        let text = document.replacen(right, wrong, 1);
        assert!(decoder(&text).is_some(), "the decoder takes {wrong:?} for {right:?}");
        assert_ne!(mistakes(&validator, &text), "", "the schema takes {wrong:?} for {right:?}");
    }
}

#[test]
fn slips_in_a_campaign_are_refused_by_schema_and_decoder() {
    let slips = [
        ("seed = 7", "sed = 7"),
        ("seed = 7", "seed = -7"),
        ("seed = 7", "seed = \"seven\""),
        ("drain_timeout = \"30s\"", "drain_timeout = 30"),
        ("drain_timeout = \"30s\"", "drain_timeout = \"30 seconds\""),
        ("drain_timeout = \"30s\"", "drain_timeout = \"1e3s\""),
        ("time = \"virtual\"", "time = \"fast\""),
        ("begins = \"16:40\"", "begins = \"4.40 pm\""),
        ("number = \"15\"", "number = \"0612345678\""),
        ("number = \"15\"", "number = 15"),
        ("communes = [\"59350\"]", "communes = [\"59\"]"),
        ("communes = [\"59350\"]", "communes = \"59350\""),
        ("weight = 2.5", "weight = 0"),
        ("model = \"constant\"", "model = \"steady\""),
        ("model = \"constant\", rate = 1", "model = \"constant\""),
        ("model = \"constant\", rate = 1", "model = \"constant\", rate = 1, from = 1"),
        ("model = \"constant\", rate = 1", "model = \"constant\", rate = -1"),
        ("rates = [1, 20]", "rates = [1]"),
        ("steps = 3", "steps = 1"),
        ("points = [\"06:00 1\"", "points = [\"six 1\""),
        ("order = \"once\"", "order = \"shuffled\""),
        ("caller_hangs_up = 0.5", "caller_hangs_up = 50"),
        ("talk = \"lognormal 90s 0.6\"", "talk = \"normal 90s 10s\""),
        ("digits = \"12#\"", "digits = \"call\""),
        ("metric = \"pdd_p99\"", "metric = \"pdd_p98\""),
        ("metric = \"pdd_p99\"\nmax = \"2s\"", "metric = \"pdd_p99\""),
        ("commands = [\"lock\"", "commands = [\"look\""),
        ("manner = \"serial\"", "manner = \"one by one\""),
        ("severity = \"critical\"", "severity = \"bad\""),
        ("arrivals = \"usual.csv\"", "arrivals = \"usual\""),
        ("chance = 0.00001", "chance = 2"),
        ("believed = 0.7", "believed = 70"),
        ("after = \"activated\"", "after = \"recovered\""),
        ("activate = \"lognormal 30m 0.4\"", "activate = \"lognormal 30m\""),
        ("ring = \"2m\"", "rings = \"2m\""),
        ("window = \"16:30-22:00\"", "window = \"until ten\""),
        ("plausible = [0.08, 0.14]", "plausible = [0.08]"),
        ("usual = 0.99", "usual = 99"),
        ("range = [\"60s\", \"3m\"]", "range = [\"60s\"]"),
    ];
    refused_by_both("campaign", CAMPAIGN, &slips, |text| {
        Campaign::known_keys(&here(), text).err().map(|problems| problems.to_string())
    });
}

#[test]
fn slips_in_a_network_are_refused_by_schema_and_decoder() {
    let slips = [
        ("[sites.alpha]", "[site.alpha]"),
        ("[sites.alpha]", "[sites.Alpha]"),
        ("address = \"127.0.0.1:5011\"", "address = \"localhost:5011\""),
        ("address = \"127.0.0.1:5011\"", "address = \"127.0.0.1\""),
        ("max_calls = 50", "max_calls = 0"),
        ("max_calls = 50", "max_calls = 1.5"),
        ("policy = \"sticky\"", "policy = \"random\""),
        ("circuits = 10", "circuit = 10"),
        ("number = \"0353010015\"", "number = \"0320445962\""),
        ("when_full = \"reject 503\"", "when_full = \"reject 404\""),
        ("talk = \"never\"", "talk = \"always\""),
        ("behaviour = \"slow\"", "behaviour = \"slowly\""),
        ("behaviour = \"slow\", factor = 2", "behaviour = \"mute\", factor = 2"),
        ("share = 0.1", "share = 10"),
        ("numbers = [\"15\", \"112\"]", "numbers = []"),
        ("psaps = [\"samu-59\"]", "psap = [\"samu-59\"]"),
        ("ports = \"16384-32767\"", "ports = 16384"),
        ("t1 = \"500ms\"", "t1 = \"0.5\""),
        ("[releases.r1.defects.poison-call]", "[releases.r1.defects.poisoned-call]"),
    ];
    refused_by_both("network", NETWORK, &slips, |text| {
        Topology::parse("network.toml", text, &Layers::none())
            .err()
            .map(|problems| problems.to_string())
    });
}
