//! Mistakes in a configuration file, as sentences for the person who wrote it.

use std::fmt;
use std::path::Path;

/// What a value of the command line is said to come from.
pub(crate) const COMMAND_LINE: &str = "--set";

/// One mistake: where it is and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, or the layer above it that holds the value: `--set`, `the environment`.
    pub file: String,
    /// Counted from 1. `None` when the value is not in the file.
    pub line: Option<usize>,
    /// Key path, such as `routes[2].psaps`. Empty for the file as a whole.
    pub key: String,
    /// What is wrong and what would be right. Lower case, no full stop.
    pub message: String,
}

impl Problem {
    /// A mistake, in one line: what a file says, a value of it or a path, makes no line of its own and moves no cursor.
    #[must_use]
    pub fn new(file: String, line: Option<usize>, key: String, message: String) -> Self {
        Self { file, line, key: one_line(key), message: one_line(message) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It is kept as it is, to be compared with paths.
        f.write_str(&one_line(self.file.clone()))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The text with its control characters written out, as `\u001b`.
fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let shown = |c: char| match c.is_control() {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Mistakes of a file that are told. Whoever has mended so many is told the next.
pub(crate) const MOST_TOLD: usize = 20;

/// Every mistake found, in the order of the file, or the first ones and how many more there are. Displayed one to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Lays at the door of the command line what is wrong in `files` only because of what was set over them: what is well in
    /// the files `alone` is none of their mistakes.
    #[must_use]
    pub fn blaming_overrides(mut self, files: &[&Path], alone: Option<&Self>) -> Self {
        let is_old = |problem: &Problem| alone.is_some_and(|alone| alone.0.contains(problem));
        for problem in &mut self.0 {
            let is_theirs = files.iter().any(|file| *file == Path::new(&problem.file));
            if is_theirs && !is_old(problem) {
                (problem.file, problem.line) = (COMMAND_LINE.to_owned(), None);
            }
        }
        self.0.dedup();
        self
    }

    /// The same where the file at `path`, which the command line names by `key`, cannot be read.
    #[must_use]
    pub fn named_by_override(mut self, key: &str, path: &Path) -> Self {
        for problem in &mut self.0 {
            if problem.key.is_empty() && problem.line.is_none() && Path::new(&problem.file) == path
            {
                problem.message = format!("{}: {}", problem.file, problem.message);
                (problem.file, problem.key) = (COMMAND_LINE.to_owned(), key.to_owned());
            }
        }
        self
    }

    /// The problem of a file that could not be read at all.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let place = path.display().to_string();
        let fix = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "give this user the right to read it",
            std::io::ErrorKind::InvalidData => "save the file as UTF-8 text",
            std::io::ErrorKind::IsADirectory => "name a file in it",
            _ => "check that it is a readable file",
        };
        // `io::Error` writes "Permission denied (os error 13)"; the number helps nobody here.
        let text = error.to_string();
        let cause = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        let message = format!("cannot read the file: {cause}; {fix}");
        Self(vec![Problem::new(place, None, String::new(), message)])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_one_line_whatever_the_file_says() {
        let message = "x\nPASS demo\u{1b}[31m\u{9b}é: there is no such file".to_owned();
        let problem =
            Problem::new("a\tb.toml".to_owned(), Some(2), "feed.file".to_owned(), message);
        let told = "a\\u0009b.toml:2: feed.file: x\\u000aPASS demo\\u001b[31m\\u009bé: there is no such file";
        assert_eq!(problem.to_string(), told);
    }
}
