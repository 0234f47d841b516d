//! What clients saw: every request with its times and its answer. It keeps and never judges.

use std::cell::{Cell, RefCell};

use constellation_client::Epoch;

use crate::{
    clock::Moment,
    journal::Outcome,
    names::{Key, RequestId, Row},
};

/// One request, seen from its client.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Its id.
    pub(crate) id: RequestId,
    /// What it was for.
    pub(crate) key: Key,
    /// What it asked for.
    pub(crate) kind: OperationKind,
    /// Just before it was sent.
    pub(crate) start: Moment,
    /// Just after its answer came, or it was clear that none will.
    pub(crate) end: Moment,
    /// How it ended.
    pub(crate) answer: Answer,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationKind {
    /// To add a row: must not be repeated.
    Write,
    /// The last row.
    Read,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was done: the row that was added, or was the last.
    Done {
        /// The row.
        row: Row,
        /// The epoch that its worker acted under.
        epoch: Epoch,
    },
    /// The worker says that it did nothing.
    Nothing(Outcome),
    /// The controller says that no worker got it.
    Undelivered {
        /// The status of the answer.
        status: u16,
    },
    /// A worker may have got it, and may have done it.
    Unknown {
        /// The status of the answer; `None` when there was none.
        status: Option<u16>,
    },
    /// The controller could not be reached: nothing was sent.
    Unsent,
}

impl Operation {
    /// Whether it was done.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.answer, Answer::Done { .. })
    }
}

/// Every request so far.
#[derive(Debug, Default)]
pub(crate) struct History {
    ids: Cell<u64>,
    operations: RefCell<Vec<Operation>>,
}

impl History {
    /// An id that no other request has.
    pub(crate) fn next_id(&self) -> RequestId {
        self.ids.set(self.ids.get() + 1);
        RequestId(self.ids.get())
    }

    /// Keeps a request that has ended.
    pub(crate) fn keep(&self, operation: Operation) {
        self.operations.borrow_mut().push(operation);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.operations.borrow().len()
    }

    /// All of them.
    pub(crate) fn take(&self) -> Vec<Operation> {
        self.operations.take()
    }
}
