//! What a reply says of the effect of its request. Pure.

use constellation_client::Epoch;

use super::connection::{NoReply, Reply};
use crate::{history::Answer, journal::Outcome, names::Row, worker::OUTCOME};

const DELIVERY: &str = "x-constellation-delivery";

/// What is known of the effect.
pub(super) fn understand(reply: &Result<Reply, NoReply>) -> Answer {
    let reply = match reply {
        Ok(reply) => reply,
        Err(NoReply::Unsent) => return Answer::Unsent,
        Err(NoReply::Broken) => return Answer::Unknown { status: None },
    };
    let status = reply.status;
    let unknown = Answer::Unknown {
        status: Some(status),
    };
    match reply.header(OUTCOME).and_then(Outcome::from_word) {
        Some(Outcome::Done) => done(&reply.body).unwrap_or(unknown),
        Some(outcome) => Answer::Nothing(outcome),
        None if reply.header(DELIVERY).is_some() => unknown,
        None if matches!(status, 502 | 503) => Answer::Undelivered { status },
        None => unknown,
    }
}

fn done(body: &[u8]) -> Option<Answer> {
    let (row, epoch) = std::str::from_utf8(body).ok()?.split_once(' ')?;
    Some(Answer::Done {
        row: Row(row.parse().ok()?),
        epoch: Epoch::new(epoch.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, header: &str, value: &str, body: &str) -> Result<Reply, NoReply> {
        Ok(Reply {
            status,
            headers: vec![(header.to_owned(), value.to_owned())],
            body: body.into(),
        })
    }

    #[test]
    fn only_what_provably_had_no_effect_counts_as_that() {
        let done = Answer::Done {
            row: Row(7),
            epoch: Epoch::new(9),
        };
        assert_eq!(understand(&reply(200, OUTCOME, "done", "7 9")), done);
        let refused = understand(&reply(409, OUTCOME, "refused", "0 9"));
        assert_eq!(refused, Answer::Nothing(Outcome::Refused));
        let undelivered = Answer::Undelivered { status: 502 };
        assert_eq!(understand(&reply(502, "x-other", "", "")), undelivered);
        let unknown = |status| Answer::Unknown { status };
        let marked = reply(502, DELIVERY, "unknown", "");
        assert_eq!(understand(&marked), unknown(Some(502)));
        for status in [200, 404, 500, 504] {
            let bare = reply(status, "x-other", "", "");
            assert_eq!(understand(&bare), unknown(Some(status)), "{status}");
        }
        assert_eq!(understand(&Err(NoReply::Broken)), unknown(None));
        assert_eq!(understand(&Err(NoReply::Unsent)), Answer::Unsent);
    }
}
