//! A filter of attempts, in words of SQL.

use telemetry::call_filter::{Condition, Field, FilterError, NumberSign, Scope, TextSign};

/// What a word alone is looked for in.
const SEARCHED: [&str; 9] =
    ["attempt", "number", "commune", "trunk_group", "site", "psap", "outcome", "why", "call_id"];

/// The condition on the table `attempts` that a filter is (`site = gamma and status >= 500`).
///
/// # Errors
/// It is no filter.
pub fn sql_of(filter: &str) -> Result<String, FilterError> {
    Condition::parse(filter, Scope::Run).map(|condition| sql(&condition))
}

/// Never NULL: what is not known is unequal to everything.
fn sql(condition: &Condition) -> String {
    let joined = |parts: &[Condition], by: &str| {
        let parts: Vec<String> = parts.iter().map(sql).collect();
        format!("({})", parts.join(by))
    };
    match condition {
        Condition::Or(parts) => joined(parts, " OR "),
        Condition::And(parts) => joined(parts, " AND "),
        Condition::Not(inside) => format!("(NOT {})", sql(inside)),
        Condition::Text { field, sign: TextSign::Is, value } => {
            any(field, |it| is(field, it, value))
        }
        Condition::Text { field, sign: TextSign::IsNot, value } => {
            format!("(NOT {})", any(field, |it| is(field, it, value)))
        }
        Condition::Text { field, sign: TextSign::Contains, value } => {
            any(field, |column| contains(column, value))
        }
        Condition::Number { field, sign, value } => any(field, |column| {
            let (sign, unknown) = match sign {
                NumberSign::Equal => ("=", 0),
                NumberSign::Unequal => ("!=", 1),
                NumberSign::Less => ("<", 0),
                NumberSign::AtMost => ("<=", 0),
                NumberSign::More => (">", 0),
                NumberSign::AtLeast => (">=", 0),
            };
            format!("ifnull({column} {sign} {value:?}, {unknown})")
        }),
        Condition::Word(word) => {
            let columns = SEARCHED.iter().map(|column| contains(column, word));
            let status = format!("ifnull(status = {}, 0)", quoted(word));
            format!("({})", columns.chain([status]).collect::<Vec<_>>().join(" OR "))
        }
        Condition::Always(holds) => u8::from(*holds).to_string(),
    }
}

fn any(field: &Field, holds: impl Fn(&str) -> String) -> String {
    let parts: Vec<String> = field.columns.iter().map(|column| holds(column)).collect();
    format!("({})", parts.join(" OR "))
}

fn is(field: &Field, column: &str, value: &str) -> String {
    let whole = format!("ifnull(lower({column}) = {}, 0)", quoted(value));
    if !field.names_boxes {
        return whole;
    }
    // A blade belongs to its site.
    let begin = quoted(&format!("{value}."));
    format!("({whole} OR ifnull(instr(lower({column}), {begin}) = 1, 0))")
}

fn contains(column: &str, value: &str) -> String {
    format!("ifnull(instr(lower({column}), {}) > 0, 0)", quoted(value))
}

/// A text as SQL writes it. No statement has a NUL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use telemetry::call_filter::FIELDS;

    use super::*;
    use crate::archive::COLUMNS;

    /// There is one list of fields: a column of the attempts that it lacks could not be asked for.
    #[test]
    fn each_column_is_a_field_of_its_kind() {
        for column in COLUMNS {
            let field = FIELDS.iter().find(|field| field.name == column.name);
            let field = field.unwrap_or_else(|| panic!("{} is no field", column.name));
            assert_eq!(field.columns, [column.name]);
            assert_eq!(field.is_number, column.kind != "TEXT", "{}", column.name);
        }
    }

    #[test]
    fn a_filter_asks_the_database_what_it_says() {
        let database = rusqlite::Connection::open_in_memory().expect("memory");
        let columns: Vec<String> =
            COLUMNS.iter().map(|column| format!("{} {}", column.name, column.kind)).collect();
        database
            .execute_batch(&format!(
                "CREATE TABLE attempts ({}); \
                 INSERT INTO attempts (attempt, site, psap, status, number, why, mos_of_psap, start_us, end_us) VALUES \
                 ('a', 'Gamma.1', 'samu-59', 503, '15', 'it''s full', 4.3, 0, 5500000), \
                 ('b', 'gamma', NULL, NULL, '18', NULL, NULL, 0, 100), ('c', 'alpha', 'cta-59', 200, '15', NULL, 1.2, 0, 0)",
                columns.join(", ")
            ))
            .expect("a table");
        let found = |filter: &str| -> String {
            let condition = sql_of(filter).expect(filter);
            let query = format!("SELECT attempt FROM attempts WHERE {condition} ORDER BY attempt");
            let mut statement = database.prepare(&query).expect("a query");
            let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
            rows.map(|row| row.expect("a row")).collect()
        };
        for (filter, wanted) in [
            ("", "abc"),
            ("site = gamma", "ab"),
            ("site = gamma and status >= 500", "a"),
            ("site != gamma", "c"),
            ("status != 200", "ab"),
            ("not status = 200", "ab"),
            ("status < 600", "ac"),
            ("psap ~ 59 or number = 18", "abc"),
            ("box = samu-59", "a"),
            ("why = \"it's full\"", "a"),
            ("mos_of_psap > 1.5", "a"),
            ("duration >= 5", "a"),
            ("503", "a"),
            ("samu", "a"),
            ("false", ""),
            ("site = '%'", ""),
            ("site = \"x' OR 1 --\"", ""),
        ] {
            assert_eq!(found(filter), wanted, "{filter}");
        }
    }
}
