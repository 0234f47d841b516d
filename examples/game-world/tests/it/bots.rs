//! Bots play a running game, a world moves meanwhile, and the report tells.

use constellation_testing::{program::Program, wait::until};

use crate::game::{Game, command};

#[test]
fn bots_play_through_a_move_and_report_it() {
    let game = Game::start();
    let address = format!("--address=127.0.0.1:{}", game.port);
    let mut bots =
        Program::start(command().args(["--bots=20", "--worlds=2", "--seconds=8", &address]));
    bots.line("all bots", |line| {
        (line.starts_with("20 bots play")).then_some(())
    });
    until("a move", || {
        (game.post("/games/bots-1/move").status == 202).then_some(())
    });
    assert_eq!(bots.ended(), Some(0), "{}", bots.written());
    let report = bots.written();
    let line = |begins: &str| {
        let mut lines = report.lines();
        let line = lines.find(|line| line.starts_with(begins));
        line.unwrap_or_else(|| panic!("no {begins}: {report}"))
            .to_owned()
    };
    println!("{report}");
    assert!(line("playing at the end").contains("20 of 20"), "{report}");
    assert!(line("reconnects").contains(" 10,"), "{report}");
    assert!(line("ticks").contains("1 worlds moved"), "{report}");
    assert!(!line("messages from bots").contains(" 0/s"), "{report}");
}
