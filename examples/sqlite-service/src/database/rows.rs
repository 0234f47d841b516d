//! Turns rows into JSON while they come, so that a result is held once and measured as it grows.
//!
//! An integer and a real become a number, a text a string, NULL null, and a blob a string of
//! base64. The infinities, which JSON cannot write as numbers, become the strings `"Infinity"`
//! and `"-Infinity"`. Bytes of a text that are not UTF-8 become U+FFFD. Of several columns with
//! one name the later ones are called `name:1`, `name:2`, as SQLite does in subqueries.

use std::{collections::BTreeSet, io::Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rusqlite::{Row, Statement, types::ValueRef};

use super::{Failure, Limits};

/// Runs the statement to its end and returns its rows as a JSON array of objects.
pub(super) fn collect(statement: &mut Statement<'_>, limits: Limits) -> Result<Vec<u8>, Failure> {
    let columns = members(statement);
    let mut json = vec![b'['];
    let mut count = 0;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if count == limits.rows_max {
            return Err(Failure::TooManyRows {
                rows_max: limits.rows_max,
            });
        }
        if count > 0 {
            json.push(b',');
        }
        write_row(&mut json, &columns, row)?;
        if json.len() >= limits.result_bytes_max {
            return Err(Failure::TooManyBytes {
                bytes_max: limits.result_bytes_max,
            });
        }
        count += 1;
    }
    json.push(b']');
    Ok(json)
}

/// The columns' names as JSON members, each with its colon, all different.
fn members(statement: &Statement<'_>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let names = statement.column_names();
    names
        .into_iter()
        .map(|name| format!("{}:", quoted(&distinct(name, &mut taken))))
        .collect()
}

fn distinct(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut suffix = 0;
    while !taken.insert(candidate.clone()) {
        suffix += 1;
        candidate = format!("{name}:{suffix}");
    }
    candidate
}

fn write_row(json: &mut Vec<u8>, columns: &[String], row: &Row<'_>) -> Result<(), Failure> {
    json.push(b'{');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(column.as_bytes());
        write_value(json, row.get_ref(index)?);
    }
    json.push(b'}');
    Ok(())
}

fn write_value(json: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => json.extend_from_slice(b"null"),
        ValueRef::Integer(integer) => {
            write!(json, "{integer}").expect("a vector takes every byte");
        }
        ValueRef::Real(real) => json.extend_from_slice(number(real).as_bytes()),
        ValueRef::Text(text) => {
            json.extend_from_slice(quoted(&String::from_utf8_lossy(text)).as_bytes());
        }
        ValueRef::Blob(blob) => {
            json.extend_from_slice(quoted(&STANDARD.encode(blob)).as_bytes());
        }
    }
}

/// SQLite stores no NaN, so what is not finite is an infinity.
fn number(real: f64) -> String {
    if real.is_finite() {
        serde_json::Value::from(real).to_string()
    } else if real > 0.0 {
        quoted("Infinity")
    } else {
        quoted("-Infinity")
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
