//! The directory fence, with an earlier owner that is stopped at every place that makes a difference.

use std::{fs, path::Path, time::Duration};

use constellation_client::{
    Epoch,
    fence::{
        Entered, Fence,
        directory::{DirectoryFence, Error},
    },
};
use tempfile::TempDir;

use super::PARTS;
use crate::support::companion::{Companion, halt, say};

const FIRST: Epoch = Epoch::new(1);
const SECOND: Epoch = Epoch::new(2);

fn tell(outcome: Result<(), Error>) {
    say(match outcome {
        Ok(()) => "done",
        Err(Error::Refused(_)) => "refused",
        Err(error) => panic!("{error:?}"),
    });
}

fn fence(path: &Path) -> DirectoryFence {
    let fence = DirectoryFence::open(path).unwrap();
    fence.with_patience(Duration::from_millis(50))
}

/// A part: writes twice, and halts before, inside of, and after the first one.
pub(super) fn write(path: &Path) {
    let mut owner = fence(path).enter(FIRST).unwrap();
    halt("before");
    tell(owner.write(|folder| {
        halt("inside");
        folder.replace("world", "early 1")
    }));
    halt("after");
    tell(owner.write(|folder| folder.replace("world", "early 2")));
}

/// A directory, and a companion that owns it under the first epoch.
struct Bench {
    folder: TempDir,
    early: Companion,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("world"), "old").unwrap();
        let early = Companion::start(PARTS, "directory writer", folder.path());
        Self { folder, early }
    }

    fn enter(&self) -> Result<Entered<DirectoryFence>, Error> {
        fence(self.folder.path()).enter(SECOND)
    }

    fn world(&self) -> String {
        fs::read_to_string(self.folder.path().join("world")).unwrap()
    }

    async fn stop_inside_a_write(&mut self) {
        self.early.says("before").await;
        self.early.pass();
        self.early.says("inside").await;
        self.early.stop();
    }
}

#[actix_rt::test]
async fn a_process_stopped_before_its_write_is_refused() {
    let mut bench = Bench::new();
    bench.early.says("before").await;
    bench.early.stop();
    let mut late = bench.enter().unwrap();
    late.write(|folder| folder.replace("world", "late"))
        .unwrap();
    bench.early.go_on();
    bench.early.says("refused").await;
    assert_eq!(bench.world(), "late");
}

#[actix_rt::test]
async fn a_process_stopped_with_the_lock_keeps_others_out_and_comes_before_them() {
    let mut bench = Bench::new();
    bench.stop_inside_a_write().await;
    let kept_out = bench.enter().unwrap_err();
    assert!(matches!(kept_out, Error::Locked { .. }), "{kept_out:?}");
    assert_eq!(bench.world(), "old");

    bench.early.go_on();
    bench.early.says("done").await;
    bench.early.says("after").await;
    let _late = bench.enter().unwrap();
    assert_eq!(bench.world(), "early 1");
    bench.early.pass();
    bench.early.says("refused").await;
    assert_eq!(bench.world(), "early 1");
}

#[actix_rt::test]
async fn a_process_killed_with_the_lock_leaves_whole_files_and_keeps_nobody_out() {
    let mut bench = Bench::new();
    bench.stop_inside_a_write().await;
    bench.early.kill();
    let _late = bench.enter().unwrap();
    assert_eq!(bench.world(), "old");
}
