//! Frames and exchanges, without a connection.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use constellation_actors::{
    placement::grant::GrantId,
    protocol::{
        frame::{SizeLimits, StreamId, decode::Frames, encode},
        websocket::{
            head::{Head, Opcode},
            mask::Mask,
            reader::Reader,
        },
    },
};
use criterion::{Criterion, Throughput};
use micro::{
    conversation::Conversation,
    heads::{REQUEST_3, RESPONSE_3, put_request, put_response, request, response},
};

/// The content of a long DATA.
static CONTENT: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// Sizes that let it through in one frame.
const SIZES: SizeLimits = SizeLimits {
    data_bytes_max: CONTENT.len() as u32,
    head_bytes_max: 128 * 1024,
    message_bytes_max: 1024 * 1024,
};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    frames(&mut criterion);
    message(&mut criterion);
    exchange(&mut criterion);
    criterion.final_summary();
}

/// Each frame both ways: written with its head, and found in a message. Heads are read elsewhere.
fn frames(criterion: &mut Criterion) {
    let stream = StreamId::new(1).expect("it is not zero");
    let request = |buffer: &mut BytesMut| {
        encode::request(buffer, stream, GrantId::new(1), true, |payload| {
            put_request(payload, &REQUEST_3);
        });
    };
    let response = |buffer: &mut BytesMut| {
        encode::response(buffer, stream, true, |payload| {
            put_response(payload, &RESPONSE_3);
        });
    };
    let data = |buffer: &mut BytesMut| {
        encode::data(buffer, stream, false, |payload| {
            payload.extend_from_slice(&CONTENT);
        });
    };
    both_ways(criterion, "REQUEST", 0, request, read_frames);
    both_ways(criterion, "RESPONSE", 0, response, read_frames);
    both_ways(
        criterion,
        "DATA of 64 KiB",
        CONTENT.len(),
        data,
        read_frames,
    );
}

fn both_ways(
    criterion: &mut Criterion,
    name: &str,
    content_bytes: usize,
    write: impl Fn(&mut BytesMut),
    mut read: impl FnMut(Bytes),
) {
    let mut group = criterion.benchmark_group(name);
    if content_bytes > 0 {
        group.throughput(Throughput::Bytes(content_bytes as u64));
    }
    let mut buffer = BytesMut::with_capacity(2 * CONTENT.len());
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            buffer.clear();
            write(&mut buffer);
            black_box(&buffer);
        });
    });
    buffer.clear();
    write(&mut buffer);
    let message: Bytes = buffer.freeze();
    group.bench_function("decode", |bencher| {
        bencher.iter(|| read(message.clone()));
    });
    group.finish();
}

fn read_frames(message: Bytes) {
    for frame in Frames::new(message, SIZES) {
        black_box(frame.is_ok());
    }
}

/// A long message as a worker masks it, and as the controller reads it.
fn message(criterion: &mut Criterion) {
    const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let write = |buffer: &mut BytesMut| {
        Head::whole(Opcode::Binary, Some(KEY), CONTENT.len()).write(buffer);
        Mask::new(KEY).copy(&CONTENT, buffer);
    };
    let mut reader = Reader::new(CONTENT.len());
    let read = |mut bytes| {
        black_box(reader.read(&mut bytes).is_ok());
    };
    let name = "websocket message of 64 KiB";
    both_ways(criterion, name, CONTENT.len(), write, read);
}

fn exchange(criterion: &mut Criterion) {
    let (request, response) = (request(&REQUEST_3), response(&RESPONSE_3));
    let mut conversation = Conversation::default();
    criterion.bench_function("mux/an exchange, both sides", |bencher| {
        bencher.iter(|| black_box(conversation.exchange(&request, &response)));
    });
}
