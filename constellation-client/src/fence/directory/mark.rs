//! The file that holds a directory's mark. Read and written under the directory's lock alone.

use std::{io::ErrorKind, path::PathBuf};

use constellation_actors::placement::epoch::Epoch;

use super::{Error, Folder, MARK};

/// The mark of one directory.
pub(super) struct Mark<'a> {
    folder: &'a Folder,
    path: PathBuf,
}

impl<'a> Mark<'a> {
    pub(super) fn of(folder: &'a Folder) -> Self {
        let path = folder.path().join(MARK);
        Self { folder, path }
    }

    /// The highest epoch that was here; `None` when there was none.
    pub(super) fn read(&self) -> Result<Option<Epoch>, Error> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::at(&self.path)(error)),
        };
        let number = str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.trim_ascii_end().parse().ok())
            .ok_or_else(|| Error::Damaged {
                path: self.path.clone(),
            })?;
        Ok(Some(Epoch::new(number)))
    }

    /// Makes `epoch` the highest. It is on the disk when this returns.
    pub(super) fn raise(&self, epoch: Epoch) -> Result<(), Error> {
        self.folder
            .replace_at(&self.path, format!("{epoch}\n").as_bytes())
    }
}
