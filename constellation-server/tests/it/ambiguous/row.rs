//! One request and what has to come of it.

/// What has to come of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// 400 from the controller, with a description that holds this.
    Refused(&'static str),
    /// This status and no body: the HTTP layer below the controller refused it.
    Bare(u16),
    /// The end of the connection, with 400 or without an answer: the body turned out to be broken
    /// after the head was taken. Which of the two depends on who notices first.
    Broken,
    /// An answer, and then the end: nothing behind it is served.
    Last,
    /// An answer that says that the worker got this path and so many bytes of body. What the
    /// request was unusual in is read in one way silently.
    Passed { path: &'static str, body_bytes: u64 },
}

/// A request and what has to come of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) bytes: Vec<u8>,
    pub(super) expected: Expected,
}

impl Row {
    pub(super) fn new(what: &str, bytes: impl Into<Vec<u8>>, expected: Expected) -> Self {
        Self {
            what: what.to_owned(),
            bytes: bytes.into(),
            expected,
        }
    }

    /// A GET with a good host and this further header line, which may be several.
    pub(super) fn header(line: impl AsRef<[u8]>, expected: Expected) -> Self {
        let line = line.as_ref();
        let what = String::from_utf8_lossy(line).into_owned();
        let bytes = [b"GET /refused HTTP/1.1\r\nhost: a\r\n", line, b"\r\n\r\n"].concat();
        Self::new(&what, bytes, expected)
    }

    /// A GET of this target with a good host.
    pub(super) fn target(target: impl AsRef<[u8]>, expected: Expected) -> Self {
        let target = target.as_ref();
        let what = String::from_utf8_lossy(target).into_owned();
        let bytes = [b"GET ", target, b" HTTP/1.1\r\nhost: a\r\n\r\n"].concat();
        Self::new(&what, bytes, expected)
    }

    /// A request with this first line and a good host.
    pub(super) fn line(line: impl AsRef<[u8]>, expected: Expected) -> Self {
        let line = line.as_ref();
        let what = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
        let bytes = [line, b"\r\nhost: a\r\n\r\n"].concat();
        Self::new(&what, bytes, expected)
    }
}
