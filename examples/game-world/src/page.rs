//! The page of a world: one document, made of its parts when the program is built.

/// The document.
pub(crate) const PAGE: &str = concat!(
    include_str!("page/document.html"),
    "<style>\n",
    include_str!("page/style.css"),
    "</style>\n<script>\n",
    include_str!("page/connection.js"),
    include_str!("page/steering.js"),
    include_str!("page/drawing.js"),
    include_str!("page/page.js"),
    "</script>\n"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_one_document_that_needs_nothing_else() {
        assert!(PAGE.starts_with("<!doctype html>"));
        for loads in ["src=", "@import", "http://", "https://", "import("] {
            assert!(!PAGE.contains(loads), "{loads}");
        }
        // Otherwise a script would end early.
        assert_eq!(PAGE.matches("</script").count(), 1);
    }
}
