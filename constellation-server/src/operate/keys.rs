//! `keys`: pages of keys, or all of them.

use std::io::Write;

use constellation_actors::PAGE_KEYS_MAX;

use super::{Error, Session, names::Names, pick::pick, table::table};
use crate::{
    admin::{
        key::{KeyList, ListedKey},
        query::escaped,
    },
    arguments::operator::KeysArguments,
};

impl<W: Write> Session<'_, W> {
    pub(super) async fn keys(&mut self, arguments: &KeysArguments) -> Result<(), Error> {
        let workers = self.listed().await?;
        let mut path = String::from("/v1/keys?limit=");
        let limit = if arguments.all {
            PAGE_KEYS_MAX.to_string()
        } else {
            arguments.limit.to_string()
        };
        path.push_str(&limit);
        if let Some(prefix) = &arguments.prefix {
            path.push_str(&format!("&prefix={}", escaped(prefix)));
        }
        if let Some(worker) = &arguments.worker {
            path.push_str(&format!("&worker={}", pick(worker, &workers)?));
        }
        let names = Names::new(&workers);
        let mut pages = Pages::default();
        let mut after = arguments.after.clone();
        loop {
            let after_this = after
                .as_deref()
                .map(|after| format!("&after={}", escaped(after)));
            let asked = format!("{path}{}", after_this.unwrap_or_default());
            let page: KeyList = self.client.get(&asked).await?.read()?;
            after.clone_from(&page.next);
            let last = !arguments.all || after.is_none();
            let text = if self.json {
                pages.json(&page, last)
            } else {
                pages.table(&page, last, &names)
            };
            self.output.write_all(text.as_bytes())?;
            if last {
                return Ok(self.output.flush()?);
            }
        }
    }
}

/// Pages that are printed one after the other, as if they were one.
#[derive(Default)]
struct Pages {
    printed: usize,
}

impl Pages {
    /// The next page in the form of the API.
    fn json(&mut self, page: &KeyList, last: bool) -> String {
        let mut text = String::new();
        if self.printed == 0 {
            text.push_str(r#"{"keys":["#);
        }
        for listed in &page.keys {
            if self.printed > 0 {
                text.push(',');
            }
            text.push_str(&json(listed));
            self.printed += 1;
        }
        if last {
            text.push_str(&format!("],\"next\":{}}}\n", json(&page.next)));
        }
        text
    }

    /// The next page as lines of a table.
    fn table(&mut self, page: &KeyList, last: bool, names: &Names) -> String {
        if self.printed == 0 && page.keys.is_empty() {
            return "There are no such keys.\n".into();
        }
        let rows: Vec<_> = page.keys.iter().map(|it| row(it, names)).collect();
        let table = table(["WORKER", "EPOCH", "STATE", "KEY"], &rows);
        let head = if self.printed == 0 { 0 } else { 1 };
        let mut text = String::new();
        for line in table.lines().skip(head) {
            text.push_str(line);
            text.push('\n');
        }
        self.printed += rows.len();
        match &page.next {
            Some(next) if last => {
                text.push_str(&format!("There are more: --all, or --after {next}\n"));
            }
            Some(_) | None => {}
        }
        text
    }
}

fn row(listed: &ListedKey, names: &Names) -> [String; 4] {
    [
        names.brief(listed.worker),
        listed.epoch.to_string(),
        if listed.leaving { "leaving" } else { "held" }.into(),
        listed.key.clone(),
    ]
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are always JSON")
}

#[cfg(test)]
mod tests {
    use constellation_actors::placement::worker::WorkerId;
    use uuid::Uuid;

    use super::*;

    fn page(keys: &[&str], next: Option<&str>) -> KeyList {
        let keys = keys.iter().map(|key| ListedKey {
            key: (*key).to_owned(),
            worker: WorkerId::new(Uuid::nil()),
            epoch: 7,
            leaving: false,
        });
        KeyList {
            keys: keys.collect(),
            next: next.map(str::to_owned),
        }
    }

    #[test]
    fn pages_are_printed_as_one() {
        let (first, second) = (page(&["/a", "/b"], Some("/b")), page(&["/c"], None));
        let mut pages = Pages::default();
        let text = pages.json(&first, false) + &pages.json(&second, true);
        let whole: KeyList = serde_json::from_str(&text).unwrap();
        let keys: Vec<_> = whole.keys.iter().map(|it| it.key.as_str()).collect();
        assert_eq!((keys, whole.next), (vec!["/a", "/b", "/c"], None));

        let (mut pages, names) = (Pages::default(), Names::new(&[]));
        let text = pages.table(&first, false, &names) + &pages.table(&second, true, &names);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].starts_with("WORKER") && lines[3].ends_with("/c"));
    }
}
