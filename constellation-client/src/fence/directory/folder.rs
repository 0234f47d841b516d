//! A directory as an act sees it: files are read whole, and replaced or removed in one step that is
//! on the disk when it returns. It never lets a name out of the directory.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Component, Path, PathBuf},
};

use super::{Error, LOCK, MARK, UNFINISHED};

/// A directory that is locked for an act.
///
/// Names are relative to it. They may lead into directories below, which have to exist.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The directory, for acts that do something else than the methods here. Whatever they begin has
    /// to be over when they return.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content of a file; `None` when there is no such file.
    ///
    /// # Errors
    ///
    /// When the name leads out of the directory, or the file cannot be read.
    pub fn read(&self, name: impl AsRef<Path>) -> Result<Option<Vec<u8>>, Error> {
        let path = self.inside(name.as_ref())?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::at(&path)(error)),
        }
    }

    /// Gives a file this content; makes it when it is missing. At every moment, also after a crash,
    /// the file has its old content or the new one, whole.
    ///
    /// # Errors
    ///
    /// When the name leads out of the directory, or the file cannot be written.
    pub fn replace(
        &mut self,
        name: impl AsRef<Path>,
        content: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        let path = self.inside(name.as_ref())?;
        self.replace_at(&path, content.as_ref())
    }

    /// Removes a file. One that is not there is removed already.
    ///
    /// # Errors
    ///
    /// When the name leads out of the directory, or the file cannot be removed.
    pub fn remove(&mut self, name: impl AsRef<Path>) -> Result<(), Error> {
        let path = self.inside(name.as_ref())?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => outcome
                .and_then(|()| sync_directory(self.parent(&path)))
                .map_err(Error::at(&path)),
        }
    }

    pub(super) fn replace_at(&self, path: &Path, content: &[u8]) -> Result<(), Error> {
        let parent = self.parent(path);
        let unfinished = parent.join(UNFINISHED);
        write_whole(&unfinished, content)
            .and_then(|()| fs::rename(&unfinished, path))
            .and_then(|()| sync_directory(parent))
            .map_err(Error::at(path))
    }

    fn parent<'a>(&'a self, path: &'a Path) -> &'a Path {
        path.parent().unwrap_or(&self.path)
    }

    fn inside(&self, name: &Path) -> Result<PathBuf, Error> {
        let plain = |component| matches!(component, Component::Normal(_));
        let own = [MARK, LOCK, UNFINISHED]
            .iter()
            .any(|own| name.file_name().is_some_and(|name| name == *own));
        if name.as_os_str().is_empty() || own || !name.components().all(plain) {
            return Err(Error::Name {
                name: name.to_owned(),
            });
        }
        Ok(self.path.join(name))
    }
}

fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A new name in a directory is on the disk once the directory is.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Only Unix can open a directory for that.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
