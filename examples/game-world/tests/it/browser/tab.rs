//! A player's tab: uses the page as a person does, by keyboard and mouse, and looks at what it knows.

use std::{fs, path::Path, rc::Rc};

use base64::{Engine, engine::general_purpose::STANDARD};
use constellation_testing::wait::until;
use serde_json::{Value, json};

use super::devtools::Devtools;

/// Where, on the screen, the thing is that is nearest to the player.
const NEAREST: &str = "(() => {
    const me = game.you !== null && latest && latest.players.get(game.you);
    if (!me) return null;
    drawing.fit();
    const far = ([, thing]) => Math.hypot(thing.x - me.x, thing.y - me.y);
    const [[, { x, y }]] = [...latest.things].sort((one, other) => far(one) - far(other));
    const box = drawing.canvas.getBoundingClientRect();
    const { scale, ratio, x: left, y: top } = drawing.view;
    return [(x * scale + left) / ratio + box.left, (y * scale + top) / ratio + box.top];
})()";

/// A tab with the page in it.
#[derive(Clone, Debug)]
pub(crate) struct Tab {
    devtools: Rc<Devtools>,
    /// Whether the mouse is held.
    holds: bool,
}

impl Tab {
    pub(crate) fn new(devtools: Devtools, url: &str) -> Self {
        let tab = Self {
            devtools: Rc::new(devtools),
            holds: false,
        };
        tab.devtools.call("Runtime.enable", json!({}));
        tab.devtools.call("Page.enable", json!({}));
        // Otherwise only one tab at a time has the keyboard.
        let focused = json!({ "enabled": true });
        tab.devtools
            .call("Emulation.setFocusEmulationEnabled", focused);
        tab.devtools.call("Page.navigate", json!({ "url": url }));
        until("the page", || {
            tab.is("document.readyState === 'complete' && location.protocol === 'http:'")
                .then_some(())
        });
        tab
    }

    pub(crate) fn run(&self, script: &str) -> Value {
        self.devtools.run(script)
    }

    /// Shows it before the other tabs.
    pub(crate) fn show(&self) {
        self.devtools.call("Page.bringToFront", json!({}));
    }

    /// Whether this is so in the page.
    pub(crate) fn is(&self, script: &str) -> bool {
        self.run(script) == true
    }

    pub(crate) fn number_of(&self, script: &str) -> u64 {
        let number = self.run(&format!("Math.round({script})"));
        number
            .as_u64()
            .unwrap_or_else(|| panic!("{script}: {number}"))
    }

    /// Types a name and begins to play.
    pub(crate) fn enter(&self, name: &str) {
        self.run("byId('name').focus()");
        self.devtools
            .call("Input.insertText", json!({ "text": name }));
        self.click("#entry button");
        until("the first state", || {
            self.is("latest !== null").then_some(())
        });
    }

    pub(crate) fn press(&self, code: &str) {
        self.key("rawKeyDown", code);
    }

    pub(crate) fn release(&self, code: &str) {
        self.key("keyUp", code);
    }

    fn key(&self, kind: &str, code: &str) {
        let key = code.trim_start_matches("Key").to_lowercase();
        let event = json!({ "type": kind, "code": code, "key": key });
        self.devtools.call("Input.dispatchKeyEvent", event);
    }

    /// Clicks in the middle of an element.
    pub(crate) fn click(&self, selector: &str) {
        let place = self.run(&format!(
            "(() => {{ const box = document.querySelector('{selector}').getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        self.mouse("mousePressed", &place);
        self.mouse("mouseReleased", &place);
    }

    /// Holds the mouse where the nearest thing is.
    pub(crate) fn chase(&mut self) {
        let place = self.run(NEAREST);
        if place.is_null() {
            return;
        }
        let kind = if self.holds {
            "mouseMoved"
        } else {
            "mousePressed"
        };
        self.mouse(kind, &place);
        self.holds = true;
    }

    /// Lets go of the mouse.
    pub(crate) fn let_go(&mut self) {
        self.mouse("mouseReleased", &json!([10, 700]));
        self.holds = false;
    }

    fn mouse(&self, kind: &str, place: &Value) {
        let event = json!({
            "type": kind, "x": place[0], "y": place[1], "button": "left", "buttons": 1, "clickCount": 1,
        });
        self.devtools.call("Input.dispatchMouseEvent", event);
    }

    /// What the page shows of the owner.
    pub(crate) fn owner(&self, member: &str) -> u64 {
        self.number_of(&format!("Number(byId('{member}').textContent)"))
    }

    pub(crate) fn number(&self) -> u64 {
        self.number_of("game.you")
    }

    /// The score that the page shows; 0 while it shows none.
    pub(crate) fn score(&self) -> u64 {
        self.number_of("game.state?.players.get(game.you)?.score ?? 0")
    }

    /// Where this tab sees a player.
    pub(crate) fn place_of(&self, number: u64) -> Option<(f64, f64)> {
        let script = format!(
            "(() => {{ const it = game.state?.players.get({number}); return it ? [it.x, it.y] : null; }})()"
        );
        let place = self.run(&script);
        Some((place[0].as_f64()?, place[1].as_f64()?))
    }

    /// Keeps a picture of what it shows, beside the test's programs.
    pub(crate) fn shoot(&self, name: &str) {
        self.show();
        let picture = self.devtools.call("Page.captureScreenshot", json!({}));
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("game-world");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }

    /// The errors of the page so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.devtools.complaints()
    }
}
