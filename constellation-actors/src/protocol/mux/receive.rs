//! What a received message does to the exchanges. Never hands a frame of an exchange to the
//! owner, except the REQUEST that begins one.

use bytes::Bytes;

use super::{
    Mux, Role,
    error::ProtocolError,
    event::{Ended, Event},
    exchange::Exchange,
    receiving::byte_count,
    retention,
};
use crate::protocol::frame::{
    FrameType, StreamId,
    code::ResetCode,
    decode::{Control, Frame, Frames},
};

impl Mux {
    /// Takes in a whole websocket message: applies the frames of exchanges, marks the tasks they
    /// concern to be woken, and appends what is for the owner to `events`, in order.
    ///
    /// Frames for exchanges that nobody remembers are ignored: they crossed the end of their
    /// exchange on the wire. Content in them is given back to the session's credit.
    ///
    /// Slices of `message` live in `events` and in the exchanges. What unread content keeps alive
    /// is bounded by its credit, provided that `message` is not itself a small slice of something
    /// larger.
    ///
    /// # Errors
    ///
    /// When the peer broke the protocol. What came before stands, and `events` hold it; what
    /// comes behind is lost, and the session must be closed.
    pub fn receive(
        &mut self,
        message: Bytes,
        events: &mut Vec<Event>,
    ) -> Result<(), ProtocolError> {
        let message_bytes = message.len();
        for frame in Frames::new(message, self.limits.sizes) {
            self.apply(frame?, message_bytes, events)?;
        }
        Ok(())
    }

    fn apply(
        &mut self,
        frame: Frame,
        message_bytes: usize,
        events: &mut Vec<Event>,
    ) -> Result<(), ProtocolError> {
        match frame {
            Frame::Control(control) => {
                self.check_direction(control.frame_type())?;
                if let Control::Released { epoch, .. } = &control {
                    self.release_tunnels(*epoch);
                }
                events.push(Event::Control(control));
                Ok(())
            }
            Frame::Request {
                stream,
                grant,
                payload,
                end,
                upgrade,
            } => {
                self.check_direction(FrameType::Request)?;
                let payload = self.keep(payload, message_bytes);
                if self.admit(stream, upgrade)? {
                    let exchange = if upgrade {
                        Exchange::requested_tunnel(grant, self.limits.tunnel_credit)
                    } else {
                        Exchange::requested(grant, end, self.limits.stream_credit)
                    };
                    self.insert(stream, exchange);
                    events.push(Event::Request {
                        stream,
                        grant,
                        payload,
                        end,
                        upgrade,
                    });
                }
                Ok(())
            }
            Frame::Response {
                stream,
                payload,
                end,
            } => {
                self.check_direction(FrameType::Response)?;
                let payload = self.keep(payload, message_bytes);
                self.response(stream, payload, end)
            }
            Frame::Data {
                stream,
                content,
                end,
            } => self.data(stream, content, end, message_bytes),
            Frame::Credit { stream, increment } => self.credit(stream, increment),
            Frame::Reset {
                stream,
                code,
                reason,
            } => {
                self.reset_by_peer(stream, code, &reason);
                Ok(())
            }
            Frame::Unknown { .. } => Ok(()),
        }
    }

    fn check_direction(&self, frame_type: FrameType) -> Result<(), ProtocolError> {
        let receives = match frame_type {
            FrameType::Hello
            | FrameType::Heartbeat
            | FrameType::Released
            | FrameType::Holding
            | FrameType::Response => self.role == Role::Controller,
            FrameType::Welcome
            | FrameType::HeartbeatAck
            | FrameType::Grant
            | FrameType::Revoke
            | FrameType::Request => self.role == Role::Worker,
            FrameType::GoAway | FrameType::Data | FrameType::Credit | FrameType::Reset => true,
        };
        if receives {
            return Ok(());
        }
        Err(ProtocolError::WrongDirection {
            frame_type,
            role: self.role,
        })
    }

    fn keep(&self, payload: Bytes, message_bytes: usize) -> Bytes {
        retention::first(payload, message_bytes, self.limits.message_bytes())
    }

    /// Whether a request is taken in. One that is not has been answered.
    fn admit(&mut self, stream: StreamId, upgrade: bool) -> Result<bool, ProtocolError> {
        let refusal = match self.table.get(&stream) {
            Some(exchange) if exchange.is_live() => {
                return Err(ProtocolError::StreamInUse { stream });
            }
            // The number came round again while its last exchange, which the controller has
            // forgotten, is still being cleared away here.
            Some(_) => Some((ResetCode::Refused, "the exchange number is in use")),
            None if self.is_closed() => Some((ResetCode::Refused, "the session ends")),
            None if upgrade && self.tunnels() >= self.limits.tunnels_max as usize => {
                Some((ResetCode::Overloaded, "too many tunnels"))
            }
            None if !upgrade
                && self.table.len() - self.tunnels() >= self.limits.exchanges_max as usize =>
            {
                Some((ResetCode::Overloaded, "too many exchanges"))
            }
            None => None,
        };
        if let Some((code, reason)) = refusal {
            self.answer_reset(stream, code, reason);
        }
        Ok(refusal.is_none())
    }

    fn response(
        &mut self,
        stream: StreamId,
        payload: Bytes,
        end: bool,
    ) -> Result<(), ProtocolError> {
        match self
            .table
            .get_mut(&stream)
            .filter(|exchange| exchange.is_live())
        {
            Some(exchange) if exchange.unwanted => {
                self.cut_off(stream);
                Ok(())
            }
            Some(exchange) => exchange
                .receiving
                .answer(stream, payload, end, &mut self.wakers),
            None => Ok(()),
        }
    }

    fn data(
        &mut self,
        stream: StreamId,
        content: Bytes,
        end: bool,
        message_bytes: usize,
    ) -> Result<(), ProtocolError> {
        let bytes = byte_count(content.len());
        self.receive_credit
            .receive(bytes)
            .map_err(|excess| ProtocolError::SessionCreditExceeded { stream, excess })?;
        match self
            .table
            .get_mut(&stream)
            .filter(|exchange| exchange.is_live())
        {
            Some(exchange) => {
                let tunnel = exchange.is_tunnel();
                exchange
                    .receiving
                    .data(stream, content, end, message_bytes, &mut self.wakers)?;
                if tunnel {
                    // One that nobody reads holds up itself alone.
                    self.give_back_to_session(bytes);
                }
                Ok(())
            }
            None => {
                self.give_back_to_session(bytes);
                Ok(())
            }
        }
    }

    fn credit(&mut self, stream: Option<StreamId>, increment: u32) -> Result<(), ProtocolError> {
        if increment == 0 {
            return Err(ProtocolError::CreditZero { stream });
        }
        let overflow = ProtocolError::CreditOverflow { stream, increment };
        let Some(stream) = stream else {
            self.send_credit.grow(increment).ok_or(overflow)?;
            self.wake_writer();
            return Ok(());
        };
        if let Some(exchange) = self
            .table
            .get_mut(&stream)
            .filter(|exchange| exchange.is_live())
        {
            exchange.sending.grow(increment).ok_or(overflow)?;
            if exchange.sending.join_line() {
                self.outbox.line_up(stream);
                self.wake_writer();
            }
        }
        Ok(())
    }

    fn reset_by_peer(&mut self, stream: StreamId, code: ResetCode, reason: &[u8]) {
        let Some(exchange) = self
            .table
            .get_mut(&stream)
            .filter(|exchange| exchange.is_live())
        else {
            return;
        };
        let reason = String::from_utf8_lossy(reason).into_owned();
        let in_line = exchange.sending.leave_line();
        let remains = exchange.end(Ended::Reset { code, reason }, &mut self.wakers);
        self.clear_away(stream, in_line, remains);
    }
}
