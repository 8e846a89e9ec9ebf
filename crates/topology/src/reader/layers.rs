//! What lies over the file: environment variables, then the command line.

use std::collections::{BTreeMap, HashMap};

use config::{Config, Environment, Source, Value, ValueKind};

use super::lines::Lines;
use super::written::Written;
use crate::problem::{COMMAND_LINE, Problem};

const ENVIRONMENT: &str = "the environment";

/// Values that replace those of a file.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    prefix: String,
    environment: HashMap<String, String>,
    overrides: Vec<(String, String)>,
}

/// The file with its layers applied.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) tree: HashMap<String, Value>,
    /// Key path of each value that a layer set.
    pub(super) origins: BTreeMap<String, Origin>,
}

/// Which layer set a value, and by which key: elements of lists may be called by their names.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) layer: &'static str,
    pub(super) typed: String,
}

impl Layers {
    /// The file alone.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// `PREFIX__A__B=value` variables, each for the key `a.b`, in upper or lower case.
    #[must_use]
    pub fn with_environment(
        mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        self.prefix = prefix.to_owned();
        self.environment = variables.into_iter().collect();
        self
    }

    /// As [`with_environment`](Self::with_environment), with the variables of this process.
    #[must_use]
    pub fn with_process_environment(self, prefix: &str) -> Self {
        // A name or value that is not Unicode cannot hold a setting of ours.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        self.with_environment(prefix, variables)
    }

    /// `("sites.alpha.address", "127.0.0.1:4000")` pairs; they win over the environment.
    #[must_use]
    pub fn with_overrides(mut self, overrides: impl IntoIterator<Item = (String, String)>) -> Self {
        self.overrides = overrides.into_iter().collect();
        self
    }

    /// Whether the command line gives a value to `key`.
    pub fn overrides(&self, key: &str) -> bool {
        self.overrides.iter().any(|(given, _)| given == key)
    }

    /// The same without what the command line gives; `None` where it gives nothing.
    #[must_use]
    pub fn without_overrides(&self) -> Option<Self> {
        let has_some = !self.overrides.is_empty();
        has_some.then(|| Self { overrides: Vec::new(), ..self.clone() })
    }

    /// Lays everything over what is `written` in `file`, whose keys are at `lines`.
    pub(super) fn apply(
        &self,
        file: &str,
        written: Written,
        lines: &Lines,
    ) -> Result<Merged, Vec<Problem>> {
        let variables = self.environment().collect();
        let variables = variables.map_err(|error| vec![misread(ENVIRONMENT, "", &error)])?;
        // In one order, whatever a hash map makes of it; the command line comes last and wins.
        let variables: BTreeMap<String, Value> = variables.into_iter().collect();
        let variables = variables.into_iter().map(|(key, value)| (ENVIRONMENT, key, value.kind));
        let given = self
            .overrides
            .iter()
            .map(|(key, value)| (COMMAND_LINE, key.clone(), ValueKind::String(value.clone())));

        let mut layered = variables.chain(given).peekable();
        if layered.peek().is_none() {
            return Ok(Merged { tree: written.into_tree(), origins: BTreeMap::new() });
        }
        let (mut origins, mut problems) = (BTreeMap::new(), Vec::new());
        let mut builder = Config::builder().add_source(written);
        for (layer, typed, value) in layered {
            let key = match lines.numbered(&typed) {
                Ok(key) => key,
                Err(message) => {
                    problems.push(Problem::new(layer.to_owned(), None, typed, message));
                    continue;
                }
            };
            match builder.clone().set_override(&key, value) {
                Ok(next) => builder = next,
                Err(error) => problems.push(misread(layer, &typed, &error)),
            }
            origins.insert(key, Origin { layer, typed });
        }
        problems.extend(missing_elements(&origins, lines));
        if !problems.is_empty() {
            return Err(problems);
        }
        let merged = builder.build().and_then(|config| config.cache.into_table());
        let tree = merged.map_err(|error| vec![misread(file, "", &error)])?;
        Ok(Merged { tree, origins })
    }

    fn environment(&self) -> Environment {
        // An empty prefix would take in every variable of the process.
        let variables = match self.prefix.is_empty() {
            true => HashMap::new(),
            false => self.environment.clone(),
        };
        Environment::with_prefix(&self.prefix).separator("__").source(Some(variables))
    }
}

/// Reports the layered values that go through an array element that the file does not have.
///
/// A layer may change `routes[2]`, but not make it: `config` would fill the gap up to any index,
/// so a slip of the pen could ask for all memory.
fn missing_elements(origins: &BTreeMap<String, Origin>, lines: &Lines) -> Vec<Problem> {
    let missing = origins.iter().filter_map(|(key, Origin { layer, .. })| {
        let mut elements = key.match_indices(']').map(|(end, _)| &key[..=end]);
        let element = elements.find(|element| !lines.contains(element))?;
        Some(Problem::new(
            (*layer).to_owned(),
            None,
            key.clone(),
            format!("the file has no {element}; only the file can add one"),
        ))
    });
    missing.collect()
}

fn misread(place: &str, key: &str, error: &config::ConfigError) -> Problem {
    let message = match error {
        config::ConfigError::PathParse { .. } => {
            "is not a key; write it like sites.alpha.address, phases.steady.duration or routes[0].psaps".to_owned()
        }
        other => other.to_string(),
    };
    Problem::new(place.to_owned(), None, key.to_owned(), message)
}
