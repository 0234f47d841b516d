//! The settings file on the disk: read whole and bounded, written whole and for its owner only.
//!
//! A write goes to a new file beside the old one and then takes its place, so a crash leaves one
//! or the other, and a key is at no moment readable by others.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::document::Node;

/// The most bytes of a settings file. A sane one has a few thousand.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Permission bits that let others than the owner read.
const OTHERS_READ: u32 = 0o044;

/// A settings file that was read.
pub(crate) struct Stored {
    /// What it says.
    pub(crate) document: Node,
    /// Its permission bits, when others than its owner may read it.
    pub(crate) open_mode: Option<u32>,
}

/// Why a settings file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The system refuses.
    #[error("cannot read {path}", path = .path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any settings.
    #[error("{path} is no settings file: it has more than {FILE_BYTES_MAX} bytes", path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not strict JSON.
    #[error(
        "{path} is not JSON: line {line}, column {column}; \
         strict JSON has no comments and no comma after the last entry",
        path = .path.display()
    )]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        source: serde_json::Error,
    },
}

/// Reads the file; `None` when there is none.
///
/// # Errors
///
/// When the system refuses, or it is too large, or it is not strict JSON in UTF-8.
pub(crate) fn read(path: &Path) -> Result<Option<Stored>, ReadError> {
    let system = |source| ReadError::System {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(system(error)),
    };
    let open_mode = open_mode(&file).map_err(system)?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(system)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(ReadError::TooLarge {
            path: path.to_owned(),
        });
    }
    match Node::parse(&text) {
        Ok(document) => Ok(Some(Stored {
            document,
            open_mode,
        })),
        Err(source) => Err(ReadError::Syntax {
            path: path.to_owned(),
            line: source.line(),
            column: source.column(),
            source,
        }),
    }
}

/// Writes the document in place of the file at `path`, or anew; only the owner may read it, and
/// the owner stays who it was.
///
/// # Errors
///
/// When the system refuses; the old file is then as it was.
pub(crate) fn write(path: &Path, document: &Node) -> io::Result<()> {
    // A link keeps pointing to the file that it names.
    let path = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let mut name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_new(&beside, &path, document).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // The error that is told is the first one; this only tidies up.
        let _ = fs::remove_file(&beside);
        return written;
    }
    sync_folder(&path)
}

fn write_new(beside: &Path, path: &Path, document: &Node) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    let mut file = options.open(beside)?;
    keep_owner(&file, path)?;
    file.write_all(document.to_pretty().as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn open_mode(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = file.metadata()?.permissions().mode() & 0o7777;
    Ok((mode & OTHERS_READ != 0).then_some(mode))
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;

    options.mode(0o600);
}

#[cfg(unix)]
fn keep_owner(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let old = match fs::metadata(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let new = file.metadata()?;
    if (old.uid(), old.gid()) == (new.uid(), new.gid()) {
        return Ok(());
    }
    fchown(file, Some(old.uid()), Some(old.gid()))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

// Elsewhere a file's readers are those of its folder, and a folder cannot be synced.
#[cfg(not(unix))]
fn open_mode(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions) {}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
