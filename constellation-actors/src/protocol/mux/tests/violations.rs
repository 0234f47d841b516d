//! What a peer must not do.

use bytes::BytesMut;

use crate::{
    placement::grant::GrantId,
    protocol::{
        frame::{FrameType, encode},
        mux::{
            Role,
            error::ProtocolError,
            limits::{CREDIT_BYTES_MAX, Limits},
            testing::*,
        },
    },
};

fn content(bytes: usize) -> impl FnOnce(&mut BytesMut) {
    move |buffer| buffer.resize(buffer.len() + bytes, 0)
}

#[test]
fn content_over_the_credit_of_its_exchange() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    let told = tell(&mut controller, |buffer| {
        for _ in 0..4 {
            encode::data(buffer, stream, false, content(100));
        }
        encode::data(buffer, stream, false, content(3));
    });
    let excess = 3;
    let refused = ProtocolError::StreamCreditExceeded { stream, excess };
    assert_eq!(told, Err(refused));
}

#[test]
fn content_over_the_credit_of_the_session() {
    let (mut controller, mut worker) = pair(Limits {
        session_credit: 400,
        ..SMALL
    });
    let first = begin(&mut controller, &mut worker);
    let second = begin(&mut controller, &mut worker);
    let told = tell(&mut controller, |buffer| {
        for stream in [first, second, first, second, second] {
            encode::data(buffer, stream, false, content(99));
        }
    });
    let refused = ProtocolError::SessionCreditExceeded {
        stream: second,
        excess: 95,
    };
    assert_eq!(told, Err(refused));
}

#[test]
fn content_after_its_end() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    let told = tell(&mut controller, |buffer| {
        encode::data(buffer, stream, true, content(1));
        encode::data(buffer, stream, false, content(0));
    });
    assert_eq!(told, Err(ProtocolError::DataAfterEnd { stream }));

    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    let told = tell(&mut worker, |buffer| {
        encode::data(buffer, stream, false, content(1));
    });
    assert_eq!(told, Err(ProtocolError::DataAfterEnd { stream }));
}

#[test]
fn content_before_its_response() {
    let (mut controller, _) = pair(SMALL);
    let stream = open(&mut controller, true);
    let told = tell(&mut controller, |buffer| {
        encode::data(buffer, stream, false, content(1));
    });
    assert_eq!(told, Err(ProtocolError::DataBeforeResponse { stream }));
}

#[test]
fn a_second_response() {
    for taken in [false, true] {
        let (mut controller, mut worker) = pair(SMALL);
        let stream = open(&mut controller, false);
        carry(&mut controller, &mut worker);
        answer(&mut worker, stream, true);
        carry(&mut worker, &mut controller);
        if taken {
            assert!(controller.poll_response(stream, &idle()).is_ready());
        }
        let told = tell(&mut controller, |buffer| {
            encode::response(buffer, stream, true, content(1));
        });
        assert_eq!(told, Err(ProtocolError::ResponseRepeated { stream }));
    }
}

#[test]
fn a_request_that_reuses_a_running_exchange() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    let told = tell(&mut worker, |buffer| {
        encode::request(buffer, stream, GrantId::new(1), true, content(1));
    });
    assert_eq!(told, Err(ProtocolError::StreamInUse { stream }));
}

#[test]
fn frames_in_the_wrong_direction() {
    let (mut controller, mut worker) = pair(SMALL);
    let told = tell(&mut controller, |buffer| {
        encode::request(buffer, stream(1), GrantId::new(1), true, content(1));
    });
    assert_eq!(
        told,
        Err(ProtocolError::WrongDirection {
            frame_type: FrameType::Request,
            role: Role::Controller,
        })
    );
    let told = tell(&mut worker, |buffer| {
        encode::response(buffer, stream(1), true, content(1));
    });
    assert_eq!(
        told.unwrap_err().to_string(),
        "a worker does not receive RESPONSE"
    );
    assert!(tell(&mut worker, |buffer| encode::heartbeat(buffer, 1)).is_err());
    assert!(tell(&mut controller, |buffer| encode::heartbeat(buffer, 1)).is_ok());
    assert!(tell(&mut worker, |buffer| encode::heartbeat_ack(buffer, 1)).is_ok());
    assert!(tell(&mut controller, |buffer| encode::heartbeat_ack(buffer, 1)).is_err());
    assert!(tell(&mut worker, |buffer| encode::go_away(buffer, b"{}")).is_ok());
    assert!(tell(&mut controller, |buffer| encode::go_away(buffer, b"{}")).is_ok());
}

#[test]
fn credit_of_nothing_or_of_more_than_can_be_counted() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    for stream in [None, Some(stream)] {
        let told = tell(&mut worker, |buffer| encode::credit(buffer, stream, 0));
        assert_eq!(told, Err(ProtocolError::CreditZero { stream }));

        let had = if stream.is_some() { 400 } else { 1000 };
        let most = CREDIT_BYTES_MAX - had;
        let told = tell(&mut worker, |buffer| encode::credit(buffer, stream, most));
        assert_eq!(told, Ok(Vec::new()));
        let increment = 1;
        let told = tell(&mut worker, |buffer| {
            encode::credit(buffer, stream, increment);
        });
        let overflow = ProtocolError::CreditOverflow { stream, increment };
        assert_eq!(told, Err(overflow));
    }
}

#[test]
fn what_came_before_a_violation_stands() {
    let (mut controller, _) = pair(SMALL);
    let mut message = BytesMut::new();
    encode::heartbeat(&mut message, 1);
    encode::credit(&mut message, None, 0);
    encode::heartbeat(&mut message, 2);
    let mut events = Vec::new();
    assert!(controller.receive(message.freeze(), &mut events).is_err());
    assert_eq!(events.len(), 1);
}
