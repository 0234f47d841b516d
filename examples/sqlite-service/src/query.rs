//! What a client sends: one SQL statement, as JSON or as plain text. Nothing here looks into the
//! SQL.

use serde::Deserialize;

/// The most bytes the body of a request may have: twice the longest statement, because JSON may
/// escape what it carries.
pub(crate) const BODY_BYTES_MAX: usize = 2 * crate::database::STATEMENT_BYTES_MAX;

/// Why a body holds no statement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// There is no body.
    #[error("the body is missing: send {{\"query\":\"SELECT ...\"}} or the statement itself")]
    Missing,
    /// The body is not UTF-8.
    #[error("the body is not UTF-8 text")]
    NotText,
    /// The body looks like JSON and is none, or lacks the member.
    #[error("the body is not a JSON object with a text \"query\": {0}")]
    NotJson(serde_json::Error),
}

#[derive(Deserialize)]
struct Document {
    #[serde(alias = "Query")]
    query: String,
}

/// The statement in a request's body: the member `query` of a JSON object, or else the whole text.
/// No SQL statement begins with a brace, so the two cannot be mistaken, whatever the content type
/// says (`curl -d` says it is a form).
///
/// # Errors
///
/// When the body is empty, not UTF-8, or begins like a JSON object and is not the one expected.
pub(crate) fn statement(body: &[u8]) -> Result<String, QueryError> {
    let text = str::from_utf8(body).map_err(|_| QueryError::NotText)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(QueryError::Missing);
    }
    if !text.starts_with('{') {
        return Ok(text.to_owned());
    }
    let document: Document = serde_json::from_str(text).map_err(QueryError::NotJson)?;
    Ok(document.query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_comes_as_json_or_as_it_is() {
        let json = br#"{"query":"SELECT datetime(\"now\")"}"#;
        assert_eq!(statement(json).unwrap(), "SELECT datetime(\"now\")");
        assert_eq!(statement(br#" {"Query":"SELECT 1"} "#).unwrap(), "SELECT 1");
        assert_eq!(statement(b"SELECT 1\n").unwrap(), "SELECT 1");
    }

    #[test]
    fn a_body_without_a_statement_says_what_is_missing() {
        assert!(matches!(statement(b" \n"), Err(QueryError::Missing)));
        assert!(matches!(statement(b"\xff"), Err(QueryError::NotText)));
        for body in ["{}", "{\"query\":1}", "{\"query\":", "{\"query\":\"a\"} b"] {
            assert!(
                matches!(statement(body.as_bytes()), Err(QueryError::NotJson(_))),
                "{body}"
            );
        }
    }
}
