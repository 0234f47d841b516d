//! Heads, written and read, with few fields and with many.

use std::hint::black_box;

use bytes::BytesMut;
use constellation_actors::protocol::head::{HEAD_BYTES_MAX, RequestHead, ResponseHead};
use criterion::Criterion;
use micro::heads::{
    FieldLines, REQUEST_3, REQUEST_15, RESPONSE_3, RESPONSE_15, put_request, put_response, request,
    response,
};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for fields in [&REQUEST_3[..], &REQUEST_15[..]] {
        let head = request(fields);
        write(&mut criterion, "request head", fields, put_request);
        read(&mut criterion, "request head", fields, || {
            RequestHead::decode(&head, HEAD_BYTES_MAX).is_ok()
        });
    }
    for fields in [&RESPONSE_3[..], &RESPONSE_15[..]] {
        let head = response(fields);
        write(&mut criterion, "response head", fields, put_response);
        read(&mut criterion, "response head", fields, || {
            ResponseHead::decode(&head, HEAD_BYTES_MAX).is_ok()
        });
    }
    criterion.final_summary();
}

fn write(
    criterion: &mut Criterion,
    name: &str,
    fields: &FieldLines,
    put: fn(&mut BytesMut, &FieldLines),
) {
    let name = format!("{name}/encode with {} fields", fields.len());
    let mut buffer = BytesMut::with_capacity(4096);
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| {
            buffer.clear();
            put(&mut buffer, black_box(fields));
            black_box(&buffer);
        });
    });
}

fn read(criterion: &mut Criterion, name: &str, fields: &FieldLines, decode: impl Fn() -> bool) {
    let name = format!("{name}/decode with {} fields", fields.len());
    criterion.bench_function(&name, |bencher| bencher.iter(|| black_box(decode())));
}
