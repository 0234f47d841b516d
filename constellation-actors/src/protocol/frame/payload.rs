//! Payloads of known types: how long each may be, and what it says. Never reads a field before its
//! length was checked.

use bytes::{Buf, Bytes};

use super::{
    Flags, FrameType, GRANT_BYTES, HELD_FIXED_BYTES, Held, JSON_BYTES_MAX, REASON_BYTES_MAX,
    SizeLimits, StreamId,
    code::{ResetCode, RevokeReason},
    decode::{Control, Frame},
    error::FrameError,
};
use crate::placement::{
    epoch::Epoch,
    grant::GrantId,
    key::{KEY_BYTES_MAX, KeyError, ResourceKey},
};

/// The lengths that a payload of this type may have.
pub(super) fn check_length(
    frame_type: FrameType,
    length: usize,
    offset: usize,
    limits: &SizeLimits,
) -> Result<(), FrameError> {
    let data = limits.data_bytes_max as usize;
    let first = limits.head_bytes_max as usize + data;
    let (bytes_min, bytes_max) = match frame_type {
        FrameType::Hello | FrameType::Welcome | FrameType::GoAway => (0, JSON_BYTES_MAX),
        FrameType::Heartbeat | FrameType::HeartbeatAck => (8, 8),
        FrameType::Grant => (12, 12 + KEY_BYTES_MAX),
        FrameType::Revoke => (9, 9 + KEY_BYTES_MAX),
        FrameType::Released => (8, 8 + KEY_BYTES_MAX),
        FrameType::Holding => (0, limits.message_bytes_max as usize),
        FrameType::Request => (GRANT_BYTES, GRANT_BYTES + first),
        FrameType::Response => (0, first),
        FrameType::Data => (0, data),
        FrameType::Credit => (4, 4),
        FrameType::Reset => (1, 1 + REASON_BYTES_MAX),
    };
    if (bytes_min..=bytes_max).contains(&length) {
        return Ok(());
    }
    Err(FrameError::PayloadLength {
        offset,
        frame_type,
        length,
        bytes_min,
        bytes_max,
    })
}

/// A payload whose length has been checked against its type, so that the fixed fields are there.
pub(super) struct Payload {
    frame_type: FrameType,
    offset: usize,
    bytes: Bytes,
}

impl Payload {
    pub(super) const fn new(frame_type: FrameType, offset: usize, bytes: Bytes) -> Self {
        Self {
            frame_type,
            offset,
            bytes,
        }
    }

    pub(super) fn into_frame(
        self,
        flags: Flags,
        stream: Option<StreamId>,
    ) -> Result<Frame, FrameError> {
        match self.frame_type {
            FrameType::Hello => self.control(stream, Self::hello),
            FrameType::Welcome => self.control(stream, Self::welcome),
            FrameType::GoAway => self.control(stream, Self::go_away),
            FrameType::Heartbeat => self.control(stream, Self::heartbeat),
            FrameType::HeartbeatAck => self.control(stream, Self::heartbeat_ack),
            FrameType::Grant => self.control(stream, Self::grant),
            FrameType::Revoke => self.control(stream, Self::revoke),
            FrameType::Released => self.control(stream, Self::released),
            FrameType::Holding => self.control(stream, Self::holding),
            FrameType::Request => {
                let stream = self.exchange(stream)?;
                let mut payload = self.bytes;
                let grant = GrantId::new(payload.get_u32());
                Ok(Frame::Request {
                    stream,
                    grant,
                    payload,
                    end: flags.is_end(),
                    upgrade: flags.is_upgrade(),
                })
            }
            FrameType::Response => {
                let stream = self.exchange(stream)?;
                Ok(Frame::Response {
                    stream,
                    payload: self.bytes,
                    end: flags.is_end(),
                })
            }
            FrameType::Data => {
                let stream = self.exchange(stream)?;
                Ok(Frame::Data {
                    stream,
                    content: self.bytes,
                    end: flags.is_end(),
                })
            }
            FrameType::Credit => {
                let mut bytes = self.bytes;
                Ok(Frame::Credit {
                    stream,
                    increment: bytes.get_u32(),
                })
            }
            FrameType::Reset => {
                let stream = self.exchange(stream)?;
                let mut reason = self.bytes;
                let code = ResetCode::from_number(reason.get_u8());
                Ok(Frame::Reset {
                    stream,
                    code,
                    reason,
                })
            }
        }
    }

    fn control(
        self,
        stream: Option<StreamId>,
        read: impl FnOnce(Self) -> Result<Control, FrameError>,
    ) -> Result<Frame, FrameError> {
        let (frame_type, offset) = (self.frame_type, self.offset);
        match stream {
            Some(stream) => Err(FrameError::StreamUnexpected {
                offset,
                frame_type,
                stream,
            }),
            None => read(self).map(Frame::Control),
        }
    }

    fn exchange(&self, stream: Option<StreamId>) -> Result<StreamId, FrameError> {
        let (frame_type, offset) = (self.frame_type, self.offset);
        stream.ok_or(FrameError::StreamMissing { offset, frame_type })
    }

    fn hello(self) -> Result<Control, FrameError> {
        Ok(Control::Hello { json: self.bytes })
    }

    fn welcome(self) -> Result<Control, FrameError> {
        Ok(Control::Welcome { json: self.bytes })
    }

    fn go_away(self) -> Result<Control, FrameError> {
        Ok(Control::GoAway { json: self.bytes })
    }

    fn heartbeat(mut self) -> Result<Control, FrameError> {
        Ok(Control::Heartbeat {
            sequence: self.bytes.get_u64(),
        })
    }

    fn heartbeat_ack(mut self) -> Result<Control, FrameError> {
        Ok(Control::HeartbeatAck {
            sequence: self.bytes.get_u64(),
        })
    }

    fn grant(mut self) -> Result<Control, FrameError> {
        let grant = GrantId::new(self.bytes.get_u32());
        let epoch = Epoch::new(self.bytes.get_u64());
        Ok(Control::Grant {
            grant,
            epoch,
            key: self.key(&self.bytes)?,
        })
    }

    fn revoke(mut self) -> Result<Control, FrameError> {
        let reason = RevokeReason::from_number(self.bytes.get_u8());
        let epoch = Epoch::new(self.bytes.get_u64());
        Ok(Control::Revoke {
            reason,
            epoch,
            key: self.key(&self.bytes)?,
        })
    }

    fn released(mut self) -> Result<Control, FrameError> {
        let epoch = Epoch::new(self.bytes.get_u64());
        Ok(Control::Released {
            epoch,
            key: self.key(&self.bytes)?,
        })
    }

    fn holding(self) -> Result<Control, FrameError> {
        let mut entries = Vec::new();
        let mut rest = &self.bytes[..];
        while !rest.is_empty() {
            let cut = FrameError::EntryCut {
                offset: self.offset,
                entry: entries.len(),
            };
            let Some((fixed, behind)) = rest.split_first_chunk::<HELD_FIXED_BYTES>() else {
                return Err(cut);
            };
            let mut fixed = &fixed[..];
            let epoch = Epoch::new(fixed.get_u64());
            let Some((key, behind)) = behind.split_at_checked(usize::from(fixed.get_u16())) else {
                return Err(cut);
            };
            entries.push(Held {
                epoch,
                key: self.key(key)?,
            });
            rest = behind;
        }
        Ok(Control::Holding { entries })
    }

    fn key(&self, bytes: &[u8]) -> Result<ResourceKey, FrameError> {
        let text = str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            KeyError::Unprintable {
                at,
                byte: bytes[at],
            }
        });
        text.and_then(ResourceKey::parse)
            .map_err(|source| FrameError::Key {
                offset: self.offset,
                frame_type: self.frame_type,
                source,
            })
    }
}
