//! A second process: this test program again, told to play a part. It halts where the part says so,
//! and can be stopped there, go on, or be killed.

use std::{
    env,
    ffi::OsStr,
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    thread,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::soon;

/// The variable that tells a companion its part. Without it a part is not played.
const PART: &str = "CONSTELLATION_TEST_PART";

/// The variable with what the part needs to know.
const ARGUMENT: &str = "CONSTELLATION_TEST_ARGUMENT";

/// What precedes the words of a companion, to tell them from those of the test program.
const PROMPT: &str = "> ";

/// Another process, killed when dropped.
pub(crate) struct Companion {
    child: Child,
    said: UnboundedReceiver<String>,
}

impl Companion {
    /// Starts it. `test` is the path of the test function that plays the parts.
    pub(crate) fn start(test: &str, part: &str, argument: impl AsRef<OsStr>) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(PART, part)
            .env(ARGUMENT, argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, said) = unbounded_channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match line.split_once(PROMPT) {
                    Some((_, word)) => drop(say.send(word.to_owned())),
                    None => eprintln!("companion: {line}"),
                }
            }
        });
        Self { child, said }
    }

    /// Waits until it says something, which has to be this.
    #[track_caller]
    pub(crate) fn says(&mut self, expected: &str) -> impl Future<Output = ()> {
        let word = soon("a word of the companion", self.said.recv());
        let expected = expected.to_owned();
        async move { assert_eq!(word.await, Some(expected)) }
    }

    /// Stops its process, threads and all. What it has locked stays locked.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
    }

    /// Lets its process go on, and past the place where it halts.
    pub(crate) fn go_on(&mut self) {
        self.pass();
        self.signal("CONT");
    }

    /// Lets it go past the place where it halts, if its process goes on.
    pub(crate) fn pass(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    /// Kills its process, and waits until that has ended.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success(), "kill -s {name} {id}");
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The part that this process has to play, if it is a companion, and its argument.
pub(crate) fn part() -> Option<(String, String)> {
    let part = env::var(PART).ok()?;
    Some((part, env::var(ARGUMENT).unwrap()))
}

/// Says something to the test.
pub(crate) fn say(word: &str) {
    eprintln!("{PROMPT}{word}");
}

/// Says where it is, and halts there until the test lets it pass.
pub(crate) fn halt(place: &str) {
    say(place);
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
}
