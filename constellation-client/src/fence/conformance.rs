//! What every fence has to do, as a test that every fence runs. It cannot stop a process: that a
//! fence's check and write are one step has to be shown with two processes besides.

use std::fmt::Debug;

use constellation_actors::placement::epoch::Epoch;

use super::{Fence, Refused, refusals};

/// A fence under test, and how to use what it guards: a number, absent at first.
pub trait Subject {
    /// The fence.
    type Fence: Fence<Error: Debug>;

    /// Another owner's way to the same resource.
    fn open(&mut self) -> Self::Fence;

    /// Changes the number.
    ///
    /// # Errors
    ///
    /// When the resource fails.
    fn put(
        access: &mut <Self::Fence as Fence>::Access,
        number: u64,
    ) -> Result<(), <Self::Fence as Fence>::Error>;

    /// The number.
    ///
    /// # Errors
    ///
    /// When the resource fails.
    fn get(
        access: &mut <Self::Fence as Fence>::Access,
    ) -> Result<Option<u64>, <Self::Fence as Fence>::Error>;

    /// The refusal, if the error is one.
    fn refusal(error: &<Self::Fence as Fence>::Error) -> Option<&Refused>;
}

/// The epochs of the test: as large as those of a controller that takes the time in microseconds.
const FIRST: Epoch = Epoch::new(1_770_000_000_000_000);
const SECOND: Epoch = Epoch::new(FIRST.get() + 1);
const THIRD: Epoch = Epoch::new(FIRST.get() + 1_000_000);

/// Checks a fence that has no mark yet.
///
/// # Panics
///
/// When it does not do what a fence has to do.
pub fn check<S: Subject>(subject: &mut S) {
    the_first_owner_reads_and_writes::<S>(subject.open());
    the_same_epoch_enters_again::<S>(subject.open());
    a_lower_epoch_is_refused_and_changes_nothing(subject);
    a_write_under_a_higher_epoch_raises_the_mark(subject);
    an_owner_goes_on_under_its_epoch(subject);
}

fn the_first_owner_reads_and_writes<S: Subject>(fence: S::Fence) {
    let mut owner = fence.enter(FIRST).expect("nobody was here");
    assert_eq!(owner.read(S::get).expect("it is the owner"), None);
    owner
        .write(|access| S::put(access, 1))
        .expect("it is the owner");
    assert_eq!(owner.read(S::get).expect("it is the owner"), Some(1));
    owner.check().expect("it is the owner");
}

fn the_same_epoch_enters_again<S: Subject>(fence: S::Fence) {
    let mut owner = fence.enter(FIRST).expect("it is the same owner");
    assert_eq!(owner.read(S::get).expect("it is the owner"), Some(1));
}

fn a_lower_epoch_is_refused_and_changes_nothing<S: Subject>(subject: &mut S) {
    let mut early = subject.open().enter(FIRST).expect("the mark is the same");
    let mut late = subject.open().enter(SECOND).expect("it is higher");
    let before = refusals();
    let mut refused = 0;
    let mut refuse = |outcome: Result<(), <S::Fence as Fence>::Error>| {
        let error = outcome.expect_err("a higher epoch was here");
        let refusal = S::refusal(&error).expect("the error is a refusal");
        assert_eq!((refusal.held(), refusal.brought()), (SECOND, FIRST));
        refused += 1;
    };
    refuse(early.write(|access| S::put(access, 2)));
    refuse(early.read(S::get).map(drop));
    refuse(early.check());
    refuse(subject.open().raise(FIRST));
    refuse(subject.open().enter(FIRST).map(drop));
    assert!(refusals() >= before + refused, "a refusal is not counted");
    assert_eq!(late.read(S::get).expect("it is the owner"), Some(1));
    late.check().expect("it is the owner");
}

fn a_write_under_a_higher_epoch_raises_the_mark<S: Subject>(subject: &mut S) {
    let mut late = subject.open();
    late.write(THIRD, |access| S::put(access, 3))
        .expect("it is higher");
    let error = subject.open().check(SECOND).expect_err("a write was here");
    let refusal = S::refusal(&error).expect("the error is a refusal");
    assert_eq!(refusal.held(), THIRD);
}

fn an_owner_goes_on_under_its_epoch<S: Subject>(subject: &mut S) {
    let mut owner = subject.open().enter(THIRD).expect("the mark is the same");
    assert_eq!(owner.read(S::get).expect("it is the owner"), Some(3));
    assert_eq!(owner.epoch(), THIRD);
    owner.check().expect("it is the owner");
}
