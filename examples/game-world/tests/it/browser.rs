//! The page in a real browser: Chromium without a window, driven over its DevTools protocol. Two tabs
//! are two players.

mod chromium;
mod devtools;
mod tab;

use constellation_testing::wait::{now, until};
use rustix::process::Signal;

use self::{chromium::Chromium, tab::Tab};
use crate::game::{Game, signal};

/// Whether the player has not moved between the two latest states.
const STANDS: &str = "(() => {
    const [one, other] = [before, latest].map((state) => state?.players.get(game.you));
    return before !== latest && !!one && !!other && one.x === other.x && one.y === other.y;
})()";

/// Collects until the score is saved, and stands still then.
fn collect(tab: &mut Tab, at_least: u64) {
    tab.show();
    until("a score that is saved", || {
        tab.chase();
        (tab.score() >= at_least).then_some(())
    });
    tab.let_go();
    until("a stand", || tab.is(STANDS).then_some(()));
    until("everything is saved", || {
        tab.is("game.state.saved >= game.state.revision")
            .then_some(())
    });
}

/// One goes a long way by the keyboard, and the other sees it.
fn sees_move(one: &Tab, other: &Tab) {
    let number = one.number();
    let (x, _) = until("the other player", || other.place_of(number));
    let code = if x < 800.0 { "KeyD" } else { "KeyA" };
    one.press(code);
    until("the other player's way", || {
        let (now, _) = other.place_of(number)?;
        ((now - x).abs() > 150.0).then_some(())
    });
    one.release(code);
}

/// Does something to the owner of the world, and waits until both play at the next one with their
/// scores. `meanwhile` is called when the first of them has lost sight of the world.
fn outlives(what: &str, tabs: [&Tab; 2], act: impl FnOnce(), meanwhile: impl FnOnce()) {
    let [ann, bob] = tabs;
    let epoch = ann.owner("epoch");
    let scores = (ann.score(), bob.score());
    for tab in tabs {
        tab.run("game.longestGap = 0");
    }
    let begun = now();
    act();
    until("the loss to be seen", || {
        let seen = ann.is("game.you === null") || ann.owner("epoch") > epoch;
        seen.then_some(())
    });
    meanwhile();
    for tab in tabs {
        until("the next owner", || {
            let plays = tab.is("game.you !== null && latest !== null");
            (plays && tab.owner("epoch") > epoch).then_some(())
        });
    }
    println!(
        "{what}: both play again after {:?}; without a state for {} ms and {} ms",
        begun.elapsed(),
        ann.number_of("game.longestGap"),
        bob.number_of("game.longestGap"),
    );
    assert_eq!(ann.owner("epoch"), bob.owner("epoch"));
    assert_eq!((ann.score(), bob.score()), scores);
}

#[test]
fn two_tabs_play_through_a_kill_and_a_move_and_keep_their_scores() {
    let game = Game::start();
    let browser = Chromium::start();
    let page = format!("http://127.0.0.1:{}/games/meadow", game.port);
    let mut ann = browser.open(&page);
    let mut bob = browser.open(&page);
    ann.shoot("1-entry");
    ann.enter("Ann");
    bob.enter("Bob");
    sees_move(&ann, &bob);
    sees_move(&bob, &ann);
    collect(&mut ann, 5);
    collect(&mut bob, 5);
    ann.shoot("2-playing");

    let process = ann.owner("process");
    let kill = || signal(process, Signal::KILL);
    outlives("killed", [&ann, &bob], kill, || {
        ann.shoot("3-owner-killed");
    });
    assert_ne!(ann.owner("process"), process);
    let score = ann.score();
    collect(&mut ann, score + 1);
    ann.shoot("4-after-the-kill");

    let process = ann.owner("process");
    outlives("moved", [&ann, &bob], || ann.click("#move"), || {});
    assert_ne!(ann.owner("process"), process);
    ann.shoot("5-after-the-move");
    let score = bob.score();
    collect(&mut bob, score + 1);
    let complaints = [ann.complaints(), bob.complaints()].concat();
    assert!(complaints.is_empty(), "{complaints:?}");
}
