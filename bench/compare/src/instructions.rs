//! How many instructions the controller takes for a request, counted by callgrind (valgrind): a number
//! that says the same however busy the machine is. What the system does for it does not count.

use std::{path::Path, process::Command};

use crate::{
    error::{Error, at},
    http::Connection,
    keys,
    peer::{self, constellation::Setup},
    process::require,
};

/// Requests that are counted.
const REQUESTS: u64 = 2_000;

/// Requests before, after which every key has an owner and every buffer its size.
const WARM_UP: u64 = 1_000;

/// How many keys are asked for, in turn.
const KEYS: u64 = 100;

/// How many connections take turns. One request at a time is under way.
const CONNECTIONS: usize = 4;

/// How many functions are named.
const FUNCTIONS: usize = 10;

/// What was counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Instructions for each request.
    pub(crate) each: f64,
    /// The functions of this project that take most of them, callees included.
    pub(crate) functions: Vec<Function>,
}

/// A function, and what it takes for each request.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Instructions for each request, those of what it calls included.
    pub(crate) instructions: f64,
}

/// Counts.
///
/// # Errors
///
/// When valgrind is missing or fails, or a request does.
pub(crate) fn count() -> Result<Figures, Error> {
    require("valgrind", "valgrind")?;
    let folder = tempfile::tempdir().map_err(at("making a folder"))?;
    let file = folder.path().join("callgrind.out");
    let output = format!("--callgrind-out-file={}", file.display());
    let under = [
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        &output,
    ];
    let mut running = peer::constellation(&Setup {
        under: under.map(str::to_owned).into(),
        // Nothing but requests is to happen meanwhile.
        settings: vec!["Heartbeat.IntervalMs=60000".to_owned()],
        ..Setup::of(1)
    })?;
    let mut connections = (0..CONNECTIONS)
        .map(|_| Connection::open(running.port))
        .collect::<Result<Vec<_>, _>>()?;
    ask(&mut connections, WARM_UP)?;
    let id = running.proxy[0].id().to_string();
    switch(&id, "on")?;
    ask(&mut connections, REQUESTS)?;
    switch(&id, "off")?;
    drop(connections);
    // The figures are written at the end of the program.
    running.proxy[0].end()?;
    figures(&annotated(&file)?)
        .ok_or_else(|| Error::Program("callgrind counted nothing".to_owned()))
}

/// Asks so often, one connection after the other.
fn ask(connections: &mut [Connection], count: u64) -> Result<(), Error> {
    let mut question = Vec::new();
    for number in 0..count {
        question.clear();
        keys::request(number % KEYS, &mut question);
        let lane = usize::try_from(number).unwrap_or_default() % connections.len();
        connections[lane].send(&question)?;
        let answer = connections[lane].receive()?;
        if answer.status != 200 {
            return Err(Error::Program(format!("status {}", answer.status)));
        }
    }
    Ok(())
}

/// Turns the counting on or off.
fn switch(process: &str, state: &str) -> Result<(), Error> {
    run(Command::new("callgrind_control").args(["-i", state, process])).map(drop)
}

/// Every function with its instructions, as callgrind's own tool prints them.
fn annotated(file: &Path) -> Result<String, Error> {
    let mut command = Command::new("callgrind_annotate");
    command.args(["--inclusive=yes", "--auto=no", "--threshold=100"]);
    run(command.arg(file))
}

fn run(command: &mut Command) -> Result<String, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(at(format!("running {name}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Error::Program(format!("{name} failed: {errors}")))
}

fn figures(annotated: &str) -> Option<Figures> {
    let lines = annotated.lines().filter_map(line);
    let each = |instructions| instructions as f64 / REQUESTS as f64;
    let mut total = None;
    let mut functions: Vec<Function> = Vec::new();
    for (instructions, name) in lines {
        if name == "PROGRAM TOTALS" {
            total = Some(each(instructions));
        } else if is_own(name) && functions.iter().all(|function| function.name != name) {
            functions.push(Function {
                name: name.to_owned(),
                instructions: each(instructions),
            });
        }
    }
    // They come in order, those that take most first.
    functions.truncate(FUNCTIONS);
    Some(Figures {
        each: total?,
        functions,
    })
}

/// `1,234 ( 5.67%)  file:name [object]`: the number and the name. A recursion has its depth behind
/// the name, which is left out.
fn line(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = text.trim_start().split_once(' ')?;
    let number = number.replace(',', "").parse().ok()?;
    let (_, rest) = rest.split_once("%)")?;
    let rest = rest.trim();
    let name = match rest.split_once(':') {
        Some((_, name)) => name,
        None => rest,
    };
    let name = name.split(" [").next().unwrap_or(name);
    let depth = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    Some(match name.rsplit_once('\'') {
        Some((name, rest)) if depth(rest) => (number, name),
        _ => (number, name),
    })
}

/// Whether a function is part of this project.
fn is_own(name: &str) -> bool {
    name.trim_start_matches(['<', '&'])
        .starts_with("constellation")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNOTATED: &str = "\
--------------------------------------------------------------------------------
Ir
--------------------------------------------------------------------------------
200,000,000 (100.0%)  PROGRAM TOTALS

--------------------------------------------------------------------------------
Ir                    file:function
--------------------------------------------------------------------------------
180,000,000 (90.00%)  ???:tokio::runtime::park [/x/constellation]
100,000,000 (50.00%)  /y/forward.rs:constellation_actors::ingress::forward::{{closure}} [/x/constellation]
 90,000,000 (45.00%)  /y/forward.rs:constellation_actors::ingress::forward::{{closure}}'2 [/x/constellation]
 40,000,000 (20.00%)  ???:<constellation_actors::protocol::mux::Mux as core::fmt::Debug>::fmt
";

    #[test]
    fn the_total_and_the_functions_of_this_project_are_read() {
        let found = figures(ANNOTATED).unwrap();
        assert_eq!(found.each, 100_000.0);
        let functions: Vec<_> = found
            .functions
            .iter()
            .map(|function| (function.name.as_str(), function.instructions))
            .collect();
        assert_eq!(
            functions,
            [
                (
                    "constellation_actors::ingress::forward::{{closure}}",
                    50_000.0
                ),
                (
                    "<constellation_actors::protocol::mux::Mux as core::fmt::Debug>::fmt",
                    20_000.0
                ),
            ]
        );
        assert_eq!(figures("nothing"), None);
    }
}
