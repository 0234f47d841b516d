//! Fences: guards at a resource itself that refuse a lower epoch. They never prevent a pause of a
//! process; they make what it does after one harmless.
//!
//! A lease stops a worker that runs. It cannot stop one whose process was itself stopped, for a
//! minute of swapping or in a virtual machine that was moved, and that goes on in the middle of a
//! write. By then the key may have another owner, and only the resource can tell the two apart. Each
//! owner brings the [epoch](crate::Request::epoch) of its grant, later owners bring higher ones, and
//! a fence keeps the highest as its *mark*, with the resource. Whoever brings a lower one is
//! [`Refused`] (M. Kleppmann, "How to do distributed locking", 2016).
//!
//! | module | what it guards |
//! |---|---|
//! | `sqlite`, with the feature of that name | a SQLite database, in the transactions that write it |
//! | [`directory`] | the files of a directory, under a lock |
//! | [`memory`] | a value that the workers of one process share |
//!
//! # Using one
//!
//! Enter it when the key is granted, before anything of the resource is read: from then on no
//! earlier owner changes it. Then do everything through what [`Fence::enter`] returns.
//!
//! ```
//! use constellation_client::{
//!     Epoch,
//!     fence::{Fence, directory::{DirectoryFence, Error}},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path();
//! // In a worker the epoch is that of the grant: `grant.epoch()`.
//! let mut world = DirectoryFence::open(path)?.enter(Epoch::new(7))?;
//! world.write(|files| files.replace("world.json", b"{}"))?;
//!
//! // Another owner comes, under a higher epoch.
//! let _next = DirectoryFence::open(path)?.enter(Epoch::new(8))?;
//! let late = world.write(|files| files.replace("world.json", b"late"));
//! assert!(matches!(late, Err(Error::Refused(refused)) if refused.held() == Epoch::new(8)));
//! # Ok(())
//! # }
//! ```
//!
//! Fences block, on a lock or a disk: call them where that disturbs nobody, such as in
//! [`actix_rt::task::spawn_blocking`]. One fence guards what one key owns. Epochs of different keys say
//! nothing about each other.
//!
//! # Writing one
//!
//! A resource can be fenced when it can do one of three things: hold the mark and compare it in the
//! same indivisible step as a write (a transaction, a conditional write), keep others out while a
//! write is under way (a lock), or compare epochs itself (a device with such a protocol). Implement
//! [`Fence::write`], let [`admit`] decide, and run [`conformance::check`] in a test.
//!
//! This one guards an object in a store that has conditional writes (`If-Match` of S3 and Azure,
//! `ifGenerationMatch` of Google). The mark is part of the object, so a write whose condition holds
//! cannot have missed a later owner. With an asynchronous client, wait for it with
//! `tokio::runtime::Handle::block_on` on a blocking thread, or call [`admit`] from asynchronous
//! code of the same order.
//!
//! ```
//! use std::io;
//!
//! use constellation_client::{Epoch, fence::{self, Fence, Refused}};
//!
//! /// An object, with the mark beside its content.
//! #[derive(Clone, Default)]
//! struct Object {
//!     mark: Option<Epoch>,
//!     content: Vec<u8>,
//! }
//!
//! /// A store whose writes can be bound to the version that was read.
//! trait Store {
//!     fn get(&self, name: &str) -> io::Result<(Object, u64)>;
//!     /// Whether the object still had this version, and so was replaced.
//!     fn put_if(&self, name: &str, version: u64, object: Object) -> io::Result<bool>;
//! }
//!
//! struct ObjectFence<S> {
//!     store: S,
//!     name: String,
//! }
//!
//! #[derive(Debug)]
//! enum Error {
//!     Refused(Refused),
//!     Store(io::Error),
//!     /// Somebody else wrote first, under no higher epoch: an earlier owner's last write.
//!     Conflict,
//! }
//! # impl From<Refused> for Error {
//! #     fn from(refused: Refused) -> Self { Self::Refused(refused) }
//! # }
//! # impl From<io::Error> for Error {
//! #     fn from(error: io::Error) -> Self { Self::Store(error) }
//! # }
//!
//! impl<S: Store> Fence for ObjectFence<S> {
//!     type Access = Vec<u8>;
//!     type Error = Error;
//!
//!     fn write<T, E: From<Error>>(
//!         &mut self,
//!         epoch: Epoch,
//!         act: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
//!     ) -> Result<T, E> {
//!         let (mut object, version) = self.store.get(&self.name).map_err(Error::from)?;
//!         fence::admit(&self.name, object.mark, epoch).map_err(Error::from)?;
//!         let outcome = act(&mut object.content)?;
//!         object.mark = Some(epoch);
//!         if self.store.put_if(&self.name, version, object).map_err(Error::from)? {
//!             return Ok(outcome);
//!         }
//!         // Somebody wrote since. If it was a later owner, this is a refusal like any other.
//!         let (object, _) = self.store.get(&self.name).map_err(Error::from)?;
//!         fence::admit(&self.name, object.mark, epoch).map_err(Error::from)?;
//!         Err(Error::Conflict.into())
//!     }
//! }
//! # struct Shared(std::sync::Arc<std::sync::Mutex<(Object, u64)>>);
//! # impl Store for Shared {
//! #     fn get(&self, _: &str) -> io::Result<(Object, u64)> { Ok(self.0.lock().unwrap().clone()) }
//! #     fn put_if(&self, _: &str, version: u64, object: Object) -> io::Result<bool> {
//! #         let mut held = self.0.lock().unwrap();
//! #         let holds = held.1 == version;
//! #         if holds { *held = (object, version + 1); }
//! #         Ok(holds)
//! #     }
//! # }
//! # struct Subject(std::sync::Arc<std::sync::Mutex<(Object, u64)>>);
//! # impl fence::conformance::Subject for Subject {
//! #     type Fence = ObjectFence<Shared>;
//! #     fn open(&mut self) -> ObjectFence<Shared> {
//! #         ObjectFence { store: Shared(self.0.clone()), name: "object".into() }
//! #     }
//! #     fn put(content: &mut Vec<u8>, number: u64) -> Result<(), Error> {
//! #         *content = number.to_be_bytes().to_vec();
//! #         Ok(())
//! #     }
//! #     fn get(content: &mut Vec<u8>) -> Result<Option<u64>, Error> {
//! #         Ok(content.as_slice().try_into().ok().map(u64::from_be_bytes))
//! #     }
//! #     fn refusal(error: &Error) -> Option<&Refused> {
//! #         match error { Error::Refused(refused) => Some(refused), _ => None }
//! #     }
//! # }
//! # fence::conformance::check(&mut Subject(Default::default()));
//! # let shared = std::sync::Arc::new(std::sync::Mutex::new((Object::default(), 0)));
//! # let open = || ObjectFence { store: Shared(shared.clone()), name: "object".into() };
//! # let mut early = open().enter(Epoch::new(1)).unwrap();
//! # let late: Result<(), Error> = early.write(|content| {
//! #     open().raise(Epoch::new(2)).unwrap();
//! #     content.push(1);
//! #     Ok(())
//! # });
//! # assert!(matches!(late, Err(Error::Refused(_))));
//! # assert!(shared.lock().unwrap().0.content.is_empty());
//! ```

pub mod conformance;
pub mod directory;
mod entered;
pub mod memory;
mod refused;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use constellation_actors::placement::epoch::Epoch;

pub use self::{
    entered::Entered,
    refused::{Admission, Refused, admit, refusals},
};

/// A guard at a resource: it keeps the highest epoch that it was shown, its *mark*, and lets
/// nobody act who brings a lower one.
///
/// One value is one owner's way to the resource; every owner has its own, mostly in another process.
pub trait Fence {
    /// What an act gets to work with while it is let in: a transaction's connection, a directory
    /// under its lock, the content of an object.
    type Access: ?Sized;

    /// Why an act was not let in, or did not last.
    type Error: From<Refused>;

    /// Lets `act` change the resource, unless an epoch higher than `epoch` has been here; raises the
    /// mark to `epoch` when that is the higher one.
    ///
    /// To look at the mark, to act and to make the act last is one indivisible step: an owner that
    /// brings a higher epoch comes wholly before it, and then it is refused, or wholly after it.
    /// A process that is stopped anywhere in between and goes on later is no exception.
    ///
    /// # Errors
    ///
    /// When the epoch is refused, when `act` fails, or when the resource does. Then nothing has
    /// changed, as far as the resource can undo; each fence says how far.
    fn write<T, E: From<Self::Error>>(
        &mut self,
        epoch: Epoch,
        act: impl FnOnce(&mut Self::Access) -> Result<T, E>,
    ) -> Result<T, E>;

    /// Lets `act` read the resource, unless an epoch higher than `epoch` has been here. What it sees
    /// is the resource as it was when it was let in or later, and before any later owner's entry.
    /// Whether it raises a lower mark, as a write does, is the fence's choice.
    ///
    /// # Errors
    ///
    /// When the epoch is refused, when `act` fails, or when the resource does.
    fn read<T, E: From<Self::Error>>(
        &mut self,
        epoch: Epoch,
        act: impl FnOnce(&mut Self::Access) -> Result<T, E>,
    ) -> Result<T, E> {
        self.write(epoch, act)
    }

    /// Whether `epoch` is still the highest that has been here. True for a moment only: it saves
    /// work that would be refused, and replaces no [`write`](Self::write).
    ///
    /// # Errors
    ///
    /// When the epoch is refused, or the resource fails.
    fn check(&mut self, epoch: Epoch) -> Result<(), Self::Error> {
        self.read(epoch, |_| Ok(()))
    }

    /// Raises the mark to `epoch`: whoever brings a lower one is refused from now on.
    ///
    /// # Errors
    ///
    /// When the epoch is refused, or the resource fails.
    fn raise(&mut self, epoch: Epoch) -> Result<(), Self::Error> {
        self.write(epoch, |_| Ok(()))
    }

    /// Raises the mark to `epoch`, and acts under that epoch from then on.
    ///
    /// # Errors
    ///
    /// When the epoch is refused, or the resource fails.
    fn enter(mut self, epoch: Epoch) -> Result<Entered<Self>, Self::Error>
    where
        Self: Sized,
    {
        self.raise(epoch)?;
        Ok(Entered::new(self, epoch))
    }
}
