//! What heads must survive: every valid one comes back, every invalid one is named, and no input
//! makes the decoder panic or read beyond it.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::{collection::vec, prelude::*};

use super::{
    encode::{HeadEncoder, HeadTooLarge},
    error::{HeadError, Part},
    *,
};

const LINE: RequestLine<'static> = RequestLine {
    method: "GET",
    scheme: "http",
    authority: "localhost:8000",
    path: "/db?x=1",
};

fn request(line: RequestLine<'_>, fields: &[(&str, &[u8])], content: &[u8]) -> Bytes {
    let mut buffer = BytesMut::new();
    let mut encoder = HeadEncoder::request(&mut buffer, line);
    for (name, value) in fields {
        encoder.field(name, value);
    }
    encoder.finish(HEAD_BYTES_MAX).unwrap();
    buffer.put_slice(content);
    buffer.freeze()
}

fn response(status: u16, fields: &[(&str, &[u8])], content: &[u8]) -> Bytes {
    let mut buffer = BytesMut::new();
    let mut encoder = HeadEncoder::response(&mut buffer, Status::new(status).unwrap());
    for (name, value) in fields {
        encoder.field(name, value);
    }
    encoder.finish(HEAD_BYTES_MAX).unwrap();
    buffer.put_slice(content);
    buffer.freeze()
}

fn decode_request(payload: &Bytes) -> Result<(RequestHead, Bytes), HeadError> {
    RequestHead::decode(payload, HEAD_BYTES_MAX)
}

fn decode_response(payload: &Bytes) -> Result<(ResponseHead, Bytes), HeadError> {
    ResponseHead::decode(payload, HEAD_BYTES_MAX)
}

fn refused_line(line: RequestLine<'_>) -> HeadError {
    decode_request(&request(line, &[], b"")).unwrap_err()
}

fn refused_field(name: &str, value: &[u8]) -> HeadError {
    decode_response(&response(200, &[(name, value)], b"")).unwrap_err()
}

#[test]
fn a_path_keeps_every_byte() {
    let path = "//a%2Fb/../;v=1/~'()*|\"{}?q=%20&?/\\";
    let (head, content) = decode_request(&request(RequestLine { path, ..LINE }, &[], b"")).unwrap();
    assert_eq!(head.path(), path);
    assert_eq!(head.path_bytes(), path.as_bytes());
    assert!(content.is_empty());
}

#[test]
fn the_server_itself_may_be_asked() {
    let payload = request(
        RequestLine {
            method: "OPTIONS",
            path: "*",
            ..LINE
        },
        &[],
        b"",
    );
    assert_eq!(decode_request(&payload).unwrap().0.path(), "*");
}

#[test]
fn what_comes_in_is_sliced_and_not_copied() {
    let payload = response(200, &[("x-a", b"1")], b"content");
    let (head, content) = decode_response(&payload).unwrap();
    let inside = payload.as_ptr_range();
    let value = head.fields().iter().next().unwrap().value_bytes();
    assert!(inside.contains(&value.as_ptr()) && inside.contains(&content.as_ptr()));
}

#[test]
fn white_space_around_a_value_is_left_out_when_written_and_refused_when_read() {
    let (head, _) = decode_response(&response(200, &[("x-a", b" \t1 2 ")], b"")).unwrap();
    assert_eq!(head.fields().iter().next().unwrap().value(), b"1 2");
    let by_hand = Bytes::from_static(b"\x40\xc8\x05\x01a\x02 1");
    assert_eq!(
        decode_response(&by_hand),
        Err(HeadError::Blank { offset: 6 })
    );
}

#[test]
fn a_part_of_the_request_line_that_two_readers_could_take_differently_is_refused() {
    let byte = |part, offset, byte| HeadError::Byte { part, offset, byte };
    assert_eq!(
        refused_line(RequestLine { method: "", ..LINE }),
        HeadError::Empty {
            part: Part::Method,
            offset: 1
        }
    );
    assert_eq!(
        refused_line(RequestLine {
            method: "GE T",
            ..LINE
        }),
        byte(Part::Method, 3, b' ')
    );
    assert_eq!(
        refused_line(RequestLine {
            scheme: "HTTP",
            ..LINE
        }),
        byte(Part::Scheme, 5, b'H')
    );
    assert_eq!(
        refused_line(RequestLine {
            scheme: "1a",
            ..LINE
        }),
        byte(Part::Scheme, 5, b'1')
    );
    assert_eq!(
        refused_line(RequestLine {
            authority: "a@b",
            ..LINE
        }),
        byte(Part::Authority, 11, b'@')
    );
    assert_eq!(
        refused_line(RequestLine {
            path: "/a b",
            ..LINE
        }),
        byte(Part::Path, 27, b' ')
    );
    assert_eq!(
        refused_line(RequestLine {
            path: "/a#",
            ..LINE
        }),
        byte(Part::Path, 27, b'#')
    );
    assert_eq!(
        refused_line(RequestLine { path: "db", ..LINE }),
        HeadError::NoSlash { offset: 25 }
    );
    assert_eq!(
        refused_line(RequestLine { path: "**", ..LINE }),
        HeadError::NoSlash { offset: 25 }
    );
}

#[test]
fn a_field_that_could_smuggle_another_is_refused() {
    for value in [&b"a\r\nx: y"[..], b"a\0", b"\x7f"] {
        let error = refused_field("x", value);
        assert!(
            matches!(
                error,
                HeadError::Byte {
                    part: Part::FieldValue,
                    ..
                }
            ),
            "{error}"
        );
    }
    for name in ["X-A", ":path", "a b", "a\r\n", "é"] {
        let error = refused_field(name, b"1");
        assert!(
            matches!(
                error,
                HeadError::Byte {
                    part: Part::FieldName,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert_eq!(
        refused_field("", b"1"),
        HeadError::Empty {
            part: Part::FieldName,
            offset: 7
        }
    );
}

#[test]
fn only_a_status_that_ends_an_exchange_or_changes_the_protocol_is_one() {
    for number in [0, 99, 100, 102, 199, 600, u16::MAX] {
        assert_eq!(Status::new(number), None);
    }
    for number in [101, 200, 404, 599] {
        let (head, _) = decode_response(&response(number, &[], b"")).unwrap();
        assert_eq!(head.status().get(), number);
    }
    let by_hand = Bytes::from_static(b"\x40\x64\x00");
    assert_eq!(
        decode_response(&by_hand),
        Err(HeadError::Status {
            offset: 0,
            status: 100
        })
    );
}

#[test]
fn a_length_that_runs_past_the_input_is_refused_before_it_is_used() {
    let huge = Bytes::from_static(b"\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_eq!(
        decode_request(&huge),
        Err(HeadError::PastEnd {
            part: Part::Method,
            offset: 8,
            length: (1 << 62) - 1,
            available: 0
        })
    );
    let section = Bytes::from_static(b"\x40\xc8\x02\x02abc");
    assert_eq!(
        decode_response(&section),
        Err(HeadError::PastEnd {
            part: Part::FieldName,
            offset: 4,
            length: 2,
            available: 1
        })
    );
}

#[test]
fn every_cut_of_a_valid_head_is_refused() {
    let payload = request(LINE, &[("x-a", b"1"), ("x-b", b"2")], b"");
    for length in 0..payload.len() {
        assert!(
            decode_request(&payload.slice(..length)).is_err(),
            "{length}"
        );
    }
}

#[test]
fn a_head_has_a_longest_length() {
    let payload = request(LINE, &[("x-a", b"1")], b"content");
    let head_bytes = payload.len() - b"content".len();
    assert!(RequestHead::decode(&payload, head_bytes).is_ok());
    let error = RequestHead::decode(&payload, head_bytes - 1).unwrap_err();
    assert_eq!(
        error,
        HeadError::TooLong {
            bytes: head_bytes,
            bytes_max: head_bytes - 1
        }
    );

    let mut buffer = BytesMut::from(&b"before"[..]);
    let mut encoder = HeadEncoder::request(&mut buffer, LINE);
    encoder.field("x-a", "1");
    let error = encoder.finish(head_bytes - 1).unwrap_err();
    assert_eq!(
        error,
        HeadTooLarge::Bytes {
            bytes: head_bytes,
            bytes_max: head_bytes - 1
        }
    );
    assert_eq!(&buffer[..], b"before");
}

#[test]
fn a_head_has_a_greatest_number_of_fields() {
    let fields = vec![("a", &b""[..]); FIELDS_MAX];
    let payload = response(200, &fields, b"");
    assert_eq!(
        decode_response(&payload).unwrap().0.fields().len(),
        FIELDS_MAX
    );

    let mut by_hand = BytesMut::from(&payload[..]);
    by_hand.put_slice(b"\x01a\x00");
    let section = by_hand.len() - 6;
    crate::protocol::varint::fill_four(&mut by_hand, 2, section);
    let offset = by_hand.len() - 3;
    assert_eq!(
        decode_response(&by_hand.freeze()),
        Err(HeadError::TooManyFields { offset })
    );

    let mut buffer = BytesMut::new();
    let mut encoder = HeadEncoder::response(&mut buffer, Status::new(200).unwrap());
    for _ in 0..=FIELDS_MAX {
        encoder.field("a", "");
    }
    let count = FIELDS_MAX + 1;
    assert_eq!(
        encoder.finish(HEAD_BYTES_MAX),
        Err(HeadTooLarge::Fields { count })
    );
    assert!(buffer.is_empty());
}

#[test]
fn a_head_that_is_not_finished_is_taken_back() {
    let mut buffer = BytesMut::from(&b"before"[..]);
    HeadEncoder::request(&mut buffer, LINE).field("a", "b");
    assert_eq!(&buffer[..], b"before");
}

#[test]
fn the_values_of_fields_are_not_printed() {
    let payload = request(LINE, &[("authorization", b"Bearer hidden")], b"");
    let (head, _) = decode_request(&payload).unwrap();
    let printed = format!("{head:?} {:?}", head.fields().iter().next());
    assert!(
        printed.contains("authorization") && !printed.contains("hidden"),
        "{printed}"
    );
}

fn any_field() -> impl Strategy<Value = (String, Vec<u8>)> {
    let value = vec(
        any::<u8>().prop_filter("allowed", |byte| grammar::is_value(*byte)),
        0..90,
    );
    ("[a-z0-9!#$%&'*+.^_`|~-]{1,70}", value)
        .prop_map(|(name, value)| (name, grammar::trimmed(&value).to_vec()))
}

proptest! {
    #[test]
    fn a_request_head_comes_back_as_it_was(
        method in "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}",
        scheme in "[a-z][a-z0-9+.-]{0,9}",
        authority in "[a-z0-9.:\\[\\]-]{0,70}",
        path in "/[!-\"$-~]{0,200}",
        fields in vec(any_field(), 0..20),
        content in vec(any::<u8>(), 0..40),
    ) {
        let line =
            RequestLine { method: &method, scheme: &scheme, authority: &authority, path: &path };
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let (head, rest) = decode_request(&request(line, &pairs, &content)).unwrap();
        prop_assert_eq!(head.method(), method);
        prop_assert_eq!(head.scheme(), scheme);
        prop_assert_eq!(head.authority(), authority);
        prop_assert_eq!(head.path(), path);
        let found: Vec<_> =
            head.fields().iter().map(|field| (field.name(), field.value())).collect();
        prop_assert_eq!(found, pairs);
        prop_assert_eq!(rest, content);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_or_read_beyond_them(payload in vec(any::<u8>(), 0..200)) {
        let payload = Bytes::from(payload);
        if let Ok((head, content)) = decode_request(&payload) {
            let fields: usize =
                head.fields().iter().map(|field| field.name().len() + field.value().len()).sum();
            prop_assert!(fields + content.len() <= payload.len());
        }
        if let Ok((head, content)) = decode_response(&payload) {
            let fields: usize =
                head.fields().iter().map(|field| field.name().len() + field.value().len()).sum();
            prop_assert!(fields + content.len() <= payload.len());
        }
    }

    #[test]
    fn a_damaged_head_is_refused_or_read_but_never_panics(at in 0usize..200, byte: u8) {
        let fields: [(&str, &[u8]); 3] =
            [("x-a", b"1"), ("accept", b"*/*"), ("cookie", b"a=b; c=d")];
        let mut payload = request(LINE, &fields, b"content").to_vec();
        let at = at % payload.len();
        payload[at] = byte;
        if let Ok((head, _)) = decode_request(&Bytes::from(payload)) {
            for field in head.fields() {
                prop_assert!(grammar::is_field_name(field.name().as_bytes()));
                prop_assert!(field.value().iter().all(|byte| grammar::is_value(*byte)));
            }
        }
    }
}
