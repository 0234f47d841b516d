//! Claims about the directory fence within one process. What stopping a process does is shown with
//! real ones in the integration tests.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::fence::{
    Refused,
    conformance::{self, Subject},
};

const FIRST: Epoch = Epoch::new(1);
const SECOND: Epoch = Epoch::new(2);

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn fence(&self) -> DirectoryFence {
        DirectoryFence::open(self.folder.path())
            .unwrap()
            .with_patience(Duration::ZERO)
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join(MARK)
    }
}

impl Subject for Bench {
    type Fence = DirectoryFence;

    fn open(&mut self) -> DirectoryFence {
        self.fence()
    }

    fn put(folder: &mut Folder, number: u64) -> Result<(), Error> {
        folder.replace("number", number.to_string())
    }

    fn get(folder: &mut Folder) -> Result<Option<u64>, Error> {
        let bytes = folder.read("number")?;
        Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap().parse().unwrap()))
    }

    fn refusal(error: &Error) -> Option<&Refused> {
        match error {
            Error::Refused(refused) => Some(refused),
            _ => None,
        }
    }
}

#[test]
fn it_is_a_fence() {
    conformance::check(&mut Bench::new());
}

#[test]
fn the_mark_holds_every_epoch_and_a_broken_one_lets_nobody_in() {
    let bench = Bench::new();
    bench.fence().raise(Epoch::new(u64::MAX)).unwrap();
    assert_eq!(
        fs::read_to_string(bench.mark()).unwrap(),
        "18446744073709551615\n"
    );
    for broken in ["", "one", "-1", "1 2", "18446744073709551616", "\u{1}"] {
        fs::write(bench.mark(), broken).unwrap();
        let outcome = bench.fence().raise(Epoch::new(u64::MAX));
        assert!(
            matches!(outcome, Err(Error::Damaged { .. })),
            "{broken}: {outcome:?}"
        );
    }
}

#[test]
fn a_lock_that_is_not_to_be_had_is_told_as_such_and_can_be_tried_again() {
    let bench = Bench::new();
    let mut early = bench.fence().enter(FIRST).unwrap();
    early
        .write(|folder| {
            let locked = bench.fence().raise(SECOND).unwrap_err();
            assert!(matches!(locked, Error::Locked { .. }) && locked.is_retryable());
            let reading = bench.fence().check(FIRST).unwrap_err();
            assert!(matches!(reading, Error::Locked { .. }));
            folder.replace("a", "1")
        })
        .unwrap();
    early
        .read(|_| {
            bench.fence().check(FIRST)?;
            let locked = bench.fence().raise(SECOND).unwrap_err();
            assert!(matches!(locked, Error::Locked { .. }));
            Ok::<_, Error>(())
        })
        .unwrap();
    bench.fence().raise(SECOND).unwrap();
}

#[test]
fn a_name_that_leads_out_or_is_the_fences_own_is_refused() {
    let bench = Bench::new();
    let mut owner = bench.fence().enter(FIRST).unwrap();
    for name in [
        "",
        ".",
        "..",
        "../a",
        "a/../../b",
        "/a",
        "./a",
        MARK,
        LOCK,
        "sub/.constellation-unfinished",
    ] {
        let outcome = owner.write(|folder| folder.replace(name, "x"));
        assert!(matches!(outcome, Err(Error::Name { .. })), "{name}");
        let outcome = owner.read(|folder| folder.read(name));
        assert!(matches!(outcome, Err(Error::Name { .. })), "{name}");
        let outcome = owner.write(|folder| folder.remove(name));
        assert!(matches!(outcome, Err(Error::Name { .. })), "{name}");
    }
}

#[test]
fn files_are_replaced_removed_and_found_below() {
    let bench = Bench::new();
    fs::create_dir(bench.folder.path().join("sub")).unwrap();
    // Left behind by a crash in the middle of a replacement.
    fs::write(bench.folder.path().join("sub").join(UNFINISHED), "half").unwrap();
    let mut owner = bench.fence().enter(FIRST).unwrap();
    let read = owner
        .write(|folder| {
            folder.replace("sub/a", "1")?;
            folder.replace("sub/a", "2")?;
            folder.replace("b", "3")?;
            folder.remove("b")?;
            folder.remove("b")?;
            Ok::<_, Error>((folder.read("sub/a")?, folder.read("b")?))
        })
        .unwrap();
    assert_eq!(read, (Some(b"2".to_vec()), None));
    assert!(!bench.folder.path().join("sub").join(UNFINISHED).exists());
}

#[test]
fn what_is_no_directory_is_an_error() {
    let bench = Bench::new();
    let missing = bench.folder.path().join("missing");
    assert!(matches!(
        DirectoryFence::open(&missing),
        Err(Error::Io { .. })
    ));
    fs::write(&missing, "").unwrap();
    assert!(matches!(
        DirectoryFence::open(&missing),
        Err(Error::Io { .. })
    ));
}
