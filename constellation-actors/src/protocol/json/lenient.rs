//! JSON as the original's readers take it, made plain: without comments and trailing commas.

/// `text` without comments and trailing commas. Strings stay as they are; whatever else is wrong
/// stays wrong.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '"' => string_length(rest),
            '/' => match comment_length(rest) {
                Some(length) => {
                    rest = &rest[length..];
                    continue;
                }
                None => 1,
            },
            ']' | '}' => {
                drop_trailing_comma(&mut plain);
                1
            }
            other => other.len_utf8(),
        };
        plain.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    plain
}

/// The length of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the comment that `text` begins with.
fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let comment = text.strip_prefix("/*")?;
    Some(comment.find("*/").map_or(text.len(), |at| at + 4))
}

fn drop_trailing_comma(plain: &mut String) {
    let end = plain.trim_end().len();
    if plain[..end].ends_with(',') {
        plain.truncate(end - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_go_and_strings_stay() {
        assert_eq!(plain("{\"a\":[1,2,],}"), "{\"a\":[1,2]}");
        assert_eq!(plain("{// x\n\"a\"/* y */:1 , }"), "{\n\"a\":1 }");
        let tricky = r#"{"a":"// ,] \" /* ","é":"ü,}"}"#;
        assert_eq!(plain(tricky), tricky);
    }

    #[test]
    fn what_never_ends_is_left_to_the_parser() {
        for text in ["\"abc", "/* abc", "{\"a\\", "/", "//"] {
            let _ = plain(text);
        }
    }
}
