//! Where log lines go and what they look like.

use std::io::{self, IsTerminal};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Human,
    /// One JSON object per line, for programs.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("log format must be \"human\" or \"json\", got {0:?}")]
    Format(String),
    #[error("log filter {filter:?}: {source}; write for example \"info,switch=debug\"")]
    Filter { filter: String, source: tracing_subscriber::filter::ParseError },
    #[error("logging was set up twice")]
    Twice,
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(LogError::Format(text.to_owned())),
        }
    }
}

/// Sends log lines to standard error, so that standard output stays free for results.
///
/// `filter` is a list of levels by module, for example `info,switch=debug`.
///
/// # Errors
/// When the filter cannot be read, or on a second call in one process.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let levels = parse(filter)?;
    // A disk that is full takes no lines, and to complain of that on the same disk would be a panic.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(levels)
        .with_writer(io::stderr)
        .log_internal_errors(false);
    match format {
        // https://no-color.org: any value but the empty one switches colour off.
        LogFormat::Human => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            lines.with_ansi(io::stderr().is_terminal() && !plain).try_init()
        }
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    }
    .map_err(|_already_set| LogError::Twice)
}

fn parse(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::try_new(filter)
        .map_err(|source| LogError::Filter { filter: filter.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_is_named() {
        assert!(parse("info,switch=debug").is_ok());
        let error = parse("switch=loud").unwrap_err().to_string();
        assert!(error.starts_with("log filter \"switch=loud\": "), "{error}");
    }

    #[test]
    fn formats_are_human_and_json() {
        assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
        let error = "xml".parse::<LogFormat>().unwrap_err().to_string();
        assert_eq!(error, "log format must be \"human\" or \"json\", got \"xml\"");
    }

    #[test]
    fn a_second_set_up_is_refused() {
        init(LogFormat::Json, "off").unwrap();
        assert!(matches!(init(LogFormat::Human, "off"), Err(LogError::Twice)));
    }
}
