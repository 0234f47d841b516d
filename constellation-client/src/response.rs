//! What a handler answers. Made step by step; a step that cannot be done turns the whole into a
//! failure, which becomes a 500, so that no half of an answer is ever sent.

use std::{borrow::Cow, fmt, pin::Pin};

use bytes::{Bytes, BytesMut};
use constellation_actors::protocol::head::{
    FIELDS_MAX, Status,
    encode::HeadEncoder,
    grammar::{self, Class},
};
use futures::{Stream, StreamExt};
use serde::Serialize;

use crate::error::HandlerError;

const CONTENT_TYPE: &str = "content-type";
const CONTENT_LENGTH: &str = "content-length";

/// What a response's body is said to be when its handler says nothing.
const DEFAULT_TYPE: &[u8] = b"application/json";

/// The status that makes a request for an upgrade a tunnel.
const SWITCHING_PROTOCOLS: u16 = 101;

/// The most bytes that the numbers in front of a field's name and value take, together.
const FIELD_EXTRA_BYTES: usize = 16;

/// The most bytes of a head besides its fields.
const HEAD_EXTRA_BYTES: usize = 32;

/// The answer to a request.
///
/// A body without a content type is called `application/json`. The controller sets `x-request`,
/// `x-worker` and the framing headers by itself.
pub struct Response {
    status: u16,
    fields: Vec<(Cow<'static, str>, Bytes)>,
    content: Content,
    fault: Option<HandlerError>,
    /// Whether its headers already say all that is to be said of its content.
    described: bool,
}

/// The content of a response.
pub(crate) enum Content {
    Whole(Bytes),
    Stream(ContentStream),
}

/// Content that is made while it is sent.
pub(crate) type ContentStream = Pin<Box<dyn Stream<Item = Result<Bytes, HandlerError>> + Send>>;

/// A response that was found to be one.
pub(crate) struct Ready {
    pub(crate) head: Head,
    pub(crate) content: Content,
}

/// The status and the headers of a response, checked.
pub(crate) struct Head {
    status: Status,
    fields: Vec<(Cow<'static, str>, Bytes)>,
}

/// What kind of request a response answers, as far as that decides about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// One that gets no content (HEAD).
    Head,
    /// One that may become a tunnel.
    Upgrade,
    /// Any other.
    Content,
}

impl Response {
    /// A response without a body: 200 to 599, or 101 for a request that
    /// [is an upgrade](crate::Request::is_upgrade).
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            content: Content::Whole(Bytes::new()),
            fault: None,
            described: false,
        }
    }

    /// A response whose headers describe its content as completely as they are to.
    #[cfg(feature = "hosting")]
    pub(crate) fn described(status: u16) -> Self {
        Self {
            described: true,
            ..Self::new(status)
        }
    }

    /// 200 without a body.
    #[must_use]
    pub fn ok() -> Self {
        Self::new(200)
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Adds a header behind those that are there. A name must be a token and a value free of
    /// control characters, or the response becomes a 500.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl AsRef<[u8]>) -> Self {
        self.add(name.into(), Bytes::copy_from_slice(value.as_ref()));
        self
    }

    /// Says what the body is, instead of what was said before.
    #[must_use]
    pub fn content_type(mut self, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.retain(|(name, _)| name != CONTENT_TYPE);
        let value = match value.into() {
            Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => Bytes::from(text),
        };
        self.add(Cow::Borrowed(CONTENT_TYPE), value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.content = Content::Whole(body.into());
        self
    }

    /// Sets the body to `value` as JSON. A value that cannot be JSON makes the response a 500.
    #[must_use]
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.content = Content::Whole(json.into()),
            Err(error) => self.fail(HandlerError::from(error)),
        }
        self
    }

    /// Sets the body to what `stream` gives. It is asked for more only as the client reads. An
    /// error breaks the response off, so that the client notices.
    #[must_use]
    pub fn stream<S, E>(mut self, stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<HandlerError>,
    {
        let stream = stream.map(|chunk| chunk.map_err(Into::into));
        self.content = Content::Stream(Box::pin(stream));
        self
    }

    /// How long the body is, if that is known.
    pub(crate) fn whole_bytes(&self) -> Option<usize> {
        match &self.content {
            Content::Whole(bytes) => Some(bytes.len()),
            Content::Stream(_) => None,
        }
    }

    fn add(&mut self, mut name: Cow<'static, str>, value: Bytes) {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            name.to_mut().make_ascii_lowercase();
        }
        if !grammar::is_field_name(name.as_bytes()) {
            return self.fail(HandlerError::new(format_args!(
                "{name:?} is no header name"
            )));
        }
        if !Class::VALUE.has_all(&value) {
            let reason = format_args!("the value of header {name:?} has a control character");
            return self.fail(HandlerError::new(reason));
        }
        self.fields.push((name, value));
    }

    /// The first fault stays: later ones may follow from it.
    fn fail(&mut self, fault: HandlerError) {
        self.fault.get_or_insert(fault);
    }

    /// Checks the whole and completes its headers, as an answer to `asked`.
    pub(crate) fn finish(
        mut self,
        asked: Asked,
        head_bytes_max: usize,
    ) -> Result<Ready, HandlerError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let status = Status::new(self.status).ok_or_else(|| {
            HandlerError::new(format_args!("{} is no status of a response", self.status))
        })?;
        let tunnel = self.status == SWITCHING_PROTOCOLS;
        if tunnel && asked != Asked::Upgrade {
            return Err(HandlerError::new(
                "101 answers nothing but a request for an upgrade",
            ));
        }
        // These have no content, whatever their handler says (RFC 9110, sections 15.3.5, 15.4.5).
        let forbidden = matches!(self.status, 204 | 304);
        if !forbidden && !tunnel && !self.described {
            self.describe_content();
        }
        if forbidden || asked == Asked::Head {
            self.content = Content::Whole(Bytes::new());
        }
        let head = Head {
            status,
            fields: self.fields,
        };
        head.check(head_bytes_max)?;
        Ok(Ready {
            head,
            content: self.content,
        })
    }

    fn describe_content(&mut self) {
        let length = self.whole_bytes();
        if length != Some(0) && !self.names(CONTENT_TYPE) {
            self.fields.push((
                Cow::Borrowed(CONTENT_TYPE),
                Bytes::from_static(DEFAULT_TYPE),
            ));
        }
        if let Some(length) = length
            && length > 0
            && !self.names(CONTENT_LENGTH)
        {
            self.fields
                .push((Cow::Borrowed(CONTENT_LENGTH), length.to_string().into()));
        }
    }

    fn names(&self, header: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == header)
    }
}

impl Head {
    /// Whether it makes a tunnel.
    pub(crate) fn is_switching(&self) -> bool {
        self.status.get() == SWITCHING_PROTOCOLS
    }

    fn check(&self, bytes_max: usize) -> Result<(), HandlerError> {
        let fields = self.fields.iter();
        let bytes: usize = fields
            .map(|(name, value)| name.len() + value.len() + FIELD_EXTRA_BYTES)
            .sum();
        if self.fields.len() > FIELDS_MAX || bytes + HEAD_EXTRA_BYTES > bytes_max {
            return Err(HandlerError::new(format_args!(
                "{} headers of about {bytes} bytes are more than a response may have",
                self.fields.len()
            )));
        }
        Ok(())
    }

    /// Appends the head to an outgoing frame.
    pub(crate) fn write(&self, buffer: &mut BytesMut) {
        let mut encoder = HeadEncoder::response(buffer, self.status);
        for (name, value) in &self.fields {
            encoder.field(name.as_bytes(), value);
        }
        encoder
            .finish(usize::MAX)
            .expect("its length and number of fields were checked");
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &names)
            .field("content", &self.content)
            .field("fault", &self.fault)
            .finish()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(formatter, "{} bytes", bytes.len()),
            Self::Stream(_) => formatter.write_str("a stream"),
        }
    }
}

/// What a handler function may return.
pub trait IntoResponse {
    /// The response, or the failure that becomes a 500.
    ///
    /// # Errors
    ///
    /// When it stands for a failure.
    fn into_response(self) -> Result<Response, HandlerError>;
}

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response, HandlerError> {
        Ok(self)
    }
}

impl<R: IntoResponse, E: fmt::Display> IntoResponse for Result<R, E> {
    fn into_response(self) -> Result<Response, HandlerError> {
        match self {
            Ok(response) => response.into_response(),
            // The alternate form, because error types that hold a chain tell all of it there.
            Err(error) => Err(HandlerError::new(format_args!("{error:#}"))),
        }
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Result<Response, HandlerError> {
        Ok(Response::new(204))
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Result<Response, HandlerError> {
        Ok(Response::ok()
            .content_type("application/octet-stream")
            .body(self))
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Result<Response, HandlerError> {
        Ok(Response::ok()
            .content_type("text/plain; charset=utf-8")
            .body(self))
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Result<Response, HandlerError> {
        Ok(Response::ok()
            .content_type("text/plain; charset=utf-8")
            .body(self))
    }
}

impl IntoResponse for serde_json::Value {
    fn into_response(self) -> Result<Response, HandlerError> {
        Ok(Response::ok().json(&self))
    }
}

#[cfg(test)]
mod tests {
    use constellation_actors::protocol::head::ResponseHead;

    use super::*;

    const HEAD_BYTES_MAX: usize = 1024;

    fn sent(response: Response, asked: Asked) -> (Vec<(String, Vec<u8>)>, usize) {
        let ready = response.finish(asked, HEAD_BYTES_MAX).unwrap();
        let mut buffer = BytesMut::new();
        ready.head.write(&mut buffer);
        let (head, rest) = ResponseHead::decode(&buffer.freeze(), HEAD_BYTES_MAX).unwrap();
        assert!(rest.is_empty());
        let fields = head.fields().iter();
        let fields = fields.map(|field| (field.name().to_owned(), field.value().to_vec()));
        let content = match ready.content {
            Content::Whole(bytes) => bytes.len(),
            Content::Stream(_) => usize::MAX,
        };
        (fields.collect(), content)
    }

    fn refused(response: Response) -> String {
        response
            .finish(Asked::Content, HEAD_BYTES_MAX)
            .err()
            .unwrap()
            .to_string()
    }

    #[test]
    fn a_body_is_json_unless_its_handler_says_otherwise() {
        let (fields, _) = sent(Response::ok().body("[]"), Asked::Content);
        assert!(fields.contains(&("content-type".into(), b"application/json".to_vec())));
        let (fields, _) = sent(
            Response::ok().header("Content-Type", "text/html").body("x"),
            Asked::Content,
        );
        assert_eq!(fields[0], ("content-type".into(), b"text/html".to_vec()));
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn a_response_without_a_body_says_nothing_of_one() {
        assert_eq!(sent(Response::new(404), Asked::Content), (vec![], 0));
        assert_eq!(
            sent(Response::new(204).body("x"), Asked::Content),
            (vec![], 0)
        );
        assert_eq!(
            sent(Response::new(304).body("x"), Asked::Content),
            (vec![], 0)
        );
    }

    #[test]
    fn an_answer_to_head_keeps_its_length_and_sends_no_content() {
        let (fields, content) = sent(Response::ok().body("12345"), Asked::Head);
        assert!(fields.contains(&("content-length".into(), b"5".to_vec())));
        assert_eq!(content, 0);
    }

    #[test]
    fn a_tunnel_answers_an_upgrade_alone_and_says_nothing_of_a_body() {
        let tunnel = || Response::new(101).body("raw");
        assert_eq!(sent(tunnel(), Asked::Upgrade), (vec![], 3));
        assert!(refused(tunnel()).contains("upgrade"));
        let (fields, _) = sent(Response::ok().body("no"), Asked::Upgrade);
        assert!(fields.contains(&("content-length".into(), b"2".to_vec())));
    }

    #[test]
    fn a_header_that_could_smuggle_another_is_a_failure() {
        assert!(refused(Response::ok().header("x", "a\r\ny: b")).contains("control character"));
        assert!(refused(Response::ok().header("x y", "a")).contains("x y"));
        assert!(refused(Response::new(100)).contains("100"));
        assert!(refused(Response::new(999)).contains("999"));
    }

    #[test]
    fn a_head_that_no_controller_takes_is_a_failure() {
        assert!(refused(Response::ok().header("x", "a".repeat(HEAD_BYTES_MAX))).contains("more"));
        let many = (0..=FIELDS_MAX).fold(Response::ok(), |response, _| response.header("a", ""));
        assert!(many.finish(Asked::Content, usize::MAX).is_err());
    }

    #[test]
    fn names_come_out_in_lower_case_and_in_order() {
        let response = Response::ok()
            .header("X-B", "1")
            .header("x-a", "2")
            .header("X-B", "3");
        let (fields, _) = sent(response, Asked::Content);
        let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-b", "x-a", "x-b"]);
    }

    #[test]
    fn what_is_no_json_is_a_failure() {
        let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(refused(Response::ok().json(&no_json)).contains("key"));
    }
}
