//! The application's pages, as text. Pure: what they show is handed in.

use std::fmt::Write as _;

use constellation_actors::placement::key::ResourceKey;

/// What the page about the workers shows of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkerLine {
    /// Its id.
    pub(crate) id: String,
    /// Its name; may be empty.
    pub(crate) name: String,
    /// Whether it gets new rooms.
    pub(crate) healthy: bool,
    /// The rooms that it owns.
    pub(crate) rooms: Vec<ResourceKey>,
}

/// The first page.
pub(crate) fn home() -> String {
    document(
        "Parlour",
        "<p>Rooms are under <a href=\"/games/chess\">/games/</a>: any name is a room, and every \
         room lives in one worker. Read one with GET, add a line to it with POST.</p>\
         <p><a href=\"/backstage\">Who owns which room</a> - <a href=\"/about\">About</a></p>",
    )
}

/// The page about the application.
pub(crate) fn about() -> String {
    document(
        "About",
        "<p>An ordinary actix-web application. The controller is mounted in it beside these \
         pages.</p>",
    )
}

/// The page that tells who owns which room.
pub(crate) fn backstage(workers: &[WorkerLine]) -> String {
    let mut body = String::new();
    if workers.is_empty() {
        body.push_str("<p>No worker is connected.</p>");
    }
    for worker in workers {
        write_worker(&mut body, worker).expect("a string takes every character");
    }
    document("Backstage", &body)
}

fn write_worker(body: &mut String, worker: &WorkerLine) -> std::fmt::Result {
    let state = if worker.healthy {
        "healthy"
    } else {
        "out of rotation"
    };
    write!(
        body,
        "<h2>{} ({state})</h2><p>{}</p><ul>",
        escaped(&worker.name),
        escaped(&worker.id)
    )?;
    for room in &worker.rooms {
        write!(body, "<li>{}</li>", escaped(room))?;
    }
    body.write_str("</ul>")
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1>{body}</html>\n"
    )
}

/// Names of workers and rooms come from strangers.
fn escaped(text: &str) -> String {
    text.chars().fold(
        String::with_capacity(text.len()),
        |mut escaped, character| {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                plain => escaped.push(plain),
            }
            escaped
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backstage_page_names_every_worker_and_room_and_runs_no_script_of_theirs() {
        let page = backstage(&[WorkerLine {
            id: "7".to_owned(),
            name: "<script>".to_owned(),
            healthy: true,
            rooms: ["/games/a", "/games/'\"&"]
                .map(|key| ResourceKey::parse(key).unwrap())
                .into(),
        }]);
        assert!(page.contains("&lt;script&gt; (healthy)"), "{page}");
        assert!(
            page.contains("<li>/games/a</li><li>/games/&#39;&quot;&amp;</li>"),
            "{page}"
        );
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn an_empty_backstage_says_so() {
        assert!(backstage(&[]).contains("No worker is connected"));
    }
}
