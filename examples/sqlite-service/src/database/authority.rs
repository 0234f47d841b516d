//! What clients' statements may do, asked by SQLite's authorizer for every action while a
//! statement is compiled. It never lets one out of its file or leave something behind on the
//! connection, which the next request, perhaps someone else's, will use. Nor does it let one at the
//! mark of the fence, which says who owns the file.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use constellation_client::fence::sqlite::TABLE as FENCE;
use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
};

use super::Failure;

/// The pragmas that only tell something about the database and its schema, or check it.
const PRAGMAS_TO_READ: [&str; 21] = [
    "application_id",
    "collation_list",
    "compile_options",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "journal_mode",
    "page_count",
    "page_size",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// Those of them whose argument is what to look at, or is kept in the file with the data.
const PRAGMAS_WITH_ARGUMENT: [&str; 11] = [
    "application_id",
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_xinfo",
    "user_version",
];

/// The connection's authorizer, as seen from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Authority {
    /// The service itself speaks: it begins and ends transactions.
    service: Arc<AtomicBool>,
    /// Why the latest statement was refused. SQLite itself says only "not authorized".
    refusal: Arc<Mutex<Option<String>>>,
}

impl Authority {
    /// Puts every later statement of this connection under the rules.
    pub(super) fn install(connection: &mut Connection) -> rusqlite::Result<Self> {
        let authority = Self::default();
        let judge = authority.clone();
        connection.authorizer(Some(move |context: AuthContext<'_>| judge.judge(context)))?;
        Ok(authority)
    }

    /// Does something in the service's own name, which the rules do not bind.
    pub(super) fn as_service<T>(&self, act: impl FnOnce() -> T) -> T {
        self.speaking(true, act)
    }

    /// Does something in the client's name, in the middle of what the service does. A statement that
    /// was compiled before may be compiled again while it runs, and what it calls is compiled then.
    pub(super) fn as_client<T>(&self, act: impl FnOnce() -> T) -> T {
        self.speaking(false, act)
    }

    fn speaking<T>(&self, service: bool, act: impl FnOnce() -> T) -> T {
        let before = self.service.swap(service, Ordering::Relaxed);
        let outcome = act();
        self.service.store(before, Ordering::Relaxed);
        outcome
    }

    /// Puts the reason into a failure that comes from a refusal, and forgets it.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        let refusal = self
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (failure, refusal) {
            (Failure::Sql { .. }, Some(reason)) => Failure::Refused { reason },
            (failure, _) => failure,
        }
    }

    fn judge(&self, context: AuthContext<'_>) -> Authorization {
        if self.service.load(Ordering::Relaxed) {
            return Authorization::Allow;
        }
        match objection(context.action) {
            None => Authorization::Allow,
            Some(reason) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                Authorization::Deny
            }
        }
    }
}

/// Why this action is refused; `None` when it is not.
fn objection(action: AuthAction<'_>) -> Option<String> {
    if touches_fence(action) {
        return Some(format!("the table {FENCE} is the service's own"));
    }
    match action {
        // VACUUM attaches its copy while it runs; the transaction around it stops it before.
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some("ATTACH and DETACH are refused: a database is its own file alone".into())
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => Some(
            "BEGIN, COMMIT, ROLLBACK and savepoints are refused: each statement is a transaction \
             of its own"
                .into(),
        ),
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => {
            Some("temporary tables, views, triggers and indexes are refused".into())
        }
        AuthAction::Function { function_name } => {
            (function_name == "load_extension").then(|| "load_extension() is refused".to_owned())
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => (!is_harmless(&pragma_name.to_ascii_lowercase(), pragma_value.is_some()))
            .then(|| format!("PRAGMA {pragma_name} is refused here")),
        AuthAction::Unknown { code, .. } => Some(format!("action {code} is unknown and refused")),
        // The rest stays inside the file. The enum is open, so a wildcard is needed.
        _ => None,
    }
}

/// Whether it would read or change the mark, its table, or what happens when the mark changes. That
/// there is such a table can be seen in the schema; SQLite cannot hide a row of that.
fn touches_fence(action: AuthAction<'_>) -> bool {
    let name = match action {
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateIndex { table_name, .. }
        | AuthAction::CreateTable { table_name }
        | AuthAction::CreateTrigger { table_name, .. }
        | AuthAction::CreateVtable { table_name, .. }
        | AuthAction::DropTable { table_name } => Some(table_name),
        AuthAction::CreateView { view_name } => Some(view_name),
        AuthAction::Pragma { pragma_value, .. } => pragma_value,
        // The enum is open, so a wildcard is needed.
        _ => None,
    };
    name.is_some_and(|name| name.eq_ignore_ascii_case(FENCE))
}

fn is_harmless(pragma: &str, with_argument: bool) -> bool {
    let allowed: &[&str] = if with_argument {
        &PRAGMAS_WITH_ARGUMENT
    } else {
        &PRAGMAS_TO_READ
    };
    allowed.contains(&pragma)
}
