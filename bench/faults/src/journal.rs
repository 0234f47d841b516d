//! What a worker writes down of what it does: one line for each record, appended with one write, so
//! that a process that is killed leaves whole lines. It is evidence, and never read by a worker.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
    str::FromStr,
};

use constellation_client::Epoch;

use crate::{
    clock::Moment,
    names::{Key, RequestId},
};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// The worker began to own a key.
    Opened(Moment, Key, Epoch),
    /// It let go of the key: nothing of it is open any more.
    Closed(Moment, Key, Epoch),
    /// A request is about to be executed.
    Start(Moment, Key, Epoch, RequestId),
    /// Its execution is over.
    End(Moment, Key, Epoch, RequestId, Outcome),
    /// No thread of the process ran in between.
    Gap(Moment, Moment),
}

/// What an execution came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It took effect.
    Done,
    /// The fence refused it.
    Refused,
    /// Another process held the database's lock for too long.
    Locked,
    /// Its view of the database was overtaken.
    Overtaken,
    /// The key had been let go of before.
    Closed,
    /// The database failed.
    Failed,
    /// It was given up before it touched the database.
    Cancelled,
}

impl Outcome {
    const ALL: [(Self, &str); 7] = [
        (Self::Done, "done"),
        (Self::Refused, "refused"),
        (Self::Locked, "locked"),
        (Self::Overtaken, "overtaken"),
        (Self::Closed, "closed"),
        (Self::Failed, "failed"),
        (Self::Cancelled, "cancelled"),
    ];

    /// Its word, in journals and in answers.
    pub(crate) fn word(self) -> &'static str {
        let known = Self::ALL.iter().find(|(outcome, _)| *outcome == self);
        known.map_or("", |(_, word)| word)
    }

    /// The outcome of a word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == word)?;
        Some(known.0)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened(at, key, epoch) => write!(formatter, "opened {at} {key} {epoch}"),
            Self::Closed(at, key, epoch) => write!(formatter, "closed {at} {key} {epoch}"),
            Self::Start(at, key, epoch, id) => write!(formatter, "start {at} {key} {epoch} {id}"),
            Self::End(at, key, epoch, id, outcome) => {
                let word = outcome.word();
                write!(formatter, "end {at} {key} {epoch} {id} {word}")
            }
            Self::Gap(from, to) => write!(formatter, "gap {from} {to}"),
        }
    }
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a journal has the line {0:?}")]
pub(crate) struct NoRecord(String);

impl FromStr for Record {
    type Err = NoRecord;

    fn from_str(line: &str) -> Result<Self, NoRecord> {
        parse(line).ok_or_else(|| NoRecord(line.to_owned()))
    }
}

fn parse(line: &str) -> Option<Record> {
    let mut words = line.split(' ');
    let kind = words.next()?;
    let at = words.next()?.parse().ok()?;
    if kind == "gap" {
        return Some(Record::Gap(at, words.next()?.parse().ok()?));
    }
    let key = words.next()?.parse().ok()?;
    let epoch = Epoch::new(words.next()?.parse().ok()?);
    Some(match kind {
        "opened" => Record::Opened(at, key, epoch),
        "closed" => Record::Closed(at, key, epoch),
        "start" => Record::Start(at, key, epoch, words.next()?.parse().ok()?),
        "end" => {
            let id = words.next()?.parse().ok()?;
            Record::End(at, key, epoch, id, Outcome::from_word(words.next()?)?)
        }
        _ => return None,
    })
}

/// The journal of one process.
#[derive(Debug)]
pub(crate) struct Journal(File);

impl Journal {
    /// Opens or makes it.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(file))
    }

    /// Adds a record.
    ///
    /// # Panics
    ///
    /// When it cannot be written: a run without evidence proves nothing.
    pub(crate) fn write(&self, record: &Record) {
        let line = format!("{record}\n");
        (&self.0)
            .write_all(line.as_bytes())
            .expect("a journal can be appended to");
    }
}

/// The records of a journal; none when its process did not get to make it. A line without an end, the
/// last of a process that was killed, is left out.
///
/// # Errors
///
/// When the file cannot be read or has a line that is no record.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Record>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let records = whole.lines().map(str::parse);
    records.collect::<Result<_, _>>().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let (at, key, epoch, id) = (Moment::at(7), Key(3), Epoch::new(9), RequestId(11));
        let mut records = vec![
            Record::Opened(at, key, epoch),
            Record::Closed(at, key, epoch),
            Record::Start(at, key, epoch, id),
            Record::Gap(at, Moment::at(8)),
        ];
        records.extend(Outcome::ALL.map(|(outcome, _)| Record::End(at, key, epoch, id, outcome)));
        let file = tempfile::NamedTempFile::new().unwrap();
        let journal = Journal::open(file.path()).unwrap();
        for record in &records {
            journal.write(record);
        }
        write!(&journal.0, "start 7 3").unwrap();
        assert_eq!(read(file.path()).unwrap(), records);
    }

    #[test]
    fn a_line_that_is_no_record_is_an_error() {
        for line in ["", "start 1 2 3", "opened 1 2 x", "end 1 2 3 4 maybe"] {
            assert!(line.parse::<Record>().is_err(), "{line:?}");
        }
    }
}
