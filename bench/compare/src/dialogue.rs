//! Connections that each send their next question when they have the answer to the last. One thread
//! waits for all of them; nothing is allocated for a question or an answer.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    fd::OwnedFd,
    io::Errno,
};

use crate::{
    error::{Error, at},
    times::Times,
};

/// The longest answer.
const ANSWER_BYTES_MAX: usize = 4096;

/// How long nothing may come.
const PATIENCE: Timespec = Timespec {
    tv_sec: 30,
    tv_nsec: 0,
};

/// What is said over one connection.
pub(crate) trait Dialogue {
    /// Writes the next question behind what `question` holds; tells whether there is one.
    fn ask(&mut self, question: &mut Vec<u8>) -> bool;

    /// The length of the answer that `bytes` begin with; `None` when a part of it is missing.
    ///
    /// # Errors
    ///
    /// When it is not the answer that was asked for.
    fn answer(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error>;
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Questions that were answered.
    pub(crate) answers: u64,
    /// How long it took.
    pub(crate) time: Duration,
    /// The time within which half of the answers came.
    pub(crate) p50: Duration,
    /// The time within which 99 of 100 came.
    pub(crate) p99: Duration,
    /// All came within this time.
    pub(crate) longest: Duration,
}

/// One connection.
struct Lane<D> {
    stream: TcpStream,
    dialogue: D,
    asked: Option<Instant>,
    question: Vec<u8>,
    received: Box<[u8]>,
    length: usize,
}

/// Holds all dialogues at once until none has a question left, or `time` is over. Every question that
/// was asked is waited for.
///
/// # Errors
///
/// When a connection breaks, an answer is not what was asked for, or nothing comes for long.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that measures has a clock"
)]
pub(crate) fn hold<D: Dialogue>(
    dialogues: impl IntoIterator<Item = (TcpStream, D)>,
    time: Option<Duration>,
) -> Result<Figures, Error> {
    let poller = poller()?;
    let lanes = dialogues.into_iter().enumerate();
    let mut lanes = lanes
        .map(|(number, (stream, dialogue))| Lane::open(&poller, number, stream, dialogue))
        .collect::<Result<Vec<_>, _>>()?;
    let mut times = Times::new();
    let mut events = Vec::with_capacity(lanes.len().max(1));
    let begun = Instant::now();
    let mut waiting = 0;
    for lane in &mut lanes {
        waiting += usize::from(lane.ask(begun)?);
    }
    while waiting > 0 {
        events.clear();
        match epoll::wait(&poller, spare_capacity(&mut events), Some(&PATIENCE)) {
            Ok(_) => {}
            // Stopped and continued, for example.
            Err(Errno::INTR) => continue,
            Err(error) => return Err(at("waiting for answers")(error.into())),
        }
        if events.is_empty() {
            return Err(Error::Program(format!("{waiting} answers did not come")));
        }
        for event in &events {
            let number = event.data.u64();
            let lane = &mut lanes[usize::try_from(number).expect("it is the number of a lane")];
            let Some(asked) = lane.read()? else {
                continue;
            };
            let now = Instant::now();
            times.record(now.saturating_duration_since(asked));
            let over = time.is_some_and(|time| now.saturating_duration_since(begun) >= time);
            if over || !lane.ask(now)? {
                waiting -= 1;
            }
        }
    }
    Ok(Figures {
        answers: times.count(),
        time: begun.elapsed(),
        p50: times.within(0.5),
        p99: times.within(0.99),
        longest: times.within(1.0),
    })
}

fn poller() -> Result<OwnedFd, Error> {
    epoll::create(epoll::CreateFlags::CLOEXEC)
        .map_err(|error| at("waiting for connections")(error.into()))
}

impl<D: Dialogue> Lane<D> {
    fn open(
        poller: &OwnedFd,
        number: usize,
        stream: TcpStream,
        dialogue: D,
    ) -> Result<Self, Error> {
        stream.set_nonblocking(true).map_err(at("connecting"))?;
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(poller, &stream, data, epoll::EventFlags::IN)
            .map_err(|error| at("waiting for a connection")(error.into()))?;
        Ok(Self {
            stream,
            dialogue,
            asked: None,
            question: Vec::new(),
            received: vec![0; ANSWER_BYTES_MAX].into(),
            length: 0,
        })
    }

    /// Asks the next question; tells whether there was one.
    fn ask(&mut self, now: Instant) -> Result<bool, Error> {
        self.question.clear();
        if !self.dialogue.ask(&mut self.question) {
            return Ok(false);
        }
        // A connection whose last question was answered has room for a short one.
        let sent = self.stream.write_all(&self.question);
        sent.map_err(at("sending"))?;
        self.asked = Some(now);
        Ok(true)
    }

    /// Reads what there is; when the question was asked whose answer is complete now.
    fn read(&mut self) -> Result<Option<Instant>, Error> {
        match self.stream.read(&mut self.received[self.length..]) {
            Ok(0) => return Err(Error::Program("the connection was closed".to_owned())),
            Ok(read) => self.length += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(at("reading an answer")(error)),
        }
        let received = &self.received[..self.length];
        let Some(answer) = self.dialogue.answer(received)? else {
            if self.length == ANSWER_BYTES_MAX {
                return Err(Error::Program("an answer is too long".to_owned()));
            }
            return Ok(None);
        };
        if answer != self.length {
            return Err(Error::Program("more came than one answer".to_owned()));
        }
        self.length = 0;
        Ok(self.asked.take())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, TcpListener},
        thread,
    };

    use super::*;

    /// Asks with a letter so many times, and waits for two of it.
    struct Twice(usize);

    impl Dialogue for Twice {
        fn ask(&mut self, question: &mut Vec<u8>) -> bool {
            question.push(b'a');
            self.0 = self.0.saturating_sub(1);
            self.0 > 0
        }

        fn answer(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
            match bytes {
                b"a" => Ok(None),
                b"aa" => Ok(Some(2)),
                _ => Err(Error::Program("not what was asked for".to_owned())),
            }
        }
    }

    fn with_answers(answer: &'static [&'static [u8]], questions: usize) -> Result<Figures, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        far.set_nodelay(true).unwrap();
        let answering = thread::spawn(move || {
            while far.read(&mut [0; 1]).is_ok_and(|read| read > 0) {
                for piece in answer {
                    if far.write_all(piece).is_err() {
                        return;
                    }
                }
            }
        });
        let found = hold([(stream, Twice(questions + 1))], None);
        answering.join().unwrap();
        found
    }

    #[test]
    fn every_question_is_answered_once_however_its_answer_is_cut() {
        let answers = |pieces| with_answers(pieces, 3).unwrap().answers;
        assert_eq!(answers(&[b"aa"]), 3);
        assert_eq!(answers(&[b"a", b"a"]), 3);
        assert_eq!(with_answers(&[b"aa"], 0).unwrap().answers, 0);
    }

    #[test]
    fn a_wrong_answer_is_an_error() {
        assert!(with_answers(&[b"b"], 1).is_err());
    }
}
