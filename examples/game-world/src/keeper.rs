//! Where a world is kept: a folder behind a fence. Blocking. Whatever it writes carries the epoch of
//! the world's owner, so that an owner after whom another one came changes nothing any more.

use std::{fs, io, path::Path};

use constellation_client::{
    Epoch,
    fence::{
        Entered, Fence,
        directory::{DirectoryFence, Error as FenceError},
    },
};

use crate::{
    world::snapshot::{Snapshot, SnapshotError},
    world_name::WorldName,
};

/// The file of the world in its folder.
const FILE: &str = "world.json";

/// The folder of one world, entered by its owner.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: Entered<DirectoryFence>,
}

/// Why a world cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperError {
    /// Its folder cannot be made.
    #[error("the folder of the world cannot be made")]
    Folder(#[source] io::Error),
    /// It has another owner now, or the file system fails.
    #[error(transparent)]
    Fence(#[from] FenceError),
    /// What is in its file is no world.
    #[error("the file of the world cannot be read")]
    Snapshot(#[from] SnapshotError),
}

impl KeeperError {
    /// Whether it is because a later owner has come.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Fence(FenceError::Refused(_)))
    }
}

impl Keeper {
    /// Enters the folder of a world as its owner under `epoch`, and reads what was kept; `None` of a
    /// new world. From here on no earlier owner writes there.
    ///
    /// # Errors
    ///
    /// When a later owner has entered, the file system fails, or the file holds no world.
    pub(crate) fn open(
        data: &Path,
        name: &WorldName,
        epoch: Epoch,
    ) -> Result<(Self, Option<Snapshot>), KeeperError> {
        let path = data.join(name.as_str());
        fs::create_dir_all(&path).map_err(KeeperError::Folder)?;
        let mut folder = DirectoryFence::open(&path)?.enter(epoch)?;
        let bytes = folder.read(|files| files.read(FILE))?;
        let kept = bytes.map(|bytes| Snapshot::parse(&bytes)).transpose()?;
        Ok((Self { folder }, kept))
    }

    /// Writes the world: on the disk when it returns.
    ///
    /// # Errors
    ///
    /// When a later owner has entered, or the file system fails. Then what was kept before is kept.
    pub(crate) fn save(&mut self, snapshot: &Snapshot) -> Result<(), KeeperError> {
        let bytes = snapshot.to_bytes();
        Ok(self.folder.write(|files| files.replace(FILE, bytes))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Limits, PlayerKey, PlayerName, World};

    const LIMITS: Limits = Limits {
        present_max: 2,
        remembered_max: 2,
    };

    #[test]
    fn a_later_owner_finds_the_world_and_the_earlier_one_writes_no_more() {
        let data = tempfile::tempdir().unwrap();
        let name = WorldName::parse("meadow").unwrap();
        let open = |epoch| Keeper::open(data.path(), &name, Epoch::new(epoch));
        let (mut first, kept) = open(1).unwrap();
        assert_eq!(kept, None);
        let mut world = World::new(name.seed(), LIMITS);
        let key = PlayerKey::parse(&"1".repeat(32)).unwrap();
        world.join(key, PlayerName::parse("Ann").unwrap()).unwrap();
        let snapshot = world.snapshot();
        first.save(&snapshot).unwrap();

        let (mut second, kept) = open(2).unwrap();
        assert_eq!(kept.as_ref(), Some(&snapshot));
        let late = World::new(7, LIMITS).snapshot();
        assert!(first.save(&late).unwrap_err().is_refusal());
        assert!(open(1).unwrap_err().is_refusal());
        second.save(&snapshot).unwrap();
        assert_eq!(open(3).unwrap().1, Some(snapshot));
    }

    #[test]
    fn a_file_that_holds_no_world_is_an_error_and_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        let name = WorldName::parse("meadow").unwrap();
        let folder = data.path().join("meadow");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(FILE), "not a world").unwrap();
        let error = Keeper::open(data.path(), &name, Epoch::new(1)).unwrap_err();
        assert!(matches!(error, KeeperError::Snapshot(_)), "{error}");
        assert_eq!(fs::read(folder.join(FILE)).unwrap(), b"not a world");
    }
}
