//! Where in a JSON text something stands: the keys that lead there.

/// The path of the value at a line and a column, both from 1: `metrics.pdd.p99`. What comes after a value belongs to what it is
/// in.
pub(crate) fn place_of(text: &str, line: usize, column: usize) -> String {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut steps = Vec::new();
    let mut characters = text.char_indices().take_while(|(at, _)| *at + 1 < before + column);
    // The last string that was read, which may turn out to be a key.
    let mut word = String::new();
    while let Some((_, character)) = characters.next() {
        match character {
            '{' => steps.push(Step::Key(None)),
            '[' => steps.push(Step::Item(0)),
            '}' | ']' => {
                steps.pop();
            }
            ':' => {
                if let Some(Step::Key(key)) = steps.last_mut() {
                    *key = Some(std::mem::take(&mut word));
                }
            }
            ',' => match steps.last_mut() {
                Some(Step::Key(key)) => *key = None,
                Some(Step::Item(place)) => *place += 1,
                None => {}
            },
            '"' => {
                word.clear();
                while let Some((_, character)) = characters.next() {
                    match character {
                        '"' => break,
                        '\\' => word.extend(characters.next().map(|(_, escaped)| escaped)),
                        plain => word.push(plain),
                    }
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(Some(key)) if path.is_empty() => path = key,
            Step::Key(Some(key)) => path += &format!(".{key}"),
            Step::Item(place) => path += &format!("[{place}]"),
            Step::Key(None) => {}
        }
    }
    if path.is_empty() { format!("line {line}") } else { path }
}

enum Step {
    /// In an object, at the value of this key; `None` before one.
    Key(Option<String>),
    /// In an array.
    Item(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> String {
        let error = serde_json::from_str::<serde_json::Value>(text).expect_err("no JSON");
        place_of(text, error.line(), error.column())
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_keys() {
        assert_eq!(place(r#"{"a": {"b": NaN}}"#), "a.b");
        assert_eq!(place("{\n \"x\": 1,\n \"y\": [1, {\"z\\\"\": 1e999}]}"), "y[1].z\"");
        assert_eq!(place(r#"{"a": {"b": 1}, "c": -}"#), "c");
        assert_eq!(place("nonsense"), "line 1");
    }

    #[test]
    fn what_is_of_another_kind_is_named_too() {
        #[derive(Debug, serde::Deserialize)]
        struct Outer {
            inner: Inner,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Inner {
            count: u64,
        }
        for (text, wanted) in [
            (r#"{"inner": {"count": "x"}}"#, "inner.count"),
            (r#"{"inner": {"count": -1}}"#, "inner.count"),
            (r#"{"inner": {"other": 1}}"#, "inner"),
        ] {
            let error =
                serde_json::from_str::<Outer>(text).map(|it| it.inner.count).expect_err("no");
            let place = place_of(text, error.line(), error.column());
            assert!(place.starts_with(wanted), "{place}: {error}");
        }
    }
}
