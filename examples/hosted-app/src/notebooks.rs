//! The notebooks that are open, by name, and how a handler gets the one of its request.

use std::{
    collections::HashMap,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use constellation_client::{Epoch, Grant};

use crate::{notebook::Notebook, problem::Problem};

/// The notebooks that are open. One for the whole process.
#[derive(Debug)]
pub(crate) struct Notebooks {
    folder: PathBuf,
    open: Mutex<HashMap<String, Open>>,
    /// The last grants that were closed, by key, so that a request that opens a notebook while its key
    /// goes does not keep it open.
    closed: Mutex<HashMap<String, Epoch>>,
}

/// A notebook, and the grant under which it was opened.
#[derive(Clone, Debug)]
struct Open {
    grant: Option<Grant>,
    notebook: Arc<Notebook>,
}

impl Notebooks {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            open: Mutex::default(),
            closed: Mutex::default(),
        }
    }

    /// The notebook of this name. Opens it, which may block, if it is not open under this grant.
    fn get(&self, name: &str, grant: Option<Grant>) -> Result<Arc<Notebook>, Problem> {
        if let Some(notebook) = self.find(name, grant.as_ref()) {
            return Ok(notebook);
        }
        let path = self.folder.join(format!("{name}.db"));
        let notebook = Arc::new(Notebook::open(&path, grant.as_ref())?);
        let mut open = self.open();
        // Somebody else may have opened it meanwhile, and listeners may be there already.
        if let Some(found) = open.get(name).filter(|found| found.grant == grant) {
            return Ok(Arc::clone(&found.notebook));
        }
        // Opening takes time, and what is closed already must not be kept open.
        if grant.as_ref().is_some_and(|grant| !self.may_stay(grant)) {
            return Err(Problem::OwnerChanged);
        }
        let opened = Open {
            grant,
            notebook: Arc::clone(&notebook),
        };
        open.insert(name.to_owned(), opened);
        Ok(notebook)
    }

    fn find(&self, name: &str, grant: Option<&Grant>) -> Option<Arc<Notebook>> {
        let open = self.open();
        let found = open.get(name)?;
        (found.grant.as_ref() == grant).then(|| Arc::clone(&found.notebook))
    }

    /// Closes what was opened under `grant`. Those who listen for its changes hear no more.
    pub(crate) fn close(&self, grant: &Grant) {
        let mut open = self.open();
        self.closed().insert(grant.key().to_string(), grant.epoch());
        open.retain(|_, open| open.grant.as_ref() != Some(grant));
    }

    /// Whether what is opened under `grant` will still be closed with it.
    fn may_stay(&self, grant: &Grant) -> bool {
        let closed = self.closed().get(grant.key().as_str()).copied();
        grant.is_in_force() && closed.is_none_or(|closed| closed < grant.epoch())
    }

    fn closed(&self) -> MutexGuard<'_, HashMap<String, Epoch>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The notebook that a request's path names, as an argument of its handler.
#[derive(Clone, Debug)]
pub(crate) struct Here(Arc<Notebook>);

impl Here {
    /// Does what may block, away from the thread of the requests.
    pub(crate) async fn with<T: Send + 'static>(
        self,
        act: impl FnOnce(&Notebook) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        web::block(move || act(&self.0)).await?
    }
}

impl FromRequest for Here {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let name = request
            .match_info()
            .get("notebook")
            .unwrap_or_default()
            .to_owned();
        let notebooks = request.app_data::<web::Data<Notebooks>>().cloned();
        let grant = Option::<Grant>::from_request(request, payload);
        Box::pin(async move {
            let notebooks = notebooks.ok_or(Problem::NoSuchPage)?;
            check(&name)?;
            let Ok(grant) = grant.await;
            Ok(Self(
                web::block(move || notebooks.get(&name, grant)).await??,
            ))
        })
    }
}

/// Names become names of files.
fn check(name: &str) -> Result<(), Problem> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Problem::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        assert!(check("recipes-2_b").is_ok());
        for name in ["", "..", "a/b", "A", "a.db", &"a".repeat(65)] {
            assert!(matches!(check(name), Err(Problem::Name)), "{name:?}");
        }
    }
}
